//! `lock` as a user calls it: output, files and exit codes.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

const BLOCK: &str = "[[package]]\nname = \"a\"\nversion = \"1.0\"\n\n[package.extras]\nx = []\n\n";
const ORPHAN: &str = "[package.extras]\ny = []\n\n";
const END: &str = "[metadata]\nlock-version = \"2.0\"\ncontent-hash = \"00\"\n";

struct Repository {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Repository {
    fn new(name: &str, text: &str) -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().to_owned();
        std::fs::write(root.join("release.toml"), "").unwrap();
        std::fs::create_dir(root.join("server")).unwrap();
        std::fs::write(root.join("server").join(name), text).unwrap();
        Repository {
            _folder: folder,
            root,
        }
    }

    /// Exit code, standard output and standard error.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test runs the program as a user does"
    )]
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-xtask"));
        let output = command
            .args(arguments)
            .current_dir(&self.root)
            .env_clear()
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }
}

#[test]
fn a_sound_file_reads_well_and_needs_no_repair() {
    let repository = Repository::new("poetry.lock", &format!("{BLOCK}{END}"));
    let (code, stdout, stderr) = repository.run(&["lock", "explain", "server/poetry.lock"]);
    let expected = "server/poetry.lock reads well: 1 package, format 2.0\n";
    assert_eq!((code, stdout.as_str()), (0, expected), "{stderr}");
    assert!(stderr.contains("no pyproject.toml beside it"), "{stderr}");
    let (code, stdout, _) = repository.run(&["lock", "repair", "server/poetry.lock"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("nothing to repair"), "{stdout}");
    assert!(!repository.root.join("server/poetry.lock.repaired").exists());
}

#[test]
fn a_broken_file_is_explained_and_repaired_beside_it() {
    let text = format!("{BLOCK}{ORPHAN}{END}");
    let repository = Repository::new("poetry.lock", &text);
    let (code, _, stderr) = repository.run(&["lock", "explain", "server/poetry.lock"]);
    assert_eq!(code, 1);
    let sentence = "server/poetry.lock:8: the table [package.extras] is declared twice for package \
                    a: line 5 belongs to a, line 8 is an orphan";
    assert!(stderr.contains(sentence), "{stderr}");

    let arguments = ["--format", "json", "lock", "explain", "server/poetry.lock"];
    let (code, stdout, _) = repository.run(&arguments);
    let answer: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &answer["reads"]), (1, &serde_json::json!(false)));

    let (code, stdout, stderr) = repository.run(&["lock", "repair", "server/poetry.lock"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.contains("\n-[package.extras]\n-y = []\n"),
        "{stdout}"
    );
    let read = |name: &str| std::fs::read_to_string(repository.root.join(name)).unwrap();
    assert_eq!(read("server/poetry.lock"), text);
    assert_eq!(read("server/poetry.lock.repaired"), format!("{BLOCK}{END}"));

    let (code, _, stderr) = repository.run(&["lock", "repair", "server/poetry.lock"]);
    assert_eq!(code, 5);
    assert!(
        stderr.contains("poetry.lock.repaired is already there"),
        "{stderr}"
    );
}

#[test]
fn what_cannot_be_repaired_is_not_written() {
    let repository = Repository::new("Cargo.lock", "version = 9\n");
    let (code, _, stderr) = repository.run(&["lock", "repair", "server/Cargo.lock"]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("version 9 of the format is not known"),
        "{stderr}"
    );
    assert!(stderr.contains("not repaired: "), "{stderr}");
    assert!(!repository.root.join("server/Cargo.lock.repaired").exists());
}

#[test]
fn a_name_that_is_no_lock_file_gets_the_list() {
    let repository = Repository::new("robots.txt", "");
    let (code, _, stderr) = repository.run(&["lock", "explain", "server/robots.txt"]);
    assert_eq!(code, 2);
    for kind in ["Cargo.lock", "package-lock.json", "poetry.lock", "uv.lock"] {
        assert!(stderr.contains(kind), "{stderr}");
    }
}

#[cfg(unix)]
#[test]
fn what_has_no_end_is_not_read() {
    let repository = Repository::new("uv.lock", "");
    let lock = repository.root.join("server/poetry.lock");
    std::os::unix::fs::symlink("/dev/zero", &lock).unwrap();
    for action in ["explain", "repair"] {
        let (code, _, stderr) = repository.run(&["lock", action, "server/poetry.lock"]);
        let expected = "server/poetry.lock: a pipe or a device, not a lock file";
        assert!(code == 1 && stderr.contains(expected), "{code} {stderr}");
    }
}
