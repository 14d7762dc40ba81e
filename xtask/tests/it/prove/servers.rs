//! Servers that run: the sound one, and those with one thing wrong.

use std::sync::OnceLock;

use xtask::error::{Error, Kind};
use xtask::prove::{self, Environment, Outcome};
use xtask::world::World;

use super::cases::{CASES, EVIDENCE, SOUND_VARIANTS};
use super::wheel::Wheel;
use super::{configuration, python, world};

const SOUND: &str = include_str!("../cases/prove/server.py");

/// Makes a spoilt server out of the sound one. Written so, the files stay small, which the
/// examination of their imports feels.
const SPOIL: &str = r#"
from pathlib import Path

def spoilt(old, new):
    def main():
        text = Path(__file__).with_name("sound.py").read_text().replace(old, new)
        variables = {"__name__": "spoilt"}
        exec(compile(text, "spoilt.py", "exec"), variables)
        variables["main"]()
    return main
"#;

/// A server with one thing wrong.
pub struct Case {
    /// The module and the console script.
    pub name: &'static str,
    /// What is changed in the sound server.
    pub change: (&'static str, &'static str),
    /// What is changed in the settings.
    pub settings: &'static [(&'static str, &'static str)],
    /// The check that does not hold, and how the message goes on.
    pub expected: (&'static str, &'static str),
}

/// For servers that never do what is awaited.
pub const QUICK_START: (&str, &str) = ("start-seconds = 30", "start-seconds = 2");
/// For servers that never end.
pub const QUICK_STOP: (&str, &str) = ("stop-seconds = 20", "stop-seconds = 1");
/// Only stdio is proved.
pub const NO_HTTP: (&str, &str) = (
    "[prove.http]\narguments = [\"{host}\", \"{port}\"]\nenvironment = { CASE_TOKEN = \"{token}\" }\n",
    "",
);
/// Only HTTP is proved.
pub const NO_STDIO: (&str, &str) = ("[prove.stdio]\n", "");

/// Compares a text with a pattern in which `…` stands for anything.
fn matches(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    pattern.split('…').enumerate().all(|(index, part)| {
        match rest.find(part) {
            Some(0) => {}
            Some(_) if index > 0 => {}
            _ => return false,
        }
        rest = &rest[rest.find(part).unwrap() + part.len()..];
        true
    })
}

/// Every variant in one wheel, installed once.
fn installed() -> &'static (World, Environment) {
    static INSTALLED: OnceLock<(World, Environment)> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // A path as people have them; the launchers of console scripts must stand it.
        let world = world("servers in a földer");
        let mut wheel = Wheel {
            name: "cases",
            metadata: &[],
            scripts: vec!["sound = cases.sound:main".to_owned()],
            files: vec![
                ("cases/__init__.py".to_owned(), SPOIL.to_owned()),
                ("cases/sound.py".to_owned(), SOUND.to_owned()),
            ],
        };
        let spoilt = CASES.iter().map(|case| (case.name, case.change));
        for (name, (old, new)) in spoilt.chain(SOUND_VARIANTS) {
            assert_eq!(SOUND.matches(old).count(), 1, "{name}: {old}");
            wheel.scripts.push(format!("{name} = cases.{name}:main"));
            let text = format!("from cases import spoilt\nmain = spoilt({old:?}, {new:?})\n");
            wheel.files.push((format!("cases/{name}.py"), text));
        }
        let path = wheel.write(&world.root);
        let requirements = super::wheel::requirements(&world.root, &[]);
        let python = python(&world);
        let environment = prove::install(&world, "sound", &path, &requirements, &python).unwrap();
        (world, environment)
    })
}

fn prove(script: &str, settings: &[(&str, &str)]) -> Result<Outcome, Error> {
    let (world, environment) = installed();
    prove::examine_installed(world, &configuration(script, settings), environment)
}

/// Runs a case and requires that it fails as it should, and only so.
pub fn fails(name: &str) {
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    let Case { expected, .. } = case;
    let outcome = prove(name, case.settings).unwrap();
    let [failure] = outcome.failures.as_slice() else {
        panic!("{name}: {outcome:#?}");
    };
    assert_eq!(failure.check, expected.0, "{name}: {failure:#?}");
    let message = &failure.error.message;
    assert!(matches(message, expected.1), "{name}: {message}");
    assert!(!failure.error.hints.is_empty(), "{name}: {failure:#?}");
    assert_eq!(failure.error.kind, Kind::Refused);
    assert!(!is_running(&format!("# left behind by {name}")));
}

/// Whether a process of this machine has this text in its command line; the proof ends
/// whatever a server leaves behind.
fn is_running(text: &str) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.into_iter().any(|process| {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(text)
    })
}

#[test]
fn a_sound_server_gives_the_same_evidence_every_time() {
    let evidence = |outcome: Outcome| -> Vec<String> {
        assert_eq!(outcome.tools, ["ping"]);
        let checks = outcome.into_checks().unwrap();
        let line = |check: &xtask::artifact::Check| format!("{}: {}", check.name, check.detail);
        checks.iter().map(line).collect()
    };
    let first = evidence(prove("sound", &[]).unwrap());
    assert_eq!(first[2..], EVIDENCE);
    assert_eq!(first, evidence(prove("sound", &[]).unwrap()));
}

#[test]
fn a_server_may_speak_with_or_without_a_handshake_or_both() {
    let shown = |script: &str| -> Vec<String> {
        let checks = prove(script, &[]).unwrap().into_checks().unwrap();
        let about = |name: &str| name.ends_with("handshake") || name.ends_with("stateless");
        let found = checks.iter().filter(|check| about(&check.name));
        found
            .map(|check| format!("{}: {}", check.name, check.detail))
            .collect()
    };
    let old = "protocol 2025-11-25, 1 tool";
    let expected = [
        format!("stdio-handshake: {old}"),
        format!("http-handshake: {old}"),
    ];
    assert_eq!(shown("knows_only_the_handshake"), expected);
    let expected = [
        "stdio-handshake: protocol 2026-07-28, 1 tool",
        "stdio-stateless: protocol 2026-07-28",
        "http-handshake: protocol 2026-07-28, 1 tool",
        "http-stateless: protocol 2026-07-28",
    ];
    assert_eq!(shown("has_given_up_the_handshake"), expected);
}

#[test]
fn one_transport_is_enough_and_none_is_too_few() {
    let outcome = prove("sound", &[NO_STDIO]).unwrap();
    assert!(outcome.failures.is_empty(), "{outcome:#?}");
    assert!(!outcome.checks.iter().any(|it| it.name.starts_with("stdio")));
    let error = prove("sound", &[NO_STDIO, NO_HTTP]).unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
}

#[test]
fn both_transports_are_reported_when_both_fail() {
    let tool = ("tool = \"ping\"", "tool = \"pong\"");
    let outcome = prove("sound", &[tool]).unwrap();
    let error = outcome.into_checks().unwrap_err();
    let expected = "over stdio: there is no tool \"pong\"; the server has: ping\n       over http: \
                    there is no tool \"pong\"; the server has: ping";
    assert_eq!(error.message, expected);
    assert_eq!(error.hints.len(), 1);
}

#[test]
fn a_script_the_wheel_lacks_is_refused() {
    let error = prove("absent", &[]).unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert!(
        error
            .message
            .starts_with("the wheel has no console script \"absent\"; it has: "),
        "{error}"
    );
}
