//! The clusters that can be chosen: the one we run in, the contexts of the kubeconfig, and a folder
//! of kubeconfigs (`KUBECONFIG_DIR`). A broken one is listed with what is wrong, beside the others.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::world::World;

use super::Side;

/// The name of the cluster that we run in.
pub const IN_CLUSTER: &str = "in-cluster";

/// A cluster that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// Its name, for `--cluster`.
    pub name: String,
    /// The file that it is read from; none for the cluster that we run in.
    pub file: Option<PathBuf>,
    /// The context within the file.
    pub context: Option<String>,
    /// The address of its API.
    pub server: Option<String>,
    /// Whether it is the one that is taken when none is named.
    pub current: bool,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// A connection to a cluster.
pub struct Connection {
    /// The client.
    pub client: Client,
    /// The cluster's name.
    pub name: String,
    /// The address of its API.
    pub server: String,
    /// Whether we run in it.
    pub side: Side,
}

/// All clusters, in the order in which they are looked for.
pub fn list(world: &World) -> Vec<Cluster> {
    let mut all = Vec::new();
    if inside(world) {
        all.push(Cluster {
            name: IN_CLUSTER.to_owned(),
            file: None,
            context: None,
            server: None,
            current: false,
            problem: None,
        });
    }
    for file in kubeconfigs(world) {
        read(&file, None, &mut all);
    }
    if let Some(folder) = world.variable("KUBECONFIG_DIR") {
        read_folder(&world.folder.join(folder), &mut all);
    }
    let chosen = all
        .iter()
        .position(|cluster| cluster.current && cluster.problem.is_none())
        .or_else(|| all.iter().position(|cluster| cluster.name == IN_CLUSTER))
        .or((all.len() == 1).then_some(0));
    for (index, cluster) in all.iter_mut().enumerate() {
        cluster.current = Some(index) == chosen;
    }
    all
}

fn inside(world: &World) -> bool {
    world.variable("KUBERNETES_SERVICE_HOST").is_some()
}

/// The files of `KUBECONFIG`, else `~/.kube/config`, that there are.
fn kubeconfigs(world: &World) -> Vec<PathBuf> {
    match (world.variable("KUBECONFIG"), world.variable("HOME")) {
        (Some(files), _) => files
            .split(':')
            .filter(|file| !file.is_empty())
            .map(|file| world.folder.join(file))
            .collect(),
        (None, Some(home)) => {
            let file = Path::new(home).join(".kube/config");
            file.exists().then_some(file).into_iter().collect()
        }
        (None, None) => Vec::new(),
    }
}

fn read_folder(folder: &Path, all: &mut Vec<Cluster>) {
    let broken = |problem: String| Cluster {
        name: folder.display().to_string(),
        file: Some(folder.to_owned()),
        context: None,
        server: None,
        current: false,
        problem: Some(problem),
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            all.push(broken(format!("KUBECONFIG_DIR cannot be read: {error}")));
            return;
        }
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .filter(|path| {
            !path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'))
        })
        .filter(|path| {
            let extension = path
                .extension()
                .map(|extension| extension.to_string_lossy().into_owned());
            matches!(
                extension.as_deref(),
                None | Some("yaml" | "yml" | "kubeconfig" | "conf" | "config" | "json")
            )
        })
        .collect();
    files.sort();
    for file in files {
        let stem = file
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        read(&file, Some(&stem), all);
    }
}

/// Adds the contexts of a file. In a folder the file's name is that of its current context, and the
/// others are `file/context`.
fn read(file: &Path, stem: Option<&str>, all: &mut Vec<Cluster>) {
    let broken = |name: &str, problem: String| Cluster {
        name: name.to_owned(),
        file: Some(file.to_owned()),
        context: None,
        server: None,
        current: false,
        problem: Some(problem),
    };
    let shown = file.display().to_string();
    let config = match Kubeconfig::read_from(file) {
        Ok(config) => config,
        Err(error) => {
            all.push(broken(stem.unwrap_or(&shown), format!("{shown}: {error}")));
            return;
        }
    };
    if config.contexts.is_empty() {
        all.push(broken(
            stem.unwrap_or(&shown),
            format!("{shown}: it has no context"),
        ));
    }
    let first = config.contexts.first().map(|context| context.name.clone());
    let current = config
        .current_context
        .clone()
        .filter(|name| !name.is_empty());
    for named in &config.contexts {
        let is_current = current.as_ref() == Some(&named.name);
        let main = is_current || (current.is_none() && first.as_ref() == Some(&named.name));
        let name = match stem {
            None => named.name.clone(),
            Some(stem) if main => stem.to_owned(),
            Some(stem) => format!("{stem}/{}", named.name),
        };
        // The first of a name wins, as it does for kubectl.
        if all.iter().any(|known| known.name == name) {
            continue;
        }
        let server = named
            .context
            .as_ref()
            .and_then(|context| {
                config
                    .clusters
                    .iter()
                    .find(|cluster| cluster.name == context.cluster)
            })
            .and_then(|cluster| cluster.cluster.as_ref()?.server.clone());
        let problem = match server {
            Some(_) => None,
            None => Some(format!(
                "{shown}: context {} names no cluster with a server",
                named.name
            )),
        };
        let chosen = stem.is_none() && is_current && !all.iter().any(|known| known.current);
        all.push(Cluster {
            name,
            file: Some(file.to_owned()),
            context: Some(named.name.clone()),
            server,
            current: chosen,
            problem,
        });
    }
}

/// Connects to a cluster by name; by none, to the current context, else to the one we run in. This
/// asks the cluster nothing yet.
///
/// # Errors
/// `NotFound` for the name, `Precondition` when it cannot be used.
pub async fn connect(world: &World, name: Option<&str>) -> Result<Connection> {
    let all = list(world);
    let found = match name {
        Some(name) => all.iter().find(|cluster| cluster.name == name),
        None => all.iter().find(|cluster| cluster.current),
    };
    let Some(cluster) = found else {
        let names: Vec<&str> = all.iter().map(|cluster| cluster.name.as_str()).collect();
        let known = if names.is_empty() {
            "none is known".to_owned()
        } else {
            format!("known: {}", names.join(", "))
        };
        let hint = "set KUBECONFIG or KUBECONFIG_DIR, or name one with --cluster";
        return Err(match name {
            Some(name) => {
                Error::not_found(format!("there is no cluster {name:?}; {known}")).hint(hint)
            }
            None => Error::precondition(format!("no cluster is chosen; {known}")).hint(hint),
        });
    };
    if let Some(problem) = &cluster.problem {
        return Err(Error::precondition(format!(
            "cluster {}: {problem}",
            cluster.name
        )));
    }
    let unusable = |problem: String| {
        Error::precondition(format!(
            "cluster {} cannot be used: {problem}",
            cluster.name
        ))
        .hint("check its kubeconfig with `kubectl config view --minify`")
    };
    let (mut config, side) = match &cluster.file {
        None => (
            Config::incluster().map_err(|error| unusable(error.to_string()))?,
            Side::Inside,
        ),
        Some(file) => {
            let kubeconfig =
                Kubeconfig::read_from(file).map_err(|error| unusable(error.to_string()))?;
            let options = KubeConfigOptions {
                context: cluster.context.clone(),
                ..KubeConfigOptions::default()
            };
            let config = Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(|error| unusable(error.to_string()))?;
            (config, Side::Outside)
        }
    };
    config.connect_timeout = Some(Duration::from_secs(5));
    let server = config
        .cluster_url
        .to_string()
        .trim_end_matches('/')
        .to_owned();
    let client = Client::try_from(config).map_err(|error| unusable(error.to_string()))?;
    Ok(Connection {
        client,
        name: cluster.name.clone(),
        server,
        side,
    })
}
