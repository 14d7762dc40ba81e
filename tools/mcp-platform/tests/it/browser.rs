//! The dashboard in a real browser against the real program. What is done and seen there is in
//! `tests/browser/`; here it is only started. Switched on by `MCP_TEST_BROWSER=1`; needs Node.js,
//! npm and Chromium.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(600);

#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests are switched on by the environment, and say so when they are off"
)]
fn switched_on() -> bool {
    let on = std::env::var("MCP_TEST_BROWSER").is_ok_and(|value| value == "1");
    if !on {
        eprintln!("switched off: tests in a real browser; set MCP_TEST_BROWSER=1");
    }
    on
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// Runs a program to its end in the folder of the browser tests and returns what it said.
async fn run(program: &str, words: &[&str]) -> String {
    let child = Command::new(program)
        .args(words)
        .current_dir(folder())
        .env("MCP_PLATFORM", env!("CARGO_BIN_EXE_mcp-platform"))
        .kill_on_drop(true)
        .output();
    let done = tokio::time::timeout(PATIENCE, child)
        .await
        .unwrap_or_else(|_| panic!("{program} took more than {PATIENCE:?}"))
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(done.status.success(), "{program} {words:?}: {said}");
    said
}

#[tokio::test]
async fn a_person_steers_servers_at_the_dashboard() {
    if !switched_on() {
        return;
    }
    if !folder().join("node_modules/playwright-core").is_dir() {
        run(
            "npm",
            &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        )
        .await;
    }
    let said = run("node", &["main.js"]).await;
    assert!(said.contains("ok "), "{said}");
}
