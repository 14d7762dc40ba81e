//! What the gate judges: entries with their content, whether they come from a folder or from a
//! container. Inflating is bounded and checks size and CRC-32. Pure.

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};

/// What kind of thing an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder of its own, as some zip tools write them.
    Folder,
    /// A symbolic link, a device, a pipe or a socket.
    Special,
}

/// One entry of the extension.
#[derive(Debug, Clone)]
pub struct Entry<'bytes> {
    /// The name it has in the container, such as `extension/readme.md`.
    pub name: String,
    /// The path that reports show; on disk it may be spelled otherwise (`README.md`).
    pub shown: String,
    /// What it is.
    pub kind: Kind,
    /// The size it states, in bytes.
    pub size: u64,
    /// Its bytes.
    pub content: Content<'bytes>,
}

/// The bytes of an entry, as they lie in the container.
#[derive(Debug, Clone)]
pub enum Content<'bytes> {
    /// Bytes without a checksum: a file on disk or an entry of a tar archive.
    Plain(Cow<'bytes, [u8]>),
    /// Method 0 of APPNOTE.TXT 4.4.5.
    Stored {
        /// The bytes.
        packed: &'bytes [u8],
        /// Their CRC-32 as stated.
        crc: u32,
    },
    /// Method 8 of APPNOTE.TXT 4.4.5: a raw deflate stream (RFC 1951).
    Deflated {
        /// The stream.
        packed: &'bytes [u8],
        /// The CRC-32 of what it inflates to, as stated.
        crc: u32,
    },
    /// Nothing to look at; why is already a finding.
    Unreadable,
}

/// Why an entry's bytes cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Already reported.
    Known,
    /// More than the limit allows, or more than could ever be honest.
    TooLarge(String),
    /// Inflates out of proportion.
    Bomb(String),
    /// Not what the headers say.
    Corrupt(String),
}

/// Below this size no entry counts as a bomb, whatever its ratio.
const HARMLESS: u64 = 4 << 20;
/// Text seldom deflates to less than a tenth; the format's own maximum is about 1/1032.
const RATIO: u64 = 250;

/// Unpacks entries one after the other into one buffer.
#[derive(Debug)]
pub struct Unpacker {
    inflate: Decompress,
    buffer: Vec<u8>,
}

impl Default for Unpacker {
    fn default() -> Unpacker {
        Unpacker {
            inflate: Decompress::new(false),
            buffer: Vec::new(),
        }
    }
}

impl Unpacker {
    /// The bytes of an entry, checked against what its headers state.
    ///
    /// # Errors
    /// See [`Unreadable`]; never more than `limit` bytes are held.
    pub fn read<'this>(
        &'this mut self,
        entry: &'this Entry<'_>,
        limit: u64,
    ) -> Result<&'this [u8], Unreadable> {
        if entry.size > limit {
            let detail = format!("{} bytes; the limit is {limit}", entry.size);
            return Err(Unreadable::TooLarge(detail));
        }
        match &entry.content {
            Content::Unreadable => Err(Unreadable::Known),
            Content::Plain(bytes) => Ok(bytes),
            Content::Stored { packed, crc } => check(packed, entry.size, *crc),
            Content::Deflated { packed, crc } => self.inflate(packed, entry.size, *crc),
        }
    }

    fn inflate(&mut self, packed: &[u8], size: u64, crc: u32) -> Result<&[u8], Unreadable> {
        if is_bomb(packed.len(), size) {
            let detail = format!("{} bytes state to become {size}", packed.len());
            return Err(Unreadable::Bomb(detail));
        }
        // One byte more than stated, so that a stream that goes on is noticed.
        let room = usize::try_from(size)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        self.buffer.clear();
        self.buffer.reserve(room);
        self.inflate.reset(false);
        let status = self
            .inflate
            .decompress_vec(packed, &mut self.buffer, FlushDecompress::Finish);
        match status {
            Ok(Status::StreamEnd) if self.inflate.total_in() == packed.len() as u64 => {
                check(&self.buffer, size, crc)
            }
            Ok(Status::StreamEnd) => Err(Unreadable::Corrupt(format!(
                "the deflate stream ends after {} of {} bytes",
                self.inflate.total_in(),
                packed.len()
            ))),
            Ok(_) if self.buffer.len() as u64 > size => Err(Unreadable::Corrupt(format!(
                "inflates to more than the stated {size} bytes"
            ))),
            Ok(_) => Err(Unreadable::Corrupt("the deflate stream is cut off".into())),
            Err(_) => Err(Unreadable::Corrupt("not a deflate stream".into())),
        }
    }
}

fn check(bytes: &[u8], size: u64, crc: u32) -> Result<&[u8], Unreadable> {
    if bytes.len() as u64 != size {
        let detail = format!("{} bytes, but {size} are stated", bytes.len());
        return Err(Unreadable::Corrupt(detail));
    }
    let found = crc32fast::hash(bytes);
    if found == crc {
        Ok(bytes)
    } else {
        let detail = format!("CRC-32 {found:08x}, but {crc:08x} is stated");
        Err(Unreadable::Corrupt(detail))
    }
}

/// Whether so few bytes may not become so many.
pub fn is_bomb(packed: usize, size: u64) -> bool {
    size > HARMLESS && size / RATIO > packed as u64
}

/// Inflates a gzip stream (RFC 1952, several members allowed) to at most `limit` bytes.
///
/// # Errors
/// See [`Unreadable`].
pub fn gunzip(packed: &[u8], limit: u64) -> Result<Vec<u8>, Unreadable> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let mut reader = flate2::bufread::MultiGzDecoder::new(packed).take(limit + 1);
    loop {
        // In steps, so that a bomb is noticed long before the limit.
        let step = reader.by_ref().take(HARMLESS).read_to_end(&mut bytes);
        match step {
            Err(cause) => return Err(Unreadable::Corrupt(cause.to_string())),
            Ok(0) => return Ok(bytes),
            Ok(_) if bytes.len() as u64 > limit => {
                let detail = format!("inflates to more than {limit} bytes");
                return Err(Unreadable::TooLarge(detail));
            }
            Ok(_) if is_bomb(packed.len(), bytes.len() as u64) => {
                let detail = format!("{} bytes become more than {}", packed.len(), bytes.len());
                return Err(Unreadable::Bomb(detail));
            }
            Ok(_) => {}
        }
    }
}
