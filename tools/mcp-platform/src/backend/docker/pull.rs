//! Images of the engine: whether one is there, and how it gets there.

use std::path::Path;

use bollard::auth::DockerCredentials;
use bollard::models::{BuildInfo, ImageConfig};
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ImportImageOptionsBuilder, TagImageOptionsBuilder,
};
use bytes::BytesMut;
use futures::{TryStreamExt as _, stream};

use crate::error::{Error, Kind, Result};
use crate::image::{Credentials, Held, address};
use crate::model::{ImageReference, Spec, label};

use super::engine::Engine;
use super::record::IMAGE;
use super::refuse::{is_missing, refused};

/// The image's configuration; none when the engine does not have it.
///
/// # Errors
/// The engine cannot be asked.
pub async fn present(engine: &Engine, reference: &str) -> Result<Option<ImageConfig>> {
    match engine.docker().await?.inspect_image(reference).await {
        Ok(image) => Ok(Some(image.config.unwrap_or_default())),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(refused(&format!("the image {reference}"), error)),
    }
}

/// Every image that a specification needs, pulled when it is not there.
///
/// # Errors
/// One cannot be had; the message has the cause's word, as a status has.
pub async fn ensure_all(engine: &Engine, spec: &Spec) -> Result<()> {
    let Some(image) = &spec.run.image else {
        return Err(Error::invalid(format!(
            "the template {} names no image, so it cannot run on docker",
            spec.template
        ))
        .hint("give one with --image, or use another back end"));
    };
    ensure(engine, image).await?;
    for companion in spec.companions.iter().filter(|one| one.enabled) {
        ensure(engine, &companion.image).await?;
    }
    Ok(())
}

/// One image, pulled when it is not there.
///
/// # Errors
/// It cannot be had.
pub async fn ensure(engine: &Engine, reference: &ImageReference) -> Result<ImageConfig> {
    let name = reference.to_string();
    if let Some(config) = present(engine, &name).await? {
        return Ok(config);
    }
    pull(engine, reference).await?;
    present(engine, &name)
        .await?
        .ok_or_else(|| unavailable(&name, "it was pulled and is not there"))
}

/// Pulls an image.
///
/// # Errors
/// The registry does not have it, refuses, or cannot be reached.
pub async fn pull(engine: &Engine, reference: &ImageReference) -> Result<()> {
    let version = match (&reference.digest, &reference.tag) {
        (Some(digest), _) => digest.clone(),
        (None, Some(tag)) => tag.clone(),
        (None, None) => "latest".to_owned(),
    };
    let options = CreateImageOptionsBuilder::new()
        .from_image(&reference.name())
        .tag(&version)
        .build();
    let registry = reference.registry.as_deref().unwrap_or("docker.io");
    let credentials = crate::image::credentials(&engine.place.docker_config, registry).await?;
    let shown = credentials.is_some();
    let credentials = credentials.map(|one| for_engine(one, registry));
    let pulled: std::result::Result<Vec<_>, _> = engine
        .docker()
        .await?
        .create_image(Some(options), None, credentials)
        .try_collect()
        .await;
    match pulled.map_err(|error| refused("image pull failed", error)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind == Kind::Unavailable => Err(error),
        Err(error) => {
            let file = engine.place.docker_config.file.display().to_string();
            let why = why(&error.message, registry, &file, shown);
            Err(unavailable(&reference.to_string(), &why))
        }
    }
}

/// Why an image was not pulled, by what the engine passes on of its registry, and by whether we had
/// credentials to show.
fn why(message: &str, registry: &str, file: &str, shown: bool) -> String {
    let refused = [
        "unauthorized",
        "no basic auth credentials",
        "authentication required",
    ];
    let refused = refused.iter().any(|words| message.contains(words));
    match shown {
        true if refused => format!(
            "image pull failed: unauthorized: {registry} does not take the credentials that {file} leads to"
        ),
        false if refused => format!(
            "image pull failed: unauthorized: {registry} wants credentials, and {file} leads to none"
        ),
        // Docker Hub does not tell what is not there from what is not for us.
        false if message.contains("access denied") => {
            format!("{message}; {file} leads to no credentials for {registry}")
        }
        _ => message.to_owned(),
    }
}

fn for_engine(credentials: Credentials, registry: &str) -> DockerCredentials {
    let server = DockerCredentials {
        serveraddress: Some(address(registry).to_owned()),
        ..DockerCredentials::default()
    };
    match credentials {
        Credentials::Password { username, password } => DockerCredentials {
            username: Some(username),
            password: Some(password.expose().to_owned()),
            ..server
        },
        Credentials::Token(token) => DockerCredentials {
            identitytoken: Some(token.expose().to_owned()),
            ..server
        },
    }
}

/// Takes the archive of an image. What is loaded is called by what is in it: an archive built anew
/// is another image, even when its tags are the same.
///
/// # Errors
/// It cannot be read, or the engine does not take it.
pub async fn load(engine: &Engine, archive: &Path, name: &ImageReference) -> Result<Held> {
    let what = format!("loading {}", archive.display());
    let file = tokio::fs::File::open(archive)
        .await
        .map_err(|error| Error::invalid(format!("{}: {error}", archive.display())))?;
    let body = stream::try_unfold(file, |mut file| async move {
        let mut piece = BytesMut::with_capacity(1 << 20);
        let read = tokio::io::AsyncReadExt::read_buf(&mut file, &mut piece).await?;
        Ok::<_, std::io::Error>((read > 0).then(|| (piece.freeze(), file)))
    });
    let docker = engine.docker().await?;
    let options = ImportImageOptionsBuilder::new().build();
    let said: Vec<BuildInfo> = docker
        .import_image_stream(options, body, None)
        .try_collect()
        .await
        .map_err(|error| refused(&what, error))?;
    let loaded = said
        .iter()
        .filter_map(|info| info.stream.as_deref())
        .find_map(|line| {
            let line = line.trim();
            line.strip_prefix("Loaded image: ")
                .or_else(|| line.strip_prefix("Loaded image ID: "))
        })
        .ok_or_else(|| {
            Error::new(
                Kind::Failed,
                format!("{what}: the engine found no image in it"),
            )
        })?
        .to_owned();
    let image = docker
        .inspect_image(&loaded)
        .await
        .map_err(|error| refused(&what, error))?;
    let id = image.id.unwrap_or_default();
    let short: String = id.trim_start_matches("sha256:").chars().take(16).collect();
    let reference = ImageReference {
        tag: Some(format!("id-{short}")),
        digest: None,
        ..name.clone()
    };
    let options = TagImageOptionsBuilder::new()
        .repo(&reference.name())
        .tag(reference.tag.as_deref().unwrap_or_default())
        .build();
    docker
        .tag_image(&id, Some(options))
        .await
        .map_err(|error| refused(&what, error))?;
    Ok(Held {
        reference,
        labels: image
            .config
            .and_then(|config| config.labels)
            .unwrap_or_default(),
    })
}

fn unavailable(name: &str, why: &str) -> Error {
    Error::new(
        Kind::Failed,
        format!("the image {name} cannot be had: {why} (image-pull)"),
    )
    .hint("check its name and tag, and log in with `docker login` if its registry asks for that")
}

/// The image of records, which has nothing in it.
///
/// # Errors
/// The engine cannot make it.
pub async fn record_image(engine: &Engine) -> Result<()> {
    let mut empty = Vec::new();
    tar::Builder::new(&mut empty)
        .finish()
        .map_err(|error| Error::internal(format!("an empty archive: {error}")))?;
    let (repository, tag) = IMAGE.split_once(':').unwrap_or((IMAGE, "1"));
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo(repository)
        .tag(tag)
        .changes(vec![format!(
            "LABEL {}={}",
            label::MANAGED_BY,
            label::MANAGED_BY_VALUE
        )])
        .build();
    engine
        .docker()
        .await?
        .create_image(Some(options), Some(bollard::body_full(empty.into())), None)
        .try_collect::<Vec<_>>()
        .await
        .map_err(|error| refused("the image of records", error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_registry_said_is_called_unauthorized() {
        let why = |message, shown| why(message, "docker.io", "/c.json", shown);
        let hub = "image pull failed: pull access denied for nginy, repository does not exist or may \
                   require 'docker login': denied: requested access to the resource is denied";
        let without = why(hub, false);
        assert_eq!(
            without,
            format!("{hub}; /c.json leads to no credentials for docker.io")
        );
        assert_eq!(why(hub, true), hub);
        let basic = "image pull failed: no basic auth credentials";
        assert!(why(basic, false).ends_with("wants credentials, and /c.json leads to none"));
        assert!(why(basic, true).contains("does not take the credentials"));
        let missing = "image pull failed: manifest unknown";
        assert_eq!(why(missing, false), missing);
    }
}
