//! What a job of GitHub Actions is to an index: its claims, beside what the index's trusted
//! publisher has to name. Nothing is exchanged: the index would make a project for a pending
//! publisher.
//!
//! Source: Warehouse, `oidc/views.py`: `/_/oidc/audience`; `oidc/models/github.py`.

use serde_json::Value;

use super::get;
use crate::error::{Error, Result};
use crate::registry::{Statement, identity};
use crate::world::World;

/// The largest answer.
const LIMIT: u64 = 64 << 10;

/// What the job would say to the index at `simple`.
///
/// # Errors
/// The job gets no identity, or the index takes none.
pub fn statement(world: &World, simple: &str) -> Result<Statement> {
    let base = simple.trim_end_matches('/');
    let base = base.strip_suffix("/simple").unwrap_or(base);
    let address = format!("{base}/_/oidc/audience");
    let answer = get(world, &address, "application/json", LIMIT);
    let answer = answer.map_err(|trouble| trouble.into_error(1))?.value;
    let audience: Option<Value> = serde_json::from_slice(&answer.bytes).ok();
    let audience = audience
        .as_ref()
        .and_then(|value| value["audience"].as_str());
    let Some(audience) = audience.filter(|_| answer.status == 200) else {
        let what = format!(
            "{address}: answers {}, and names no audience",
            answer.status
        );
        return Err(
            Error::precondition(what).hint("this index knows no trusted publishers: use a token")
        );
    };
    let token = identity::token(world, audience).map_err(|trouble| trouble.into_error(1))?;
    let claims = identity::claims(&token.value);
    let workflow = claims["job_workflow_ref"].as_str().unwrap_or_default();
    let file = workflow.split('@').next().unwrap_or_default();
    let file = file.rsplit('/').next().unwrap_or_default();
    Ok(Statement::good(
        "claims",
        format!(
            "{}; the index's trusted publisher must name the repository {}, the workflow {file} and \
             the environment {}",
            identity::telling(&claims),
            claims["repository"].as_str().unwrap_or("?"),
            claims["environment"].as_str().unwrap_or("(none)"),
        ),
    ))
}
