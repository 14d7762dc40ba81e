//! What is wanted: one server, described without saying on which back end it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Identity, ImageReference, Secrets};

/// Everything that one server is made of. Stored in the open by every back end, except `secrets`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Which server.
    pub identity: Identity,
    /// The template it came from.
    pub template: String,
    /// The template's version.
    pub version: String,
    /// The configuration as it was given, without its secret keys; what an update starts from.
    pub configuration: serde_json::Map<String, serde_json::Value>,
    /// What is started.
    pub run: Run,
    /// How clients talk to it.
    pub transport: Transport,
    /// The port it listens on inside its container; a process is told another by `PORT`.
    pub port: u16,
    /// The secret environment variable with the bearer token that clients must send.
    pub bearer: Option<String>,
    /// Answers 200 while the process lives.
    pub health: Option<Probe>,
    /// Answers 200 while sessions can be taken.
    pub ready: Option<Probe>,
    /// Where the number of active sessions is said.
    pub sessions: Option<Sessions>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Files by absolute path.
    pub files: BTreeMap<String, String>,
    /// The secret values.
    #[serde(skip)]
    pub secrets: Secrets,
    /// The word of [`Secrets::id`], so that the open part says which secrets it goes with.
    pub secrets_id: String,
    /// Processor and memory.
    pub resources: Resources,
    /// Storage that outlives a restart.
    pub volumes: Vec<Volume>,
    /// Who may talk to it, and to whom it talks.
    pub peers: Peers,
    /// What its sessions hang on.
    pub statefulness: Statefulness,
    /// How many are wanted while it is started; 1 to the limit.
    pub replicas: u32,
    /// Whether it starts kernels as pods of their own, and so needs the rights and the label for it.
    pub manages_kernels: bool,
    /// How it is reached from outside.
    pub exposure: Exposure,
    /// Seconds from the request to end until it is killed.
    pub grace_seconds: u32,
    /// Seconds that `stop` waits for active sessions.
    pub drain_seconds: u32,
    /// Services that belong to it.
    pub companions: Vec<Companion>,
    /// What its bytes are.
    pub provenance: Provenance,
}

/// What is started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Run {
    /// The image, for back ends that run containers.
    pub image: Option<ImageReference>,
    /// The program; empty: the image's own entry point. `{port}`, `{host}` stand for what the back
    /// end chose.
    pub command: Vec<String>,
    /// Its arguments, with the same placeholders.
    pub arguments: Vec<String>,
    /// For processes: a wheel (a path, or `name==version` for the index) to install first.
    pub wheel: Option<String>,
    /// For processes: the program instead of `command`; a bare name is looked up in the environment
    /// of the wheel first.
    pub process: Vec<String>,
}

/// How clients talk to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Transport {
    /// Standard input and output; a bridge of ours offers it as streamable HTTP at `/mcp`.
    Stdio,
    /// MCP specification, "Streamable HTTP".
    StreamableHttp {
        /// The path of its endpoint.
        path: String,
    },
    /// One JSON-RPC message a text frame, subprotocol `mcp`.
    Websocket {
        /// The path of its endpoint.
        path: String,
    },
}

impl Transport {
    /// The path at which clients reach the server, whatever the server itself speaks.
    pub fn path(&self) -> &str {
        match self {
            Transport::Stdio => "/mcp",
            Transport::StreamableHttp { path } | Transport::Websocket { path } => path,
        }
    }

    /// `http` or `ws`.
    pub fn scheme(&self) -> &'static str {
        match self {
            Transport::Stdio | Transport::StreamableHttp { .. } => "http",
            Transport::Websocket { .. } => "ws",
        }
    }
}

/// A page that answers 200 when all is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    /// Its path.
    pub path: String,
    /// Seconds after the start until the first failure counts.
    pub initial_seconds: u32,
    /// Seconds between two looks.
    pub period_seconds: u32,
    /// Failures in a row that count.
    pub failures: u32,
}

/// Where the number of active sessions is said: a JSON page and a pointer (RFC 6901) into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// The page.
    pub path: String,
    /// The pointer to a number.
    pub pointer: String,
}

/// Processor in thousandths of a core, memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// Set aside, thousandths of a core.
    pub cpu_request: u32,
    /// Upper limit, thousandths of a core.
    pub cpu_limit: u32,
    /// Set aside, bytes.
    pub memory_request: u64,
    /// Upper limit, bytes.
    pub memory_limit: u64,
}

/// Storage that outlives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// A short name, unique within the server.
    pub name: String,
    /// Where it is mounted, absolute.
    pub path: String,
    /// Its size in bytes; 0: scratch space that goes with the instance.
    pub size: u64,
    /// The storage class; none: the cluster's own.
    pub storage_class: Option<String>,
    /// For processes: the variable that says where the folder is.
    pub variable: Option<String>,
}

/// Who may talk to the server, and to whom it talks; everything else is shut off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peers {
    /// Who may reach its port; empty: its own namespace.
    pub ingress: Vec<Peer>,
    /// Where it connects to, besides names (DNS) and its companions.
    pub egress: Vec<Peer>,
}

/// One peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Where it is.
    pub place: PeerPlace,
    /// At which ports; empty: all.
    #[serde(default)]
    pub ports: Vec<Port>,
}

/// Where a peer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PeerPlace {
    /// Anywhere, inside and outside of the cluster.
    Anywhere,
    /// Outside of the private networks (RFC 1918, RFC 4193, link-local).
    Internet,
    /// Every pod of a namespace, by `kubernetes.io/metadata.name`.
    Namespace(String),
    /// Pods of the server's own namespace, by labels.
    Pods(BTreeMap<String, String>),
    /// A network in CIDR notation.
    Network(String),
}

/// A port with its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// The protocol.
    pub protocol: Protocol,
    /// The number.
    pub port: u16,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What a session hangs on. It decides replicas, strategy, affinity, autoscaling, disruption
/// budget and termination, and what is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statefulness {
    /// Nothing: any replica answers any request.
    Stateless,
    /// A replica: a session stays with the one it began with.
    Sticky,
    /// The one instance, which owns a volume.
    Singleton,
}

impl Statefulness {
    /// The word in files and answers.
    pub fn word(self) -> &'static str {
        match self {
            Statefulness::Stateless => "stateless",
            Statefulness::Sticky => "sticky",
            Statefulness::Singleton => "singleton",
        }
    }
}

/// How the server is reached from outside of its namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Exposure {
    /// Only within the cluster.
    ClusterIp,
    /// At a port of every node.
    NodePort {
        /// The port; none: the cluster picks one.
        port: Option<u16>,
    },
    /// By a load balancer of the cloud.
    LoadBalancer,
    /// Through the cluster's ingress controller.
    Ingress {
        /// The host name.
        host: String,
        /// The Secret with its certificate; none: plain HTTP.
        tls_secret: Option<String>,
    },
}

/// A service that belongs to one server and is reachable only by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Companion {
    /// A short name; its host name is `<server>-<name>`.
    pub name: String,
    /// Its image.
    pub image: ImageReference,
    /// The port it listens on.
    pub port: u16,
    /// Whether it is started.
    pub enabled: bool,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Environment variable → key of a generated secret of this server, `<companion>/<key>`.
    pub generated: BTreeMap<String, String>,
    /// Its volume.
    pub volume: Option<Volume>,
    /// Processor and memory.
    pub resources: Resources,
    /// Companions it talks to, such as an admin page to its database.
    pub reaches: Vec<String>,
    /// The user it runs as, not 0.
    pub user: u32,
}

/// What the bytes are; written where a running server can be asked for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provenance {
    /// The commit, when it is known.
    pub commit: Option<String>,
    /// The sha256 of the wheel, when it is known.
    pub wheel_sha256: Option<String>,
    /// Where the image came from: `published`, `archive`, `built`, `given`.
    pub image_source: Option<String>,
}

impl Spec {
    /// A word for everything that makes an instance what it is: ten hexadecimal digits of a SHA-256
    /// over the specification without the number of replicas. Equal revision, equal instance.
    ///
    /// Secrets come in by their random word only.
    pub fn revision(&self) -> String {
        let alike = Spec {
            replicas: 0,
            secrets: Secrets::default(),
            secrets_id: self.secrets_id.clone(),
            ..self.clone()
        };
        let text = serde_json::to_vec(&alike).expect("a specification is plain JSON");
        let digest = Sha256::digest(&text);
        digest.iter().take(5).map(|b| format!("{b:02x}")).collect()
    }
}
