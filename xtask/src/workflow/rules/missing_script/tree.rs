//! What is in the job's folder beside the checkout: whatever earlier steps have made.

use crate::workflow::repository::Site;
use crate::workflow::shell::Command;

/// Folders that builds write to; what is in them is in no checkout, mostly.
const OUTPUTS: [&str; 8] = [
    "dist",
    "build",
    "out",
    "lib",
    "target",
    "output",
    "artifacts",
    "_build",
];

/// Files and folders that steps make.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    checkout: bool,
    made: Vec<String>,
}

impl Tree {
    /// Notes what a step leaves behind.
    pub fn see(&mut self, site: &Site<'_>) {
        let input = |name: &str| site.input(name).map(|text| text.value.clone());
        match site.action() {
            Some((name, _)) if name == "actions/checkout" => {
                let is_other = input("repository").is_some();
                match input("path") {
                    Some(path) => self.made.push(plain(&path)),
                    // Another repository lies where this one would be: nothing is known.
                    None if is_other => self.made.push(String::new()),
                    None => {}
                }
                self.checkout |= !is_other;
            }
            Some((name, _)) if name == "actions/download-artifact" => {
                self.made.push(plain(&input("path").unwrap_or_default()));
            }
            _ => {}
        }
        for command in site.commands() {
            self.see_command(&command);
        }
    }

    /// Notes the files that a command writes or fetches.
    pub fn see_command(&mut self, command: &Command) {
        let outputs = command.outputs.iter().map(|word| word.text.as_str());
        self.made.extend(outputs.map(plain));
        let called = command.called();
        let fetches = [
            "curl", "wget", "tar", "unzip", "cp", "mv", "git", "tee", "ln", "install",
        ];
        if called
            .first()
            .is_some_and(|program| fetches.contains(program))
        {
            let words = called.iter().skip(1).filter(|word| !word.starts_with('-'));
            self.made.extend(
                words
                    .map(|word| plain(word))
                    .filter(|word| !word.is_empty()),
            );
        }
    }

    /// Whether the repository has been checked out.
    pub fn is_checkout(&self) -> bool {
        self.checkout
    }

    /// Whether a step made it, or may have.
    pub fn is_made(&self, path: &str) -> bool {
        let mut folders = path.split('/').rev().skip(1);
        if folders.any(|folder| OUTPUTS.contains(&folder)) {
            return true;
        }
        self.made.iter().any(|made| {
            let name = made.rsplit('/').next().unwrap_or(made);
            let own = path.rsplit('/').next().unwrap_or(path);
            made.is_empty()
                || path == made
                || path.starts_with(&format!("{made}/"))
                || (name == own && !own.is_empty())
        })
    }
}

fn plain(path: &str) -> String {
    path.trim_start_matches("./")
        .trim_end_matches('/')
        .to_owned()
}
