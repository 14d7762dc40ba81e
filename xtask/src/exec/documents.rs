//! The documents of a release about what is in it: findings, bills of materials, VEX.

use camino::{Utf8Component, Utf8Path};
use jiff::Timestamp;
use serde_json::Value;

use super::{Work, license};
use crate::artifact::{Artifact, Digest, Kind, Manifest, Source, seal};
use crate::audit::examine::{Scanned, Subject};
use crate::audit::license::Known;
use crate::audit::report::Report;
use crate::audit::{self, json, markdown, sarif};
use crate::bom::{self, Bill, Development, Embedded, LockFile, Product};
use crate::config::Config;
use crate::dist::Release;
use crate::plan::{Inputs, with_all_files};
use crate::printable;

/// Raised when the bills of materials come out otherwise for the same input.
const REVISION: &str = "1";

/// What findings depend on: themselves, as they are made anew for every decision.
pub fn findings_inputs(report: &Report) -> Inputs {
    let digest = Digest::of(json::text(report).as_bytes());
    Inputs::from([("findings".to_owned(), digest.to_string())])
}

/// What a bill of materials depends on beside the files that it names.
pub fn bill_inputs(subject: &Subject) -> Inputs {
    let lock = |one: &Scanned| (format!("lock {}", one.path), one.sha256.to_string());
    let mut inputs: Inputs = subject.scanned.iter().map(lock).collect();
    inputs.insert("revision".to_owned(), REVISION.to_owned());
    inputs
}

/// Puts the findings into a release, in their three forms.
pub fn put_findings(report: &Report, release: &mut Release) {
    let inputs = findings_inputs(report);
    let sarif = text(&sarif::log(report));
    let forms = [
        (Kind::Findings, "findings.json", json::text(report)),
        (Kind::FindingsSarif, "findings.sarif", sarif),
        (
            Kind::FindingsMarkdown,
            "findings.md",
            markdown::text(report),
        ),
    ];
    for (kind, file, text) in forms {
        put(release, kind, file, text, inputs.clone());
    }
}

/// Puts in the licenses of what the release installs.
pub fn put_licenses(known: &Known, release: &mut Release) {
    let requirements = release.manifest.find(Kind::Requirements);
    let digest = requirements.map(|made| made.sha256.to_string());
    let inputs = digest.map(|digest| (Kind::Requirements.word().to_owned(), digest));
    let inputs = inputs.into_iter().collect();
    put(
        release,
        Kind::Licenses,
        license::FILE,
        audit::license::write(known),
        inputs,
    );
}

/// Puts the bills of materials into a release, and what the findings mean for it.
pub fn put_bills(work: &Work<'_>, report: Option<&Report>, release: &mut Release) {
    let subject = work.locks;
    let known = license::of_release(subject, release);
    let artifacts = contents(&release.manifest.artifacts);
    let Manifest {
        name,
        version,
        source,
        ..
    } = &release.manifest;
    let product = product(name, version, source);
    let bill = Bill {
        product,
        artifacts: &artifacts,
        embedded: &EMBEDDED,
        locks: &lock_files(work.config, subject),
        licenses: &known,
        development: Development::Marked,
    };
    let documents = [
        (
            Kind::SbomCycloneDx,
            "sbom.cdx.json",
            Some(bom::cyclonedx::document(&bill)),
        ),
        (
            Kind::SbomSpdx,
            "sbom.spdx.json",
            Some(bom::spdx::document(&bill)),
        ),
        (
            Kind::Vex,
            "vex.cdx.json",
            report.map(|report| bom::vex::document(report, &bill)),
        ),
    ];
    let inputs = with_all_files(&bill_inputs(subject), &release.manifest);
    for (kind, file, document) in documents {
        if let Some(document) = document {
            put(release, kind, file, text(&document), inputs.clone());
        }
    }
}

/// What a bill of materials is about, dated with the commit.
pub fn product(name: &str, version: &str, source: &Source) -> Product {
    Product {
        name: name.to_owned(),
        version: version.to_owned(),
        commit: source.commit.clone(),
        repository: None,
        date: Timestamp::from_second(source.source_date_epoch).unwrap_or_default(),
        license: None,
    }
}

/// What is in a bill of materials: the files that carry code, not the documents about them. An
/// image is made after the bill, from the wheel and the requirements that are in it.
pub fn contents(artifacts: &[Artifact]) -> Vec<Artifact> {
    let carries = |artifact: &&Artifact| !artifact.kind.is_document() && !artifact.kind.is_image();
    artifacts.iter().filter(carries).cloned().collect()
}

/// The extension holds the wheel and its requirements.
pub const EMBEDDED: [Embedded; 2] = [
    Embedded {
        outer: Kind::Vsix,
        inner: Kind::Wheel,
    },
    Embedded {
        outer: Kind::Vsix,
        inner: Kind::Requirements,
    },
];

/// The lock files, each with the artifacts that carry what it locks.
pub fn lock_files<'subject>(
    config: &Config,
    subject: &'subject Subject,
) -> Vec<LockFile<'subject>> {
    let locked = |scanned: &'subject Scanned| LockFile {
        path: scanned.path.clone(),
        lock: &scanned.lock,
        carried_by: carriers(config, &scanned.path),
    };
    subject.scanned.iter().map(locked).collect()
}

/// Which artifacts carry what a lock file locks: the one beside the server's manifest goes into
/// the wheel's requirements, the one beside the extension's into the extension. Whatever the
/// configuration calls development is in none.
fn carriers(config: &Config, path: &str) -> Vec<Kind> {
    if config.audit.is_development(path) {
        return Vec::new();
    }
    let lies_in = |folder: &Utf8Path| {
        let plain = |part: &Utf8Component<'_>| *part != Utf8Component::CurDir;
        let lock = Utf8Path::new(path).parent().unwrap_or(Utf8Path::new(""));
        lock.components().eq(folder.components().filter(plain))
    };
    let extension = config.extension.as_ref();
    if lies_in(&config.server.path) {
        vec![Kind::Wheel, Kind::Requirements]
    } else if extension.is_some_and(|extension| lies_in(&extension.path)) {
        vec![Kind::Vsix]
    } else {
        Vec::new()
    }
}

/// A document as it is written: indented, with a final line break, every invisible character
/// escaped.
///
/// # Panics
/// Never: a document is plain data with texts for keys.
pub fn text(document: &Value) -> String {
    let text = serde_json::to_string_pretty(document);
    printable::json(&text.expect("plain values always serialise")) + "\n"
}

fn put(release: &mut Release, kind: Kind, file: &str, text: String, inputs: Inputs) {
    let manifest = &release.manifest;
    let (name, version) = (manifest.name.clone(), manifest.version.clone());
    let bytes = text.into_bytes();
    let artifact = seal(kind, (&name, &version), file, &bytes, inputs);
    release.put(artifact, bytes);
}
