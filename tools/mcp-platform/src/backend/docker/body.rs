//! The containers of a specification: instances and companions. Pure.
//!
//! Every container gives up all capabilities, may not gain privileges, and runs as a user that is
//! not root. Its root is read-only when the template says where it writes: when it declares scratch
//! space and no files (the engine puts files into a container through its root).

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig,
    ImageConfig, Mount, MountType, NetworkingConfig, PortBinding, RestartPolicy,
    RestartPolicyNameEnum,
};

use crate::model::{Companion, Resources, Spec, Transport, Volume, label};

use super::names;
use super::record::{self, Record};

/// Who runs what an image leaves to root: the user that distributions call `nobody`.
pub const NOBODY: &str = "65532:65532";

/// Where our own program is put for a server that speaks over standard input and output.
pub const BRIDGE: &str = "/mcp-platform-bridge";

/// The most processes and threads of one container.
const PIDS: i64 = 1024;

const SECOND: i64 = 1_000_000_000;

/// One instance at a slot, published at a port of this machine.
pub fn replica(record: &Record, slot: u32, port: u16, image: &ImageConfig) -> ContainerCreateBody {
    let spec = &record.spec;
    let name = names::replica(&spec.identity, &spec.revision(), slot);
    let mut labels = names::labels(spec, label::COMPONENT_VALUE);
    let mut put = |key: &str, value: String| labels.insert(key.to_owned(), value);
    put(names::ROLE, names::REPLICA.to_owned());
    put(label::REVISION, spec.revision());
    put(names::EPOCH, record.epoch.to_string());
    put(names::SLOT, slot.to_string());
    put(names::PORT, port.to_string());
    if let Some(commit) = &spec.provenance.commit {
        put(label::COMMIT, commit.clone());
    }
    if let Some(sha256) = &spec.provenance.wheel_sha256 {
        put(label::WHEEL, sha256.clone());
    }
    let (entrypoint, cmd) = program(spec, image);
    let exposed = format!("{}/tcp", spec.port);
    let published = vec![PortBinding {
        host_ip: Some("127.0.0.1".to_owned()),
        host_port: Some(port.to_string()),
    }];
    let mounts = spec
        .volumes
        .iter()
        .filter(|volume| volume.size > 0)
        .map(|volume| mount(names::volume(&spec.identity, &volume.name, slot), volume))
        .collect();
    let mut host = host(&spec.resources, mounts, scratch(spec));
    host.readonly_rootfs = Some(read_only(spec));
    host.port_bindings = Some(HashMap::from([(exposed.clone(), Some(published))]));
    ContainerCreateBody {
        hostname: Some(format!("{}-{slot}", spec.identity.name)),
        image: spec.run.image.as_ref().map(ToString::to_string),
        user: Some(user(image)),
        env: Some(environment(spec, &name)),
        entrypoint,
        cmd,
        exposed_ports: Some(vec![exposed]),
        labels: Some(labels),
        stop_timeout: Some(i64::from(spec.grace_seconds)),
        healthcheck: healthcheck(spec, image),
        networking_config: Some(networking(
            &names::network(&spec.identity),
            spec.identity.name.as_str(),
        )),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    }
}

/// A companion. It is on the inner network only, and published nowhere.
pub fn companion(record: &Record, companion: &Companion, revision: &str) -> ContainerCreateBody {
    let spec = &record.spec;
    let mut labels = names::labels(spec, names::PART);
    labels.insert(names::ROLE.to_owned(), names::COMPANION.to_owned());
    labels.insert(label::REVISION.to_owned(), revision.to_owned());
    let mut environment: Vec<String> = companion
        .environment
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    for (variable, key) in &companion.generated {
        if let Some(secret) = spec.secrets.generated.get(key) {
            environment.push(format!("{variable}={}", secret.expose()));
        }
    }
    let mounts = companion
        .volume
        .iter()
        .map(|volume| {
            let name = names::companion_volume(&spec.identity, &companion.name, &volume.name);
            mount(name, volume)
        })
        .collect();
    ContainerCreateBody {
        image: Some(companion.image.to_string()),
        user: Some(format!("{0}:{0}", companion.user)),
        env: Some(environment),
        labels: Some(labels),
        networking_config: Some(networking(
            &names::inner_network(&spec.identity),
            &format!("{}-{}", spec.identity.name.service(), companion.name),
        )),
        host_config: Some(host(&companion.resources, mounts, HashMap::new())),
        ..ContainerCreateBody::default()
    }
}

/// A container that never runs and has one volume, at `/volume`.
pub fn lender(spec: &Spec, volume: &str) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(record::IMAGE.to_owned()),
        cmd: Some(vec!["never-runs".to_owned()]),
        labels: Some(names::labels(spec, names::PART)),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            mounts: Some(vec![Mount {
                target: Some("/volume".to_owned()),
                source: Some(volume.to_owned()),
                typ: Some(MountType::VOLUME),
                ..Mount::default()
            }]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

fn host(resources: &Resources, mounts: Vec<Mount>, scratch: HashMap<String, String>) -> HostConfig {
    let memory = i64::try_from(resources.memory_limit).unwrap_or(i64::MAX);
    HostConfig {
        memory: Some(memory),
        // As much as the memory: no swap.
        memory_swap: Some(memory),
        memory_reservation: Some(i64::try_from(resources.memory_request).unwrap_or(memory)),
        nano_cpus: Some(i64::from(resources.cpu_limit) * 1_000_000),
        pids_limit: Some(PIDS),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        }),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(HashMap::from([
                ("max-size".to_owned(), "10m".to_owned()),
                ("max-file".to_owned(), "3".to_owned()),
            ])),
        }),
        mounts: Some(mounts),
        tmpfs: Some(scratch),
        ..HostConfig::default()
    }
}

/// The program and its arguments; none of both: the image's own.
fn program(spec: &Spec, image: &ImageConfig) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let fill = |text: &String| {
        text.replace("{host}", "0.0.0.0")
            .replace("{port}", &spec.port.to_string())
    };
    let command: Vec<String> = spec.run.command.iter().map(fill).collect();
    let arguments: Vec<String> = spec.run.arguments.iter().map(fill).collect();
    if spec.transport == Transport::Stdio {
        return (
            Some(vec![BRIDGE.to_owned()]),
            Some(bridged(spec, image, command, arguments)),
        );
    }
    let some = |words: Vec<String>| (!words.is_empty()).then_some(words);
    match some(command) {
        Some(command) => (Some(command), Some(arguments)),
        None => (None, some(arguments)),
    }
}

/// The arguments of the bridge: where it listens, then the server's own program.
fn bridged(
    spec: &Spec,
    image: &ImageConfig,
    command: Vec<String>,
    arguments: Vec<String>,
) -> Vec<String> {
    let mut words: Vec<String> = ["bridge", "--host", "0.0.0.0", "--port"]
        .map(str::to_owned)
        .to_vec();
    words.push(spec.port.to_string());
    if let Some(variable) = &spec.bearer {
        words.extend(["--bearer-variable".to_owned(), variable.clone()]);
    }
    words.extend(["--drain".to_owned(), spec.drain_seconds.to_string()]);
    words.push("--".to_owned());
    if command.is_empty() {
        words.extend(image.entrypoint.clone().unwrap_or_default());
        if arguments.is_empty() {
            words.extend(image.cmd.clone().unwrap_or_default());
        }
    }
    words.extend(command);
    words.extend(arguments);
    words
}

fn environment(spec: &Spec, instance: &str) -> Vec<String> {
    let mut all: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, value) in &spec.environment {
        all.insert(key, value);
    }
    for (key, secret) in &spec.secrets.environment {
        all.insert(key, secret.expose());
    }
    all.entry("MCP_INSTANCE").or_insert(instance);
    // What an image's own health check asks, and what servers read that take no arguments.
    let port = spec.port.to_string();
    all.entry("HOST").or_insert("0.0.0.0");
    all.entry("PORT").or_insert(&port);
    for volume in &spec.volumes {
        if let Some(variable) = &volume.variable {
            all.insert(variable, &volume.path);
        }
    }
    all.into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

/// The image's own user, unless that is root.
pub fn user(image: &ImageConfig) -> String {
    let user = image.user.clone().unwrap_or_default();
    let name = user.split(':').next().unwrap_or_default();
    if matches!(name, "" | "root") || name.parse() == Ok(0_u32) {
        NOBODY.to_owned()
    } else {
        user
    }
}

/// Whether the root of an instance is read-only.
pub fn read_only(spec: &Spec) -> bool {
    let files = !spec.files.is_empty() || !spec.secrets.files.is_empty();
    let scratch = spec.volumes.iter().any(|volume| volume.size == 0);
    scratch && !files && spec.transport != Transport::Stdio
}

fn scratch(spec: &Spec) -> HashMap<String, String> {
    spec.volumes
        .iter()
        .filter(|volume| volume.size == 0)
        .map(|volume| (volume.path.clone(), "rw,nosuid,nodev,mode=1777".to_owned()))
        .collect()
}

fn mount(source: String, volume: &Volume) -> Mount {
    Mount {
        target: Some(volume.path.clone()),
        source: Some(source),
        typ: Some(MountType::VOLUME),
        ..Mount::default()
    }
}

fn networking(network: &str, alias: &str) -> NetworkingConfig {
    let settings = EndpointSettings {
        aliases: Some(vec![alias.to_owned()]),
        ..EndpointSettings::default()
    };
    NetworkingConfig {
        endpoints_config: Some(HashMap::from([(network.to_owned(), settings)])),
    }
}

/// The image's own check with the times of the template. An image without one gets none: the engine
/// runs checks inside of the container, and what an image has to run there is not known. Whether an
/// instance is ready is looked at from outside in any case.
fn healthcheck(spec: &Spec, image: &ImageConfig) -> Option<HealthConfig> {
    let own = image.healthcheck.clone()?;
    let probe = spec.health.as_ref()?;
    Some(HealthConfig {
        interval: Some(i64::from(probe.period_seconds) * SECOND),
        retries: Some(i64::from(probe.failures)),
        start_period: Some(i64::from(probe.initial_seconds) * SECOND),
        ..own
    })
}
