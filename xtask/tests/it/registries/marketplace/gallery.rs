//! What everybody sees: extensions with their validated versions, and the packages.

use std::io::{Cursor, Write};

use serde_json::{Value, json};

use super::super::message::{Asked, Reply};
use super::super::vsix;
use super::{Marketplace, Version, failure};

/// What a query may ask for.
const VERSIONS: u64 = 1;
const FILES: u64 = 2;
const PROPERTIES: u64 = 16;
const VALIDATED_ONLY: u64 = 32;
const ASSET_ADDRESS: u64 = 128;
const LATEST_ONLY: u64 = 512;

/// The filter by `publisher.name`.
const BY_NAME: u64 = 7;

const TIME: &str = "2026-01-02T03:04:05.000Z";

impl Marketplace {
    pub fn query(&mut self, asked: &Asked) -> Reply {
        let body = asked.json();
        let flags = body["flags"].as_u64().unwrap_or(0);
        let criteria = body["filters"][0]["criteria"].as_array().cloned();
        let mut extensions = Vec::new();
        for criterion in criteria.unwrap_or_default() {
            let value = criterion["value"].as_str().unwrap_or_default();
            if let (Some(BY_NAME), Some((publisher, name))) =
                (criterion["filterType"].as_u64(), value.split_once('.'))
            {
                let flags = flags | VALIDATED_ONLY;
                extensions.extend(self.extension(&asked.base(), publisher, name, flags, false));
                self.looked(publisher, name);
            }
        }
        let count = json!({ "name": "TotalCount", "count": extensions.len() });
        let metadata = json!({ "metadataType": "ResultCount", "metadataItems": [count] });
        let result = json!({
            "extensions": extensions, "pagingToken": null, "resultMetadata": [metadata],
        });
        Reply::json(200, &json!({ "results": [result] }))
    }

    /// A look at an extension: each one brings the validation of its versions nearer.
    pub fn looked(&mut self, publisher: &str, name: &str) {
        for version in &mut self.versions {
            if version.is_of(publisher, name) {
                version.waiting = version.waiting.saturating_sub(1);
            }
        }
    }

    /// An extension with the versions that are seen.
    pub fn extension(
        &self,
        base: &str,
        publisher: &str,
        name: &str,
        flags: u64,
        owner: bool,
    ) -> Option<Value> {
        let of_it = self.versions.iter().rev();
        let of_it = of_it.filter(|version| version.is_of(publisher, name));
        let all = owner && flags & VALIDATED_ONLY == 0;
        let seen: Vec<&Version> = of_it.filter(|version| all || version.validated()).collect();
        let newest = seen.first()?;
        let package = &newest.package;
        let state = match newest.validated() {
            true => "validated, public",
            false => "public",
        };
        let mut value = json!({
            "publisher": {
                "publisherId": "00000000-0000-4000-8000-000000000001",
                "publisherName": package.publisher,
                "displayName": package.publisher,
                "flags": "verified",
            },
            "extensionId": "00000000-0000-4000-8000-000000000002",
            "extensionName": package.name,
            "displayName": package.manifest["displayName"],
            "flags": state,
            "lastUpdated": TIME,
            "publishedDate": TIME,
            "releaseDate": TIME,
            "shortDescription": package.manifest["description"],
            "deploymentType": 0,
        });
        if flags & (VERSIONS | LATEST_ONLY) != 0 {
            let most = if flags & LATEST_ONLY != 0 {
                1
            } else {
                usize::MAX
            };
            let versions = seen.iter().take(most);
            let versions = versions.map(|version| version.shown(base, flags, owner));
            value["versions"] = json!(versions.collect::<Vec<_>>());
        }
        Some(value)
    }

    pub fn download(&self, asked: &Asked, path: [&str; 3]) -> Reply {
        let [publisher, name, number] = path;
        let target = asked.query("targetPlatform");
        let target = target.as_deref().unwrap_or("universal");
        let found = self.versions.iter().find(|version| {
            let package = &version.package;
            let this = package.version == number && package.target == target;
            this && version.is_of(publisher, name) && version.validated()
        });
        let Some(version) = found else {
            let text = format!("Extension version {publisher}.{name}-{number} doesn't exist.");
            return failure(404, &text);
        };
        let mut entries = vsix::entries(&version.bytes);
        if self.wrong_payload {
            let (_, content) = entries.last_mut().unwrap();
            content.extend_from_slice(b"\n");
        }
        let bytes = match self.recontained || self.wrong_payload {
            true => contained(&entries),
            false => version.bytes.clone(),
        };
        let file = format!("{publisher}.{name}-{number}.vsix");
        let disposition = format!("inline; filename={file}; filename*=utf-8''{file}");
        Reply::bytes(&bytes)
            .with("content-type", "application/vsix")
            .with("content-disposition", disposition)
    }
}

impl Version {
    fn is_of(&self, publisher: &str, name: &str) -> bool {
        let package = &self.package;
        package.publisher.eq_ignore_ascii_case(publisher) && package.name.eq_ignore_ascii_case(name)
    }

    /// Whether it can be installed.
    pub fn validated(&self) -> bool {
        self.waiting == 0 && self.failure.is_none()
    }

    fn shown(&self, base: &str, flags: u64, owner: bool) -> Value {
        let package = &self.package;
        let (publisher, name) = (&package.publisher, &package.name);
        let version = &package.version;
        let assets = format!("{base}/_apis/public/gallery/publisher/{publisher}/{name}/{version}");
        let mut value = json!({
            "version": version,
            "flags": if self.validated() { "validated" } else { "none" },
            "lastUpdated": TIME,
        });
        if package.target != "universal" {
            value["targetPlatform"] = json!(package.target);
        }
        let failure = self.failure.as_ref().filter(|_| owner && self.waiting == 0);
        if let Some(failure) = failure {
            value["validationResultMessage"] = json!(failure);
        }
        if flags & FILES != 0 {
            let kind = "Microsoft.VisualStudio.Services.VSIXPackage";
            let source = format!(
                "{base}/_apis/public/gallery/publishers/{publisher}/vsextensions/{name}/{version}\
                 /vspackage"
            );
            value["files"] = json!([{ "assetType": kind, "source": source }]);
        }
        if flags & PROPERTIES != 0 {
            let engine = &package.manifest["engines"]["vscode"];
            let key = "Microsoft.VisualStudio.Code.Engine";
            value["properties"] = json!([{ "key": key, "value": engine }]);
        }
        if flags & ASSET_ADDRESS != 0 {
            value["assetUri"] = json!(format!("{assets}/assetbyname"));
            value["fallbackAssetUri"] = json!(assets);
        }
        value
    }
}

/// The same entries in another archive: in another order, and stored.
fn contained(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries.iter().rev() {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
