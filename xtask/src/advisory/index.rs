//! One ecosystem's advisories in one file that is searched where it lies.
//!
//! All numbers are little-endian. A header of 32 bytes, then what its CRC also covers:
//!
//! | bytes | what |
//! |---|---|
//! | 0–7 | `XTASKADV` |
//! | 8–11 | the version of this format |
//! | 12–15 | the CRC-32 of everything behind it |
//! | 16–23 | the length of the whole file |
//! | 24–27 | the length of the provenance |
//! | 28–31 | the number of packages |
//! | | the provenance (postcard) |
//! | | a row of 16 bytes for each package, sorted by name: where its name and its advisories begin, counted from behind the rows, and how long they are |
//! | | names and advisories (postcard) |
//!
//! Every position that is read from the file is checked against its length: a damaged index is
//! an error, never a panic and never an empty answer.

mod map;
mod read;
mod write;

pub use read::Index;
pub use write::write;

use crate::lockfile::Ecosystem;

const MAGIC: &[u8; 8] = b"XTASKADV";
/// Goes up whenever anything that is written changes its form or its meaning, also that of keys.
const FORMAT: u32 = 1;
/// Where the CRC stands, and where what it covers begins.
const CHECKSUM_AT: usize = 12;
const CHECKED_FROM: usize = 16;
const HEADER: usize = 32;
const ROW: usize = 16;

/// The file name of an ecosystem's index.
pub fn file_name(ecosystem: Ecosystem) -> String {
    format!("{ecosystem}.index")
}

#[cfg(test)]
mod tests;
