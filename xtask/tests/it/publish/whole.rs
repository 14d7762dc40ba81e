//! The whole way in one command: from a commit to a real index and a real OCI registry, tested by
//! installing from there, and verified.

use std::sync::OnceLock;

use super::real::{self, Server};
use super::sample::ledger;
use crate::repository::{CONFIGURATION, Repository, ended, slow};

/// A repository that is built for real, with a profile of a staging index, an install test and an
/// OCI registry.
fn staging() -> Option<(Repository, String, &'static Server)> {
    static DEVPI: OnceLock<Server> = OnceLock::new();
    static REGISTRY: OnceLock<Server> = OnceLock::new();
    if !slow() || !real::has_docker_registry() {
        return None;
    }
    let devpi = DEVPI.get_or_init(real::devpi);
    let registry = REGISTRY.get_or_init(real::docker_registry);
    let mut repository = Repository::sound();
    let index = format!("index{}", std::process::id());
    real::devpi_index(&devpi.authority, &index);
    let url = format!("http://{}/me/{index}/", devpi.authority);
    let settings = format!(
        "{CONFIGURATION}[publish]\nwait = \"20s\"\npause = \"10ms\"\n\
         [target.index]\nkind = \"pypi\"\nurl = \"{url}\"\nsimple = \"{url}+simple/\"\n\
         [target.try]\nkind = \"install-test\"\nfrom = \"index\"\n\
         [target.registry]\nkind = \"oci\"\nrepository = \"{}/demo/whole\"\nplain-http = true\n\
         [profile.staging]\ntargets = [\"index\", \"try\", \"registry\"]\n",
        registry.authority
    );
    repository.write("release.toml", &settings);
    repository.commit();
    let keyring = "keyring.backends.null.Keyring";
    for (name, value) in [
        ("TWINE_USERNAME", "me"),
        ("TWINE_PASSWORD", "hunter22"),
        ("PYTHON_KEYRING_BACKEND", keyring),
    ] {
        repository.environment.push((name.into(), value.into()));
    }
    Some((repository, format!("{url}+simple/"), registry))
}

#[test]
fn a_commit_gets_to_everybody_in_one_command_and_is_verified() {
    let Some((repository, simple, registry)) = staging() else {
        return;
    };
    let command = ["release", "--to", "staging", "--execute"];
    let first = repository.succeeds(&command);
    for expected in [
        "✓ index ",
        "✓ try ",
        "uvx: protocol",
        "pipx run: protocol",
        "✓ registry ",
    ] {
        assert!(
            first.stdout.contains(expected),
            "{expected}\n{}",
            first.stdout
        );
    }
    assert!(!format!("{}{}", first.stdout, first.stderr).contains("hunter22"));
    assert!(real::registry_blobs(registry, "demo/whole").len() > 5);

    let sent = || {
        let lines = ledger(&repository);
        lines.iter().filter(|line| line["act"] == "send").count()
    };
    let before = sent();
    let again = repository.succeeds(&command);
    assert!(again.stdout.contains("= publish"), "{}", again.stdout);
    assert!(again.stdout.contains("= try"), "{}", again.stdout);
    assert_eq!(sent(), before);

    repository.succeeds(&["verify", "--to", "staging"]);
    installs(&repository, &simple);
}

/// pip takes the package from the index, held to the digest in `dist/`.
fn installs(repository: &Repository, simple: &str) {
    let manifest: serde_json::Value =
        serde_json::from_slice(&repository.read("dist/manifest.json")).unwrap();
    let artifacts = manifest["artifacts"].as_array().unwrap();
    let wheel = artifacts.iter().find(|one| one["kind"] == "wheel").unwrap();
    let digest = wheel["sha256"].as_str().unwrap();
    let line = format!("demo-server==1.0.0 --hash=sha256:{digest}\n");
    repository.write("target/wanted.txt", &line);
    let environment = repository.root.join("target/installed");
    let venv = ended(
        repository
            .command("python3")
            .args(["-m", "venv", environment.as_str()]),
    );
    assert_eq!(venv.code, Some(0), "{}", venv.stderr);
    let pip = ended(
        repository
            .command(environment.join("bin/python").as_str())
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--require-hashes",
            ])
            .args([
                "--index-url",
                simple,
                "--no-cache-dir",
                "-r",
                "target/wanted.txt",
            ])
            .env_remove("PIP_FIND_LINKS"),
    );
    assert_eq!(pip.code, Some(0), "{}", pip.stderr);
    assert!(environment.join("bin/demo-server").exists());
}
