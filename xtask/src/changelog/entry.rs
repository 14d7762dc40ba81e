//! From commits to the lines that users read. Pure.

use serde::Serialize;

use super::commit::{Commit, Conventional};
use super::link::Repository;
use crate::printable;

/// The groups of Keep a Changelog, in their order, and the one for who took part.
pub const GROUPS: [&str; 7] = [
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
    CONTRIBUTORS,
];

/// The group of those who took part.
pub const CONTRIBUTORS: &str = "Contributors";

/// How long a line may be made by a commit's message.
const LONGEST: usize = 500;

/// One line for users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The group it belongs to, one of [`GROUPS`].
    pub group: &'static str,
    /// Whether it breaks something.
    pub breaking: bool,
    /// The line without its bullet.
    pub text: String,
    /// The full id of its commit.
    pub commit: String,
    /// What the commit says, without links; by this a line written by hand is known as its own.
    #[serde(skip)]
    pub says: String,
    /// Who wrote it, and with whom.
    #[serde(skip)]
    pub by: Vec<String>,
}

/// A commit that says nothing by the convention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The beginning of its id.
    pub commit: String,
    /// The first line of its message.
    pub subject: String,
}

/// What the commits since the last release tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    /// What users see, oldest first.
    pub entries: Vec<Entry>,
    /// Commits that follow no convention.
    pub unknown: Vec<Unknown>,
    /// How many follow it and concern nobody but the developers.
    pub internal: usize,
}

/// Sorts commits, oldest first, into what they tell.
pub fn tell(commits: &[Commit], repository: Option<&Repository>) -> Told {
    let mut told = Told::default();
    let taken_back = |commit: &Commit| {
        let backs = commits.iter().filter_map(Commit::takes_back);
        backs.into_iter().any(|id| commit.id.starts_with(id))
    };
    for commit in commits.iter().filter(|commit| !commit.is_bookkeeping()) {
        let takes_back_ours = commit
            .takes_back()
            .is_some_and(|id| commits.iter().any(|other| other.id.starts_with(id)));
        match &commit.conventional {
            // What came and went since the last release is no change.
            _ if takes_back_ours || taken_back(commit) => told.internal += 1,
            None => told.unknown.push(Unknown {
                commit: commit.short().to_owned(),
                subject: printable::line(&commit.subject, 80),
            }),
            Some(conventional) => match group(conventional) {
                Some(group) => told
                    .entries
                    .push(entry(commit, conventional, group, repository)),
                None => told.internal += 1,
            },
        }
    }
    told
}

/// The group of a type; `None` for what users do not see.
fn group(conventional: &Conventional) -> Option<&'static str> {
    let is_security = |scope: &String| scope.eq_ignore_ascii_case("security");
    let found = match conventional.kind.as_str() {
        "security" | "sec" => Some("Security"),
        "fix" if conventional.scope.as_ref().is_some_and(is_security) => Some("Security"),
        "feat" | "feature" | "add" => Some("Added"),
        "fix" | "bugfix" | "hotfix" => Some("Fixed"),
        "perf" | "refactor" | "revert" | "change" => Some("Changed"),
        "deprecate" | "deprecated" => Some("Deprecated"),
        "remove" | "removed" => Some("Removed"),
        _ => None,
    };
    found.or_else(|| conventional.breaking.as_ref().map(|_| "Changed"))
}

fn entry(
    commit: &Commit,
    conventional: &Conventional,
    group: &'static str,
    repository: Option<&Repository>,
) -> Entry {
    let (description, pull) = trailing_number(&conventional.description);
    let mut says = printable::line(description, LONGEST);
    if conventional.kind == "revert" {
        says = format!("take back: {says}");
    }
    let mut text = String::new();
    if conventional.breaking.is_some() {
        text.push_str("**Breaking** ");
    }
    if let Some(scope) = &conventional.scope {
        text.push_str(&format!("**{}:** ", printable::line(scope, 60)));
    }
    text.push_str(&capital(&says));
    if let Some(breaks) = &conventional.breaking {
        let breaks = printable::line(breaks, LONGEST);
        if !breaks.is_empty() && breaks != says && breaks != conventional.description {
            text.push_str(&format!(": {breaks}"));
        }
    }
    let mut links = Vec::new();
    let numbered = |number: &str, address: Option<String>| match address {
        Some(address) => format!("[#{number}]({address})"),
        None => format!("#{number}"),
    };
    if let Some(number) = pull {
        links.push(numbered(number, repository.map(|it| it.pull(number))));
    }
    for number in issues(conventional) {
        let link = numbered(&number, repository.map(|it| it.issue(&number)));
        if pull != Some(number.as_str()) && !links.contains(&link) {
            links.push(link);
        }
    }
    let short = commit.short();
    links.push(match repository {
        Some(repository) => format!("[{short}]({})", repository.commit(&commit.id)),
        None => short.to_owned(),
    });
    text.push_str(&format!(" ({})", links.join(", ")));
    Entry {
        group,
        breaking: conventional.breaking.is_some(),
        text,
        commit: commit.id.clone(),
        says,
        by: people(commit, conventional),
    }
}

/// A number at the end, `(#12)`, as services put it there when they join a request's commits.
fn trailing_number(description: &str) -> (&str, Option<&str>) {
    let found = description.trim_end().strip_suffix(')').and_then(|rest| {
        let (before, number) = rest.rsplit_once("(#")?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        digits.then_some((before.trim_end(), number))
    });
    match found {
        Some((before, number)) if !before.is_empty() => (before, Some(number)),
        _ => (description, None),
    }
}

/// The issues that the lines at the end name.
fn issues(conventional: &Conventional) -> Vec<String> {
    let tokens = [
        "closes", "close", "fixes", "fix", "resolves", "refs", "ref", "issue", "issues",
    ];
    let named = |token: &str| tokens.iter().any(|it| token.eq_ignore_ascii_case(it));
    let values = conventional
        .footers
        .iter()
        .filter(|(token, _)| named(token));
    let mut numbers = Vec::new();
    for (_, value) in values {
        for part in value.split([' ', ',']) {
            let number = part.trim().trim_start_matches('#');
            if !number.is_empty()
                && number.len() < 12
                && number.bytes().all(|it| it.is_ascii_digit())
            {
                numbers.push(number.to_owned());
            }
        }
    }
    numbers
}

/// Who took part, by name alone; programs are nobody.
fn people(commit: &Commit, conventional: &Conventional) -> Vec<String> {
    let with = conventional.footers.iter();
    let with = with.filter(|(token, _)| token.eq_ignore_ascii_case("co-authored-by"));
    let with = with.map(|(_, value)| value.split('<').next().unwrap_or_default());
    let mut people: Vec<String> = Vec::new();
    for name in std::iter::once(commit.author.as_str()).chain(with) {
        let name = printable::line(name.trim(), 80);
        if !name.is_empty() && !name.ends_with("[bot]") && !people.contains(&name) {
            people.push(name);
        }
    }
    people
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(id: &str, message: &str) -> Commit {
        let (subject, rest) = message.split_once('\n').unwrap_or((message, ""));
        let (head, description) = subject.split_once(": ").unwrap_or(("", subject));
        let breaking = head.ends_with('!').then(|| rest.trim().to_owned());
        let (kind, scope) = head
            .trim_end_matches('!')
            .split_once('(')
            .unwrap_or((head.trim_end_matches('!'), ""));
        let footers = rest.lines().filter_map(|line| line.split_once(": "));
        Commit {
            id: format!("{id}{}", "0".repeat(40 - id.len())),
            subject: subject.to_owned(),
            message: message.to_owned(),
            conventional: (!head.is_empty() && !head.contains(' ')).then(|| Conventional {
                kind: kind.to_owned(),
                scope: (!scope.is_empty()).then(|| scope.trim_end_matches(')').to_owned()),
                description: description.to_owned(),
                breaking,
                footers: footers.map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
            }),
            author: "Ada".to_owned(),
            is_merge: false,
        }
    }

    #[test]
    fn a_commit_becomes_a_line_for_users() {
        let check = |message: &str, group: &str, expected: &str| {
            let told = tell(&[commit("abc1234", message)], None);
            let found: Vec<_> = told
                .entries
                .iter()
                .map(|it| (it.group, it.text.as_str()))
                .collect();
            assert_eq!(found, [(group, expected)], "{message}");
        };
        check("feat: turn widgets", "Added", "Turn widgets (abc1234)");
        check(
            "fix(ui): ünïcode (#12)",
            "Fixed",
            "**ui:** Ünïcode (#12, abc1234)",
        );
        check(
            "perf: faster\n\nCloses: #7, #8",
            "Changed",
            "Faster (#7, #8, abc1234)",
        );
        check(
            "refactor!: new names\n\nold ones are gone",
            "Changed",
            "**Breaking** New names: old ones are gone (abc1234)",
        );
        check("docs!: x", "Changed", "**Breaking** X (abc1234)");
        check(
            "fix(security): hole",
            "Security",
            "**security:** Hole (abc1234)",
        );
        check("revert: feat: x", "Changed", "Take back: feat: x (abc1234)");
        check("remove: old", "Removed", "Old (abc1234)");
        check(
            "feat: a\u{1b}[31mb\u{202e}",
            "Added",
            "A\\u{1b}[31mb\\u{202e} (abc1234)",
        );
        check("feat: (#1)", "Added", "(#1) (abc1234)");
    }

    #[test]
    fn links_lead_to_the_repository() {
        let repository = Repository::parse("github:o/n").unwrap();
        let told = tell(
            &[commit("abc1234", "fix: x (#12)\n\nFixes: #7")],
            Some(&repository),
        );
        let id = format!("abc1234{}", "0".repeat(33));
        let expected = format!(
            "X ([#12](https://github.com/o/n/pull/12), [#7](https://github.com/o/n/issues/7), \
             [abc1234](https://github.com/o/n/commit/{id}))"
        );
        assert_eq!(told.entries[0].text, expected);
    }

    #[test]
    fn what_concerns_nobody_is_counted_or_listed() {
        let commits = [
            commit("1111111", "chore: tidy"),
            commit("2222222", "Fix stuff"),
            commit("3333333", "feat: comes and goes"),
            commit(
                "4444444",
                "Revert \"feat: comes and goes\"\n\nThis reverts commit 3333333.",
            ),
            commit("5555555", "Merge branch 'x'"),
            commit("6666666", "Release 1.2.0"),
            commit("7777777", "wip: x"),
        ];
        let told = tell(&commits, None);
        assert_eq!(told.entries, []);
        assert_eq!(told.internal, 4);
        let unknown: Vec<&str> = told.unknown.iter().map(|it| it.subject.as_str()).collect();
        assert_eq!(unknown, ["Fix stuff"]);
    }

    #[test]
    fn people_are_named_and_programs_are_not() {
        let mut one = commit(
            "1111111",
            "feat: x\n\nCo-authored-by: Grace H <g@example.invalid>",
        );
        let by = |commit: &Commit| {
            tell(std::slice::from_ref(commit), None).entries[0]
                .by
                .clone()
        };
        assert_eq!(by(&one), ["Ada", "Grace H"]);
        one.author = "dependabot[bot]".to_owned();
        assert_eq!(by(&one), ["Grace H"]);
    }
}
