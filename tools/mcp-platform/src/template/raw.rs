//! `template.toml` as it is written. Unknown keys are refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Peer, Statefulness};

/// One template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Template {
    /// 1.
    pub schema: u32,
    /// A DNS-1123 label; the folder has the same name.
    pub id: String,
    /// Its version.
    pub version: String,
    /// A few words.
    pub title: String,
    /// A sentence.
    #[serde(default)]
    pub description: String,
    /// What its sessions hang on.
    pub statefulness: Statefulness,
    /// How many instances unless the caller says otherwise; 1 by default.
    #[serde(default = "one")]
    pub replicas: u32,
    /// Whether it starts kernels as pods of their own.
    #[serde(default)]
    pub manages_kernels: bool,
    /// Seconds from the request to end until it is killed.
    #[serde(default = "grace")]
    pub grace_seconds: u32,
    /// Seconds that `stop` waits for active sessions.
    #[serde(default)]
    pub drain_seconds: u32,
    /// The image.
    #[serde(default)]
    pub image: ImageTable,
    /// What is started.
    #[serde(default)]
    pub run: RunTable,
    /// What is started as a process of this machine.
    #[serde(default)]
    pub process: ProcessTable,
    /// How clients talk to it.
    pub transport: TransportTable,
    /// The page that says that it lives.
    pub health: Option<ProbeTable>,
    /// The page that says that it takes sessions.
    pub ready: Option<ProbeTable>,
    /// Where the number of active sessions is said.
    pub sessions: Option<SessionsTable>,
    /// Environment variables that are always set.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// What the caller may configure.
    #[serde(default)]
    pub configuration: ConfigurationTable,
    /// Processor and memory.
    #[serde(default)]
    pub resources: ResourcesTable,
    /// Storage.
    #[serde(default, rename = "volume")]
    pub volumes: Vec<VolumeTable>,
    /// Network peers.
    #[serde(default)]
    pub peers: PeersTable,
    /// Services that belong to it.
    #[serde(default, rename = "companion")]
    pub companions: Vec<CompanionTable>,
}

fn one() -> u32 {
    1
}

fn grace() -> u32 {
    30
}

/// The image, by name; the deployment finds the digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageTable {
    /// `registry/name:tag` or with a digest. A reference without registry is looked for in
    /// `MCP_IMAGE_REGISTRY`.
    pub reference: Option<String>,
    /// A command that builds the image's archive when it is neither published nor there.
    #[serde(default)]
    pub build: Vec<String>,
    /// Where that archive is: a path, `*` allowed in its last part.
    pub archive: Option<String>,
}

/// What is started in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunTable {
    /// The program; empty: the image's own.
    #[serde(default)]
    pub command: Vec<String>,
    /// Its arguments. `{port}` and `{host}` stand for what the back end chose.
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// What is started as a process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProcessTable {
    /// A wheel to install first: a path (`*` allowed in its last part) or `name==version`.
    pub wheel: Option<String>,
    /// The program with its first arguments; `{self}` is the platform's own program.
    #[serde(default)]
    pub command: Vec<String>,
}

/// How clients talk to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TransportTable {
    /// Which one.
    pub kind: TransportKind,
    /// The path of its endpoint; `/mcp` by default.
    pub path: Option<String>,
    /// The port inside its container; 8080 by default.
    #[serde(default = "port")]
    pub port: u16,
    /// The secret environment variable that holds the bearer token clients must send.
    pub bearer: Option<String>,
}

fn port() -> u16 {
    8080
}

/// A transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransportKind {
    /// Standard input and output, bridged.
    Stdio,
    /// Streamable HTTP.
    StreamableHttp,
    /// WebSocket.
    Websocket,
}

/// A page that answers 200 when all is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProbeTable {
    /// Its path.
    pub path: String,
    /// Seconds after the start until the first failure counts.
    #[serde(default)]
    pub initial_seconds: u32,
    /// Seconds between two looks.
    #[serde(default = "period")]
    pub period_seconds: u32,
    /// Failures in a row that count.
    #[serde(default = "failures")]
    pub failures: u32,
}

fn period() -> u32 {
    10
}

fn failures() -> u32 {
    3
}

/// Where the number of active sessions is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SessionsTable {
    /// A JSON page.
    pub path: String,
    /// A pointer (RFC 6901) to a number in it.
    pub pointer: String,
}

/// What the caller may configure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConfigurationTable {
    /// A JSON Schema (2020-12) of the configuration, an object.
    #[serde(default)]
    pub schema: serde_json::Map<String, serde_json::Value>,
    /// Where each key goes.
    #[serde(default, rename = "setting")]
    pub settings: Vec<SettingTable>,
}

/// Where one key of the configuration goes: exactly one of the three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SettingTable {
    /// The key, a property of the schema.
    pub key: String,
    /// An environment variable.
    pub environment: Option<String>,
    /// A file, by its absolute path.
    pub file: Option<String>,
    /// An argument: `--level` gives `--level VALUE`; a boolean gives `--level` or nothing.
    pub argument: Option<String>,
    /// Whether it is never shown. An argument cannot be secret: anyone on the machine reads it.
    #[serde(default)]
    pub secret: bool,
}

/// Processor and memory, in the units of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ResourcesTable {
    /// Set aside, such as `100m`.
    pub cpu_request: String,
    /// Upper limit, such as `1`.
    pub cpu_limit: String,
    /// Set aside, such as `128Mi`.
    pub memory_request: String,
    /// Upper limit, such as `512Mi`.
    pub memory_limit: String,
}

impl Default for ResourcesTable {
    fn default() -> ResourcesTable {
        ResourcesTable {
            cpu_request: "100m".to_owned(),
            cpu_limit: "500m".to_owned(),
            memory_request: "128Mi".to_owned(),
            memory_limit: "512Mi".to_owned(),
        }
    }
}

/// Storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VolumeTable {
    /// A short name.
    pub name: String,
    /// Where it is mounted.
    pub path: String,
    /// Its size, such as `2Gi`; none: scratch space that goes with the instance.
    pub size: Option<String>,
    /// The storage class; none: the cluster's own.
    pub storage_class: Option<String>,
    /// For processes: the variable that says where the folder is.
    pub variable: Option<String>,
}

/// Network peers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PeersTable {
    /// Who may reach its port; empty: its own namespace.
    #[serde(default)]
    pub ingress: Vec<Peer>,
    /// Where it connects to, besides names and its companions.
    #[serde(default)]
    pub egress: Vec<Peer>,
}

/// A service that belongs to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CompanionTable {
    /// A short name; `{companion.NAME.host}` in `environment` stands for its host name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// The port it listens on.
    pub port: u16,
    /// Whether it is started; a boolean key of the configuration can say so instead.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The boolean key of the configuration that starts it.
    pub enabled_by: Option<String>,
    /// Environment variables; `{companion.NAME.host}` in them stands for the host name of another.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Environment variable → name of a password that is generated once: `mongodb/password`.
    /// `{secret:mongodb/password}` in the server's `secret-environment` stands for it.
    #[serde(default)]
    pub generated: BTreeMap<String, String>,
    /// What the server is told, with secrets in it: variable → text with `{secret:…}` and
    /// `{companion.NAME.host}`.
    #[serde(default)]
    pub tells: BTreeMap<String, String>,
    /// Its volume.
    pub volume: Option<VolumeTable>,
    /// Processor and memory.
    #[serde(default)]
    pub resources: ResourcesTable,
    /// Companions it talks to.
    #[serde(default)]
    pub reaches: Vec<String>,
    /// The user it runs as, not 0.
    #[serde(default = "user")]
    pub user: u32,
}

fn yes() -> bool {
    true
}

fn user() -> u32 {
    999
}
