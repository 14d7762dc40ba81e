//! Bringing the advisory database up to date with OSV's archives.
//!
//! The list of changes is read first. The first time, and when much has changed, the whole
//! archive follows; otherwise only what has changed. Nothing is written before everything was
//! read and found sound, and then the index is replaced as a whole: whatever fails, the old one
//! stays.

mod archive;
mod kept;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::advisory::index::{self, Index};
use crate::advisory::sync::{self, Change, Holding, Listing, Status};
use crate::advisory::{Advisory, import};
use crate::error::{Error, Result};
use crate::lockfile::Ecosystem;
use crate::world::lock::Lock;
use crate::world::remote::{self, Patience, Remote, Request, checksum};
use crate::world::terminal::Step;
use crate::world::{World, files};
use kept::Kept;
pub use records::{each, require_id, text as record_text};

/// The variable that names another place for OSV's archives.
pub const VARIABLE: &str = "XTASK_OSV_BULK_URL";

/// Where OSV publishes its archives (<https://google.github.io/osv.dev/data/>).
pub const BULK: &str = "https://storage.googleapis.com/osv-vulnerabilities";

/// More changed records than these are fetched as one archive.
const RECORD_LIMIT: usize = 1000;

/// The name of the list of changes in the folder of its ecosystem.
const LIST: &str = "modified_id.csv";

/// So many records may be listed and not be there, or a hundredth of the list.
const HOLLOW_LIMIT: usize = 10;

/// The largest list: that of the largest ecosystem has some ten megabytes.
const LIST_LIMIT: u64 = 256 << 20;

/// The name of the lock in the database's folder.
const LOCK: &str = "update.lock";

/// How to synchronise.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address below which every ecosystem has its folder.
    pub base: String,
    /// How long to wait for what.
    pub patience: Patience,
    /// More changed records than these are fetched as one archive.
    pub record_limit: usize,
}

impl Settings {
    /// What the environment says, or else OSV itself.
    pub fn of(world: &World) -> Settings {
        Settings {
            base: world.variable(VARIABLE).unwrap_or(BULK).to_owned(),
            patience: Patience::default(),
            record_limit: RECORD_LIMIT,
        }
    }
}

/// Brings the indexes of these ecosystems in `folder` up to date.
///
/// # Errors
/// Something could not be fetched, was not what it should be, or would lose most advisories;
/// the error names the address. The index of that ecosystem is then the old one.
pub fn update(world: &World, folder: &Utf8Path, ecosystems: &[Ecosystem]) -> Result<()> {
    update_with(world, folder, ecosystems, &Settings::of(world))
}

/// As [`update`], with other settings.
///
/// # Errors
/// As [`update`].
pub fn update_with(
    world: &World,
    folder: &Utf8Path,
    ecosystems: &[Ecosystem],
    settings: &Settings,
) -> Result<()> {
    files::create_folder(folder)?;
    let remote = Remote::new(world, &settings.base, VARIABLE, settings.patience.clone())?;
    let _lock = Lock::wait(world, folder, LOCK)?;
    for &ecosystem in ecosystems {
        let work = Work {
            world,
            remote: &remote,
            folder,
            ecosystem,
            limit: settings.record_limit,
            step: world
                .terminal
                .step("advisories", &format!("{ecosystem}: what has changed")),
        };
        let said = bring_up_to_date(&work)?;
        match said {
            Said::Done(text) => work.step.done(&text),
            Said::Same(text) => {
                drop(work.step);
                world.terminal.same("advisories", &text);
            }
        }
    }
    Ok(())
}

/// What every part of it needs.
struct Work<'run> {
    world: &'run World,
    remote: &'run Remote<'run>,
    folder: &'run Utf8Path,
    ecosystem: Ecosystem,
    limit: usize,
    step: Step,
}

/// How it ended, for people.
enum Said {
    Done(String),
    Same(String),
}

/// What an index is made of.
struct Made {
    holding: Holding,
    packages: BTreeMap<String, Vec<Advisory>>,
    /// The state of the data.
    date: String,
    /// Whether it is that of the list.
    is_current: bool,
}

impl Made {
    fn current(holding: Holding, packages: BTreeMap<String, Vec<Advisory>>, date: String) -> Made {
        Made {
            holding,
            packages,
            date,
            is_current: true,
        }
    }
}

impl Work<'_> {
    fn path(&self, name: &str) -> String {
        format!("/{}/{name}", self.ecosystem)
    }

    fn shown(&self, name: &str) -> String {
        self.remote.shown(&self.path(name))
    }

    fn part(&self) -> Utf8PathBuf {
        self.folder.join(format!("{}.zip.part", self.ecosystem))
    }
}

fn bring_up_to_date(work: &Work<'_>) -> Result<Said> {
    // The data is as new as the list, which is asked for after this moment.
    let now = work.world.now().to_string();
    let kept = Kept::open(work.world, work.folder, work.ecosystem);
    let before = kept.records;
    let source = work.shown(archive::NAME);
    let known = kept.known.filter(|(holding, _)| holding.source == source);
    let etag = known.as_ref().and_then(|(holding, _)| holding.etag.clone());
    let Some((listing, etag)) = list(work, etag.as_deref())? else {
        return unchanged(work, known, before, now);
    };
    let (mut made, said) = match known {
        None => whole(work, &listing, now)?,
        Some((mut holding, index)) => match sync::change(&holding, &listing, work.limit) {
            Change::None => {
                holding.etag = etag;
                return unchanged(work, Some((holding, index)), before, now);
            }
            Change::Whole(_) => whole(work, &listing, now)?,
            Change::Some { fetch, remove } => {
                let fetched = records::fetch(work, &listing, &fetch)?;
                // A record that is listed and not there may be gone, or the mirror is not
                // whole; the archive knows.
                if fetched.iter().any(|one| one.record.is_none()) {
                    whole(work, &listing, now)?
                } else {
                    let mut packages = index.all()?;
                    holding.apply(&mut packages, work.ecosystem, fetched, &remove);
                    let said = format!("{} changed, {} gone", fetch.len(), remove.len());
                    (Made::current(holding, packages, now), said)
                }
            }
        },
    };
    // A list with more changes than were fetched has to be read again.
    made.holding.etag = etag.filter(|_| made.is_current);
    save(work, &made, before, &said)
}

/// The list of changes and what the server calls its state; `None` when it is still the one
/// that `etag` names.
fn list(work: &Work<'_>, etag: Option<&str>) -> Result<Option<(Listing, Option<String>)>> {
    let shown = work.shown(LIST);
    // The checksum is that of the list as it is stored; a proxy must not answer from memory.
    let mut headers = vec![
        ("accept-encoding", "identity"),
        ("cache-control", "no-cache"),
    ];
    headers.extend(etag.map(|etag| ("if-none-match", etag)));
    let path = work.path(LIST);
    let request = Request {
        path: &path,
        headers: &headers,
        body: None,
    };
    let answer = work.remote.fetch(request, LIST_LIMIT)?;
    if answer.status == 304 && etag.is_some() {
        return Ok(None);
    }
    let answer = answer.require_ok(&shown)?;
    let wrong = |what: &str| Error::failure(format!("{shown}: {what}")).hint("run again later");
    if answer.headers.length().is_none() {
        return Err(wrong("the server does not say how long it is"));
    }
    let stated = answer.headers.get("x-goog-hash");
    let stated = stated.and_then(|header| checksum::stated(&header));
    if stated.is_some_and(|stated| stated != checksum::Crc32c::of(&answer.bytes)) {
        return Err(wrong("its checksum is not the one that the server says"));
    }
    let listing = sync::read_listing(&answer.bytes, &shown)?;
    Ok(Some((listing, answer.headers.get("etag"))))
}

/// Writes only the new date.
fn unchanged(
    work: &Work<'_>,
    known: Option<(Holding, Index)>,
    before: u64,
    date: String,
) -> Result<Said> {
    let Some((holding, index)) = known else {
        return Err(remote::unexpected(&work.shown(LIST), 304));
    };
    let packages = index.all()?;
    kept::save(work, &Made::current(holding, packages, date))?;
    Ok(Said::Same(format!(
        "{}: {before} advisories, nothing has changed",
        work.ecosystem
    )))
}

/// The whole archive, and what has changed since it was made.
fn whole(work: &Work<'_>, listing: &Listing, now: String) -> Result<(Made, String)> {
    let archive = archive::download(work)?;
    work.step
        .now(&format!("{}: reading the archive", work.ecosystem));
    let source = work.shown(archive::NAME);
    let (collection, _) = import::archive::read(&archive.path).map_err(|mut error| {
        // A part that is whole and yet no archive is of no use to the next run either.
        archive::forget(work);
        error.message = format!("{source}: {}", error.message);
        error
    })?;
    let part = collection.part(work.ecosystem);
    let mut packages = part.packages;
    let mut holding = Holding::of_archive(source.clone(), archive.digest, &part.records);
    let behind = sync::behind(&mut holding, listing);
    let is_missing = |id: &&String| !holding.records.contains_key(*id);
    let missing = behind.iter().filter(is_missing).count();
    if missing > listing.0.len() / 2 {
        archive::forget(work);
        return Err(Error::conflict(format!(
            "{source}: {} records, where {} lists {}",
            part.records.len(),
            work.shown(LIST),
            listing.0.len()
        ))
        .hint("the mirror is not whole; run again later, or ask OSV itself"));
    }
    let said = format!("{} records", part.records.len());
    if behind.len() > work.limit {
        let date = archive
            .date
            .or_else(|| newest(&holding))
            .unwrap_or_default();
        work.world.terminal.warn(&format!(
            "{source}: {} records were changed since this archive was made; it counts as of {date}",
            behind.len()
        ));
        let made = Made {
            holding,
            packages,
            date,
            is_current: false,
        };
        return Ok((made, said));
    }
    catch_up(work, listing, &behind, &mut holding, &mut packages)?;
    Ok((Made::current(holding, packages, now), said))
}

/// Fetches what the archive has not, or has in an older state. Of a record that is listed and
/// nowhere to be had, the archive's state is the newest there is; too many of them are no chance.
fn catch_up(
    work: &Work<'_>,
    listing: &Listing,
    behind: &[String],
    holding: &mut Holding,
    packages: &mut BTreeMap<String, Vec<Advisory>>,
) -> Result<()> {
    let fetched = records::fetch(work, listing, behind)?;
    let hollow = fetched.iter().filter(|one| one.record.is_none()).count();
    if hollow > 0 {
        let what = format!(
            "{}: {hollow} of its records are not there",
            work.shown(LIST)
        );
        if hollow > HOLLOW_LIMIT.max(listing.0.len() / 100) {
            archive::forget(work);
            return Err(Error::conflict(what)
                .hint("the mirror is not whole; run again later, or ask OSV itself"));
        }
        work.world.terminal.warn(&what);
    }
    let mut later = Vec::new();
    for one in fetched {
        match holding.records.get_mut(&one.id) {
            Some(held) if one.record.is_none() => held.stamp = one.stamp,
            _ => later.push(one),
        }
    }
    if !later.is_empty() {
        holding.apply(packages, work.ecosystem, later, &BTreeSet::new());
    }
    Ok(())
}

/// The stamp of the record that was changed last.
fn newest(holding: &Holding) -> Option<String> {
    let stamps = holding.records.values();
    let stamps = stamps.filter_map(|held| held.stamp.parse::<jiff::Timestamp>().ok());
    stamps.max().map(|stamp| stamp.to_string())
}

fn save(work: &Work<'_>, made: &Made, before: u64, said: &str) -> Result<Said> {
    let after = made.holding.count(Status::Held);
    let path = work.folder.join(index::file_name(work.ecosystem));
    sync::require_no_loss(before, after, &made.holding.source, path.as_str())
        .inspect_err(|_| archive::forget(work))?;
    if after == 0 || made.packages.is_empty() {
        archive::forget(work);
        let what = format!(
            "{}: no advisory for {}",
            made.holding.source, work.ecosystem
        );
        return Err(Error::failure(what).hint("is the address right, and is the mirror whole?"));
    }
    kept::save(work, made)?;
    archive::forget(work);
    Ok(Said::Done(format!(
        "{}: {after} advisories, {said}",
        work.ecosystem
    )))
}
