//! `render`: the Kubernetes objects of a server as YAML, for GitOps. Asks no cluster.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::manifest::{
    Autoscaling, OutsideSecret, Pause, Profile, Protection, RenderOptions, SecretValues, divide,
    objects, write,
};
use crate::model::{ImageReference, Name, Provenance, Spec, Transport};
use crate::service::DeployRequest;
use crate::template::{Template, instantiate};
use crate::world::{self, World};

use super::deploy::What;
use super::{General, Output};

/// The value that stands for a secret that is not given, and is written nowhere.
const NOT_GIVEN: &str = "given elsewhere";

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The template
    #[arg(value_name = "TEMPLATE")]
    template: String,
    #[command(flatten)]
    what: What,
    /// The kind of cluster, for Ingress and load balancer
    #[arg(long, value_enum, default_value_t = Profile::Plain)]
    profile: Profile,
    /// Let an autoscaler set the number of instances, 2 to 10; never of a singleton
    #[arg(long)]
    autoscaling: bool,
    /// Leave out network policies and disruption budget
    #[arg(long)]
    no_protection: bool,
    /// The namespace of the monitoring, which then may read the metrics
    #[arg(long, value_name = "NAMESPACE")]
    monitoring_namespace: Option<String>,
    /// The platform's own image, where the bridge for servers on standard input and output is
    #[arg(long, value_name = "IMAGE")]
    bridge_image: Option<String>,
    /// How containers wait before they are asked to end
    #[arg(long, value_enum, default_value_t = Pause::Command)]
    pause: Pause,
    /// Write the values of secrets too; without it they need not be given
    #[arg(long)]
    with_secrets: bool,
    /// The word in the names of Secrets; change it when secrets change, and a new one rolls out
    #[arg(long, value_name = "WORD", default_value = "rendered")]
    secrets_id: String,
    /// The commit of what runs, for `cargo xtask trace`
    #[arg(long)]
    commit: Option<String>,
    /// The sha256 of the wheel that runs, for `cargo xtask trace`
    #[arg(long, value_name = "DIGEST")]
    wheel_sha256: Option<String>,
}

#[derive(Serialize)]
struct Rendered {
    objects: Vec<Value>,
    /// What has to be created by other means.
    secrets: Vec<OutsideSecret>,
}

/// Renders.
///
/// # Errors
/// There is no such template, its configuration or a name is wrong, or it has no image.
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
    let catalogue = general.catalogue(world).await?;
    let template = catalogue.get(&arguments.template)?;
    let spec = specify(template, &general.namespace()?, request, &arguments)?;
    if spec.run.image.as_ref().is_some_and(moving) {
        output.progress(&format!(
            "note: {} can become another image at any time; --image NAME@sha256:… cannot",
            spec.run
                .image
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default()
        ));
    }
    let values = if arguments.with_secrets {
        SecretValues::Written
    } else {
        SecretValues::LeftOut
    };
    let (objects, secrets) = divide(objects(&spec, &options(&arguments)?), values);
    let heading = format!(
        "{} from the template {} {}, revision {}, for profile {}. Rendered by mcp-platform {}.",
        spec.identity,
        spec.template,
        spec.version,
        spec.revision(),
        profile_word(arguments.profile),
        env!("CARGO_PKG_VERSION"),
    );
    let text = write(&heading, &objects, &secrets)?;
    output.result(&text, &Rendered { objects, secrets });
    Ok(())
}

fn options(arguments: &Arguments) -> Result<RenderOptions> {
    let default = RenderOptions::default();
    Ok(RenderOptions {
        profile: arguments.profile,
        autoscaling: if arguments.autoscaling {
            Autoscaling::On
        } else {
            Autoscaling::Off
        },
        protection: if arguments.no_protection {
            Protection::Off
        } else {
            Protection::On
        },
        monitoring: match &arguments.monitoring_namespace {
            Some(name) => Some(Name::label(name)?.to_string()),
            None => None,
        },
        bridge_image: match &arguments.bridge_image {
            Some(image) => ImageReference::parse(image)?,
            None => default.bridge_image,
        },
        pause: arguments.pause,
    })
}

/// The specification. The same request gives the same one, so that a repository changes only when
/// something did: the word of the secrets is the caller's, not a random one.
fn specify(
    template: &Template,
    namespace: &Name,
    request: DeployRequest,
    arguments: &Arguments,
) -> Result<Spec> {
    let mut template = template.clone();
    let mut request = request.request;
    if !arguments.with_secrets {
        let (schema, settings) = (
            &mut template.configuration.schema,
            &template.configuration.settings,
        );
        for setting in settings.iter().filter(|setting| setting.secret) {
            let required = schema
                .get("required")
                .and_then(Value::as_array)
                .is_some_and(|all| all.iter().any(|key| key == &setting.key));
            if required && !request.configuration.contains_key(&setting.key) {
                if let Some(Value::Object(properties)) = schema.get_mut("properties") {
                    properties.insert(setting.key.clone(), Value::Bool(true));
                }
                request
                    .configuration
                    .insert(setting.key.clone(), NOT_GIVEN.into());
            }
        }
    }
    let mut spec = instantiate(&template, namespace, &request, None, &mut world::random)?;
    if !spec.secrets.is_empty() {
        spec.secrets.id.clone_from(&arguments.secrets_id);
        spec.secrets_id.clone_from(&arguments.secrets_id);
    }
    spec.provenance = Provenance {
        commit: arguments.commit.clone(),
        wheel_sha256: arguments.wheel_sha256.clone(),
        image_source: None,
    };
    if spec.run.image.is_none() {
        return Err(
            Error::invalid(format!("the template {} has no image", spec.template))
                .hint("name one with --image"),
        );
    }
    if spec.transport == Transport::Stdio && spec.run.command.is_empty() {
        return Err(Error::invalid(format!(
            "the template {} speaks over standard input and output and says no command, so the bridge has nothing to start",
            spec.template
        ))
        .hint("add `command = [\"…\"]` to [run] in its template.toml"));
    }
    Ok(spec)
}

fn moving(image: &ImageReference) -> bool {
    image.digest.is_none() && image.tag.as_deref().is_none_or(|tag| tag == "latest")
}

fn profile_word(profile: Profile) -> String {
    use clap::ValueEnum as _;
    profile
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
