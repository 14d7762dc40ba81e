//! The real Poetry with its export plug-in, installed once for all tests.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};

/// What switches these tests on: they install some fifty packages the first time.
const SWITCH: &str = "XTASK_TEST_POETRY";

/// A file of this folder.
pub fn here(name: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/requirements")
        .join(name)
}

/// The Python that has Poetry, or `None` with a word about it when the tests are off.
pub fn python() -> Option<Utf8PathBuf> {
    static PYTHON: OnceLock<Option<Utf8PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(|| asked().then(install)).clone()
}

#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests have no World"
)]
fn asked() -> bool {
    let asked = std::env::var(SWITCH).is_ok();
    if !asked {
        println!("skipped: set {SWITCH}=1 to compare with the real Poetry");
    }
    asked
}

/// The Python that has Poetry, installed when it is not there yet.
pub fn install() -> Utf8PathBuf {
    let pinned = here("poetry.txt");
    let text = std::fs::read(&pinned).unwrap();
    let name = format!("poetry-{:08x}", crc(&text));
    let target = Utf8Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = target.join(name);
    let python = place.join("bin/python");
    if !place.join("complete").exists() {
        drop(std::fs::remove_dir_all(&place));
        run("python3", &["-m", "venv", place.as_str()], target);
        let arguments = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--requirement",
        ];
        let arguments: Vec<&str> = arguments.into_iter().chain([pinned.as_str()]).collect();
        run(&python, &arguments, target);
        std::fs::write(place.join("complete"), "").unwrap();
    }
    python
}

/// Tells pinned files apart; nothing depends on its quality.
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// Runs a program that must succeed and returns what it printed.
#[expect(clippy::disallowed_methods, reason = "tests have no World")]
pub fn run(program: impl AsRef<Path>, arguments: &[&str], folder: &Utf8Path) -> String {
    let program = program.as_ref();
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("POETRY_VIRTUALENVS_CREATE", "false")
        .output()
        .unwrap_or_else(|cause| panic!("{}: {cause}", program.display()));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} {arguments:?}: {stderr}",
        program.display()
    );
    String::from_utf8(output.stdout).unwrap()
}
