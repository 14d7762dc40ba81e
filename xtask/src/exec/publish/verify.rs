//! Verifying a release: everything is downloaded from where it was published, as everybody gets
//! it, and held against the manifest; then what the files say of each other is followed.
//!
//! Nothing is sent and nothing is written, not even into the ledger.

mod chain;

use serde::Serialize;

use super::{Session, joined};
use crate::artifact::{Digest, Kind};
use crate::config::Config;
use crate::config::publish::{Place, Profile, Tagging};
use crate::dist::Release;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::publish::Subject;
use crate::registry::{Item, Level, Presence, Registry};
use crate::world::World;
pub use chain::Link;

/// The format of the report as JSON.
const SCHEMA: u32 = 1;

/// What came of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Standing {
    /// It is what the manifest names.
    Same {
        /// By what that is known.
        level: Level,
    },
    /// Something else is there.
    Differs {
        /// What.
        remote: String,
    },
    /// It was taken and cannot be seen yet.
    Pending {
        /// What it waits for.
        why: String,
    },
    /// It is not there.
    Missing {
        /// What is there instead.
        why: String,
    },
    /// It could not be had.
    Unknown {
        /// Why not.
        why: String,
    },
}

/// An item with what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The item.
    #[serde(flatten)]
    pub item: Item,
    /// What came of it.
    #[serde(flatten)]
    pub standing: Standing,
}

/// Everything that one target gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct From {
    /// The target.
    pub target: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its items.
    pub items: Vec<Verified>,
    /// What the files say of each other.
    pub chain: Vec<Link>,
}

/// The whole of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What was verified.
    pub release: Subject,
    /// Whether everything holds.
    pub verified: bool,
    /// What each target gave.
    pub from: Vec<From>,
    /// What the files in `dist/` say of each other.
    pub chain: Vec<Link>,
}

/// The release in `dist/`, with every file held against its digest.
///
/// # Errors
/// There is none, or a file is not the one that was made.
pub fn release(world: &World) -> Result<Release> {
    super::load(world, crate::dist::required_manifest(world)?)
}

/// A profile of one target alone.
///
/// # Errors
/// There is no such target, and the message lists those that are known; or it is a test.
pub fn only(config: &Config, name: &str) -> Result<Profile> {
    let targets = &config.publish.targets;
    let Some(target) = config.publish.target(name) else {
        let known: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        return Err(Error::usage(format!(
            "unknown target `{name}`; known: {}",
            known.join(", ")
        ))
        .hint(format!("write it into release.toml: [target.{name}]")));
    };
    if let Place::InstallTest { from } = &target.place {
        return Err(
            Error::usage(format!("`{name}` is a test and has no files of its own"))
                .hint(format!("verify what it installs from: --from {from}")),
        );
    }
    Ok(Profile {
        name: name.to_owned(),
        targets: vec![name.to_owned()],
        skips: Vec::new(),
        tagging: Tagging::Left,
    })
}

impl<'run> Session<'run> {
    /// Downloads everything from every target, side by side, and compares.
    ///
    /// # Errors
    /// The run is interrupted. What does not hold is in the report.
    pub fn examine(&self) -> Result<Report> {
        let shown = self.world.terminal.step("verify", "downloading");
        let from: Vec<From> = std::thread::scope(|scope| {
            let places = self.places.iter();
            let places = places.filter_map(|(target, place)| Some((*target, place.as_deref()?)));
            let running: Vec<_> = places
                .map(|(target, place)| {
                    scope.spawn(move || self.examine_one(&target.name, target.place.word(), place))
                })
                .collect();
            running.into_iter().map(joined).collect::<Result<_>>()
        })?;
        drop(shown);
        self.world.check_interrupted()?;
        let mut report = Report {
            schema: SCHEMA,
            release: self.subject(),
            verified: true,
            chain: chain::within(self.release),
            from,
        };
        chain::join(&mut report.from, &report.release.wheel);
        report.verified = report.problems().is_empty();
        Ok(report)
    }

    fn examine_one(
        &self,
        target: &str,
        kind: &'static str,
        place: &(dyn Registry + 'run),
    ) -> Result<From> {
        let mut from = From {
            target: target.to_owned(),
            kind,
            items: Vec::new(),
            chain: Vec::new(),
        };
        let items: Vec<&Item> = place.takes().iter().collect();
        let found = match self.look(target, place, &items) {
            Err(error) if error.kind == ErrorKind::Interrupted => return Err(error),
            found => found,
        };
        for (index, item) in items.into_iter().enumerate() {
            let presence = match &found {
                Ok(found) => found.get(index).cloned().unwrap_or(Presence::Absent),
                Err(error) => {
                    let why = error.message.clone();
                    from.put(item, Standing::Unknown { why });
                    continue;
                }
            };
            let standing = match presence {
                Presence::Same { level } => self.given(place, item, level, &mut from.chain)?,
                Presence::Differs { remote } => Standing::Differs { remote },
                Presence::Pending { why, .. } => Standing::Pending { why },
                Presence::Outdated { remote } => Standing::Missing {
                    why: format!("something older is there: {remote}"),
                },
                Presence::Absent => Standing::Missing {
                    why: "nothing is there".to_owned(),
                },
            };
            from.put(item, standing);
        }
        Ok(from)
    }

    /// Gets the bytes of an item that a target says it has.
    fn given(
        &self,
        place: &(dyn Registry + 'run),
        item: &Item,
        level: Level,
        chain: &mut Vec<Link>,
    ) -> Result<Standing> {
        let mut remote = String::new();
        // A transfer can be damaged on its way; twice the same is what the place gives.
        for _ in 0..2 {
            let bytes = match self.persist(|| place.fetch(item)) {
                Ok(answered) => answered.value,
                Err(error) if error.kind == ErrorKind::Interrupted => return Err(error),
                Err(error) => return Ok(Standing::Unknown { why: error.message }),
            };
            let Some(bytes) = bytes else {
                return Ok(Standing::Same { level });
            };
            if let Some(level) = place.compare(item, &bytes) {
                chain.extend(chain::of(self.release, item, &bytes));
                return Ok(Standing::Same { level });
            }
            remote = Digest::of(&bytes).to_string();
        }
        Ok(Standing::Differs { remote })
    }
}

impl From {
    fn put(&mut self, item: &Item, standing: Standing) {
        let item = item.clone();
        self.items.push(Verified { item, standing });
    }

    /// How many of its items are what the manifest names, and by what at least.
    pub fn same(&self) -> (usize, Level) {
        let levels: Vec<Level> = self.items.iter().filter_map(Verified::level).collect();
        let has = |level| levels.contains(&level);
        let lowest = [Level::Payload, Level::Digest]
            .into_iter()
            .find(|it| has(*it));
        (levels.len(), lowest.unwrap_or(Level::Bytes))
    }
}

impl Verified {
    fn level(&self) -> Option<Level> {
        match self.standing {
            Standing::Same { level } => Some(level),
            _ => None,
        }
    }

    /// What is wrong with it, and what that means for the exit code.
    pub fn problem(&self) -> Option<(ErrorKind, String)> {
        let Item { key, sha256, .. } = &self.item;
        match &self.standing {
            Standing::Same { .. } => None,
            Standing::Differs { remote } => Some((
                ErrorKind::Conflict,
                format!("{key}: other bytes: {remote} instead of {sha256}"),
            )),
            Standing::Pending { why } => {
                Some((ErrorKind::Pending, format!("{key}: not visible yet: {why}")))
            }
            Standing::Missing { why } => Some((ErrorKind::Failure, format!("{key}: {why}"))),
            Standing::Unknown { why } => Some((ErrorKind::Failure, format!("{key}: {why}"))),
        }
    }
}

impl Report {
    /// Everything that does not hold, each with where and with what it means.
    pub fn problems(&self) -> Vec<(ErrorKind, String)> {
        let mut problems = Vec::new();
        for from in &self.from {
            let target = &from.target;
            let items = from.items.iter().filter_map(Verified::problem);
            let links = from.chain.iter().filter_map(Link::problem);
            let all = items.chain(links);
            problems.extend(all.map(|(kind, what)| (kind, format!("{target}: {what}"))));
        }
        problems.extend(self.chain.iter().filter_map(Link::problem));
        problems
    }

    /// Requires that everything holds.
    ///
    /// # Errors
    /// What does not: exit code 4 for other bytes or a broken chain, 1 for what is missing or
    /// could not be had, 3 for what is not visible yet.
    pub fn require_whole(&self) -> Result<()> {
        let problems = self.problems();
        let pressing = [ErrorKind::Conflict, ErrorKind::Failure, ErrorKind::Pending];
        let kind = pressing
            .into_iter()
            .find(|kind| problems.iter().any(|(found, _)| found == kind));
        let Some(kind) = kind else {
            return Ok(());
        };
        let named: Vec<&str> = problems.iter().map(|(_, what)| what.as_str()).collect();
        let error = Error::new(kind, named.join("\n       "));
        Err(match kind {
            ErrorKind::Conflict => {
                error.hint("do not install it: find out who changed it, and release a new version")
            }
            ErrorKind::Pending => error.hint("run again in a few minutes"),
            _ => error.hint("what was never sent: cargo xtask publish --to PROFILE --execute"),
        })
    }
}

/// The artifact that an item is, when it is one.
fn artifact<'release>(
    release: &'release Release,
    item: &Item,
) -> Option<&'release crate::artifact::Artifact> {
    let artifacts = release.manifest.artifacts.iter();
    let carries = |kind: Kind| {
        matches!(
            kind,
            Kind::Vsix | Kind::ServerJson | Kind::Provenance | Kind::Wheel
        )
    };
    artifacts
        .filter(|artifact| carries(artifact.kind))
        .find(|artifact| artifact.sha256 == item.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Phase;

    fn report(standings: Vec<Standing>) -> Report {
        let sha256 = Digest::of(b"x");
        let item = Item {
            key: "k".to_owned(),
            sha256: sha256.clone(),
            size: 1,
            phase: Phase::Main,
        };
        let verified = |standing| Verified {
            item: item.clone(),
            standing,
        };
        Report {
            schema: SCHEMA,
            release: Subject {
                name: "demo".to_owned(),
                version: "1.0".to_owned(),
                commit: "c".to_owned(),
                wheel: sha256,
            },
            verified: false,
            from: vec![From {
                target: "there".to_owned(),
                kind: "local",
                items: standings.into_iter().map(verified).collect(),
                chain: Vec::new(),
            }],
            chain: Vec::new(),
        }
    }

    #[test]
    fn the_most_pressing_problem_decides_and_all_are_named() {
        let level = Level::Bytes;
        let same = || Standing::Same { level };
        let why = || "x".to_owned();
        let pending = || Standing::Pending { why: why() };
        let missing = || Standing::Missing { why: why() };
        let differs = || Standing::Differs { remote: why() };
        let check = |standings: Vec<Standing>, expected: Option<u8>| {
            let report = report(standings);
            let bad = report.problems().len();
            let error = report.require_whole().err();
            let code = error.as_ref().map(|error| error.kind.exit_code());
            assert_eq!(code, expected, "{error:?}");
            let lines = error.map_or(0, |error| error.message.lines().count());
            assert_eq!(lines, bad);
        };
        check(vec![same(), same()], None);
        check(vec![same(), pending()], Some(3));
        check(vec![pending(), missing()], Some(1));
        check(vec![Standing::Unknown { why: why() }], Some(1));
        check(vec![pending(), missing(), differs()], Some(4));
    }
}
