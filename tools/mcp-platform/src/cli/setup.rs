//! `setup`: the namespace and the rights that servers on a cluster need, printed or applied.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::backend::kubernetes::clusters;
use crate::cluster::{Subject, apply, objects};
use crate::error::{Error, Result};
use crate::world::World;

use super::{General, Output};

/// Arguments of `setup`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Apply it to the cluster instead of printing it
    #[arg(long)]
    apply: bool,
    /// Give the rights to this user instead of a service account
    #[arg(long, value_name = "NAME", conflicts_with = "group")]
    user: Option<String>,
    /// Give the rights to this group instead of a service account
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
}

#[derive(Serialize)]
struct Printed {
    objects: Vec<Value>,
}

#[derive(Serialize)]
struct Applied {
    cluster: String,
    applied: Vec<String>,
}

/// Prints, or applies and says what.
///
/// # Errors
/// There is no such cluster, or we may not.
pub async fn run(
    general: &General,
    world: &World,
    output: &Output,
    arguments: Arguments,
) -> Result<()> {
    let namespace = general.namespace()?;
    let subject = match (arguments.user, arguments.group) {
        (Some(user), _) => Subject::User(user),
        (None, Some(group)) => Subject::Group(group),
        (None, None) => Subject::Account,
    };
    let objects = objects(namespace.as_str(), &subject);
    if !arguments.apply {
        let mut text =
            String::from("# apply it with --apply, or: mcp-platform setup | kubectl apply -f -\n");
        for object in &objects {
            let yaml = serde_saphyr::to_string(object).map_err(|error| {
                Error::internal(format!("an object cannot be written as YAML: {error}"))
            })?;
            text.push_str(&format!("---\n{yaml}"));
        }
        output.result(&text, &Printed { objects });
        return Ok(());
    }
    let connection = clusters::connect(world, general.cluster_name()?).await?;
    let applied = apply(&connection.client, &objects).await?;
    let mut text = String::new();
    for one in &applied {
        text.push_str(&format!("{one}: as wanted\n"));
    }
    if subject == Subject::Account {
        output.progress(&format!(
            "run the platform in the cluster as the service account mcp-platform of {namespace}; \
             for elsewhere: kubectl create token mcp-platform --namespace {namespace}"
        ));
    }
    output.result(
        &text,
        &Applied {
            cluster: connection.name,
            applied,
        },
    );
    Ok(())
}
