//! The gate of the MCP tools over HTTP: the same callers, queues and records as the REST routes.

use std::sync::Weak;

use async_trait::async_trait;
use http::request::Parts;
use rmcp::model::Extensions;

use crate::error::{Error, Kind, Result};
use crate::mcp;
use crate::model::{Identity, Name};
use crate::service::{Access, Cluster, Operation, Outcome, Waiting};

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
        cluster: &Cluster,
        identity: &Identity,
        operation: Operation,
        waiting: Waiting,
    ) -> Result<Outcome> {
        let caller = caller(extensions)?;
        caller.allow(operation.access(), &identity.namespace)?;
        let api = self
            .api
            .upgrade()
            .ok_or_else(|| Error::unavailable("this instance is ending"))?;
        let site = api.site(Some(&cluster.name))?;
        let mut entry = api.entry(caller, operation.word(), site, identity);
        entry.parameters = operation.parameters();
        let entry = entry.with("face", "mcp");
        let target = identity.clone();
        let work: Work = Box::new(move |service, listener| {
            Box::pin(async move { service.run(&target, &operation, waiting, listener).await })
        });
        let done = change(&api, site, identity, entry, Answer::WhenDone, work).await;
        match site.counted(done)? {
            Done::Finished(outcome) => Ok(*outcome),
            Done::Taken => Err(Error::internal("the operation goes on")),
        }
    }
}
