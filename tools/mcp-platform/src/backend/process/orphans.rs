//! What a supervisor that was killed left behind. Its instances run on out of reach: their clients
//! came through its port and their output went to it, so the next supervisor ends them. It shows them
//! as ending meanwhile, and starts others without waiting, except where there must be one only.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::model::Phase;
use crate::world::now;

use super::folder::{self, Folder};
use super::instance::end;
use super::journal;
use super::keeper::Keeper;
use super::members;
use super::record::Record;
use super::state::{Answer, InstanceState};

/// What the last supervisor wrote down.
pub fn stored(folder: &Folder, record: &Record) -> Answer {
    folder::read(&folder.state())
        .ok()
        .flatten()
        .and_then(|text| serde_json::from_str::<Answer>(&text).ok())
        .filter(|answer| answer.incarnation == record.incarnation)
        .unwrap_or_default()
}

/// The instances that still run, as the system says; also those that nobody came to write down.
pub fn left(record: &Record, stored: &Answer) -> Vec<InstanceState> {
    let all = members::members(&format!("{}.", record.incarnation), None);
    let marks: BTreeSet<String> = all
        .iter()
        .filter_map(|member| members::mark_of(member.number()))
        .collect();
    let known = |mark: &str| {
        let mut instances = stored.instances.values();
        instances.find(|instance| instance.mark == mark).cloned()
    };
    marks
        .into_iter()
        .map(|mark| known(&mark).unwrap_or_else(|| unknown(record, mark)))
        .collect()
}

fn unknown(record: &Record, mark: String) -> InstanceState {
    let word = mark
        .strip_prefix(&record.incarnation)
        .unwrap_or(&mark)
        .trim_matches('.');
    InstanceState {
        name: format!("{}-{word}", record.spec.identity.name),
        serial: 0,
        stamp: String::new(),
        revision: String::new(),
        phase: Phase::Running,
        ready: false,
        restarts: 0,
        created: now(),
        fault: None,
        port: None,
        pid: None,
        mark,
    }
}

/// Shows them as ending, and begins to end them.
pub fn adopt(keeper: &Arc<Keeper>, record: &Record) {
    let left = left(record, &stored(&keeper.folder, record));
    journal::put_aside(&keeper.folder);
    clear(&keeper.folder, &left);
    if left.is_empty() {
        return;
    }
    let message = format!(
        "{} instances of a supervisor that is gone are ended",
        left.len()
    );
    keeper.warn(&keeper.name, "OrphansEnded", &message);
    let grace = Duration::from_secs(u64::from(record.spec.grace_seconds));
    for instance in left {
        let name = instance.name.clone();
        keeper.change(|answer| {
            let ending = InstanceState {
                phase: Phase::Ending,
                ready: false,
                port: None,
                fault: None,
                ..instance.clone()
            };
            answer.instances.insert(name.clone(), ending);
        });
        let keeper = keeper.clone();
        tokio::spawn(async move {
            end(&instance.members(), grace).await;
            // Signals are taken up a moment later, and its children may have been starting others.
            while let left = instance.members()
                && !left.is_empty()
            {
                members::signal(&left, Signal::SIGKILL);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let _ = std::fs::remove_dir_all(keeper.folder.scratch().join(&name));
            keeper.note(&name, "Ended", "is gone");
            keeper.change(|answer| {
                answer.instances.remove(&name);
            });
        });
    }
}

/// Scratch space of instances that are gone.
fn clear(folder: &Folder, left: &[InstanceState]) {
    let entries = std::fs::read_dir(folder.scratch());
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        if left.iter().all(|one| name != one.name.as_str()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
