//! A small repository with lock files, and a folder of advisories written by hand.

#![expect(
    clippy::needless_pass_by_value,
    reason = "values made in place read better without a sign before each"
)]

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use crate::repository::{CONFIGURATION, Ended, Repository};

/// A repository and the advisories it is held against.
pub struct Case {
    pub repository: Repository,
    pub advisories: Utf8PathBuf,
}

impl Case {
    /// A repository without a lock file, an empty folder of advisories.
    pub fn new() -> Case {
        let mut repository = Repository::folder("größe mit leerzeichen");
        repository.write("release.toml", CONFIGURATION);
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        let beside = repository.root.parent().unwrap().to_owned();
        let stored = beside.join("stored").to_string();
        let variable = ("XTASK_DATABASE_DIR".to_owned(), stored);
        repository.environment.push(variable);
        let advisories = beside.join("ädvisories");
        std::fs::create_dir(&advisories).unwrap();
        Case {
            repository,
            advisories,
        }
    }

    /// A repository with one Python package, and an advisory of 9.8 about it.
    pub fn vulnerable() -> Case {
        let case = Case::new();
        case.lock("server/poetry.lock", &poetry(&[("demo", "1.0", "")]));
        case.advisory(critical("PYSEC-1", "PyPI", "demo"));
        case
    }

    /// Adds to `[audit]` of the configuration.
    pub fn policy(&self, text: &str) {
        let text = format!("{CONFIGURATION}[audit]\n{text}\n");
        self.repository.write("release.toml", &text);
    }

    /// Writes a lock file and tells git.
    pub fn lock(&self, path: &str, text: &str) {
        self.repository.write(path, text);
        self.repository.git(&["add", "--all", "--force"]);
    }

    /// Writes an advisory.
    pub fn advisory(&self, record: Value) {
        let name = format!("{}.json", record["id"].as_str().unwrap());
        std::fs::write(self.advisories.join(name), record.to_string()).unwrap();
    }

    /// Audits against the advisories in the folder, however old they are.
    pub fn audit(&self, arguments: &[&str]) -> Ended {
        let source = ["audit", "--database", self.advisories.as_str()];
        let age = ["--max-age", "36000 days"];
        self.repository
            .xtask(&[&source[..], &age, arguments].concat())
    }

    /// The report in JSON; the verdict is left to the caller.
    pub fn report(&self) -> Value {
        let ended = self.audit(&["--format", "json"]);
        assert!(matches!(ended.code, Some(0 | 6)), "{}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// `package version id id: verdict` of every finding, as the report orders them.
    pub fn found(&self) -> Vec<String> {
        let report = self.report();
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(line).collect()
    }

    /// What the audit says and with which code it ends.
    pub fn check(&self, arguments: &[&str], code: i32, expected: &str) {
        let ended = self.audit(arguments);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, Some(code), "{arguments:?}\n{said}");
        assert!(said.contains(expected), "{arguments:?} {expected}\n{said}");
    }
}

fn line(finding: &Value) -> String {
    let text = |key: &str| finding[key].as_str().unwrap().to_owned();
    let ids: Vec<&str> = finding["ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    let verdict = finding["verdict"]["kind"].as_str().unwrap();
    let (package, version) = (text("package"), text("version"));
    format!("{package} {version} {}: {verdict}", ids.join(" "))
}

/// An advisory about one package with these events in one range of this kind.
pub fn record(id: &str, ecosystem: &str, name: &str, events: Value) -> Value {
    let kind = match ecosystem {
        "PyPI" => "ECOSYSTEM",
        _ => "SEMVER",
    };
    json!({
        "schema_version": "1.7.3",
        "id": id,
        "modified": "2026-01-02T03:04:05Z",
        "summary": format!("What {id} says."),
        "affected": [{
            "package": { "ecosystem": ecosystem, "name": name },
            "ranges": [{ "type": kind, "events": events }],
        }],
    })
}

/// One of 9.8 about everything below 2.0.0.
pub fn critical(id: &str, ecosystem: &str, name: &str) -> Value {
    let events = json!([{ "introduced": "0" }, { "fixed": "2.0.0" }]);
    scored(record(id, ecosystem, name, events), "H")
}

/// Sets a score: 9.8 for `H`, 5.3 for `N` (CVSS 3.1, with only a low loss of confidentiality).
pub fn scored(mut record: Value, high: &str) -> Value {
    let confidentiality = if high == "H" { "H" } else { "L" };
    let rest = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U";
    let score = format!("{rest}/C:{confidentiality}/I:{high}/A:{high}");
    record["severity"] = json!([{ "type": "CVSS_V3", "score": score }]);
    record
}

/// A `poetry.lock` of packages: name, version, and what else stands in the block.
pub fn poetry(packages: &[(&str, &str, &str)]) -> String {
    let block = |(name, version, rest): &(&str, &str, &str)| {
        let groups = if rest.contains("groups") {
            ""
        } else {
            "groups = [\"main\"]\n"
        };
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\ndescription = \"\"\n\
             optional = false\npython-versions = \"*\"\n{groups}files = []\n{rest}\n"
        )
    };
    let blocks: String = packages.iter().map(block).collect();
    format!(
        "{blocks}[metadata]\nlock-version = \"2.1\"\npython-versions = \"*\"\n\
         content-hash = \"{}\"\n",
        "0".repeat(64)
    )
}

/// A `package-lock.json` of version 3 with these entries below the project's own.
pub fn npm(project: Value, entries: Value) -> String {
    let mut packages = json!({ "": project });
    for (path, entry) in entries.as_object().unwrap() {
        packages[path] = entry.clone();
    }
    json!({ "name": "web", "lockfileVersion": 3, "requires": true, "packages": packages })
        .to_string()
}

/// A `Cargo.lock` of crates: name, version, and what else stands in the block.
pub fn cargo(crates: &[(&str, &str, &str)]) -> String {
    let block = |(name, version, rest): &(&str, &str, &str)| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{rest}\n")
    };
    let blocks: String = crates.iter().map(block).collect();
    format!("version = 4\n\n{blocks}")
}

/// The source of Cargo's own registry.
pub const REGISTRY: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
