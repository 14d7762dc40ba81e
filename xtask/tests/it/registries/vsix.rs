//! Extension packages: read as registries read them, and small ones made by hand.
//!
//! Source: APPNOTE of the zip format for the central directory, which is read here byte by byte,
//! because libraries hide what registries refuse.

use std::io::{Cursor, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// What a package says of itself.
#[derive(Debug, Clone)]
pub struct Package {
    pub publisher: String,
    pub name: String,
    pub version: String,
    /// The platform it is for; `universal` stands for all.
    pub target: String,
    /// Its `package.json`.
    pub manifest: Value,
}

/// An entry of the central directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    pub extra: bool,
}

/// Reads a package, or says what is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Package, String> {
    let archive = zip::ZipArchive::new(Cursor::new(bytes));
    let mut archive = archive.map_err(|cause| format!("Could not read zip file: {cause}"))?;
    let mut text = |name: &str| {
        let mut text = String::new();
        let entry = archive.by_name(name);
        let mut entry = entry.map_err(|_| format!("Entry not found: {name}"))?;
        let read = entry.read_to_string(&mut text);
        read.map_err(|cause| format!("Could not read {name}: {cause}"))?;
        Ok::<_, String>(text)
    };
    let manifest: Value = serde_json::from_str(&text("extension/package.json")?)
        .map_err(|cause| format!("Invalid JSON format in package.json: {cause}"))?;
    let identity = text("extension.vsixmanifest")?;
    let attribute = |name: &str| {
        let (_, rest) = identity.split_once(&format!("{name}=\""))?;
        rest.split('"').next().map(str::to_owned)
    };
    let field = |name: &str| manifest[name].as_str().unwrap_or_default().to_owned();
    Ok(Package {
        publisher: field("publisher"),
        name: field("name"),
        version: field("version"),
        target: attribute("TargetPlatform").unwrap_or_else(|| "universal".to_owned()),
        manifest,
    })
}

/// The central directory; nothing for what has none.
pub fn listed(bytes: &[u8]) -> Option<Vec<Listed>> {
    let end = memchr::memmem::rfind(bytes, b"PK\x05\x06")?;
    let count = number(bytes, end + 10, 2)?;
    let mut at = number(bytes, end + 16, 4)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        if bytes.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        let name = number(bytes, at + 28, 2)?;
        let extra = number(bytes, at + 30, 2)?;
        let comment = number(bytes, at + 32, 2)?;
        let start = at + 46;
        entries.push(Listed {
            name: String::from_utf8_lossy(bytes.get(start..start + name)?).into_owned(),
            extra: extra > 0,
        });
        at = start + name + extra + comment;
    }
    Some(entries)
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + width)?.iter().rev();
    Some(bytes.fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
}

/// Every entry with its bytes, in the order of the archive.
pub fn entries(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        entries.push((entry.name().unwrap().into_owned(), content));
    }
    entries
}

/// An archive of these entries.
pub fn archive(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The same archive with an owner's number in the extra field of its last entry, where the central
/// directory lists it, as `zip` and `tar` tools leave it.
pub fn with_extra_field(mut archive: Vec<u8>) -> Vec<u8> {
    const FIELD: [u8; 9] = *b"ux\x05\0\x01\x01\0\x01\0";
    let end = memchr::memmem::rfind(&archive, b"PK\x05\x06").unwrap();
    let last = memchr::memmem::rfind(&archive, b"PK\x01\x02").unwrap();
    let size = number(&archive, end + 12, 4).unwrap() + FIELD.len();
    archive[end + 12..end + 16].copy_from_slice(&u32::try_from(size).unwrap().to_le_bytes());
    archive[last + 30] += 9;
    // No entry here has a comment, so the extra field is what comes last.
    archive.splice(end..end, FIELD);
    archive
}

/// The entries of a package that both registries take.
pub fn tiny(publisher: &str, name: &str, version: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let platform = match target {
        "universal" => String::new(),
        target => format!(" TargetPlatform=\"{target}\""),
    };
    let identity = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<PackageManifest Version=\"2.0.0\" \
         xmlns=\"http://schemas.microsoft.com/developer/vsx-schema/2011\">\n<Metadata>\n\
         <Identity Language=\"en-US\" Id=\"{name}\" Version=\"{version}\" \
         Publisher=\"{publisher}\"{platform}/>\n<DisplayName>Tiny</DisplayName>\n\
         <Properties><Property Id=\"Microsoft.VisualStudio.Code.Engine\" Value=\"^1.90.0\"/>\
         </Properties>\n</Metadata>\n<Installation>\
         <InstallationTarget Id=\"Microsoft.VisualStudio.Code\"/></Installation>\n\
         <Dependencies/>\n<Assets><Asset Type=\"Microsoft.VisualStudio.Code.Manifest\" \
         Path=\"extension/package.json\" Addressable=\"true\"/></Assets>\n</PackageManifest>\n"
    );
    let types = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Types \
                 xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
                 <Default Extension=\".json\" ContentType=\"application/json\"/>\
                 <Default Extension=\".vsixmanifest\" ContentType=\"text/xml\"/></Types>\n";
    let manifest = json!({
        "name": name,
        "displayName": "Tiny",
        "description": "A small one",
        "publisher": publisher,
        "version": version,
        "license": "MIT",
        "engines": { "vscode": "^1.90.0" },
        "categories": ["Other"],
    });
    let entries = [
        ("extension.vsixmanifest", identity),
        ("[Content_Types].xml", types.to_owned()),
        ("extension/package.json", manifest.to_string()),
        ("extension/readme.md", "# Tiny\n".to_owned()),
    ];
    entries
        .map(|(name, text)| (name.to_owned(), text.into_bytes()))
        .to_vec()
}

/// A package that both registries take.
pub fn package(publisher: &str, name: &str, version: &str, target: &str) -> Vec<u8> {
    archive(&tiny(publisher, name, version, target))
}

/// The digests of a package and of everything in it, as signature archives hold them.
pub fn digests(bytes: &[u8]) -> Value {
    let shown = |bytes: &[u8]| {
        let digest = STANDARD.encode(Sha256::digest(bytes));
        json!({ "size": bytes.len(), "digests": { "sha256": digest } })
    };
    let named = entries(bytes).into_iter();
    let named = named.map(|(name, content)| (STANDARD.encode(name), shown(&content)));
    let named: Map<String, Value> = named.collect();
    json!({ "package": shown(bytes), "entries": named })
}

#[test]
fn the_central_directory_is_read_as_it_is() {
    let plain = package("acme", "tiny", "1.0.0", "universal");
    let read = read(&plain).unwrap();
    assert_eq!(
        (read.publisher.as_str(), read.target.as_str()),
        ("acme", "universal")
    );
    let names = listed(&plain).unwrap();
    assert_eq!(names.len(), 4);
    assert!(names.iter().all(|entry| !entry.extra));
    let extra = with_extra_field(package("acme", "tiny", "1.0.0", "linux-x64"));
    assert!(listed(&extra).unwrap()[3].extra);
    assert_eq!(self::read(&extra).unwrap().target, "linux-x64");
    assert_eq!(listed(b"no archive"), None);
}
