//! From what runs back to the commit.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::setting::{ARCHIVE, Setting, content, setting};
use crate::repository::Ended;

/// Traces a text on standard input.
fn traced(setting: &Setting, text: &str) -> Ended {
    let mut command = setting
        .repository
        .command(env!("CARGO_BIN_EXE_cargo-xtask"));
    let mut child = command
        .args(["trace", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_pod_and_a_container_are_traced_by_their_labels() {
    let setting = setting("");
    let archive = setting.build(&[]);
    let labels = content(&archive, "amd64").configuration["config"]["Labels"].clone();
    let commit = setting
        .repository
        .git(&["rev-parse", "HEAD"])
        .trim()
        .to_owned();
    setting.repository.git(&["tag", "v1.0.0"]);
    let check = |text: &str, released: &str, because: &str| {
        let ended = traced(&setting, text);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let trace: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(trace["released"], released, "{trace:#}");
        assert!(
            trace["because"].as_str().unwrap().contains(because),
            "{trace:#}"
        );
        assert_eq!(trace["commit"], commit.as_str(), "{trace:#}");
    };
    let container = json!([{ "Name": "/demo", "Config": { "Labels": labels } }]);
    check(
        &container.to_string(),
        "yes",
        "its commit has the tag v1.0.0",
    );
    let mut pod = json!({
        "kind": "Pod",
        "metadata": { "name": "demo-0", "namespace": "mcp", "annotations": labels },
    });
    check(
        &pod.to_string(),
        "yes",
        "it says that it runs dist/demo_server",
    );
    let yaml = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: demo\nspec:\n  template:\n    \
         metadata:\n      annotations:\n        io.mcp-shipyard.commit: {commit}\n        \
         io.mcp-shipyard.wheel.sha256: {}\n",
        labels["io.mcp-shipyard.wheel.sha256"].as_str().unwrap()
    );
    check(&yaml, "yes", "it says that it runs");
    pod["metadata"]["annotations"]["io.mcp-shipyard.wheel.sha256"] = "0".repeat(64).into();
    check(&pod.to_string(), "no", "none of those in dist/");
    let ended = traced(&setting, "kind: Pod\nmetadata: { name: other }\n");
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("io.mcp-shipyard.commit"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_archive_is_traced_by_its_bytes() {
    let setting = setting("");
    let mut archive = setting.build(&[]);
    let trace = |subject: &str| -> Value {
        let ended = setting
            .repository
            .succeeds(&["trace", subject, "--format", "json"]);
        serde_json::from_str(&ended.stdout).unwrap()
    };
    let own = trace(ARCHIVE);
    assert_eq!(
        (&own["released"], &own["kind"]),
        (&"yes".into(), &"image".into())
    );
    // Padding at the end changes the file and nothing that is in it.
    archive.extend([0; 512]);
    std::fs::write(setting.repository.root.join("other.tar"), archive).unwrap();
    let other = trace("other.tar");
    assert_eq!(
        (&other["released"], &other["kind"]),
        (&"no".into(), &"image".into())
    );
    assert_eq!(other["commit"], own["commit"]);
    assert_eq!(other["carries"], own["carries"]);
}
