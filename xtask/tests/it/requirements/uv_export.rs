//! Exports of `uv.lock` compared with those of uv itself, on a lock file that it makes now.

use camino::{Utf8Path, Utf8PathBuf};

use super::super::repository::{Repository, ended, slow};

/// Forks of the resolution, extras of packages, groups, and an extra that includes another.
const PROJECT: &str = r#"[project]
name = "lock-demo"
version = "1"
requires-python = ">=3.10"
dependencies = [
  "mcp>=1.9,<2",
  "numpy<2.1 ; python_version < '3.11'",
  "numpy>=2.2 ; python_version >= '3.11'",
  "httpx[http2,socks]",
  "uvicorn[standard]",
  "pywin32 ; sys_platform == 'win32'",
]
[project.optional-dependencies]
plot = ["contourpy"]
all = ["lock-demo[plot]", "requests[socks]"]
[dependency-groups]
dev = ["pytest", "ipython", {include-group = "lint"}]
lint = ["black[d]"]
"#;

/// The uv that publishing uses, with the digests that are checked in.
fn uv(repository: &Repository) -> Utf8PathBuf {
    let pinned = include_str!("../../../tools/publish.txt");
    let lines = pinned.lines().skip_while(|line| !line.starts_with("uv=="));
    let mut lines = lines.peekable();
    let mut text = format!("{}\n", lines.next().unwrap());
    while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
        text.push_str(&format!("{line}\n"));
    }
    repository.write("uv.txt", &text);
    let environment = repository.root.join("environment");
    let run = |program: &str, arguments: &[&str]| {
        let ended = ended(repository.command(program).args(arguments));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    };
    run("python3", &["-m", "venv", environment.as_str()]);
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--no-deps",
        "-r",
        "uv.txt",
    ];
    run(environment.join("bin/python").as_str(), &install);
    environment.join("bin")
}

#[test]
fn an_export_means_what_uv_writes() {
    if !slow() {
        return;
    }
    let repository = Repository::folder("uv");
    let programs = uv(&repository);
    repository.write("pyproject.toml", PROJECT);
    let run = |program: &Utf8Path, arguments: &[&str]| {
        let ended = ended(repository.command(program.as_str()).args(arguments));
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    };
    let uv = programs.join("uv");
    run(&uv, &["lock", "--quiet"]);
    let compare = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/requirements/same_meaning.py"
    );
    let choices: [(&[&str], &[&str]); 3] = [
        (&["--no-dev"], &[]),
        (
            &["--group", "dev", "--extra", "all"],
            &["--group", "main,dev", "--extra", "all"],
        ),
        (&["--only-group", "lint"], &["--group", "lint"]),
    ];
    for (theirs, ours) in choices {
        let mut arguments = vec!["export", "--quiet", "--format", "requirements-txt"];
        arguments.extend(["--no-emit-project", "--output-file", "theirs.txt"]);
        arguments.extend(theirs);
        run(&uv, &arguments);
        let mut arguments = vec![
            "requirements",
            "--root",
            ".",
            "--project",
            ".",
            "-o",
            "ours.txt",
        ];
        arguments.extend(ours);
        repository.succeeds(&arguments);
        run(
            &programs.join("python"),
            &[compare, "ours.txt", "theirs.txt"],
        );
    }
}
