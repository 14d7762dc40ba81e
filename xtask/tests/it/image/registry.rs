//! An image in a registry: sent, read back, and built upon. Against Debian's `docker-registry`.

use super::setting::{ARCHIVE, Setting, content, setting};
use crate::publish::real;
use crate::publish::sample::{plan, publish, publishes, state};

fn published(authority: &str) -> Setting {
    setting(&format!(
        "[target.it]\nkind = \"oci\"\nrepository = \"{authority}/demo/server\"\ntakes = \
         \"image\"\nplain-http = true\n[profile.it]\ntargets = [\"it\"]\n"
    ))
}

fn digest(setting: &Setting) -> String {
    let ended = setting.repository.succeeds(&["image", "--print", "digest"]);
    ended.stdout.trim().to_owned()
}

#[test]
fn an_image_is_sent_read_back_and_built_upon() {
    if !real::has_docker_registry() {
        return;
    }
    let server = real::docker_registry();
    let mut setting = published(&server.authority);
    // Before there is one, nothing is sent.
    let ended = publish(&setting.repository, "it");
    assert_eq!(ended.code, Some(5), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stderr.contains("cargo xtask image"),
        "{}",
        ended.stderr
    );
    setting.depend("alpha", &["py3-none-any"], "");
    setting.build(&[]);
    publishes(&setting.repository, "it");
    let sent = plan(&setting.repository, "it");
    assert_eq!(state(&sent, "it"), "same", "{sent:#}");
    assert_eq!(state(&sent, "it:last"), "same", "{sent:#}");
    setting.repository.succeeds(&["verify", "--to", "it"]);
    // Two configurations, two layers below, two above each, two manifests and the list of them.
    let blobs = real::registry_blobs(&server, "demo/server");
    let own = content(&setting.repository.read(ARCHIVE), "amd64").layers;
    assert!(
        own.iter()
            .all(|layer| blobs.contains(&layer[7..].to_owned()))
    );
    let digest = digest(&setting);
    assert!(blobs.contains(&digest[7..].to_owned()));
    // A tag is refused, with what it names now.
    let base = format!("{}/demo/server", server.authority);
    let ended = setting
        .repository
        .xtask(&["image", "--base", &format!("{base}:1.0.0")]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains(&format!("{base}:1.0.0@{digest}")),
        "{}",
        ended.stderr
    );
    let archive = setting.build(&["--base", &format!("{base}:1.0.0@{digest}")]);
    let upon = content(&archive, "amd64");
    assert_eq!(upon.layers.len(), 5);
    let label = &upon.configuration["config"]["Labels"]["org.opencontainers.image.base.name"];
    assert_eq!(label, &format!("{base}:1.0.0"));
}

#[test]
fn fixed_tags_stay_and_latest_moves() {
    if !real::has_docker_registry() {
        return;
    }
    let server = real::docker_registry();
    let mut setting = published(&server.authority);
    setting.build(&[]);
    publishes(&setting.repository, "it");
    // The same version and commit with other bytes are a conflict, and nothing moves.
    let first = digest(&setting);
    setting.depend("alpha", &["py3-none-any"], "");
    setting.build(&[]);
    assert_ne!(first, digest(&setting));
    let ended = publish(&setting.repository, "it");
    assert_eq!(ended.code, Some(4), "{}{}", ended.stdout, ended.stderr);
    let blobs = real::registry_blobs(&server, "demo/server");
    assert!(!blobs.contains(&digest(&setting)[7..].to_owned()));
}
