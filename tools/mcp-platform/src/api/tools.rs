//! The gate of the MCP tools over HTTP: the same callers, queues and records as the REST routes.

use std::sync::Weak;

use async_trait::async_trait;
use futures::future::BoxFuture;
use http::request::Parts;
use rmcp::model::Extensions;

use crate::error::{Error, Kind, Result};
use crate::mcp::{self, Access};
use crate::model::Name;
use crate::service::Outcome;

use super::Api;
use super::caller::Caller;
use super::changes::{Answer, Done, Work, change};

/// The gate. It does not keep the API alive, which owns it.
pub struct Gate {
    api: Weak<Api>,
}

impl Gate {
    /// The gate of an API.
    pub fn new(api: Weak<Api>) -> Gate {
        Gate { api }
    }
}

fn caller(extensions: &Extensions) -> Result<&Caller> {
    extensions
        .get::<Parts>()
        .and_then(|parts| parts.extensions.get::<Caller>())
        .ok_or_else(|| Error::new(Kind::Unauthenticated, "the request has no token"))
}

#[async_trait]
impl mcp::Gate for Gate {
    fn allow(&self, extensions: &Extensions, access: Access, namespace: &Name) -> Result<()> {
        caller(extensions)?.allow(access, namespace)
    }

    async fn change(
        &self,
        extensions: &Extensions,
        wanted: mcp::Change,
        work: BoxFuture<'static, Result<Outcome>>,
    ) -> Result<Outcome> {
        let caller = caller(extensions)?;
        let identity = wanted.identity;
        caller.allow(wanted.access, &identity.namespace)?;
        let api = self
            .api
            .upgrade()
            .ok_or_else(|| Error::unavailable("this instance is ending"))?;
        let mut entry = api
            .entry(caller, wanted.operation, &identity)
            .with("face", "mcp");
        entry.parameters.extend(wanted.parameters);
        let work: Work = Box::new(move |_, _| work);
        let done = change(&api, &identity, entry, Answer::WhenDone, work).await;
        match api.counted(done)? {
            Done::Finished(outcome) => Ok(*outcome),
            Done::Taken => Err(Error::internal("the operation goes on")),
        }
    }
}
