//! Fetches single records, some at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Work;
use crate::advisory::record;
use crate::advisory::sync::{Fetched, Listing};
use crate::artifact::Digest;
use crate::error::{Error, Result};
use crate::world::remote::{Remote, Request, unexpected};

/// How many are asked for at the same time.
const READERS: usize = 4;

/// The largest record: OSV's largest ones have some megabytes.
const RECORD_LIMIT: u64 = 16 << 20;

/// Does `work` for every item, some at a time, and gives the results in the order of the items.
///
/// # Errors
/// The first that comes up; nothing more is then begun.
pub fn each<Item: Sync, Done: Send>(
    items: &[Item],
    work: impl Fn(&Item) -> Result<Done> + Sync,
) -> Result<Vec<Done>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let reader = || -> Result<()> {
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else {
                break;
            };
            let result = work(item).inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((number, result));
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS.min(items.len()))
            .map(|_| scope.spawn(reader))
            .collect();
        let ended = readers.into_iter().map(|reader| {
            let ended = reader.join();
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        // All are waited for before the first error is told.
        let ended: Vec<Result<()>> = ended.collect();
        ended.into_iter().collect::<Result<()>>()
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

/// Fetches the records of these ids.
///
/// # Errors
/// One of them cannot be fetched or is not what it should be. A record that is not there is no
/// error.
pub fn fetch(work: &Work<'_>, listing: &Listing, ids: &[String]) -> Result<Vec<Fetched>> {
    let count = AtomicUsize::new(0);
    each(ids, |id| {
        let number = count.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let of = ids.len();
        let what = format!("{}: record {number} of {of}", work.ecosystem);
        work.step.now(&what);
        let path = work.path(&format!("{id}.json"));
        let stamp = listing.0.get(id).cloned().unwrap_or_default();
        let record = match text(work.remote, &path)? {
            None => None,
            Some(bytes) => {
                let shown = work.remote.shown(&path);
                let record = record::read(&bytes, &shown)?;
                require_id(&record.id, id, &shown)?;
                Some((record, Digest::of(&bytes)))
            }
        };
        Ok(Fetched {
            id: id.clone(),
            stamp,
            record,
        })
    })
}

/// The text of a record; `None` when there is none.
///
/// # Errors
/// It cannot be fetched.
pub fn text(remote: &Remote<'_>, path: &str) -> Result<Option<Vec<u8>>> {
    let request = Request {
        path,
        ..Request::default()
    };
    let answer = remote.fetch(request, RECORD_LIMIT)?;
    match answer.status {
        200 => Ok(Some(answer.bytes)),
        404 | 410 => Ok(None),
        status => Err(unexpected(&remote.shown(path), status)),
    }
}

/// Requires that a record is the one that was asked for.
///
/// # Errors
/// It is another.
pub fn require_id(found: &str, asked: &str, shown: &str) -> Result<()> {
    match found == asked {
        true => Ok(()),
        false => {
            let what = format!("{shown}: the record {found}, not {asked}");
            Err(Error::failure(what).hint("is the address right, and is the mirror whole?"))
        }
    }
}
