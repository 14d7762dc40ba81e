//! `check`.

use clap::Args;

use crate::error::{Error, Kind, Result};
use crate::service::{Check, CheckTarget, CheckVerdict};
use crate::world::World;

use super::{General, Output};

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The server
    #[arg(value_name = "NAME")]
    name: String,
    /// Ask each instance by itself
    #[arg(long)]
    instances: bool,
}

/// Checks and prints.
///
/// # Errors
/// `NotFound`, `Conflict`; `Failed` when a step failed, after all steps were printed.
pub async fn run(
    general: &General,
    world: &World,
    output: &Output,
    arguments: &Arguments,
) -> Result<()> {
    let identity = general.identity(&arguments.name)?;
    let target = if arguments.instances {
        CheckTarget::Instances
    } else {
        CheckTarget::Whole
    };
    let check = general
        .service(world)
        .await?
        .check(&identity, target)
        .await?;
    output.result(&text(&check), &check);
    if check.passed {
        return Ok(());
    }
    Err(
        Error::new(Kind::Failed, format!("{identity} did not pass the check"))
            .hint(format!("mcp-platform logs {}", identity.name)),
    )
}

fn text(check: &Check) -> String {
    let mut text = format!("{}\n", check.identity);
    for step in &check.steps {
        let verdict = match step.verdict {
            CheckVerdict::Passed => "passed",
            CheckVerdict::Failed => "FAILED",
            CheckVerdict::Skipped => "skipped",
        };
        let instance = step
            .instance
            .as_ref()
            .map(|name| format!("{name}  "))
            .unwrap_or_default();
        text.push_str(&format!(
            "  {verdict:<7}  {instance}{:<10}  {:>5} ms  {}\n",
            step.step, step.milliseconds, step.reason
        ));
    }
    text
}
