//! What `render` prints, kept in `examples/rendered` for readers and reviewers: a change of the
//! objects is a change of these files.

#![expect(
    clippy::disallowed_methods,
    reason = "runs the program, and reads the one variable that lets it write"
)]

use std::path::Path;
use std::process::Command;

/// Writes the files instead of comparing them.
const WRITE: &str = "MCP_WRITE_RENDERED";

/// File, template, and what is asked for besides.
const CASES: [(&str, &str, &[&str]); 6] = [
    ("echo.plain.yaml", "echo", &["--replicas", "2"]),
    (
        "echo.nginx.yaml",
        "echo",
        &[
            "--profile",
            "nginx",
            "--autoscaling",
            "--expose",
            "ingress",
            "--ingress-host",
            "echo.example.org",
            "--tls-secret",
            "echo-tls",
        ],
    ),
    ("mcp-server-jupyter.plain.yaml", "mcp-server-jupyter", &[]),
    (
        "mcp-server-jupyter.gke.yaml",
        "mcp-server-jupyter",
        &[
            "--profile",
            "gke",
            "--expose",
            "ingress",
            "--ingress-host",
            "jupyter.example.org",
        ],
    ),
    ("notes.plain.yaml", "notes", &[]),
    (
        "notes.eks.yaml",
        "notes",
        &["--profile", "eks", "--expose", "load-balancer"],
    ),
];

fn render(template: &str, rest: &[&str]) -> String {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/templates");
    let output = Command::new(env!("CARGO_BIN_EXE_mcp-platform"))
        .env_clear()
        .args(["--quiet", "--templates", examples, "render", template])
        .args(["--name", template])
        .args(rest)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{template} {rest:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_rendered_examples_are_what_render_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rendered");
    let write = std::env::var_os(WRITE).is_some();
    for (file, template, rest) in CASES {
        let path = folder.join(file);
        let rendered = render(template, rest);
        if write {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &rendered).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let first = kept
            .lines()
            .zip(rendered.lines())
            .position(|(kept, rendered)| kept != rendered);
        assert!(
            kept == rendered,
            "{} is not what render prints, from line {} on; {WRITE}=1 writes it anew",
            path.display(),
            first.map_or(0, |line| line + 1)
        );
    }
}
