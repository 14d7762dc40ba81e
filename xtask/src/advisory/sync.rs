//! What has to be fetched so that an index is up to date with OSV's archives. Pure.
//!
//! OSV publishes, for each ecosystem, an archive of all records and a list of when each record
//! was last changed. What we have of that list, and whether each record is in our index, is kept
//! beside the index; the difference of two lists is what has changed.

mod holding;
mod listing;

use std::collections::BTreeSet;

pub use holding::{FORM, Fetched, Held, Holding, Status};
pub use listing::{Listing, is_id, read as read_listing};

use jiff::Timestamp;

use crate::error::{Error, Result};

/// What brings a holding up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is up to date.
    None,
    /// These records are new or were changed, and those are gone.
    Some {
        /// The ids to fetch, sorted.
        fetch: Vec<String>,
        /// The ids to take out.
        remove: BTreeSet<String>,
    },
    /// So much that the whole archive is less work: so many records.
    Whole(usize),
}

/// What has changed since the list of which `holding` knows. More than `limit` records are not
/// worth to be fetched one by one, and that so many are gone is not to be believed of the list
/// alone.
pub fn change(holding: &Holding, listing: &Listing, limit: usize) -> Change {
    let is_new = |(id, stamp): &(&String, &String)| {
        let held = holding.records.get(*id);
        held.is_none_or(|held| held.stamp != **stamp)
    };
    let fetch: Vec<String> = (listing.0.iter().filter(is_new))
        .map(|(id, _)| id.clone())
        .collect();
    let is_gone = |id: &&String| !listing.0.contains_key(*id);
    let remove: BTreeSet<String> = holding.records.keys().filter(is_gone).cloned().collect();
    match fetch.len().saturating_add(remove.len()) {
        0 => Change::None,
        count if count > limit => Change::Whole(count),
        _ => Change::Some { fetch, remove },
    }
}

/// The records that an archive has not, or has in an older state than the list says. Those that
/// are in it get the stamps of the list.
///
/// Stamps are compared by whole seconds, because a record may be written with fewer digits than
/// the list.
pub fn behind(holding: &mut Holding, listing: &Listing) -> Vec<String> {
    let mut behind = Vec::new();
    for (id, stamp) in &listing.0 {
        match holding.records.get_mut(id) {
            Some(held) if !is_older(&held.stamp, stamp) => held.stamp.clone_from(stamp),
            _ => behind.push(id.clone()),
        }
    }
    behind
}

fn is_older(held: &str, listed: &str) -> bool {
    let second = |stamp: &str| stamp.parse::<Timestamp>().map(Timestamp::as_second).ok();
    second(held) < second(listed)
}

/// Refuses a database that would lose more than half of its records: such an archive is broken
/// or not the right one.
///
/// # Errors
/// As said; `source` and `index` are named.
pub fn require_no_loss(before: u64, after: u64, source: &str, index: &str) -> Result<()> {
    if after >= before.div_ceil(2) {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "{source}: {after} advisories, where {index} has {before}; the index stays as it is"
    ))
    .hint("is the address right, and is the mirror whole?")
    .hint(format!(
        "if the advisories are really gone: rm {index}, and run again"
    )))
}

#[cfg(test)]
mod tests;
