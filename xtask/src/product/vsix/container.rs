//! Writing a `.vsix` container that depends on nothing but its entries and one time. Pure.
//!
//! Source: PKWARE APPNOTE 6.3.10 (4.3.7 local header, 4.3.12 central directory); the rules a
//! registry adds (no extra fields) are those of Open VSX. Entries are sorted by bytes, the two
//! manifest files first; times are UTC; modes 0644 or 0755; sizes stand in the local header.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::payload;
use crate::error::{Error, Result};

/// The entries every container begins with.
pub const MANIFEST_FILES: [&str; 2] = ["[Content_Types].xml", "extension.vsixmanifest"];

/// What is compressed already is stored.
const STORED: [&str; 5] = [".whl", ".png", ".jpg", ".gif", ".zip"];

/// Deflate level, fixed for ever: another level gives other bytes.
const LEVEL: i64 = 9;

/// No extension unpacks to more; one that does is a mistake or an attack.
const CONTENT_LIMIT: u64 = 1 << 30;

/// An entry's content and whether it may be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The inflated bytes.
    pub content: Vec<u8>,
    /// Whether its mode is 0755 instead of 0644.
    pub executable: bool,
}

/// Writes a container anew and proves that every entry kept its content.
///
/// # Errors
/// The container cannot be read, or the new one differs in content.
pub fn rewrite(bytes: &[u8], epoch: i64) -> Result<Vec<u8>> {
    let entries = read(bytes)?;
    let written = write(&entries, epoch)?;
    if payload::of(&read(&written)?) != payload::of(&entries) {
        return Err(Error::failure(
            "the rewritten .vsix differs in content from what vsce packed",
        ));
    }
    assert_plain(&written)?;
    Ok(written)
}

/// All entries of a container by name; folders have none.
///
/// # Errors
/// Not a sound zip file, or one that unpacks to more than 1 GiB.
pub fn read(bytes: &[u8]) -> Result<BTreeMap<String, Entry>> {
    let broken = |cause: &dyn std::fmt::Display| {
        Error::failure(format!("the .vsix is not a sound zip file: {cause}"))
            .hint("package it again: cargo xtask package")
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|cause| broken(&cause))?;
    let mut entries = BTreeMap::new();
    let mut left = CONTENT_LIMIT;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|cause| broken(&cause))?;
        if file.is_dir() {
            continue;
        }
        let executable = file.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        let name = file.name().map_err(|cause| broken(&cause))?.into_owned();
        let mut content = Vec::new();
        (&mut file)
            .take(left + 1)
            .read_to_end(&mut content)
            .map_err(|cause| broken(&format!("{name}: {cause}")))?;
        left = left
            .checked_sub(content.len() as u64)
            .ok_or_else(|| broken(&format!("it unpacks to more than {CONTENT_LIMIT} bytes")))?;
        entries.insert(
            name,
            Entry {
                content,
                executable,
            },
        );
    }
    Ok(entries)
}

/// Writes the entries in their one order.
///
/// # Errors
/// A name too long for the format.
pub fn write(entries: &BTreeMap<String, Entry>, epoch: i64) -> Result<Vec<u8>> {
    let failed = |name: &str, cause: &dyn std::fmt::Display| {
        Error::failure(format!("write {name} into the .vsix: {cause}"))
    };
    let time = dos_time(epoch);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let first = MANIFEST_FILES
        .iter()
        .filter_map(|name| entries.get_key_value(*name));
    let rest = entries
        .iter()
        .filter(|(name, _)| !MANIFEST_FILES.contains(&name.as_str()));
    for (name, entry) in first.chain(rest) {
        let lower = name.to_ascii_lowercase();
        let stored = STORED.iter().any(|end| lower.ends_with(end));
        let options = SimpleFileOptions::default()
            .last_modified_time(time)
            .unix_permissions(if entry.executable { 0o755 } else { 0o644 })
            .large_file(false);
        let options = if stored {
            options.compression_method(CompressionMethod::Stored)
        } else {
            options
                .compression_method(CompressionMethod::Deflated)
                .compression_level(Some(LEVEL))
        };
        writer
            .start_file(name.as_str(), options)
            .map_err(|cause| failed(name, &cause))?;
        writer
            .write_all(&entry.content)
            .map_err(|cause| failed(name, &cause))?;
    }
    let cursor = writer.finish().map_err(|cause| failed("the end", &cause))?;
    Ok(cursor.into_inner())
}

/// DOS date and time (APPNOTE 4.4.6): UTC, from 1980 to 2107, even seconds.
fn dos_time(epoch: i64) -> DateTime {
    let first = jiff::civil::datetime(1980, 1, 1, 0, 0, 0, 0);
    let last = jiff::civil::datetime(2107, 12, 31, 23, 59, 58, 0);
    let time = jiff::Timestamp::from_second(epoch)
        .map_or(first, |stamp| {
            stamp.to_zoned(jiff::tz::TimeZone::UTC).datetime()
        })
        .clamp(first, last);
    let part = |number: i8| u8::try_from(number).expect("a part of a civil time is not negative");
    let year = u16::try_from(time.year()).expect("the year was clamped");
    DateTime::from_date_and_time(
        year,
        part(time.month()),
        part(time.day()),
        part(time.hour()),
        part(time.minute()),
        part(time.second()) & !1,
    )
    .expect("the time was clamped to what DOS can say")
}

/// Walks the raw central directory and the local headers: no extra fields, no data descriptors,
/// no comments, no zip64. The library promises none of this, so it is looked at.
fn assert_plain(bytes: &[u8]) -> Result<()> {
    let wrong = |what: &str| Error::failure(format!("the written .vsix has {what}"));
    let end = bytes
        .len()
        .checked_sub(22)
        .ok_or_else(|| wrong("no end record"))?;
    if bytes[end..].get(..4) != Some(b"PK\x05\x06") {
        return Err(wrong("a comment, or no plain end record"));
    }
    let (count, mut at) = (number(bytes, end + 10, 2), number(bytes, end + 16, 4));
    for _ in 0..count {
        if bytes.get(at..at + 4) != Some(b"PK\x01\x02") {
            return Err(wrong("a zip64 record or a broken central directory"));
        }
        let local = number(bytes, at + 42, 4);
        let extra = number(bytes, at + 30, 2) + number(bytes, local + 28, 2);
        let comment = number(bytes, at + 32, 2);
        let descriptor = number(bytes, at + 8, 2) & 0b1000;
        if extra + comment + descriptor != 0 {
            return Err(wrong("extra fields, comments or data descriptors"));
        }
        at += 46 + number(bytes, at + 28, 2);
    }
    Ok(())
}

/// A little-endian number; bytes that are not there count as zero.
fn number(bytes: &[u8], at: usize, length: usize) -> usize {
    let field = bytes.get(at..at + length).unwrap_or_default();
    field
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> BTreeMap<String, Entry> {
        let entry = |text: &str, executable| Entry {
            content: text.as_bytes().to_vec(),
            executable,
        };
        BTreeMap::from([
            ("extension/b.js".to_owned(), entry("b", false)),
            ("extension/a.sh".to_owned(), entry("a", true)),
            ("extension/w.whl".to_owned(), entry("wheel", false)),
            ("extension.vsixmanifest".to_owned(), entry("m", false)),
            ("[Content_Types].xml".to_owned(), entry("t", false)),
            ("Zebra".to_owned(), entry("z", false)),
        ])
    }

    #[test]
    fn the_two_manifest_files_come_first_and_the_rest_by_bytes() {
        let bytes = write(&entries(), 1_700_000_001).unwrap();
        let archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
        let names = (0..archive.len())
            .filter_map(|index| archive.name_for_index(index)?.ok())
            .collect::<Vec<_>>();
        let expected = [
            "[Content_Types].xml",
            "extension.vsixmanifest",
            "Zebra",
            "extension/a.sh",
            "extension/b.js",
            "extension/w.whl",
        ];
        assert_eq!(names, expected);
        assert_plain(&bytes).unwrap();
    }

    #[test]
    fn a_container_written_by_someone_else_becomes_the_same_bytes() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, entry) in entries().iter().rev() {
            let mode = if entry.executable { 0o775 } else { 0o664 };
            let options = SimpleFileOptions::default().unix_permissions(mode);
            writer.start_file(name.as_str(), options).unwrap();
            writer.write_all(&entry.content).unwrap();
        }
        let foreign = writer.finish().unwrap().into_inner();
        let epoch = 1_700_000_000;
        assert_eq!(
            rewrite(&foreign, epoch).unwrap(),
            write(&entries(), epoch).unwrap()
        );
    }

    #[test]
    fn times_outside_of_what_dos_can_say_are_clamped() {
        let check = |epoch, year, month, second| {
            let time = dos_time(epoch);
            assert_eq!(
                (time.year(), time.month(), time.second()),
                (year, month, second)
            );
        };
        check(0, 1980, 1, 0);
        check(1_700_000_001, 2023, 11, 20);
        check(i64::MAX, 1980, 1, 0);
        check(32_503_680_000, 2107, 12, 58);
    }

    #[test]
    fn truncated_bytes_are_an_error_and_never_a_panic() {
        let bytes = write(&entries(), 0).unwrap();
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err());
            assert!(length < 22 || assert_plain(&bytes[..length]).is_err());
        }
    }
}
