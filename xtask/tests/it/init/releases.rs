//! Real builds, real installs, real servers: `init`, then `release`, in each shape.

use serde_json::Value;

use super::super::repository::{Repository, slow};
use super::shape;

fn manifest(repository: &Repository) -> Value {
    serde_json::from_slice(&repository.read("dist/manifest.json")).unwrap()
}

/// `init`, commit, `release`; then the same commit elsewhere, under circumstances that must not
/// matter, gives the same bytes.
fn check(case: &str, version: &str, kinds: &[&str]) -> Repository {
    let repository = shape(case, "größer mit leerzeichen");
    repository.succeeds(&["init"]);
    repository.commit();
    let checked = repository.succeeds(&["version", "--check", "--format", "json"]);
    let stated: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(stated["version"], version);
    repository.succeeds(&["release", "--without-audit"]);
    let manifest = manifest(&repository);
    assert_eq!(manifest["version"], version, "the wheel's");
    let checks = manifest["proof"]["checks"].as_array().unwrap();
    assert!(
        checks.iter().any(|check| check["name"] == "stdio-call"),
        "{checks:?}"
    );
    assert_eq!(
        manifest["proof"]["tools"],
        serde_json::json!(["is_version", "newest"])
    );
    for kind in kinds {
        let artifacts = manifest["artifacts"].as_array().unwrap();
        assert!(
            artifacts.iter().any(|artifact| artifact["kind"] == *kind),
            "{kind}"
        );
    }
    assert_eq!(
        repository.git(&["status", "--porcelain"]),
        "",
        "nothing is left over"
    );
    elsewhere(&repository);
    repository
}

fn elsewhere(repository: &Repository) {
    let mut other = Repository::folder("other");
    other.git(&["clone", "--quiet", repository.root.as_str(), "."]);
    let circumstances = [("TZ", "Asia/Tokyo"), ("LC_ALL", "C")];
    other
        .environment
        .extend(circumstances.map(|(name, value)| (name.into(), value.into())));
    let script = "umask 077; exec \"$0\" release --without-audit";
    let tool = env!("CARGO_BIN_EXE_cargo-xtask");
    let ended = super::super::repository::ended(other.command("sh").args(["-c", script, tool]));
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let (here, there) = (repository.dist(), other.dist());
    assert_eq!(here.len(), there.len());
    for ((path, bytes), (_, others)) in here.iter().zip(&there) {
        assert!(bytes == others, "{path} differs");
    }
}

#[test]
fn hatchling_and_uv_without_an_extension() {
    if slow() {
        let repository = check("hatchling", "0.3.0", &["wheel", "sdist"]);
        let list = String::from_utf8(repository.read("dist/requirements.txt")).unwrap();
        let conditional = "colorama==0.4.6 ; sys_platform == \"win32\"";
        assert!(
            list.contains(conditional) && !list.contains("iniconfig"),
            "{list}"
        );
    }
}

#[test]
fn setuptools_with_src_and_a_hash_locked_requirements_file() {
    if slow() {
        check("setuptools", "0.4.0", &["wheel", "sdist"]);
    }
}

#[test]
fn legacy_poetry_and_an_extension_in_another_folder() {
    if slow() {
        check("poetry", "1.2.0", &["wheel", "sdist", "vsix"]);
    }
}

/// Every back end that the tool brings builds the same bytes twice, with nothing downloaded.
#[test]
fn every_back_end_builds_reproducibly() {
    if !slow() {
        return;
    }
    let cases = [
        ("poetry-core", "poetry.core.masonry.api", ""),
        ("flit_core", "flit_core.buildapi", ""),
        ("pdm-backend", "pdm.backend", ""),
        (
            "uv_build",
            "uv_build",
            "[tool.uv.build-backend]\nmodule-root = \"\"\n",
        ),
    ];
    for (name, module, more) in cases {
        let repository = shape("hatchling", name);
        repository.succeeds(&["init"]);
        let text = String::from_utf8(repository.read("pyproject.toml")).unwrap();
        let (head, _) = text.split_once("[build-system]").unwrap();
        let head = head.replace("dynamic = [\"version\"]", "version = \"0.3.0\"");
        let text = format!(
            "{head}[build-system]\nrequires = [\"{name}\"]\nbuild-backend = \"{module}\"\n{more}"
        );
        repository.write("pyproject.toml", &text);
        repository.commit();
        repository.succeeds(&["release", "--without-audit"]);
        elsewhere(&repository);
    }
}
