//! References to container images, by the grammar of the distribution project
//! (`distribution/reference`, "Grammar"): registry with port, repository, tag, digest.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// `[registry[:port]/]repository[:tag][@algorithm:digest]`, kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference {
    /// The registry with its port, when one is named.
    pub registry: Option<String>,
    /// The path within the registry.
    pub repository: String,
    /// The tag, when one is named.
    pub tag: Option<String>,
    /// `sha256:` and 64 hexadecimal digits, when one is named.
    pub digest: Option<String>,
}

impl ImageReference {
    /// Reads a reference.
    ///
    /// # Errors
    /// It does not follow the grammar; the message says where.
    pub fn parse(text: &str) -> Result<ImageReference> {
        let wrong = |why: &str| {
            let shown: String = text.chars().take(160).collect();
            Error::invalid(format!("{shown:?} is no image reference: {why}")).hint(
                "write it as `registry:5000/path/name:tag` or `registry:5000/path/name@sha256:…`",
            )
        };
        if text.len() > 512 {
            return Err(wrong("it is longer than 512 characters"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if let Some(digest) = digest {
            let hex = digest
                .strip_prefix("sha256:")
                .ok_or_else(|| wrong("its digest is not `sha256:…`"))?;
            if hex.len() != 64 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
                return Err(wrong("its digest is not 64 hexadecimal digits"));
            }
        }
        let (registry, path) = match rest.split_once('/') {
            Some((first, path))
                if first.contains(['.', ':']) || first == "localhost" || first.starts_with('[') =>
            {
                (Some(first), path)
            }
            _ => (None, rest),
        };
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if let Some(registry) = registry
            && !is_registry(registry)
        {
            return Err(wrong("its registry is not `host` or `host:port`"));
        }
        if !repository.split('/').all(is_component) {
            return Err(wrong(
                "its path is not made of lower-case letters, digits and separators",
            ));
        }
        if let Some(tag) = tag
            && !is_tag(tag)
        {
            return Err(wrong("its tag is not `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`"));
        }
        Ok(ImageReference {
            registry: registry.map(str::to_owned),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// Without tag and digest.
    pub fn name(&self) -> String {
        match &self.registry {
            Some(registry) => format!("{registry}/{}", self.repository),
            None => self.repository.clone(),
        }
    }

    /// The same image by digest: the digest says which bytes, so the tag is left out.
    #[must_use]
    pub fn at(&self, digest: &str) -> ImageReference {
        ImageReference {
            tag: None,
            digest: Some(digest.to_owned()),
            ..self.clone()
        }
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => {
            if !host.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') {
                return false;
            }
            (host, rest.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let ported = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    ported
        && !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'))
        && !host.starts_with('-')
        && !host.ends_with('-')
}

fn is_component(text: &str) -> bool {
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    !text.is_empty()
        && bytes.first().is_some_and(&alphanumeric)
        && bytes.last().is_some_and(&alphanumeric)
        && bytes
            .iter()
            .all(|b| alphanumeric(b) || matches!(b, b'.' | b'_' | b'-'))
        && !text.contains("..")
        && !text.contains("___")
}

fn is_tag(text: &str) -> bool {
    text.len() <= 128
        && text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

impl TryFrom<String> for ImageReference {
    type Error = Error;
    fn try_from(text: String) -> Result<ImageReference> {
        ImageReference::parse(&text)
    }
}

impl From<ImageReference> for String {
    fn from(image: ImageReference) -> String {
        image.to_string()
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name())?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, registry: Option<&str>, repository: &str, tag: Option<&str>) {
        let image = ImageReference::parse(text).unwrap();
        assert_eq!(image.registry.as_deref(), registry, "{text}");
        assert_eq!(image.repository, repository, "{text}");
        assert_eq!(image.tag.as_deref(), tag, "{text}");
        assert_eq!(image.to_string(), text);
    }

    #[test]
    fn ports_tags_and_digests_are_told_apart() {
        check("echo", None, "echo", None);
        check("echo:1", None, "echo", Some("1"));
        check("library/echo:1", None, "library/echo", Some("1"));
        check("127.0.0.1:5000/echo", Some("127.0.0.1:5000"), "echo", None);
        check("[::1]:5000/a/b:x", Some("[::1]:5000"), "a/b", Some("x"));
        check(
            "localhost/echo:1.2_3-x",
            Some("localhost"),
            "echo",
            Some("1.2_3-x"),
        );
        let digest = format!("ghcr.io/a/b:1@sha256:{}", "0a".repeat(32));
        check(&digest, Some("ghcr.io"), "a/b", Some("1"));
        let at = ImageReference::parse("r.example:5000/echo:1")
            .unwrap()
            .at(&format!("sha256:{}", "00".repeat(32)));
        assert!(at.to_string().starts_with("r.example:5000/echo@sha256:00"));
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            "Echo",
            "echo:",
            "echo@sha256:12",
            "a//b",
            "/a",
            "a/",
            "host:99999/a",
            "a b",
            "a:b:c",
            "a@md5:0",
            "-a.b/c",
            "a..b",
            "echo:-x",
            "https://a.example/b",
        ] {
            assert!(ImageReference::parse(text).is_err(), "{text:?}");
        }
    }
}
