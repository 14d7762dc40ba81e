//! Package URLs: the names that scanners of all worlds agree on. Pure.
//!
//! Source: purl specification and its type definitions (<https://github.com/package-url/purl-spec>).
//! Only writing is needed here, and for four types, so this is small enough to do without
//! the crate `packageurl` and its dependencies.

use std::collections::BTreeMap;
use std::fmt;

use super::address;
use crate::lockfile::{Ecosystem, Source};

/// The type of packages that no registry knows.
pub const GENERIC: &str = "generic";

/// A package URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purl {
    /// `pypi`, `npm`, `cargo`, `generic`.
    pub kind: &'static str,
    /// What the name is in, such as the scope of an npm package with its `@`.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The version; empty when there is none.
    pub version: String,
    /// More about it, by key.
    pub qualifiers: BTreeMap<&'static str, String>,
    /// A folder inside of it.
    pub subpath: String,
}

impl Purl {
    /// One without qualifiers.
    pub fn new(kind: &'static str, name: &str, version: &str) -> Purl {
        let scoped = match name.split_once('/') {
            Some((scope, rest)) if kind == "npm" && scope.starts_with('@') => Some((scope, rest)),
            _ => None,
        };
        let (namespace, name) = scoped.map_or((None, name), |(scope, rest)| (Some(scope), rest));
        Purl {
            kind,
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            version: version.to_owned(),
            qualifiers: BTreeMap::new(),
            subpath: String::new(),
        }
    }

    /// With one more qualifier.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Purl {
        self.qualifiers.insert(key, value.into());
        self
    }

    /// In the form that the type demands: npm and PyPI names have no upper case. The exact name
    /// remains what the registry knows (`JSONStream` and `jsonstream` are two packages of npm).
    #[must_use]
    pub fn canonical(&self) -> Purl {
        let mut purl = self.clone();
        if matches!(self.kind, "npm" | "pypi") {
            purl.name = purl.name.to_lowercase();
            purl.namespace = purl.namespace.map(|namespace| namespace.to_lowercase());
        }
        if self.kind == "pypi" {
            purl.name = purl.name.replace('_', "-");
        }
        purl
    }
}

/// The package URL of a locked package, its name spelled as in the registry.
///
/// What comes from git or an address keeps its ecosystem's type, with `vcs_url` or
/// `download_url`, as the specification shows it. What comes from a folder has the type
/// `generic`: no registry has it, and a scanner that matches by name would report the
/// advisories of a stranger's package.
pub fn of(
    ecosystem: Ecosystem,
    (name, version): (&str, &str),
    source: &Source,
    lock: &str,
    first_party: Option<&str>,
) -> Purl {
    let purl = Purl::new(ecosystem.purl_type(), name, version);
    let qualified = |key, value: Option<String>| match value {
        Some(value) => purl.clone().with(key, value),
        None => purl.clone(),
    };
    match source {
        Source::Registry { url: None } | Source::Bundled { .. } => purl,
        Source::Registry { url: Some(url) } => qualified("repository_url", address::public(url)),
        Source::Git { url, commit } => qualified("vcs_url", address::git(url, commit.as_deref())),
        Source::Url { url } => qualified("download_url", address::public(url)),
        Source::Path { path } | Source::Workspace { path } => {
            let mut local = Purl::new(GENERIC, name, version);
            let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
            match address::inside(lock, path) {
                Some(inside) => {
                    let origin = first_party.map(|origin| ("vcs_url", origin.to_owned()));
                    local.qualifiers.extend(origin);
                    local.subpath = inside;
                }
                None => last.clone_into(&mut local.subpath),
            }
            local
        }
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pkg:{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(formatter, "{}/", encoded(namespace, ""))?;
        }
        formatter.write_str(&encoded(&self.name, ""))?;
        if !self.version.is_empty() {
            write!(formatter, "@{}", encoded(&self.version, ""))?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            let before = if index == 0 { '?' } else { '&' };
            write!(formatter, "{before}{key}={}", encoded(value, "/"))?;
        }
        if !self.subpath.is_empty() {
            write!(formatter, "#{}", encoded(&self.subpath, "/"))?;
        }
        Ok(())
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986), the colon, and what is kept.
pub fn encoded(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-._~:".contains(character) || kept.contains(character) {
            encoded.push(character);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ecosystem: Ecosystem, name: &str, version: &str, source: &Source, expected: &str) {
        let origin = Some("git+https://h.example/r@1");
        let purl = of(ecosystem, (name, version), source, "web/a.lock", origin);
        assert_eq!(purl.canonical().to_string(), expected);
    }

    #[test]
    fn package_urls_are_written_as_the_specification_says() {
        let registry = Source::Registry { url: None };
        let pypi = Ecosystem::Pypi;
        let npm = Ecosystem::Npm;
        check(
            pypi,
            "ruamel-yaml",
            "1!2.0+local",
            &registry,
            "pkg:pypi/ruamel-yaml@1%212.0%2Blocal",
        );
        check(
            npm,
            "@scope/name",
            "1.0.0-rc.1+b",
            &registry,
            "pkg:npm/%40scope/name@1.0.0-rc.1%2Bb",
        );
        check(npm, "JSONStream", "1", &registry, "pkg:npm/jsonstream@1");
        check(
            Ecosystem::CratesIo,
            "Inflector",
            "0.1",
            &registry,
            "pkg:cargo/Inflector@0.1",
        );
        check(npm, "a/ü b", "", &registry, "pkg:npm/a%2F%C3%BC%20b");
    }

    #[test]
    fn package_urls_say_where_a_package_comes_from() {
        let (pypi, npm) = (Ecosystem::Pypi, Ecosystem::Npm);
        let git = Source::Git {
            url: "https://me:secret@h.example/o/r.git".to_owned(),
            commit: Some("abc".to_owned()),
        };
        check(
            pypi,
            "a",
            "1",
            &git,
            "pkg:pypi/a@1?vcs_url=git%2Bhttps://h.example/o/r.git%40abc",
        );
        let url = Source::Url {
            url: "https://h.example/a-1.tgz?token=secret".to_owned(),
        };
        check(
            npm,
            "a",
            "1",
            &url,
            "pkg:npm/a@1?download_url=https://h.example/a-1.tgz",
        );
        let other = Source::Registry {
            url: Some("https://r.example/index".to_owned()),
        };
        check(
            pypi,
            "a",
            "1",
            &other,
            "pkg:pypi/a@1?repository_url=https://r.example/index",
        );
        let first_party = "?vcs_url=git%2Bhttps://h.example/r%401";
        let path = Source::Path {
            path: "../libs/a b".to_owned(),
        };
        check(
            npm,
            "a",
            "1",
            &path,
            &format!("pkg:generic/a@1{first_party}#libs/a%20b"),
        );
        let home = Source::Path {
            path: "/home/me/a".to_owned(),
        };
        check(npm, "a", "1", &home, "pkg:generic/a@1#a");
        let member = Source::Workspace {
            path: ".".to_owned(),
        };
        check(
            npm,
            "a",
            "1",
            &member,
            &format!("pkg:generic/a@1{first_party}#web"),
        );
    }
}
