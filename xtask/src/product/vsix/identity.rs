//! Who a `.vsix` says that it is: publisher, name, version, platform. Pure.
//!
//! Registries read it from `extension.vsixmanifest` inside the container, so this does too.

use std::fmt;

use super::container;
use crate::error::{Error, Result};
use crate::gate::extension::{attribute_value, element};

/// Where it stands.
const MANIFEST: &str = "extension.vsixmanifest";

/// What registries call a package for every platform, where they call it something.
pub const UNIVERSAL: &str = "universal";

/// What a registry knows one file by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The publisher, which is also the namespace.
    pub publisher: String,
    /// The extension's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The platform it was built for, when it was built for one.
    pub platform: Option<String>,
}

impl Identity {
    /// `publisher.name`.
    pub fn extension(&self) -> String {
        format!("{}.{}", self.publisher, self.name)
    }

    /// The platform as registries call it.
    pub fn target(&self) -> &str {
        self.platform.as_deref().unwrap_or(UNIVERSAL)
    }

    /// Whether a version that a registry states is this one.
    pub fn is(&self, version: &str, platform: Option<&str>) -> bool {
        let platform = platform.filter(|platform| !platform.is_empty());
        self.version == version && self.target() == platform.unwrap_or(UNIVERSAL)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity {
            publisher,
            name,
            version,
            platform,
        } = self;
        write!(formatter, "{publisher}.{name}@{version}")?;
        match platform {
            Some(platform) => write!(formatter, "@{platform}"),
            None => Ok(()),
        }
    }
}

/// Reads who a container says that it is; `file` names it in errors.
///
/// # Errors
/// It says it nowhere, or with characters that no registry takes.
pub fn read(bytes: &[u8], file: &str) -> Result<Identity> {
    let entries = container::read(bytes)?;
    let wrong = |what: String| {
        Error::failure(format!("{file}: {what}")).hint("package it again: cargo xtask package")
    };
    let manifest = entries.get(MANIFEST);
    let manifest = manifest.ok_or_else(|| wrong(format!("has no {MANIFEST}")))?;
    let xml = String::from_utf8_lossy(&manifest.content);
    let identity = element(&xml, "Identity");
    let identity = identity.ok_or_else(|| wrong(format!("{MANIFEST} has no <Identity>")))?;
    let attribute = |name: &str| match attribute_value(identity, name) {
        Some(value) if !is_plain(value) => Err(wrong(format!("{MANIFEST}: {name} is {value:?}"))),
        value => Ok(value.map(str::to_owned)),
    };
    let required =
        |name: &str| attribute(name)?.ok_or_else(|| wrong(format!("{MANIFEST} states no {name}")));
    let platform = attribute("TargetPlatform")?;
    Ok(Identity {
        publisher: required("Publisher")?,
        name: required("Id")?,
        version: required("Version")?,
        platform: platform.filter(|platform| platform != UNIVERSAL),
    })
}

/// What may stand in an address as it is.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    let dots = text.chars().all(|c| c == '.');
    !dots && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use container::Entry;

    fn vsix(manifest: &str) -> Vec<u8> {
        let entry = Entry {
            content: manifest.as_bytes().to_vec(),
            executable: false,
        };
        container::write(&[(MANIFEST.to_owned(), entry)].into(), 0).unwrap()
    }

    fn stated(rest: &str) -> String {
        let identity = format!("<Identity Language=\"en\" Id=\"n\" Version=\"1.0.0\" {rest}/>");
        let xml = format!("<Metadata><!-- <Identity Id=\"x\"/> -->{identity}</Metadata>");
        match read(&vsix(&xml), "a.vsix") {
            Ok(identity) => identity.to_string(),
            Err(error) => error.message,
        }
    }

    #[test]
    fn it_is_read_from_the_manifest_inside() {
        let check = |rest: &str, expected: &str| assert_eq!(stated(rest), expected);
        check("Publisher=\"p\"", "p.n@1.0.0");
        check(
            "Publisher=\"p\" TargetPlatform=\"linux-x64\"",
            "p.n@1.0.0@linux-x64",
        );
        check("Publisher=\"p\" TargetPlatform=\"universal\"", "p.n@1.0.0");
        check("", "a.vsix: extension.vsixmanifest states no Publisher");
        for wrong in ["", "a/b", "..", "a b", "a?b", "&amp;"] {
            let text = format!("a.vsix: extension.vsixmanifest: Publisher is {wrong:?}");
            check(&format!("Publisher=\"{wrong}\""), &text);
        }
        let nothing = read(&vsix("<x/>"), "a.vsix").unwrap_err();
        assert!(nothing.message.ends_with("has no <Identity>"));
        read(b"no zip", "a.vsix").unwrap_err();
    }

    #[test]
    fn no_platform_is_every_platform() {
        let check = |mine: Option<&str>, theirs: Option<&str>, expected| {
            let identity = Identity {
                publisher: "p".to_owned(),
                name: "n".to_owned(),
                version: "1.0.0".to_owned(),
                platform: mine.map(str::to_owned),
            };
            assert_eq!(
                identity.is("1.0.0", theirs),
                expected,
                "{mine:?} {theirs:?}"
            );
            assert!(!identity.is("1.0.1", theirs));
        };
        for none in [None, Some(""), Some("universal")] {
            check(None, none, true);
            check(Some("web"), none, false);
        }
        check(Some("web"), Some("web"), true);
        check(None, Some("web"), false);
    }
}
