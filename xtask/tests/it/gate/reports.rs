//! What a report says to people, to programs and to code-scanning services, and what
//! exceptions do to it.

use serde_json::Value;
use xtask::error::Kind;
use xtask::gate::{RULES, sarif};

use super::package::*;

fn spoilt() -> Package {
    let mut package = Package::correct();
    package.add("extension/python_server/helper.py", "x");
    package.add(
        "extension/data/b c.zip",
        zip(&[("src/a.dat", "#!/usr/bin/env python3\n")]),
    );
    package.add("extension/notes.txt", "x");
    package
}

#[test]
fn the_text_names_each_finding_with_its_reason_and_remedy() {
    let expected = "\
python-source: No Python source outside the one wheel
  extension/data/b c.zip!src/a.dat   its first line is `#!/usr/bin/env python3`
  extension/python_server/helper.py  named `helper.py`
    why   source beside the wheel is code that was not built, proved or sealed, and that may run instead of it
    mend  delete it; what the server needs belongs into the wheel

not-allowed: Nothing but what the extension needs at run time
  extension/notes.txt  neither part of the bundle nor named in `allow`
    why   what is not needed was packed by accident, and accidents ship secrets
    mend  leave it out by .vscodeignore, or name it in `allow` under [gate] in release.toml if the extension needs it";
    assert_eq!(spoilt().judge().text(), expected);
}

#[test]
fn a_refusal_counts_findings_by_rule() {
    let error = spoilt().judge().into_result().unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    let expected = "the gate refuses dist/example-1.2.3.vsix: python-source ×2, not-allowed";
    assert_eq!(error.message, expected);
}

#[test]
fn many_findings_of_one_rule_are_shortened_for_people_only() {
    let mut package = Package::correct();
    for number in 0..40 {
        package.add(&format!("extension/src/m{number:02}.py"), "x");
    }
    let report = package.judge();
    assert!(report.text().contains("… and 28 more"), "{}", report.text());
    assert_eq!(report.json()["findings"].as_array().unwrap().len(), 40);
}

#[test]
fn names_cannot_steer_the_terminal() {
    let mut package = Package::correct();
    package.add("extension/\u{1b}[2Jx\u{202e}.txt", "x");
    let text = package.judge().text();
    assert!(
        text.contains("extension/\\u{1b}[2Jx\\u{202e}.txt"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn exceptions_accept_findings_and_are_shown_with_their_reasons() {
    let mut package = spoilt();
    package.exceptions = vec![
        (
            "python-source",
            "python_server/*.py",
            "read by the server as data",
        ),
        ("python-source", "data/b c.zip!src/**", "a sample project"),
        ("not-allowed", "*.txt", "notes for users"),
        ("notebook", "demo/**", "not needed any more"),
    ];
    let report = package.judge();
    let expected = "\
accepted by release.toml
  python-source  extension/data/b c.zip!src/a.dat
    a sample project
  python-source  extension/python_server/helper.py
    read by the server as data
  not-allowed  extension/notes.txt
    notes for users

exceptions that nothing needs
  notebook  demo/**";
    assert_eq!(report.text(), expected);
    assert!(report.passes());
    let json = report.json();
    assert_eq!(json["accepted"][0]["reason"], "a sample project");
    assert_eq!(json["unusedExceptions"][0]["rule"], "notebook");
}

#[test]
fn rules_that_protect_the_container_and_the_wheel_have_no_exceptions() {
    let mut package = Package::correct();
    package.replace(WHEEL_PLACE, wheel(&[("x.txt", b"x")]));
    package.exceptions = vec![("wheel-differs", "**", "in a hurry")];
    assert_eq!(broken(&package.judge()), ["wheel-differs"]);
}

#[test]
fn json_starts_with_its_schema_and_repeats_the_rule() {
    let json = spoilt().judge().json();
    assert_eq!(json.as_object().unwrap().keys().next().unwrap(), "schema");
    assert_eq!(
        (&json["schema"], &json["passes"]),
        (&1.into(), &false.into())
    );
    let finding = &json["findings"][2];
    assert_eq!(finding["rule"], "not-allowed");
    assert_eq!(finding["path"], "extension/notes.txt");
    assert!(finding["why"].is_string() && finding["mend"].is_string());
}

#[test]
fn sarif_has_what_code_scanning_services_require() {
    let mut package = spoilt();
    package.exceptions = vec![("not-allowed", "notes.txt", "for users")];
    let log = sarif::log(&package.judge());
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len());
    for rule in rules {
        for text in [
            "/shortDescription/text",
            "/fullDescription/text",
            "/help/text",
            "/help/markdown",
        ] {
            assert!(
                rule.pointer(text).is_some_and(Value::is_string),
                "{text} of {rule}"
            );
        }
        // Services cut longer descriptions off.
        assert!(
            rule["fullDescription"]["text"]
                .as_str()
                .unwrap()
                .chars()
                .count()
                < 1024
        );
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let uri = result
            .pointer("/locations/0/physicalLocation/artifactLocation/uri")
            .unwrap();
        assert_eq!(uri, "dist/example-1.2.3.vsix");
        let print = result["partialFingerprints"]["rulePath/v1"]
            .as_str()
            .unwrap();
        assert_eq!(print.len(), 64);
    }
    let prints: std::collections::BTreeSet<String> = results
        .iter()
        .map(|result| result["partialFingerprints"].to_string())
        .collect();
    assert_eq!(prints.len(), results.len(), "fingerprints are distinct");
    assert_eq!(results[2]["suppressions"][0]["justification"], "for users");
}

#[test]
fn the_sarif_log_is_as_the_official_schema_says() {
    let text = include_str!("../../schemas/sarif-2.1.0.json");
    // The pattern of `language` has a bracket too many, which the validator refuses.
    let schema = serde_json::from_str(&text.replace("{2}]?$", "{2}$")).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap();
    let mut log = sarif::log(&spoilt().judge());
    let problems: Vec<String> = validator
        .iter_errors(&log)
        .map(|one| one.to_string())
        .collect();
    assert_eq!(problems, Vec::<String>::new());
    log["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&log));
}
