//! Where an audit's advisories come from: the stored database, a folder or archive for this run,
//! or the OSV service.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::live::{self, Live};
use super::sync;
use crate::advisory::import::{self, Import};
use crate::advisory::record::normal_name;
use crate::advisory::store::{self, Database};
use crate::advisory::{Advisory, Provenance};
use crate::audit::examine::{Scanned, Subject};
use crate::audit::phrase;
use crate::config::Config;
use crate::error::{Kind, Result};
use crate::lockfile::{Ecosystem, Package, Source};
use crate::world::World;
use crate::world::terminal::size;

/// What helps where the advisories cannot be fetched.
const FROM_A_COPY: &str = "or from a copy of OSV's archives: cargo xtask audit --update \
    --database DIR|ZIP";

/// What the caller wants to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted<'path> {
    /// The stored database as it is.
    #[default]
    Stored,
    /// The stored database, brought up to date from OSV first.
    Updated,
    /// The stored database, made anew from a folder or archive first.
    UpdatedFrom(&'path Utf8Path),
    /// A folder or archive, for this run alone.
    From(&'path Utf8Path),
    /// The OSV service.
    Live,
}

/// Advisories that are ready to be looked up.
#[derive(Debug)]
pub enum Advisories {
    /// An index for each ecosystem.
    Stored(Database),
    /// The answers of the OSV service.
    Live(Live),
}

impl Advisories {
    /// Makes ready what speaks of these lock files.
    ///
    /// # Errors
    /// No database, or a damaged or old one; an import or a transfer that failed.
    pub fn open(
        world: &World,
        config: &Config,
        wanted: Wanted<'_>,
        subject: &Subject,
    ) -> Result<Advisories> {
        let locks = subject.scanned.iter();
        let ecosystems: BTreeSet<Ecosystem> = locks.map(|one| one.lock.ecosystem).collect();
        let ecosystems: Vec<Ecosystem> = ecosystems.into_iter().collect();
        let folder = store::folder(&world.environment, &world.root);
        let database = match wanted {
            Wanted::Live => {
                return live::advisories(world, &packages(subject)).map(Advisories::Live);
            }
            Wanted::From(path) => {
                Database::of_made(read(world, path)?.indexes, &world.resolve(path))?
            }
            Wanted::UpdatedFrom(path) => {
                let folder = folder?;
                store::require_writable(&folder)?;
                save(world, &folder, &read(world, path)?)?;
                Database::open_for(&folder, &ecosystems)?
            }
            Wanted::Updated => {
                let folder = folder?;
                store::require_writable(&folder)?;
                sync::update(world, &folder, &ecosystems).map_err(|error| match error.kind {
                    Kind::Failure => error.hint(FROM_A_COPY),
                    _ => error,
                })?;
                Database::open_for(&folder, &ecosystems)?
            }
            Wanted::Stored => Database::open_for(&folder?, &ecosystems)?,
        };
        database.require_recent(world.now(), config.audit.max_age)?;
        Ok(Advisories::Stored(database))
    }

    /// All that name a package.
    ///
    /// # Errors
    /// The index is damaged, or there is none for this ecosystem.
    pub fn lookup(&self, ecosystem: Ecosystem, name: &str) -> Result<Vec<Advisory>> {
        match self {
            Advisories::Stored(database) => database.index(ecosystem)?.lookup(name),
            Advisories::Live(live) => {
                let named = (ecosystem, normal_name(ecosystem, name));
                Ok(live.advisories.get(&named).cloned().unwrap_or_default())
            }
        }
    }

    /// What was asked.
    pub fn provenances(&self) -> Vec<Provenance> {
        match self {
            Advisories::Stored(database) => database.provenances(),
            Advisories::Live(live) => live.provenance.clone(),
        }
    }
}

/// What the service is asked about: only what comes from a registry, so that no name of a
/// private package leaves the machine.
fn packages(subject: &Subject) -> Vec<(Ecosystem, String, String)> {
    let of_lock = |one: &Scanned| {
        let ecosystem = one.lock.ecosystem;
        let packages = one.lock.packages.iter();
        let asked = packages.filter(|package| matches!(package.source, Source::Registry { .. }));
        let named = |package: &Package| (ecosystem, package.name.clone(), package.version.clone());
        asked.map(named).collect::<Vec<_>>()
    };
    subject.scanned.iter().flat_map(of_lock).collect()
}

fn read(world: &World, path: &Utf8Path) -> Result<Import> {
    let path = world.resolve(path);
    let step = world.terminal.step("advisories", &format!("read {path}"));
    let import = import::import(&path, world.now())?;
    // Reading takes a while and asks nobody, so whoever wants it to end is heard here.
    world.check_interrupted()?;
    let records: u64 = import
        .indexes
        .iter()
        .map(|made| made.provenance.records)
        .sum();
    step.done(&format!(
        "{} from {}",
        phrase::records(records),
        world.show(&path)
    ));
    Ok(import)
}

fn save(world: &World, folder: &Utf8Path, import: &Import) -> Result<()> {
    for made in &import.indexes {
        let path = store::save(folder, made.ecosystem, &made.bytes)?;
        let bytes = size(made.bytes.len() as u64);
        world.terminal.done("index", &format!("{path}  {bytes}"));
    }
    Ok(())
}
