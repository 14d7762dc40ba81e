//! The verb itself: what it reads, what it writes, how it ends.

use std::collections::BTreeMap;

use serde_json::Value;
use xtask::artifact::{Kind, MANIFEST_FILE, Manifest, Source, seal};
use xtask::world::World;
use xtask::world::process::Output;

use super::wheel::{Wheel, requirements};
use super::{settings, world};

/// A repository whose `dist/` holds a wheel with this server and says so in its manifest.
fn repository(name: &str, server: &str, changes: &[(&str, &str)]) -> World {
    let world = world(name);
    let dist = world.dist();
    xtask::world::files::create_folder(&dist).unwrap();
    std::fs::write(world.root.join("release.toml"), settings("own", changes)).unwrap();
    let wheel = Wheel {
        name: "own",
        metadata: &[],
        scripts: vec!["own = own:main".to_owned()],
        files: vec![("own.py".to_owned(), server.to_owned())],
    };
    let paths = [
        (Kind::Wheel, wheel.write(&dist)),
        (Kind::Requirements, requirements(&dist, &[])),
    ];
    let mut manifest = Manifest {
        schema: 1,
        name: "own".to_owned(),
        version: "1.0".to_owned(),
        source: Source {
            commit: "0".repeat(40),
            dirty: false,
            source_date_epoch: 0,
        },
        artifacts: Vec::new(),
        proof: None,
    };
    for (kind, path) in paths {
        let bytes = std::fs::read(&path).unwrap();
        let file = path.file_name().unwrap();
        manifest.put(seal(kind, ("own", "1.0"), file, &bytes, BTreeMap::new()));
    }
    std::fs::write(dist.join(MANIFEST_FILE), manifest.text()).unwrap();
    world
}

fn run(world: &World) -> Output {
    let tool = world.command(env!("CARGO_BIN_EXE_cargo-xtask"));
    tool.args(["prove", "--format", "json"]).output().unwrap()
}

const SOUND: &str = include_str!("../cases/prove/server.py");

#[test]
fn the_evidence_is_written_into_the_manifest() {
    let world = repository("command-sound", SOUND, &[]);
    let output = run(&world);
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(world.dist().join(MANIFEST_FILE)).unwrap();
    let manifest = Manifest::parse(&text, MANIFEST_FILE).unwrap();
    let proof = manifest.proof.clone().unwrap();
    assert_eq!(proof.wheel, manifest.only(Kind::Wheel).unwrap().sha256);
    assert_eq!(proof.checks[0].name, "install");
    assert!(
        proof
            .inputs
            .keys()
            .eq(["python", "requirements", "revision", "settings", "wheel"])
    );
    let shown: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(shown["proved"], true);
    assert_eq!(
        shown["checks"].as_array().unwrap().len(),
        proof.checks.len()
    );
    // A second run writes the same bytes.
    assert!(run(&world).status.success());
    let again = std::fs::read_to_string(world.dist().join(MANIFEST_FILE)).unwrap();
    assert_eq!(again, text);
}

#[test]
fn a_refusal_shows_every_check_and_leaves_the_manifest_alone() {
    let server = SOUND.replace("(\"/health\", \"/ready\")", "(\"/ready\",)");
    let world = repository("command-refused", &server, &[]);
    let before = std::fs::read(world.dist().join(MANIFEST_FILE)).unwrap();
    let output = run(&world);
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    assert!(output.stderr.contains("over http: GET /health answers 401"));
    let shown: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(shown["proved"], false);
    let checks = shown["checks"].as_array().unwrap();
    let of = |name: &str| &checks.iter().find(|check| check["name"] == name).unwrap()["held"];
    assert_eq!(
        (of("http-health"), of("stdio-stop")),
        (&Value::Bool(false), &Value::Bool(true))
    );
    assert_eq!(
        std::fs::read(world.dist().join(MANIFEST_FILE)).unwrap(),
        before
    );
}

#[test]
fn a_file_that_was_exchanged_is_a_conflict() {
    let world = repository("command-exchanged", SOUND, &[]);
    std::fs::write(world.dist().join("requirements.txt"), "# other\n").unwrap();
    let output = run(&world);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(
        output
            .stderr
            .contains("dist/requirements.txt is not the file that was made: sha256:"),
        "{output:?}"
    );
}

#[test]
fn without_a_manifest_there_is_nothing_to_prove() {
    let world = repository("command-empty", SOUND, &[]);
    std::fs::remove_file(world.dist().join(MANIFEST_FILE)).unwrap();
    let output = run(&world);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(
        output.stderr.contains("there is no dist/manifest.json"),
        "{output:?}"
    );
}

/// Ctrl-C in the middle: the servers end, the temporary folder goes, the manifest stays.
#[cfg(unix)]
#[test]
fn an_interrupted_proof_leaves_nothing_behind() {
    let endless = SOUND.replace(
        "        answer = response(json.loads(line))",
        "        answer = print('asked', file=open(os.environ['CASE_SIGN'], 'a'))",
    );
    let sign = world("command-interrupted-sign").root.join("sign");
    let environment = format!("[prove.stdio]\nenvironment = {{ CASE_SIGN = \"{sign}\" }}\n");
    let world = repository(
        "command-interrupted",
        &endless,
        &[("[prove.stdio]\n", &environment)],
    );
    let before = std::fs::read(world.dist().join(MANIFEST_FILE)).unwrap();
    let tool = world.command(env!("CARGO_BIN_EXE_cargo-xtask"));
    let mut running = tool.arg("prove").spawn().unwrap();
    while !sign.exists() {
        assert!(running.poll().unwrap().is_none(), "it ended too early");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    running.signal_leader(xtask::world::interrupt::Signal::Interrupt);
    let status = running.child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(
        std::fs::read(world.dist().join(MANIFEST_FILE)).unwrap(),
        before
    );
    let private = std::fs::read_dir(world.private()).unwrap().flatten();
    let left: Vec<_> = private.map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["lock"]);
}
