//! Searches an index.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::map::{self, Bytes};
use super::{CHECKED_FROM, CHECKSUM_AT, FORMAT, HEADER, MAGIC, ROW, file_name};
use crate::advisory::record::normal_name;
use crate::advisory::{Advisory, Provenance, UPDATE};
use crate::error::{Error, Result};
use crate::lockfile::Ecosystem;

/// An index that was opened, found whole, and holds advisories.
#[derive(Debug)]
pub struct Index {
    bytes: Bytes,
    path: Utf8PathBuf,
    ecosystem: Ecosystem,
    provenance: Provenance,
    packages: usize,
    rows: usize,
    data: usize,
}

impl Index {
    /// Opens the index of an ecosystem in a folder.
    ///
    /// # Errors
    /// It is missing, cut off, damaged, of another format or empty: each [`Kind::Database`] with
    /// a message of its own.
    ///
    /// [`Kind::Database`]: crate::error::Kind::Database
    pub fn open(folder: &Utf8Path, ecosystem: Ecosystem) -> Result<Index> {
        let path = folder.join(file_name(ecosystem));
        match map::map(&path) {
            Ok(bytes) => Index::check(bytes, path, ecosystem),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Err(refused(format!(
                "no advisories for {ecosystem}: {path} is missing"
            ))),
            Err(cause) => Err(refused(format!("cannot read {path}: {cause}"))),
        }
    }

    /// Takes bytes for an index. `path` names it in errors.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn of_bytes(bytes: Vec<u8>, path: &Utf8Path, ecosystem: Ecosystem) -> Result<Index> {
        Index::check(Bytes::Owned(bytes), path.to_owned(), ecosystem)
    }

    fn check(bytes: Bytes, path: Utf8PathBuf, ecosystem: Ecosystem) -> Result<Index> {
        check_header(&bytes, &path)?;
        let broken = || refused(format!("{path} is damaged: its parts do not fit"));
        let about = number(&bytes, 24).ok_or_else(broken)?;
        let packages = number(&bytes, 28).ok_or_else(broken)?;
        let rows = HEADER.checked_add(about).ok_or_else(broken)?;
        let about = bytes.get(HEADER..rows).ok_or_else(broken)?;
        let provenance: Provenance = exactly(about).ok_or_else(broken)?;
        let data = packages
            .checked_mul(ROW)
            .and_then(|length| rows.checked_add(length))
            .filter(|data| *data <= bytes.len())
            .ok_or_else(broken)?;
        if provenance.ecosystem != ecosystem.name() {
            return Err(refused(format!(
                "{path} holds advisories for {}, not for {ecosystem}",
                provenance.ecosystem
            )));
        }
        if provenance.records == 0 || packages == 0 {
            return Err(refused(format!("{path} is empty: it holds no advisory")));
        }
        Ok(Index {
            bytes,
            path,
            ecosystem,
            provenance,
            packages,
            rows,
            data,
        })
    }

    /// What is in it, from where, and of when.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Whose packages.
    pub fn ecosystem(&self) -> Ecosystem {
        self.ecosystem
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// All advisories of a package; its name may be in any form.
    ///
    /// # Errors
    /// The index is damaged.
    pub fn lookup(&self, name: &str) -> Result<Vec<Advisory>> {
        let name = normal_name(self.ecosystem, name);
        let (mut low, mut high) = (0, self.packages);
        while low < high {
            let middle = low + (high - low) / 2;
            let (found, block) = self.row(middle).ok_or_else(|| self.broken())?;
            match found.cmp(name.as_bytes()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return self.decode(block),
            }
        }
        Ok(Vec::new())
    }

    /// All advisories of all packages, to make a newer index from.
    ///
    /// # Errors
    /// The index is damaged.
    pub fn all(&self) -> Result<BTreeMap<String, Vec<Advisory>>> {
        (0..self.packages)
            .map(|index| {
                let (name, block) = self.row(index).ok_or_else(|| self.broken())?;
                let name = std::str::from_utf8(name).map_err(|_| self.broken())?;
                Ok((name.to_owned(), self.decode(block)?))
            })
            .collect()
    }

    /// The name and the encoded advisories of a row.
    fn row(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let at = index.checked_mul(ROW)?.checked_add(self.rows)?;
        let slice = |at: usize| {
            let start = self.data.checked_add(number(&self.bytes, at)?)?;
            let end = start.checked_add(number(&self.bytes, at.checked_add(4)?)?)?;
            self.bytes.get(start..end)
        };
        Some((slice(at)?, slice(at.checked_add(8)?)?))
    }

    fn decode(&self, block: &[u8]) -> Result<Vec<Advisory>> {
        exactly(block).ok_or_else(|| self.broken())
    }

    fn broken(&self) -> Error {
        refused(format!("{} is damaged: its parts do not fit", self.path))
    }
}

fn check_header(bytes: &[u8], path: &Utf8Path) -> Result<()> {
    let magic = bytes.get(..MAGIC.len()).unwrap_or(bytes);
    if !MAGIC.starts_with(magic) {
        return Err(refused(format!("{path} is no index of advisories")));
    }
    let cut_off = |length: &str| {
        let found = bytes.len();
        refused(format!("{path} is cut off: {found} bytes of {length}"))
    };
    let (Some(format), Some(checksum), Some(length), Some(checked)) = (
        number(bytes, MAGIC.len()),
        number(bytes, CHECKSUM_AT),
        long(bytes, CHECKED_FROM),
        bytes.get(CHECKED_FROM..).filter(|_| bytes.len() >= HEADER),
    ) else {
        return Err(cut_off("at least 32"));
    };
    if format != FORMAT as usize {
        return Err(refused(format!(
            "{path} is of format {format}; this tool reads format {FORMAT}"
        )));
    }
    match (bytes.len() as u64).cmp(&length) {
        Ordering::Less => return Err(cut_off(&length.to_string())),
        Ordering::Greater => {
            return Err(refused(format!(
                "{path} is damaged: {} bytes, where it says {length}",
                bytes.len()
            )));
        }
        Ordering::Equal => {}
    }
    let found = crc32fast::hash(checked) as usize;
    if found != checksum {
        return Err(refused(format!(
            "{path} is damaged: its checksum is {found:08x}, where it says {checksum:08x}"
        )));
    }
    Ok(())
}

fn refused(message: String) -> Error {
    Error::database(message).hint(UPDATE)
}

/// The value that these bytes encode, with none left over.
fn exactly<'bytes, T: serde::Deserialize<'bytes>>(bytes: &'bytes [u8]) -> Option<T> {
    let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(value)
}

/// The number of four bytes at a place.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?) as usize)
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    let eight = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(eight.try_into().ok()?))
}
