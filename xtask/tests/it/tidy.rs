//! The project's own rules, held by tests.

use std::process::Command;

use camino::Utf8Path;
use xtask::error::EXIT_CODES;

use super::repository::{ended, workspace};

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path))
        .unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// All tracked text files, by path from the root.
fn tracked() -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "tests call git from outside")]
    let mut command = Command::new("git");
    let listed = ended(command.current_dir(workspace()).args(["ls-files", "-z"]));
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    listed
        .stdout
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What is compiled for the tool here; crates for other systems and for tests cost its users
/// nothing.
#[expect(clippy::disallowed_methods, reason = "a test has no World")]
#[test]
fn the_tool_stays_within_its_budget_of_crates() {
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(workspace())
        .args(["tree", "--package", "xtask", "--locked", "--offline"])
        .args(["--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}"]);
    let listed = ended(&mut command);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    let crates = listed.stdout.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().take(2).collect();
        words.join(" ")
    });
    let count = crates.collect::<std::collections::BTreeSet<String>>().len();
    assert!(
        count < 240,
        "{count} crates; read Cargo.lock before adding one"
    );
}

#[test]
fn files_stay_short() {
    for path in tracked() {
        let sources = [".rs", ".py", ".ts", ".js", ".mjs"];
        if sources.iter().any(|end| path.ends_with(end)) {
            let lines = read(&path).lines().count();
            assert!(
                lines <= 500,
                "{path} has {lines} lines; find the second room in it"
            );
        }
    }
}

#[test]
fn every_source_file_is_in_its_list() {
    for path in tracked()
        .iter()
        .filter(|path| path.starts_with("xtask/src/"))
    {
        let path = Utf8Path::new(path);
        let (Some(name), Some("rs")) = (path.file_stem(), path.extension()) else {
            continue;
        };
        if ["main", "lib"].contains(&name) {
            continue;
        }
        let folder = path.parent().unwrap();
        let parent = if folder == "xtask/src" {
            folder.join("lib.rs")
        } else {
            folder.with_extension("rs")
        };
        let listed = read(parent.as_str()).lines().any(|line| {
            line.trim_end_matches(';')
                .rsplit_once("mod ")
                .is_some_and(|(_, module)| module == name)
        });
        assert!(listed, "{path} has no line in {parent}");
    }
}

#[test]
fn no_tracked_file_names_the_host_of_a_package_registry() {
    let hosts = [
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
    ];
    let own = "xtask/tests/it/tidy.rs";
    for path in tracked().iter().filter(|path| path.as_str() != own) {
        let Ok(text) = std::fs::read_to_string(workspace().join(path)) else {
            continue;
        };
        for (start, end) in hosts {
            assert!(
                !text.contains(&format!("{start}{end}")),
                "{path} names {start}{end}"
            );
        }
    }
}

#[test]
fn the_documents_list_every_verb_exit_code_and_rule() {
    let readme = read("README.md");
    for verb in [
        "build",
        "requirements",
        "bundle",
        "check",
        "prove",
        "package",
        "plan",
        "publish",
        "release",
        "audit",
        "sbom",
        "lock explain",
        "version --check",
        "version --bump LEVEL",
        "changelog",
        "init",
        "lint",
        "ci check",
        "ci run",
        "image",
        "trace",
        "verify",
        "doctor",
        "test",
    ] {
        assert!(
            readme.contains(&format!("`{verb}")),
            "README.md does not list `{verb}`"
        );
    }
    for (code, meaning) in EXIT_CODES {
        assert!(
            readme.contains(&format!("| {code} | {meaning} |")),
            "exit code {code}"
        );
    }
    assert!(read("docs/gate-rules.md").contains(&xtask::gate::rules::table()));
}

#[test]
fn the_changelog_has_the_version_or_what_is_coming() {
    let changelog = read("CHANGELOG.md");
    let version = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(changelog.contains(&version) || changelog.contains("## [Unreleased]"));
}

#[test]
fn lock_files_and_requirements_have_one_source() {
    for path in tracked() {
        let name = path.rsplit('/').next().unwrap();
        let server = path.starts_with("tools/mcp-server-jupyter/");
        assert!(
            !(server && ["requirements.txt", "uv.lock"].contains(&name)),
            "{path} must go"
        );
        assert!(
            !(name == "package-lock.json" && read(&path).contains("\"resolved\"")),
            "{path}"
        );
    }
}

#[test]
fn the_audit_and_cargo_deny_allow_the_same_licenses_and_ignore_the_same_advisories() {
    let configuration = xtask::config::parse(&read("release.toml"), "release.toml").unwrap();
    let deny: toml_edit::Document<String> = read("deny.toml").parse().unwrap();
    let texts = |table: &str, key: &str| -> Vec<String> {
        let list = deny.get(table).and_then(|table| table.get(key));
        let list = list.and_then(toml_edit::Item::as_array);
        let texts = list
            .into_iter()
            .flatten()
            .filter_map(toml_edit::Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let licenses = configuration.audit.licenses.unwrap();
    let allowed: Vec<String> = licenses.allow.iter().map(ToString::to_string).collect();
    assert!(!allowed.is_empty());
    assert_eq!(texts("licenses", "allow"), allowed);
    let ours = configuration.audit.ignores.iter();
    let ours: Vec<String> = ours
        .map(|ignore| ignore.id.clone())
        .filter(|id| id.starts_with("RUSTSEC-"))
        .collect();
    assert_eq!(texts("advisories", "ignore"), ours);
}

/// cargo-deny reads the licenses of all crates itself; it runs where it is installed.
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test has no World"
)]
#[test]
fn cargo_deny_agrees_where_it_is_installed() {
    let version = Command::new("cargo-deny").arg("--version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        eprintln!("left out: cargo-deny is not installed");
        return;
    }
    let mut command = Command::new("cargo-deny");
    command
        .current_dir(workspace())
        .args(["deny", "check", "licenses", "bans", "sources"]);
    let checked = ended(&mut command);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
}
