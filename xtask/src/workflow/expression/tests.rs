//! What expressions mean, one line a case.

use serde_json::{Value, json};

use super::*;

struct Here(Value);

impl Surroundings for Here {
    fn context(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn status(&self, function: Function) -> bool {
        matches!(function, Function::Failure | Function::Always)
    }

    fn hash_files(&self, patterns: &[String]) -> Result<String, String> {
        Ok(patterns.join("+"))
    }
}

fn here() -> Here {
    Here(json!({
        "github": { "ref": "refs/tags/v1.0", "event": { "labels": [
            { "name": "bug", "id": 1 }, { "name": "Help", "id": 2 }, { "id": 3 } ] } },
        "env": { "Name": "value", "empty": "" },
        "matrix": { "python": "3.10", "os": ["a", "b"] },
        "needs": { "a": { "result": "success" }, "b": { "result": "failure" } },
    }))
}

fn check(text: &str, expected: &Value) {
    let expression = parse(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
    let here = here();
    let value = evaluate(&expression, &here).unwrap().into_owned();
    assert_eq!(value, *expected, "{text}");
}

#[test]
fn literals_and_contexts() {
    check("null", &json!(null));
    check("true", &json!(true));
    check("-9.2", &json!(-9.2));
    check("0xff", &json!(255));
    check("-2.99e-2", &json!(-0.0299));
    check("'It''s'", &json!("It's"));
    check("env.name", &json!("value"));
    check("ENV['Name']", &json!("value"));
    check("env.missing", &json!(null));
    check("env.missing.more", &json!(null));
    check("matrix.os[1]", &json!("b"));
    check("matrix.os[9]", &json!(null));
    check("github.event.labels.*.name", &json!(["bug", "Help"]));
    check("github.event.labels[*].id", &json!([1, 2, 3]));
    check("needs.*.result", &json!(["success", "failure"]));
}

#[test]
fn operators() {
    check("1 == '1'", &json!(true));
    check("'ABC' == 'abc'", &json!(true));
    check("null == 0", &json!(true));
    check("true == 1", &json!(true));
    check("'' == 0", &json!(true));
    check("'a' == 0", &json!(false));
    check("'a' != 0", &json!(true));
    check("NaN == NaN", &json!(true));
    check("'a' < 1 || 'a' >= 1", &json!(false));
    check("'abc' < 'ABD'", &json!(true));
    check("2 > 1 == true", &json!(true));
    check("!env.empty", &json!(true));
    check("!!'0'", &json!(true));
    check("env.empty || 'other'", &json!("other"));
    check("true && 'x' || 'y'", &json!("x"));
    check("false || true && false", &json!(false));
    check("(true || false) && 0", &json!(0));
    check("github.event.labels == github.event.labels", &json!(true));
    check(
        "github.event.labels[0] == github.event.labels[1]",
        &json!(false),
    );
}

#[test]
fn functions() {
    check("contains('Hello world', 'LLO')", &json!(true));
    check("contains(matrix.os, 'B')", &json!(true));
    check("contains(matrix.os, 'c')", &json!(false));
    check("contains(needs.*.result, 'failure')", &json!(true));
    check("startsWith(github.ref, 'REFS/tags/')", &json!(true));
    check("endsWith('abc', 'bc')", &json!(true));
    check("format('{{{0}}} {1} {0}', 'a', 2)", &json!("{a} 2 a"));
    check("join(matrix.os)", &json!("a,b"));
    check("join(matrix.os, ' and ')", &json!("a and b"));
    check("join('x', '-')", &json!("x"));
    check("toJSON(matrix.os)", &json!("[\n  \"a\",\n  \"b\"\n]"));
    check("fromjson('{\"a\": [1]}').a[0]", &json!(1));
    check("hashFiles('a', '**/b')", &json!("a+**/b"));
    check("case(false, 1, true, 2, 3)", &json!(2));
    check("case(false, 1, 3)", &json!(3));
    check("failure() && !cancelled()", &json!(true));
}

#[test]
fn problems_name_their_place() {
    let check = |text: &str, offset: usize, message: &str| {
        let problem = parse(text).unwrap_err();
        assert_eq!(
            (problem.offset, problem.message.as_str()),
            (offset, message),
            "{text}"
        );
    };
    check("", 0, "an expression without content");
    check("github.", 7, "a name or * expected, found the end");
    check("1 +", 2, "unexpected \"+\"; there is no arithmetic");
    check(
        "env.a == \"b\"",
        9,
        "unexpected \"\"\"; texts stand in single quotes",
    );
    check("'abc", 0, "a text without its closing quote");
    check("(1", 2, "\")\" expected, found the end");
    check(
        "a == b",
        0,
        "there is no context a; a text stands in single quotes",
    );
    check(
        "gihub.ref",
        0,
        "there is no context gihub; is github meant?",
    );
    check(
        "succes()",
        0,
        "there is no function succes; is success meant?",
    );
    check(
        "1 && hashfile()",
        5,
        "there is no function hashfile; is hashFiles meant?",
    );
    check("contains('a')", 0, "contains takes 2 values, not 1");
    check("env.a env.b", 6, "unexpected \"env\"");
    check("0x", 0, "\"0x\" is no number");
    check(&"(".repeat(60), 50, "nested deeper than 50 levels");
    check(
        &format!("env{}", ".a".repeat(60)),
        101,
        "nested deeper than 50 levels",
    );
    check(
        &"!".repeat(20_000),
        20_000,
        "a value expected, found the end",
    );
    assert_eq!(Problem::new(5, "").place("ä\nbü"), (2, 3));
}

#[test]
fn hostile_texts_only_fail() {
    for text in [
        "}}",
        "\u{0}",
        "ä",
        "'ä",
        "[*]",
        "..",
        ".5.5",
        "-",
        "1e",
        "*",
        "env.*.*.*[*]",
    ] {
        let _any = parse(text).map(|expression| evaluate(&expression, &here()).is_ok());
        let _any = Template::parse(&format!("a ${{{{ {text} }}}}"));
    }
}

#[test]
fn templates_mix_text_and_values() {
    let check = |text: &str, expected: &Value| {
        let template = Template::parse(text).unwrap();
        assert_eq!(render(&template, &here()).unwrap(), *expected, "{text}");
    };
    check("plain }} {", &json!("plain }} {"));
    check("${{ matrix.os }}", &json!(["a", "b"]));
    check("v${{ matrix.python }}-${{ true }}", &json!("v3.10-true"));
    check("${{ '}}' }}!", &json!("}}!"));
    check(" ${{ matrix.os }}", &json!(" Array"));
    let problem = Template::parse("abc ${{ 1").unwrap_err();
    assert_eq!(
        (problem.offset, problem.message.as_str()),
        (4, "an expression without its closing }}")
    );
    let problem = Template::parse("ab ${{ foo() }}").unwrap_err();
    assert_eq!(problem.offset, 7);
}

#[test]
fn conditions_hold_only_after_success_unless_they_ask() {
    let check = |text: &str, expected: bool| {
        let template = Template::condition(text).unwrap();
        assert_eq!(condition(&template, &here()), Ok(expected), "{text}");
    };
    check("true", false);
    check("always()", true);
    check("${{ failure() && env.name == 'VALUE' }}", true);
    check("success() || env.empty", false);
}

#[test]
fn paths_are_found() {
    let expression = parse("contains(GitHub.Event.Labels.*.name, env[matrix.os]) && x.y");
    assert!(expression.is_err());
    let expression = parse("contains(GitHub.Event['Labels'].*.name, env[matrix.os]) && vars.y");
    let paths = expression.unwrap().paths();
    let paths: Vec<(usize, &str)> = paths
        .iter()
        .map(|(at, path)| (*at, path.as_str()))
        .collect();
    let expected = [
        (9, "github.event.labels.*.name"),
        (40, "env.*"),
        (44, "matrix.os"),
        (59, "vars.y"),
    ];
    assert_eq!(paths, expected);
}
