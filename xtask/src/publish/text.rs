//! A plan as people read it. Pure.

use jiff::Timestamp;

use super::{Part, Plan, State, Step, level};
use crate::artifact::Digest;
use crate::registry::{Level, Presence};

impl Plan {
    /// The plan in lines; `now` tells how long ago something was.
    pub fn text(&self, now: Timestamp) -> String {
        let release = &self.release;
        let mut lines = vec![format!(
            "{} {}  (commit {:.12}, wheel {})  to {}",
            release.name,
            release.version,
            release.commit,
            release.wheel.short(),
            self.profile
        )];
        let names = self.steps.iter().map(|step| step.name.len());
        let skipped = self.skipped.iter().map(|skip| skip.target.len());
        let width = names.chain(skipped).max().unwrap_or_default();
        for step in &self.steps {
            let needed = match step.part {
                Part::Own => "",
                Part::Needed => "  (only looked at)",
            };
            let state = state(step, now);
            lines.push(format!("  {:width$}  {state}{needed}", step.name));
            // Of what is there already nobody needs to know why it would come when.
            if step.state != State::Same {
                let waits = match step.after.as_slice() {
                    [] => String::new(),
                    after => format!("; after {}", after.join(", ")),
                };
                lines.push(format!("  {:width$}    {}{waits}", "", step.because));
            }
        }
        for skip in &self.skipped {
            let (target, reason) = (&skip.target, &skip.reason);
            lines.push(format!(
                "  {target:width$}  left out by release.toml: {reason}"
            ));
        }
        lines.join("\n")
    }
}

/// What a target has and what is done about it, in a few words.
pub fn state(step: &Step, now: Timestamp) -> String {
    let there = step.items.len() - step.uploads;
    match step.state {
        State::Same => match level(step) {
            Some(Level::Payload) => "same (other container, the same contents)".to_owned(),
            _ => "same".to_owned(),
        },
        State::Absent | State::Partial if step.part == Part::Needed => "absent".to_owned(),
        State::Absent => format!("absent → upload {}", step.uploads),
        State::Partial => format!(
            "{there} of {} there → upload {}{}",
            step.items.len(),
            step.uploads,
            pending(step, now)
                .map(|what| format!("; {what}"))
                .unwrap_or_default()
        ),
        State::Pending => pending(step, now).unwrap_or_else(|| "pending".to_owned()),
        State::Conflict => conflict(step),
        State::Unknown => "unknown: it could not be asked".to_owned(),
        State::Test => "test".to_owned(),
        State::NotNeeded => "not needed".to_owned(),
    }
}

fn pending(step: &Step, now: Timestamp) -> Option<String> {
    step.items
        .iter()
        .find_map(|planned| match &planned.presence {
            Presence::Pending { since, why } => {
                let since = since.as_deref().and_then(|since| ago(since, now));
                Some(match since {
                    Some(ago) => format!("pending (uploaded {ago} ago, {why})"),
                    None => format!("pending ({why})"),
                })
            }
            _ => None,
        })
}

/// How long ago a time was, in its largest unit.
fn ago(since: &str, now: Timestamp) -> Option<String> {
    let since: Timestamp = since.parse().ok()?;
    let seconds = now.duration_since(since).as_secs().max(0);
    Some(match seconds {
        0..60 => format!("{seconds} s"),
        60..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    })
}

fn conflict(step: &Step) -> String {
    let differing = step
        .items
        .iter()
        .filter_map(|planned| match &planned.presence {
            Presence::Differs { remote } => Some((planned, remote)),
            _ => None,
        });
    let texts: Vec<String> = differing
        .map(|(planned, remote)| {
            let (key, ours) = (&planned.item.key, planned.item.sha256.short());
            match Digest::parse(remote) {
                Ok(theirs) => {
                    let theirs = theirs.short();
                    format!("{key} exists with other bytes: {theirs} ≠ {ours}")
                }
                Err(_) => format!("{key}: {remote}"),
            }
        })
        .collect();
    format!("conflict ({})", texts.join("; "))
}
