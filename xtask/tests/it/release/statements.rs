//! What a release says of itself: `server.json` for MCP registries, and the statement of what it
//! was made from.

use serde_json::Value;
use xtask::artifact::Digest;

use super::{artifact, manifest};
use crate::repository::{CONFIGURATION, Repository, slow};

const NAME: &str = "io.github.example/demo-server";

/// A repository that wants a `server.json`; its README says this.
fn described(readme: &str) -> Repository {
    let repository = Repository::sound();
    let settings = format!("{CONFIGURATION}[mcp]\nname = \"{NAME}\"\n");
    repository.write("release.toml", &settings);
    let pyproject = String::from_utf8(repository.read("server/pyproject.toml")).unwrap();
    let named = "description = \"A sound server\"\nreadme = \"README.md\"\n";
    let pyproject = pyproject.replace("description = \"A sound server\"\n", named);
    repository.write("server/pyproject.toml", &pyproject);
    repository.write("server/README.md", readme);
    repository.commit();
    repository
}

#[test]
fn what_a_registry_refuses_is_said_before_anything_is_built() {
    let repository = described("");
    let pyproject = String::from_utf8(repository.read("server/pyproject.toml")).unwrap();
    let long = "A sound server that says a lot about itself, and more than anybody who looks for a \
                server would ever read to its end";
    let pyproject = pyproject.replace("A sound server", long);
    repository.write("server/pyproject.toml", &pyproject);
    repository.commit();
    let ended = repository.xtask(&["release", "--plan"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let length = format!("has {} characters", long.len());
    for part in ["server/pyproject.toml", &length, "[mcp] description"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}

#[test]
fn a_wheel_without_the_marker_is_refused_with_the_line_to_write() {
    if !slow() {
        return;
    }
    let repository = described("# Demo\n\nmcp-name: io.github.example/demo-server-2\n");
    let ended = repository.xtask(&["release"]);
    assert_eq!(ended.code, Some(6), "{}{}", ended.stdout, ended.stderr);
    for part in [
        "demo_server-1.0.0-py3-none-any.whl: its METADATA does not say",
        "it says mcp-name: io.github.example/demo-server-2",
        "write this line into server/README.md",
        "<!-- mcp-name: io.github.example/demo-server -->",
    ] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    assert!(repository.dist().is_empty());
}

#[test]
fn a_release_describes_its_server_and_says_what_it_was_made_from() {
    if !slow() {
        return;
    }
    let repository = described(&format!("# Demo\n\n<!-- mcp-name: {NAME} -->\n"));
    repository.succeeds(&["release"]);
    let first = repository.dist();
    let manifest = manifest(&repository);
    let wheel = Digest::of(&repository.read(&artifact(&repository, "wheel")));

    let text = repository.read(&artifact(&repository, "server-json"));
    let server: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(server["name"], NAME);
    assert_eq!(server["version"], "1.0.0");
    assert_eq!(server["packages"][0]["identifier"], "demo-server");
    let provided = &server["_meta"]["io.modelcontextprotocol.registry/publisher-provided"];
    assert_eq!(provided["buildInfo"]["wheelSha256"], wheel.hex());
    assert_eq!(provided["tools"], manifest["proof"]["tools"]);
    assert!(
        provided["tools"]
            .as_array()
            .unwrap()
            .contains(&"ping".into())
    );

    let text = repository.read(&artifact(&repository, "provenance"));
    let statement: Value = serde_json::from_slice(&text).unwrap();
    let named = |list: &Value, name: &str, digest: fn(&Value) -> &Value| {
        let entries = list.as_array().unwrap().iter();
        let pair = |one: &Value| (one[name].clone(), digest(one).clone());
        entries.map(pair).collect::<Vec<_>>()
    };
    let mut artifacts = named(&manifest["artifacts"], "path", |one| &one["sha256"]);
    artifacts.retain(|(path, _)| path != "provenance.intoto.json");
    let subjects = named(
        &statement["subject"],
        "name",
        |one| &one["digest"]["sha256"],
    );
    assert_eq!(subjects, artifacts);
    let definition = &statement["predicate"]["buildDefinition"];
    let dependencies = &definition["resolvedDependencies"];
    let commit = repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(dependencies[0]["digest"]["gitCommit"], commit.trim());
    let lock = Digest::of(&repository.read("server/poetry.lock"));
    assert_eq!(dependencies[1]["name"], "server/poetry.lock");
    assert_eq!(dependencies[1]["digest"]["sha256"], lock.hex());

    let sums = String::from_utf8(repository.read("dist/SHA256SUMS")).unwrap();
    for file in ["provenance.intoto.json", "server.json"] {
        assert!(sums.contains(&format!("  {file}\n")), "{sums}");
        // Only what was changed is made again, and to the same bytes.
        repository.write(&format!("dist/{file}"), "{}");
        repository.succeeds(&["release"]);
        assert_eq!(repository.dist(), first, "{file}");
    }
    let again = repository.succeeds(&["release"]);
    assert!(again.stdout.contains("= release"), "{}", again.stdout);
}
