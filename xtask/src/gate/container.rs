//! Reads a zip container as its bytes are, and notes everything on which two readers could
//! disagree. Pure; follows PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
//!
//! The `zip` crate gives one view of an archive; the gate needs all of them: what the central
//! directory lists, what the local headers say, and the bytes that neither mentions. It does
//! not inflate anything and does not judge names.

mod records;

use std::ops::Range;

use super::Finding;
use super::entry::{Content, Entry, Kind};
use super::rules::{self, Rule};
use records::{Central, Directory, Local};

/// A container's entries and what is wrong with the container itself.
#[derive(Debug)]
pub struct Container<'bytes> {
    /// What the central directory lists, in its order.
    pub entries: Vec<Entry<'bytes>>,
    /// Findings about the container; paths are entry names, or empty for the whole file.
    pub findings: Vec<Finding>,
}

/// Bit 0: encrypted. Bit 6: strong encryption. Bit 13: masked headers (APPNOTE 4.4.4).
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// Bit 11: the name is UTF-8.
const UTF8: u16 = 1 << 11;
/// Bit 3: sizes and CRC follow in a data descriptor.
const DESCRIPTOR: u16 = 1 << 3;
/// Info-ZIP's Unicode path, which some readers prefer to the name (APPNOTE 4.6.9).
const UNICODE_PATH: u16 = 0x7075;

/// Reads a container. A file that is no zip at all has no entries and one finding.
pub fn read(bytes: &[u8]) -> Container<'_> {
    let mut reading = Reading {
        bytes,
        container: Container {
            entries: Vec::new(),
            findings: Vec::new(),
        },
        spans: Vec::new(),
    };
    match records::directory(bytes) {
        Ok(directory) => reading.all(&directory),
        Err(detail) => reading.find(&rules::BROKEN_CONTAINER, "", detail),
    }
    reading.container
}

struct Reading<'bytes> {
    bytes: &'bytes [u8],
    container: Container<'bytes>,
    /// Which bytes each entry takes, from its local header to the end of its data.
    spans: Vec<(Range<usize>, String)>,
}

impl<'bytes> Reading<'bytes> {
    fn find(&mut self, rule: &'static Rule, path: &str, detail: impl Into<String>) {
        self.container
            .findings
            .push(Finding::new(rule, path, detail));
    }

    fn all(&mut self, directory: &Directory) {
        let mut at = directory.start;
        let mut count = 0;
        while let Some(central) = records::central(self.bytes, at) {
            at = central.end;
            count += 1;
            self.entry(directory, &central);
        }
        if at != directory.end {
            let detail = format!(
                "the central directory breaks off {} bytes before its end",
                directory.end.saturating_sub(at)
            );
            self.find(&rules::BROKEN_CONTAINER, "", detail);
        } else if count != directory.count {
            let detail = format!(
                "the central directory lists {count} entries, its end record says {}",
                directory.count
            );
            self.find(&rules::HEADER_MISMATCH, "", detail);
        }
        if directory.zip64 {
            let detail = "has a ZIP64 end of central directory record";
            self.find(&rules::ZIP64, "", detail);
        }
        self.layout(directory);
    }

    fn entry(&mut self, directory: &Directory, central: &Central<'bytes>) {
        let name = String::from_utf8_lossy(central.name).into_owned();
        if central.flags & UTF8 == 0 && !central.name.is_ascii() {
            let detail = "the name is not ASCII and not marked as UTF-8";
            self.find(&rules::UNSAFE_PATH, &name, detail);
        } else if std::str::from_utf8(central.name).is_err() {
            self.find(&rules::UNSAFE_PATH, &name, "the name is not UTF-8");
        }
        if !central.extra.is_empty() {
            let detail = format!("{} bytes: {}", central.extra.len(), fields(central.extra));
            self.find(&rules::EXTRA_FIELD, &name, detail);
        }
        if !central.comment.is_empty() {
            let detail = format!("a comment of {} bytes", central.comment.len());
            self.find(&rules::STRAY_BYTES, &name, detail);
        }
        let content = self.content(directory, central, &name);
        let kind = kind(central, &name);
        if kind == Kind::Folder && central.size > 0 {
            let detail = format!("a folder that carries {} bytes", central.size);
            self.find(&rules::STRAY_BYTES, &name, detail);
        }
        self.container.entries.push(Entry {
            shown: name.clone(),
            name,
            kind,
            size: central.size,
            content,
        });
    }

    fn content(
        &mut self,
        directory: &Directory,
        central: &Central<'bytes>,
        name: &str,
    ) -> Content<'bytes> {
        let place = usize::try_from(central.offset)
            .ok()
            .and_then(|offset| offset.checked_add(directory.base));
        let local = place.and_then(|place| records::local(self.bytes, place));
        let Some(local) = local else {
            let detail = format!("no local header at offset {}", central.offset);
            self.find(&rules::BROKEN_CONTAINER, name, detail);
            return Content::Unreadable;
        };
        let packed = usize::try_from(central.packed)
            .ok()
            .and_then(|length| local.data.checked_add(length))
            .filter(|end| *end <= directory.start)
            .map(|end| &self.bytes[local.data..end]);
        let Some(packed) = packed else {
            let detail = format!(
                "its {} packed bytes reach into the central directory",
                central.packed
            );
            self.find(&rules::BROKEN_CONTAINER, name, detail);
            return Content::Unreadable;
        };
        let end = self.end(central, &local, local.data + packed.len(), name);
        self.spans.push((local.start..end, name.to_owned()));
        self.agreement(central, &local, name);
        if (central.flags | local.flags) & ENCRYPTED != 0 || central.method == 99 {
            self.find(&rules::ENCRYPTED_ENTRY, name, "the encryption flag is set");
            return Content::Unreadable;
        }
        let crc = central.crc;
        match central.method {
            0 => Content::Stored { packed, crc },
            8 => Content::Deflated { packed, crc },
            other => {
                let detail = format!("method {other} ({})", method(other));
                self.find(&rules::UNSUPPORTED_COMPRESSION, name, detail);
                Content::Unreadable
            }
        }
    }

    /// Where the entry ends: behind its data descriptor, if it has one.
    fn end(&mut self, central: &Central<'_>, local: &Local<'_>, data: usize, name: &str) -> usize {
        if local.flags & DESCRIPTOR == 0 {
            return data;
        }
        match records::descriptor(self.bytes, data, central) {
            Some(end) => end,
            None => {
                let detail = "its data descriptor states another size or CRC-32";
                self.find(&rules::HEADER_MISMATCH, name, detail);
                data
            }
        }
    }

    fn agreement(&mut self, central: &Central<'_>, local: &Local<'_>, name: &str) {
        let deferred = local.flags & DESCRIPTOR != 0;
        // With a data descriptor, sizes and CRC of the local header are zero or right.
        let differs = |here: u64, there: u64| here != there && !(deferred && here == 0);
        let lossy = String::from_utf8_lossy(local.name);
        let detail = if local.name != central.name {
            format!("named `{lossy}` in its local header")
        } else if local.method != central.method {
            format!("method {} here and {} there", central.method, local.method)
        } else if local.flags & !DESCRIPTOR != central.flags & !DESCRIPTOR {
            format!(
                "flags {:#06x} here and {:#06x} there",
                central.flags, local.flags
            )
        } else if differs(local.size, central.size) || differs(local.packed, central.packed) {
            format!("{} bytes here and {} there", central.size, local.size)
        } else if differs(local.crc.into(), central.crc.into()) {
            format!(
                "CRC-32 {:08x} here and {:08x} there",
                central.crc, local.crc
            )
        } else if records::fields(local.extra).any(|(id, _)| id == UNICODE_PATH) {
            "a second name in an extra field of its local header".to_owned()
        } else {
            return;
        };
        self.find(&rules::HEADER_MISMATCH, name, detail);
    }

    /// Walks over the bytes in their order: what overlaps, what nobody mentions.
    fn layout(&mut self, directory: &Directory) {
        let mut spans = std::mem::take(&mut self.spans);
        spans.sort_by_key(|(span, _)| (span.start, span.end));
        let mut at = 0;
        for (span, name) in &spans {
            if span.start < at {
                let detail = format!("shares bytes {}..{} with another entry", span.start, at);
                self.find(&rules::OVERLAPPING_ENTRIES, name, detail);
            } else if span.start > at {
                self.gap(
                    at,
                    span.start,
                    if at == 0 {
                        "before the first entry"
                    } else {
                        "between two entries"
                    },
                );
            }
            at = at.max(span.end);
        }
        let all_found = spans.len() == self.container.entries.len();
        if at < directory.start && all_found {
            // An entry whose place is unknown would show here a second time.
            self.gap(at, directory.start, "before the central directory");
        }
        if directory.end < directory.record {
            self.gap(
                directory.end,
                directory.record,
                "behind the central directory",
            );
        }
        if directory.comment > 0 {
            let detail = format!("an archive comment of {} bytes", directory.comment);
            self.find(&rules::STRAY_BYTES, "", detail);
        }
        if directory.behind < self.bytes.len() {
            self.gap(directory.behind, self.bytes.len(), "behind the archive");
        }
    }

    fn gap(&mut self, from: usize, to: usize, place: &str) {
        let what = if self.bytes[from..to].starts_with(b"PK\x03\x04") {
            ", with an entry that the central directory does not list"
        } else {
            ""
        };
        let detail = format!("{} bytes {place} (offset {from}){what}", to - from);
        self.find(&rules::STRAY_BYTES, "", detail);
    }
}

/// VS Code reads the upper half of the external attributes as a Unix mode whatever the host
/// that made the entry, so this does too.
fn kind(central: &Central<'_>, name: &str) -> Kind {
    match central.attributes >> 16 & 0o170_000 {
        0o100_000 | 0o040_000 | 0 if name.ends_with('/') => Kind::Folder,
        0o100_000 | 0 => Kind::File,
        _ => Kind::Special,
    }
}

fn fields(extra: &[u8]) -> String {
    let name = |(id, _)| match id {
        0x0001 => "ZIP64".to_owned(),
        0x000a => "NTFS times".to_owned(),
        0x5455 => "Unix times".to_owned(),
        0x7875 => "Unix user and group".to_owned(),
        UNICODE_PATH => "Unicode path".to_owned(),
        other => format!("{other:#06x}"),
    };
    let names: Vec<String> = records::fields(extra).map(name).collect();
    if names.is_empty() {
        "not even well-formed".to_owned()
    } else {
        names.join(", ")
    }
}

/// Names of compression methods (APPNOTE 4.4.5).
fn method(number: u16) -> &'static str {
    match number {
        1..=6 => "from the time before deflate",
        9 => "deflate64",
        12 => "bzip2",
        14 => "LZMA",
        93 => "Zstandard",
        95 => "XZ",
        _ => "unknown",
    }
}
