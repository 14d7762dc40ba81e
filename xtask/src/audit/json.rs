//! A report for programs: JSON as `docs/audit.schema.json` describes it. Pure.

use serde_json::Value;

use super::report::Report;
use crate::printable;

/// The report as a JSON value.
///
/// # Panics
/// Never: a report is plain data with texts for keys.
pub fn value(report: &Report) -> Value {
    let mut value = serde_json::to_value(report).expect("a report is plain data");
    let unchecked = value.get_mut("unchecked").and_then(Value::as_array_mut);
    for package in unchecked.into_iter().flatten() {
        if let Some(Value::String(url)) = package.pointer_mut("/source/url") {
            *url = without_credentials(url);
        }
    }
    value
}

/// The report as JSON text that ends with a line break; what is invisible in it is escaped.
///
/// # Panics
/// Never: a report is plain data with texts for keys.
pub fn text(report: &Report) -> String {
    let text = serde_json::to_string_pretty(&value(report)).expect("a value is plain data");
    printable::json(&text) + "\n"
}

/// An address without the user and the password that it may hold.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jsonschema::Validator;
    use serde_json::json;

    use super::super::sample;
    use super::*;
    use crate::printable::is_invisible;

    const SCHEMA: &str = include_str!("../../../docs/audit.schema.json");

    fn schema() -> Value {
        serde_json::from_str(SCHEMA).unwrap()
    }

    fn validator() -> Validator {
        jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&schema())
            .unwrap()
    }

    fn problems(value: &Value) -> Vec<String> {
        let errors = validator();
        let errors = errors.iter_errors(value);
        errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }

    #[test]
    fn reports_of_every_form_are_as_the_schema_says() {
        let reports = [
            sample::clean(),
            sample::single(),
            sample::mixed(),
            sample::hostile(),
            sample::large(400),
        ];
        for report in reports {
            let text = text(&report);
            let back: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(back, value(&report));
            assert_eq!(problems(&back), Vec::<String>::new());
        }
    }

    #[test]
    fn other_documents_are_not() {
        let check = |pointer: &str, wrong: Value| {
            let mut value = value(&sample::mixed());
            let place = value.pointer_mut(pointer).expect("the sample has it");
            assert_ne!(*place, wrong);
            *place = wrong;
            assert!(!problems(&value).is_empty(), "{pointer} may be anything");
        };
        check("/schema", json!(2));
        check("/findings/0/level", json!("severe"));
        check("/findings/0/class", json!("Vulnerability"));
        check("/findings/0/score", json!(11));
        check("/findings/0/line", json!(0));
        check("/findings/0/fix", json!({ "kind": "none", "version": "1" }));
        check(
            "/findings/0/fix",
            json!({ "kind": "version", "version": "1" }),
        );
        check(
            "/findings/0/verdict",
            json!({ "kind": "ignored", "reason": "x" }),
        );
        check("/findings/0/ids", json!([]));
        check("/unchecked/0/source", json!({ "kind": "git" }));
        check("/unchecked/0/source", json!({ "kind": "unheard" }));
        check("/ignores/0/state", json!({ "kind": "expired" }));
        check("/locks/0/ecosystem", json!("Go"));
        check("/summary", json!({}));
        check("/warnings/0", json!(1));
        check("/licenses/0/license", json!(1));
        check("/databases/0/digest", json!("md5:0"));
    }

    #[test]
    fn no_member_is_missing_or_unheard_of() {
        let whole = value(&sample::mixed());
        for name in whole.as_object().unwrap().keys() {
            let mut value = whole.clone();
            value.as_object_mut().unwrap().remove(name);
            assert!(!problems(&value).is_empty(), "{name} may be missing");
        }
        let mut value = whole;
        value["findings"][0]["more"] = json!(1);
        assert!(!problems(&value).is_empty());
    }

    #[test]
    fn the_schema_describes_every_member_and_allows_no_others() {
        let mut described = BTreeSet::new();
        visit(&schema(), "", &mut described);
        let mut used = BTreeSet::new();
        names(&value(&sample::mixed()), &mut used);
        assert_eq!(
            described, used,
            "described, but in no report, or the reverse"
        );
    }

    /// Every object in the schema is closed, and its members are described and required.
    fn visit(schema: &Value, place: &str, names: &mut BTreeSet<String>) {
        if let Some(members) = schema.get("properties").and_then(Value::as_object) {
            assert_eq!(schema["additionalProperties"], json!(false), "{place}");
            let required: Vec<&str> = schema["required"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            for (name, member) in members {
                assert!(
                    member["description"].is_string(),
                    "{place}/{name} has no description"
                );
                assert!(required.contains(&name.as_str()), "{place}/{name}");
                names.insert(name.clone());
            }
        }
        let entries: Vec<(String, &Value)> = match schema {
            Value::Object(members) => members
                .iter()
                .map(|(name, one)| (name.clone(), one))
                .collect(),
            Value::Array(items) => items.iter().map(|one| (String::new(), one)).collect(),
            _ => Vec::new(),
        };
        for (name, one) in entries {
            visit(one, &format!("{place}/{name}"), names);
        }
    }

    fn names(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, one) in members {
                    found.insert(name.clone());
                    names(one, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|one| names(one, found)),
            _ => {}
        }
    }

    #[test]
    fn hostile_texts_stay_what_they_are_and_steer_nothing() {
        let report = sample::hostile();
        let text = text(&report);
        assert!(text.chars().all(|c| c == '\n' || !is_invisible(c)));
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            back["findings"][0]["package"],
            json!(report.findings[0].package)
        );
    }

    #[test]
    fn addresses_lose_their_passwords() {
        let check = |url, expected: &str| assert_eq!(without_credentials(url), expected);
        check(
            "https://user:pa@ss@git.example/x@1",
            "https://git.example/x@1",
        );
        check("https://git.example/x", "https://git.example/x");
        check("https://token@git.example", "https://git.example");
        check("git@git.example:x", "git@git.example:x");
        assert!(!text(&sample::mixed()).contains("user:pass"));
    }
}
