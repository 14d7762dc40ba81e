//! What is written for a release, and that the schema is read as others read it.

use std::collections::BTreeMap;

use super::*;
use crate::artifact::{Digest, Proof, Source, seal};
use crate::config;
use crate::dist::Release;
use crate::error::Kind as ErrorKind;
use crate::product::pyproject;

const CONFIGURATION: &str = r#"schema = 1
name = "demo"
[server]
path = "./tools/server"
console-script = "demo-server"
[prove.stdio]
arguments = ["--stdio"]
[prove.call]
tool = "ping"
[mcp]
name = "io.github.one/demo"
"#;

const PYPROJECT: &str = "[project]\nname = \"demo_server\"\ndescription = \"Says ping\"\n\
                         [project.urls]\nSource = \"https://github.com/one/demo\"\n";

fn manifest(tools: &[&str]) -> Manifest {
    let source = Source {
        commit: "c".repeat(40),
        dirty: false,
        source_date_epoch: 0,
    };
    let mut release = Release::empty("demo-server", "1.0", source);
    let named = ("demo-server", "1.0");
    let wheel = seal(Kind::Wheel, named, "demo.whl", b"PK", BTreeMap::new());
    let digest = wheel.sha256.clone();
    release.put(wheel, b"PK".to_vec());
    release.put_proof(Proof {
        wheel: digest.clone(),
        requirements: digest,
        inputs: BTreeMap::new(),
        checks: Vec::new(),
        tools: tools.iter().map(|&tool| tool.to_owned()).collect(),
    });
    release.manifest
}

fn made(more: &str, pyproject: &str, tools: &[&str]) -> Result<Value> {
    let config = config::parse(&format!("{CONFIGURATION}{more}"), "release.toml")?;
    let project = pyproject::parse(pyproject, "p")?;
    let facts = facts(&config, &project, "p")?.unwrap();
    let text = text(&facts, &manifest(tools))?;
    Ok(serde_json::from_str(&text).unwrap())
}

#[test]
fn a_name_and_pyproject_are_enough() {
    let document = made("", PYPROJECT, &["ping", "pong"]).unwrap();
    let wheel = Digest::of(b"PK");
    let expected = json!({
        "$schema": SCHEMA,
        "name": "io.github.one/demo",
        "description": "Says ping",
        "version": "1.0",
        "repository": {
            "url": "https://github.com/one/demo",
            "source": "github",
            "subfolder": "tools/server",
        },
        "packages": [{
            "registryType": "pypi",
            "identifier": "demo-server",
            "version": "1.0",
            "runtimeHint": "uvx",
            "transport": { "type": "stdio" },
            "packageArguments": [{ "type": "positional", "value": "--stdio" }],
        }],
        "_meta": { PUBLISHER: {
            "tool": "cargo-xtask",
            "version": env!("CARGO_PKG_VERSION"),
            "buildInfo": { "commit": "c".repeat(40), "wheelSha256": wheel.hex() },
            "toolCount": 2,
            "tools": ["ping", "pong"],
        }},
    });
    assert_eq!(document, expected);
    assert_eq!(wheel_digest(&document), Some(wheel.hex()));
}

#[test]
fn everything_that_can_be_said_is_valid() {
    let document = made(EVERYTHING, PYPROJECT, &[]).unwrap();
    assert_eq!(document["title"], "Demo");
    assert_eq!(document["remotes"][0]["type"], "streamable-http");
    let package = &document["packages"][0];
    assert!(
        package.get("packageArguments").is_none(),
        "they were set to none"
    );
    let variables = package["environmentVariables"].as_array().unwrap();
    assert_eq!(variables[0], json!({ "name": "PLAIN" }));
    assert_eq!(
        variables[1],
        json!({
            "name": "TOKEN",
            "description": "Opens the door",
            "default": "a",
            "format": "string",
            "choices": ["a", "b"],
            "isRequired": true,
            "isSecret": true,
        })
    );
    assert!(document["_meta"][PUBLISHER]["tools"].is_null());
}

const EVERYTHING: &str = r#"title = "Demo"
description = "Says ping, and more"
repository = "https://gitlab.com/group/part/demo"
website = "https://example.org/demo"
runtime = "pipx"
arguments = []
remotes = ["https://example.org/mcp"]
[[mcp.environment]]
name = "PLAIN"
[[mcp.environment]]
name = "TOKEN"
description = "Opens the door"
default = "a"
format = "string"
choices = ["a", "b"]
required = true
secret = true
"#;

#[test]
fn what_a_registry_would_refuse_is_refused_before() {
    let check = |more: &str, pyproject: &str, kind, expected: &str| {
        let error = made(more, pyproject, &[]).unwrap_err();
        assert!(error.message.contains(expected), "{}", error.message);
        assert_eq!(error.kind, kind, "{}", error.message);
    };
    let long = PYPROJECT.replace("Says ping", &"é".repeat(101));
    check(
        "",
        &long,
        ErrorKind::Usage,
        "would show, has 101 characters",
    );
    let none = "[project]\nname = \"demo-server\"\n";
    check("", none, ErrorKind::Usage, "would show, is empty");
    let other = PYPROJECT.replace("demo_server", "other");
    check(
        "",
        &other,
        ErrorKind::Usage,
        "starts the program with the package's name, other",
    );
    assert!(made("runtime = \"pipx\"\n", &other, &[]).is_ok());
    let empty = "arguments = [\"\"]\n";
    let place = "/packages/0/packageArguments/0: value";
    check(empty, PYPROJECT, ErrorKind::Refused, place);
    // A repository that no registry knows is not named.
    let elsewhere = PYPROJECT.replace("github.com", "example.org");
    assert!(made("", &elsewhere, &[]).unwrap()["repository"].is_null());
}

#[test]
fn a_list_of_tools_that_is_too_long_is_left_out() {
    let names: Vec<String> = (0..300)
        .map(|number| format!("tool_number_{number}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let provided = |count: usize| {
        let document = made("", PYPROJECT, names.get(..count).unwrap()).unwrap();
        document["_meta"].clone()
    };
    let (few, many) = (provided(100), provided(300));
    assert_eq!(few[PUBLISHER]["tools"].as_array().unwrap().len(), 100);
    assert!(many[PUBLISHER]["tools"].is_null());
    assert_eq!(many[PUBLISHER]["toolCount"], 300);
    assert!(few.to_string().len() <= PUBLISHER_LIMIT);
}

#[test]
fn what_a_registry_leaves_out_or_moves_makes_no_difference() {
    let ours = json!({ "b": [{ "x": 1 }], "a": { "z": "é", "y": true } });
    let theirs = json!({ "a": { "y": true, "z": "é", "n": null }, "b": [{ "x": 1, "f": false }],
                         "repository": {}, "icons": [], "title": "" });
    assert_eq!(canonical(&ours), canonical(&theirs));
    let expected = "{\n  \"a\": {\n    \"y\": true,\n    \"z\": \"é\"\n  },\n  \"b\": [\n    {\n      \"x\": 1\n    }\n  ]\n}\n";
    assert_eq!(canonical(&ours), expected);
    let other = json!({ "b": [{ "x": 2 }], "a": { "z": "é", "y": true } });
    assert_ne!(canonical(&ours), canonical(&other));
}

#[test]
fn the_marker_is_a_whole_name() {
    let check = |text: &str, expected: bool| {
        assert_eq!(has_marker(text, "io.github.one/demo"), expected, "{text}");
    };
    check("<!-- mcp-name: io.github.one/demo -->", true);
    check("mcp-name: io.github.one/demo", true);
    check(
        "mcp-name: io.github.one/demo-2\nmcp-name: io.github.one/demo\n",
        true,
    );
    check("mcp-name: io.github.one/demo-2", false);
    check("mcp-name:io.github.one/demo", false);
    check("io.github.one/demo", false);
    let error = require_marker(
        "mcp-name: a/b\n",
        "io.x/demo",
        "demo.whl",
        "server/README.md",
    );
    let error = error.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("demo.whl"), "{}", error.message);
    assert!(
        error.message.contains("it says mcp-name: a/b"),
        "{}",
        error.message
    );
    let line = "server/README.md, commit, and release again: <!-- mcp-name: io.x/demo -->";
    assert!(error.hints[0].contains(line), "{}", error.hints[0]);
}

const IMAGE: &str = r#"
[image]
base = "oci:base"
python = "3.13"
[prove.http]
arguments = ["--http", "{port}"]
endpoint = "/mcp"
environment = { MODE = "http", KEY = "{token}" }
[target.images]
kind = "oci"
repository = "ghcr.io/one/demo"
takes = "image"
[target.mcp]
kind = "mcp"
"#;

#[test]
fn the_image_is_where_the_targets_say() {
    let both = "[profile.all]\ntargets = [\"images\", \"mcp\"]\n";
    let packages = |settings: &str| {
        let document = made(settings, PYPROJECT, &[]).unwrap();
        document["packages"].as_array().unwrap().clone()
    };
    let found = packages(&format!("{IMAGE}{both}"));
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["registryType"], "pypi");
    let token = json!({ "description": "The value of KEY", "isRequired": true, "isSecret": true });
    let expected = json!({
        "registryType": "oci",
        "identifier": "ghcr.io/one/demo:1.0",
        "runtimeHint": "docker",
        "transport": {
            "type": "streamable-http",
            "url": "http://localhost:8000/mcp",
            "headers": [{
                "name": "Authorization",
                "value": "Bearer {token}",
                "isRequired": true,
                "isSecret": true,
                "variables": { "token": token },
            }],
        },
        "runtimeArguments": [
            { "type": "named", "name": "--publish", "value": "127.0.0.1:8000:8000" },
        ],
        "environmentVariables": [{
            "name": "KEY",
            "description": "What clients must send as their bearer token",
            "format": "string",
            "isRequired": true,
            "isSecret": true,
        }],
    });
    assert_eq!(found[1], expected);
    let count = |settings: &str| packages(settings).len();
    // A profile that tells no registry, one that leaves the image out, and another kind of content.
    let apart = "[profile.a]\ntargets = [\"images\"]\n[profile.b]\ntargets = [\"mcp\"]\n";
    assert_eq!(count(&format!("{IMAGE}{apart}")), 1);
    let skip = "[[profile.all.skip]]\ntarget = \"images\"\nreason = \"not yet\"\n";
    assert_eq!(count(&format!("{IMAGE}{both}{skip}")), 1);
    let files = IMAGE.replace("takes = \"image\"\n", "");
    assert_eq!(count(&format!("{files}{both}")), 1);
    // The public registry looks into some only, another one into any.
    let own = IMAGE.replace("ghcr.io", "registry.example");
    assert_eq!(count(&format!("{own}{both}")), 1);
    let other = own.replace(
        "kind = \"mcp\"",
        "kind = \"mcp\"\nurl = \"https://example.org\"",
    );
    assert_eq!(count(&format!("{other}{both}")), 2);
}

/// A document that uses everything of the schema.
fn whole() -> Value {
    let input = json!({
        "description": "d", "format": "number", "isRequired": true, "isSecret": false,
        "value": "{v}", "default": "1", "placeholder": "p", "choices": ["1"],
    });
    let mut variable = input.clone();
    variable["name"] = "V".into();
    variable["variables"] = json!({ "v": input });
    let mut named = variable.clone();
    named["type"] = "named".into();
    named["isRepeated"] = true.into();
    let positional = json!({ "type": "positional", "valueHint": "h", "isRepeated": false });
    let valued = json!({ "type": "positional", "value": "x" });
    let http =
        json!({ "type": "streamable-http", "url": "https://e.org/{v}", "headers": [variable] });
    let mut remote = http.clone();
    remote["variables"] = json!({ "v": { "default": "x" } });
    json!({
        "$schema": SCHEMA, "name": "io.x/demo", "title": "t", "description": "d", "version": "1",
        "websiteUrl": "https://e.org",
        "repository": { "url": "https://github.com/a/b", "source": "github", "id": "1", "subfolder": "s" },
        "icons": [{ "src": "https://e.org/i.png", "mimeType": "image/png", "sizes": ["48x48", "any"], "theme": "dark" }],
        "packages": [
            { "registryType": "pypi", "registryBaseUrl": "https://e.org", "identifier": "demo",
              "version": "1", "fileSha256": "0".repeat(64), "runtimeHint": "uvx",
              "runtimeArguments": [positional], "packageArguments": [named, valued],
              "environmentVariables": [variable], "transport": { "type": "stdio" } },
            { "registryType": "oci", "identifier": "demo", "transport": http },
            { "registryType": "oci", "identifier": "demo", "transport": { "type": "sse", "url": "https://e.org" } },
        ],
        "remotes": [remote, { "type": "sse", "url": "https://e.org" }],
        "_meta": { PUBLISHER: { "a": 1 } },
    })
}

/// Every place in a value, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(entries) => {
            for (key, child) in entries {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(child, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                places(child, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// A copy without what is at a place.
fn without(document: &Value, place: &str) -> Option<Value> {
    let (parent, key) = place.rsplit_once('/')?;
    let mut copy = document.clone();
    match copy.pointer_mut(parent)? {
        Value::Object(entries) => drop(entries.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Value::Array(items) => drop(items.remove(key.parse().ok()?)),
        _ => return None,
    }
    Some(copy)
}

/// What is put in the place of everything in turn.
fn values() -> Vec<Value> {
    let long = |length: usize| Value::from("é".repeat(length));
    vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1.5),
        json!(""),
        json!("x"),
        json!("a/b"),
        json!("a b/c"),
        json!("io.x/dé"),
        json!("latest"),
        json!("stdio"),
        json!("sse"),
        json!("streamable-http"),
        json!("named"),
        json!("positional"),
        json!("filepath"),
        json!("1x1"),
        json!("١x١"),
        json!("0".repeat(64)),
        json!("A".repeat(64)),
        json!("0".repeat(64) + "\n"),
        long(100),
        long(101),
        long(200),
        long(201),
        long(255),
        long(256),
        json!("a/".to_owned() + &"b".repeat(199)),
        json!([]),
        json!({}),
        json!([1]),
        json!(["x"]),
        json!([{}]),
        json!({ "a": 1 }),
        json!({ "type": "stdio" }),
        json!({ "type": "sse" }),
        json!({ "name": "x" }),
        json!({ "type": "positional" }),
        json!({ "type": "named", "name": "x" }),
    ]
}

#[test]
fn the_schema_is_read_as_others_read_it() {
    let schema: Value = serde_json::from_str(schema::TEXT).unwrap();
    let others = jsonschema::options()
        .should_validate_formats(false)
        .build(&schema)
        .unwrap();
    let mut documents = vec![whole(), made(EVERYTHING, PYPROJECT, &["a"]).unwrap()];
    documents.push(json!({ "name": "io.x/demo", "description": "d", "version": "1" }));
    let values = values();
    let (mut valid, mut damaged) = (0, 0);
    for document in &documents {
        assert_eq!(schema::problems(document), Vec::<String>::new());
        let mut found = Vec::new();
        places(document, "", &mut found);
        for place in &found {
            let mut variants = Vec::from_iter(without(document, place));
            for value in &values {
                let mut variant = document.clone();
                *variant.pointer_mut(place).unwrap() = value.clone();
                variants.push(variant);
            }
            if let Some(Value::Object(_)) = document.pointer(place) {
                let mut variant = document.clone();
                variant.pointer_mut(place).unwrap()["unknown"] = json!(1);
                variants.push(variant);
            }
            for variant in variants {
                let problems = schema::problems(&variant);
                assert_eq!(
                    problems.is_empty(),
                    others.is_valid(&variant),
                    "{variant}\n{problems:?}"
                );
                match problems.is_empty() {
                    true => valid += 1,
                    false => damaged += 1,
                }
            }
        }
    }
    assert!(valid > 500 && damaged > 3000, "{valid} {damaged}");
}
