//! `deploy`: from a template to a running server.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::{Exposure, ImageReference};
use crate::service::{DeployRequest, Outcome, Planned, Waiting};
use crate::template::Request;
use crate::world::World;

use super::{General, Output};

/// Arguments of `deploy`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The template
    #[arg(value_name = "TEMPLATE")]
    template: String,
    #[command(flatten)]
    what: What,
    /// Return once the back end has taken it
    #[arg(long)]
    no_wait: bool,
    /// Only say what would be done
    #[arg(long)]
    plan: bool,
}

/// What to make of a template; `render` takes the same.
#[derive(Debug, Clone, Default, Args)]
pub struct What {
    /// The server's name; by default made from template and configuration
    #[arg(long)]
    name: Option<String>,
    /// One key of the configuration; the value is read as JSON when the key's type is not string.
    /// `key=@FILE` reads it from a file, so that a secret stays out of the command line
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// The configuration as a JSON or TOML file
    #[arg(long, value_name = "FILE")]
    configuration: Option<PathBuf>,
    /// How many instances
    #[arg(long, value_name = "N")]
    replicas: Option<u32>,
    /// Another image than the template's
    #[arg(long)]
    image: Option<String>,
    /// Another wheel than the template's, for processes: a path or `name==version`
    #[arg(long)]
    wheel: Option<String>,
    /// How it is reached: cluster-ip, node-port, load-balancer, or ingress (MCP_INGRESS_HOST or --ingress-host)
    #[arg(long, value_name = "KIND")]
    expose: Option<String>,
    /// The host name at the ingress controller
    #[arg(long, value_name = "HOST")]
    ingress_host: Option<String>,
    /// The Secret with the certificate of that host; without it, plain HTTP
    #[arg(long, value_name = "SECRET")]
    tls_secret: Option<String>,
}

impl What {
    /// The request.
    ///
    /// # Errors
    /// A value cannot be read or is not of its key's type.
    pub async fn request(
        &self,
        template: &str,
        general: &General,
        world: &World,
    ) -> Result<DeployRequest> {
        let catalogue = general.catalogue(world).await?;
        let schema = &catalogue.get(template)?.configuration.schema;
        let mut configuration = match &self.configuration {
            Some(file) => read_configuration(&world.folder.join(file))?,
            None => Map::new(),
        };
        for setting in &self.settings {
            let (key, value) = read_setting(setting, schema, world)?;
            configuration.insert(key, value);
        }
        Ok(DeployRequest {
            template: template.to_owned(),
            request: Request {
                name: self.name.clone(),
                configuration,
                replicas: self.replicas,
                image: self
                    .image
                    .as_deref()
                    .map(ImageReference::parse)
                    .transpose()?,
                wheel: self.wheel.clone(),
                exposure: self.exposure(world)?,
            },
        })
    }

    fn exposure(&self, world: &World) -> Result<Option<Exposure>> {
        let host = self
            .ingress_host
            .as_deref()
            .or(world.variable("MCP_INGRESS_HOST"));
        Ok(Some(match (self.expose.as_deref(), host) {
            (Some("cluster-ip"), _) => Exposure::ClusterIp,
            (Some("node-port"), _) => Exposure::NodePort { port: None },
            (Some("load-balancer"), _) => Exposure::LoadBalancer,
            (Some("ingress") | None, Some(host)) => Exposure::Ingress {
                host: host.to_owned(),
                tls_secret: self.tls_secret.clone(),
            },
            (Some("ingress"), None) => {
                return Err(Error::invalid("--expose ingress needs a host name")
                    .hint("add --ingress-host HOST, or set MCP_INGRESS_HOST"));
            }
            (Some(other), _) => {
                return Err(
                    Error::invalid(format!("{other:?} is no way to expose a server"))
                        .hint("choose cluster-ip, node-port, load-balancer or ingress"),
                );
            }
            (None, None) => return Ok(None),
        }))
    }
}

/// Deploys and prints.
///
/// # Errors
/// Everything that can go wrong with a deployment.
pub async fn run(
    general: &General,
    world: &World,
    output: &Output,
    arguments: Arguments,
) -> Result<()> {
    let request = arguments
        .what
        .request(&arguments.template, general, world)
        .await?;
    let service = general.service(world).await?;
    if arguments.plan {
        let namespace = general.namespace()?;
        let planned = service.plan_deploy(&namespace, &request, output).await?;
        output.result(&plan(&planned), &planned);
        return Ok(());
    }
    let waiting = Waiting::of(!arguments.no_wait);
    let outcome = service
        .deploy(&general.namespace()?, &request, waiting, output)
        .await?;
    print(output, &outcome);
    Ok(())
}

fn plan(planned: &Planned) -> String {
    if planned.actions.is_empty() {
        return format!("{}: nothing to do\n", planned.identity);
    }
    let mut text = format!("{}: would do\n", planned.identity);
    for action in &planned.actions {
        text.push_str(&format!("  {}\n", action.line()));
    }
    text
}

/// Prints what an operation did and where the server is now.
pub fn print(output: &Output, outcome: &Outcome) {
    let mut text = String::new();
    if outcome.actions.is_empty() {
        text.push_str(&format!("{}: nothing to do\n", outcome.identity));
    }
    match &outcome.server {
        None => text.push_str(&format!("{}: gone\n", outcome.identity)),
        Some(server) => {
            text.push_str(&format!(
                "{}: {}: {}\n",
                outcome.identity,
                server.status.state.word(),
                server.status.message
            ));
            for endpoint in &server.observed.endpoints {
                text.push_str(&format!("  {}\n", endpoint.url));
            }
        }
    }
    output.result(&text, outcome);
}

/// The configuration in a file.
///
/// # Errors
/// It cannot be read, or is neither JSON nor TOML with a table at its top.
fn read_configuration(file: &std::path::Path) -> Result<Map<String, Value>> {
    let wrong = |why: String| Error::invalid(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let toml = file
        .extension()
        .is_some_and(|extension| extension == "toml");
    if toml {
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))
    } else {
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
    }
}

/// `key=value` or `key=@file`.
///
/// # Errors
/// There is no `=`, or the file cannot be read, or the value is not of the key's type.
pub fn read_setting(
    setting: &str,
    schema: &Map<String, Value>,
    world: &World,
) -> Result<(String, Value)> {
    let Some((key, value)) = setting.split_once('=') else {
        return Err(Error::invalid("--set needs KEY=VALUE".to_owned()));
    };
    let text = match value.strip_prefix('@') {
        Some(file) => {
            let path = world.folder.join(file);
            std::fs::read_to_string(&path)
                .map_err(|error| Error::invalid(format!("{}: {error}", path.display())))?
                .trim_end_matches(['\r', '\n'])
                .to_owned()
        }
        None => value.to_owned(),
    };
    let kind = schema
        .get("properties")
        .and_then(|all| all.get(key))
        .and_then(|property| property.get("type"))
        .and_then(Value::as_str);
    let value = match kind {
        None | Some("string") => Value::String(text),
        Some(kind) => serde_json::from_str(&text)
            .map_err(|_| Error::invalid(format!("--set {key}: the value is not of type {kind}")))?,
    };
    Ok((key.to_owned(), value))
}
