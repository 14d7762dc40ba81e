//! `version --bump`: every place at once, byte for byte, or nothing at all.

use super::{refused, tree};
use crate::repository::{Repository, ended};

/// Files of every format, written as people write them; `@P`, `@S` and `@M` are where the version
/// stands in the spelling of Python, of Semantic Versioning and of the Marketplace.
const FILES: [(&str, &str); 9] = [
    (
        "server/pyproject.toml",
        "# 1.0.0\r\n[project]\r\n  name = 'demo-server'   # odd\r\n\tversion='@P'# 1.0.0\r\n[tool.x]\r\nversion = \"1.0.0\"",
    ),
    (
        "server/demo_server/__init__.py",
        "\u{feff}\"\"\"1.0.0\"\"\"\n__version__: str   =  \"@P\"  # not 1.0.0\n",
    ),
    (
        "extension/package.json",
        "{\r\n\t\"name\": \"demo\", // 1.0.0\r\n   \"version\" : \"@M\",\r\n  \"engines\": {\"vscode\": \"^1.90.0\",},\r\n}\r\n",
    ),
    (
        "extension/package-lock.json",
        "{\"version\":\"@M\",\n\n    \"packages\": {\"\": {\"version\": \"@M\", \"engines\": {\"vscode\": \"*\"}},\n\"node_modules/a\":{\"version\":\"1.0.0\"}}}",
    ),
    (
        "web/package.json",
        "{\"private\": true, /* 1.0.0 */ \"version\":\n\"@S\"}\n\n\n",
    ),
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"a\", \"b\",]\n[workspace.package]\nversion   = \"@S\" # 1.0.0\n",
    ),
    (
        "b/Cargo.toml",
        "[package]\nname = \"b\"\nversion.workspace = true\n[dependencies]\na = { version = \"=@S\", path = \"../a\" }\nserde = \"1.0.0\"\n",
    ),
    (
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"@S\"\n\n[[package]]\nname = \"b\"\nversion = \"@S\"\ndependencies = [\n \"a\",\n]\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\nsource = \"x\"\n",
    ),
    ("VERSION", "@S"),
];

const CONFIGURATION: &str = "schema = 1\nname = \"demo\"\n[server]\npath = \"server\"\nconsole-script = \"demo-server\"\n\
    [prove.stdio]\narguments = []\n[prove.call]\ntool = \"ping\"\n[version]\nfiles = [\"server/pyproject.toml\", \
    \"server/demo_server/__init__.py\", \"extension/package.json\", \"extension/package-lock.json\", \
    \"web/package.json\", \"Cargo.toml\", \"Cargo.lock\", \"VERSION\"]\n";

fn filled(template: &str, python: &str, semantic: &str, marketplace: &str) -> String {
    template
        .replace("@P", python)
        .replace("@S", semantic)
        .replace("@M", marketplace)
}

fn repository() -> Repository {
    let repository = Repository::folder("versionen überall");
    repository.write("release.toml", CONFIGURATION);
    repository.write(".gitignore", "/target/\n");
    repository.write(
        "a/Cargo.toml",
        "[package]\nname = \"a\"\nversion.workspace = true\n",
    );
    for (path, template) in FILES {
        repository.write(path, &filled(template, "1.0.0", "1.0.0", "1.0.0"));
    }
    repository.commit();
    repository
}

/// Raises, and requires that only the version's characters have changed anywhere.
fn check(repository: &Repository, level: &str, [python, semantic, marketplace]: [&str; 3]) {
    repository.succeeds(&["version", "--bump", level]);
    let templates: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
    for (path, template) in FILES {
        let text = String::from_utf8(repository.read(path)).unwrap();
        assert_eq!(
            text,
            filled(template, python, semantic, marketplace),
            "{path} {level}"
        );
    }
    let changed = repository.git(&["diff", "--name-only"]);
    assert!(
        changed.lines().all(|path| templates.contains(&path)),
        "{changed}"
    );
    repository.succeeds(&["version", "--check"]);
    repository.git(&["commit", "--quiet", "--all", "--message=x"]);
    repository.succeeds(&["version", "--check"]);
}

#[test]
fn only_the_version_changes_in_every_format() {
    let repository = repository();
    let plain = |version| [version; 3];
    repository.git(&["tag", "v1.0.0"]);
    check(&repository, "patch", plain("1.0.1"));
    check(&repository, "minor", plain("1.1.0"));
    check(
        &repository,
        "preminor",
        ["1.2.0rc1", "1.2.0-rc.1", "1.1.30001"],
    );
    check(&repository, "pre", ["1.2.0rc2", "1.2.0-rc.2", "1.1.30002"]);
    check(&repository, "minor", plain("1.2.0"));
    check(
        &repository,
        "2.0.0-beta.1",
        ["2.0.0b1", "2.0.0-beta.1", "1.20001.0"],
    );
    check(&repository, "major", plain("2.0.0"));
}

#[test]
fn a_plan_says_every_place_and_writes_nothing() {
    let repository = repository();
    let said = [
        "server/pyproject.toml  project.version",
        "1.0.0 → 1.1.0rc1",
        "1.0.30001",
        "=1.1.0-rc.1",
    ];
    refused(
        &repository,
        &["version", "--bump", "preminor", "--plan"],
        0,
        &said,
    );
    let json = repository.succeeds(&["version", "--bump", "minor", "--plan", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["written"], false);
    assert_eq!(json["version"]["tag"], "v1.1.0");
    assert_eq!(json["version"]["changes"].as_array().unwrap().len(), 11);
}

#[test]
fn what_is_no_next_version_is_refused() {
    let repository = repository();
    let check = |level: &str, code, said: &[&str]| {
        refused(&repository, &["version", "--bump", level], code, said);
    };
    check("1.0.0", 2, &["1.0.0 is not higher than 1.0.0"]);
    check("0.9.0", 2, &["0.9.0 is not higher than 1.0.0"]);
    check("1.0.0-rc.1", 2, &["is not higher"]);
    check("1.1", 2, &["neither a level nor a version", "preminor"]);
    check("v1.1.0", 2, &["neither a level nor a version"]);
    check(
        "pre",
        2,
        &["extension/package.json: version", "--bump preminor"],
    );
    super::commit(&repository, "x");
    repository.git(&["tag", "v1.1.0", "HEAD~1"]);
    check(
        "minor",
        4,
        &["1.1.0 is released already: the tag v1.1.0 names commit"],
    );
    repository.git(&["tag", "v1.2.0rc1", "HEAD~1"]);
    check("1.2.0-rc.1", 4, &["the tag v1.2.0rc1 names commit"]);
    repository.write("VERSION", "1.0.1");
    check(
        "patch",
        5,
        &["1 tracked file(s) differ from the commit: VERSION"],
    );
    repository.git(&["commit", "--quiet", "--all", "--message=x"]);
    check(
        "patch",
        4,
        &["1 of 11 places do not say 1.0.0", "version --check"],
    );
    repository.write("VERSION", "");
    repository.git(&["commit", "--quiet", "--all", "--message=x"]);
    check("patch", 4, &["places do not say 1.0.0"]);
    repository.write("VERSION", "1.0.0");
    repository.write("web/package.json", "{\n\"version\": 1.0.0}");
    repository.git(&["commit", "--quiet", "--all", "--message=x"]);
    check("patch", 1, &["web/package.json:2:12: a value is expected"]);
}

#[test]
fn ci_started_by_a_tag_holds_it_to_be_the_version() {
    let mut repository = repository();
    let set = |repository: &mut Repository, name: &str| {
        repository
            .environment
            .retain(|(key, _)| !key.starts_with("GITHUB_REF"));
        for (key, value) in [("GITHUB_REF_TYPE", "tag"), ("GITHUB_REF_NAME", name)] {
            repository
                .environment
                .push((key.to_owned(), value.to_owned()));
        }
    };
    set(&mut repository, "v1.0.0");
    repository.succeeds(&["version", "--check"]);
    let check = |repository: &Repository, said: &[&str]| {
        refused(repository, &["version", "--check"], 4, said);
    };
    set(&mut repository, "v1.0.1");
    check(
        &repository,
        &["✗ tag  v1.0.1", "1 of 12 places do not say 1.0.0"],
    );
    for wrong in ["vnext", "1.0.0", "v1.0", "v1.0.0-final", "v\u{1b}[31m", ""] {
        set(&mut repository, wrong);
        check(
            &repository,
            &[
                "is no version: version.tag in release.toml is \"v{version}\"",
                "v1.2.3",
            ],
        );
    }
}

/// A file of the set that cannot be written keeps all others from being written; a limit on the
/// size of files stands for a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_failure_or_a_kill_leaves_no_half_of_it() {
    let repository = repository();
    let before = tree(&repository);
    let large = format!("# {}\n__version__ = \"1.0.0\"\n", "x".repeat(3 << 20));
    repository.write("server/demo_server/__init__.py", &large);
    repository.git(&["commit", "--quiet", "--all", "--message=x"]);
    let with_large = tree(&repository);
    let tool = env!("CARGO_BIN_EXE_cargo-xtask");
    for trap in ["trap '' XFSZ; ", ""] {
        // With the trap writing fails, and without it the kernel kills the run.
        let script = format!("{trap}ulimit -f 2048; \"$0\" version --bump minor");
        let failed = ended(repository.command("sh").args(["-c", &script, tool]));
        assert_ne!(failed.code, Some(0), "{}", failed.stdout);
        let mut after = tree(&repository);
        if trap.is_empty() {
            // What was not put in place yet is removed by the next run.
            after.retain(|(path, _)| !path.contains("/.xtask-rewrite-"));
        }
        assert!(after == with_large, "something was written");
    }
    assert_ne!(with_large, before);
    repository.succeeds(&["version", "--bump", "minor"]);
    let text = String::from_utf8(repository.read("server/demo_server/__init__.py")).unwrap();
    assert!(text.ends_with("__version__ = \"1.1.0\"\n"));
    let status = repository.git(&["status", "--porcelain"]);
    assert!(!status.contains("??"), "{status}");
}
