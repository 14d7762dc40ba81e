//! What came of a trial: what the program said, held against what is true. Pure.

use std::collections::BTreeMap;

/// What a registry has of what it should have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Truth {
    /// Files of which there is nothing.
    pub missing: usize,
    /// Files in whose place there are other bytes.
    pub foreign: usize,
    /// Whether something was stored more than once.
    pub twice: bool,
}

impl Truth {
    fn is_complete(self) -> bool {
        self.missing == 0 && self.foreign == 0
    }
}

/// One run of a program.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Its exit code; nothing when it was killed.
    pub code: Option<i32>,
    /// What was true when it had ended.
    pub truth: Truth,
}

/// What came of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Everything is there once and the program says so, or it says that it cannot be.
    Right,
    /// It says that all is well, and something is not there.
    GreenButMissing,
    /// It says that all is well, and readers get other bytes.
    GreenOverOtherBytes,
    /// Something was stored more than once.
    StoredTwice,
    /// Everything is there, and every run says that it failed.
    Stuck,
    /// Something is not there, and no further run brings it there.
    NeverThere,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Right => "right",
            Verdict::GreenButMissing => "**green but missing**",
            Verdict::GreenOverOtherBytes => "**green over other bytes**",
            Verdict::StoredTwice => "**stored twice**",
            Verdict::Stuck => "**stuck**",
            Verdict::NeverThere => "**never there**",
        }
    }
}

/// Judges the runs of a trial, of which only the last may have said that all is well.
pub fn verdict(runs: &[Run]) -> Verdict {
    let last = runs.last().expect("every trial has a run");
    let (truth, green) = (last.truth, last.code == Some(0));
    if truth.twice {
        return Verdict::StoredTwice;
    }
    match (green, truth.foreign > 0, truth.missing > 0) {
        (true, true, _) => Verdict::GreenOverOtherBytes,
        (true, false, true) => Verdict::GreenButMissing,
        (true, false, false) | (false, true, _) => Verdict::Right,
        (false, false, true) => Verdict::NeverThere,
        (false, false, false) => Verdict::Stuck,
    }
}

/// Whether the first run said that it failed when everything was there.
pub fn is_false_alarm(runs: &[Run]) -> bool {
    let Some(first) = runs.first() else {
        return false;
    };
    first.truth.is_complete() && first.code.is_some_and(|code| code != 0)
}

/// All trials of one program under one fault.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    verdicts: BTreeMap<Verdict, usize>,
    /// Trials whose first run said that it failed when everything was there.
    pub false_alarms: usize,
    /// The most runs that a trial took.
    runs: usize,
}

impl Tally {
    /// Counts a trial.
    pub fn add(&mut self, runs: &[Run]) {
        *self.verdicts.entry(verdict(runs)).or_default() += 1;
        self.false_alarms += usize::from(is_false_alarm(runs));
        self.runs = self.runs.max(runs.len());
    }

    /// How many trials there were.
    pub fn trials(&self) -> usize {
        self.verdicts.values().sum()
    }

    /// How many of them ended wrong.
    pub fn wrong(&self) -> usize {
        self.trials()
            - self
                .verdicts
                .get(&Verdict::Right)
                .copied()
                .unwrap_or_default()
    }

    /// What is in the table.
    pub fn cell(&self) -> String {
        let count = |(verdict, count): (&Verdict, &usize)| format!("{count} {}", verdict.word());
        let mut parts: Vec<String> = self.verdicts.iter().map(count).collect();
        if self.false_alarms > 0 {
            parts.push(format!("{} false alarm", self.false_alarms));
        }
        match self.runs {
            0 | 1 => parts.join(", "),
            runs => format!("{}; ≤ {runs} runs", parts.join(", ")),
        }
    }
}
