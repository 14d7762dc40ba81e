//! A repository with a release of its own commit, a base beside it, and dependencies in a folder
//! that pip looks into instead of an index.

use std::collections::BTreeMap;
use std::io::Read;

use camino::Utf8Path;
use serde_json::Value;
use tempfile::TempDir;
use xtask::artifact::{Digest, Kind, seal};
use xtask::dist::Release;
use xtask::image::archive::Opened;

use super::base;
use crate::publish::sample;
use crate::repository::{CONFIGURATION, Repository};

/// `[image]` on a base whose path asks for quoting.
pub const IMAGE: &str = "[image]\nbase = \"oci:basis größe\"\npython = \"3.13\"\nport = 8000\n\
                         health = \"/health\"\narguments = [\"--http\"]\n";

/// The archive that is built.
pub const ARCHIVE: &str = "dist/demo-server-1.0.0-image.oci.tar";

/// Both platforms.
pub const BOTH: [&str; 2] = ["amd64", "arm64"];

/// A repository and the folder with its dependencies.
pub struct Setting {
    pub repository: Repository,
    pub wheels: TempDir,
    release: Release,
    requirements: String,
}

/// A sound one, with `settings` behind `[image]`.
pub fn setting(settings: &str) -> Setting {
    with_files(settings, &[])
}

/// One with these files beside the server.
pub fn with_files(settings: &str, files: &[(&str, &str)]) -> Setting {
    let mut repository = Repository::sound();
    let patience = "[publish]\nwait = \"2s\"\npause = \"1ms\"\nattempts = 4\n\
                    without-audit = \"a release made by hand\"\n";
    let text = format!("{CONFIGURATION}{patience}{IMAGE}{settings}");
    repository.write("release.toml", &text);
    repository.write(".gitignore", "/dist/\n/target/\n/basis größe/\n");
    for (path, text) in files {
        repository.write(path, text);
    }
    repository.commit();
    let layout = base::layout(&BOTH, "python3.13");
    base::folder(&layout, &repository.root.join("basis größe"));
    let wheels = tempfile::tempdir().unwrap();
    let found = wheels.path().to_str().unwrap().to_owned();
    for (name, value) in [("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", &found)] {
        repository.environment.push((name.into(), value.into()));
    }
    let mut setting = Setting {
        repository,
        wheels,
        release: sample::small(),
        requirements: "# nothing\n".to_owned(),
    };
    setting.follow();
    setting
}

impl Setting {
    /// Puts the release of the commit that is there now into `dist/`.
    pub fn follow(&mut self) {
        let told = self.repository.git(&["log", "-1", "--format=%H %ct"]);
        let (commit, epoch) = told.trim().split_once(' ').unwrap();
        let source = &mut self.release.manifest.source;
        commit.clone_into(&mut source.commit);
        source.source_date_epoch = epoch.parse().unwrap();
        self.put();
    }

    /// Puts the release into `dist/`, without an image.
    pub fn put(&self) {
        let mut release = self.release.clone();
        let bytes = self.requirements.clone().into_bytes();
        let named = ("demo-server", "1.0.0");
        let path = "requirements.txt";
        let artifact = seal(Kind::Requirements, named, path, &bytes, BTreeMap::new());
        release.put(artifact, bytes);
        sample::put(&self.repository, &sample::finish(release));
    }

    /// Another wheel of the same version.
    pub fn change_wheel(&mut self, content: &str) {
        let bytes = sample::wheel(content);
        let named = ("demo-server", "1.0.0");
        let path = "demo_server-1.0.0-py3-none-any.whl";
        let artifact = seal(Kind::Wheel, named, path, &bytes, BTreeMap::new());
        self.release.put(artifact, bytes);
        self.put();
    }

    /// A dependency with these wheels, by their tags, and a marker.
    pub fn depend(&mut self, name: &str, tags: &[&str], marker: &str) {
        let marker = match marker {
            "" => String::new(),
            marker => format!(" ; {marker}"),
        };
        let mut line = format!("{name}==1.0{marker}");
        for tag in tags {
            let file = format!("{name}-1.0-{tag}.whl");
            let bytes = dependency(name, tag);
            std::fs::write(self.wheels.path().join(file), &bytes).unwrap();
            line.push_str(&format!(" \\\n    --hash={}", Digest::of(&bytes)));
        }
        if tags.is_empty() {
            line.push_str(&format!(" \\\n    --hash={}", Digest::of(b"nothing")));
        }
        self.requirements.push_str(&format!("{line}\n"));
        self.put();
    }

    /// Builds, and gives the archive's bytes.
    pub fn build(&self, arguments: &[&str]) -> Vec<u8> {
        let words: Vec<&str> = ["image"].iter().chain(arguments).copied().collect();
        self.repository.succeeds(&words);
        self.repository.read(ARCHIVE)
    }
}

fn dependency(name: &str, tag: &str) -> Vec<u8> {
    let module = format!("{name}/__init__.py");
    let information = format!("{name}-1.0.dist-info");
    let path = |file: &str| format!("{information}/{file}");
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n");
    let wheel = format!("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n");
    let scripts = format!("[console_scripts]\n{name}-tool = {name}:main\n");
    sample::zip(&[
        (&module, format!("TAG = {tag:?}\n").as_bytes()),
        (&path("METADATA"), metadata.as_bytes()),
        (&path("WHEEL"), wheel.as_bytes()),
        (&path("entry_points.txt"), scripts.as_bytes()),
        (&path("RECORD"), b""),
    ])
}

/// What is in an archive for one platform.
pub struct Content {
    pub configuration: Value,
    pub manifest: Value,
    /// The digests of its layers.
    pub layers: Vec<String>,
    /// Every file of its own layers, by path, with its text.
    pub files: BTreeMap<String, String>,
    /// The same with its bytes and permissions.
    pub bytes: BTreeMap<String, (u32, Vec<u8>)>,
}

/// Reads the image for a platform out of an archive, blob by blob.
pub fn content(archive: &[u8], architecture: &str) -> Content {
    let opened = Opened::read(archive, "archive").unwrap();
    let get = |path: &str| opened.get(path).unwrap_or_else(|| panic!("no {path}"));
    let value = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).unwrap() };
    let blob = |named: &Value| {
        let digest = named["digest"].as_str().unwrap();
        let bytes = get(&format!("blobs/{}", digest.replace(':', "/")));
        assert_eq!(Digest::of(bytes).to_string(), digest);
        bytes
    };
    let index = value(get("index.json"));
    let list = value(blob(&index["manifests"][0]));
    let entries = list["manifests"].as_array().unwrap();
    let of_platform = |entry: &&Value| entry["platform"]["architecture"] == architecture;
    let manifest = value(blob(entries.iter().find(of_platform).unwrap()));
    let layers = manifest["layers"].as_array().unwrap().clone();
    let (mut files, mut all) = (BTreeMap::new(), BTreeMap::new());
    for layer in &layers[1..] {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(blob(layer))
            .read_to_end(&mut plain)
            .unwrap();
        for entry in tar::Archive::new(plain.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(path.clone(), String::from_utf8_lossy(&bytes).into_owned());
            all.insert(path, (entry.header().mode().unwrap(), bytes));
        }
    }
    let digest = |layer: &Value| layer["digest"].as_str().unwrap().to_owned();
    Content {
        configuration: value(blob(&manifest["config"])),
        layers: layers.iter().map(digest).collect(),
        manifest,
        files,
        bytes: all,
    }
}

/// The blob that a layout keeps at this digest.
pub fn blob(folder: &Utf8Path, digest: &str) -> camino::Utf8PathBuf {
    folder.join(format!("blobs/{}", digest.replace(':', "/")))
}
