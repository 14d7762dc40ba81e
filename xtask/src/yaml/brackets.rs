//! Lines inside of `[ ]` and `{ }` that stand less deep than YAML 1.2 asks, such as a `]` under
//! its key. GitHub, PyYAML and Go read them, the parser in use does not: they are pushed in first.
//!
//! Nothing else of what is no YAML is forgiven.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{Kind, Node, Trouble};

/// How far a line is pushed in: deeper than anything is nested.
const DEPTH: usize = 128;
/// The most lines of a file that are pushed in.
const MOST_LINES: usize = 256;

/// The lines that were pushed in.
#[derive(Debug, Default)]
pub struct Pushed {
    lines: BTreeSet<usize>,
}

impl Pushed {
    /// The column in the file for one that the parser names.
    pub fn column(&self, line: usize, column: usize) -> usize {
        match self.lines.contains(&line) {
            true => column.saturating_sub(DEPTH).max(1),
            false => column,
        }
    }

    fn apply(&self, text: &str) -> String {
        let lines = text.split_inclusive('\n').enumerate();
        let pushed = lines.map(|(index, line)| match self.lines.contains(&(index + 1)) {
            true => Cow::Owned(format!("{}{line}", " ".repeat(DEPTH))),
            false => Cow::Borrowed(line),
        });
        pushed.collect()
    }
}

/// Reads a text, again for every line that has to be pushed in.
///
/// # Errors
/// What `read` says at last.
pub fn tolerated(
    text: &str,
    read: impl Fn(&str, &Pushed) -> Result<Vec<Node>, Trouble>,
) -> Result<Vec<Node>, Trouble> {
    let mut pushed = Pushed::default();
    let mut current = Cow::Borrowed(text);
    loop {
        let trouble = match read(&current, &pushed) {
            Err(trouble) => trouble,
            found => return found,
        };
        let may = trouble.kind == Kind::Shallow && pushed.lines.len() < MOST_LINES;
        if !may || !pushed.lines.insert(trouble.place.line) {
            return Err(trouble);
        }
        current = Cow::Owned(pushed.apply(text));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Place, mapping};

    #[test]
    fn a_workflow_keeps_its_places() {
        let text = "on:\n  push:\n    branches: [\n    \"main\",\n\"x\"\n    ]\njobs: 1\n";
        let root = mapping(text).unwrap();
        let push = root.get("on").and_then(|on| on.get("push")).unwrap();
        let found: Vec<(String, Place)> = push
            .get("branches")
            .map_or(&[][..], |list| list.items())
            .iter()
            .map(|item| (item.text().unwrap().to_owned(), item.place))
            .collect();
        let at = |text: &str, line, column| (text.to_owned(), Place { line, column });
        assert_eq!(found, [at("main", 4, 5), at("x", 5, 1)]);
        assert!(root.get("jobs").is_some());
    }

    #[test]
    fn what_stays_wrong_is_named_where_it_stands() {
        let check = |text: &str, line: usize, column: usize| {
            let place = mapping(text).unwrap_err().place;
            assert_eq!((place.line, place.column), (line, column), "{text}");
        };
        check("a: [\n\"x\"\n]\nb:\n   c: 1\n  d: 2\n", 6, 3);
        check("a: [\n\"x\"\n] y\n", 3, 3);
    }
}
