//! `doctor`: whether the chosen back end can run servers, and what is missing. With `--cluster`, and
//! for the back end `kubernetes`, a cluster is looked at closely.

use serde::Serialize;

use crate::backend::Kind;
use crate::backend::kubernetes::{DNS_SUFFIX, clusters};
use crate::cluster::{Check, Finding, check};
use crate::error::{Error, Result};
use crate::world::World;

use super::output::table;
use super::{General, Output};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Diagnosis {
    place: String,
    checks: Vec<Check>,
}

/// Checks and prints.
///
/// # Errors
/// `Precondition` when something is missing without which no server runs.
pub async fn run(general: &General, world: &World, output: &Output) -> Result<()> {
    let diagnosis = if !general.cluster.is_empty() || general.backend == Kind::Kubernetes {
        cluster(general, world).await?
    } else {
        let backend = general.backend(world).await?;
        let check = match backend.reachable().await {
            Ok(()) => Check::new("reachable", Finding::Good, "it answers"),
            Err(error) => Check::new("reachable", Finding::Bad, error.message),
        };
        Diagnosis {
            place: backend.place(),
            checks: vec![check],
        }
    };
    let rows: Vec<Vec<String>> = diagnosis
        .checks
        .iter()
        .map(|check| {
            vec![
                check.name.to_owned(),
                check.finding.word().to_owned(),
                check.message.clone(),
            ]
        })
        .collect();
    output.result(
        &format!("{}\n{}", diagnosis.place, table(&rows)),
        &diagnosis,
    );
    let bad: Vec<&str> = diagnosis
        .checks
        .iter()
        .filter(|check| check.finding == Finding::Bad)
        .map(|check| check.name)
        .collect();
    if bad.is_empty() {
        return Ok(());
    }
    Err(Error::precondition(format!(
        "{} cannot run servers now: see {}",
        diagnosis.place,
        bad.join(", ")
    )))
}

async fn cluster(general: &General, world: &World) -> Result<Diagnosis> {
    let connection = clusters::connect(world, general.cluster_name()?).await?;
    let suffix = world.variable("K8S_DNS_SUFFIX").unwrap_or(DNS_SUFFIX);
    let namespace = general.namespace()?;
    let checks = check(
        &connection.client,
        namespace.as_str(),
        connection.side,
        suffix,
    )
    .await;
    Ok(Diagnosis {
        place: format!(
            "{} ({}), namespace {namespace}",
            connection.name, connection.server
        ),
        checks,
    })
}
