//! Handing GitHub Actions what it reads: annotations and groups in the log, the summary and the
//! outputs of the step. Elsewhere all of this does nothing.
//!
//! None of it is worth a failed release: what cannot be written is said, and the run goes on.

use std::io::Write;

use camino::Utf8Path;

use super::World;
use crate::github::annotation::{self, Annotation};
use crate::github::summary;

/// The variables that name the files of a step.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";
const OUTPUT: &str = "GITHUB_OUTPUT";

impl World {
    /// Whether a job of GitHub Actions runs this.
    pub fn in_actions(&self) -> bool {
        self.terminal.in_actions()
    }

    /// Annotates what a verb has found; `report` says where all of it is.
    pub fn annotate(&self, annotations: &[Annotation], report: &str) {
        if self.in_actions() {
            let prefix = self.terminal.prefix();
            for line in annotation::commands(annotations, prefix, report) {
                self.terminal.order(&line);
            }
        }
    }

    /// Adds to the summary of the step. The text is made only when somebody reads it.
    pub fn summarise(&self, text: impl FnOnce() -> String) {
        if !self.in_actions() {
            return;
        }
        let Some(path) = self.step_file(SUMMARY) else {
            return;
        };
        let taken = std::fs::metadata(path).map_or(0, |file| file.len());
        let room = summary::LIMIT.saturating_sub(usize::try_from(taken).unwrap_or(usize::MAX));
        // A heading begins a line of its own.
        let text = format!("{}\n", text());
        match summary::fitted(&text, room) {
            Some(text) => self.append(SUMMARY, path, &text),
            None => self
                .terminal
                .warn("the summary of this step is full: GitHub shows no more than 1 MiB"),
        }
    }

    /// Sets outputs of the step: whole lines `name=value`.
    pub fn set_outputs(&self, lines: impl FnOnce() -> String) {
        if self.in_actions()
            && let Some(path) = self.step_file(OUTPUT)
        {
            self.append(OUTPUT, path, &lines());
        }
    }

    fn step_file(&self, name: &str) -> Option<&Utf8Path> {
        let path = self.variable(name).map(Utf8Path::new);
        if path.is_none() {
            self.terminal
                .warn(&format!("{name} is not set: nothing is written there"));
        }
        path
    }

    fn append(&self, name: &str, path: &Utf8Path, text: &str) {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        if let Err(cause) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
            let warning = format!("{name}: write {path}: {cause}; the run goes on without it");
            self.terminal.warn(&warning);
        }
    }
}
