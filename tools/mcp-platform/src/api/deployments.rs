//! Lists servers, shows one.

use std::sync::Arc;

use axum::Json;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::backend::Scope;
use crate::error::{Error, Result};
use crate::lifecycle::status;
use crate::model::{Identity, Name, Observed, State as Word};
use crate::service::Access;

use super::answers::{Deployment, One, ProblemAnswer, Several};
use super::caller::Caller;
use super::input::{Asked, Named};
use super::problem::Problem;
use super::site::At;

const PAGE: usize = 1_000;
const PAGE_LIMIT: usize = 10_000;

/// Which servers, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// The cluster; without it, the first that the platform was started on.
    pub cluster: Option<String>,
    /// Only those of this namespace; without it, of all that the caller may see.
    pub namespace: Option<String>,
    /// Only those of this template.
    pub template: Option<String>,
    /// Only those with this status; several words are joined by commas.
    pub status: Option<String>,
    /// At most so many; 1000 unless said otherwise.
    pub limit: Option<usize>,
    /// Those after this one, `namespace/name`; `next` of a page says it.
    pub after: Option<String>,
}

/// Where a server is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Place {
    /// The cluster; without it, the first that the platform was started on.
    #[expect(dead_code, reason = "`Named` reads it; here it is only let through")]
    pub cluster: Option<String>,
    /// Its namespace; without it, the one that the platform was started with.
    #[expect(dead_code, reason = "`Named` reads it; here it is only let through")]
    pub namespace: Option<String>,
}

/// What a filter lets through.
#[derive(Debug)]
pub struct Sieve {
    /// What the back end is asked for.
    pub scope: Scope,
    states: Option<Vec<Word>>,
    caller: Caller,
}

impl Sieve {
    /// Reads a filter.
    ///
    /// # Errors
    /// A word is wrong, or the namespace is not the caller's.
    pub fn of(filter: &Filter, caller: Caller) -> Result<Sieve> {
        let namespace = filter.namespace.as_deref().map(Name::label).transpose()?;
        if let Some(namespace) = &namespace {
            caller.allow(Access::View, namespace)?;
        }
        let states = filter.status.as_deref().map(states).transpose()?;
        Ok(Sieve {
            scope: Scope {
                namespace,
                template: filter.template.clone(),
            },
            states,
            caller,
        })
    }

    /// Whether the caller may know of a server, and asked for its namespace.
    pub fn sees(&self, identity: &Identity) -> bool {
        self.caller.namespaces.contain(&identity.namespace)
            && self
                .scope
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == identity.namespace)
    }

    /// Whether a server comes through.
    pub fn lets(&self, observed: &Observed) -> bool {
        let template = observed.spec.as_ref().map(|spec| &spec.template);
        self.sees(&observed.identity)
            && (self.scope.template.is_none() || self.scope.template.as_ref() == template)
            && self
                .states
                .as_ref()
                .is_none_or(|states| states.contains(&status(observed).state))
    }
}

fn states(text: &str) -> Result<Vec<Word>> {
    let all = [
        Word::Running,
        Word::Scaling,
        Word::Pending,
        Word::Stopped,
        Word::Degraded,
        Word::Failed,
    ];
    text.split(',')
        .map(|word| {
            all.into_iter()
                .find(|state| state.word() == word)
                .ok_or_else(|| {
                    let known: Vec<&str> = all.iter().map(|state| state.word()).collect();
                    let shown: String = word.chars().take(40).collect();
                    Error::invalid("the query is not what this path takes").detail(
                        "status",
                        format!("{shown:?} is none of {}", known.join(", ")),
                    )
                })
        })
        .collect()
}

/// Shows all servers with their status.
#[utoipa::path(
    get,
    path = "/api/templates/deployments/",
    operation_id = "list_servers",
    tag = "servers",
    params(Filter),
    responses(
        (status = 200, body = Several),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    At(site): At,
    caller: Caller,
    Asked(filter): Asked<Filter>,
) -> std::result::Result<Response, Problem> {
    let limit = filter.limit.unwrap_or(PAGE);
    if limit == 0 || limit > PAGE_LIMIT {
        return Err(Error::invalid("the query is not what this path takes")
            .detail("limit", format!("it is 1 to {PAGE_LIMIT}"))
            .into());
    }
    let sieve = Sieve::of(&filter, caller)?;
    let servers = site.counted(site.service.observe_all(&sieve.scope).await)?;
    let matching: Vec<&Arc<Observed>> = servers.iter().filter(|one| sieve.lets(one)).collect();
    let begin = match &filter.after {
        Some(after) => matching.partition_point(|observed| !is_after(observed, after)),
        None => 0,
    };
    let rest = &matching[begin..];
    let page = &rest[..limit.min(rest.len())];
    let next = match page.last() {
        Some(last) if page.len() < rest.len() => Some(next(&filter, &last.identity.to_string())),
        _ => None,
    };
    Ok(site.shown.page(page, matching.len(), next.as_deref()))
}

/// Whether a server comes after the one that is written `namespace/name`, in the order of lists.
fn is_after(observed: &Observed, place: &str) -> bool {
    let identity = &observed.identity;
    let (namespace, name) = place.split_once('/').unwrap_or((place, ""));
    (identity.namespace.as_str(), identity.name.as_str()) > (namespace, name)
}

fn next(filter: &Filter, after: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let limit = filter.limit.map(|limit| limit.to_string());
    for (key, value) in [
        ("cluster", &filter.cluster),
        ("namespace", &filter.namespace),
        ("template", &filter.template),
        ("status", &filter.status),
        ("limit", &limit),
        ("after", &Some(after.to_owned())),
    ] {
        if let Some(value) = value {
            query.append_pair(key, value);
        }
    }
    format!("/api/templates/deployments/?{}", query.finish())
}

/// Shows one server with everything it is made of but its secrets.
#[utoipa::path(
    get,
    path = "/api/templates/deployments/{name}/",
    operation_id = "get_server",
    tag = "servers",
    params(("name" = String, Path, description = "The server"), Place),
    responses(
        (status = 200, body = One),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn one(Asked(_): Asked<Place>, named: Named) -> std::result::Result<Json<One>, Problem> {
    let identity = named.allowed(Access::View)?;
    let report = named
        .site
        .counted(named.site.service.status(identity).await)?;
    Ok(Json(One {
        deployment: Deployment::whole(&report),
    }))
}
