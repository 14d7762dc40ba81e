//! What a back end needs to be held to the contract.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mcp_platform::backend::Backend;
use mcp_platform::backend::kubernetes::{Kubernetes, Options, Side};
use mcp_platform::backend::mock::{MockBackend, MockClock};
use mcp_platform::lifecycle::{Limits, Patience};
use mcp_platform::model::{Cause, ImageReference, Name, Spec};
use mcp_platform::service::Service;
use mcp_platform::template::{Catalogue, builtin, parse};
use mcp_platform::world::random;

use crate::docker;
use crate::kubernetes::place::Place;
use crate::process::Room;

/// What goes wrong, and what is then said.
pub struct Fault {
    /// The value of `ECHO_FAIL`.
    pub fail: Option<&'static str>,
    /// Another image.
    pub image: Option<ImageReference>,
    /// The cause that is reported.
    pub cause: Cause,
}

impl Fault {
    fn fails(fail: &'static str, cause: Cause) -> Fault {
        Fault {
            fail: Some(fail),
            image: None,
            cause,
        }
    }

    fn image(image: &str, cause: Cause) -> Fault {
        Fault {
            fail: None,
            image: Some(ImageReference::parse(image).unwrap()),
            cause,
        }
    }
}

/// The image of the companion where none is pulled.
const STORE: &str = "registry.example/store:1";

/// Whether what a server writes can be read there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logs {
    /// It can.
    Read,
    /// It cannot: the cluster's kubelet is a stand-in that starts nothing.
    NoKubelet,
}

/// A back end with its faults.
pub struct Fixture {
    pub service: Service,
    pub namespace: Name,
    pub image: Option<ImageReference>,
    pub faults: Vec<Fault>,
    pub logs: Logs,
    /// The object that is the companion `store` while it runs; none: the back end runs none, or keeps
    /// what it is made of and ends its pods, which its own tests count.
    pub companion: Option<&'static str>,
}

/// The echo server, with a key of its configuration that makes it fail; and the same with a companion
/// that has a volume and a secret.
fn catalogue(image: &str) -> Catalogue {
    let text = include_str!("../../../templates/echo/template.toml")
        .replace("id = \"echo\"", "id = \"contract\"")
        .replace("grace-seconds = 10", "grace-seconds = 1");
    let fails = "[configuration.schema.properties.fail]\ntype = \"string\"\n\n\
                 [[configuration.setting]]\nkey = \"fail\"\nenvironment = \"ECHO_FAIL\"\n";
    let companion = format!(
        "[[companion]]\nname = \"store\"\nimage = \"{image}\"\nport = 8080\n\
         generated = {{ MCP_TOKEN = \"store/password\" }}\n\
         volume = {{ name = \"db\", path = \"/db\", size = \"1Gi\" }}\n"
    );
    let mut catalogue = builtin().unwrap();
    for (id, more) in [("contract", fails), ("companion", &companion)] {
        let text = text.replace("id = \"contract\"", &format!("id = \"{id}\""));
        let template = parse(&format!("{text}\n{more}"), id).unwrap();
        catalogue.templates.insert(template.id.clone(), template);
    }
    catalogue
}

/// The same service on the templates of the contract.
fn on(service: &Service, image: &str) -> Service {
    Service {
        catalogue: Arc::new(catalogue(image)),
        patience: Patience {
            total: Duration::from_secs(60),
            fault: Duration::from_secs(2),
        },
        ..service.clone()
    }
}

pub fn mock() -> Fixture {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let clock = MockClock::stepping(start);
    let reading = clock.reading();
    let service = Service {
        backend: Arc::new(MockBackend::new(clock)),
        catalogue: Arc::new(catalogue(STORE)),
        limits: Limits::default(),
        patience: Patience::default(),
        clock: reading,
        random: Arc::new(random),
    };
    Fixture {
        service,
        namespace: Name::label("contract").unwrap(),
        image: None,
        faults: vec![
            Fault::fails("exit:3", Cause::CrashLoop),
            Fault::fails("unready", Cause::Probe),
            Fault::image("registry.example/echo:fault-pull", Cause::ImagePull),
            Fault::image("registry.example/echo:fault-memory", Cause::OutOfMemory),
            Fault::image("registry.example/echo:fault-quota", Cause::Quota),
            Fault::image("registry.example/echo:fault-volume", Cause::Volume),
            Fault::image(
                "registry.example/echo:fault-unschedulable",
                Cause::Unschedulable,
            ),
            Fault::image(
                "registry.example/echo:fault-configuration",
                Cause::Configuration,
            ),
        ],
        logs: Logs::Read,
        companion: Some("companion/contract-store"),
    }
}

pub fn process(room: &Room) -> Fixture {
    Fixture {
        service: on(&room.service, STORE),
        namespace: Name::label("mcp-servers").unwrap(),
        image: None,
        faults: vec![Fault::fails("exit:3", Cause::CrashLoop)],
        logs: Logs::Read,
        companion: None,
    }
}

pub fn docker(room: &docker::Room) -> Fixture {
    Fixture {
        service: on(&room.service, &room.image.to_string()),
        namespace: room.namespace.clone(),
        image: Some(room.image.clone()),
        faults: vec![
            Fault::fails("exit:3", Cause::CrashLoop),
            Fault::image("127.0.0.1:9/nothing/there:1", Cause::ImagePull),
        ],
        logs: Logs::Read,
        companion: Some("container/contract.contract.companion.store"),
    }
}

pub fn kubernetes(place: &Place) -> Fixture {
    let options = Options {
        pod_annotations: Arc::new(played),
        ..Options::usual(Side::Outside)
    };
    let name = "the cluster of the tests".to_owned();
    let backend: Arc<dyn Backend> = Arc::new(Kubernetes::new(place.client.clone(), name, options));
    Fixture {
        service: Service {
            backend,
            ..on(&place.service, STORE)
        },
        namespace: place.namespace.clone(),
        image: Some(crate::kubernetes::place::image("1")),
        faults: vec![
            Fault::fails("exit:3", Cause::CrashLoop),
            Fault::image("registry.example:5000/echo:pull", Cause::ImagePull),
        ],
        logs: Logs::NoKubelet,
        companion: None,
    }
}

/// What the stand-in for the kubelet plays instead of the faults that a server would have.
fn played(spec: &Spec) -> BTreeMap<String, String> {
    let tag = spec
        .run
        .image
        .as_ref()
        .and_then(|image| image.tag.as_deref());
    let play = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    if spec.environment.contains_key("ECHO_FAIL") {
        play("test/crash", "true")
    } else if tag == Some("pull") {
        play("test/pull", "fail")
    } else {
        BTreeMap::new()
    }
}
