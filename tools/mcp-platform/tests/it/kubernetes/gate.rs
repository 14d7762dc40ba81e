//! A way to the cluster's API that forwards everything and stops at one write: before it reaches
//! the API server, or after it was done and before the answer comes back.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode, header};
use kube::Client;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// On which side of the API server a write is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It is not done.
    Before,
    /// It is done, and nobody hears of it.
    After,
}

/// Which write is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// That of this number, from 1, and all after it.
    Number(usize, Side),
    /// Every one to a path that ends so.
    Path(&'static str),
}

#[derive(Debug, Default)]
struct Plan {
    stop: Option<Stop>,
    /// How many writes there were since.
    writes: usize,
    /// Lets what is stopped go on, or refuses it.
    release: Option<watch::Sender<Release>>,
}

impl Plan {
    fn stopping(stop: Stop) -> Plan {
        Plan {
            stop: Some(stop),
            writes: 0,
            release: Some(watch::Sender::new(Release::NotYet)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Release {
    NotYet,
    GoOn,
    Refuse,
}

struct Inside {
    client: Client,
    plan: Mutex<Plan>,
    reached: Notify,
}

/// The way, open until it is dropped.
pub struct Gate {
    inside: Arc<Inside>,
    folder: TempDir,
    serving: JoinHandle<()>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Gate {
    /// A way to the cluster of this client.
    pub async fn open(client: Client) -> Gate {
        let inside = Arc::new(Inside {
            client,
            plan: Mutex::default(),
            reached: Notify::new(),
        });
        let router = Router::new()
            .fallback(forward)
            .with_state(Arc::clone(&inside));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: gate\n\
             clusters: [{{name: gate, cluster: {{server: 'http://{address}'}}}}]\n\
             users: [{{name: gate, user: {{}}}}]\n\
             contexts: [{{name: gate, context: {{cluster: gate, user: gate}}}}]\n"
        );
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig).unwrap();
        Gate {
            inside,
            folder,
            serving,
        }
    }

    /// A folder for whoever goes this way, with the kubeconfig in it.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The kubeconfig that leads here.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Stops the write of that number from now on, and all that come after it.
    pub fn stop_at(&self, write: usize, side: Side) {
        *self.inside.plan.lock().unwrap() = Plan::stopping(Stop::Number(write, side));
    }

    /// Stops every write to a path that ends so, before it is done.
    pub fn stop_at_path(&self, end: &'static str) {
        *self.inside.plan.lock().unwrap() = Plan::stopping(Stop::Path(end));
    }

    /// Stops nothing more, and lets go on what was stopped.
    pub fn stop_nothing(&self) {
        self.release(Release::GoOn);
    }

    /// Stops nothing more, and answers what was stopped as a server does that has a bad day.
    pub fn refuse(&self) {
        self.release(Release::Refuse);
    }

    fn release(&self, release: Release) {
        let plan = std::mem::take(&mut *self.inside.plan.lock().unwrap());
        if let Some(stopped) = plan.release {
            stopped.send_replace(release);
        }
    }

    /// A client that goes this way.
    pub async fn client(&self) -> Client {
        super::place::client(self.kubeconfig().to_str().unwrap()).await
    }

    /// Comes back when the write was stopped.
    pub async fn reached(&self) {
        self.inside.reached.notified().await;
    }
}

/// What becomes of a request.
enum Fate {
    Forward,
    Hold(watch::Receiver<Release>),
    ForwardAndHold,
}

fn fate(plan: &mut Plan, request: &Request) -> Fate {
    let rehearsal = request
        .uri()
        .query()
        .is_some_and(|query| query.contains("dryRun"));
    if request.method() == Method::GET || rehearsal {
        return Fate::Forward;
    }
    plan.writes += 1;
    let hold = match plan.stop {
        Some(Stop::Number(number, Side::Before)) => plan.writes >= number,
        Some(Stop::Number(number, Side::After)) if plan.writes == number => {
            return Fate::ForwardAndHold;
        }
        Some(Stop::Number(number, Side::After)) => plan.writes > number,
        Some(Stop::Path(end)) => request.uri().path().ends_with(end),
        None => false,
    };
    match &plan.release {
        Some(release) if hold => Fate::Hold(release.subscribe()),
        _ => Fate::Forward,
    }
}

fn refused(status: StatusCode, why: String) -> Response<Body> {
    let mut response = Response::new(Body::from(why));
    *response.status_mut() = status;
    response
}

async fn forward(State(inside): State<Arc<Inside>>, request: Request) -> Response<Body> {
    let fate = fate(&mut inside.plan.lock().unwrap(), &request);
    if let Fate::Hold(mut release) = fate {
        inside.reached.notify_one();
        let released = release.wait_for(|release| *release != Release::NotYet);
        if !matches!(released.await.as_deref(), Ok(Release::GoOn)) {
            return refused(StatusCode::INTERNAL_SERVER_ERROR, "a bad day".to_owned());
        }
        return pass(&inside, request).await;
    }
    let answer = pass(&inside, request).await;
    if matches!(fate, Fate::ForwardAndHold) {
        inside.reached.notify_one();
        std::future::pending::<()>().await;
    }
    answer
}

async fn pass(inside: &Inside, request: Request) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let request = Request::from_parts(head, kube::client::Body::from(body.to_vec()));
    match inside.client.send(request).await {
        Ok(answer) => {
            let (mut head, body) = answer.into_parts();
            for name in [header::CONNECTION, header::TRANSFER_ENCODING] {
                head.headers.remove(name);
            }
            Response::from_parts(head, Body::new(body))
        }
        Err(error) => refused(StatusCode::BAD_GATEWAY, error.to_string()),
    }
}
