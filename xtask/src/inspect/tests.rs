//! What the tests of all rules share, and what holds for all of them.

use super::*;

/// A repository of these files, each with its text.
pub fn repository(files: &[(&str, &str)]) -> Repository {
    let mut repository = Repository::of(files.iter().map(|(path, _)| (*path).to_owned()));
    for (path, text) in files {
        if interest(path).is_some() {
            repository
                .texts
                .insert((*path).to_owned(), (*text).to_owned());
        }
    }
    repository
}

/// Holds what a rule says of these files against `breaks path:line` and `risk path:line`.
pub fn check(rule: &'static Rule, files: &[(&str, &str)], expected: &[&str]) {
    let repository = repository(files);
    let facts = Facts::of(&repository);
    let mut found = Findings::of(rule);
    (rule.look)(&facts, &mut found);
    let shown: Vec<String> = found
        .list
        .iter()
        .map(|one| {
            let word = match one.severity {
                Severity::Breaks => "breaks",
                Severity::Risk => "risk",
            };
            format!("{word} {}:{}", one.path, one.line)
        })
        .collect();
    assert_eq!(shown, expected, "{}: {:#?}", rule.id, found.list);
}
