//! Whether an instance answers, looked at through its published port.
//!
//! An image need not have a shell or a program that could ask, so the look is from outside: an HTTP
//! request to the page that the template names. Without such a page any HTTP answer at the
//! transport's path counts; that a connection is taken does not, for the engine's own proxy takes
//! it before the server listens.

use std::time::Duration;

use crate::model::{Sessions, Spec};

use super::engine::Engine;

/// What a look says: nothing when it is ready, else why it is not.
pub async fn ready(engine: &Engine, spec: Option<&Spec>, port: u16) -> Result<(), String> {
    let page = spec.and_then(|spec| spec.ready.as_ref().or(spec.health.as_ref()));
    let path = match (page, spec) {
        (Some(page), _) => page.path.as_str(),
        (None, Some(spec)) => spec.transport.path(),
        (None, None) => "/",
    };
    let url = format!("http://127.0.0.1:{port}{path}");
    match engine.looker.get(&url).send().await {
        Ok(answer) if page.is_none() || answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("{path} answers {}", answer.status().as_u16())),
        Err(error) if error.is_timeout() => Err(format!("{path} does not answer within 2 seconds")),
        Err(_) => Err(format!("{path} does not answer")),
    }
}

/// How many sessions are active at an instance; none when it does not say.
pub async fn sessions(engine: &Engine, page: &Sessions, port: u16) -> Option<u64> {
    let url = format!("http://127.0.0.1:{port}{}", page.path);
    let answer = engine.looker.get(&url).send().await.ok()?;
    let document: serde_json::Value = answer.json().await.ok()?;
    document.pointer(&page.pointer)?.as_u64()
}

/// How long an instance has from its start until a failed look is a fault.
pub fn patience(spec: &Spec) -> Duration {
    let seconds = spec
        .ready
        .as_ref()
        .or(spec.health.as_ref())
        .map_or(30, |probe| {
            probe.initial_seconds + probe.period_seconds * probe.failures
        });
    Duration::from_secs(u64::from(seconds))
}
