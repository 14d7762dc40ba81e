//! Repositories that want to hang the audit, fill the memory or lead it astray.

use camino::Utf8PathBuf;
use xtask::config;
use xtask::error::Kind;
use xtask::exec::advisories::Wanted;
use xtask::exec::audit::{audit, inventory};
use xtask::world::World;
use xtask::world::interrupt::{Interrupt, Signal};
use xtask::world::temporary::Temporary;
use xtask::world::terminal::{Detail, Format, Terminal};

use super::case::{Case, poetry};

#[cfg(unix)]
#[test]
fn links_pipes_devices_and_folders_are_no_lock_files() {
    use std::os::unix::fs::symlink;
    let case = Case::vulnerable();
    let lock = case.repository.root.join("a");
    std::fs::create_dir(&lock).unwrap();
    let lock = lock.join("poetry.lock");
    let check = |expected: &str| {
        case.repository.git(&["add", "--all"]);
        case.check(&["a/poetry.lock"], 1, expected);
        case.check(&[], 1, expected);
        std::fs::remove_file(&lock).unwrap();
    };
    symlink("/dev/zero", &lock).unwrap();
    check("a/poetry.lock leads out of the repository");
    let outside = case.repository.root.join("../poetry.lock");
    std::fs::write(&outside, poetry(&[("demo", "1.0", "")])).unwrap();
    symlink("../../poetry.lock", &lock).unwrap();
    check("a/poetry.lock leads out of the repository");
    symlink("poetry.lock", &lock).unwrap();
    check("a/poetry.lock: ");
    symlink("../server", &lock).unwrap();
    check("a/poetry.lock: a folder, not a lock file");
    case.check(&[outside.as_str()], 6, "demo 1.0");
    symlink("../server/poetry.lock", &lock).unwrap();
    case.check(&["a/poetry.lock"], 6, "demo 1.0");
    std::fs::remove_file(&lock).unwrap();
    let pipe = case.repository.command("mkfifo").arg(&lock).status();
    assert!(pipe.unwrap().success());
    case.check(&["a/poetry.lock"], 1, "a pipe or a device, not a lock file");
    case.check(&[], 1, "a pipe or a device, not a lock file");
    std::fs::remove_file(&lock).unwrap();
    case.repository.git(&["add", "--all"]);
    // The manifest beside it is read as well.
    let manifest = case.repository.root.join("server/pyproject.toml");
    let pipe = case.repository.command("mkfifo").arg(&manifest).status();
    assert!(pipe.unwrap().success());
    case.check(&["server/poetry.lock"], 6, "demo 1.0");
}

#[test]
fn texts_of_other_systems_are_read_and_what_is_none_is_refused() {
    let case = Case::vulnerable();
    let text = poetry(&[("demo", "1.0", "")]);
    let path = "server/poetry.lock";
    case.lock(path, &text.replace('\n', "\r\n"));
    case.check(&[], 6, "poetry.lock:1");
    case.lock(path, &format!("\u{feff}{text}"));
    case.check(&[], 6, "poetry.lock:1");
    let file = case.repository.root.join(path);
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&file, [b"\xff\xfe", wide.as_slice()].concat()).unwrap();
    case.check(&[], 1, "server/poetry.lock:1: not UTF-8");
    std::fs::write(&file, [text.as_bytes(), b"\xff"].concat()).unwrap();
    let line = text.lines().count() + 1;
    case.check(&[], 1, &format!("server/poetry.lock:{line}: not UTF-8"));
    case.lock(path, &format!("{text}\0"));
    case.check(&[], 1, "server/poetry.lock:");
    case.lock(path, &"[".repeat(100_000));
    case.check(&[], 1, "server/poetry.lock:1");
}

#[test]
fn nothing_in_a_lock_file_steers_the_terminal_or_the_shell() {
    let case = Case::new();
    let name = "demo\\u001b[2J; rm -rf ~";
    let package = format!("{name}==1");
    case.lock(
        "server/poetry.lock",
        &poetry(&[(name, "1.0", ""), (&package, "1", "")]),
    );
    case.advisory(super::case::critical(
        "PYSEC-1",
        "PyPI",
        "demo\u{1b}[2J; rm -rf ~",
    ));
    let ended = case.audit(&[]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!said.contains('\u{1b}'), "{said}");
    assert!(!said.contains("$ "), "{said}");
}

#[test]
fn an_update_that_is_asked_to_stop_leaves_the_old_database() {
    let case = Case::vulnerable();
    let root = case.repository.root.clone();
    let world = World {
        directory: root.clone(),
        environment: case.repository.environment.iter().cloned().collect(),
        terminal: Terminal::new(Format::Text, Detail::Quiet),
        interrupt: Interrupt::default(),
        temporary: Temporary::default(),
        root,
    };
    world.interrupt.stop(Signal::Terminate);
    let text = std::fs::read_to_string(world.root.join("release.toml")).unwrap();
    let config = config::parse(&text, "release.toml").unwrap();
    let wanted = Wanted::UpdatedFrom(&case.advisories);
    let locks = [Utf8PathBuf::from("server/poetry.lock")];
    let subject = inventory(&world, &config, &locks).unwrap();
    let error = audit(&world, &config, wanted, &subject).unwrap_err();
    assert_eq!(error.kind, Kind::Interrupted, "{error}");
    // The folder was tried, and nothing was put into it.
    let stored = world.root.join("../stored").read_dir_utf8().unwrap();
    assert_eq!(stored.count(), 0);
}

#[cfg(unix)]
#[test]
fn two_updates_at_once_and_a_killed_one_leave_a_whole_database() {
    let case = Case::vulnerable();
    let source = ["audit", "--update", "--database", case.advisories.as_str()];
    let arguments = [&source[..], &["--max-age", "36000 days"]].concat();
    let mut running: Vec<_> = (0..4).map(|_| case.repository.start(&arguments)).collect();
    let mut killed = running.pop().unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(6));
    }
    let arguments = ["audit", "--max-age", "36000 days"];
    assert_eq!(case.repository.xtask(&arguments).code, Some(6));
}
