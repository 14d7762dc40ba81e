//! Annotations: what GitHub shows on the very line of a file in a pull request.
//!
//! GitHub shows ten of each level for a step and drops the others without a word, so that the
//! tenth says how many more there are.

use super::command::{data, property};
use crate::error::Error;
use crate::printable;

/// How many annotations of one level GitHub shows for a step.
const SHOWN: usize = 10;

/// How many findings are annotated: the last place belongs to the error that ends the run.
const FINDINGS: usize = SHOWN - 1;

/// The longest title and the longest message, in characters.
const LONGEST_TITLE: usize = 200;
const LONGEST_MESSAGE: usize = 4_000;

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It stops something.
    Error,
    /// It is worth a look.
    Warning,
    /// It is said.
    Notice,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        }
    }
}

/// A place in a file of the repository; lines and columns are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path from the root.
    pub file: String,
    /// The line, if it is known.
    pub line: Option<usize>,
    /// The column, if it is known.
    pub column: Option<usize>,
}

/// One annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How bad.
    pub level: Level,
    /// Where; without it the run as a whole is meant.
    pub place: Option<Place>,
    /// A few words: the rule, the package.
    pub title: String,
    /// What is wrong, and how to mend it.
    pub message: String,
}

impl Annotation {
    /// An annotation of the run as a whole.
    pub fn new(level: Level, title: impl Into<String>, message: impl Into<String>) -> Annotation {
        Annotation {
            level,
            place: None,
            title: title.into(),
            message: message.into(),
        }
    }

    /// On this file.
    #[must_use]
    pub fn on(mut self, file: impl Into<String>) -> Annotation {
        self.place = Some(Place {
            file: file.into(),
            line: None,
            column: None,
        });
        self
    }

    /// On this line of the file that was named before.
    #[must_use]
    pub fn line(mut self, line: usize) -> Annotation {
        if let Some(place) = &mut self.place {
            place.line = (line > 0).then_some(line);
        }
        self
    }

    /// At this column of the line that was named before.
    #[must_use]
    pub fn column(mut self, column: usize) -> Annotation {
        if let Some(place) = &mut self.place {
            place.column = (column > 0 && place.line.is_some()).then_some(column);
        }
        self
    }

    /// The workflow command. `prefix` is the folder of `release.toml` below the checkout, as
    /// GitHub counts paths from there; empty or with a slash at its end.
    pub fn command(&self, prefix: &str) -> String {
        let mut properties = Vec::new();
        if let Some(place) = &self.place {
            properties.push(format!("file={}", property(&below(prefix, &place.file))));
            if let Some(line) = place.line {
                properties.push(format!("line={line}"));
            }
            if let Some(column) = place.column {
                properties.push(format!("col={column}"));
            }
        }
        let title = printable::line(&self.title, LONGEST_TITLE);
        if !title.is_empty() {
            properties.push(format!("title={}", property(&title)));
        }
        let space = if properties.is_empty() { "" } else { " " };
        let message = shortened(&printable::lines(&self.message));
        let (word, properties) = (self.level.word(), properties.join(","));
        format!("::{word}{space}{properties}::{}", data(&message))
    }
}

/// A path from the root of the checkout.
fn below(prefix: &str, file: &str) -> String {
    let file = file.trim_start_matches("./").replace('\\', "/");
    match file.starts_with('/') {
        true => file,
        false => format!("{prefix}{file}"),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// The commands for what a verb has found, worst first within what GitHub shows of each level.
/// `report` says where all of them are.
pub fn commands(annotations: &[Annotation], prefix: &str, report: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for level in [Level::Error, Level::Warning, Level::Notice] {
        let of_level = annotations.iter().filter(|one| one.level == level);
        let all: Vec<&Annotation> = of_level.collect();
        let shown = match all.len() {
            few @ 0..=FINDINGS => few,
            _ => FINDINGS - 1,
        };
        lines.extend(all.iter().take(shown).map(|one| one.command(prefix)));
        let left = all.len() - shown;
        if left > 0 {
            let message = format!("GitHub shows no more of them on lines: {report}");
            let more = Annotation::new(level, format!("{left} more"), message);
            lines.push(more.command(prefix));
        }
    }
    lines
}

/// The commands for the error that ends a run: one for each line of its message that names a
/// place, otherwise one for all of it. A place counts when `is_file` knows its path from the root
/// of the checkout: what is in a wheel has lines, too, and no page.
pub fn of_error(error: &Error, prefix: &str, is_file: &dyn Fn(&str) -> bool) -> Vec<String> {
    let title = format!(
        "{} (exit code {})",
        error.kind.word(),
        error.kind.exit_code()
    );
    let hints = error.hints.iter().map(|hint| format!("\nhint: {hint}"));
    let hints: String = hints.collect();
    let placed = error.message.lines().filter_map(|line| {
        let (place, what) = place_of(line.trim())?;
        is_file(&below(prefix, &place.file)).then(|| Annotation {
            level: Level::Error,
            place: Some(place),
            title: title.clone(),
            message: format!("{what}{hints}"),
        })
    });
    let mut placed: Vec<Annotation> = placed.collect();
    if placed.is_empty() {
        let message = format!("{}{hints}", error.message);
        placed.push(Annotation::new(Level::Error, title, message));
    }
    let left = placed.len().saturating_sub(SHOWN);
    if left > 0 {
        placed.truncate(SHOWN - 1);
        let message = "GitHub shows no more of them on lines: the log has all";
        placed.push(Annotation::new(
            Level::Error,
            format!("{} more", left + 1),
            message,
        ));
    }
    placed.iter().map(|one| one.command(prefix)).collect()
}

/// The place that a message begins with, as our own messages write it: `file:line: what` or
/// `file:line:column: what`, perhaps behind `something: `.
fn place_of(message: &str) -> Option<(Place, &str)> {
    let mut from = 0;
    while let Some(colon) = message.get(from..)?.find(':').map(|at| from + at) {
        let after = message.get(colon + 1..)?;
        if let Some((line, rest)) = number(after) {
            let (column, rest) = match rest.strip_prefix(':').and_then(number) {
                Some((column, rest)) => (Some(column), rest),
                None => (None, rest),
            };
            let file = message.get(..colon)?;
            let file = file.rsplit(": ").next().unwrap_or(file);
            let what = rest.strip_prefix(": ")?;
            let is_path = !file.is_empty() && !file.contains("//") && !file.ends_with(' ');
            return is_path.then(|| {
                let place = Place {
                    file: file.to_owned(),
                    line: Some(line),
                    column,
                };
                (place, what)
            });
        }
        from = colon + 1;
    }
    None
}

/// The number that a text begins with, and what is behind it.
fn number(text: &str) -> Option<(usize, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    digits
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .map(|number| (number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, line: usize, column: usize) -> Annotation {
        let annotation = Annotation::new(Level::Error, "a: title, really", "what\nhow 100%");
        annotation.on(file).line(line).column(column)
    }

    #[test]
    fn commands_are_escaped() {
        let check = |annotation: &Annotation, prefix: &str, expected: &str| {
            assert_eq!(annotation.command(prefix), expected);
        };
        check(
            &at("a,b.toml", 3, 7),
            "",
            "::error file=a%2Cb.toml,line=3,col=7,title=a%3A title%2C really::what%0Ahow 100%25",
        );
        check(
            &at("./x.lock", 3, 0),
            "sub/",
            "::error file=sub/x.lock,line=3,title=a%3A title%2C really::what%0Ahow 100%25",
        );
        check(
            &at("/abs", 0, 9),
            "sub/",
            "::error file=/abs,title=a%3A title%2C really::what%0Ahow 100%25",
        );
        let plain = Annotation::new(Level::Warning, "", "::add-mask::x\u{1b}");
        check(&plain, "", "::warning::::add-mask::x\\u{1b}");
        check(
            &Annotation::new(Level::Notice, "t\nu", "m"),
            "",
            "::notice title=t u::m",
        );
        let long = Annotation::new(Level::Notice, "", "ä".repeat(10_000)).command("");
        assert_eq!(long.chars().count(), "::notice::".len() + 4_001);
    }

    #[test]
    fn no_more_is_said_than_is_shown() {
        let check = |errors: usize, warnings: usize, expected: &[&str]| {
            let one = |level| move |index| Annotation::new(level, "", format!("{index}"));
            let mut all: Vec<Annotation> = (0..errors).map(one(Level::Error)).collect();
            all.extend((0..warnings).map(one(Level::Warning)));
            let lines = commands(&all, "", "see there");
            let last: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert!(last.len() <= 2 * FINDINGS);
            assert!(last.ends_with(expected), "{last:?}");
        };
        check(0, 0, &[]);
        check(1, 0, &["::error::0"]);
        check(9, 0, &["::error::7", "::error::8"]);
        let more = "::error title=2 more::GitHub shows no more of them on lines: see there";
        check(10, 0, &["::error::7", more]);
        check(10, 1, &["::error::7", more, "::warning::0"]);
    }

    #[test]
    fn messages_name_their_places() {
        let check =
            |message: &str, expected: Option<(&str, Option<usize>, Option<usize>, &str)>| {
                let found = place_of(message);
                let found = found
                    .as_ref()
                    .map(|(place, what)| (place.file.as_str(), place.line, place.column, *what));
                assert_eq!(found, expected, "{message}");
            };
        check(
            "release.toml:3:4: unknown key `x`",
            Some(("release.toml", Some(3), Some(4), "unknown key `x`")),
        );
        check(
            "a b/poetry.lock:12: no version",
            Some(("a b/poetry.lock", Some(12), None, "no version")),
        );
        check(
            "audit: poetry.lock:12:1: no version: 3",
            Some(("poetry.lock", Some(12), Some(1), "no version: 3")),
        );
        for plain in [
            "dist/manifest.json: not JSON",
            "http://127.0.0.1:8080/x: refused",
            "http://127.0.0.1:8080: refused",
            "a:0: nothing",
            "12:30: late",
            ":3: nothing",
            "a:3",
            "a:3:4",
            "",
            "a:99999999999999999999999: x",
        ] {
            let expected = (plain == "12:30: late").then_some(("12", Some(30), None, "late"));
            check(plain, expected);
        }
    }

    #[test]
    fn an_error_is_on_its_lines_or_on_the_run() {
        let is_file = |path: &str| path == "p/release.toml";
        let check = |error: &Error, expected: &[&str]| {
            assert_eq!(of_error(error, "p/", &is_file), expected);
        };
        let plain = Error::conflict("pypi: other bytes").hint("raise the version");
        check(
            &plain,
            &["::error title=conflict (exit code 4)::pypi: other bytes%0Ahint: raise the version"],
        );
        let placed = Error::usage("release.toml:1:2: a\n       release.toml:3:4: b");
        check(
            &placed,
            &[
                "::error file=p/release.toml,line=1,col=2,title=usage (exit code 2)::a",
                "::error file=p/release.toml,line=3,col=4,title=usage (exit code 2)::b",
            ],
        );
        let inside = Error::refused("demo/server.py:12: imports x");
        check(
            &inside,
            &["::error title=refused (exit code 6)::demo/server.py:12: imports x"],
        );
        let many: Vec<String> = (1..=12).map(|line| format!("f:{line}: x")).collect();
        let lines = of_error(&Error::usage(many.join("\n")), "", &|_| true);
        assert_eq!(lines.len(), 10);
        assert!(
            lines[9].starts_with("::error title=3 more::"),
            "{}",
            lines[9]
        );
    }
}
