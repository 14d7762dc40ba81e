//! The verb itself: its outputs agree, its paths are those of the caller, its commands fit.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::case::{Case, REGISTRY, cargo, critical, npm, poetry};
use crate::repository::{ended, workspace};

fn mixed() -> Case {
    let case = Case::vulnerable();
    case.lock("Cargo.lock", &cargo(&[("demo", "1.0.0", REGISTRY)]));
    let entries = json!({ "node_modules/demo": { "version": "1.0.0" } });
    let project = json!({ "dependencies": { "demo": "^1.0.0" } });
    case.lock("web/package-lock.json", &npm(project, entries));
    case.advisory(critical("RUSTSEC-1", "crates.io", "demo"));
    case.advisory(critical("GHSA-1", "npm", "demo"));
    case
}

fn is_valid(schema: &str, document: &Value) {
    let text = std::fs::read_to_string(workspace().join(schema)).unwrap();
    // The pattern of `language` in SARIF's schema has a bracket too many.
    let text = text.replace("{2}]?$", "{2}$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0], "{schema}");
}

#[test]
fn all_formats_tell_of_the_same_findings_and_twice_the_same() {
    let case = mixed();
    let ids = ["GHSA-1", "PYSEC-1", "RUSTSEC-1"];
    for format in ["text", "json", "sarif", "markdown"] {
        let audit = || case.audit(&["--format", format]);
        let (first, second) = (audit(), audit());
        assert_eq!(first.code, Some(6), "{format}: {}", first.stderr);
        assert_eq!(first.stdout, second.stdout, "{format}");
        for id in ids {
            assert!(first.stdout.contains(id), "{format}: {}", first.stdout);
        }
        let machine = case.repository.root.as_str();
        assert!(
            format == "text" || !first.stdout.contains(machine),
            "{format}"
        );
    }
    let report = case.report();
    is_valid("docs/audit.schema.json", &report);
    let sarif = case.audit(&["--format", "sarif"]).stdout;
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    is_valid("xtask/tests/schemas/sarif-2.1.0.json", &sarif);
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let told: BTreeSet<&str> = results
        .iter()
        .map(|result| result["ruleId"].as_str().unwrap())
        .collect();
    assert_eq!(told, BTreeSet::from(ids));
}

#[test]
fn a_refusal_is_also_said_for_programs() {
    let case = Case::vulnerable();
    let ended = case.audit(&["--format", "json"]);
    let last = ended.stderr.lines().last().unwrap();
    let error: Value = serde_json::from_str(last).unwrap();
    assert_eq!(error["error"]["exitCode"], 6);
    assert_eq!(error["error"]["kind"], "refused");
}

#[test]
fn the_caller_may_stand_anywhere() {
    let case = mixed();
    let database = ["--database", case.advisories.as_str()];
    let general = ["--max-age", "36000 days", "--format", "json"];
    let root = case.repository.root.as_str();
    let check = |folder: &str, arguments: &[&str], expected: &[&str]| {
        let mut command = case.repository.command(env!("CARGO_BIN_EXE_cargo-xtask"));
        command.current_dir(case.repository.root.join(folder));
        command
            .arg("audit")
            .args(database)
            .args(general)
            .args(arguments);
        let ended = ended(&mut command);
        assert_eq!(ended.code, Some(6), "{}", ended.stderr);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let locks = report["locks"].as_array().unwrap().iter();
        let locks: Vec<&str> = locks.map(|lock| lock["path"].as_str().unwrap()).collect();
        assert_eq!(locks, expected, "{folder} {arguments:?}");
    };
    let all = ["Cargo.lock", "server/poetry.lock", "web/package-lock.json"];
    check("", &[], &all);
    check("server", &[], &all);
    check("..", &["--root", root], &all);
    check("server", &["poetry.lock"], &["server/poetry.lock"]);
    check("server", &["../Cargo.lock"], &["Cargo.lock"]);
    check(
        "server",
        &["./poetry.lock", "poetry.lock"],
        &["server/poetry.lock"],
    );
}

#[test]
fn quiet_says_no_more_than_the_findings() {
    let case = Case::vulnerable();
    case.lock("server/poetry.lock", &poetry(&[("demo", "2.0", "")]));
    let ended = case.audit(&["--quiet"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, "");
    let case = Case::vulnerable();
    let ended = case.audit(&["--quiet"]);
    assert_eq!(ended.code, Some(6));
    assert!(ended.stdout.contains("PYSEC-1"), "{}", ended.stdout);
}

#[test]
fn a_member_without_a_version_is_nothing_to_warn_of() {
    let case = Case::new();
    let text = npm(json!({ "name": "web" }), json!({}));
    case.lock("web/package-lock.json", &text);
    case.advisory(critical("GHSA-1", "npm", "demo"));
    let said = case.audit(&[]).stdout;
    assert!(!said.contains("is no version"), "{said}");
    assert!(said.contains("1 package: web\n"), "{said}");
    assert!(said.contains(", 1 record, from"), "{said}");
}

/// The lock file, what lies beside it, and the command that the report shows.
fn check_command(path: &str, text: &str, beside: Option<(&str, &str)>, expected: &str) {
    let case = Case::new();
    if let Some((name, text)) = beside {
        case.repository.write(name, text);
    }
    case.lock(path, text);
    for ecosystem in ["PyPI", "npm", "crates.io"] {
        case.advisory(critical(&format!("X-{ecosystem}"), ecosystem, "demo"));
    }
    let report = case.report();
    assert_eq!(
        report["findings"][0]["fix"]["command"], expected,
        "{report:#}"
    );
}

#[test]
fn the_command_fits_the_lock_file_and_its_manifest() {
    let check = check_command;
    let manifest = "[project]\nname = \"x\"\nversion = \"1\"\ndependencies = [\"demo<2\"]\n";
    let beside = Some(("x/pyproject.toml", manifest));
    let lock = poetry(&[("demo", "1.0", "")]);
    let case = Case::new();
    case.repository.write("x/pyproject.toml", manifest);
    case.lock("x/poetry.lock", &lock);
    case.advisory(critical("PYSEC-1", "PyPI", "demo"));
    case.check(&[], 6, "2.0.0, but the project asks for <2");
    let add = "(cd x && poetry add --lock 'demo@^2.0.0')";
    check("x/poetry.lock", &lock, beside, add);
    check("poetry.lock", &lock, None, "poetry update --lock demo");
    check(
        "requirements.txt",
        "demo==1.0\n",
        None,
        "# in requirements.txt: demo==2.0.0",
    );
    let compiled = "#\n# This file is autogenerated by pip-compile with Python 3.12\n# by the \
                    following command:\n#\n#    pip-compile\n#\ndemo==1.0\n";
    let again = "# run the command at the top of requirements.txt again, with --upgrade-package \
                 demo==2.0.0";
    check("requirements.txt", compiled, None, again);
    let classic = "# yarn lockfile v1\n\n\ndemo@^1.0.0:\n  version \"1.0.0\"\n  resolved \
                   \"https://registry.example/demo/-/demo-1.0.0.tgz#00\"\n";
    let package = Some(("package.json", "{\"dependencies\": {\"demo\": \"^1.0.0\"}}"));
    check("yarn.lock", classic, package, "yarn upgrade demo@2.0.0");
}

#[test]
fn the_command_fits_the_lock_files_of_rust_and_node() {
    let check = check_command;
    let crates = [
        ("x", "0.1.0", "dependencies = [\n \"demo\",\n]\n"),
        ("demo", "1.2.3", REGISTRY),
    ];
    let manifest =
        "[package]\nname = \"x\"\nversion = \"0.1.0\"\n[dev-dependencies]\ndemo = \"1\"\n";
    let beside = Some(("x/Cargo.toml", manifest));
    let add = "(cd x && cargo add --dev demo@2.0.0)";
    check("x/Cargo.lock", &cargo(&crates), beside, add);

    let project = json!({ "dependencies": { "demo": "^1.0.0" } });
    let entries = json!({ "node_modules/demo": { "version": "1.0.0" } });
    let lock = npm(project, entries.clone());
    let install = "npm install --package-lock-only demo@2.0.0";
    check("package-lock.json", &lock, None, install);
    let project = json!({ "dependencies": { "demo": ">=1.0.0" } });
    let update = "npm update --package-lock-only demo";
    check("npm-shrinkwrap.json", &npm(project, entries), None, update);

    let pnpm = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    devDependencies:\n      demo:\n        \
                specifier: ^1.0.0\n        version: 1.0.0\n\npackages:\n\n  demo@1.0.0:\n    resolution: \
                {integrity: sha512-AAAA}\n\nsnapshots:\n\n  demo@1.0.0: {}\n";
    check(
        "pnpm-lock.yaml",
        pnpm,
        None,
        "pnpm update --recursive demo@2.0.0",
    );

    let uv = "version = 1\nrequires-python = \">=3.10\"\n\n[[package]]\nname = \"demo\"\nversion = \
              \"1.0\"\nsource = { registry = \"https://registry.example/simple\" }\n\n[[package]]\nname \
              = \"x\"\nversion = \"1\"\nsource = { virtual = \".\" }\n\n[package.dev-dependencies]\ndev = \
              [{ name = \"demo\" }]\n\n[package.metadata]\n\n[package.metadata.requires-dev]\ndev = [{ \
              name = \"demo\", specifier = \"<2\" }]\n";
    check(
        "uv.lock",
        uv,
        None,
        "uv add --no-sync --group dev 'demo>=2.0.0'",
    );
}
