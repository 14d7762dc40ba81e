//! Which image it will be, by what was seen. Pure.

use crate::error::{Error, Kind, Result};
use crate::model::ImageReference;

/// What the registry said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// It has the image, under this digest.
    Digest(String),
    /// It does not have it, refuses, or cannot be reached: why.
    No(String),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Take the published image by its digest.
    Published(ImageReference),
    /// Take the archive of this machine.
    Archive,
    /// Build the archive, then take it.
    Build,
    /// Take what the back end has under that name already.
    Held,
}

/// Chooses, and says why in a line for people.
///
/// # Errors
/// There is nothing to choose from; every way that was tried is named.
pub fn choose(
    wanted: &ImageReference,
    published: &Published,
    archive: bool,
    build: bool,
    held: bool,
) -> Result<(Choice, String)> {
    let why = match published {
        Published::Digest(digest) => {
            let reference = wanted.at(digest);
            let line = format!("takes the published image {reference}");
            return Ok((Choice::Published(reference), line));
        }
        Published::No(why) => why,
    };
    let not = format!("{wanted} is not published ({why})");
    match (archive, build, held) {
        (true, _, _) => Ok((Choice::Archive, format!("{not}; takes the local archive"))),
        (false, true, _) => Ok((
            Choice::Build,
            format!("{not}, and there is no local archive; builds it"),
        )),
        (false, false, true) => Ok((
            Choice::Held,
            format!("{not}; takes what the engine has under that name"),
        )),
        (false, false, false) => Err(Error::new(
            Kind::Failed,
            format!("the image {wanted} cannot be had: {why}; there is no local archive, and the template does not say how to build one (image-pull)"),
        )
        .hint("give another image with --image, or set MCP_IMAGE_REGISTRY to the registry that has it")),
    }
}

/// A reference with the registry of this installation when it names none.
///
/// # Errors
/// The two together are no reference.
pub fn qualified(reference: &ImageReference, registry: Option<&str>) -> Result<ImageReference> {
    match (&reference.registry, registry) {
        (None, Some(registry)) => ImageReference::parse(&format!("{registry}/{reference}"))
            .map_err(|error| error.hint("check MCP_IMAGE_REGISTRY")),
        _ => Ok(reference.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(published: bool, archive: bool, build: bool, held: bool) -> Option<Choice> {
        let wanted = ImageReference::parse("r.example/echo:1").unwrap();
        let published = if published {
            Published::Digest(format!("sha256:{}", "0".repeat(64)))
        } else {
            Published::No("404".to_owned())
        };
        choose(&wanted, &published, archive, build, held)
            .ok()
            .map(|(choice, _)| choice)
    }

    #[test]
    fn published_before_archive_before_build() {
        let digest = format!("r.example/echo@sha256:{}", "0".repeat(64));
        let published = Choice::Published(ImageReference::parse(&digest).unwrap());
        assert_eq!(chosen(true, true, true, true), Some(published));
        assert_eq!(chosen(false, true, true, true), Some(Choice::Archive));
        assert_eq!(chosen(false, false, true, true), Some(Choice::Build));
        assert_eq!(chosen(false, false, false, true), Some(Choice::Held));
        assert_eq!(chosen(false, false, false, false), None);
    }

    #[test]
    fn a_registry_is_put_before_what_names_none() {
        let check = |text: &str, registry: Option<&str>, expected: &str| {
            let reference = ImageReference::parse(text).unwrap();
            let qualified = qualified(&reference, registry).unwrap();
            assert_eq!(qualified.to_string(), expected);
        };
        check(
            "echo:1",
            Some("r.example:5000/team"),
            "r.example:5000/team/echo:1",
        );
        check("echo:1", None, "echo:1");
        check("q.example/echo:1", Some("r.example"), "q.example/echo:1");
    }
}
