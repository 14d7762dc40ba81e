//! What the client of OCI registries says when something went wrong, and whether it may pass.

use std::time::Duration;

use oci_client::errors::{OciDistributionError, OciErrorCode};

use crate::error::Kind;
use crate::registry::{Trouble, said};
use crate::world::secret::Secret;

/// What went wrong at the registry that is shown so; `secret` is blotted out of what it says.
/// `busy` is how long one that says that it is busy is left alone.
pub fn trouble(
    shown: &str,
    secret: Option<&Secret>,
    busy: Duration,
    error: OciDistributionError,
) -> Trouble {
    let blotted = |text: &str| secret.map_or_else(|| text.to_owned(), |secret| secret.blot(text));
    match error {
        OciDistributionError::ServerError { code, message, .. } => {
            let message = said(blotted(&message).as_bytes());
            // The client does not tell what Retry-After says.
            let after = matches!(code, 429 | 503).then_some(busy);
            Trouble::of_status(shown, code, &message, after)
        }
        OciDistributionError::UnauthorizedError { .. } => Trouble::of_status(shown, 401, "", None),
        OciDistributionError::AuthenticationFailure(why) => {
            let what = format!("{shown}: no access: {}", said(blotted(&why).as_bytes()));
            Trouble::last(Kind::Precondition, what)
        }
        OciDistributionError::RegistryError { envelope, .. } => {
            let denied = |code: &OciErrorCode| {
                matches!(code, OciErrorCode::Denied | OciErrorCode::Unauthorized)
            };
            let kind = match envelope.errors.iter().any(|error| denied(&error.code)) {
                true => Kind::Precondition,
                false => Kind::Failure,
            };
            let text = blotted(&envelope.to_string());
            let is_busy = envelope
                .errors
                .iter()
                .any(|error| error.code == OciErrorCode::Toomanyrequests);
            match is_busy {
                true => Trouble::passing(format!("{shown}: {text}")),
                false => Trouble::last(kind, format!("{shown}: {text}")),
            }
        }
        OciDistributionError::RequestError(cause) => match cause.status() {
            Some(status) => Trouble::of_status(shown, status.as_u16(), "", None),
            // The text of the cause may hold an address; its kind says enough.
            None if cause.is_timeout() => Trouble::passing(format!("{shown}: no answer in time")),
            None if cause.is_connect() => Trouble::passing(format!("{shown}: no connection")),
            None => Trouble::passing(format!("{shown}: the connection broke")),
        },
        OciDistributionError::IoError(cause) => Trouble::passing(format!("{shown}: {cause}")),
        other => Trouble::last(
            Kind::Failure,
            format!("{shown}: {}", blotted(&other.to_string())),
        ),
    }
}

/// Whether an answer says that there is no such thing.
pub fn is_missing(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::ImageManifestNotFoundError(_) => true,
        OciDistributionError::ServerError { code, .. } => *code == 404,
        OciDistributionError::RegistryError { envelope, .. } => {
            envelope.errors.iter().any(|error| {
                matches!(
                    error.code,
                    OciErrorCode::ManifestUnknown
                        | OciErrorCode::NameUnknown
                        | OciErrorCode::BlobUnknown
                        | OciErrorCode::NotFound
                )
            })
        }
        _ => false,
    }
}
