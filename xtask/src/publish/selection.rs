//! A run for some targets of a profile: a job of a workflow has the credentials of one target
//! only. Pure.

use serde::Serialize;

use super::order::{Around, order, staging};
use crate::config::publish::{Place, Profile, Publish, Target};
use crate::registry::Phase;

/// Which targets of a profile a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'run> {
    /// All of them, and what comes last.
    All,
    /// These. What they need is looked at and not touched; what comes last stays for a whole run.
    Only(&'run [String]),
}

impl Selection<'_> {
    /// Whether a target is one that the run is for.
    pub fn has(self, target: &str) -> bool {
        match self {
            Selection::All => true,
            Selection::Only(names) => names.iter().any(|name| name == target),
        }
    }

    /// The targets of a profile that have to be looked at, in its order: those of the selection,
    /// and those without which they are not sent to.
    pub fn looked_at<'config>(
        self,
        publish: &'config Publish,
        profile: &'config Profile,
    ) -> Vec<&'config Target> {
        let left_out = |name: &String| profile.skips.iter().any(|skip| skip.target == *name);
        let names = profile.targets.iter().filter(|name| !left_out(name));
        let targets: Vec<&Target> = names.filter_map(|name| publish.target(name)).collect();
        let places: Vec<(String, Place)> = targets
            .iter()
            .map(|target| (target.name.clone(), target.place.clone()))
            .collect();
        let staging = staging(publish, profile);
        let around = Around {
            places: &places,
            staging: &staging,
        };
        let mut wanted: Vec<&str> = Vec::new();
        let mut next: Vec<&Target> = targets
            .iter()
            .copied()
            .filter(|it| self.has(&it.name))
            .collect();
        while let Some(target) = next.pop() {
            if wanted.contains(&target.name.as_str()) {
                continue;
            }
            wanted.push(&target.name);
            let needs = order(target, Phase::Main, &around).after;
            let needed = targets.iter().filter(|it| needs.contains(&it.name));
            next.extend(needed.copied());
        }
        targets
            .iter()
            .copied()
            .filter(|target| wanted.contains(&target.name.as_str()))
            .collect()
    }
}

/// Whether a run performs a step, or only looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// It is done.
    Own,
    /// Another one needs it; it is looked at and left to another run.
    Needed,
}
