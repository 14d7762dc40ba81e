//! The image of a program: built by Cargo of the release's commit, the same each time.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::setting::{Content, Setting, content, with_files};
use crate::repository::{Ended, ended};

const ARCHIVE: &str = "dist/fleet-1.0.0-image.oci.tar";

const SETTINGS: &str = "[program.fleet]\nport = 8000\nhealth = [\"health\"]\narguments = \
    [\"serve\"]\nenvironment = { FLEET = \"many\" }\nlabels = { team = \"tools\" }\n";

const WORKSPACE: &str = "[package]\nname = \"fleet\"\nversion = \"1.0.0\"\nedition = \
    \"2024\"\nlicense = \"MIT\"\ndescription = \"Steers\"\n";

const LOCK: &str = "version = 4\n\n[[package]]\nname = \"fleet\"\nversion = \"1.0.0\"\n";

/// Generated code is compiled in a folder of this machine, which a panic would name.
const BUILD: &str = "fn main() {\n    let folder = std::env::var(\"OUT_DIR\").unwrap();\n    let \
    code = \"pub fn number(text: &str) -> u8 { text.parse().unwrap() }\";\n    \
    std::fs::write(format!(\"{folder}/made.rs\"), code).unwrap();\n}\n";

fn main_file(word: &str) -> String {
    format!(
        "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\nfn main() {{\n    let arguments: \
         Vec<String> = std::env::args().skip(1).collect();\n    println!(\"{word} \
         {{arguments:?}}\");\n    if arguments[0] == \"fail\" {{ number(\"x\"); }}\n}}\n"
    )
}

fn fleet(settings: &str, workspace: &str) -> Setting {
    with_files(
        settings,
        &[
            ("Cargo.toml", workspace),
            ("Cargo.lock", LOCK),
            ("build.rs", BUILD),
            ("src/main.rs", &main_file("first")),
        ],
    )
}

/// What this machine can build without a toolchain for another one.
fn here() -> (&'static str, &'static str) {
    match std::env::consts::ARCH {
        "aarch64" => ("linux/arm64", "arm64"),
        _ => ("linux/amd64", "amd64"),
    }
}

fn build(setting: &Setting) -> Vec<u8> {
    let (platform, _) = here();
    let words = ["image", "fleet", "--platform", platform];
    setting.repository.succeeds(&words);
    setting.repository.read(ARCHIVE)
}

/// What the program in an image says, started without its image.
fn says(setting: &Setting, image: &Content, argument: &str) -> Ended {
    let (mode, bytes) = &image.bytes["usr/local/bin/fleet"];
    assert_eq!(*mode, 0o755);
    let place = setting.repository.root.join("taken out");
    std::fs::write(&place, bytes).unwrap();
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
    ended(setting.repository.command(place.as_str()).arg(argument))
}

#[test]
fn the_program_of_the_commit_is_in_it() {
    let setting = fleet(SETTINGS, WORKSPACE);
    // What is not committed is in no release.
    let image = content(&build(&setting), here().1);
    let said = says(&setting, &image, "serve");
    assert_eq!(said.stdout, "first [\"serve\"]\n", "{}", said.stderr);
    let paths: Vec<&str> = image.bytes.keys().map(String::as_str).collect();
    assert_eq!(paths, ["data/", "etc/passwd", "usr/local/bin/fleet"]);
    let config = &image.configuration["config"];
    assert_eq!(config["User"], "10001:10001");
    assert_eq!(config["Entrypoint"], json!(["/usr/local/bin/fleet"]));
    assert_eq!(config["Cmd"], json!(["serve"]));
    assert_eq!(config["ExposedPorts"], json!({ "8000/tcp": {} }));
    let check = json!(["CMD", "/usr/local/bin/fleet", "health"]);
    assert_eq!(config["Healthcheck"]["Test"], check);
    let variables = [
        "PATH=/usr/local/bin:/usr/bin",
        "LANG=C.UTF-8",
        "HOME=/data",
        "FLEET=many",
    ];
    assert_eq!(config["Env"], json!(variables));
    let labels = &config["Labels"];
    let commit = setting.repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(labels["io.mcp-shipyard.commit"], commit.trim());
    assert_eq!(labels["org.opencontainers.image.licenses"], "MIT");
    assert_eq!(labels["org.opencontainers.image.description"], "Steers");
    assert_eq!(labels["team"], "tools");
    assert!(labels["io.mcp-shipyard.wheel.sha256"].is_null());
    // It names no folder of this machine, and what it names instead is the same everywhere.
    let (_, bytes) = &image.bytes["usr/local/bin/fleet"];
    let root = setting.repository.root.as_str();
    assert!(memchr::memmem::find(bytes, root.as_bytes()).is_none());
    let failed = says(&setting, &image, "fail");
    assert!(
        failed.stderr.contains("panicked at /target/"),
        "{}",
        failed.stderr
    );
}

#[test]
fn both_images_are_in_the_manifest_and_the_statement() {
    let setting = fleet(SETTINGS, WORKSPACE);
    let server = setting.build(&[]);
    let program = build(&setting);
    assert!(server != program);
    let text = |path: &str| String::from_utf8(setting.repository.read(path)).unwrap();
    for path in ["manifest.json", "SHA256SUMS", "provenance.intoto.json"] {
        let text = text(&format!("dist/{path}"));
        for name in [
            "fleet-1.0.0-image.oci.tar",
            "demo-server-1.0.0-image.oci.tar",
        ] {
            assert!(text.contains(name), "{path}: {name}");
        }
    }
    // What is in each is said beside it, and of the program's crates there are none.
    let bill = |name: &str| -> Value {
        let path = format!("dist/{name}-1.0.0-image.cdx.json");
        serde_json::from_slice(&setting.repository.read(&path)).unwrap()
    };
    let names = |bill: &Value| -> Vec<String> {
        let components = bill["components"].as_array().unwrap().iter();
        components
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&bill("fleet")), ["base", "fleet", "fleet"]);
    let server = bill("demo-server");
    assert_eq!(
        names(&server),
        ["base", "demo-server", "demo-server", "demo-server"]
    );
    let digest = setting
        .repository
        .succeeds(&["image", "--print", "digest"])
        .stdout;
    let hash = &server["metadata"]["component"]["hashes"][0]["content"];
    assert_eq!(format!("sha256:{}", hash.as_str().unwrap()), digest.trim());
    // A second time, nothing is compiled.
    let again = ["image", "fleet", "--platform", here().0];
    let said = setting.repository.succeeds(&again).stdout;
    assert!(said.contains("= image "), "{said}");
    let printed = |words: &[&str]| {
        let ended = setting.repository.succeeds(words);
        ended.stdout.trim().to_owned()
    };
    let own = printed(&["image", "fleet", "--print", "digest"]);
    assert_ne!(own, printed(&["image", "--print", "digest"]));
    let manifest: Value = serde_json::from_str(&text("dist/manifest.json")).unwrap();
    let artifacts = manifest["artifacts"].as_array().unwrap();
    let kind = |one: &&Value| one["kind"] == "program-image";
    assert_eq!(artifacts.iter().filter(kind).count(), 1);
}

#[test]
fn two_clones_have_equal_bytes_and_another_commit_others() {
    let (one, mut two) = (fleet(SETTINGS, WORKSPACE), fleet(SETTINGS, WORKSPACE));
    let first = build(&one);
    assert!(first == build(&two), "two clones differ");
    // Cargo looks at times, which are those of the commit; that of this one is the same.
    two.repository.write("src/main.rs", &main_file("second"));
    let ended = two
        .repository
        .xtask(&["image", "fleet", "--platform", here().0]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    two.repository.git(&["add", "--all"]);
    two.repository.git(&["commit", "--quiet", "--message=B"]);
    two.follow();
    let image = content(&build(&two), here().1);
    assert_eq!(says(&two, &image, "x").stdout, "second [\"x\"]\n");
}

#[test]
fn what_is_not_of_the_release_is_not_built() {
    let check = |settings: &str, workspace: &str, words: &[&str], code: i32, expected: &str| {
        let setting = fleet(settings, workspace);
        let before = setting.repository.dist();
        let words: Vec<&str> = ["image"].iter().chain(words).copied().collect();
        let ended = setting.repository.xtask(&words);
        assert_eq!(ended.code, Some(code), "{words:?}: {}", ended.stderr);
        let said = &ended.stderr;
        assert!(said.contains(expected), "{words:?}: {expected}: {said}");
        assert!(before == setting.repository.dist(), "{words:?} wrote");
    };
    let here = ["fleet", "--platform", here().0];
    check(SETTINGS, WORKSPACE, &["other"], 2, "known: fleet");
    check("", WORKSPACE, &["fleet"], 2, "has no [program.fleet]");
    let packaged = "[program.fleet]\npackage = \"absent\"\n";
    check(packaged, WORKSPACE, &here, 2, "has no package absent");
    let named = "[program.fleet]\nbinary = \"absent\"\n";
    check(named, WORKSPACE, &here, 2, "has no binary absent");
    let newer = WORKSPACE.replace("1.0.0", "2.0.0");
    // The lock file is of another version, too: it is taken as it is.
    check(SETTINGS, &newer, &here, 1, "--locked");
    let python = ["fleet", "--python", "3.13"];
    check(SETTINGS, WORKSPACE, &python, 2, "cannot be used with");
    let mut setting = fleet(SETTINGS, WORKSPACE);
    setting.repository.write("more", "");
    setting.repository.git(&["add", "--all"]);
    setting
        .repository
        .git(&["commit", "--quiet", "--message=B"]);
    let ended = setting.repository.xtask(&["image", "fleet"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("this checkout is at"),
        "{}",
        ended.stderr
    );
    let other = LOCK.replace("1.0.0", "2.0.0");
    setting.repository.write("Cargo.toml", &newer);
    setting.repository.write("Cargo.lock", &other);
    setting
        .repository
        .git(&["commit", "--quiet", "--all", "--message=C"]);
    setting.follow();
    let ended = setting.repository.xtask(&["image", "fleet"]);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("has the version 2.0.0"),
        "{}",
        ended.stderr
    );
}
