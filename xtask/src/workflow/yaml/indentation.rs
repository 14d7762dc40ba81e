//! Lines between brackets that stand no deeper than what the brackets belong to. YAML 1.2 forbids
//! them; GitHub, as most readers, takes them, and a `]` under its key is often written so.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::model::Place;

/// So many bytes are read anew at most, for all lines that have to be moved.
const MOST_BYTES: usize = 16 << 20;

/// A text in which such lines are moved to the right, and where they were.
pub(super) struct Source<'text> {
    /// The text as the parser takes it.
    pub text: Cow<'text, str>,
    /// By how much each moved line was moved.
    moved: BTreeMap<usize, usize>,
    /// How deep a line must stand to be deeper than every other one.
    deep: usize,
}

impl<'text> Source<'text> {
    /// A text of which no line is moved yet.
    pub fn new(text: &'text str) -> Source<'text> {
        let depth = |line: &str| line.len() - line.trim_start_matches(' ').len();
        Source {
            text: Cow::Borrowed(text),
            moved: BTreeMap::new(),
            deep: text.lines().map(depth).max().unwrap_or_default() + 1,
        }
    }

    /// Moves a line (from 1), once, and says whether it did.
    pub fn shift(&mut self, line: usize) -> bool {
        if self.moved.contains_key(&line) || self.moved.len() * self.text.len() > MOST_BYTES {
            return false;
        }
        let lines = self.text.split_inclusive('\n');
        let offset: usize = lines.take(line - 1).map(str::len).sum();
        self.text
            .to_mut()
            .insert_str(offset, &" ".repeat(self.deep));
        self.moved.insert(line, self.deep);
        true
    }

    /// Where something stands in the text that was given.
    pub fn place(&self, line: usize, column: usize) -> Place {
        let moved = self.moved.get(&line).copied().unwrap_or_default();
        Place {
            line,
            column: column.saturating_sub(moved).max(1),
        }
    }
}
