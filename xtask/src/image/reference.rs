//! How a base image is named: in a registry or as an OCI layout on this disk, by its digest.

use camino::Utf8PathBuf;
use oci_client::Reference;

use crate::artifact::Digest;
use crate::error::{Error, Result};

/// How a layout on the disk begins.
const LAYOUT: &str = "oci:";

/// Where a base is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a registry.
    Registry(Remote),
    /// A folder or a tar archive with an OCI layout in it.
    Layout {
        /// The folder or the archive.
        path: Utf8PathBuf,
        /// Which of the images in it; needed when there are several.
        digest: Option<Digest>,
    },
}

/// A base in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The registry, such as `docker.io`.
    pub host: String,
    /// The repository, such as `library/python`.
    pub repository: String,
    /// The tag, which only people read once there is a digest.
    pub tag: Option<String>,
    /// The digest of an image or of the list of its platforms.
    pub digest: Option<Digest>,
}

impl Remote {
    /// The name without the digest.
    pub fn name(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}"));
        format!(
            "{}/{}{}",
            self.host,
            self.repository,
            tag.unwrap_or_default()
        )
    }
}

/// Reads `python:3.13-slim@sha256:…`, `host/name@sha256:…` or `oci:PATH[@sha256:…]`.
///
/// # Errors
/// None of these, or a digest that is no sha256.
pub fn parse(text: &str) -> Result<Place> {
    let wrong = |what: &str| {
        Error::usage(format!("the base {text:?} {what}"))
            .hint("name one by its digest: docker.io/library/python:3.13-slim@sha256:…")
            .hint("or an OCI layout on this disk: oci:PATH[@sha256:…]")
    };
    let digest = |text: &str| Digest::parse(text).map_err(|error| wrong(&error.message));
    if let Some(rest) = text.strip_prefix(LAYOUT) {
        let (path, stated) = match rest.rsplit_once("@sha256:") {
            Some((path, stated)) => (path, Some(digest(stated)?)),
            None => (rest, None),
        };
        if path.is_empty() {
            return Err(wrong("names no folder or archive"));
        }
        return Ok(Place::Layout {
            path: path.into(),
            digest: stated,
        });
    }
    let reference: Reference = text
        .parse()
        .map_err(|cause| wrong(&format!("is no name of an image: {cause}")))?;
    // Without either the client means the tag `latest`, which nobody has written.
    let stated = reference.digest().map(digest).transpose()?;
    Ok(Place::Registry(Remote {
        host: reference.registry().to_owned(),
        repository: reference.repository().to_owned(),
        tag: reference.tag().map(str::to_owned),
        digest: stated,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b";

    #[test]
    fn a_base_is_in_a_registry_or_on_the_disk() {
        let check = |text: &str, name: &str, digest: bool| {
            let text = text.replace("HEX", HEX);
            match parse(&text).unwrap() {
                Place::Registry(remote) => {
                    assert_eq!(remote.name(), name);
                    assert_eq!(remote.digest.is_some(), digest, "{text}");
                }
                Place::Layout {
                    path,
                    digest: stated,
                } => {
                    assert_eq!(path, name);
                    assert_eq!(stated.is_some(), digest, "{text}");
                }
            }
        };
        check(
            "python:3.13-slim@sha256:HEX",
            "docker.io/library/python:3.13-slim",
            true,
        );
        check(
            "python:3.13-slim",
            "docker.io/library/python:3.13-slim",
            false,
        );
        check("127.0.0.1:5000/a/b@sha256:HEX", "127.0.0.1:5000/a/b", true);
        check("oci:../base images/ä.tar", "../base images/ä.tar", false);
        check("oci:base@home@sha256:HEX", "base@home", true);
    }

    #[test]
    fn what_is_neither_is_refused_with_the_form() {
        for text in [
            "",
            "oci:",
            "oci:a@sha256:12",
            "UPPER",
            "a@sha256:12",
            "a b",
            "../a",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.hints[0].contains("@sha256:"), "{text}: {error:?}");
        }
    }
}
