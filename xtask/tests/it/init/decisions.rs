//! What `init` finds, and what it writes about it.

use serde_json::Value;

use super::super::repository::Repository;
use super::shape;

fn plan(repository: &Repository, arguments: &[&str]) -> Value {
    let mut all = vec!["init", "--format", "json"];
    all.extend(arguments);
    let ended = repository.succeeds(&all);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn changes(plan: &Value) -> Vec<String> {
    let list = plan["changes"].as_array().unwrap().iter();
    let word = |key: &str, change: &Value| change[key].as_str().unwrap().to_owned();
    list.map(|change| format!("{} {}", word("way", change), word("path", change)))
        .collect()
}

fn text(repository: &Repository, path: &str) -> String {
    String::from_utf8(repository.read(path)).unwrap()
}

fn configuration(repository: &Repository) -> xtask::config::Config {
    xtask::config::parse(&text(repository, "release.toml"), "release.toml").unwrap()
}

/// uv writes the project's own version into its lock file, and refuses one that says another.
#[test]
fn the_lock_file_of_uv_states_the_version_too() {
    let repository = shape("hatchling", "locked");
    let manifest = text(&repository, "pyproject.toml");
    let stated = manifest.replace("dynamic = [\"version\"]", "version = \"0.3.0\"");
    repository.write("pyproject.toml", &stated);
    let lock = text(&repository, "uv.lock");
    let own = "name = \"versions-server\"\n";
    let with_version = lock.replace(own, &format!("{own}version = \"0.3.0\"\n"));
    repository.write("uv.lock", &with_version);
    repository.commit();
    plan(&repository, &[]);
    let files = ["pyproject.toml", "versions_server/__init__.py", "uv.lock"];
    assert_eq!(configuration(&repository).version.files, files);
    repository.succeeds(&["version", "--check"]);
    repository.commit();
    repository.succeeds(&["version", "--bump", "0.4.0"]);
    let expected = with_version.replace("\"0.3.0\"", "\"0.4.0\"");
    assert_eq!(text(&repository, "uv.lock"), expected);
}

#[test]
fn a_server_alone() {
    let repository = shape("hatchling", "größer mit leerzeichen");
    let plan = plan(&repository, &[]);
    assert_eq!(
        changes(&plan),
        [
            "create release.toml",
            "create .github/workflows/ci.yml",
            "create .github/workflows/release.yml",
            "create .gitignore"
        ]
    );
    assert_eq!(
        (&plan["schema"], &plan["written"]),
        (&1.into(), &true.into())
    );
    let config = configuration(&repository);
    assert_eq!(
        (config.name.as_str(), config.server.path.as_str()),
        ("versions-server", ".")
    );
    assert_eq!(
        config.prove.call.tool, "is_version",
        "`newest` needs an argument"
    );
    assert_eq!(config.version.files, ["versions_server/__init__.py"]);
    assert!(config.extension.is_none() && config.server.lock.is_none());
    let release = text(&repository, ".github/workflows/release.yml");
    assert!(
        !release.contains("setup-node") && !release.contains("publish --to"),
        "{release}"
    );
}

#[test]
fn setuptools_with_src() {
    let repository = shape("setuptools", "one");
    plan(&repository, &[]);
    let config = configuration(&repository);
    assert_eq!(config.version.files, ["src/versions_server/__init__.py"]);
}

#[test]
fn an_extension_in_another_folder() {
    let repository = shape("poetry", "one");
    repository.write(
        "package.json",
        "{\"engines\": {\"vscode\": \"*\"}, \"main\": \"./out/gone.js\"}",
    );
    repository.write("CHANGELOG.md", "# Changelog\n\n## [1.2.0]\n\n- First.\n");
    repository.commit();
    let before = text(&repository, "editor/vscode/package.json");
    let plan = plan(&repository, &[]);
    assert_eq!(
        changes(&plan),
        [
            "create release.toml",
            "create .github/workflows/ci.yml",
            "create .github/workflows/release.yml",
            "create editor/vscode/scripts/xtask.cjs",
            "create editor/vscode/.vscodeignore",
            "add editor/vscode/package.json",
            "create .gitignore"
        ]
    );
    let config = configuration(&repository);
    let extension = config.extension.unwrap();
    assert_eq!(
        extension.path, "editor/vscode",
        "the dead manifest at the top is none"
    );
    assert_eq!(config.server.path, "server");
    assert_eq!(config.changelog.unwrap(), "CHANGELOG.md");
    assert_eq!(
        config.gate.allow,
        ["readme.md", "LICENSE.txt", "icon.png", "extension.js"]
    );
    let files = [
        "server/pyproject.toml",
        "editor/vscode/package.json",
        "editor/vscode/package-lock.json",
    ];
    assert_eq!(config.version.files, files);
    let after = text(&repository, "editor/vscode/package.json");
    let mut left = after.chars();
    assert!(
        before
            .chars()
            .all(|wanted| left.any(|found| found == wanted)),
        "{after}"
    );
    let manifest: Value = serde_json::from_str(&after).unwrap();
    assert_eq!(
        manifest["scripts"]["vscode:prepublish"],
        "npm run bundle-server && npm run check-package"
    );
    assert!(text(&repository, ".gitignore").contains("/editor/vscode/python_server/\n"));
}

#[test]
fn targets_come_with_their_jobs_and_no_others() {
    let repository = shape("poetry", "one");
    repository.git(&[
        "remote",
        "add",
        "origin",
        "git@github.com:Owner/versions.git",
    ]);
    plan(
        &repository,
        &[
            "--target", "pypi", "--target", "github", "--target", "open-vsx",
        ],
    );
    let config = configuration(&repository);
    let profile = config
        .publish
        .profiles
        .iter()
        .find(|one| one.name == "production");
    assert!(profile.is_some());
    let text = text(&repository, ".github/workflows/release.yml");
    let jobs: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| !name.starts_with(' '))
        .skip_while(|name| *name != "build")
        .collect();
    assert_eq!(
        jobs,
        [
            "build", "attest", "draft", "pypi", "open-vsx", "finish", "verify"
        ]
    );
    let needs: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    needs: "))
        .collect();
    let expected = [
        "build",
        "[build]",
        "[build, draft]",
        "[build, draft]",
        "[build, attest, draft, pypi, open-vsx]",
        "[build, finish]",
    ];
    assert_eq!(needs, expected);
    assert!(
        !text.contains("@@") && !text.contains("packages: write"),
        "{text}"
    );
    assert!(text.contains("setup-node@"), "the extension is packaged");
}

#[test]
fn actions_are_pinned_as_those_of_this_repository() {
    let repository = shape("poetry", "one");
    repository.git(&[
        "remote",
        "add",
        "origin",
        "https://github.com/owner/versions",
    ]);
    plan(&repository, &["--target", "pypi", "--target", "mcp"]);
    let workflows = super::workspace().join(".github/workflows");
    let own: String = ["ci.yml", "release.yml"]
        .map(|name| std::fs::read_to_string(workflows.join(name)).unwrap())
        .concat();
    for name in ["ci", "release"] {
        let text = text(&repository, &format!(".github/workflows/{name}.yml"));
        for line in text.lines().filter(|line| line.contains("uses:")) {
            let pinned = line.trim().trim_start_matches("- ");
            assert!(own.contains(pinned), "{pinned}");
        }
    }
    let name = configuration(&repository).mcp.unwrap().name;
    assert_eq!(name, "io.github.owner/versions-server");
}

#[test]
fn a_plan_writes_nothing_and_a_second_run_replaces_only_when_told() {
    let repository = shape("hatchling", "one");
    let before = super::tree(&repository);
    plan(&repository, &["--plan"]);
    assert!(before == super::tree(&repository));
    repository.succeeds(&["init"]);
    let words = [
        "3 file(s) exist already: release.toml, .github/workflows/ci.yml",
        "--force",
    ];
    super::refuses(&repository, &[], 5, &words);
    let first = super::tree(&repository);
    repository.write("release.toml", "schema = 1\n");
    repository.write("other.toml", "x = 1\n");
    repository.succeeds(&["init", "--force"]);
    std::fs::remove_file(repository.root.join("other.toml")).unwrap();
    assert!(first == super::tree(&repository));
}

#[test]
fn hooks_are_added_with_the_line_ends_there_are_and_only_once() {
    let repository = shape("poetry", "one");
    let path = "editor/vscode/package.json";
    let crlf = text(&repository, path).replace('\n', "\r\n");
    repository.write(path, &crlf);
    repository.write(".gitignore", "node_modules\r\ndist/\r\n");
    repository.commit();
    repository.succeeds(&["init"]);
    let changed = text(&repository, path);
    assert!(!changed.replace("\r\n", "").contains('\n'), "{changed:?}");
    let ignored = "node_modules\r\ndist/\r\n/target/\r\n/editor/vscode/python_server/\r\n";
    assert_eq!(text(&repository, ".gitignore"), ignored);
    let script = "editor/vscode/scripts/xtask.cjs";
    let tag = concat!("--tag v", env!("CARGO_PKG_VERSION"), " xtask");
    assert!(text(&repository, script).contains(tag));
    // A run that was killed in between leaves nothing that a later one does not finish.
    std::fs::remove_file(repository.root.join(script)).unwrap();
    repository.succeeds(&["init", "--force"]);
    assert!(text(&repository, script).contains(tag));
    assert_eq!(text(&repository, path), changed);
    assert_eq!(text(&repository, ".gitignore"), ignored);
}
