//! Every object of every case against the strict schemas of Kubernetes: the oldest and the newest
//! version that `kubernetes-validate` carries, and one between where something changed.
//!
//! Switched on by `MCP_TEST_SLOW=1`; needs Python and a package index.

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::cases::every;
use crate::engine::{say, variable};

/// Reads a JSON list of objects and YAML texts; prints what is wrong.
const CHECK: &str = r#"
import json, pathlib, re, sys
import kubernetes_validate, yaml
folder = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
versions = sorted({tuple(map(int, re.findall(r"\d+", path.name)[:2])) for path in folder.iterdir()})
wanted = [f"{major}.{minor}" for major, minor in (versions[0], versions[-1])]
count = 0
seen = set()
for word, objects, text in json.load(sys.stdin):
    written = [one for one in yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if one is not None]
    if written != [one for one in objects if one["kind"] != "Secret"]:
        print(f"{word}: the YAML does not say what the objects say")
    for one in objects:
        key = json.dumps(one, sort_keys=True)
        if one["kind"] == "BackendConfig" or key in seen:
            continue
        seen.add(key)
        for version in wanted:
            try:
                kubernetes_validate.validate(one, version, strict=True)
                count += 1
            except Exception as error:
                print(f"{word}: {version}: {one['kind']} {one['metadata']['name']}: {error}"[:600])
print(f"checked {count} against {' and '.join(wanted)}", file=sys.stderr)
"#;

#[tokio::test]
async fn every_object_keeps_the_strict_schemas() {
    if variable("MCP_TEST_SLOW").as_deref() != Some("1") {
        say("switched off: schemas of Kubernetes; set MCP_TEST_SLOW=1");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&place)).await;
    let requirements = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/manifest/requirements.txt"
    );
    let python = place.join("bin/python");
    run(Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
        ])
        .arg(requirements))
    .await;
    let cases: Vec<_> = every()
        .iter()
        .map(|case| (case.word.clone(), case.objects(), case.text()))
        .collect();
    let mut child = Command::new(&python)
        .args(["-c", CHECK])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = serde_json::to_vec(&cases).unwrap();
    let writing = tokio::spawn(async move { input.write_all(&text).await });
    let done = child.wait_with_output().await.unwrap();
    writing.await.unwrap().unwrap();
    let (wrong, told) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{told}");
    assert!(wrong.is_empty(), "{wrong}");
    say(told.trim());
}

async fn run(command: &mut Command) {
    let done = command.kill_on_drop(true).output().await.unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
