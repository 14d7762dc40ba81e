//! What the last run left: the index, and beside it what is known of the records behind it.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Made, Work};
use crate::advisory::index::{self, Index};
use crate::advisory::store;
use crate::advisory::sync::{FORM, Holding, Status};
use crate::error::{Error, Result};
use crate::lockfile::Ecosystem;
use crate::world::{World, files};

/// What is there already.
#[derive(Debug)]
pub struct Kept {
    /// How many advisories the index has; 0 when there is none that can be read.
    pub records: u64,
    /// What can be brought up to date.
    pub known: Option<(Holding, Index)>,
}

impl Kept {
    /// Looks at what is there. An index without what belongs to it, or a damaged one, only means
    /// that everything is fetched anew.
    pub fn open(world: &World, folder: &Utf8Path, ecosystem: Ecosystem) -> Kept {
        let nothing = Kept {
            records: 0,
            known: None,
        };
        if !folder.join(index::file_name(ecosystem)).exists() {
            return nothing;
        }
        let index = match Index::open(folder, ecosystem) {
            Ok(index) => index,
            Err(error) => {
                let warning = format!("{}; it is made anew", error.message);
                world.terminal.warn(&warning);
                return nothing;
            }
        };
        Kept {
            records: index.provenance().records,
            known: holding(folder, ecosystem, &index).map(|holding| (holding, index)),
        }
    }
}

/// What is known of the records behind this very index.
fn holding(folder: &Utf8Path, ecosystem: Ecosystem, index: &Index) -> Option<Holding> {
    let bytes = files::read(&path(folder, ecosystem)).ok()?;
    let holding: Holding = serde_json::from_slice(&bytes).ok()?;
    let provenance = index.provenance();
    let fits = holding.schema == FORM
        && holding.digest == provenance.digest
        && holding.source == provenance.source
        && holding.count(Status::Held) == provenance.records;
    fits.then_some(holding)
}

fn path(folder: &Utf8Path, ecosystem: Ecosystem) -> Utf8PathBuf {
    folder.join(format!("{ecosystem}.sync.json"))
}

/// Writes the index, then what belongs to it. A run that ends in between leaves an index that is
/// whole, and the next one fetches everything anew.
///
/// # Errors
/// The folder cannot be written; the old index then stays.
pub fn save(work: &Work<'_>, made: &Made) -> Result<()> {
    let provenance = made.holding.provenance(work.ecosystem, made.date.clone());
    let bytes = index::write(&provenance, &made.packages)?;
    let path = path(work.folder, work.ecosystem);
    let text = serde_json::to_vec(&made.holding)
        .map_err(|cause| Error::failure(format!("write {path}: {cause}")))?;
    work.world.check_interrupted()?;
    store::save(work.folder, work.ecosystem, &bytes)?;
    files::write(&path, &text)
}
