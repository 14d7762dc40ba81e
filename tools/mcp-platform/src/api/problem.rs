//! Errors as `application/problem+json` (RFC 9457): the one place that knows which kind is which
//! HTTP status.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::error::{Detail, Error, Kind};

/// Seconds after which a back end that could not be reached may be asked again.
const AGAIN: u32 = 5;

/// What went wrong, as HTTP says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The end of the type's address, and its word.
    pub word: &'static str,
    /// A few words, the same for every problem of the type.
    pub title: &'static str,
    /// What failed, and where.
    pub detail: String,
    /// What to do next.
    pub hints: Vec<String>,
    /// Every place of the input that is wrong.
    pub errors: Vec<Detail>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem of HTTP itself, which the operations know nothing of.
    pub fn new(
        status: StatusCode,
        word: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        Problem {
            status,
            word,
            title,
            detail: detail.into(),
            hints: Vec::new(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hints.push(hint.into());
        self
    }

    /// Says after how many seconds trying again makes sense.
    #[must_use]
    pub fn again_after(mut self, seconds: u32) -> Problem {
        self.retry_after = Some(seconds);
        self
    }

    /// The body of an answer to a request for `instance`.
    pub fn json(&self, instance: Option<&str>) -> Value {
        let mut body = json!({
            "type": format!("/docs#{}", self.word),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "kind": self.word,
            "hints": self.hints,
            "errors": self.errors.iter().map(place).collect::<Vec<_>>(),
        });
        if let (Some(instance), Some(object)) = (instance, body.as_object_mut()) {
            object.insert("instance".to_owned(), instance.into());
        }
        body
    }

    fn answer(&self, instance: Option<&str>) -> Response {
        let mut response = Response::new(Body::from(self.json(instance).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"mcp-platform\""),
            );
        }
        response
    }
}

/// A place of the input: a pointer into the body (RFC 6901 in a fragment), or a parameter's name.
fn place(detail: &Detail) -> Value {
    if detail.path.is_empty() || detail.path.starts_with('/') {
        json!({ "pointer": format!("#{}", detail.path), "detail": detail.message })
    } else {
        json!({ "parameter": detail.path, "detail": detail.message })
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let (status, word, title) = of(error.kind);
        Problem {
            status,
            word,
            title,
            detail: error.message,
            hints: error.hints,
            errors: error.details,
            retry_after: (error.kind == Kind::Unavailable).then_some(AGAIN),
        }
    }
}

/// Which status a kind is, its word and its title.
pub fn of(kind: Kind) -> (StatusCode, &'static str, &'static str) {
    match kind {
        Kind::Invalid => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "The request is wrong",
        ),
        Kind::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
        Kind::Conflict => (
            StatusCode::CONFLICT,
            "conflict",
            "It does not fit the present state",
        ),
        Kind::Unauthenticated => (
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "A token is needed",
        ),
        Kind::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
        Kind::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The back end is not available",
        ),
        Kind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "timeout", "Not ready in time"),
        Kind::Failed => (StatusCode::BAD_GATEWAY, "failed", "The server failed"),
        Kind::Precondition => (
            StatusCode::SERVICE_UNAVAILABLE,
            "precondition",
            "Something of this machine is missing",
        ),
        Kind::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong",
        ),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.answer(None);
        response.extensions_mut().insert(self);
        response
    }
}

/// Says in each problem which request it belongs to.
pub async fn name_the_instance(request: Request, next: Next) -> Response {
    let instance = request.uri().path().to_owned();
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Problem>() else {
        return response;
    };
    let mut named = problem.answer(Some(&instance));
    let kept: HeaderMap = response.headers().clone();
    for (name, value) in &kept {
        if name == ALLOW {
            named.headers_mut().insert(name, value.clone());
        }
    }
    *named.extensions_mut() = response.extensions().clone();
    named
}

/// There is no such path.
pub async fn no_such_path() -> Problem {
    Problem::from(Error::not_found("there is no such path"))
        .hint("paths of the API end with a slash; /openapi.json names all of them")
}

/// The path is there, and does not take this method.
pub async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "The path does not take this method",
        "this path does not take this method; the header Allow names those that it takes",
    )
}

/// The handler came to an end that it should not have.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::from(Error::internal(
        "a defect of the platform ended the request",
    ))
    .hint("look into its log, and look at what is there before trying again")
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        let check = |kind, status: u16| assert_eq!(of(kind).0.as_u16(), status, "{kind:?}");
        check(Kind::Invalid, 422);
        check(Kind::NotFound, 404);
        check(Kind::Conflict, 409);
        check(Kind::Unauthenticated, 401);
        check(Kind::Forbidden, 403);
        check(Kind::Unavailable, 503);
        check(Kind::Timeout, 504);
        check(Kind::Failed, 502);
        check(Kind::Precondition, 503);
        check(Kind::Internal, 500);
    }

    #[test]
    fn a_problem_names_its_places() {
        let error = Error::invalid("wrong")
            .detail("/configuration/a~1b", "too long")
            .detail("limit", "not a number");
        let json = Problem::from(error).json(Some("/api/x/"));
        assert_eq!(json["errors"][0]["pointer"], "#/configuration/a~1b");
        assert_eq!(json["errors"][1]["parameter"], "limit");
        assert_eq!(json["instance"], "/api/x/");
        assert_eq!(json["status"], 422);
    }
}
