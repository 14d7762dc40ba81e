//! Makes a repository with a large, correct `.vsix`, the same on every run.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::Path;

use xtask::artifact::{
    BundleManifest, BundledFile, Digest, Kind, MANIFEST_SCHEMA, Manifest, Source, seal,
};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// What was made.
pub struct Made {
    pub files: usize,
    pub packed: u64,
    pub unpacked: u64,
}

const VERSION: &str = "1.0.0";
const WHEEL: &str = "large-1.0.0-py3-none-any.whl";
const RELEASE: &str = r#"
schema = 1
name = "large"
[server]
path = "server"
console-script = "large"
[extension]
path = "extension"
bundle = "server"
[prove.call]
tool = "ping"
[gate]
allow = ["LICENSE.txt", "dist/**", "media/**", "data/**"]
"#;

/// Xorshift (Marsaglia 2003).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Incompressible, like images.
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let words = (0..length.div_ceil(8)).flat_map(|_| self.next().to_le_bytes());
        words.take(length).collect()
    }

    /// Compresses to about a third, like minified scripts: few words often, many seldom.
    fn script(&mut self, length: usize) -> Vec<u8> {
        const JOINTS: [&str; 8] = ["(", ").", "=", ";", ",", "{return ", "}", "&&"];
        let mut text = String::with_capacity(length + 32);
        while text.len() < length {
            let rank = self.next() % 4096 * (self.next() % 4096) / 4096;
            text.push_str(&format!("{:x}", rank * 2_654_435_761 % 0xff_ffff));
            text.push_str(JOINTS[(self.next() % 8) as usize]);
            if self.next().is_multiple_of(40) {
                text.push('\n');
            }
        }
        text.into_bytes()
    }
}

/// Writes `release.toml`, `dist/manifest.json` and `dist/large.vsix` with this many files and
/// about this many bytes below a folder.
pub fn write(root: &Path, files: usize, packed: usize) -> Made {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let wheel = wheel();
    let requirements = b"anyio==4.9.0\n".to_vec();
    let mut entries = fixed(&wheel, &requirements);
    // Half of the container is text, which deflates to about a third; half is not.
    let share = packed / (files - entries.len());
    for number in 0..files - entries.len() {
        // One large file among nine small ones, with the right mean.
        let scale = if number % 10 == 0 { 55 } else { 5 };
        entries.push(if number % 20 < 10 {
            let name = format!("extension/media/{number:04}.png");
            (
                name,
                [
                    b"\x89PNG\r\n\x1a\n".to_vec(),
                    noise.bytes(share * scale / 10),
                ]
                .concat(),
            )
        } else {
            let name = format!("extension/dist/{number:04}.js");
            (name, noise.script(share * scale / 10 * 5 / 2))
        });
    }
    let bytes = zip(&entries);
    let about = ("large", VERSION);
    let mut manifest = Manifest {
        schema: MANIFEST_SCHEMA,
        name: "large".to_owned(),
        version: VERSION.to_owned(),
        source: Source {
            commit: "0".repeat(40),
            dirty: false,
            source_date_epoch: 0,
        },
        artifacts: Vec::new(),
        proof: None,
    };
    manifest.put(seal(Kind::Wheel, about, WHEEL, &wheel, BTreeMap::new()));
    manifest.put(seal(
        Kind::Requirements,
        about,
        "requirements.txt",
        &requirements,
        BTreeMap::new(),
    ));
    let put = |path: &str, bytes: &[u8]| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        std::fs::write(path, bytes).expect("a file can be written");
    };
    put("release.toml", RELEASE.as_bytes());
    put("dist/manifest.json", manifest.text().as_bytes());
    put("dist/large.vsix", &bytes);
    Made {
        files: entries.len(),
        packed: bytes.len() as u64,
        unpacked: entries.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
    }
}

fn wheel() -> Vec<u8> {
    zip(&[
        ("large/__init__.py".to_owned(), b"x = 1\n".to_vec()),
        (
            "large-1.0.0.dist-info/WHEEL".to_owned(),
            b"Wheel-Version: 1.0\n".to_vec(),
        ),
    ])
}

fn fixed(wheel: &[u8], requirements: &[u8]) -> Vec<(String, Vec<u8>)> {
    let bundled = |file: &str, bytes: &[u8]| BundledFile {
        file: file.to_owned(),
        size: bytes.len() as u64,
        sha256: Digest::of(bytes),
    };
    let manifest = BundleManifest {
        schema: MANIFEST_SCHEMA,
        name: "large".to_owned(),
        version: VERSION.to_owned(),
        commit: "0".repeat(40),
        dirty: false,
        console_script: "large".to_owned(),
        wheel: bundled(WHEEL, wheel),
        requirements: bundled("requirements.txt", requirements),
    };
    let package = r#"{"name": "large", "publisher": "p", "version": "1.0.0", "engines": {"vscode": "*"},
        "main": "dist/extension.js", "icon": "media/icon.png"}"#;
    let identity = r#"<M><Identity Id="large" Version="1.0.0" Publisher="p"/></M>"#;
    let manifest = manifest.text();
    let files: [(&str, &[u8]); 9] = [
        ("[Content_Types].xml", b"<Types/>"),
        ("extension.vsixmanifest", identity.as_bytes()),
        ("extension/LICENSE.txt", b"Free.\n"),
        ("extension/dist/extension.js", b"run();\n"),
        ("extension/media/icon.png", b"\x89PNG"),
        ("extension/package.json", package.as_bytes()),
        ("extension/server/manifest.json", manifest.as_bytes()),
        ("extension/server/large-1.0.0-py3-none-any.whl", wheel),
        ("extension/server/requirements.txt", requirements),
    ];
    files
        .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
        .into()
}

fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer
            .start_file(name.as_str(), options)
            .expect("names are plain and distinct");
        writer.write_all(bytes).expect("memory can be written");
    }
    writer.finish().expect("memory can be written").into_inner()
}
