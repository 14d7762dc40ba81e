//! Mends a broken lock file where only one answer is possible, and says so where it is not. Pure.
//!
//! A repair only leaves lines out: tables that a deleted package has left behind, and those
//! sides of a conflict about which there is no doubt. What comes out is read again by the
//! kind's own reader before anybody sees it.

use std::collections::HashSet;
use std::ops::Range;

use super::damage::{self, Header, is_marker};
use super::model::{Input, Kind, Lock};
use crate::error::Result;

/// How many things one file may need; each is followed by a new look at all of it.
const MOST_STEPS: usize = 50;
/// Lines around a change that are shown.
const AROUND: usize = 3;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The file reads well as it is.
    Sound(Lock),
    /// Without these lines it reads well.
    Repaired(Repaired),
}

/// A repaired text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// What is left.
    pub text: String,
    /// How it reads, or what its reader still misses: a package that was lost is not brought
    /// back by leaving lines out.
    pub reads: std::result::Result<Lock, String>,
    /// What was done, each a sentence.
    pub steps: Vec<String>,
    /// What was left out, as a unified difference without its two head lines.
    pub difference: String,
    /// Packages that other parts of the file speak of and that have no block.
    pub lost: Vec<String>,
}

/// The lines that are left while a file is mended, with their numbers in the original.
struct Mending<'text> {
    lines: Vec<&'text str>,
    left: Vec<usize>,
}

/// Repairs a lock file.
///
/// # Errors
/// What is wrong with it, when there is no certain repair; a hint says why there is none.
pub fn repair(kind: &Kind, input: &Input<'_>) -> Result<Outcome> {
    let broken = match (kind.read)(input) {
        Ok(lock) => return Ok(Outcome::Sound(lock)),
        Err(error) => error,
    };
    let lines: Vec<&str> = input.text.split_inclusive('\n').collect();
    let mut mending = Mending {
        left: (0..lines.len()).collect(),
        lines,
    };
    let mut steps = Vec::new();
    let refuse = |reason: String| {
        let mut error = broken.clone();
        error.hints.retain(|hint| !hint.contains(damage::REPAIR));
        error.hint(format!("not repaired: {reason}"))
    };
    // Each step looks at all of the file, so that a hopeless one is not begun with.
    let conflicts = mending
        .lines
        .iter()
        .filter(|line| is_marker(line.trim_end(), "<<<<<<<"));
    let repeated = damage::repeated(&damage::headers(input.text));
    if conflicts.count() > MOST_STEPS || repeated > MOST_STEPS * ORDER.len() {
        return Err(refuse(format!("it needs more than {MOST_STEPS} changes")));
    }
    for _ in 0..MOST_STEPS {
        let text = mending.text();
        let step = match mending.resolve_conflict() {
            None => mending.drop_orphan(&text),
            conflict => conflict,
        };
        match step {
            Some(Ok(step)) => steps.push(step),
            Some(Err(reason)) => return Err(refuse(reason)),
            None => return Err(refuse("this damage has no certain repair".to_owned())),
        }
        let text = mending.text();
        let again = Input {
            text: &text,
            ..*input
        };
        let reads = match (kind.read)(&again) {
            Ok(lock) => Some(Ok(lock)),
            Err(error) if error.message.contains(damage::INCOMPLETE) => Some(Err(error.message)),
            Err(_) => None,
        };
        if let Some(reads) = reads {
            let lost = damage::lost_packages(&damage::headers(&text));
            let had = damage::lost_packages(&damage::headers(input.text));
            return Ok(Outcome::Repaired(Repaired {
                difference: mending.difference(),
                reads,
                steps,
                lost: lost.into_iter().filter(|name| had.contains(name)).collect(),
                text,
            }));
        }
    }
    Err(refuse(format!("it needs more than {MOST_STEPS} changes")))
}

impl Mending<'_> {
    fn text(&self) -> String {
        self.left
            .iter()
            .filter_map(|&line| self.lines.get(line).copied())
            .collect()
    }

    fn line(&self, place: usize) -> Option<&str> {
        let line = self.lines.get(*self.left.get(place)?)?;
        Some(line.trim_end_matches(['\n', '\r']))
    }

    /// The number of a line that is left, as the original counts from 1.
    fn number(&self, place: usize) -> usize {
        self.left
            .get(place)
            .map_or(self.lines.len(), |line| line + 1)
    }

    fn find(&self, from: usize, marker: &str) -> Option<usize> {
        let is_it = |place: &usize| {
            self.line(*place)
                .is_some_and(|line| is_marker(line, marker))
        };
        (from..self.left.len()).find(is_it)
    }

    fn same(&self, one: Range<usize>, other: Range<usize>) -> bool {
        one.len() == other.len()
            && one
                .zip(other)
                .all(|(one, other)| self.line(one) == self.line(other))
    }

    fn leave_out(&mut self, without: &[Range<usize>]) {
        let mut place = 0;
        self.left.retain(|_| {
            place += 1;
            !without.iter().any(|range| range.contains(&(place - 1)))
        });
    }

    /// Takes one side of the first conflict, if both are the same or one is what was there before.
    fn resolve_conflict(&mut self) -> Option<std::result::Result<String, String>> {
        let start = self.find(0, "<<<<<<<")?;
        let number = self.number(start);
        let unclear = |why: &str| Some(Err(format!("the conflict on line {number} {why}")));
        let Some(end) = self.find(start + 1, ">>>>>>>") else {
            return unclear("has no end");
        };
        let Some(middle) = self
            .find(start + 1, "=======")
            .filter(|&middle| middle < end)
        else {
            return unclear("has no middle");
        };
        if self
            .find(start + 1, "<<<<<<<")
            .is_some_and(|inner| inner < end)
        {
            return unclear("has another one in it");
        }
        let base = self
            .find(start + 1, "|||||||")
            .filter(|&base| base < middle);
        let ours = start + 1..base.unwrap_or(middle);
        let theirs = middle + 1..end;
        let base = base.map(|base| base + 1..middle);
        let is_base = |side: &Range<usize>| {
            base.as_ref()
                .is_some_and(|base| self.same(side.clone(), base.clone()))
        };
        let (kept, why) = if self.same(ours.clone(), theirs.clone()) {
            (ours, "both sides are the same")
        } else if is_base(&ours) {
            (theirs, "only the lower side has changed something")
        } else if is_base(&theirs) {
            (ours, "only the upper side has changed something")
        } else {
            return unclear("has two sides that differ, and either could be right");
        };
        self.leave_out(&[start..kept.start, kept.end..end + 1]);
        Some(Ok(format!("resolved the conflict on line {number}: {why}")))
    }

    /// Leaves out the tables that a deleted package has left behind another one.
    fn drop_orphan(&mut self, text: &str) -> Option<std::result::Result<String, String>> {
        let headers = damage::headers(text);
        let (first, second) = damage::declared_twice(&headers)?;
        let (_, owner) = first.package.as_ref()?;
        let run = orphans(&headers, second);
        let (table, line) = (&second.text, self.number(run.first - 1));
        let end = headers.iter().find(|header| header.line > run.last);
        let end = end.map_or(self.left.len(), |header| header.line - 1);
        let tables = headers
            .iter()
            .filter(|header| (run.first..=run.last).contains(&header.line));
        let tables: Vec<&Header> = tables.collect();
        for orphan in &tables {
            let own = headers.iter().find(|own| {
                own.line < run.first && own.text == orphan.text && own.package == first.package
            });
            let own = own.map(|own| (self.content(own, &headers), &own.keys));
            let Some((content, keys)) = own else { continue };
            if content == self.content(orphan, &headers) {
                continue;
            }
            let keys: HashSet<&String> = keys.iter().collect();
            if let Some(key) = orphan.keys.iter().find(|key| keys.contains(key)) {
                let line = self.number(orphan.line - 1);
                return Some(Err(format!(
                    "`{key}` stands in both tables {table} behind package {owner} and differs, so \
                     line {line} may be the right one"
                )));
            }
        }
        let names: Vec<&str> = tables.iter().map(|header| header.text.as_str()).collect();
        let step = format!(
            "left out {} on line {line}, which a deleted package has left behind package {owner}",
            names.join(", ")
        );
        let range = run.first - 1..end;
        self.leave_out(std::slice::from_ref(&range));
        Some(Ok(step))
    }

    /// The lines below a header, without empty ones.
    fn content(&self, header: &Header, headers: &[Header]) -> Vec<&str> {
        let next = headers.iter().find(|next| next.line > header.line);
        let end = next.map_or(self.left.len(), |next| next.line - 1);
        let lines = (header.line..end).filter_map(|place| self.line(place));
        lines.filter(|line| !line.trim().is_empty()).collect()
    }

    /// All that was left out, as hunks with the lines around.
    fn difference(&self) -> String {
        let left: HashSet<usize> = self.left.iter().copied().collect();
        let gone = |line: &usize| !left.contains(line);
        let mut hunks: Vec<Range<usize>> = Vec::new();
        for line in (0..self.lines.len()).filter(gone) {
            let hunk = line.saturating_sub(AROUND)..(line + AROUND + 1).min(self.lines.len());
            match hunks.last_mut() {
                Some(last) if last.end >= hunk.start => last.end = hunk.end,
                _ => hunks.push(hunk),
            }
        }
        let mut text = String::new();
        let mut before = 0;
        for hunk in hunks {
            let lost = hunk.clone().filter(gone).count();
            let (start, new) = (hunk.start + 1, hunk.start + 1 - before);
            let length = hunk.len();
            text.push_str(&format!(
                "@@ -{start},{length} +{new},{} @@\n",
                length - lost
            ));
            for line in hunk {
                text.push(if gone(&line) { '-' } else { ' ' });
                text.push_str(self.lines.get(line).map_or("", |line| line.trim_end()));
                text.push('\n');
            }
            before += lost;
        }
        text
    }
}

/// The lines of the first and the last header that the deleted package has left.
struct Run {
    first: usize,
    last: usize,
}

/// The order in which the tables of one package are written. Where it begins anew, another
/// package begins.
const ORDER: [&str; 6] = [
    "[package.dependencies]",
    "[package.extras]",
    "[package.source]",
    "[package.optional-dependencies]",
    "[package.dev-dependencies]",
    "[package.metadata]",
];

fn orphans(headers: &[Header], second: &Header) -> Run {
    let rank = |header: &Header| ORDER.iter().position(|table| *table == header.text);
    let same: Vec<&Header> = headers
        .iter()
        .filter(|header| header.package == second.package)
        .collect();
    let mut first = second.line;
    let before: Vec<&&Header> = same
        .iter()
        .filter(|header| header.line <= second.line)
        .collect();
    for pair in before.windows(2) {
        if let [one, next] = pair
            && let (Some(one), Some(rank)) = (rank(one), rank(next))
            && rank <= one
        {
            first = first.min(next.line);
        }
    }
    let last = same.last().map_or(second.line, |header| header.line);
    Run { first, last }
}

#[cfg(test)]
mod tests;
