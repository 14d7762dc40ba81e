//! Every kind of lock file against what only somebody who means harm would write.

use std::time::{Duration, Instant};

use super::samples::read;
use super::{KINDS, Kind};

/// A file of this kind that locks one package.
fn one(kind: &Kind, name: &str, version: &str) -> String {
    match kind.name {
        "poetry.lock" => format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\noptional = false\n\
             python-versions = \"*\"\nfiles = []\n\n[metadata]\nlock-version = \"2.0\"\n\
             python-versions = \"*\"\ncontent-hash = \"0\"\n"
        ),
        "uv.lock" => format!(
            "version = 1\nrequires-python = \">=3.8\"\n\n[[package]]\nname = \"{name}\"\n\
             version = \"{version}\"\nsource = {{ registry = \"https://registry.example\" }}\n"
        ),
        "Cargo.lock" => {
            format!("version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n")
        }
        "requirements.txt" => format!("{name}=={version}\n"),
        "package-lock.json" => format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\"\": {{}},\n\"node_modules/{name}\": \
             {{\"version\": \"{version}\"}}}}}}"
        ),
        "pnpm-lock.yaml" => format!(
            "lockfileVersion: '9.0'\npackages:\n  {name}@{version}:\n    resolution: \
             {{integrity: sha512-AA}}\nsnapshots:\n  {name}@{version}: {{}}\n"
        ),
        "yarn.lock" => format!("# yarn lockfile v1\n\n\n{name}@^1:\n  version \"{version}\"\n"),
        other => panic!("there is no sample of {other}"),
    }
}

/// Reads it in a time that nothing quadratic would keep; an error has a place, a hint and a
/// length that people read.
fn treat(kind: &Kind, text: &str) -> bool {
    let start = Instant::now();
    let found = read(kind, text, &[]);
    let head: String = text.chars().take(80).collect();
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{} {head}",
        kind.name
    );
    if let Err(error) = &found {
        assert!(error.message.starts_with(kind.name), "{head}: {error}");
        assert!(!error.hints.is_empty(), "{head}: {error}");
        assert!(error.message.len() < 10_000, "{} {head}", kind.name);
    }
    found.is_ok()
}

#[test]
fn what_is_no_lock_file_is_refused() {
    for kind in KINDS {
        let refused = |text: &str| assert!(!treat(kind, text), "{}: {text:.80}", kind.name);
        assert!(treat(kind, &one(kind, "a", "1.0.0")), "{}", kind.name);
        refused(&one(kind, "a\0b", "1.0.0"));
        refused(&format!("\0{}", one(kind, "a", "1.0.0")));
        refused(&"[".repeat(1_000_000));
        refused(&"{\"a\":".repeat(200_000));
        refused(&format!("a = {}", "[".repeat(200_000)));
        refused(&format!("a: {}", "{a: ".repeat(200_000)));
        refused(&"- ".repeat(500_000));
        refused(&"a.".repeat(200_000));
        refused(&"x".repeat(5_000_000));
    }
}

#[test]
fn what_is_very_long_is_read_or_refused() {
    for kind in KINDS {
        for long in [
            "9".repeat(10_000),
            format!("1{}", ".1".repeat(5_000)),
            "1".repeat(1_000_000),
        ] {
            treat(kind, &one(kind, "a", &long));
            treat(kind, &one(kind, &format!("a{long}"), "1.0.0"));
            // The same again, so that a name of this length stands in an error.
            let text = one(kind, &format!("a{long}"), "1.0.0");
            treat(kind, &format!("{text}{text}"));
        }
    }
}
