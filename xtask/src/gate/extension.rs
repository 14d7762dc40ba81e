//! Whether an editor can install and start the extension: package.json, entry point, icon,
//! license and the container's own manifest. Pure.

use serde_json::Value;

use super::agreement::{CONTAINER_MANIFESTS, Files};
use super::rules::{self, Rule};
use super::{EXTENSION, Finding, Form};

/// Everything about the extension itself.
pub fn judge(files: &Files<'_>, form: Form) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |rule: &'static Rule, name: &str, detail: String| {
        findings.push(files.finding(rule, name, detail));
    };
    let place = format!("{EXTENSION}package.json");
    let package = match package(files, &place) {
        Ok(package) => package,
        Err(detail) => {
            find(&rules::PACKAGE_JSON, &place, detail);
            None
        }
    };
    let Some(package) = package else {
        return findings;
    };
    for field in ["main", "browser"] {
        if let Some(path) = text(&package, field).and_then(|path| missing_entry_point(files, path))
        {
            find(
                &rules::ENTRY_POINT_MISSING,
                &path,
                format!("`{field}` in package.json names it"),
            );
        }
    }
    if let Some((name, detail)) = icon(files, &package, &place) {
        find(&rules::ICON_MISSING, &name, detail);
    }
    if let Some(name) = license(files, &package) {
        find(&rules::LICENSE_MISSING, &name, "missing".to_owned());
    }
    if form == Form::Vsix {
        for name in CONTAINER_MANIFESTS {
            if let Some(detail) = container_manifest(files, name, &package) {
                find(&rules::CONTAINER_MANIFEST, name, detail);
            }
        }
    }
    findings
}

fn text<'json>(package: &'json Value, field: &str) -> Option<&'json str> {
    package.get(field)?.as_str()
}

fn package(files: &Files<'_>, place: &str) -> Result<Option<Value>, String> {
    let Some(bytes) = files.bytes(place) else {
        return if files.has(place) {
            Ok(None)
        } else {
            Err("missing".to_owned())
        };
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let package: Value =
        serde_json::from_slice(bytes).map_err(|cause| format!("not JSON: {cause}"))?;
    let engine = package
        .get("engines")
        .and_then(|engines| text(engines, "vscode"));
    let fields = ["name", "publisher", "version"].map(|field| (field, text(&package, field)));
    let stated = fields.into_iter().chain([("engines.vscode", engine)]);
    let absent: Vec<&str> = stated
        .filter(|(_, value)| value.is_none_or(str::is_empty))
        .map(|(field, _)| field)
        .collect();
    if absent.is_empty() {
        Ok(Some(package))
    } else {
        Err(format!("states no {}", absent.join(", no ")))
    }
}

/// The path inside the container that a path of package.json means.
fn inside(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("{EXTENSION}{}", parts.join("/"))
}

/// Node's resolution of a file that is required by path (Node.js, "Modules: CommonJS",
/// LOAD_AS_FILE and LOAD_AS_DIRECTORY without a nested package.json).
fn missing_entry_point(files: &Files<'_>, path: &str) -> Option<String> {
    let name = inside(path);
    let ends = [
        "",
        ".js",
        ".json",
        ".node",
        "/index.js",
        "/index.json",
        "/index.node",
    ];
    let found = ends.iter().any(|end| files.has(&format!("{name}{end}")));
    (!found).then_some(name)
}

fn icon(files: &Files<'_>, package: &Value, place: &str) -> Option<(String, String)> {
    let Some(path) = text(package, "icon") else {
        return Some((place.to_owned(), "`icon` is not stated".to_owned()));
    };
    let name = inside(path);
    if path.to_lowercase().ends_with(".svg") {
        Some((name, "an SVG".to_owned()))
    } else if files.has(&name) {
        None
    } else {
        Some((name, "`icon` in package.json names it".to_owned()))
    }
}

/// Any of the names under which vsce and Open VSX take a license, or the one that is stated.
fn license(files: &Files<'_>, package: &Value) -> Option<String> {
    let stated =
        text(package, "license").and_then(|license| license.strip_prefix("SEE LICENSE IN "));
    if let Some(path) = stated {
        let name = inside(path.trim());
        let found = files.has(&name) || files.has(&format!("{name}.txt"));
        return (!found).then_some(name);
    }
    let is_license = |name: &str| {
        let name = name.strip_prefix(EXTENSION).unwrap_or(name).to_lowercase();
        let (stem, end) = name.split_once('.').unwrap_or((&name, "txt"));
        matches!(stem, "license" | "licence") && matches!(end, "md" | "txt")
    };
    let found = files.names().any(is_license);
    (!found).then(|| format!("{EXTENSION}LICENSE.txt"))
}

fn container_manifest(files: &Files<'_>, name: &str, package: &Value) -> Option<String> {
    if files.is_unreadable(name) {
        return None;
    }
    let Some(bytes) = files.bytes(name) else {
        return Some("missing".to_owned());
    };
    if name != "extension.vsixmanifest" {
        return None;
    }
    let xml = String::from_utf8_lossy(bytes);
    let Some(identity) = element(&xml, "Identity") else {
        return Some("has no <Identity> element".to_owned());
    };
    let pairs = [
        ("Id", "name"),
        ("Publisher", "publisher"),
        ("Version", "version"),
    ];
    pairs.into_iter().find_map(|(attribute, field)| {
        let here = attribute_value(identity, attribute).unwrap_or_default();
        let there = text(package, field).unwrap_or_default();
        (here != there).then(|| format!("{attribute} is {here:?}, but package.json says {there:?}"))
    })
}

/// The attributes of the one element of this name; comments do not count.
pub(crate) fn element<'xml>(xml: &'xml str, name: &str) -> Option<&'xml str> {
    let mut rest = xml;
    loop {
        let start = rest.find('<')?;
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = &comment[comment.find("-->")?..];
            continue;
        }
        let tag = &rest[1..=rest.find('>')?];
        rest = &rest[1..];
        let attributes = tag.strip_prefix(name);
        if let Some(attributes) = attributes.filter(|rest| rest.starts_with(char::is_whitespace)) {
            return Some(attributes.trim_end_matches(['>', '/']));
        }
    }
}

/// The value of an attribute of an element, as it stands there.
pub(crate) fn attribute_value<'xml>(attributes: &'xml str, name: &str) -> Option<&'xml str> {
    let mut rest = attributes;
    loop {
        let (key, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let quote = behind
            .chars()
            .next()
            .filter(|quote| "\"'".contains(*quote))?;
        let (value, behind) = behind[1..].split_once(quote)?;
        if key.trim() == name {
            return Some(value);
        }
        rest = behind;
    }
}
