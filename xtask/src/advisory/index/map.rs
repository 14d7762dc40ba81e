//! Maps a file into memory: the one place with `unsafe` code.

use std::fs::File;
use std::ops::Deref;

use camino::Utf8Path;
use memmap2::Mmap;

/// The bytes of an index.
#[derive(Debug)]
pub enum Bytes {
    /// Of a file, read by the operating system when they are looked at.
    Mapped(Mmap),
    /// In memory.
    Owned(Vec<u8>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

/// Maps a regular file.
pub fn map(path: &Utf8Path) -> std::io::Result<Bytes> {
    let file = File::open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    if found.len() == 0 {
        return Ok(Bytes::Owned(Vec::new()));
    }
    #[expect(
        unsafe_code,
        reason = "a mapped file must not change while it is read; indexes are only ever replaced \
                  as a whole, by renaming, and never written in place (see `store::save`)"
    )]
    let map = unsafe { Mmap::map(&file) }?;
    Ok(Bytes::Mapped(map))
}
