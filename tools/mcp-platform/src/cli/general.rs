//! Options of every verb, and what is made of them: the service on the chosen back end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::backend::{self, Kind, Shared};
use crate::error::{Error, Result};
use crate::lifecycle::{Limits, Patience};
use crate::model::{Identity, Name};
use crate::service::Service;
use crate::template::{Catalogue, Repository, builtin, fetch};
use crate::world::{self, World};

use super::Format;

/// Options of every verb.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every verb")]
pub struct General {
    /// Where servers run
    #[arg(
        long,
        global = true,
        value_enum,
        env = "MCP_DEPLOYMENT_BACKEND",
        default_value = "process",
        hide_env_values = true
    )]
    pub backend: Kind,
    /// The namespace
    #[arg(
        long,
        short,
        global = true,
        env = "MCP_NAMESPACE",
        default_value = "mcp-servers",
        hide_env_values = true
    )]
    pub namespace: String,
    /// Whether the command line names the namespace, and not only the environment.
    #[arg(skip)]
    pub namespace_named: bool,
    /// A folder with templates, each a folder with template.toml; or a git repository: URL, URL#revision or URL#revision:folder
    #[arg(
        long,
        global = true,
        value_name = "DIR|URL",
        env = "MCP_TEMPLATES",
        hide_env_values = true
    )]
    pub templates: Vec<String>,
    /// The cluster, by the name of its context or of its file in KUBECONFIG_DIR; without NAME the
    /// current one. `serve` and `mcp` take several; the first is meant when a request names none
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        num_args = 0..=1,
        default_missing_value = ""
    )]
    pub cluster: Vec<String>,
    /// The most instances of one server
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "MCP_MAX_REPLICAS",
        default_value_t = 10,
        hide_env_values = true
    )]
    pub max_replicas: u32,
    /// Seconds to wait until a server is as wanted
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 300)]
    pub timeout: u64,
    /// Seconds that a fault may last before a deployment counts as failed
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 20)]
    pub fault_timeout: u64,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

impl General {
    /// The namespace.
    ///
    /// # Errors
    /// It is no DNS-1123 label.
    pub fn namespace(&self) -> Result<Name> {
        Name::label(&self.namespace)
    }

    /// The server of that name in the namespace.
    ///
    /// # Errors
    /// One of the two is no DNS-1123 label.
    pub fn identity(&self, name: &str) -> Result<Identity> {
        Ok(Identity {
            namespace: self.namespace()?,
            // A foreign server may have a longer name than ours may.
            name: Name::label(name)?,
        })
    }

    /// The clusters that were named.
    pub fn cluster_names(&self) -> Vec<&str> {
        let names = self.cluster.iter().map(String::as_str);
        names.filter(|name| !name.is_empty()).collect()
    }

    /// The cluster that was named.
    ///
    /// # Errors
    /// There are several.
    pub fn cluster_name(&self) -> Result<Option<&str>> {
        match self.cluster_names().as_slice() {
            [] => Ok(None),
            [name] => Ok(Some(name)),
            several => Err(Error::invalid(format!(
                "{} clusters are named, and this works on one",
                several.len()
            ))
            .hint("name one; `mcp-platform serve` and `mcp-platform mcp` take several")),
        }
    }

    /// All templates: those in the binary, then those of the folders.
    ///
    /// # Errors
    /// A folder cannot be read or a template is wrong.
    pub async fn catalogue(&self, world: &World) -> Result<Catalogue> {
        let mut catalogue = builtin()?;
        for text in &self.templates {
            let folder = match Repository::parse(text)? {
                Some(repository) => fetch(&repository, &world.state_folder()).await?,
                None => world.folder.join(Path::new(text)),
            };
            catalogue.add_folder(&folder)?;
        }
        Ok(catalogue)
    }

    /// The service on the chosen back end.
    ///
    /// # Errors
    /// A template is wrong, or the back end cannot be set up.
    pub async fn service(&self, world: &World) -> Result<Service> {
        let backend = self.backend(world).await?;
        self.service_on(backend, world).await
    }

    /// The service on a back end.
    ///
    /// # Errors
    /// A template is wrong.
    pub(super) async fn service_on(&self, backend: Shared, world: &World) -> Result<Service> {
        Ok(Service {
            backend,
            catalogue: Arc::new(self.catalogue(world).await?),
            limits: Limits {
                replicas: self.max_replicas,
            },
            patience: Patience {
                total: Duration::from_secs(self.timeout),
                fault: Duration::from_secs(self.fault_timeout),
            },
            clock: Arc::new(world::now),
            random: Arc::new(world::random),
        })
    }

    pub(super) async fn backend(&self, world: &World) -> Result<Shared> {
        backend::open(self.backend, world, self.cluster_name()?).await
    }
}
