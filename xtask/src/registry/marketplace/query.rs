//! What the Marketplace says that it has of an extension: the question and its answer. Pure.
//!
//! The question is the one that editors ask (`extensionquery`); the numbers are those of the
//! interfaces in `azure-devops-node-api`.

use serde_json::{Value, json};

use crate::product::vsix::identity::Identity;

/// Asks for an extension by `publisher.name`.
const BY_NAME: u32 = 7;

/// All versions, with their properties and addresses; also those that are not validated, which
/// only their owner gets.
const FLAGS: u32 = 1 | 16 | 128;

/// The flag of a version that has passed validation.
const VALIDATED: u64 = 1;

/// One version that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub version: String,
    /// Its platform, when it has one.
    pub platform: Option<String>,
    /// Whether everybody can get it.
    pub validated: bool,
    /// Why it failed validation.
    pub message: Option<String>,
    /// When it was taken.
    pub updated: Option<String>,
}

/// The question for one extension.
pub fn question(extension: &str) -> Vec<u8> {
    let criteria = json!([{ "filterType": BY_NAME, "value": extension }]);
    let filter = json!({ "criteria": criteria, "pageNumber": 1, "pageSize": 1 });
    let body = json!({ "filters": [filter], "assetTypes": [], "flags": FLAGS });
    body.to_string().into_bytes()
}

/// Reads the answer for one extension; no versions when there is no such extension.
///
/// # Errors
/// What is wrong with it.
pub fn answer(body: &[u8], extension: &str) -> Result<Vec<Found>, String> {
    let value: Value = serde_json::from_slice(body).map_err(|cause| format!("no JSON: {cause}"))?;
    if !value["errorCode"].is_null() {
        let message = value["message"].as_str().unwrap_or("an error");
        return Err(message.to_owned());
    }
    let extensions = value["results"][0]["extensions"].as_array();
    let extensions = extensions.ok_or("the answer has no results")?;
    let named = |found: &&Value| {
        let publisher = found["publisher"]["publisherName"].as_str();
        let name = found["extensionName"].as_str();
        let (Some(publisher), Some(name)) = (publisher, name) else {
            return false;
        };
        format!("{publisher}.{name}").eq_ignore_ascii_case(extension)
    };
    let versions = extensions
        .iter()
        .find(named)
        .and_then(|found| found["versions"].as_array());
    let versions = versions.map(Vec::as_slice).unwrap_or_default();
    Ok(versions.iter().filter_map(found).collect())
}

fn found(version: &Value) -> Option<Found> {
    let text = |name: &str| {
        let value = version[name].as_str().map(str::trim);
        value.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Some(Found {
        version: text("version")?,
        platform: text("targetPlatform"),
        validated: is_validated(&version["flags"]),
        message: text("validationResultMessage"),
        updated: text("lastUpdated"),
    })
}

/// Flags come as a number, or as words with commas between them.
fn is_validated(flags: &Value) -> bool {
    match flags {
        Value::Number(number) => number.as_u64().is_some_and(|flags| flags & VALIDATED != 0),
        Value::String(words) => words
            .split(',')
            .any(|word| word.trim().eq_ignore_ascii_case("validated")),
        _ => false,
    }
}

/// The version that is a package, among all that are there.
pub fn find<'found>(all: &'found [Found], identity: &Identity) -> Option<&'found Found> {
    all.iter()
        .find(|found| identity.is(&found.version, found.platform.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_asks_for_every_version() {
        let body: Value = serde_json::from_slice(&question("p.n")).unwrap();
        let criteria = &body["filters"][0]["criteria"][0];
        assert_eq!(criteria["filterType"], 7);
        assert_eq!(criteria["value"], "p.n");
        assert_eq!(body["flags"], 145);
    }

    fn body(versions: &Value) -> Vec<u8> {
        let extension = json!({
            "publisher": { "publisherName": "P" },
            "extensionName": "n",
            "versions": versions,
        });
        let other = json!({
            "publisher": { "publisherName": "p" },
            "extensionName": "nn",
            "versions": [{ "version": "9.9.9", "flags": "validated" }],
        });
        let results = json!({ "results": [{ "extensions": [other, extension] }] });
        results.to_string().into_bytes()
    }

    #[test]
    fn flags_come_in_two_forms() {
        let check = |flags: Value, expected: bool| {
            let versions = json!([{ "version": "1.0.0", "flags": flags }]);
            let found = answer(&body(&versions), "p.n").unwrap();
            assert_eq!(found[0].validated, expected, "{flags}");
        };
        check(json!("validated"), true);
        check(json!("none, Validated"), true);
        check(json!(1), true);
        check(json!(3), true);
        check(json!("none"), false);
        check(json!(0), false);
        check(Value::Null, false);
    }

    #[test]
    fn a_version_is_found_by_number_and_platform() {
        let versions = json!([
            { "version": "1.0.0", "targetPlatform": "linux-x64", "lastUpdated": "then" },
            { "version": "1.0.0", "validationResultMessage": " it is broken " },
            { "version": "0.9.0", "flags": 1 },
            { "flags": 1 },
        ]);
        let all = answer(&body(&versions), "p.n").unwrap();
        assert_eq!(all.len(), 3);
        let find = |version: &str, platform: Option<&str>| {
            let identity = Identity {
                publisher: "p".to_owned(),
                name: "n".to_owned(),
                version: version.to_owned(),
                platform: platform.map(str::to_owned),
            };
            find(&all, &identity).cloned()
        };
        let built = find("1.0.0", Some("linux-x64")).unwrap();
        assert_eq!(built.updated.as_deref(), Some("then"));
        let everywhere = find("1.0.0", None).unwrap();
        assert_eq!(everywhere.message.as_deref(), Some("it is broken"));
        assert!(find("0.9.0", None).unwrap().validated);
        assert_eq!(find("0.9.0", Some("web")), None);
        assert_eq!(find("2.0.0", None), None);
    }

    #[test]
    fn what_is_no_answer_is_not_taken_for_an_empty_one() {
        let none = json!({ "results": [{ "extensions": [] }] }).to_string();
        assert_eq!(answer(none.as_bytes(), "p.n"), Ok(Vec::new()));
        let error = json!({ "errorCode": 0, "message": "no" }).to_string();
        assert_eq!(answer(error.as_bytes(), "p.n"), Err("no".to_owned()));
        answer(b"{}", "p.n").unwrap_err();
        answer(b"<html>", "p.n").unwrap_err();
    }
}
