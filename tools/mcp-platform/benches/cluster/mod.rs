//! What deploying to a cluster costs over what the cluster itself needs: the same objects by
//! `mcp-platform deploy`, and by `kubectl apply` and `kubectl rollout status`, in turn.

use std::time::Instant;

use super::{middle, spread, stand};

const TURNS: usize = 7;

pub fn deploy(file: &str) {
    let namespace = format!("bench-deploy-{}", std::process::id());
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    let surroundings = [("KUBECONFIG", file), ("MCP_STATE_DIR", state)];
    let kubectl = |rest: &[&str]| {
        stand::run(
            "kubectl",
            &[rest, &["-n", &namespace]].concat(),
            &surroundings,
        )
    };
    let ours = |rest: &[&str]| {
        let general = [
            "--backend",
            "kubernetes",
            "--namespace",
            &namespace,
            "--quiet",
        ];
        stand::run(stand::PROGRAM, &[&general, rest].concat(), &surroundings)
    };
    stand::run(
        "kubectl",
        &["create", "namespace", &namespace],
        &surroundings,
    );
    let (mut deployed, mut applied) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let name = format!("echo-{turn}");
        let what = ["echo", "--name", &name, "--image", stand::IMAGE];
        let begun = Instant::now();
        ours(&[&["deploy"], &what[..]].concat());
        deployed.push(begun.elapsed());
        ours(&["delete", &name]);

        let rendered = ours(&[&["render"], &what[..], &["--with-secrets"]].concat());
        let path = folder.path().join("objects.yaml");
        std::fs::write(&path, manageable(&rendered)).unwrap();
        let path = path.to_str().unwrap();
        let begun = Instant::now();
        kubectl(&["apply", "-f", path]);
        kubectl(&["rollout", "status", &format!("deployment/{name}")]);
        applied.push(begun.elapsed());
        kubectl(&["delete", "-f", path]);
    }
    println!("kubernetes, deploy until ready: {}", spread(&mut deployed));
    println!(
        "kubernetes, kubectl apply and rollout status: {}",
        spread(&mut applied)
    );
    println!(
        "kubernetes, deploy / kubectl: {:.1}",
        middle(&deployed) / middle(&applied)
    );
    let arguments = ["delete", "namespace", &namespace, "--wait=false"];
    stand::run("kubectl", &arguments, &surroundings);
}

/// Without the disruption budget, which the clusters of tests may be too old for; `deploy` leaves it
/// out there too.
fn manageable(rendered: &[u8]) -> String {
    let text = String::from_utf8_lossy(rendered);
    let objects = text.split("---\n");
    let kept: Vec<&str> = objects
        .filter(|object| !object.contains("\nkind: PodDisruptionBudget\n"))
        .collect();
    kept.join("---\n")
}
