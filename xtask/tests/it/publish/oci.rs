//! What is special about OCI registries, against Debian's `docker-registry`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::real::{self, Server};
use super::sample::{self, publish, publishes};
use crate::registries::front::{Fault, Front};
use crate::registries::proxy::Proxy;
use crate::repository::{Ended, Repository};

fn repository(authority: &str) -> Repository {
    sample::repository(&format!(
        "[target.it]\nkind = \"oci\"\nrepository = \"{authority}/demo/server\"\nplain-http = true\n\
         [profile.it]\ntargets = [\"it\"]\n"
    ))
}

/// A registry that asks for a password, and a repository whose Docker knows this text for it.
fn closed(entry: Option<&str>) -> (Server, Repository) {
    let server = real::closed_docker_registry();
    let mut repository = repository(&server.authority);
    let folder = repository.root.join("docker").into_string();
    std::fs::create_dir(&folder).unwrap();
    if let Some(entry) = entry {
        let encoded = STANDARD.encode(entry);
        let text = format!(
            "{{\"auths\":{{\"{}\":{{\"auth\":\"{encoded}\"}}}}}}",
            server.authority
        );
        repository.write("docker/config.json", &text);
    }
    repository
        .environment
        .push(("DOCKER_CONFIG".into(), folder));
    (server, repository)
}

fn ends(ended: &Ended, code: i32, expected: &str) {
    let all = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{all}");
    assert!(all.contains(expected), "{all}");
    assert!(!all.contains("hunter"), "{all}");
}

#[test]
fn the_credential_is_the_one_that_docker_has() {
    if !real::has_docker_registry() {
        return;
    }
    let (server, repository) = closed(Some("me:hunter22"));
    let command = ["publish", "--to", "it", "--execute", "--verbose"];
    ends(&repository.xtask(&command), 0, "✓ it ");
    assert!(real::registry_blobs(&server, "demo/server").len() > 5);
    let encoded = STANDARD.encode("me:hunter22");
    let ledger = String::from_utf8(repository.read("dist/ledger.jsonl")).unwrap();
    assert!(!ledger.contains("hunter22") && !ledger.contains(&encoded));
    let doctor = repository.xtask(&["doctor", "--to", "it"]);
    assert!(
        doctor.stdout.contains("identity: me from "),
        "{}",
        doctor.stdout
    );
}

#[test]
fn without_the_right_credential_nothing_is_sent() {
    if !real::has_docker_registry() {
        return;
    }
    for entry in [None, Some("me:hunter23")] {
        let (server, repository) = closed(entry);
        ends(&publish(&repository, "it"), 5, "401");
        assert!(real::registry_blobs(&server, "demo/server").is_empty());
    }
}

#[test]
fn a_helper_that_docker_names_is_asked() {
    if !real::has_docker_registry() {
        return;
    }
    let (_server, mut repository) = closed(None);
    repository.write("docker/config.json", "{\"credsStore\":\"of-the-test\"}");
    ends(
        &publish(&repository, "it"),
        5,
        "docker-credential-of-the-test",
    );
    let script = "#!/bin/sh\nread address\ntest \"$1\" = get -a -n \"$address\" || exit 1\n\
                  echo '{\"Username\":\"me\",\"Secret\":\"hunter22\"}'\n";
    repository.write("bin/docker-credential-of-the-test", script);
    let program = repository.root.join("bin/docker-credential-of-the-test");
    let chmod = repository
        .command("chmod")
        .args(["+x", program.as_str()])
        .status();
    assert!(chmod.unwrap().success());
    let path = format!("{}/bin:{}", repository.root, env!("PATH"));
    repository.environment.push(("PATH".into(), path));
    ends(&publish(&repository, "it"), 0, "✓ it ");
}

#[test]
fn the_tag_of_a_version_never_moves_and_latest_does() {
    if !real::has_docker_registry() {
        return;
    }
    let server = real::docker_registry();
    let repository = repository(&server.authority);
    publishes(&repository, "it");
    // Another version of the same repository moves `latest`, and nothing else.
    let mut other = sample::release("print('two')\n");
    other.manifest.version = "1.0.1".to_owned();
    sample::put(&repository, &sample::finish(other));
    let plan = sample::plan(&repository, "it");
    assert_eq!(sample::state(&plan, "it:last"), "partial", "{plan:#}");
    publishes(&repository, "it");
    sample::put(&repository, &sample::release(sample::CONTENT));
    let plan = sample::plan(&repository, "it");
    assert_eq!(sample::state(&plan, "it"), "same");
}

#[test]
fn what_comes_back_changed_is_a_conflict() {
    if !real::has_docker_registry() {
        return;
    }
    let server = real::docker_registry();
    let front = Front::start(Proxy::to(&server.authority));
    let repository = repository(&front.authority());
    front.fail(Some("GET"), "/blobs/sha256:", Fault::WrongBytes, 2);
    let ended = publish(&repository, "it");
    ends(&ended, 4, "exists with other bytes");
    assert_eq!(front.count("PUT", "/manifests/"), 0);
    publishes(&repository, "it");
}

#[test]
fn only_this_machine_is_spoken_to_without_tls() {
    let repository = sample::repository(
        "[target.it]\nkind = \"oci\"\nrepository = \"registry.example/demo\"\nplain-http = true\n\
         [profile.it]\ntargets = [\"it\"]\n",
    );
    ends(
        &publish(&repository, "it"),
        2,
        "only this machine is spoken to without TLS",
    );
}
