//! Installing with pip, and what its many ways to fail mean.

use camino::Utf8Path;

use crate::error::{Error, Result};
use crate::tools::is_offline;
use crate::world::files;
use crate::world::process::Command;

/// A call of pip for the environment under proof.
type Pip<'call, 'world> = dyn Fn(&[&str]) -> Command<'world> + 'call;

/// Installs a hash-locked requirements file and returns how many requirements it holds.
///
/// # Errors
/// No network: a precondition. A file that is not locked by hashes, a hash that differs, or
/// something that does not exist for this Python.
pub fn install_requirements(requirements: &Utf8Path, pip: &Pip<'_, '_>) -> Result<usize> {
    let count = count(&files::read_text(requirements)?);
    if count > 0 {
        let arguments = [
            "install",
            "--retries=2",
            "--timeout=20",
            "--require-hashes",
            "--no-deps",
            "--requirement",
            requirements.as_str(),
        ];
        run(pip(&arguments), requirements)?;
    }
    Ok(count)
}

/// Installs the wheel itself from its file.
///
/// # Errors
/// The wheel does not suit this Python or platform, or is broken.
pub fn install_wheel(wheel: &Utf8Path, pip: &Pip<'_, '_>) -> Result<()> {
    run(
        pip(&["install", "--no-deps", "--no-index", wheel.as_str()]),
        wheel,
    )
}

/// Requirement lines: neither empty, nor a comment, nor an option, nor the continuation of
/// another line.
fn count(text: &str) -> usize {
    let mut continued = false;
    let begins = text.lines().filter(|line| {
        let begins = !std::mem::replace(&mut continued, line.trim_end().ends_with('\\'));
        let line = line.trim();
        begins && !line.is_empty() && !line.starts_with(['#', '-'])
    });
    begins.count()
}

fn run(command: Command<'_>, file: &Utf8Path) -> Result<()> {
    let line = command.line();
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = format!("{}\n{}", output.stdout, output.stderr);
    Err(explain(&said, file, &line))
}

/// Turns pip's words into what went wrong and what to do.
fn explain(said: &str, file: &Utf8Path, line: &str) -> Error {
    let has = |marks: &[&str]| marks.iter().any(|mark| said.contains(mark));
    let quote = || quote(said);
    if has(&["DO NOT MATCH THE HASHES"]) {
        return Error::conflict(format!(
            "{file}: the index serves other files than were locked:{}",
            quote()
        ))
        .hint("find out who changed them before anything is released; then lock anew");
    }
    if has(&["Hashes are required", "require-hashes"]) && has(&["in --require-hashes mode"]) {
        return Error::refused(format!("{file}: a requirement has no hash:{}", quote()))
            .hint("write the file anew: `cargo xtask requirements`");
    }
    if is_offline(said) {
        return Error::precondition(format!(
            "no network: pip cannot reach the package index:{}",
            quote()
        ))
        .hint("check the network and pip's settings (`pip config list`), then run again");
    }
    if has(&[
        "requires a different Python",
        "is not a supported wheel on this platform",
    ]) {
        return Error::refused(format!("{file} does not suit this Python:{}", quote()))
            .hint("prove with a Python and on a platform the release is made for");
    }
    if has(&["No matching distribution found", "Could not find a version"]) {
        return Error::refused(format!(
            "{file}: the index has nothing that suits this Python:{}",
            quote()
        ))
        .hint("lock anew with versions that exist for every Python that `requires-python` admits");
    }
    Error::failure(format!("pip failed: {line}{}", quote()))
}

/// pip's errors, or its last lines when it calls nothing an error.
fn quote(said: &str) -> String {
    let lines = || {
        said.lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
    };
    let mut chosen: Vec<&str> = lines().filter(|line| line.starts_with("ERROR")).collect();
    if chosen.is_empty() {
        chosen = lines().collect();
        chosen.drain(..chosen.len().saturating_sub(8));
    }
    chosen
        .iter()
        .map(|line| format!("\n    | {line}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn requirements_are_counted() {
        let check = |text: &str, expected| assert_eq!(count(text), expected, "{text:?}");
        check("", 0);
        check("# nothing\n\n--only-binary :all:\n", 0);
        check(
            "a==1 \\\n    --hash=sha256:0 \\\n    --hash=sha256:1\nb==2 --hash=sha256:2\n",
            2,
        );
    }

    #[test]
    fn every_way_to_fail_has_its_own_words() {
        let check = |said: &str, kind: Kind, begins: &str| {
            let error = explain(said, Utf8Path::new("r.txt"), "pip install");
            assert_eq!(error.kind, kind, "{said}");
            assert!(error.message.starts_with(begins), "{}", error.message);
        };
        check(
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            Kind::Conflict,
            "r.txt: the index serves other files",
        );
        check(
            "ERROR: Hashes are required in --require-hashes mode, but they are missing",
            Kind::Refused,
            "r.txt: a requirement has no hash",
        );
        check(
            "WARNING: Retrying after connection broken by 'NewConnectionError'\nERROR: No matching distribution found for a==1",
            Kind::Precondition,
            "no network",
        );
        check(
            "ERROR: Package 'a' requires a different Python: 3.10.1 not in '>=3.11'",
            Kind::Refused,
            "r.txt does not suit this Python",
        );
        check(
            "ERROR: No matching distribution found for a==1",
            Kind::Refused,
            "r.txt: the index has nothing",
        );
        check("something else", Kind::Failure, "pip failed: pip install");
    }
}
