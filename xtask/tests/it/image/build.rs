//! What is in an image, and that it is the same each time.

use serde_json::Value;
use xtask::artifact::Digest;

use super::base;
use super::setting::{ARCHIVE, BOTH, Setting, content, setting};
use crate::repository::{CONFIGURATION, Repository, slow};

const X86: &str = "cp313-cp313-manylinux_2_17_x86_64";
const ARM: &str = "cp313-cp313-manylinux_2_17_aarch64";

/// Dependencies of every kind.
fn with_dependencies() -> Setting {
    let mut setting = setting("");
    setting.depend("alpha", &["py3-none-any"], "");
    setting.depend("beta", &[X86, ARM], "python_version >= \"3.11\"");
    setting.depend("gamma", &[], "sys_platform == \"win32\"");
    setting.depend(
        "delta",
        &["py3-none-any"],
        "platform_machine == \"aarch64\"",
    );
    setting
}

#[test]
fn each_platform_gets_what_it_needs_and_no_more() {
    let setting = with_dependencies();
    let archive = setting.build(&[]);
    let check = |architecture: &str, tag: &str, delta: bool| {
        let image = content(&archive, architecture);
        let file = |path: &str| image.files.get(&format!("app/site-packages/{path}"));
        assert!(file("alpha/__init__.py").is_some());
        assert!(file("beta/__init__.py").unwrap().contains(tag));
        assert_eq!(file("delta/__init__.py").is_some(), delta, "{architecture}");
        assert!(file("gamma/__init__.py").is_none());
        assert!(file("demo_server/__init__.py").is_some());
        let script = &image.files["app/bin/alpha-tool"];
        assert!(
            script.starts_with("#!/usr/local/bin/python3.13\n"),
            "{script}"
        );
        let users = &image.files["etc/passwd"];
        assert!(users.starts_with("root:x:0:0:") && users.contains("\nmcp:x:10001:10001:"));
        assert!(image.files.contains_key("data/"));
        assert!(!image.files.contains_key("etc/"));
        assert_eq!(image.configuration["architecture"], architecture);
        let diff_ids = image.configuration["rootfs"]["diff_ids"]
            .as_array()
            .unwrap();
        assert_eq!((diff_ids.len(), image.layers.len()), (3, 3));
    };
    check("amd64", X86, false);
    check("arm64", ARM, true);
    // The bill says the same, each wheel by its digest.
    let bill = setting
        .repository
        .read("dist/demo-server-1.0.0-image.cdx.json");
    let bill: Value = serde_json::from_slice(&bill).unwrap();
    let arrows = bill["dependencies"].as_array().unwrap();
    let below = |platform: &str| {
        let found = arrows.iter().find(|arrow| arrow["ref"] == platform);
        found.unwrap()["dependsOn"].as_array().unwrap().len()
    };
    // The base, alpha, beta, the server; and delta.
    assert_eq!(
        (below("image:linux/amd64"), below("image:linux/arm64")),
        (4, 5)
    );
    let wheel = setting.wheels.path().join(format!("beta-1.0-{ARM}.whl"));
    let hex = Digest::of(&std::fs::read(wheel).unwrap()).hex().to_owned();
    let components = bill["components"].as_array().unwrap();
    let is_it = |one: &&Value| one["hashes"][0]["content"] == *hex;
    assert_eq!(components.iter().find(is_it).unwrap()["name"], "beta");
}

#[test]
fn it_says_what_it_is_and_how_it_starts() {
    let setting = setting("environment = { MODE = \"http\" }\nlabels = { team = \"tools\" }\n");
    let archive = setting.build(&["--platform", "linux/arm64"]);
    let image = content(&archive, "arm64");
    let config = &image.configuration["config"];
    assert_eq!(config["User"], "10001:10001");
    assert_eq!(config["Entrypoint"][0], "/app/bin/demo-server");
    assert_eq!(config["Cmd"][0], "--http");
    assert_eq!(config["ExposedPorts"]["8000/tcp"], serde_json::json!({}));
    assert_eq!(
        config["Healthcheck"]["Test"][1],
        "/usr/local/bin/python3.13"
    );
    let variables: Vec<&str> = config["Env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    for expected in [
        "PORT=8000",
        "MODE=http",
        "HOME=/data",
        "PATH=/app/bin:/usr/local/bin:/usr/bin",
    ] {
        assert!(variables.contains(&expected), "{expected}: {variables:?}");
    }
    let labels = &config["Labels"];
    let commit = setting.repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(labels["io.mcp-shipyard.commit"], commit.trim());
    assert_eq!(labels["team"], "tools");
    assert_eq!(
        labels["org.opencontainers.image.description"],
        "A sound server"
    );
    assert_eq!(
        labels["org.opencontainers.image.created"],
        "2026-01-02T03:04:05Z"
    );
    assert!(labels["org.opencontainers.image.base.digest"].is_string());
    assert!(labels["org.opencontainers.image.base.name"].is_null());
    assert_eq!(&image.manifest["annotations"], labels);
    let printed = |what: &str| {
        let ended = setting.repository.succeeds(&["image", "--print", what]);
        ended.stdout.trim().to_owned()
    };
    assert_eq!(printed("build-id"), &commit[..12]);
    assert_eq!(printed("tags"), format!("{}\n1.0.0\nlatest", &commit[..12]));
    assert!(printed("digest").starts_with("sha256:"));
    let shown =
        setting
            .repository
            .succeeds(&["image", "--platform", "linux/arm64", "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["schema"], 1);
    assert_eq!(shown["digest"], printed("digest"));
    assert_eq!(shown["image"]["kind"], "image");
}

#[test]
fn two_builds_in_two_clones_have_equal_bytes() {
    let (one, two) = (with_dependencies(), with_dependencies());
    let first = one.build(&[]);
    // The other has its base in one file, and both platforms named the other way round.
    let layout = base::archive(&base::layout(&BOTH, "python3.13"));
    std::fs::write(two.repository.root.join("basis.tar"), layout).unwrap();
    let arguments = [
        "--base",
        "oci:basis.tar",
        "--platform",
        "linux/arm64",
        "--platform",
        "linux/amd64",
    ];
    assert!(first == two.build(&arguments), "two clones differ");
    assert!(one.repository.dist() == two.repository.dist());
    // Built again from nothing, it is the same; without a reason it is not built again.
    let again = one.repository.succeeds(&["image"]);
    assert!(again.stdout.contains("= image "), "{}", again.stdout);
    one.put();
    std::fs::remove_dir_all(one.repository.root.join("target/xtask/image")).unwrap();
    assert!(first == one.build(&["--platform", "all"]));
}

#[test]
fn a_new_wheel_moves_its_own_layer_and_nothing_else() {
    let mut setting = with_dependencies();
    let before = content(&setting.build(&[]), "amd64");
    setting.change_wheel("print('two')\n");
    let after = content(&setting.build(&[]), "amd64");
    assert_eq!(before.layers[..2], after.layers[..2]);
    assert_ne!(before.layers[2], after.layers[2]);
    let labels = |image: &super::setting::Content| {
        image.configuration["config"]["Labels"]["io.mcp-shipyard.wheel.sha256"].clone()
    };
    assert_ne!(labels(&before), labels(&after));
}

#[test]
fn the_image_is_in_the_manifest_the_sums_and_the_statement() {
    let mut setting = setting("");
    setting.build(&[]);
    let text = |path: &str| String::from_utf8(setting.repository.read(path)).unwrap();
    let name = ARCHIVE.strip_prefix("dist/").unwrap();
    for path in [
        "manifest.json",
        "SHA256SUMS",
        "provenance.intoto.json",
        "release-notes.md",
    ] {
        assert!(text(&format!("dist/{path}")).contains(name), "{path}");
    }
    // Another wheel takes the image of the old one with it.
    setting.change_wheel("print('two')\n");
    assert!(!setting.repository.root.join(ARCHIVE).exists());
}

/// The build, too, of two clones of one commit.
#[test]
fn two_releases_of_two_clones_have_equal_images() {
    if !slow() {
        return;
    }
    let made = || {
        let repository = Repository::sound();
        let text = format!("{CONFIGURATION}{}", super::setting::IMAGE);
        repository.write("release.toml", &text);
        repository.write(".gitignore", "/dist/\n/target/\n/basis größe/\n");
        repository.commit();
        let layout = base::layout(&BOTH, "python3.13");
        base::folder(&layout, &repository.root.join("basis größe"));
        repository.succeeds(&["release", "--without-audit"]);
        repository.succeeds(&["image"]);
        let sealed = repository.succeeds(&["release", "--without-audit"]);
        assert!(sealed.stdout.contains("= release "), "{}", sealed.stdout);
        repository.dist()
    };
    let (one, two) = (made(), made());
    assert!(one.iter().any(|(path, _)| path.ends_with("-image.oci.tar")));
    assert!(one == two, "two clones differ");
}

#[test]
fn outside_of_git_a_build_is_named_by_the_time() {
    let repository = Repository::folder("no git");
    repository.write("release.toml", CONFIGURATION);
    let ended = repository.succeeds(&["image", "--print", "build-id"]);
    let id = ended.stdout.trim();
    assert!(id.len() == 14 && id.starts_with("20"), "{id}");
    assert!(id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    let sound = Repository::sound();
    let commit = sound.git(&["rev-parse", "HEAD"]);
    let printed = || sound.succeeds(&["image", "--print", "build-id"]).stdout;
    assert_eq!(printed().trim(), &commit[..12]);
    sound.write("server/demo_server/__init__.py", "changed = 1\n");
    assert_eq!(printed().trim(), format!("{}-dirty", &commit[..12]));
    let ended = sound.xtask(&["image"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("release.toml has no [image]"),
        "{}",
        ended.stderr
    );
}
