//! The verb as a user calls it: output, files and exit codes.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use super::poetry;

struct Answer {
    code: i32,
    stdout: String,
    stderr: String,
}

/// A repository with a server that has a lock file, below a path with a space and an umlaut.
struct Repository {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
}

const RELEASE: &str = r#"
schema = 1
name = "example"
[server]
path = "server"
console-script = "example"
extras = ["one"]
[prove.call]
tool = "ping"
"#;

impl Repository {
    fn new() -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join("a ü");
        std::fs::create_dir_all(root.join("server")).unwrap();
        std::fs::write(root.join("release.toml"), RELEASE).unwrap();
        for name in ["pyproject.toml", "poetry.lock"] {
            std::fs::copy(
                poetry::here("cases/groups-and-extras").join(name),
                root.join("server").join(name),
            )
            .unwrap();
        }
        Repository {
            _folder: folder,
            root,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "tests have no World")]
    fn run(&self, arguments: &[&str]) -> Answer {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-xtask"))
            .arg("requirements")
            .args(arguments)
            .current_dir(&self.root)
            .env_clear()
            .output()
            .unwrap();
        Answer {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn change(&self, name: &str, change: impl FnOnce(String) -> String) {
        let path = self.root.join("server").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(text)).unwrap();
    }

    fn fails(&self, arguments: &[&str], code: i32, words: &[&str]) {
        let answer = self.run(arguments);
        assert_eq!(answer.code, code, "{arguments:?}: {}", answer.stderr);
        for word in words {
            assert!(
                answer.stderr.contains(word),
                "{word} is not in {}",
                answer.stderr
            );
        }
        assert!(answer.stderr.contains("hint: "), "{}", answer.stderr);
        assert!(answer.stdout.is_empty(), "{}", answer.stdout);
    }
}

#[test]
fn it_prints_what_the_lock_file_stands_for() {
    let repository = Repository::new();
    let plain = repository.run(&[]);
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    assert!(plain.stdout.contains(" \\\n    --hash=sha256:"));
    assert_eq!(repository.run(&["--hashes"]).stdout, plain.stdout);
    assert_eq!(repository.run(&["--quiet"]).stdout, plain.stdout);
    let names = repository.run(&["--without-hashes"]);
    assert!(!names.stdout.contains("--hash"));
    let other = repository.run(&["--without-hashes", "--project", "server"]);
    assert_ne!(
        names.stdout, other.stdout,
        "the extra of release.toml is missing"
    );
    let same = ["--without-hashes", "--project", "server", "--extra", "one"];
    assert_eq!(repository.run(&same).stdout, names.stdout);
}

#[test]
fn json_has_every_requirement() {
    let repository = Repository::new();
    let answer = repository.run(&["--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    let requirements = value["requirements"].as_array().unwrap();
    assert!(requirements.len() > 3);
    for requirement in requirements {
        assert!(!requirement["hashes"].as_array().unwrap().is_empty());
        assert!(requirement["requirement"].as_str().unwrap().contains("=="));
    }
}

#[test]
fn a_file_is_written_whole_and_checked() {
    let repository = Repository::new();
    let arguments = ["--output", "out/requirements.txt"];
    repository.fails(
        &["-o", "out/requirements.txt", "--check"],
        5,
        &["there is no out/"],
    );
    let written = repository.run(&arguments);
    assert_eq!(written.code, 0, "{}", written.stderr);
    assert!(
        written
            .stdout
            .starts_with("✓ requirements out/requirements.txt  ")
    );
    let path = repository.root.join("out/requirements.txt");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, repository.run(&[]).stdout);
    let check = repository.run(&["-o", "out/requirements.txt", "--check"]);
    assert_eq!((check.code, &check.stdout[..1]), (0, "="));
    std::fs::write(&path, text.replace("six==", "seven==")).unwrap();
    let words = ["out/requirements.txt is not what", "- seven==", "+ six=="];
    repository.fails(&["-o", "out/requirements.txt", "--check"], 1, &words);
    let changed = std::fs::read_to_string(&path).unwrap();
    assert!(changed.contains("seven=="), "--check wrote the file");
    repository.change("poetry.lock", |text| {
        text.replace("[metadata]", "[metadata")
    });
    assert_eq!(repository.run(&arguments).code, 1);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), changed);
    let names: Vec<_> = path.parent().unwrap().read_dir_utf8().unwrap().collect();
    assert_eq!(names.len(), 1, "a temporary file was left");
}

#[test]
fn bad_input_is_named_with_its_remedy() {
    let check = |name: &str, change: &dyn Fn(String) -> String, code: i32, words: &[&str]| {
        let repository = Repository::new();
        repository.change(name, change);
        repository.fails(&[], code, words);
    };
    let stale = |text: String| {
        text.replace(
            "[tool.poetry.group",
            "[tool.poetry.group.new.dependencies]\nx = \"*\"\n[tool.poetry.group",
        )
    };
    let words = [
        "server/poetry.lock is stale",
        "server/pyproject.toml",
        "poetry lock",
    ];
    check("pyproject.toml", &stale, 1, &words);
    let no_hash = |text: String| text.replace("content-hash", "old-hash");
    check("poetry.lock", &no_hash, 1, &["is stale"]);
    let twice = |text: String| format!("{text}\n[metadata]\na = 1\n");
    check(
        "poetry.lock",
        &twice,
        1,
        &["the table [metadata] is declared twice"],
    );
    let conflict = |text: String| format!("<<<<<<< HEAD\n{text}>>>>>>> topic\n");
    check("poetry.lock", &conflict, 1, &["unresolved merge conflict"]);
    let renamed = |text: String| text.replace("name = \"six\"", "name = \"seven\"");
    let words = ["server/poetry.lock has no package six", "poetry lock"];
    check("poetry.lock", &renamed, 1, &words);
    let no_digests = |text: String| text.replace("sha256:", "md5:");
    let words = ["has no digest that pip accepts", "--without-hashes"];
    check("poetry.lock", &no_digests, 1, &words);
    let not_toml = |text: String| text.replace("[tool.poetry]", "[tool.poetry");
    check(
        "pyproject.toml",
        &not_toml,
        1,
        &["server/pyproject.toml:", "not TOML"],
    );
}

#[test]
fn unknown_names_and_missing_files_have_their_own_exit_codes() {
    let repository = Repository::new();
    repository.fails(
        &["--group", "nope"],
        2,
        &["no dependency group `nope`; it has: main, dev"],
    );
    repository.fails(
        &["--extra", "nope"],
        2,
        &["has no extra `nope`; it has: one"],
    );
    repository.fails(
        &["--project", "elsewhere"],
        5,
        &["there is no elsewhere/pyproject.toml"],
    );
    assert_eq!(repository.run(&["--check"]).code, 2);
    std::fs::remove_file(repository.root.join("server/poetry.lock")).unwrap();
    repository.fails(
        &[],
        5,
        &[
            "there is no lock file beside server/pyproject.toml",
            "poetry lock",
        ],
    );
}
