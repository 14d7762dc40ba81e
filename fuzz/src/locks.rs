//! Lock files of every kind, their repair, and `release.toml`.

use camino::Utf8Path;
use xtask::error::Error;
use xtask::lockfile::repair::{Outcome, repair as mend};
use xtask::lockfile::{Dependency, Input, Kind, Lock, kind_of, poetry};

use super::files::{Files, check_error};

/// Calls `then` with an input of this kind.
fn with_input(kind: &Kind, files: &Files<'_>, then: impl FnOnce(&Input<'_>)) {
    then(&Input {
        text: files.first(),
        path: Utf8Path::new(kind.name),
        shipping_groups: &["main".to_owned()],
        beside: &|name| files.get(name).map(str::to_owned),
    });
}

/// `requirements.txt`.
pub fn requirements(bytes: &[u8]) {
    read("requirements.txt", bytes);
}

/// A reader: an error with a place, or a list whose parts fit together; twice the same.
pub fn read(name: &str, bytes: &[u8]) {
    let Some(files) = Files::of(bytes) else {
        return;
    };
    let kind = kind_of(name).expect("the name of a kind");
    with_input(kind, &files, |input| {
        let found = (kind.read)(input);
        match &found {
            Ok(lock) => check_lock(lock, input.text),
            Err(error) => check_refusal(error, kind, &files),
        }
        assert_eq!(found, (kind.read)(input), "read twice");
    });
}

/// What is wrong may also be the manifest beside it, or what that asks for.
fn check_refusal(error: &Error, kind: &Kind, files: &Files<'_>) {
    let mut names = files.named().map(|(name, _)| name);
    let place = names.find(|name| error.message.contains(name));
    check_error(error, place.unwrap_or(kind.name));
}

/// What every output relies on.
pub fn check_lock(lock: &Lock, text: &str) {
    let lines = text.split('\n').count();
    let fits = |one: &Dependency| one.package < lock.packages.len();
    assert!(lock.roots.iter().all(fits), "a root leads nowhere");
    for package in &lock.packages {
        let line = package.line;
        assert!((1..=lines).contains(&line), "line {line} of {lines}");
        assert!(!package.name.is_empty(), "a package without a name");
        assert!(
            package.dependencies.iter().all(fits),
            "an arrow leads nowhere"
        );
    }
}

/// The reader behind the export of requirements, which wants more of a `poetry.lock`.
pub fn poetry_export(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Err(error) = poetry::parse(text, "poetry.lock") {
        check_error(&error, "poetry.lock");
    }
}

/// A repair of any kind, which the first file named `kind` chooses: it only leaves lines out, and
/// what it calls repaired reads so.
pub fn repair(bytes: &[u8]) {
    let Some(files) = Files::of(bytes) else {
        return;
    };
    let name = files.get("kind").unwrap_or("poetry.lock").trim();
    let Some(kind) = kind_of(name) else { return };
    with_input(kind, &files, |input| match mend(kind, input) {
        Err(error) => check_refusal(&error, kind, &files),
        Ok(Outcome::Sound(lock)) => assert_eq!((kind.read)(input), Ok(lock)),
        Ok(Outcome::Repaired(repaired)) => {
            let mut lines = input.text.split_inclusive('\n');
            for left in repaired.text.split_inclusive('\n') {
                assert!(
                    lines.any(|line| line == left),
                    "{left:?} is not of the file"
                );
            }
            assert!(!repaired.steps.is_empty(), "repaired, but nothing was done");
            let text = repaired.text.as_str();
            let again = (kind.read)(&Input { text, ..*input });
            assert_eq!(again.map_err(|error| error.message), repaired.reads);
        }
    });
}

/// `release.toml`: every problem has a place that is in the file.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Err(error) = xtask::config::parse(text, "release.toml") else {
        return;
    };
    check_error(&error, "release.toml");
    let place = error.message.strip_prefix("release.toml:");
    let line = place.and_then(|place| place.split(':').next());
    let line: usize = line.and_then(|line| line.parse().ok()).expect("a line");
    let lines = text.split('\n').count();
    assert!(
        (1..=lines).contains(&line),
        "line {line} of {lines}: {error}"
    );
}
