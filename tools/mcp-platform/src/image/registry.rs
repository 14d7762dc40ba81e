//! Asking a registry for an image, and giving it one.

use std::collections::HashMap;
use std::time::Duration;

use oci_client::Reference;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;

use crate::error::{Error, Kind, Result};
use crate::model::ImageReference;

use super::archive::Layout;
use super::choose::Published;
use super::{Credentials, Settings, credentials};

/// How long a registry may take to take a connection, and to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The digest under which the registry has an image.
///
/// # Errors
/// The file with credentials cannot be read.
pub async fn published(settings: &Settings, reference: &ImageReference) -> Result<Published> {
    let (client, image, auth) = session(settings, reference).await?;
    let asked = client.fetch_manifest_digest(&image, &auth);
    Ok(match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(digest)) => Published::Digest(digest),
        Ok(Err(error)) => Published::No(said(&error)),
        Err(_) => Published::No("the registry does not answer".to_owned()),
    })
}

/// The labels of a published image; none when they cannot be had.
pub async fn labels(settings: &Settings, reference: &ImageReference) -> HashMap<String, String> {
    let Ok((client, image, auth)) = session(settings, reference).await else {
        return HashMap::new();
    };
    let asked = client.pull_manifest_and_config(&image, &auth);
    let Ok(Ok((_, _, config))) = tokio::time::timeout(PATIENCE, asked).await else {
        return HashMap::new();
    };
    let document: serde_json::Value = serde_json::from_str(&config).unwrap_or_default();
    let labels = document["config"]["Labels"].as_object().cloned();
    labels
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
        .collect()
}

/// Pushes an archive; gives the digest under which it is there now.
///
/// # Errors
/// The archive is no OCI layout, or the registry does not take it.
pub async fn push(
    settings: &Settings,
    layout: &Layout,
    reference: &ImageReference,
) -> Result<String> {
    let (client, image, auth) = session(settings, reference).await?;
    let failed = |error: OciDistributionError| {
        Error::new(
            Kind::Failed,
            format!(
                "the image cannot be pushed to {reference}: {}",
                said(&error)
            ),
        )
        .hint(format!(
            "docker login {}",
            reference.registry.as_deref().unwrap_or("")
        ))
    };
    client
        .auth(&image, &auth, oci_client::RegistryOperation::Push)
        .await
        .map_err(failed)?;
    let mut digest = None;
    for document in layout.documents()? {
        for blob in &document.blobs {
            if !client.blob_exists(&image, blob).await.map_err(failed)? {
                client
                    .push_blob(&image, layout.blob(blob)?, blob)
                    .await
                    .map_err(failed)?;
            }
        }
        let at = reference.at(&document.digest);
        let media_type = http::HeaderValue::from_str(&document.media_type)
            .map_err(|_| Error::invalid("a media type of the image archive is none"))?;
        client
            .push_manifest_raw(&parse(&at)?, document.bytes, media_type)
            .await
            .map_err(failed)?;
        digest = Some(document.digest);
    }
    digest.ok_or_else(|| Error::invalid("the image archive has no image"))
}

async fn session(
    settings: &Settings,
    reference: &ImageReference,
) -> Result<(Client, Reference, RegistryAuth)> {
    // The libraries leave the choice of the cryptography to the program; a second choice is ours too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = reference.registry.as_deref().unwrap_or("docker.io");
    let protocol = if settings.is_plain(registry) {
        ClientProtocol::HttpsExcept(vec![registry.to_owned()])
    } else {
        ClientProtocol::Https
    };
    let client = Client::new(ClientConfig {
        protocol,
        connect_timeout: Some(PATIENCE),
        ..ClientConfig::default()
    });
    let auth = match credentials(&settings.docker_config, registry).await? {
        Some(Credentials::Password { username, password }) => {
            RegistryAuth::Basic(username, password.expose().to_owned())
        }
        // An identity token has to be exchanged first, which only the engine does.
        Some(Credentials::Token(_)) | None => RegistryAuth::Anonymous,
    };
    Ok((client, parse(reference)?, auth))
}

fn parse(reference: &ImageReference) -> Result<Reference> {
    Reference::try_from(reference.to_string())
        .map_err(|error| Error::invalid(format!("{reference}: {error}")))
}

/// What went wrong, in few words and without what we sent.
fn said(error: &OciDistributionError) -> String {
    match error {
        OciDistributionError::ImageManifestNotFoundError(_) => "there is no such image".to_owned(),
        OciDistributionError::AuthenticationFailure(_)
        | OciDistributionError::UnauthorizedError { .. } => "the registry refuses us".to_owned(),
        OciDistributionError::ServerError { code, .. } => format!("the registry answers {code}"),
        OciDistributionError::RegistryError { envelope, .. } => {
            let first = envelope.errors.first();
            first.map_or_else(
                || "the registry refuses".to_owned(),
                |error| format!("the registry says {:?} {}", error.code, error.message),
            )
        }
        OciDistributionError::RequestError(_) => "the registry cannot be reached".to_owned(),
        other => other.to_string(),
    }
}
