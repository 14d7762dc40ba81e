//! What a request says: its body, its query, the server it names. Each is read once, with limits,
//! and every problem says where it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::Buf;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, Collected, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path as Place, Segment};

use crate::error::{Error, Kind, Result};
use crate::model::{Identity, Name};
use crate::service::Access;

use super::caller::Caller;
use super::problem::Problem;
use super::site::Site;
use super::{Api, Limits};

/// A JSON body; none at all counts as `{}`.
#[derive(Debug)]
pub struct Input<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Input<T> {
    type Rejection = Problem;

    async fn from_request(
        request: Request,
        api: &Arc<Api>,
    ) -> std::result::Result<Input<T>, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = whole(body, &api.limits).await?;
        if bytes.is_empty() {
            return parse(b"{}").map(Input);
        }
        is_json(&parts.headers)?;
        parse(&bytes).map(Input)
    }
}

/// A long body, as the pieces that came: who reads them lets each go, so that it is never held twice.
///
/// # Errors
/// It is longer than `limit`, slower than `time`, or not said to be JSON.
pub async fn pieces(
    request: Request,
    limit: usize,
    time: Duration,
) -> std::result::Result<impl Buf + Send + 'static, Problem> {
    let (parts, body) = request.into_parts();
    is_json(&parts.headers)?;
    let reading = tokio::time::timeout(time, collect(body, limit));
    Ok(reading.await.map_err(|_| too_slow())??.aggregate())
}

/// A body of the usual size, once all of it is there.
///
/// # Errors
/// It is too long, too slow, or breaks off.
pub async fn whole(body: Body, limits: &Limits) -> std::result::Result<Bytes, Problem> {
    let reading = tokio::time::timeout(limits.body_time, collect(body, limits.body));
    Ok(reading.await.map_err(|_| too_slow())??.to_bytes())
}

async fn collect(body: Body, limit: usize) -> std::result::Result<Collected<Bytes>, Problem> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The body is too large",
            format!("the body is longer than {limit} bytes"),
        )),
        Err(_) => Err(unreadable("the body broke off".to_owned())),
    }
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "too-slow",
        "The body came too slowly",
        "the body was not complete in time",
    )
}

/// A request that cannot be read at all.
pub fn unreadable(detail: String) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "bad-request",
        "The request cannot be read",
        detail,
    )
}

fn is_json(headers: &HeaderMap) -> std::result::Result<(), Problem> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase())
        .unwrap_or_default();
    if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-json",
        "The body is not said to be JSON",
        format!("the body is {kind:?}, not application/json"),
    )
    .hint("send `Content-Type: application/json`"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> std::result::Result<T, Problem> {
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        unreadable(format!(
            "the body is not JSON: line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    if !value.is_object() {
        // Derived readers would take a list for the keys in their order.
        return Err(Problem::from(
            Error::invalid("the body is not what this path takes").detail("", "it is no object"),
        ));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = pointer(error.path());
        Problem::from(
            Error::invalid("the body is not what this path takes")
                .detail(path, error.inner().to_string()),
        )
    })
}

/// A JSON pointer (RFC 6901).
fn pointer(place: &Place) -> String {
    let mut text = String::new();
    for segment in place {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("/{index}")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                text.push('/');
                text.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => {}
        }
    }
    text
}

/// The query; keys that the path does not know are refused.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> std::result::Result<Asked<T>, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Asked(value)),
            Err(error) => {
                use std::error::Error as _;
                let why = error
                    .source()
                    .map_or_else(|| error.to_string(), ToString::to_string);
                Err(Problem::from(
                    Error::invalid("the query is not what this path takes").detail("query", why),
                ))
            }
        }
    }
}

/// The server that the path and the query name, and who is asking.
pub struct Named {
    /// Which server.
    pub identity: Identity,
    /// On which cluster.
    pub site: Arc<Site>,
    /// Who is asking.
    pub caller: Caller,
}

impl Named {
    /// The server, when the caller may do this with it.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn allowed(&self, access: Access) -> Result<&Identity> {
        self.caller.allow(access, &self.identity.namespace)?;
        Ok(&self.identity)
    }
}

impl FromRequestParts<Arc<Api>> for Named {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        api: &Arc<Api>,
    ) -> std::result::Result<Named, Problem> {
        let caller = Caller::from_request_parts(parts, api).await?;
        let path: Path<HashMap<String, String>> = Path::from_request_parts(parts, api)
            .await
            .map_err(|_| unreadable("the path is not UTF-8".to_owned()))?;
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .find(|(key, _)| key == "namespace")
            .map(|(_, value)| value.into_owned());
        let text = path.get("name").map(String::as_str).unwrap_or_default();
        Ok(Named {
            identity: Identity {
                namespace: api.place(query.as_deref())?,
                // A foreign server may have a longer name than ours may.
                name: Name::label(text).map_err(|error| {
                    let message = error.message.clone();
                    error.detail("name", message)
                })?,
            },
            site: Arc::clone(api.site_of(&parts.uri)?),
            caller,
        })
    }
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &Arc<Api>,
    ) -> std::result::Result<Caller, Problem> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(|| {
            Problem::from(Error::new(
                Kind::Unauthenticated,
                "the request has no token",
            ))
        })
    }
}
