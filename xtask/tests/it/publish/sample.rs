//! Small releases made by hand: a whole `dist/` without a build, in a repository of its own.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use xtask::artifact::{Kind, Proof, Source, seal};
use xtask::dist::Release;
use xtask::product::provenance;

use crate::repository::{CONFIGURATION, Ended, Repository};

/// The settings of every test: short pauses, and an end to every wait.
const PATIENCE: &str = "[publish]\nwait = \"2s\"\npause = \"1ms\"\nattempts = 4\n\
                        without-audit = \"a release made by hand\"\n";

/// What is in the wheel of a release; another text is another release of the same version.
pub const CONTENT: &str = "print('one')\n";

/// A release of version 1.0.0 with a wheel, an sdist, requirements, notes and an extension.
pub fn release(content: &str) -> Release {
    finish(bare(content))
}

/// Makes a whole release of one whose files are all there: proved, with a statement over them.
pub fn finish(mut release: Release) -> Release {
    let digest = |kind| release.manifest.find(kind).unwrap().sha256.clone();
    let proof = Proof {
        wheel: digest(Kind::Wheel),
        requirements: digest(Kind::Requirements),
        inputs: BTreeMap::new(),
        checks: Vec::new(),
        tools: vec!["ping".to_owned()],
    };
    release.put_proof(proof);
    let bytes = provenance::statement(&release.manifest, &[])
        .to_string()
        .into_bytes();
    let named = ("demo-server", "1.0.0");
    let kind = Kind::Provenance;
    let artifact = seal(kind, named, provenance::FILE, &bytes, BTreeMap::new());
    release.put(artifact, bytes);
    release
}

fn bare(content: &str) -> Release {
    let source = Source {
        commit: "c0ffee".repeat(7).chars().take(40).collect(),
        dirty: false,
        source_date_epoch: 1_767_323_045,
    };
    let mut release = Release::empty("demo-server", "1.0.0", source);
    let wheel = wheel(content);
    let requirements = b"# nothing\n".to_vec();
    let vsix = vsix(&wheel, None);
    let mut put = |kind, path: &str, bytes: Vec<u8>| {
        let identity = ("demo-server", "1.0.0");
        release.put(seal(kind, identity, path, &bytes, BTreeMap::new()), bytes);
    };
    put(Kind::Wheel, "demo_server-1.0.0-py3-none-any.whl", wheel);
    put(Kind::Sdist, "demo_server-1.0.0.tar.gz", sdist(content));
    put(Kind::Requirements, "requirements.txt", requirements);
    put(Kind::Vsix, "demo-1.0.0.vsix", vsix);
    put(
        Kind::ReleaseNotes,
        "release-notes.md",
        b"# 1.0.0\n\n- The first one.\n".to_vec(),
    );
    release
}

/// The smallest release: a wheel and its requirements. What is killed after every request is
/// killed less often.
pub fn small() -> Release {
    let mut release = bare(CONTENT);
    release.take_out(&[Kind::Sdist, Kind::Vsix, Kind::ReleaseNotes]);
    finish(release)
}

/// A release whose extension has a build for each of two platforms.
pub fn matrix() -> Release {
    let mut release = bare(CONTENT);
    release.take_out(&[Kind::Vsix]);
    let wheel = wheel(CONTENT);
    for platform in ["linux-x64", "darwin-arm64"] {
        let bytes = vsix(&wheel, Some(platform));
        let path = format!("demo-{platform}-1.0.0.vsix");
        let named = ("demo", "1.0.0");
        let artifact = seal(Kind::Vsix, named, &path, &bytes, BTreeMap::new());
        // Past what keeps one artifact of each kind.
        release.contents.insert(path, bytes);
        release.manifest.artifacts.push(artifact);
    }
    finish(release)
}

const METADATA: &str = "Metadata-Version: 2.1\nName: demo-server\nVersion: 1.0.0\n\
                        Summary: A sound server\nRequires-Python: >=3.10\n\
                        Description-Content-Type: text/markdown\n\n\
                        A server.\n\n<!-- mcp-name: io.github.example/demo-server -->\n";

/// A wheel that pip installs and whose console script prints.
pub fn wheel(content: &str) -> Vec<u8> {
    let record = "demo_server/__init__.py,,\ndemo_server-1.0.0.dist-info/METADATA,,\n\
                  demo_server-1.0.0.dist-info/WHEEL,,\n\
                  demo_server-1.0.0.dist-info/entry_points.txt,,\n\
                  demo_server-1.0.0.dist-info/RECORD,,\n";
    let script = "[console_scripts]\ndemo-server=demo_server:main\n";
    let wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    zip(&[
        ("demo_server/__init__.py", content.as_bytes()),
        ("demo_server-1.0.0.dist-info/METADATA", METADATA.as_bytes()),
        ("demo_server-1.0.0.dist-info/WHEEL", wheel.as_bytes()),
        (
            "demo_server-1.0.0.dist-info/entry_points.txt",
            script.as_bytes(),
        ),
        ("demo_server-1.0.0.dist-info/RECORD", record.as_bytes()),
    ])
}

fn sdist(content: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let files = [
        ("PKG-INFO", METADATA.as_bytes()),
        (
            "pyproject.toml",
            b"[build-system]\nrequires = []\n".as_slice(),
        ),
        ("demo_server/__init__.py", content.as_bytes()),
    ];
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let path = format!("demo_server-1.0.0/{path}");
        archive.append_data(&mut header, path, bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// An extension that carries a wheel, perhaps for one platform alone.
pub fn vsix(wheel: &[u8], platform: Option<&str>) -> Vec<u8> {
    let platform = platform
        .map(|platform| format!(" TargetPlatform=\"{platform}\""))
        .unwrap_or_default();
    let manifest = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<PackageManifest Version=\"2.0.0\" \
         xmlns=\"http://schemas.microsoft.com/developer/vsx-schema/2011\">\n<Metadata>\n\
         <Identity Language=\"en-US\" Id=\"demo\" Version=\"1.0.0\" Publisher=\"example\"{platform}/>\n\
         <DisplayName>Demo</DisplayName>\n<Description>A sound extension</Description>\n\
         <Properties>\n<Property Id=\"Microsoft.VisualStudio.Code.Engine\" Value=\"^1.90.0\" />\n\
         </Properties>\n<License>extension/LICENSE.txt</License>\n</Metadata>\n<Installation>\n\
         <InstallationTarget Id=\"Microsoft.VisualStudio.Code\"/>\n</Installation>\n\
         <Dependencies/>\n<Assets>\n<Asset Type=\"Microsoft.VisualStudio.Code.Manifest\" \
         Path=\"extension/package.json\" Addressable=\"true\" />\n</Assets>\n</PackageManifest>\n"
    );
    let types = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Types xmlns=\"http://schemas.\
                 openxmlformats.org/package/2006/content-types\"><Default Extension=\".json\" \
                 ContentType=\"application/json\"/><Default Extension=\".vsixmanifest\" \
                 ContentType=\"text/xml\"/><Default Extension=\".whl\" \
                 ContentType=\"application/octet-stream\"/><Default Extension=\".txt\" \
                 ContentType=\"text/plain\"/></Types>\n";
    let package = "{\"name\":\"demo\",\"displayName\":\"Demo\",\"description\":\"A sound extension\",\
                   \"version\":\"1.0.0\",\"publisher\":\"example\",\"license\":\"MIT\",\
                   \"engines\":{\"vscode\":\"^1.90.0\"}}\n";
    zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("extension.vsixmanifest", manifest.as_bytes()),
        ("extension/LICENSE.txt", b"MIT\n"),
        ("extension/package.json", package.as_bytes()),
        (
            "extension/python_server/demo_server-1.0.0-py3-none-any.whl",
            wheel,
        ),
    ])
}

/// A zip without extra fields, and the same bytes each time.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = zip::write::SimpleFileOptions::default()
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A repository whose `dist/` holds [`release`], with these targets and profiles.
pub fn repository(settings: &str) -> Repository {
    let repository = Repository::folder("release größer");
    let configuration = format!("{CONFIGURATION}{PATIENCE}{settings}");
    repository.write("release.toml", &configuration);
    put(&repository, &release(CONTENT));
    repository
}

/// Puts a release in place of `dist/`, whatever was there.
pub fn put(repository: &Repository, release: &Release) {
    let dist = repository.root.join("dist");
    if dist.exists() {
        std::fs::remove_dir_all(&dist).unwrap();
    }
    release.write_to(&dist).unwrap();
}

/// Publishes to a profile.
pub fn publish(repository: &Repository, profile: &str) -> Ended {
    repository.xtask(&["publish", "--to", profile, "--execute"])
}

/// Publishes to a profile and expects success.
pub fn publishes(repository: &Repository, profile: &str) -> Ended {
    repository.succeeds(&["publish", "--to", profile, "--execute"])
}

/// The plan for a profile as JSON, whatever the exit code.
pub fn plan(repository: &Repository, profile: &str) -> Value {
    let ended = repository.xtask(&["plan", "--to", profile, "--format", "json"]);
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|_| panic!("{}\n{}", ended.stdout, ended.stderr))
}

/// The state of a step in the plan.
pub fn state(plan: &Value, step: &str) -> String {
    let steps = plan["steps"].as_array().unwrap();
    let found = steps.iter().find(|one| one["name"] == step);
    found.unwrap_or_else(|| panic!("no step {step} in {plan:#}"))["state"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The lines of the ledger.
pub fn ledger(repository: &Repository) -> Vec<Value> {
    let text = String::from_utf8(repository.read("dist/ledger.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
