//! What the registry shows: namespaces, versions with the places of their files, and the files.

use serde_json::{Map, Value, json};

use super::super::digest::sha256;
use super::super::message::{Asked, Reply};
use super::super::vsix::Package;
use super::{OpenVsx, TARGETS, Version, failure, sign};

impl OpenVsx {
    pub fn namespace(&self, asked: &Asked, name: &str) -> Reply {
        if !self.namespaces.contains(name) {
            return failure(404, &format!("Namespace not found: {name}"));
        }
        let base = asked.base();
        let of_it = self.versions.iter().filter(|version| {
            version.package.publisher == name && version.waiting == 0 && !version.removed
        });
        let extensions = of_it.map(|version| {
            let extension = version.package.name.clone();
            let address = format!("{base}/api/{name}/{extension}");
            (extension, json!(address))
        });
        let extensions: Map<String, Value> = extensions.collect();
        let value = json!({ "name": name, "extensions": extensions, "verified": true });
        Reply::json(200, &value)
    }

    /// A version of an extension; each read brings what is not active yet nearer.
    pub fn metadata(&mut self, asked: &Asked, namespace: &str, name: &str, more: &[&str]) -> Reply {
        let (target, wanted) = match more {
            [target, version] => (Some(*target), Some(*version)),
            [one] if TARGETS.contains(one) => (Some(*one), None),
            [version] => (None, Some(*version)),
            _ => (None, None),
        };
        let wanted = wanted.filter(|version| *version != "latest");
        let mut found: Option<Version> = None;
        for version in &mut self.versions {
            let Package {
                publisher,
                name: own,
                version: number,
                target: platform,
                ..
            } = &version.package;
            let fits = publisher == namespace
                && own == name
                && wanted.is_none_or(|wanted| number == wanted)
                && target.is_none_or(|target| platform == target);
            if !fits || version.removed {
                continue;
            }
            if version.waiting > 0 {
                version.waiting -= 1;
                continue;
            }
            // Without a platform, the one for all of them comes first; else the newest does.
            let universal = |one: &Version| one.package.target == "universal";
            let better = found
                .as_ref()
                .is_none_or(|old| target.is_some() || universal(version) || !universal(old));
            if better {
                found = Some(version.clone());
            }
        }
        let Some(version) = found else {
            let mut text = format!("Extension not found: {namespace}.{name}");
            for (part, open, close) in [(wanted, " ", ""), (target, " (", ")")] {
                if let Some(part) = part.filter(|part| *part != "universal") {
                    text.push_str(&format!("{open}{part}{close}"));
                }
            }
            return failure(404, &text);
        };
        Reply::json(200, &self.shown(&asked.base(), &version))
    }

    /// The address of a version.
    pub fn address(base: &str, package: &Package) -> String {
        let (namespace, name) = (&package.publisher, &package.name);
        let version = &package.version;
        match package.target.as_str() {
            "universal" => format!("{base}/api/{namespace}/{name}/{version}"),
            target => format!("{base}/api/{namespace}/{name}/{target}/{version}"),
        }
    }

    pub fn shown(&self, base: &str, version: &Version) -> Value {
        let package = &version.package;
        let own = Self::address(base, package);
        let file = |end: &str| format!("{own}/file/{}{end}", file_name(package));
        let others = self.versions.iter().filter(|one| {
            let same = one.package.publisher == package.publisher;
            same && one.package.name == package.name && one.waiting == 0 && !one.removed
        });
        let others = others.map(|one| {
            let address = Self::address(base, &one.package);
            (one.package.version.clone(), json!(address))
        });
        let mut all: Map<String, Value> = Map::from_iter([("latest".to_owned(), json!(own))]);
        all.extend(others);
        let (namespace, name) = (&package.publisher, &package.name);
        let manifest = &package.manifest;
        json!({
            "namespaceUrl": format!("{base}/api/{namespace}"),
            "reviewsUrl": format!("{base}/api/{namespace}/{name}/reviews"),
            "files": {
                "download": file(".vsix"),
                "manifest": format!("{own}/file/package.json"),
                "sha256": file(".sha256"),
                "signature": file(".sigzip"),
                "publicKey": format!("{base}/api/-/public-key/{}", sign::ID),
            },
            "name": name,
            "namespace": namespace,
            "targetPlatform": package.target,
            "version": package.version,
            "preRelease": false,
            "publishedBy": { "loginName": "stand-in" },
            "verified": true,
            "namespaceAccess": "restricted",
            "allVersions": all,
            "downloadCount": 0,
            "reviewCount": 0,
            "versionAlias": ["latest"],
            "timestamp": "2026-01-02T03:04:05.000000Z",
            "preview": false,
            "displayName": manifest["displayName"],
            "description": manifest["description"],
            "engines": manifest["engines"],
            "categories": manifest["categories"],
            "license": manifest["license"],
            "dependencies": [],
            "bundledExtensions": [],
            "downloads": { package.target.as_str(): file(".vsix") },
        })
    }

    pub fn file(&self, asked: &Asked, namespace: &str, name: &str, file: &str) -> Reply {
        let reply = self.stored_file(namespace, name, file);
        match reply.status == 200 && self.redirects && !file.ends_with(".json") {
            true => {
                let place = format!("{}/storage/{namespace}/{name}/{file}", asked.base());
                Reply::new(302, "").with("location", place)
            }
            false => reply,
        }
    }

    pub fn stored_file(&self, namespace: &str, name: &str, file: &str) -> Reply {
        let found = self.versions.iter().find_map(|version| {
            let package = &version.package;
            let fits = package.publisher == namespace && package.name == name && !version.removed;
            let end = file.strip_prefix(&file_name(package)).filter(|_| fits)?;
            match end {
                ".vsix" => Some(Reply::bytes(&version.bytes)),
                ".sigzip" => Some(Reply::bytes(&version.signature)),
                ".sha256" => {
                    let digest = match self.wrong_digest {
                        true => sha256(b"something else"),
                        false => sha256(&version.bytes),
                    };
                    Some(Reply::new(200, digest.to_string()).with("content-type", "text/plain"))
                }
                _ => None,
            }
        });
        found.unwrap_or_else(|| failure(404, "Not Found"))
    }
}

fn file_name(package: &Package) -> String {
    let (namespace, name, version) = (&package.publisher, &package.name, &package.version);
    match package.target.as_str() {
        "universal" => format!("{namespace}.{name}-{version}"),
        target => format!("{namespace}.{name}-{version}@{target}"),
    }
}
