//! What can be done to a server, as data: every face makes one of these of what it was asked, and
//! what it is called, what it needs and what is recorded of it is said here for all of them.

use serde_json::{Map, Value};

use crate::error::Result;
use crate::model::Identity;

use super::{DeployRequest, Outcome, Progress, Service, StopMode, UpdateRequest, Waiting};

/// What a caller must be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Look.
    View,
    /// Start, stop, scale, restart.
    Operate,
    /// Deploy, update, delete.
    Administer,
}

/// A change of one server.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Make it run as a request says.
    Deploy(DeployRequest),
    /// Change image or configuration.
    Update(UpdateRequest),
    /// As many instances as stop found.
    Start,
    /// No instances.
    Stop(StopMode),
    /// So many instances.
    Scale(u32),
    /// Replace every instance.
    Restart,
    /// Remove it and everything of it.
    Delete,
}

impl Operation {
    /// Its name in records, metrics and paths.
    pub fn word(&self) -> &'static str {
        match self {
            Operation::Deploy(_) => "deploy",
            Operation::Update(_) => "update",
            Operation::Start => "start",
            Operation::Stop(_) => "stop",
            Operation::Scale(_) => "scale",
            Operation::Restart => "restart",
            Operation::Delete => "delete",
        }
    }

    /// What it needs.
    pub fn access(&self) -> Access {
        match self {
            Operation::Start | Operation::Stop(_) | Operation::Scale(_) | Operation::Restart => {
                Access::Operate
            }
            Operation::Deploy(_) | Operation::Update(_) | Operation::Delete => Access::Administer,
        }
    }

    /// What is recorded of it: numbers, the image, the names of configuration keys; never their
    /// values, which may be secret.
    pub fn parameters(&self) -> Map<String, Value> {
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                all.insert(name.to_owned(), value);
            }
        };
        let keys = |configuration: &Map<String, Value>| configuration.keys().cloned().collect();
        match self {
            Operation::Deploy(deploy) => {
                let request = &deploy.request;
                put("template", deploy.template.as_str().into());
                put("configuration-keys", keys(&request.configuration));
                put("replicas", request.replicas.into());
                let image = request.image.as_ref().map(ToString::to_string);
                put("image", image.into());
                put("wheel", request.wheel.clone().into());
                let exposure = serde_json::to_value(&request.exposure);
                put("exposure", exposure.unwrap_or_default());
            }
            Operation::Update(update) => {
                put("configuration-keys", keys(&update.configuration));
                let image = update.image.as_ref().map(ToString::to_string);
                put("image", image.into());
                put("wheel", update.wheel.clone().into());
            }
            Operation::Stop(mode) => put("force", (*mode == StopMode::Force).into()),
            Operation::Scale(replicas) => put("replicas", (*replicas).into()),
            Operation::Start | Operation::Restart | Operation::Delete => {}
        }
        all
    }
}

impl StopMode {
    /// The mode of somebody who said whether to force it.
    pub fn of(force: bool) -> StopMode {
        if force {
            StopMode::Force
        } else {
            StopMode::Graceful
        }
    }
}

impl Waiting {
    /// For somebody who said whether to wait.
    pub fn of(wait: bool) -> Waiting {
        if wait { Waiting::Wait } else { Waiting::Return }
    }
}

impl Service {
    /// Does it.
    ///
    /// # Errors
    /// As each operation says.
    pub async fn run(
        &self,
        identity: &Identity,
        operation: &Operation,
        waiting: Waiting,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        match operation {
            Operation::Deploy(request) => {
                let namespace = &identity.namespace;
                self.deploy(namespace, request, waiting, progress).await
            }
            Operation::Update(request) => self.update(identity, request, waiting, progress).await,
            Operation::Start => self.start(identity, waiting, progress).await,
            Operation::Stop(mode) => self.stop(identity, *mode, waiting, progress).await,
            Operation::Scale(replicas) => self.scale(identity, *replicas, waiting, progress).await,
            Operation::Restart => self.restart(identity, waiting, progress).await,
            Operation::Delete => self.delete(identity, waiting, progress).await,
        }
    }
}
