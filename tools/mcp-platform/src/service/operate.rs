//! Deploy, list, status, start, stop, scale, restart, update, delete.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::backend::Scope;
use crate::error::{Error, Result};
use crate::lifecycle::{decide, status};
use crate::model::{Action, Goal, Identity, ImageReference, Name, Observed, Spec, Status};
use crate::template::{Request, Template, instantiate, reconfigure};

use super::reach::{missing, named};
use super::wheel::put;
use super::{Progress, Service};

/// A server with what its observation means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What the back end answered.
    #[serde(flatten)]
    pub observed: Arc<Observed>,
    /// What it means.
    pub status: Status,
}

impl Report {
    /// Reads an observation.
    pub fn of(observed: impl Into<Arc<Observed>>) -> Report {
        let observed = observed.into();
        let status = status(&observed);
        Report { observed, status }
    }
}

/// What an operation did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Which server.
    pub identity: Identity,
    /// What was done, in order; empty when everything was as wanted already.
    pub actions: Vec<Action>,
    /// The server afterwards; none when it is gone.
    pub server: Option<Report>,
}

/// What an operation would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// Which server.
    pub identity: Identity,
    /// What would be done, in order; empty when everything is as wanted already.
    pub actions: Vec<Action>,
}

/// What to deploy.
#[derive(Debug, Clone, Default)]
pub struct DeployRequest {
    /// The template.
    pub template: String,
    /// What to make of it.
    pub request: Request,
}

/// What to change.
#[derive(Debug, Clone, Default)]
pub struct UpdateRequest {
    /// Another image.
    pub image: Option<ImageReference>,
    /// Another wheel, for processes.
    pub wheel: Option<String>,
    /// Changes of the configuration; `null` takes a key out.
    pub configuration: Map<String, Value>,
}

/// How to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Sessions first, then a signal, then the grace period.
    Graceful,
    /// At once.
    Force,
}

/// Whether to wait until it has come true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Until it has, or failed, or the time is over.
    Wait,
    /// Return once the back end has taken it.
    Return,
}

impl Service {
    /// All servers of a scope.
    ///
    /// # Errors
    /// What the back end says.
    pub async fn list(&self, scope: &Scope) -> Result<Vec<Report>> {
        let all = self.observe_all(scope).await?;
        Ok(all.into_iter().map(Report::of).collect())
    }

    /// What the back end answers about all servers of a scope.
    ///
    /// # Errors
    /// What the back end says.
    pub async fn observe_all(&self, scope: &Scope) -> Result<Vec<Arc<Observed>>> {
        self.backend.list(scope).await
    }

    /// One server.
    ///
    /// # Errors
    /// `NotFound`, or what the back end says.
    pub async fn status(&self, identity: &Identity) -> Result<Report> {
        Ok(Report::of(self.found(identity).await?))
    }

    /// The specification that a request comes to; the same for `deploy` and `render`.
    ///
    /// # Errors
    /// `NotFound` for the template, `Invalid` for the configuration or a name.
    pub fn specify(
        &self,
        namespace: &Name,
        deploy: &DeployRequest,
        present: Option<&Observed>,
    ) -> Result<Spec> {
        let template = self.catalogue.get(&deploy.template)?;
        let mut request = deploy.request.clone();
        request.replicas = request.replicas.or_else(|| present.and_then(wanted));
        self.instantiate(template, namespace, &request, present)
    }

    fn instantiate(
        &self,
        template: &Template,
        namespace: &Name,
        request: &Request,
        present: Option<&Observed>,
    ) -> Result<Spec> {
        let secrets = present
            .and_then(|observed| observed.spec.as_ref())
            .map(|spec| &spec.secrets);
        instantiate(template, namespace, request, secrets, &mut || {
            (self.random)()
        })
    }

    /// Makes a server run; again with the same request changes nothing.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Conflict`; `Failed` or `Timeout` after going back to what was there
    /// before.
    pub async fn deploy(
        &self,
        namespace: &Name,
        deploy: &DeployRequest,
        waiting: Waiting,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        let identity = self.specify(namespace, deploy, None)?.identity;
        let template = self.catalogue.get(&deploy.template)?;
        let given = deploy.request.image.as_ref();
        let image = self
            .find_image(&identity, template, given, progress)
            .await?;
        let wheel = deploy
            .request
            .wheel
            .as_ref()
            .or(template.process.wheel.as_ref());
        let wheel = self.find_wheel(&identity, wheel, progress).await?;
        self.reach(&identity, waiting, progress, |present| {
            let mut spec = self.specify(namespace, deploy, present)?;
            put(wheel.as_ref(), &mut spec);
            if let Some(image) = &image {
                image.put(
                    &mut spec,
                    present.and_then(|observed| observed.spec.as_deref()),
                );
            }
            Ok(Goal::Deploy(Box::new(spec)))
        })
        .await
    }

    /// What [`Service::deploy`] would do now, without doing it. An image is not looked for, which may
    /// mean to build it: a server that is there keeps the one that it has.
    ///
    /// # Errors
    /// As for [`Service::deploy`].
    pub async fn plan_deploy(
        &self,
        namespace: &Name,
        deploy: &DeployRequest,
        progress: &dyn Progress,
    ) -> Result<Planned> {
        let identity = self.specify(namespace, deploy, None)?.identity;
        let template = self.catalogue.get(&deploy.template)?;
        let present = self.backend.observe(&identity).await?;
        let mut spec = self.specify(namespace, deploy, present.as_ref())?;
        let wheel = deploy.request.wheel.as_ref();
        let wheel = wheel.or(template.process.wheel.as_ref());
        put(
            self.find_wheel(&identity, wheel, progress).await?.as_ref(),
            &mut spec,
        );
        let before = present.as_ref().and_then(|observed| observed.spec.as_ref());
        if self.backend.images().is_some() && deploy.request.image.is_none() {
            progress.note(&identity, "the image is looked for when it is deployed");
            if let Some(before) = before {
                spec.run.image.clone_from(&before.run.image);
                spec.provenance.clone_from(&before.provenance);
            }
        }
        let goal = Goal::Deploy(Box::new(spec));
        let actions = decide(&goal, present.as_ref(), self.limits)
            .map_err(|error| named(error, &identity))?;
        Ok(Planned { identity, actions })
    }

    /// Changes the image or the configuration of a server; goes back when it does not get ready.
    ///
    /// # Errors
    /// As for [`Service::deploy`].
    pub async fn update(
        &self,
        identity: &Identity,
        update: &UpdateRequest,
        waiting: Waiting,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        let image = self.find_new_image(identity, update, progress).await?;
        let wheel = update.wheel.as_ref();
        let wheel = self.find_wheel(identity, wheel, progress).await?;
        self.reach(identity, waiting, progress, |present| {
            let present = present.ok_or_else(|| missing(identity))?;
            let mut spec = self.updated(identity, present, update)?;
            put(wheel.as_ref(), &mut spec);
            if let Some(image) = &image {
                image.put(&mut spec, present.spec.as_deref());
            }
            Ok(Goal::Update(Box::new(spec)))
        })
        .await
    }

    fn updated(
        &self,
        identity: &Identity,
        present: &Observed,
        update: &UpdateRequest,
    ) -> Result<Spec> {
        let Some(spec) = &present.spec else {
            return Err(Error::conflict(format!(
                "{identity} was not deployed by this platform, so its configuration is not known"
            ))
            .hint("update it with the tool that deployed it; start, stop, scale and restart work here"));
        };
        let template = self.catalogue.get(&spec.template)?;
        let request = Request {
            name: Some(identity.name.to_string()),
            configuration: reconfigure(template, spec, &update.configuration),
            replicas: wanted(present),
            image: update.image.clone().or_else(|| spec.run.image.clone()),
            wheel: update.wheel.clone().or_else(|| spec.run.wheel.clone()),
            exposure: Some(spec.exposure.clone()),
        };
        let mut updated =
            self.instantiate(template, &identity.namespace, &request, Some(present))?;
        if update.image.is_none() && update.wheel.is_none() {
            updated.provenance = spec.provenance.clone();
        }
        Ok(updated)
    }

    /// Starts a server with as many instances as `stop` found.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Failed`, `Timeout`.
    pub async fn start(
        &self,
        identity: &Identity,
        waiting: Waiting,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        self.reach(identity, waiting, progress, |_| Ok(Goal::Start))
            .await
    }

    /// Stops a server.
    ///
    /// # Errors
    /// `NotFound`, `Timeout`.
    pub async fn stop(
        &self,
        identity: &Identity,
        mode: StopMode,
        waiting: Waiting,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        let goal = match mode {
            StopMode::Graceful => Goal::Stop,
            StopMode::Force => Goal::ForceStop,
        };
        self.reach(identity, waiting, progress, |_| Ok(goal.clone()))
            .await
    }

    /// Sets the number of instances.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` beyond the limit, `Conflict` for a singleton or an autoscaled server.
    pub async fn scale(
        &self,
        identity: &Identity,
        replicas: u32,
        waiting: Waiting,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        self.reach(identity, waiting, progress, |_| Ok(Goal::Scale(replicas)))
            .await
    }

    /// Replaces every instance.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it is stopped, `Failed`, `Timeout`.
    pub async fn restart(
        &self,
        identity: &Identity,
        waiting: Waiting,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        self.reach(identity, waiting, progress, |_| Ok(Goal::Restart))
            .await
    }

    /// Removes a server and everything of it.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Timeout`.
    pub async fn delete(
        &self,
        identity: &Identity,
        waiting: Waiting,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        self.found(identity).await?;
        self.reach(identity, waiting, progress, |_| Ok(Goal::Delete))
            .await
    }

    /// The actions that a goal needs now, without performing them.
    ///
    /// # Errors
    /// As for the operation itself.
    pub async fn plan(&self, identity: &Identity, goal: &Goal) -> Result<Vec<Action>> {
        let observed = self.backend.observe(identity).await?;
        decide(goal, observed.as_ref(), self.limits).map_err(|error| named(error, identity))
    }

    pub(super) async fn found(&self, identity: &Identity) -> Result<Observed> {
        self.backend
            .observe(identity)
            .await?
            .ok_or_else(|| missing(identity))
    }
}

/// How many instances are wanted while it is started.
fn wanted(observed: &Observed) -> Option<u32> {
    match observed.desired {
        0 => observed.remembered,
        desired => Some(desired),
    }
}
