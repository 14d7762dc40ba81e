//! What could not be looked at is an error or stands in the report; it is never passed over.

use std::io::Write;

use super::case::{Case, REGISTRY, cargo, poetry};

fn check_stored(case: &Case, expected: &str) {
    let ended = case.repository.xtask(&["audit"]);
    assert_eq!(ended.code, Some(7), "{}", ended.stderr);
    assert!(
        ended.stderr.contains(expected),
        "{expected}: {}",
        ended.stderr
    );
    assert!(ended.stderr.contains("audit --update"), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
}

#[test]
fn every_way_in_which_the_database_can_be_bad_has_its_words() {
    let case = Case::vulnerable();
    check_stored(&case, "PyPI.index is missing");
    assert_eq!(case.audit(&["--update"]).code, Some(6));
    let index = case.repository.root.join("../stored/PyPI.index");
    let sound = std::fs::read(&index).unwrap();
    let ended = case.repository.xtask(&["audit", "--max-age", "1 hour"]);
    assert_eq!(ended.code, Some(7));
    assert!(ended.stderr.contains("too old"), "{}", ended.stderr);

    let check = |bytes: &[u8], expected: &str| {
        std::fs::write(&index, bytes).unwrap();
        check_stored(&case, expected);
    };
    check(b"", "is cut off");
    check(&sound[..sound.len() - 9], "is cut off");
    check(
        b"SQLite format 3\0 and so on, for a while",
        "is no index of advisories",
    );
    let mut garbled = sound.clone();
    *garbled.last_mut().unwrap() ^= 1;
    check(&garbled, "its checksum is");
    let mut later = sound.clone();
    later[8] ^= 0x40;
    check(&later, "this tool reads format");
    let longer = [sound.as_slice(), b"x"].concat();
    check(&longer, "is damaged");
    std::fs::remove_file(&index).unwrap();
    std::fs::create_dir(&index).unwrap();
    check_stored(&case, "PyPI.index");
}

#[test]
fn advisories_that_are_none_are_no_advisories() {
    let case = Case::vulnerable();
    let path = |name: &str| case.advisories.join(name).to_string();
    let check = |source: &str, expected: &str| {
        let ended = case.repository.xtask(&["audit", "--database", source]);
        assert_eq!(ended.code, Some(7), "{source}: {}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    };
    check("nowhere", "nowhere is missing");
    if cfg!(unix) {
        let pipe = case.repository.command("mkfifo").arg("pipe").status();
        assert!(pipe.unwrap().success());
        check("pipe", "pipe is a pipe or a device");
    }
    check("release.toml", "release.toml");
    check(case.repository.root.as_str(), "it holds no advisory");
    std::fs::write(path("broken.json"), "{\"id\": \"X\",").unwrap();
    check(case.advisories.as_str(), "broken.json");
    std::fs::remove_file(path("broken.json")).unwrap();
    let crates = cargo(&[("demo", "1.0.0", REGISTRY)]);
    case.lock("Cargo.lock", &crates);
    case.check(&[], 7, "no advisories for crates.io");
}

#[test]
fn every_lock_file_that_cannot_be_read_is_named_with_its_line() {
    let case = Case::vulnerable();
    case.lock("a/Cargo.lock", "version = 9\n");
    case.lock(
        "b/package-lock.json",
        "{\n \"lockfileVersion\": 4,\n \"packages\": {}}",
    );
    case.lock("c/uv.lock", "version = 1\n[[package]]\nname = \"x\"\n");
    case.lock("d/poetry.lock", "<<<<<<< ours\n=======\n>>>>>>> theirs\n");
    let ended = case.audit(&[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    for place in [
        "a/Cargo.lock:1: ",
        "b/package-lock.json:2: ",
        "c/uv.lock:2: ",
    ] {
        assert!(ended.stderr.contains(place), "{place}: {}", ended.stderr);
    }
    assert!(
        ended
            .stderr
            .contains("d/poetry.lock:1: an unresolved merge conflict")
    );
}

#[test]
fn what_was_left_out_is_listed_with_its_reason() {
    let case = Case::vulnerable();
    let sound = poetry(&[("demo", "2.0", "")]);
    for path in [
        "web/node_modules/x/poetry.lock",
        ".venv/poetry.lock",
        "env/poetry.lock",
        "old/poetry.lock",
        "server/poetry.lock",
    ] {
        case.lock(path, &sound);
    }
    case.lock("env/pyvenv.cfg", "");
    case.lock("go.sum", "");
    case.lock("POETRY.LOCK", "");
    case.repository.write("new/poetry.lock", &sound);
    case.policy("[[audit.skip]]\npath = \"old/**\"\nreason = \"kept to compare with\"");
    for expected in [
        "web/node_modules/x/poetry.lock: not scanned: inside of node_modules",
        ".venv/poetry.lock: not scanned: inside of .venv",
        "env/poetry.lock: not scanned: inside of env, a virtual environment",
        "old/poetry.lock: not scanned: audit.skip: kept to compare with",
        "new/poetry.lock: not scanned: not tracked by git",
        "go.sum: not scanned: a lock file of a kind that this tool does not read",
        "POETRY.LOCK: not scanned: its tool reads it as poetry.lock only",
        "1 lock file scanned, 7 skipped",
        "passes with warnings",
    ] {
        let ended = case.audit(&[]);
        let said = ended.stdout.replace("\n    ", "").replace("\n  ", " ");
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

#[test]
fn an_audit_of_nothing_is_no_audit() {
    let case = Case::new();
    case.check(&[], 5, "there is no lock file to audit");
    case.repository.write("server/poetry.lock", &poetry(&[]));
    case.check(
        &[],
        5,
        "server/poetry.lock: not scanned: not tracked by git",
    );
    std::fs::remove_dir_all(case.repository.root.join(".git")).unwrap();
    case.check(&[], 1, "not a git repository");
    let case = Case::vulnerable();
    case.check(
        &["server/poetry.lock.md"],
        2,
        "no lock file goes by this name",
    );
    case.check(&["nowhere/poetry.lock"], 1, "nowhere/poetry.lock");
    std::fs::remove_file(case.repository.root.join("server/poetry.lock")).unwrap();
    case.check(&[], 1, "git rm --cached");
}

#[test]
fn a_submodule_is_not_passed_over() {
    let case = Case::vulnerable();
    case.lock("server/poetry.lock", &poetry(&[("demo", "2.0", "")]));
    let commit = "160000,0123456789012345678901234567890123456789,third/party";
    case.repository
        .git(&["update-index", "--add", "--cacheinfo", commit]);
    case.check(&[], 0, "third/party: not scanned: a submodule");
}

#[test]
fn a_service_that_does_not_answer_is_no_clean_result() {
    let mut case = Case::vulnerable();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let refuses = std::thread::spawn(move || {
        for stream in listener.incoming().take(1) {
            let gone = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            drop(stream.and_then(|mut stream| stream.write_all(gone)));
        }
    });
    let variable = ("XTASK_OSV_API_URL".to_owned(), address);
    case.repository.environment.push(variable);
    let ended = case.repository.xtask(&["audit", "--live"]);
    assert_eq!(ended.code, Some(7), "{}", ended.stderr);
    assert!(!ended.stdout.contains("passes"), "{}", ended.stdout);
    refuses.join().unwrap();
    let both = ["audit", "--live", "--update"];
    assert_eq!(case.repository.xtask(&both).code, Some(2));
}
