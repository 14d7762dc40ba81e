//! What only looks, passed through so that the faces know the operations and nothing below them.

use futures::stream::BoxStream;

use crate::backend::Scope;
use crate::error::Result;
use crate::model::{Change, Event, Identity, Observed};

use super::Service;

impl Service {
    /// What happened to a server, oldest first.
    ///
    /// # Errors
    /// What the back end says.
    pub async fn events(&self, identity: &Identity) -> Result<Vec<Event>> {
        self.backend.events(identity).await
    }

    /// An item whenever something may have changed, without end.
    pub fn changes(&self, scope: &Scope) -> BoxStream<'static, Result<Change>> {
        self.backend.changes(scope)
    }

    /// One server as its back end answers; none when there is no such.
    ///
    /// # Errors
    /// What the back end says.
    pub async fn observe(&self, identity: &Identity) -> Result<Option<Observed>> {
        self.backend.observe(identity).await
    }
}
