//! Publishing: looking at the targets, and performing the plan that was made of what they said.
//!
//! Every answer is written into the ledger. What is independent runs side by side, and goes on
//! when something else fails.

mod converge;
mod install;
mod steps;
pub mod tag;
pub mod verify;

pub use steps::{Outcome, Summary};

use crate::artifact::{Digest, Kind, Manifest};
use crate::config::Config;
use crate::config::publish::{Profile, Target};
use crate::dist::{self, Release};
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::github::summary::Pages;
use crate::ledger::Ledger;
use crate::product::provenance;
use crate::prove;
use crate::publish::{self, Part, Plan, Seen, Selection, State, Subject};
use crate::registry::{self, Opening, Phase, Presence, Registry, page};
use crate::source;
use crate::version;
use crate::world::{World, files};

/// A profile of a release with its places opened.
#[derive(Debug)]
pub struct Session<'run> {
    /// The world.
    pub world: &'run World,
    /// The configuration.
    pub config: &'run Config,
    /// What is published.
    pub release: &'run Release,
    /// Where to.
    pub profile: &'run Profile,
    /// Which of its targets the run is for.
    pub selection: Selection<'run>,
    /// Those that are looked at; a test has no registry.
    pub places: Vec<(&'run Target, Option<Box<dyn Registry + 'run>>)>,
    /// Where what is done is written; nothing is written while only a plan is made.
    pub ledger: Option<Ledger<'run>>,
}

/// The profile of a name.
///
/// # Errors
/// There is none; the message lists those that are known.
pub fn profile<'config>(config: &'config Config, name: &str) -> Result<&'config Profile> {
    config.publish.profile(name).ok_or_else(|| {
        let profiles = config.publish.profiles.iter();
        let known: Vec<&str> = profiles.map(|profile| profile.name.as_str()).collect();
        Error::usage(format!(
            "unknown profile `{name}`; known: {}",
            known.join(", ")
        ))
        .hint(format!("write it into release.toml: [profile.{name}]"))
    })
}

/// Removes what killed runs have left: folders that files were sent from, and installed servers.
/// Only for the holder of the lock.
///
/// # Errors
/// Something of it may not be removed.
pub fn sweep(world: &World) -> Result<()> {
    prove::sweep(world)?;
    let Ok(entries) = world.private().read_dir_utf8() else {
        return Ok(());
    };
    for entry in entries.flatten() {
        if entry.file_name().starts_with(registry::UPLOADS) {
            files::remove_folder(entry.path())?;
        }
    }
    Ok(())
}

/// Holds `dist/manifest.json` against the digest that whoever built it has stated: the files of a
/// release are held against their manifest anyway, the manifest itself only here.
///
/// # Errors
/// It is another file, or what was stated is no SHA-256.
pub fn require_manifest(world: &World, stated: Option<&str>) -> Result<()> {
    let Some(stated) = stated else {
        return Ok(());
    };
    let bare = stated.trim().trim_start_matches("sha256:");
    let stated = Digest::parse(&format!("sha256:{bare}")).map_err(|_| {
        Error::usage(format!("--manifest-digest {stated:?} is no SHA-256"))
            .hint("`cargo xtask release` states it as the output `manifest-digest` of its step")
    })?;
    let path = world.dist().join("manifest.json");
    if !path.exists() {
        // It says what to do.
        dist::required_manifest(world)?;
    }
    let found = Digest::of(&files::read(&path)?);
    if found == stated {
        return Ok(());
    }
    let (found, stated) = (found.short(), stated.short());
    Err(Error::conflict(format!(
        "dist/manifest.json is {found}, and the job that built it stated {stated}"
    ))
    .hint("these are other files than the ones that were built: nothing was sent"))
}

/// The release in `dist/`, with every file held against its digest and nothing against
/// publishing it.
///
/// # Errors
/// There is none, a file is not the one that was made, it was built from a working tree, or its
/// tag names another commit.
pub fn releasable(world: &World, config: &Config) -> Result<Release> {
    let manifest = dist::required_manifest(world)?;
    if manifest.source.dirty {
        return Err(Error::refused(
            "dist/manifest.json: built from a working tree, which is never published",
        )
        .hint("commit, then: cargo xtask release"));
    }
    let release = load(world, manifest)?;
    require_complete(config, &release)?;
    let tag = version::tag::name(&config.version.tag, &release.manifest.version);
    if let Some(tagged) = source::commit_of_tag(world, &tag)?
        && tagged != release.manifest.source.commit
    {
        return Err(Error::conflict(format!(
            "the tag {tag} names commit {tagged:.12}, and dist/ was made from {:.12}",
            release.manifest.source.commit
        ))
        .hint("a version is released once: raise the version")
        .hint(format!(
            "or release what is tagged: git checkout {tag}, cargo xtask release"
        )));
    }
    note_commit(world, &release)?;
    Ok(release)
}

/// Says what cannot be known about the commit, or is odd about it.
fn note_commit(world: &World, release: &Release) -> Result<()> {
    let commit = &release.manifest.source.commit;
    let head = source::git(world).args(["rev-parse", "HEAD"]).output()?;
    let head_commit = head.stdout.trim();
    if !head.status.success() {
        let text = "this is no git repository: nobody knows whether the tag names another commit";
        world.terminal.warn(text);
    } else if head_commit != commit {
        world.terminal.warn(&format!(
            "dist/ was made from {commit:.12}, and HEAD is {head_commit:.12}"
        ));
    }
    Ok(())
}

/// The release that a manifest names, which has a wheel. Nothing is known about a file that was
/// changed, so it is no conflict of two releases.
fn load(world: &World, manifest: Manifest) -> Result<Release> {
    let release = Release::load(world, manifest).map_err(|error| Error {
        kind: match error.kind {
            ErrorKind::Conflict => ErrorKind::Failure,
            kind => kind,
        },
        ..error
    })?;
    release.manifest.only(Kind::Wheel)?;
    Ok(release)
}

/// Only a whole release is published: proved, with its extension, and with a statement over every
/// file. Single verbs put less than that into `dist/`.
fn require_complete(config: &Config, release: &Release) -> Result<()> {
    let manifest = &release.manifest;
    let missing = |what: &str| {
        Error::refused(format!(
            "dist/manifest.json: {what}, so this is no whole release"
        ))
        .hint("make one: cargo xtask release")
    };
    manifest.only(Kind::Wheel)?;
    if manifest.proof.is_none() {
        return Err(missing("the wheel was not proved"));
    }
    if config.extension.is_some() && manifest.find(Kind::Vsix).is_none() {
        return Err(missing("the extension is not packaged"));
    }
    if manifest.find(Kind::Findings).is_none() && config.publish.without_audit.is_none() {
        return Err(Error::refused(
            "dist/manifest.json: it names no findings, so nobody has audited this release",
        )
        .hint("audit it: cargo xtask release")
        .hint("or write down why not: [publish] without-audit = \"REASON\" in release.toml"));
    }
    let (statement, bytes) = release
        .only(Kind::Provenance)
        .map_err(|_| missing("it names no statement of provenance"))?;
    let text = String::from_utf8_lossy(bytes);
    provenance::require_complete(&text, manifest, &statement.path)
}

/// Opens every target of a profile that is not left out, or those that a selection asks for and
/// needs.
///
/// # Errors
/// All that keeps one from being opened, in one error; a target that the profile has not got.
pub fn open<'run>(
    world: &'run World,
    config: &'run Config,
    release: &'run Release,
    profile: &'run Profile,
    selection: Selection<'run>,
) -> Result<Session<'run>> {
    require_listed(profile, selection)?;
    let targets = selection.looked_at(&config.publish, profile);
    let mut places = Vec::new();
    let mut errors = Vec::new();
    for target in targets {
        let opening = Opening {
            world,
            config,
            release,
            target,
        };
        match registry::open(opening) {
            Ok(place) => places.push((target, place)),
            Err(mut error) => {
                error.message = format!("{}: {}", target.name, error.message);
                errors.push(error);
            }
        }
    }
    if errors.is_empty() && places.is_empty() {
        let what = format!("profile.{}: every target of it is left out", profile.name);
        errors.push(Error::usage(what).hint("take one of the skips out of release.toml"));
    }
    match Error::together(errors) {
        Some(error) => Err(error),
        None => Ok(Session {
            world,
            config,
            release,
            profile,
            selection,
            places,
            ledger: None,
        }),
    }
}

/// Refuses names that a profile has not got, or leaves out.
fn require_listed(profile: &Profile, selection: Selection<'_>) -> Result<()> {
    let Selection::Only(names) = selection else {
        return Ok(());
    };
    let unknown = names.iter().find(|name| !profile.targets.contains(name));
    if let Some(name) = unknown {
        let known = profile.targets.join(", ");
        return Err(Error::usage(format!(
            "--only {name}: profile.{} has no such target; it has {known}",
            profile.name
        )));
    }
    let skipped = profile
        .skips
        .iter()
        .find(|skip| names.contains(&skip.target));
    skipped.map_or(Ok(()), |skip| {
        let (name, reason) = (&skip.target, &skip.reason);
        let what = format!("--only {name}: release.toml leaves it out: {reason}");
        Err(Error::usage(what).hint("take the skip out of release.toml"))
    })
}

impl<'run> Session<'run> {
    /// Asks every target what it has, side by side, and decides.
    ///
    /// # Errors
    /// The run is interrupted, or the ledger cannot be written.
    pub fn plan(&self) -> Result<Plan> {
        let step = self
            .world
            .terminal
            .step("plan", "asking every target what it has");
        let seen = std::thread::scope(|scope| {
            let asked: Vec<_> = self
                .places
                .iter()
                .map(|(target, place)| {
                    let place = place.as_deref();
                    (*target, scope.spawn(move || self.see(target, place)))
                })
                .collect();
            let answer = |(target, thread): (_, std::thread::ScopedJoinHandle<'_, _>)| {
                let seen: Result<Seen> = joined(thread);
                seen.map(|seen| (target, seen))
            };
            asked.into_iter().map(answer).collect::<Result<Vec<_>>>()
        })?;
        drop(step);
        self.world.check_interrupted()?;
        let config = &self.config.publish;
        let (profile, selection) = (self.profile, self.selection);
        Ok(publish::plan(
            config,
            profile,
            selection,
            self.subject(),
            seen,
        ))
    }

    fn see(&self, target: &Target, place: Option<&(dyn Registry + 'run)>) -> Result<Seen> {
        let Some(place) = place else {
            return Ok(Seen::Test);
        };
        let items: Vec<_> = place.takes().iter().collect();
        match self.look(&target.name, place, &items) {
            Ok(found) => {
                let items = items.into_iter().cloned();
                Ok(Seen::Items(items.zip(found).collect()))
            }
            Err(error) if error.kind == ErrorKind::Interrupted => Err(error),
            // What is wrong in release.toml, or a credential that is refused even for looking, does
            // not become right by asking again: nothing is sent anywhere.
            Err(mut error) if matches!(error.kind, ErrorKind::Usage | ErrorKind::Precondition) => {
                error.message = format!("{}: {}", target.name, error.message);
                Err(error)
            }
            Err(error) => Ok(Seen::Unknown {
                why: error.message,
                hints: error.hints,
            }),
        }
    }

    fn subject(&self) -> Subject {
        let manifest = &self.release.manifest;
        let wheel = manifest.only(Kind::Wheel).map(|wheel| wheel.sha256.clone());
        Subject {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            commit: manifest.source.commit.clone(),
            wheel: wheel.expect("a release that may be published has one wheel"),
        }
    }

    /// Requires what sending needs, of every target that something is sent to.
    ///
    /// # Errors
    /// All that is missing, in one error; nothing was sent.
    pub fn require_ready(&self, plan: &Plan) -> Result<()> {
        let sends = |name: &str| {
            let steps = plan.steps.iter().filter(|step| step.target == name);
            steps.into_iter().any(|step| step.uploads > 0)
        };
        let mut errors = Vec::new();
        for (target, place) in &self.places {
            let tests =
                |step: &&publish::Step| step.target == target.name && step.state == State::Test;
            let ready = match (place, plan.steps.iter().find(tests)) {
                (Some(place), _) if sends(&target.name) => place.ready(),
                (None, Some(test)) if test.part == Part::Own => self.test_ready(test),
                _ => Ok(()),
            };
            if let Err(mut error) = ready {
                error.message = format!("{}: {}", target.name, error.message);
                errors.push(error);
            }
        }
        Error::together(errors).map_or(Ok(()), Err)
    }

    /// A version that GitHub has under another commit or with other files is taken everywhere: an
    /// index would only get a second release of the same name.
    ///
    /// # Errors
    /// It is taken; nothing was sent.
    pub fn require_free(&self, plan: &Plan) -> Result<()> {
        let steps = plan.steps.iter().filter(|step| step.kind == "github");
        let decisive = |step: &&publish::Step| match step.state {
            State::Conflict => step.phase == Phase::Last,
            State::Unknown => true,
            _ => false,
        };
        match steps.into_iter().find(decisive) {
            None => Ok(()),
            Some(step) if step.state == State::Unknown => {
                let what = format!(
                    "{}: nobody knows whether the version is taken: {}",
                    step.name, step.because
                );
                let error = Error::failure(what).hint("nothing was sent anywhere; run again");
                Err(step.hints.iter().fold(error, Error::hint))
            }
            Some(step) => {
                let mut error = steps::conflict(step);
                error.message = format!("{}: {}", step.name, error.message);
                Err(error.hint("nothing was sent anywhere"))
            }
        }
    }

    /// Where people look at what each target has.
    pub fn pages(&self) -> Pages {
        let manifest = &self.release.manifest;
        let page = |(target, place): &(&'run Target, Option<Box<dyn Registry + 'run>>)| {
            let place = place.as_deref()?;
            // An index that cannot say where it is has a name all the same.
            let simple = place.simple_index().ok().flatten();
            let about = page::About {
                manifest,
                tag_pattern: &self.config.version.tag,
                items: place.takes(),
                simple: simple.as_deref(),
            };
            let page = page::page(&target.place, about)?;
            Some((target.name.clone(), page))
        };
        self.places.iter().filter_map(page).collect()
    }

    /// The opened place of a target.
    fn place(&self, name: &str) -> Option<(&'run Target, Option<&(dyn Registry + 'run)>)> {
        let found = self.places.iter().find(|(target, _)| target.name == name);
        found.map(|(target, place)| (*target, place.as_deref()))
    }
}

/// What is wrong with a plan before anything is done: exit codes 4, 1 and 3.
///
/// # Errors
/// A conflict, a target that did not answer, or something that is pending.
pub fn require_sound(plan: &Plan) -> Result<()> {
    let in_state = |state: State| -> Vec<&str> {
        let steps = plan.steps.iter().filter(|step| step.state == state);
        steps.map(|step| step.name.as_str()).collect()
    };
    let (conflicts, unknown) = (in_state(State::Conflict), in_state(State::Unknown));
    let is_pending = |step: &&publish::Step| {
        let pending = |one: &publish::Planned| matches!(one.presence, Presence::Pending { .. });
        step.items.iter().any(pending)
    };
    let pending: Vec<&str> = plan
        .steps
        .iter()
        .filter(is_pending)
        .map(|step| step.name.as_str())
        .collect();
    if !conflicts.is_empty() {
        return Err(Error::conflict(format!(
            "{}: this version exists with other bytes",
            conflicts.join(", ")
        ))
        .hint(
            "a published version is never replaced: raise the version, or find out who published",
        ));
    }
    if !unknown.is_empty() {
        let steps = plan.steps.iter();
        let errors = steps
            .filter(|step| step.state == State::Unknown)
            .map(unasked);
        return Error::together(errors.collect()).map_or(Ok(()), Err);
    }
    if !pending.is_empty() {
        let what = format!("{}: not visible yet", pending.join(", "));
        return Err(Error::new(ErrorKind::Pending, what).hint("run again in a few minutes"));
    }
    Ok(())
}

/// A target that did not answer.
fn unasked(step: &publish::Step) -> Error {
    let what = format!("{}: could not be asked: {}", step.name, step.because);
    let error = Error::failure(what).hint("run again");
    step.hints.iter().fold(error, Error::hint)
}

/// The value of a thread; a panic in it goes on here.
fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
