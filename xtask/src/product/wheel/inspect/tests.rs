//! A sound wheel, and one change for each way in which it stops being sound.

use std::io::Write;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const METADATA: &str = "Metadata-Version: 2.4\nName: Demo-Server\nVersion: 1.0\n\nName: not me\n";
const ENTRY_POINTS: &str = "[console_scripts]\ndemo-server = demo_server.cli:main\n";

fn project() -> Project {
    Project {
        name: "demo_server".to_owned(),
        version: Some("1.0".to_owned()),
        build_requires: Vec::new(),
        build_backend: None,
        version_from_git: None,
        requires_python: None,
        scripts: Vec::new(),
        description: None,
        readme: None,
        urls: Vec::new(),
    }
}

fn sound() -> Vec<(String, String)> {
    [
        ("demo_server/cli.py", "def main(): pass\n"),
        ("demo_server-1.0.dist-info/METADATA", METADATA),
        ("demo_server-1.0.dist-info/entry_points.txt", ENTRY_POINTS),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .to_vec()
}

fn record(files: &[(String, String)]) -> String {
    let line = |(path, text): &(String, String)| {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()));
        format!("{path},sha256={hash},{}\n", text.len())
    };
    files.iter().map(line).collect::<String>() + "demo_server-1.0.dist-info/RECORD,,\n"
}

fn pack(files: &[(String, String)], record: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let last = (
        "demo_server-1.0.dist-info/RECORD".to_owned(),
        record.to_owned(),
    );
    for (path, text) in files.iter().chain([&last]) {
        writer
            .start_file(path.as_str(), SimpleFileOptions::default())
            .unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn problems(files: &[(String, String)], record: &str) -> Vec<String> {
    let bytes = pack(files, record);
    let wheel = wheel("demo_server-1.0-py3-none-any.whl", &bytes).unwrap();
    wheel.problems(&project(), "demo-server")
}

/// One change to the sound wheel must give exactly one problem that contains `expected`.
fn check(change: impl FnOnce(&mut Vec<(String, String)>), expected: &str) {
    let mut files = sound();
    change(&mut files);
    let found = problems(&files, &record(&files));
    assert!(
        found.len() == 1 && found[0].contains(expected),
        "{expected:?}: {found:#?}"
    );
}

#[test]
fn a_sound_wheel_has_no_problems() {
    let files = sound();
    assert_eq!(problems(&files, &record(&files)), Vec::<String>::new());
}

#[test]
fn each_broken_promise_is_one_problem() {
    check(
        |files| files[1].1 = METADATA.replace("1.0", "1.1"),
        "says the version 1.1",
    );
    check(
        |files| files[1].1 = METADATA.replace("Demo", "Other"),
        "says the name Other-Server",
    );
    check(
        |files| files[2].1 = String::new(),
        "no console script demo-server",
    );
    check(
        |files| files[0].0 = "demo_server/command.py".to_owned(),
        "does not hold",
    );
    let generic = ("src/module.py".to_owned(), String::new());
    check(|files| files.push(generic), "top-level package \"src\"");
}

#[test]
fn record_is_held_against_every_file() {
    let mut files = sound();
    let honest = record(&files);
    files[0].1.push_str("# changed later\n");
    assert!(problems(&files, &honest)[0].contains("is not the file RECORD hashed"));
    let mut files = sound();
    files.push(("demo_server/late.py".to_owned(), String::new()));
    assert!(problems(&files, &honest)[0].contains("late.py is not listed in RECORD"));
    let more = honest.clone() + "demo_server/gone.py,sha256=x,1\n";
    assert!(problems(&sound(), &more)[0].contains("gone.py, which the wheel does not hold"));
}

#[test]
fn what_is_not_a_wheel_is_refused_and_named() {
    let check = |file: &str, bytes: &[u8], expected: &str| {
        let message = wheel(file, bytes).unwrap_err().message;
        assert!(message.contains(expected), "{message}");
    };
    check("demo.whl", b"", "is not a wheel's file name");
    check(
        "a-1-py3-none-any.whl",
        b"not a zip",
        "is not a sound zip file",
    );
    check(
        "a-1-py3-none-any.whl",
        &pack(&[], "")[..40],
        "is not a sound zip file",
    );
}
