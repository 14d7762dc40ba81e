//! `list` and `status`.

use clap::Args;
use futures::StreamExt as _;
use serde::Serialize;

use crate::backend::Scope;
use crate::error::Result;
use crate::model::Observed;
use crate::service::{Report, Service};
use crate::world::{self, World};

use super::output::table;
use super::{General, Output};

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Only servers of this template
    #[arg(long, value_name = "ID")]
    template: Option<String>,
    /// Servers of all namespaces
    #[arg(long, short = 'A')]
    all_namespaces: bool,
    /// Go on, and print the list anew whenever something changed
    #[arg(long, short)]
    watch: bool,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// The server
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Serialize)]
struct Listing {
    servers: Vec<Report>,
}

/// Lists.
///
/// # Errors
/// As the back end says.
pub async fn list(
    general: &General,
    world: &World,
    output: &Output,
    arguments: ListArguments,
) -> Result<()> {
    let service = general.service(world).await?;
    let scope = Scope {
        namespace: if arguments.all_namespaces {
            None
        } else {
            Some(general.namespace()?)
        },
        template: arguments.template,
    };
    if !arguments.watch {
        return print(&service, &scope, output).await;
    }
    let mut changes = service.changes(&scope);
    while let Some(change) = changes.next().await {
        change?;
        print(&service, &scope, output).await?;
    }
    Ok(())
}

async fn print(service: &Service, scope: &Scope, output: &Output) -> Result<()> {
    let servers = service.list(scope).await?;
    let mut rows = vec![
        ["NAME", "STATUS", "READY", "REASON", "ENDPOINT"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for server in &servers {
        rows.push(vec![
            server.observed.identity.name.to_string(),
            server.status.state.word().to_owned(),
            format!("{}/{}", server.observed.ready, server.observed.desired),
            server.status.cause.word().to_owned(),
            server
                .observed
                .endpoints
                .first()
                .map_or_else(|| "-".to_owned(), |endpoint| endpoint.url.clone()),
        ]);
    }
    if scope.namespace.is_none() {
        let places = servers
            .iter()
            .map(|server| server.observed.identity.namespace.to_string());
        let places = std::iter::once("NAMESPACE".to_owned()).chain(places);
        for (row, place) in rows.iter_mut().zip(places) {
            row.insert(0, place);
        }
    }
    let text = if servers.is_empty() {
        let place = service.backend.place();
        match &scope.namespace {
            Some(namespace) => format!("no servers in {namespace} ({place})\n"),
            None => format!("no servers ({place})\n"),
        }
    } else {
        table(&rows)
    };
    output.result(&text, &Listing { servers });
    Ok(())
}

/// Shows one server.
///
/// # Errors
/// There is none, or as the back end says.
pub async fn status(
    general: &General,
    world: &World,
    output: &Output,
    arguments: StatusArguments,
) -> Result<()> {
    let service = general.service(world).await?;
    let report = service.status(&general.identity(&arguments.name)?).await?;
    output.result(&text(&report), &report);
    Ok(())
}

fn text(report: &Report) -> String {
    let observed = &report.observed;
    let mut lines = vec![
        format!("{}  {}", observed.identity, report.status.state.word()),
        format!(
            "  reason      {}: {}",
            report.status.cause.word(),
            report.status.message
        ),
        format!(
            "  instances   {} wanted, {} there, {} updated, {} ready, {} available",
            observed.desired,
            observed.replicas,
            observed.updated,
            observed.ready,
            observed.available
        ),
    ];
    lines.extend(described(observed));
    for endpoint in &observed.endpoints {
        lines.push(format!("  endpoint    {}", endpoint.url));
    }
    for instance in &observed.instances {
        let ready = if instance.ready { "ready" } else { "not ready" };
        let fault = instance
            .fault
            .as_ref()
            .map(|fault| format!("; {}: {}", fault.cause.word(), fault.message))
            .unwrap_or_default();
        let restarts = match instance.restarts {
            0 => String::new(),
            1 => ", 1 restart".to_owned(),
            many => format!(", {many} restarts"),
        };
        lines.push(format!(
            "  instance    {}  {ready}{restarts}{fault}",
            instance.name
        ));
    }
    for condition in &observed.conditions {
        let message = match condition.message.as_str() {
            "" => String::new(),
            message => format!(": {message}"),
        };
        lines.push(format!(
            "  condition   {} {}{message}",
            condition.kind, condition.status
        ));
    }
    for part in &observed.left_out {
        lines.push(format!("  left out    {part}"));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn described(observed: &Observed) -> Vec<String> {
    let mut lines = Vec::new();
    match &observed.spec {
        Some(spec) => lines.push(format!(
            "  template    {} {} ({})",
            spec.template,
            spec.version,
            spec.statefulness.word()
        )),
        None => lines.push("  template    none: a foreign server".to_owned()),
    }
    if let Some(image) = &observed.image {
        lines.push(format!("  image       {image}"));
    }
    if let Some(revision) = &observed.revision {
        lines.push(format!("  revision    {revision}"));
    }
    if let Some(commit) = observed
        .spec
        .as_ref()
        .and_then(|spec| spec.provenance.commit.as_ref())
    {
        lines.push(format!("  commit      {commit}"));
    }
    if let Some(remembered) = observed.remembered {
        let instances = if remembered == 1 {
            "instance"
        } else {
            "instances"
        };
        lines.push(format!("  at start    {remembered} {instances}"));
    }
    if let Some(created) = observed.created {
        let age = world::now().duration_since(created);
        lines.push(format!(
            "  age         {:#}",
            jiff::SignedDuration::from_secs(age.as_secs())
        ));
    }
    lines
}
