//! What the tests of the readers share: reading with files beside, and a short form to compare.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::{Ecosystem, Input, Kind, Lock, Package, Scope, Source};
use crate::error::Result;

/// Reads a text with these files beside it, `main` being the group that ships.
pub fn read(kind: &Kind, text: &str, beside: &[(&str, &str)]) -> Result<Lock> {
    let beside = |path: &str| {
        let found = beside.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned())
    };
    (kind.read)(&Input {
        text,
        path: Utf8Path::new(kind.name),
        shipping_groups: &["main".to_owned()],
        beside: &beside,
    })
}

/// The message of the error, which must have a hint.
pub fn problem(kind: &Kind, text: &str, beside: &[(&str, &str)]) -> String {
    let error = read(kind, text, beside).expect_err(text);
    assert!(!error.hints.is_empty(), "{error} has no hint");
    error.message
}

/// A package in a line: `3 name 1.0 registry [main] ships > other 2.0`.
pub fn short(lock: &Lock, package: &Package) -> String {
    let source = match &package.source {
        Source::Registry { url: None } => "registry".to_owned(),
        Source::Registry { url: Some(url) } => format!("registry {url}"),
        Source::Git { url, commit } => format!("git {url} {}", commit.as_deref().unwrap_or("-")),
        Source::Path { path } => format!("path {path}"),
        Source::Url { url } => format!("url {url}"),
        Source::Workspace { path } => format!("workspace {path}").trim_end().to_owned(),
        Source::Bundled { by } => format!("bundled {by}"),
    };
    let scope = match package.scope {
        Scope::Ships => "ships",
        Scope::Development => "dev",
    };
    let mut text = format!(
        "{} {} {} {source} [{}] {scope}",
        package.line,
        package.name,
        package.version,
        package.groups.join(",")
    );
    for arrow in &package.dependencies {
        let other = &lock.packages[arrow.package];
        text.push_str(&format!(" > {} {}", other.name, other.version));
        text.push_str(arrow.constraint.as_deref().unwrap_or(""));
    }
    text
}

/// All packages in lines.
pub fn all(lock: &Lock) -> Vec<String> {
    lock.packages
        .iter()
        .map(|package| short(lock, package))
        .collect()
}

/// All roots: `main: name 1.0 ^1`.
pub fn roots(lock: &Lock) -> Vec<String> {
    let root = |root: &super::Dependency| {
        let package = &lock.packages[root.package];
        format!(
            "{}: {} {} {}",
            root.group.as_deref().unwrap_or("-"),
            package.name,
            package.version,
            root.constraint.as_deref().unwrap_or("-")
        )
    };
    lock.roots.iter().map(root).collect()
}

/// The folder with real files, where there is one.
pub fn shared() -> Option<Utf8PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test may look where the real files are"
    )]
    let named = std::env::var("XTASK_SHARED_DATA")
        .ok()
        .map(Utf8PathBuf::from);
    let beside = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    named
        .or(Some(beside))
        .filter(|folder| folder.join("locks").is_dir())
}

/// Reads each real lock file whose name begins so, and checks it against what is known of it:
/// how many blocks of packages it has by counting lines, and which packages have advisories.
pub fn check_real(kind: &Kind, prefix: &str, count: fn(&str) -> usize) -> Vec<(String, Lock)> {
    let Some(shared) = shared() else {
        return Vec::new();
    };
    let mut read = Vec::new();
    let folders = shared.join("locks").read_dir_utf8().unwrap();
    for folder in folders.map(|entry| entry.unwrap().into_path()) {
        let name = folder.file_name().unwrap().to_owned();
        if !name.starts_with(prefix) {
            continue;
        }
        let text = std::fs::read_to_string(folder.join(kind.name)).unwrap();
        let lock = (kind.read)(&Input {
            text: &text,
            path: Utf8Path::new(kind.name),
            shipping_groups: &["main".to_owned()],
            beside: &|path| std::fs::read_to_string(folder.join(path)).ok(),
        });
        let lock = lock.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(lock.packages.len(), count(&text), "{name}");
        let lines: Vec<&str> = text.lines().collect();
        for package in &lock.packages {
            let line = lines[package.line - 1];
            let is_begin = line == "[[package]]" || line.starts_with(&package.name);
            assert!(is_begin, "{name}: {} begins with {line}", package.name);
        }
        check_expected(&shared.join("expected").join(format!("{name}.json")), &lock);
        read.push((name, lock));
    }
    assert!(!read.is_empty(), "there is no real lock file {prefix}…");
    read
}

fn check_expected(file: &Utf8Path, lock: &Lock) {
    let Ok(text) = std::fs::read_to_string(file) else {
        return;
    };
    let findings: Vec<Value> = serde_json::from_str(&text).unwrap();
    for finding in &findings {
        let text = |key: &str| finding[key].as_str().unwrap();
        let name = match lock.ecosystem {
            Ecosystem::Pypi => crate::name::normalize(text("package")),
            _ => text("package").to_owned(),
        };
        let same = |package: &&Package| package.name == name && package.version == text("version");
        let package = lock.packages.iter().find(same);
        let package = package.unwrap_or_else(|| panic!("{file}: {name} is not there"));
        let is_registry = matches!(package.source, Source::Registry { .. });
        match finding.get("source").and_then(|source| source[0].as_str()) {
            Some("url") => assert!(matches!(package.source, Source::Url { .. }), "{name}"),
            Some("git") => assert!(matches!(package.source, Source::Git { .. }), "{name}"),
            Some(other) => panic!("{file}: {name} comes from {other}"),
            None => assert!(is_registry, "{file}: {name} {:?}", package.source),
        }
    }
}
