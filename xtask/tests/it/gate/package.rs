//! A small, correct extension package, to be spoilt by one change at a time.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use xtask::artifact::{
    BundleManifest, BundledFile, Digest, Kind, MANIFEST_SCHEMA, Manifest, Source, seal,
};
use xtask::gate::pattern::Pattern;
use xtask::gate::{Exception, Expected, Form, Policy, Report, Subject, container, judge};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

pub const VERSION: &str = "1.2.3";
pub const WHEEL: &str = "example_server-1.2.3-py3-none-any.whl";
pub const WHEEL_PLACE: &str = "extension/python_server/example_server-1.2.3-py3-none-any.whl";
pub const REQUIREMENTS_PLACE: &str = "extension/python_server/requirements.txt";
pub const MANIFEST_PLACE: &str = "extension/python_server/manifest.json";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const REQUIREMENTS: &str = "anyio==4.9.0 --hash=sha256:0000\n";

/// The parts of a package before they are put together.
#[derive(Debug, Clone)]
pub struct Package {
    /// Entries in order; a name may occur twice.
    pub entries: Vec<(String, Vec<u8>)>,
    /// What the release says.
    pub manifest: Manifest,
    /// What `release.toml` allows beside the bundle.
    pub allow: Vec<&'static str>,
    pub entry_limit: u64,
    pub total_limit: u64,
    pub exceptions: Vec<(&'static str, &'static str, &'static str)>,
}

/// A zip archive of files, in the order given.
pub fn zip<Name: AsRef<str>, Bytes: AsRef<[u8]>>(files: &[(Name, Bytes)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name.as_ref(), options()).unwrap();
        writer.write_all(bytes.as_ref()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// What the release's own packages use.
pub fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(0o644)
        .last_modified_time(zip::DateTime::default())
}

/// A wheel of the fixture's server with these files beside its own.
pub fn wheel(more: &[(&str, &[u8])]) -> Vec<u8> {
    let metadata = "Metadata-Version: 2.4\nName: example-server\nVersion: 1.2.3\n";
    let mut files: Vec<(&str, &[u8])> = vec![
        ("example_server/__init__.py", b"__version__ = \"1.2.3\"\n"),
        (
            "example_server-1.2.3.dist-info/METADATA",
            metadata.as_bytes(),
        ),
        (
            "example_server-1.2.3.dist-info/WHEEL",
            b"Wheel-Version: 1.0\nTag: py3-none-any\n",
        ),
        ("example_server-1.2.3.dist-info/RECORD", b""),
    ];
    files.extend_from_slice(more);
    zip(&files)
}

/// A tar archive of files.
pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The manifest of a release with this wheel and these requirements.
pub fn manifest(wheel: &[u8], requirements: &[u8]) -> Manifest {
    let about = ("example-server", VERSION);
    let mut manifest = Manifest {
        schema: MANIFEST_SCHEMA,
        name: "example".to_owned(),
        version: VERSION.to_owned(),
        source: Source {
            commit: COMMIT.to_owned(),
            dirty: false,
            source_date_epoch: 1_700_000_000,
        },
        artifacts: Vec::new(),
        proof: None,
    };
    manifest.put(seal(Kind::Wheel, about, WHEEL, wheel, BTreeMap::new()));
    manifest.put(seal(
        Kind::Requirements,
        about,
        "requirements.txt",
        requirements,
        BTreeMap::new(),
    ));
    manifest
}

fn bundled(file: &str, bytes: &[u8]) -> BundledFile {
    BundledFile {
        file: file.to_owned(),
        size: bytes.len() as u64,
        sha256: Digest::of(bytes),
    }
}

fn bundle_manifest(wheel: &[u8]) -> String {
    let manifest = BundleManifest {
        schema: MANIFEST_SCHEMA,
        name: "example-server".to_owned(),
        version: VERSION.to_owned(),
        commit: COMMIT.to_owned(),
        dirty: false,
        console_script: "example-server".to_owned(),
        wheel: bundled(WHEEL, wheel),
        requirements: bundled("requirements.txt", REQUIREMENTS.as_bytes()),
    };
    manifest.text()
}

pub const PACKAGE_JSON: &str = r#"{
  "name": "example",
  "publisher": "acme",
  "version": "1.2.3",
  "engines": { "vscode": "^1.101.0" },
  "main": "./dist/extension",
  "icon": "media/icon.png",
  "license": "MIT"
}
"#;

const CONTAINER_MANIFEST: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0">
  <!-- <Identity Id="another" Version="9" Publisher="nobody" /> -->
  <Metadata>
    <Identity Language="en-US" Id="example" Version="1.2.3" Publisher="acme" />
  </Metadata>
</PackageManifest>
"#;

impl Package {
    /// The correct one.
    pub fn correct() -> Package {
        Package::with_wheel(&wheel(&[]))
    }

    /// Correct, with another wheel that the release knows.
    pub fn with_wheel(wheel: &[u8]) -> Package {
        let text = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        Package {
            entries: vec![
                text("[Content_Types].xml", "<Types/>\n"),
                text("extension.vsixmanifest", CONTAINER_MANIFEST),
                text("extension/LICENSE.txt", "Permission is hereby granted.\n"),
                text(
                    "extension/dist/extension.js",
                    "exports.activate = () => {};\n",
                ),
                (
                    "extension/media/icon.png".to_owned(),
                    b"\x89PNG\r\n\x1a\n".to_vec(),
                ),
                text("extension/package.json", PACKAGE_JSON),
                text(MANIFEST_PLACE, &bundle_manifest(wheel)),
                (WHEEL_PLACE.to_owned(), wheel.to_vec()),
                text(REQUIREMENTS_PLACE, REQUIREMENTS),
                text(
                    "extension/readme.md",
                    "# Example\n\n```python\nimport os\ndef f():\n    pass\nclass A:\n    pass\n```\n",
                ),
            ],
            manifest: manifest(wheel, REQUIREMENTS.as_bytes()),
            allow: vec!["readme.md", "LICENSE.txt", "media/**", "dist/extension.js"],
            entry_limit: 1 << 20,
            total_limit: 4 << 20,
            exceptions: Vec::new(),
        }
    }

    pub fn add(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> &mut Package {
        self.entries
            .push((name.to_owned(), bytes.as_ref().to_vec()));
        self
    }

    /// Adds a file that `release.toml` would let in.
    pub fn add_allowed(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> &mut Package {
        self.allow.push("**");
        self.add(name, bytes)
    }

    pub fn remove(&mut self, name: &str) -> &mut Package {
        let before = self.entries.len();
        self.entries.retain(|(other, _)| other != name);
        assert!(self.entries.len() < before, "{name} is in the package");
        self
    }

    pub fn replace(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> &mut Package {
        let entry = self
            .entries
            .iter_mut()
            .find(|(other, _)| other == name)
            .unwrap();
        entry.1 = bytes.as_ref().to_vec();
        self
    }

    /// Replaces a piece of a text file that is in it once.
    pub fn edit(&mut self, name: &str, from: &str, to: &str) -> &mut Package {
        let entry = self
            .entries
            .iter_mut()
            .find(|(other, _)| other == name)
            .unwrap();
        let text = String::from_utf8(entry.1.clone()).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} is in {name} once");
        entry.1 = text.replace(from, to).into_bytes();
        self
    }

    /// The finished container.
    pub fn bytes(&self) -> Vec<u8> {
        zip(&self.entries)
    }

    pub fn policy(&self) -> Policy {
        let exceptions = self
            .exceptions
            .iter()
            .map(|(rule, path, reason)| Exception {
                rule: (*rule).to_owned(),
                path: Pattern::parse(path).unwrap(),
                reason: (*reason).to_owned(),
            });
        Policy {
            bundle: "python_server".to_owned(),
            allow: self
                .allow
                .iter()
                .map(|text| Pattern::parse(text).unwrap())
                .collect(),
            entry_limit: self.entry_limit,
            total_limit: self.total_limit,
            exceptions: exceptions.collect(),
        }
    }

    /// Judges other bytes by this package's policy and release.
    pub fn judge_bytes(&self, bytes: &[u8]) -> Report {
        let expected = Expected::of(&self.manifest).unwrap();
        self.judge_against(bytes, Some(&expected))
    }

    pub fn judge_against(&self, bytes: &[u8], expected: Option<&Expected>) -> Report {
        let read = container::read(bytes);
        let subject = Subject {
            name: "dist/example-1.2.3.vsix".to_owned(),
            form: Form::Vsix,
            entries: read.entries,
            findings: read.findings,
        };
        judge(subject, &self.policy(), expected)
    }

    pub fn judge(&self) -> Report {
        self.judge_bytes(&self.bytes())
    }
}

/// The ids of the rules that a report finds broken, each once.
pub fn broken(report: &Report) -> Vec<&'static str> {
    let mut ids: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| finding.rule.id)
        .collect();
    ids.dedup();
    ids
}
