//! A source archive written anew, so that the same files are the same bytes. Pure.
//!
//! Some back ends leave the building machine's times, owners and order of files in it. Names,
//! contents and whether a file is executable stay; everything else is that of the commit.
//!
//! Source: PyPA "Source distribution format", POSIX.1-2001 `pax`, RFC 1952.

use std::io::{Read, Write};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Archive, Builder, EntryType, Header, HeaderMode};

use crate::error::{Context, Error, Result};

/// No source archive of a Python package is larger once it is inflated.
const LIMIT: u64 = 1 << 30;

/// One entry, ready to be written.
struct Entry {
    path: String,
    kind: EntryType,
    link: Option<String>,
    executable: bool,
    content: Vec<u8>,
}

/// Writes the archive anew; `name` names it in errors.
///
/// # Errors
/// Not a gzip-compressed tar file, too large, or an entry that no package needs (a device).
pub fn rewrite(name: &str, bytes: &[u8], epoch: i64) -> Result<Vec<u8>> {
    let mut entries = read(name, bytes)?;
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    let time = u64::try_from(epoch).unwrap_or(0);
    let seconds = u32::try_from(epoch).unwrap_or(0);
    let packed = GzBuilder::new()
        .mtime(seconds)
        .operating_system(255)
        .write(Vec::new(), Compression::new(9));
    let mut builder = Builder::new(packed);
    builder.mode(HeaderMode::Deterministic);
    for entry in &entries {
        write(&mut builder, entry, time).doing(|| format!("write {} of {name}", entry.path))?;
    }
    let packed = builder
        .into_inner()
        .and_then(flate2::write::GzEncoder::finish);
    packed.doing(|| format!("write {name}"))
}

fn read(name: &str, bytes: &[u8]) -> Result<Vec<Entry>> {
    let mut inflated = Vec::new();
    GzDecoder::new(bytes)
        .take(LIMIT + 1)
        .read_to_end(&mut inflated)
        .doing(|| format!("inflate {name}"))?;
    if inflated.len() as u64 > LIMIT {
        return Err(Error::refused(format!(
            "{name} has more than {LIMIT} bytes once it is inflated"
        )));
    }
    let mut archive = Archive::new(inflated.as_slice());
    let mut entries = Vec::new();
    for entry in archive.entries().doing(|| format!("read {name}"))? {
        let mut entry = entry.doing(|| format!("read {name}"))?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        let is_known = matches!(
            kind,
            EntryType::Regular | EntryType::Directory | EntryType::Symlink | EntryType::Link
        );
        if !is_known {
            return Err(Error::refused(format!(
                "{name}: {path:?} is neither a file nor a folder nor a link"
            )));
        }
        let mode = entry.header().mode().doing(|| format!("read {name}"))?;
        let link = entry
            .link_name_bytes()
            .map(|link| String::from_utf8_lossy(&link).into_owned());
        let mut content = Vec::new();
        entry
            .read_to_end(&mut content)
            .doing(|| format!("read {path} of {name}"))?;
        entries.push(Entry {
            path,
            kind,
            link,
            executable: mode & 0o100 != 0,
            content,
        });
    }
    Ok(entries)
}

fn write(builder: &mut Builder<impl Write>, entry: &Entry, time: u64) -> std::io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(entry.kind);
    header.set_mode(
        match entry.executable || entry.kind == EntryType::Directory {
            true => 0o755,
            false => 0o644,
        },
    );
    header.set_mtime(time);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(entry.content.len() as u64);
    match &entry.link {
        Some(link) => builder.append_link(&mut header, &entry.path, link),
        None => builder.append_data(&mut header, &entry.path, entry.content.as_slice()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(time: u64, reversed: bool) -> Vec<u8> {
        let packed = GzBuilder::new()
            .mtime(u32::try_from(time).unwrap())
            .filename("a.tar")
            .write(Vec::new(), Compression::fast());
        let mut builder = Builder::new(packed);
        let long = format!("a-1/{}/ü.py", "long".repeat(40));
        let mut files = vec![
            ("a-1/PKG-INFO", 0o600),
            (long.as_str(), 0o644),
            ("a-1/run", 0o700),
        ];
        if reversed {
            files.reverse();
        }
        for (path, mode) in files {
            let mut header = Header::new_gnu();
            header.set_mode(mode);
            header.set_mtime(time);
            header.set_uid(time);
            header.set_size(4);
            builder
                .append_data(&mut header, path, &b"text"[..])
                .unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn times_owners_and_order_do_not_count() {
        let one = rewrite("a", &archive(10, false), 7).unwrap();
        let other = rewrite("a", &archive(20, true), 7).unwrap();
        assert_eq!(one, other);
        assert_eq!(rewrite("a", &one, 7).unwrap(), one, "written anew once");
        let entries = read("a", &one).unwrap();
        let found: Vec<(&str, bool)> = entries
            .iter()
            .map(|entry| (entry.path.as_str(), entry.executable))
            .collect();
        let long = format!("a-1/{}/ü.py", "long".repeat(40));
        assert_eq!(
            found,
            [
                ("a-1/PKG-INFO", false),
                (long.as_str(), false),
                ("a-1/run", true)
            ]
        );
        assert!(entries.iter().all(|entry| entry.content == b"text"));
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        assert!(rewrite("a", b"not gzip", 7).is_err());
        let bytes = archive(1, false);
        assert!(rewrite("a", bytes.get(..bytes.len() / 2).unwrap(), 7).is_err());
    }
}
