//! A REST face on the mock, behind a real listener on loopback, and a client for it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use mcp_platform::api::audit::Audit;
use mcp_platform::api::caller::Role;
use mcp_platform::api::gate::{Gate, Tokens};
use mcp_platform::api::tokens::{self, Token, TokenFile};
use mcp_platform::api::{Api, Limits, Parts, Rate, serve};
use mcp_platform::backend::mock::{Faults, MockBackend, MockClock};
use mcp_platform::lifecycle::{self, Patience};
use mcp_platform::model::Name;
use mcp_platform::service::{Cluster, Clusters, Service};
use mcp_platform::template::{builtin, parse};
use mcp_platform::world;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// How long anything in a test may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a stand is started with.
pub struct Settings {
    pub limits: Limits,
    pub rate: (u32, u32),
    pub needed: Tokens,
    pub audit: Option<PathBuf>,
    /// The file of the mock's servers, for several instances.
    pub shared: Option<PathBuf>,
    pub tls: Option<RustlsConfig>,
    /// The names of more clusters, each a mock of its own.
    pub more: Vec<&'static str>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            limits: Limits::default(),
            rate: (0, 1),
            needed: Tokens::NeededOnceThereAreAny,
            audit: None,
            shared: None,
            tls: None,
            more: Vec::new(),
        }
    }
}

/// A running face.
pub struct Stand {
    pub folder: tempfile::TempDir,
    pub mock: MockBackend,
    /// Those of the other clusters.
    pub more: Vec<MockBackend>,
    pub address: SocketAddr,
    pub client: Client,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<JoinHandle<usize>>,
}

/// A template that has a secret, and may not be doubled.
const ALONE: &str = include_str!("../../../templates/echo/template.toml");

fn service(mock: &MockBackend) -> Service {
    let mut catalogue = builtin().unwrap();
    let alone = ALONE
        .replace("id = \"echo\"", "id = \"alone\"")
        .replace("\"stateless\"", "\"singleton\"");
    let alone = parse(&alone, "alone").unwrap();
    catalogue.templates.insert(alone.id.clone(), alone);
    Service {
        backend: Arc::new(mock.clone()),
        catalogue: Arc::new(catalogue),
        limits: lifecycle::Limits::default(),
        patience: Patience {
            total: Duration::from_secs(20),
            fault: Duration::from_secs(1),
        },
        clock: mock.clock(),
        random: Arc::new(world::random),
    }
}

impl Stand {
    /// One without tokens.
    pub async fn new() -> Stand {
        Stand::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Stand {
        // reqwest leaves the choice to the program; a second choice is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let clock = MockClock::Follow(Arc::new(world::now));
        let mock = match settings.shared {
            Some(file) => MockBackend::in_file(clock, file),
            None => MockBackend::new(clock),
        };
        let more: Vec<MockBackend> = settings
            .more
            .iter()
            .map(|_| MockBackend::new(MockClock::Follow(Arc::new(world::now))))
            .collect();
        let cluster = |name: &str, mock: &MockBackend| Cluster {
            name: name.to_owned(),
            service: service(mock),
        };
        let others = settings.more.iter().zip(&more);
        let clusters = Clusters::new(
            cluster("here", &mock),
            others.map(|(name, mock)| cluster(name, mock)).collect(),
        );
        let (closing, is_closing) = watch::channel(false);
        let audit = settings
            .audit
            .unwrap_or_else(|| folder.path().join("audit.jsonl"));
        let api = Api::new(Parts {
            clusters,
            namespace: Name::label("team-a").unwrap(),
            others: Vec::new(),
            gate: Gate {
                tokens: TokenFile::new(folder.path().join("tokens.toml")),
                needed: settings.needed,
                hosts: vec!["platform.test".to_owned()],
                rate: Rate::new(settings.rate.0, settings.rate.1),
            },
            audit: Audit::to(audit),
            limits: settings.limits,
            closing: is_closing,
        });
        let listening = serve::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listening.address;
        let (stop, stopped) = oneshot::channel();
        let stop_signal = async {
            let _ = stopped.await;
        };
        let grace = Duration::from_secs(20);
        let ended = tokio::spawn(async move {
            serve::serve(api, listening, settings.tls, stop_signal, closing, grace)
                .await
                .unwrap()
        });
        Stand {
            folder,
            mock,
            more,
            address,
            client: Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                .build()
                .unwrap(),
            stop: Some(stop),
            ended: Some(ended),
        }
    }

    /// Asks it to end; says how many operations were cut off.
    pub async fn end(&mut self) -> usize {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.ended.take().unwrap())
            .await
            .expect("it ends")
            .unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.ask(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.ask(Method::POST, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        answer(self.ask(Method::DELETE, path)).await
    }

    pub async fn deploy(&self, name: &str) -> Value {
        let body = serde_json::json!({ "name": name });
        let (status, answer) = self.post("/api/templates/deploy/echo/", &body).await;
        assert_eq!(status, 201, "{answer}");
        answer
    }

    pub fn faults(&self, text: &str) {
        self.mock.set_faults(Faults::parse(text).unwrap()).unwrap();
    }

    /// Makes a token.
    pub fn token(&self, name: &str, role: Role, namespaces: &[&str]) -> String {
        let token = Token {
            name: Name::label(name).unwrap(),
            role,
            namespaces: namespaces
                .iter()
                .map(|text| Name::label(text).unwrap())
                .collect(),
            created: world::now(),
            expires: None,
            sha256: String::new(),
        };
        let path = self.folder.path().join("tokens.toml");
        let secret = tokens::create(&path, token, &world::random).unwrap();
        secret.expose().to_owned()
    }

    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("audit.jsonl"));
        text.unwrap_or_default()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Status and JSON of an answer.
pub async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response: Response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    let text = response.text().await.unwrap();
    let value: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    if status >= 400 {
        assert_eq!(kind, "application/problem+json", "{value}");
        assert_eq!(value["status"], status);
        assert!(value["instance"].is_string(), "{value}");
        assert!(value["detail"].is_string(), "{value}");
    }
    (status, value)
}
