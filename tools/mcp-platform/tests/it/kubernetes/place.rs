//! A namespace on the cluster of the tests, and a service that deploys into it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use mcp_platform::backend::kubernetes::{Kubernetes, Options, Side};
use mcp_platform::backend::{Backend, Scope};
use mcp_platform::lifecycle::{Limits, Patience};
use mcp_platform::model::{Identity, ImageReference, Name, Observed, Spec};
use mcp_platform::service::{DeployRequest, Service};
use mcp_platform::template::{Request, builtin};
use mcp_platform::world::{World, now, random};
use serde_json::{Value, json};

/// How long anything may take before a test gives up.
pub const DEADLINE: Duration = Duration::from_secs(180);
/// How long a test may take that does a thing over and over.
const LONG_DEADLINE: Duration = Duration::from_secs(600);

pub struct Place {
    pub client: Client,
    pub backend: Arc<Kubernetes>,
    pub service: Service,
    pub namespace: Name,
}

/// The kubeconfig of the tests; none when they are switched off, which is said.
pub fn kubeconfig() -> Option<String> {
    let world = World::read().unwrap();
    let file = world.variable("MCP_TEST_KUBECONFIG").map(str::to_owned);
    if file.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "switched off: set MCP_TEST_KUBECONFIG to the kubeconfig of a cluster for tests"
        );
    }
    file
}

/// Runs a test in a namespace of its own, which is deleted also when the test fails.
pub fn within<F: Future<Output = ()>>(test: impl FnOnce(Arc<Place>) -> F) {
    run(Place::new, DEADLINE, test);
}

/// The same for one that does a thing over and over.
pub fn within_longer<F: Future<Output = ()>>(test: impl FnOnce(Arc<Place>) -> F) {
    run(Place::new, LONG_DEADLINE, test);
}

/// The same with a back end that keeps what its watches bring.
pub fn watching<F: Future<Output = ()>>(test: impl FnOnce(Arc<Place>) -> F) {
    let begin = |file: String| async move {
        let place = Place::new(file).await;
        place.backend.keep_watching();
        place
    };
    run(begin, DEADLINE, test);
}

fn run<B: Future<Output = Place>, F: Future<Output = ()>>(
    begin: impl FnOnce(String) -> B,
    deadline: Duration,
    test: impl FnOnce(Arc<Place>) -> F,
) {
    let Some(file) = kubeconfig() else {
        return;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let place = Arc::new(begin(file).await);
        let test = AssertUnwindSafe(tokio::time::timeout(deadline, test(Arc::clone(&place))));
        let done = test.catch_unwind().await;
        let all: Api<Namespace> = Api::all(place.client.clone());
        all.delete(place.namespace.as_str(), &DeleteParams::default())
            .await
            .unwrap();
        match done {
            Ok(done) => done.expect("the test came to its end in time"),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
}

/// What the stand-in for the kubelet is told, by the tag of the image.
fn fault(spec: &Spec) -> BTreeMap<String, String> {
    let tag = spec
        .run
        .image
        .as_ref()
        .and_then(|image| image.tag.as_deref());
    let (key, value) = match tag {
        Some("pull") => ("test/pull", "fail"),
        Some("crash") => ("test/crash", "true"),
        Some("never") => ("test/ready", "never"),
        _ => return BTreeMap::new(),
    };
    BTreeMap::from([(key.to_owned(), value.to_owned())])
}

pub async fn client(file: &str) -> Client {
    let kubeconfig = Kubeconfig::read_from(file).unwrap();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

impl Place {
    async fn new(file: String) -> Place {
        let client = client(&file).await;
        let namespace = Name::label(&format!("it-{}", &random()[..12])).unwrap();
        let all: Api<Namespace> = Api::all(client.clone());
        let object =
            serde_json::from_value(json!({"metadata": {"name": namespace.as_str()}})).unwrap();
        all.create(&PostParams::default(), &object).await.unwrap();
        let backend = Arc::new(backend(&client));
        let service = Service {
            backend: Arc::clone(&backend) as Arc<dyn Backend>,
            catalogue: Arc::new(builtin().unwrap()),
            limits: Limits::default(),
            patience: Patience {
                total: Duration::from_secs(30),
                fault: Duration::from_secs(1),
            },
            clock: Arc::new(now),
            random: Arc::new(random),
        };
        Place {
            client,
            backend,
            service,
            namespace,
        }
    }

    pub fn identity(&self, name: &str) -> Identity {
        Identity {
            namespace: self.namespace.clone(),
            name: Name::label(name).unwrap(),
        }
    }

    pub fn request(&self, name: &str, tag: &str, replicas: u32) -> DeployRequest {
        DeployRequest {
            template: "echo".to_owned(),
            request: Request {
                name: Some(name.to_owned()),
                image: Some(image(tag)),
                replicas: Some(replicas),
                ..Request::default()
            },
        }
    }

    pub fn spec(&self, name: &str, tag: &str, replicas: u32) -> Spec {
        self.service
            .specify(&self.namespace, &self.request(name, tag, replicas), None)
            .unwrap()
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), self.namespace.as_str())
    }

    pub async fn observe(&self, name: &str) -> Option<Observed> {
        self.backend.observe(&self.identity(name)).await.unwrap()
    }

    pub async fn objects(&self, name: &str) -> Vec<String> {
        self.backend.objects(&self.identity(name)).await.unwrap()
    }

    pub async fn pods(&self) -> Vec<Pod> {
        self.api::<Pod>()
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
    }

    /// Looks again at every change until it is as wanted.
    pub async fn until(
        &self,
        name: &str,
        wanted: impl Fn(Option<&Observed>) -> bool,
    ) -> Option<Observed> {
        let scope = Scope {
            namespace: Some(self.namespace.clone()),
            template: None,
        };
        let mut changes = self.backend.changes(&scope);
        loop {
            let observed = self.observe(name).await;
            if wanted(observed.as_ref()) {
                return observed;
            }
            changes.next().await.unwrap().unwrap();
        }
    }

    /// Looks at the pods again at every change until they are as wanted.
    pub async fn until_pods(&self, wanted: impl Fn(&[Pod]) -> bool) {
        let scope = Scope {
            namespace: Some(self.namespace.clone()),
            template: None,
        };
        let mut changes = self.backend.changes(&scope);
        while !wanted(&self.pods().await) {
            changes.next().await.unwrap().unwrap();
        }
    }

    /// Writes the status of a pod, as a kubelet would.
    pub async fn play(&self, pod: &str, status: Value) {
        let patch = json!({"status": status});
        self.api::<Pod>()
            .patch_status(pod, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .unwrap();
    }

    /// Says something about a pod, as a kubelet would.
    pub async fn warn(&self, pod: &Pod, reason: &str, message: &str, at: &str) {
        let name = pod.metadata.name.clone().unwrap();
        let event = serde_json::from_value(json!({
            "metadata": {"generateName": "event-", "namespace": self.namespace.as_str()},
            "involvedObject": {"kind": "Pod", "namespace": self.namespace.as_str(), "name": name, "uid": pod.metadata.uid},
            "reason": reason, "message": message, "type": "Warning",
            "firstTimestamp": at, "lastTimestamp": at, "count": 3,
            "source": {"component": "kubelet"},
        }))
        .unwrap();
        self.api::<k8s_openapi::api::core::v1::Event>()
            .create(&PostParams::default(), &event)
            .await
            .unwrap();
    }
}

pub fn backend(client: &Client) -> Kubernetes {
    let options = Options {
        pod_annotations: Arc::new(fault),
        ..Options::usual(Side::Outside)
    };
    Kubernetes::new(
        client.clone(),
        "the cluster of the tests".to_owned(),
        options,
    )
}

pub fn image(tag: &str) -> ImageReference {
    ImageReference::parse(&format!("registry.example:5000/echo:{tag}")).unwrap()
}
