//! The marker algebra against `poetry-core`'s, on random markers and constraints.

use serde_json::Value;
use xtask::marker::{Algebra, Marker, Outcome, python_condition, python_groups};
use xtask::pep440::{self, Constraint, Context};

use super::poetry;

/// The seed and the number of cases; each case is compared in six ways.
const CASES: [&str; 2] = ["2", "1500"];

fn marker_results(algebra: &Algebra, case: &Value) -> Vec<(&'static str, Option<String>)> {
    let parse = |key: &str| algebra.parse(case[key].as_str().unwrap());
    let shown = |result: Outcome<Marker>| result.ok().map(|marker| marker.to_string());
    let with = |work: &dyn Fn(&Marker, &Marker) -> Outcome<Marker>| {
        shown(parse("one").and_then(|one| work(&one, &parse("two")?)))
    };
    let extras = ["a".to_owned(), "c-d".to_owned()];
    let python = |one: Marker| {
        let text = python_groups(algebra, &one)?.unwrap_or_else(|| "*".to_owned());
        pep440::parse(&text, Context::Marker)?;
        Ok(text)
    };
    vec![
        ("parsed", shown(parse("one"))),
        ("both", with(&|one, two| algebra.intersect(one, two))),
        ("either", with(&|one, two| algebra.unite(one, two))),
        (
            "plain",
            shown(parse("one").and_then(|one| algebra.without_extras(&one))),
        ),
        (
            "extras",
            shown(parse("one").and_then(|one| algebra.with_extras(&one, &extras))),
        ),
        ("python", parse("one").and_then(python).ok()),
    ]
}

fn constraint_results(algebra: &Algebra, case: &Value) -> Vec<(&'static str, Option<String>)> {
    let context = match case["distribution"].as_bool() {
        Some(true) => Context::Distribution,
        _ => Context::Marker,
    };
    let parse = |key: &str| pep440::parse(case[key].as_str().unwrap(), context).ok();
    let with = |work: &dyn Fn(&Constraint, &Constraint) -> String| {
        Some(work(&parse("one")?, &parse("two")?))
    };
    let truth = |truth: bool| if truth { "True" } else { "False" }.to_owned();
    // Poetry has no marker for the empty constraint.
    let marker = |one: Constraint| match one.is_empty() {
        true => None,
        false => algebra.parse(&python_condition(&one)).ok(),
    };
    vec![
        ("parsed", parse("one").map(|one| one.to_string())),
        ("both", with(&|one, two| one.intersect(two).to_string())),
        ("either", with(&|one, two| one.union(two).to_string())),
        ("any", with(&|one, two| truth(one.allows_any(two)))),
        ("all", with(&|one, two| truth(one.allows_all(two)))),
        (
            "marker",
            parse("one")
                .and_then(marker)
                .map(|marker| marker.to_string()),
        ),
    ]
}

#[test]
fn poetry_core_makes_the_same_of_random_markers() {
    let Some(python) = poetry::python() else {
        return;
    };
    let script = poetry::here("markers.py");
    let arguments = ["-W", "ignore", script.as_str(), CASES[0], CASES[1]];
    let cases = poetry::run(&python, &arguments, &poetry::here(""));
    let algebra = Algebra::default();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let results = match case["kind"].as_str() {
            Some("marker") => marker_results(&algebra, &case),
            _ => constraint_results(&algebra, &case),
        };
        for (key, found) in results {
            count += 1;
            let expected = case[key].as_str().map(str::to_owned);
            if found != expected {
                wrong.push(format!("{key} of {case}\n  found {found:?}"));
            }
        }
    }
    assert!(count > 1000, "only {count} comparisons");
    let shown = wrong
        .iter()
        .take(20)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{shown}",
        wrong.len()
    );
}
