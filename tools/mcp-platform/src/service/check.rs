//! `check`: asks the server itself, as a client would: its health page, its ready page, then a real
//! MCP handshake over its own transport.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use crate::backend::Reach;
use crate::error::{Error, Result};
use crate::model::{Identity, Phase, Secret, Spec};

use super::Service;
use super::handshake::handshake;

/// How long one step may take.
pub(super) const STEP: Duration = Duration::from_secs(15);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckTarget {
    /// The server as clients reach it.
    Whole,
    /// Each of its instances by itself.
    Instances,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckVerdict {
    /// As it should.
    Passed,
    /// Not as it should.
    Failed,
    /// It was not tried, because it does not apply or a step before it failed.
    Skipped,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckStep {
    /// The instance; none: the whole.
    pub instance: Option<String>,
    /// `reach`, `health`, `ready`, `connect`, `initialize`, `tools/list`, `ping`.
    pub step: &'static str,
    /// How it ended.
    pub verdict: CheckVerdict,
    /// How long it took.
    pub milliseconds: u64,
    /// What was found, or why it failed. No secrets.
    pub reason: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The server.
    pub identity: Identity,
    /// Whether no step failed.
    pub passed: bool,
    /// Each step, in order.
    pub steps: Vec<CheckStep>,
}

/// The steps so far of one way to a server.
pub(super) struct Steps {
    instance: Option<String>,
    pub(super) steps: Vec<CheckStep>,
}

impl Steps {
    /// Notes a step that began at `begun`; gives what it came to.
    pub(super) fn note<T>(
        &mut self,
        step: &'static str,
        begun: Instant,
        outcome: std::result::Result<(T, String), String>,
    ) -> Option<T> {
        let (value, verdict, reason) = match outcome {
            Ok((value, found)) => (Some(value), CheckVerdict::Passed, found),
            Err(why) => (None, CheckVerdict::Failed, why),
        };
        self.push(step, verdict, begun.elapsed(), reason);
        value
    }

    /// Notes a step that was not tried.
    pub(super) fn skip(&mut self, step: &'static str, why: &str) {
        self.push(step, CheckVerdict::Skipped, Duration::ZERO, why.to_owned());
    }

    fn push(&mut self, step: &'static str, verdict: CheckVerdict, took: Duration, reason: String) {
        self.steps.push(CheckStep {
            instance: self.instance.clone(),
            step,
            verdict,
            milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            reason,
        });
    }
}

impl Service {
    /// Asks the server itself.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` for a server that is not ours, whose transport is not known. A server
    /// that answers wrongly is a result, not an error.
    pub async fn check(&self, identity: &Identity, target: CheckTarget) -> Result<Check> {
        let observed = self
            .backend
            .observe(identity)
            .await?
            .ok_or_else(|| super::reach::missing(identity))?;
        let Some(spec) = observed.spec.as_deref() else {
            return Err(Error::conflict(format!(
                "{identity} was not deployed by this platform, so its transport is not known"
            ))
            .hint(format!("mcp-platform status {}", identity.name)));
        };
        let ways: Vec<Option<String>> = match target {
            CheckTarget::Whole => vec![None],
            CheckTarget::Instances => observed
                .instances
                .iter()
                .filter(|instance| instance.phase != Phase::Ending)
                .map(|instance| Some(instance.name.clone()))
                .collect(),
        };
        if ways.is_empty() {
            return Err(Error::conflict(format!("nothing of {identity} is running"))
                .hint(format!("mcp-platform start {}", identity.name)));
        }
        let asked = ways
            .into_iter()
            .map(|way| self.check_one(identity, spec, way));
        let steps = futures::future::join_all(asked).await.concat();
        Ok(Check {
            identity: identity.clone(),
            passed: steps
                .iter()
                .all(|step| step.verdict != CheckVerdict::Failed),
            steps,
        })
    }

    async fn check_one(
        &self,
        identity: &Identity,
        spec: &Spec,
        instance: Option<String>,
    ) -> Vec<CheckStep> {
        let mut steps = Steps {
            instance: instance.clone(),
            steps: Vec::new(),
        };
        let begun = Instant::now();
        let reach = self.backend.reach(identity, instance.as_deref()).await;
        let reach = reach.map_err(|error| error.message).map(|reach| {
            let base = reach.base.to_string();
            (reach, base)
        });
        // Held to the end: it may keep a forwarded port open.
        let Some(reach) = steps.note("reach", begun, reach) else {
            for step in [
                "health",
                "ready",
                "connect",
                "initialize",
                "tools/list",
                "ping",
            ] {
                steps.skip(step, "it cannot be reached");
            }
            return steps.steps;
        };
        pages(&mut steps, spec, &reach).await;
        let token = spec
            .bearer
            .as_ref()
            .and_then(|name| spec.secrets.environment.get(name));
        handshake(&mut steps, &spec.transport, &reach.base, token).await;
        redacted(steps.steps, token)
    }
}

async fn pages(steps: &mut Steps, spec: &Spec, reach: &Reach) {
    let client = reqwest::Client::builder().no_proxy().timeout(STEP).build();
    for (step, probe) in [("health", &spec.health), ("ready", &spec.ready)] {
        let (Some(probe), Ok(client)) = (probe, &client) else {
            steps.skip(step, "the template names no such page");
            continue;
        };
        let begun = Instant::now();
        let outcome = page(client, &reach.base, &probe.path).await;
        steps.note(step, begun, outcome);
    }
}

async fn page(
    client: &reqwest::Client,
    base: &Url,
    path: &str,
) -> std::result::Result<((), String), String> {
    let url = base
        .join(path)
        .map_err(|error| format!("{path}: {error}"))?;
    let response = client
        .get(url)
        .send()
        .await
        .map_err(|error| format!("{path}: {}", said(&error)))?;
    let status = response.status();
    if status.is_success() {
        Ok(((), format!("{path} answers {}", status.as_u16())))
    } else {
        Err(format!("{path} answers {}", status.as_u16()))
    }
}

/// An error with all that is behind it.
pub(super) fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// A server may say the token back to us; it is not passed on.
fn redacted(mut steps: Vec<CheckStep>, token: Option<&Secret>) -> Vec<CheckStep> {
    if let Some(token) = token.map(Secret::expose).filter(|token| !token.is_empty()) {
        for step in &mut steps {
            step.reason = step.reason.replace(token, "(secret)");
        }
    }
    steps
}
