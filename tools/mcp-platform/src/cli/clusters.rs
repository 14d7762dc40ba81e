//! `clusters`: the clusters that `--cluster` can name; and how `serve` and `mcp` open several.

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::api::OtherCluster;
use crate::backend::kubernetes::clusters::{Cluster, list};
use crate::backend::{self, Kind};
use crate::error::{Error, Result};
use crate::service::{self, Clusters};
use crate::world::World;

use super::output::table;
use super::{General, Output};

/// Arguments of what serves several clusters.
#[derive(Debug, Args)]
pub struct Several {
    /// Serve the clusters that --cluster names, or all that `mcp-platform clusters` shows
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = Which::Named)]
    clusters: Which,
}

/// Which clusters are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Those that --cluster names, else the current one
    Named,
    /// All that can be used, those that --cluster names first
    All,
}

/// Clusters that are served, and those that are not.
pub struct Opened {
    /// Those that are served.
    pub clusters: Clusters,
    /// Those that are not, and why where there is a reason.
    pub others: Vec<OtherCluster>,
}

impl Several {
    /// Opens them; none is asked anything yet, so that one that is down keeps nobody waiting.
    ///
    /// # Errors
    /// One that was named cannot be set up, or there is none, or a template is wrong.
    pub async fn open(&self, general: &General, world: &World) -> Result<Opened> {
        let named = general.cluster_names();
        let known = match general.backend {
            Kind::Kubernetes => list(world),
            Kind::Process | Kind::Docker | Kind::Mock => Vec::new(),
        };
        let mut wanted: Vec<Wanted> = Vec::new();
        for name in named {
            add(&mut wanted, name, Need::Must);
        }
        if wanted.is_empty() {
            match known.iter().find(|cluster| cluster.current) {
                Some(current) => add(&mut wanted, &current.name, Need::Must),
                None if self.clusters == Which::Named || known.is_empty() => {
                    add(&mut wanted, "", Need::Must);
                }
                None => {}
            }
        }
        if self.clusters == Which::All {
            for cluster in known.iter().filter(|cluster| cluster.problem.is_none()) {
                add(&mut wanted, &cluster.name, Need::May);
            }
        }
        self.open_all(general, world, &wanted, &known).await
    }

    async fn open_all(
        &self,
        general: &General,
        world: &World,
        wanted: &[Wanted],
        known: &[Cluster],
    ) -> Result<Opened> {
        let mut opened: Vec<service::Cluster> = Vec::new();
        let mut problems: Vec<(&str, String)> = Vec::new();
        for Wanted { name, need } in wanted {
            let given = (!name.is_empty()).then_some(name.as_str());
            let backend = match (backend::open(general.backend, world, given).await, need) {
                (Ok(backend), _) => backend,
                (Err(error), Need::Must) => return Err(error),
                (Err(error), Need::May) => {
                    // Shown by `GET /api/clusters/` as what it is.
                    problems.push((name, error.message));
                    continue;
                }
            };
            backend.keep_watching();
            let service = match opened.first() {
                Some(first) => service::Service {
                    backend,
                    ..first.service.clone()
                },
                None => general.service_on(backend, world).await?,
            };
            opened.push(service::Cluster {
                name: given.unwrap_or(general.backend.word()).to_owned(),
                service,
            });
        }
        let others = known
            .iter()
            .filter(|cluster| opened.iter().all(|one| one.name != cluster.name))
            .map(|cluster| OtherCluster {
                name: cluster.name.clone(),
                place: cluster.server.clone().unwrap_or_default(),
                problem: problems
                    .iter()
                    .find(|(name, _)| *name == cluster.name)
                    .map(|(_, problem)| problem.clone())
                    .or_else(|| cluster.problem.clone()),
            })
            .collect();
        let mut opened = opened.into_iter();
        let first = opened.next().ok_or_else(|| {
            Error::precondition("no cluster can be used").hint("mcp-platform clusters")
        })?;
        Ok(Opened {
            clusters: Clusters::new(first, opened.collect()),
            others,
        })
    }
}

/// A cluster to open; without a name, the one that is taken when none is named.
struct Wanted {
    name: String,
    need: Need,
}

/// What it means when it cannot be set up.
#[derive(Clone, Copy)]
enum Need {
    /// The program does not start.
    Must,
    /// It is left out, and shown as what it is.
    May,
}

fn add(wanted: &mut Vec<Wanted>, name: &str, need: Need) {
    if wanted.iter().all(|one| one.name != name) {
        wanted.push(Wanted {
            name: name.to_owned(),
            need,
        });
    }
}

#[derive(Serialize)]
struct All {
    clusters: Vec<Cluster>,
}

/// Prints them; a broken one with what is wrong.
pub fn run(world: &World, output: &Output) {
    let clusters = list(world);
    let mut rows = vec![["", "NAME", "SERVER", "FILE"].map(str::to_owned).to_vec()];
    for cluster in &clusters {
        let file = cluster.file.as_ref().map(|file| file.display().to_string());
        rows.push(vec![
            if cluster.current { "*" } else { "" }.to_owned(),
            cluster.name.clone(),
            cluster.server.clone().unwrap_or_else(|| "-".to_owned()),
            match &cluster.problem {
                Some(problem) => format!("unusable: {problem}"),
                None => file.unwrap_or_else(|| "the pod's service account".to_owned()),
            },
        ]);
    }
    let text = if clusters.is_empty() {
        "no clusters: no kubeconfig was found, and this is no pod\n\
         name one with KUBECONFIG, or a folder of them with KUBECONFIG_DIR\n"
            .to_owned()
    } else {
        table(&rows)
    };
    output.result(&text, &All { clusters });
}
