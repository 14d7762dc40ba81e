//! The routes that change something: each says what it needs, records it, and hands it to the
//! service.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::error::{Error, Result};
use crate::model::{Action, Exposure, ImageReference};
use crate::service::Access;
use crate::service::{
    CheckTarget, CheckVerdict, DeployRequest, Operation, Outcome, StopMode, UpdateRequest, Waiting,
};
use crate::template::Request;

use super::Api;
use super::answers::{Changed, ProblemAnswer, gone};
use super::caller::Caller;
use super::changes::{Answer, Done, Work, change};
use super::input::{Asked, Input, Named};
use super::problem::Problem;
use super::site::At;

type Answered = std::result::Result<Response, Problem>;

/// How a change is answered.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct How {
    /// The cluster; without it, the first that the platform was started on.
    #[expect(
        dead_code,
        reason = "`At` or `Named` reads it; here it is only let through"
    )]
    pub cluster: Option<String>,
    /// The namespace; without it, the one that the platform was started with.
    pub namespace: Option<String>,
    /// `false`: the answer is 202, once the back end has taken the change; the rest goes on.
    pub wait: Option<bool>,
}

impl How {
    fn answer(&self) -> Answer {
        match self.wait {
            Some(false) => Answer::WhenTaken,
            Some(true) | None => Answer::WhenDone,
        }
    }
}

/// What to deploy.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeployBody {
    /// The configuration, by the template's schema.
    #[schema(value_type = Object)]
    pub configuration: Map<String, Value>,
    /// The name; without it, one made from template and configuration.
    pub name: Option<String>,
    /// The namespace, unless the query names it.
    pub namespace: Option<String>,
    /// How many instances.
    pub replicas: Option<u32>,
    /// Another image than the template's.
    pub image: Option<String>,
    /// For processes: another wheel than the template's.
    pub wheel: Option<String>,
    /// How it is reached from outside: `{"kind": "node-port"}` and the like.
    #[schema(value_type = Option<Object>)]
    pub exposure: Option<Exposure>,
}

/// What to change.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateBody {
    /// Changes of the configuration; `null` takes a key out, what is not named stays.
    #[schema(value_type = Object)]
    pub configuration: Map<String, Value>,
    /// Another image.
    pub image: Option<String>,
    /// For processes: another wheel.
    pub wheel: Option<String>,
}

/// How many instances.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleBody {
    /// How many.
    pub replicas: u32,
}

/// How to stop.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StopBody {
    /// End the instances at once, without grace.
    pub force: bool,
}

/// Nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoBody {}

/// Makes a server run; again with the same request changes nothing.
#[utoipa::path(
    post,
    path = "/api/templates/deploy/{template_id}/",
    tag = "operations",
    params(("template_id" = String, Path, description = "The template"), How),
    request_body = DeployBody,
    responses(
        (status = 200, body = Changed, description = "It was there"),
        (status = 201, body = Changed, description = "It was created"),
        (status = 202, body = Changed, description = "It is taken and goes on"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn deploy(
    State(api): State<Arc<Api>>,
    Path(template): Path<String>,
    Asked(how): Asked<How>,
    At(site): At,
    caller: Caller,
    Input(body): Input<DeployBody>,
) -> Answered {
    let namespace = api.place(how.namespace.as_deref().or(body.namespace.as_deref()))?;
    caller.allow(Access::Administer, &namespace)?;
    let request = DeployRequest {
        template,
        request: Request {
            name: body.name,
            configuration: body.configuration,
            replicas: body.replicas,
            image: image(body.image.as_deref())?,
            wheel: body.wheel,
            exposure: body.exposure,
        },
    };
    let identity = site.service.specify(&namespace, &request, None)?.identity;
    let named = Named {
        identity,
        site,
        caller,
    };
    steer(&api, &how, &named, Operation::Deploy(request)).await
}

/// Changes image or configuration of a server; goes back when it does not get ready.
#[utoipa::path(
    post,
    path = "/api/templates/deployments/{name}/update/",
    tag = "operations",
    params(("name" = String, Path, description = "The server"), How),
    request_body = UpdateBody,
    responses(
        (status = 200, body = Changed),
        (status = 202, body = Changed, description = "It is taken and goes on"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn update(
    State(api): State<Arc<Api>>,
    Asked(how): Asked<How>,
    named: Named,
    Input(body): Input<UpdateBody>,
) -> Answered {
    named.allowed(Access::Administer)?;
    let request = UpdateRequest {
        image: image(body.image.as_deref())?,
        wheel: body.wheel,
        configuration: body.configuration,
    };
    steer(&api, &how, &named, Operation::Update(request)).await
}

/// Starts a server with as many instances as stop found.
#[utoipa::path(
    post,
    path = "/api/templates/deployments/{name}/start/",
    tag = "operations",
    params(("name" = String, Path, description = "The server"), How),
    request_body = NoBody,
    responses(
        (status = 200, body = Changed),
        (status = 202, body = Changed, description = "It is taken and goes on"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn start(
    State(api): State<Arc<Api>>,
    Asked(how): Asked<How>,
    named: Named,
    Input(NoBody {}): Input<NoBody>,
) -> Answered {
    steer(&api, &how, &named, Operation::Start).await
}

/// Stops a server: sessions first, then a signal, then the grace period.
#[utoipa::path(
    post,
    path = "/api/templates/deployments/{name}/stop/",
    tag = "operations",
    params(("name" = String, Path, description = "The server"), How),
    request_body = StopBody,
    responses(
        (status = 200, body = Changed),
        (status = 202, body = Changed, description = "It is taken and goes on"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn stop(
    State(api): State<Arc<Api>>,
    Asked(how): Asked<How>,
    named: Named,
    Input(body): Input<StopBody>,
) -> Answered {
    let mode = StopMode::of(body.force);
    steer(&api, &how, &named, Operation::Stop(mode)).await
}

/// Sets the number of instances.
#[utoipa::path(
    post,
    path = "/api/templates/deployments/{name}/scale/",
    tag = "operations",
    params(("name" = String, Path, description = "The server"), How),
    request_body = ScaleBody,
    responses(
        (status = 200, body = Changed),
        (status = 202, body = Changed, description = "It is taken and goes on"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn scale(
    State(api): State<Arc<Api>>,
    Asked(how): Asked<How>,
    named: Named,
    Input(body): Input<ScaleBody>,
) -> Answered {
    steer(&api, &how, &named, Operation::Scale(body.replicas)).await
}

/// Replaces every instance of a server.
#[utoipa::path(
    post,
    path = "/api/templates/deployments/{name}/restart/",
    tag = "operations",
    params(("name" = String, Path, description = "The server"), How),
    request_body = NoBody,
    responses(
        (status = 200, body = Changed),
        (status = 202, body = Changed, description = "It is taken and goes on"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn restart(
    State(api): State<Arc<Api>>,
    Asked(how): Asked<How>,
    named: Named,
    Input(NoBody {}): Input<NoBody>,
) -> Answered {
    steer(&api, &how, &named, Operation::Restart).await
}

/// Removes a server and everything of it.
#[utoipa::path(
    delete,
    path = "/api/templates/deployments/{name}/delete/",
    tag = "operations",
    params(("name" = String, Path, description = "The server"), How),
    responses(
        (status = 200, body = Changed),
        (status = 202, body = Changed, description = "It is taken and goes on"),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn delete(State(api): State<Arc<Api>>, Asked(how): Asked<How>, named: Named) -> Answered {
    steer(&api, &how, &named, Operation::Delete).await
}

/// What a check asks.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckBody {
    /// Ask each instance by itself, not only the server as clients reach it.
    pub instances: bool,
}

/// Asks a server itself: its pages, then a real MCP handshake over its own transport. One that
/// answers wrongly is a result, not a problem: `passed` says it.
#[utoipa::path(
    post,
    path = "/api/templates/deployments/{name}/check/",
    tag = "operations",
    params(("name" = String, Path, description = "The server"), super::deployments::Place),
    request_body = CheckBody,
    responses(
        (status = 200, description = "identity, passed, steps, message", body = Object),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn check(
    Asked(_): Asked<super::deployments::Place>,
    named: Named,
    Input(body): Input<CheckBody>,
) -> std::result::Result<Json<Value>, Problem> {
    let identity = named.allowed(Access::Operate)?;
    let target = if body.instances {
        CheckTarget::Instances
    } else {
        CheckTarget::Whole
    };
    let check = named
        .site
        .counted(named.site.service.check(identity, target).await)?;
    let failed = check
        .steps
        .iter()
        .find(|step| step.verdict == CheckVerdict::Failed);
    let message = match failed {
        Some(step) => format!("{} failed: {}", step.step, step.reason),
        None => "every step passed".to_owned(),
    };
    let mut answer = serde_json::to_value(&check).unwrap_or_default();
    if let Some(object) = answer.as_object_mut() {
        object.insert("message".to_owned(), message.into());
    }
    Ok(Json(answer))
}

fn image(text: Option<&str>) -> Result<Option<ImageReference>> {
    text.map(ImageReference::parse)
        .transpose()
        .map_err(|error| {
            let message = error.message.clone();
            Error {
                message: "the image is wrong".to_owned(),
                ..error
            }
            .detail("/image", message)
        })
}

/// Hands an operation to the service, once the caller may.
async fn steer(api: &Arc<Api>, how: &How, named: &Named, operation: Operation) -> Answered {
    let identity = named.allowed(operation.access())?;
    let site = &named.site;
    let mut entry = api.entry(&named.caller, operation.word(), site, identity);
    entry.parameters = operation.parameters();
    let target = identity.clone();
    let work: Work = Box::new(move |service, listener| {
        Box::pin(async move {
            service
                .run(&target, &operation, Waiting::Wait, listener)
                .await
        })
    });
    let done = site.counted(change(api, site, identity, entry, how.answer(), work).await)?;
    let (status, answer) = match done {
        Done::Finished(outcome) => (status(&outcome, how), Changed::of(&outcome)),
        Done::Taken => {
            let report = site.service.status(identity).await.ok();
            let deployment = report
                .and_then(|report| {
                    serde_json::to_value(super::answers::Deployment::of(&report)).ok()
                })
                .unwrap_or_else(|| gone(identity));
            let answer = Changed {
                deployment,
                actions: Vec::new(),
                complete: false,
            };
            (StatusCode::ACCEPTED, answer)
        }
    };
    Ok((status, Json(answer)).into_response())
}

fn status(outcome: &Outcome, how: &How) -> StatusCode {
    let created = outcome
        .actions
        .iter()
        .any(|action| matches!(action, Action::Apply { expected: None, .. }));
    match how.answer() {
        Answer::WhenTaken => StatusCode::ACCEPTED,
        Answer::WhenDone if created => StatusCode::CREATED,
        Answer::WhenDone => StatusCode::OK,
    }
}
