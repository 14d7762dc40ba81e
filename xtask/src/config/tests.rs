//! What `release.toml` may say, and what is said about one that is wrong.

use super::*;

const SMALLEST: &str = r#"
schema = 1
name = "example"
[server]
path = "server"
console-script = "example"
[prove.call]
tool = "ping"
"#;

fn problems(text: &str) -> String {
    parse(text, "release.toml")
        .expect_err("the text is wrong")
        .message
}

#[test]
fn the_smallest_configuration_has_sensible_defaults() {
    let config = parse(SMALLEST, "release.toml").unwrap();
    assert_eq!(config.server.groups, ["main"]);
    assert_eq!(config.version.tag, "v{version}");
    assert_eq!(config.prove.call.arguments, serde_json::json!({}));
    assert!(config.extension.is_none() && config.prove.http.is_none());
}

#[test]
fn all_problems_are_reported_together_with_their_places() {
    let text = "schema = 2\nname = 7\nextra = true\n[server]\npath = \"../elsewhere\"\n";
    let expected = "release.toml:1:10: schema 2; this tool reads schema 1
       release.toml:1:1: `prove.call.tool` is missing: a string is needed
       release.toml:2:8: `name` is an integer, expected a string
       release.toml:3:1: unknown key `extra`; known here: audit, build, changelog, extension, gate, image, mcp, name, profile, program, prove, publish, schema, server, target, version
       release.toml:4:1: `server.console-script` is missing: a string is needed
       release.toml:5:8: `../elsewhere` leaves the repository; name a folder inside it";
    let mut expected: Vec<&str> = expected.split("\n       ").collect();
    let found = problems(text);
    let mut found: Vec<&str> = found.split("\n       ").collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_syntax_error_names_its_place() {
    assert!(problems("schema = 1\nname = \n").starts_with("release.toml:2:8: "));
}

#[test]
fn an_exception_needs_a_reason() {
    let text =
        format!("{SMALLEST}[[gate.exception]]\nrule = \"tests\"\npath = \"p\"\nreason = \" \"\n");
    assert!(problems(&text).contains("say why this is right"));
}

#[test]
fn an_http_server_must_be_told_its_port() {
    let text = format!("{SMALLEST}[prove.http]\narguments = [\"--http\"]\n");
    assert!(problems(&text).contains("`prove.http` tells the server no port"));
}

#[test]
fn a_token_is_no_argument() {
    let text = format!("{SMALLEST}[prove.http]\narguments = [\"{{port}}\", \"{{token}}\"]\n");
    assert!(problems(&text).contains("pass it by `environment`"));
}

#[test]
fn an_optional_import_needs_a_reason() {
    let text = format!("{SMALLEST}[[prove.optional-import]]\nname = \"x\"\nreason = \"\"\n");
    assert!(problems(&text).contains("`prove.optional-import.reason` is empty"));
}

#[test]
fn an_audit_exception_needs_a_reason_and_an_end() {
    let entry = "[[audit.ignore]]\nid = \"CVE-1\"\npackage = \"p\"\n";
    let found = problems(&format!("{SMALLEST}{entry}"));
    assert!(
        found.contains("`audit.ignore.reason` is missing"),
        "{found}"
    );
    assert!(found.contains("`audit.ignore.until` is missing"), "{found}");
    let whole = |until: &str| format!("{SMALLEST}{entry}reason = \"r\"\nuntil = {until}\n");
    assert!(problems(&whole("\"soon\"")).contains("give a day such as 2027-01-31"));
    assert!(problems(&whole("2027-01-31T00:00:00Z")).contains("give a day"));
    for until in ["2027-01-31", "\"2027-01-31\""] {
        let config = parse(&whole(until), "release.toml").unwrap();
        let ignore = &config.audit.ignores[0];
        assert_eq!(ignore.until, jiff::civil::date(2027, 1, 31));
        assert_eq!(ignore.line, 9);
    }
}

#[test]
fn an_allowed_license_is_one_that_spdx_knows() {
    let text = format!("{SMALLEST}[audit.license]\nallow = [\"MIT\", \"MITT\"]\n");
    assert!(problems(&text).contains("`MITT` is no license that SPDX knows"));
}
