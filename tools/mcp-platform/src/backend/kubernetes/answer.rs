//! From what the cluster's API answers, or fails to answer, to errors of ours. The API server's own
//! message is kept; requests, headers and so tokens never come in.

use std::error::Error as _;
use std::time::Duration;

use kube::core::Status;

use crate::error::{Error, Kind, Result};

/// How long one request may take; watches, logs and forwarded ports are not requests in this sense.
const LIMIT: Duration = Duration::from_secs(30);

/// Performs one request within the time limit. `what` says for people what was asked for.
pub async fn ask<T>(what: &str, request: impl Future<Output = kube::Result<T>>) -> Result<T> {
    match tokio::time::timeout(LIMIT, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(explain(what, &error)),
        Err(_) => Err(Error::unavailable(format!(
            "{what}: the cluster's API did not answer within {} s",
            LIMIT.as_secs()
        ))
        .hint("mcp-platform doctor --backend kubernetes --cluster")),
    }
}

/// As [`ask`], with `None` for a 404 of the object itself.
pub async fn ask_optional<T>(
    what: &str,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<Option<T>> {
    match ask(what, request).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a failed request means.
pub fn explain(what: &str, error: &kube::Error) -> Error {
    match error {
        kube::Error::Api(status) => refused(what, status),
        kube::Error::Auth(_) => Error::new(
            Kind::Unauthenticated,
            format!(
                "{what}: the credentials of the kubeconfig cannot be used: {}",
                causes(error)
            ),
        )
        .hint("log in to the cluster again, or choose another one with --cluster"),
        kube::Error::SerdeError(problem) => Error::internal(format!(
            "{what}: the cluster's API gave an answer that cannot be read: {problem}"
        )),
        _ => Error::unavailable(format!(
            "{what}: the cluster's API cannot be reached: {}",
            causes(error)
        ))
        .hint("check that the cluster runs and that the kubeconfig names its address"),
    }
}

/// What a refusal by the API server means.
pub fn refused(what: &str, status: &Status) -> Error {
    let said = if status.message.is_empty() {
        &status.reason
    } else {
        &status.message
    };
    let message = format!("{what}: {said}");
    match (status.code, status.reason.as_str()) {
        (400, _) => Error::invalid(message),
        (401, _) => Error::new(Kind::Unauthenticated, message)
            .hint("log in to the cluster again, or choose another one with --cluster"),
        (403, _) if quota(said) => Error::unavailable(message)
            .hint("raise the namespace's quota, or delete a server of it"),
        (403, _) if said.contains("being terminated") => Error::conflict(message),
        (403, _) => Error::new(Kind::Forbidden, message)
            .hint("mcp-platform setup --backend kubernetes  (shows the rights that are needed)"),
        (404, _) => Error::not_found(message),
        (409, _) => Error::conflict(message),
        (410, _) => Error::unavailable(message),
        (422, _) => Error {
            details: details(status),
            ..Error::invalid(message)
        },
        (408 | 504, _) | (_, "Timeout" | "ServerTimeout") => Error::unavailable(message),
        (429 | 500..=599, _) => Error::unavailable(message),
        _ => Error::internal(message),
    }
}

/// Whether a refusal speaks of a quota or a limit of the namespace.
pub fn quota(message: &str) -> bool {
    message.contains("exceeded quota")
        || message.contains("failed quota")
        || message.contains("insufficient quota")
        || message.contains("maximum cpu usage")
        || message.contains("maximum memory usage")
}

fn details(status: &Status) -> Vec<crate::error::Detail> {
    status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .map(|cause| crate::error::Detail {
            path: cause.field.clone(),
            message: cause.message.clone(),
        })
        .collect()
}

/// An error with its causes, each once.
fn causes(error: &kube::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: u16, reason: &str, message: &str, kind: Kind) {
        let status = Status {
            code,
            ..Status::failure(message, reason)
        };
        let error = refused("list pods", &status);
        assert_eq!(error.kind, kind, "{code} {reason}");
        assert!(error.message.contains(message));
    }

    #[test]
    fn refusals_are_told_apart() {
        check(401, "Unauthorized", "Unauthorized", Kind::Unauthenticated);
        check(
            403,
            "Forbidden",
            "pods is forbidden: User \"x\"",
            Kind::Forbidden,
        );
        check(
            403,
            "Forbidden",
            "exceeded quota: q, requested: pods=1",
            Kind::Unavailable,
        );
        check(
            403,
            "Forbidden",
            "namespace n is being terminated",
            Kind::Conflict,
        );
        check(
            404,
            "NotFound",
            "namespaces \"n\" not found",
            Kind::NotFound,
        );
        check(
            409,
            "Conflict",
            "the object has been modified",
            Kind::Conflict,
        );
        check(422, "Invalid", "Deployment \"x\" is invalid", Kind::Invalid);
        check(429, "TooManyRequests", "slow down", Kind::Unavailable);
        check(500, "InternalError", "etcd", Kind::Unavailable);
        check(503, "ServiceUnavailable", "starting", Kind::Unavailable);
    }
}
