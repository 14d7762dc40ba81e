//! Downloads the archive of an ecosystem: into a file beside the index that a later run goes on
//! with, and checked before anybody reads it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Work;
use crate::error::{Context, Error, Result};
use crate::world::files;
use crate::world::remote::{Headers, Opened, Request, Trouble, checksum, unexpected};
use crate::world::terminal::size;

/// The archive's name in the folder of its ecosystem.
pub const NAME: &str = "all.zip";

/// Ten times the largest archive.
const LIMIT: u64 = 4 << 30;

/// What every zip archive begins with, and an empty one.
const BEGINNINGS: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// An archive that is whole.
#[derive(Debug)]
pub struct Archive {
    /// Where it is.
    pub path: Utf8PathBuf,
    /// Its sha256.
    pub digest: String,
    /// When it was made, if the server says so.
    pub date: Option<String>,
}

/// Of which archive the beginning is there.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    url: String,
    etag: String,
}

/// Downloads the archive, or what is missing of it.
///
/// # Errors
/// It cannot be fetched, or is not what the server says that it is.
pub fn download(work: &Work<'_>) -> Result<Archive> {
    let (path, part) = (work.path(NAME), work.part());
    let attempt = || attempt(work, &path, &part);
    let headers = work.remote.persist(&path, attempt)?;
    let (digest, found, beginning) = examine(&part)?;
    let wrong = |what: String| {
        forget(work);
        let what = format!("{}: {what}", work.shown(NAME));
        Error::failure(what).hint("run again, and it is fetched anew")
    };
    if !BEGINNINGS.iter().any(|one| beginning.starts_with(one)) {
        let error = wrong("no zip archive".to_owned());
        return Err(error.hint("does a proxy answer in its place?"));
    }
    let stated = headers.get("x-goog-hash");
    let stated = stated.and_then(|header| checksum::stated(&header));
    if let Some(stated) = stated.filter(|stated| *stated != found) {
        return Err(wrong(format!(
            "its checksum is {found:08x}, where the server says {stated:08x} (CRC-32C)"
        )));
    }
    let date = headers.get("last-modified").and_then(|text| {
        let parser = jiff::fmt::rfc2822::DateTimeParser::new();
        parser.parse_timestamp(text.trim()).ok()
    });
    Ok(Archive {
        path: part,
        digest,
        date: date.map(|date| date.to_string()),
    })
}

/// Removes what was downloaded.
pub fn forget(work: &Work<'_>) {
    let part = work.part();
    // What cannot be removed is only fetched in vain, or not at all.
    drop(std::fs::remove_file(note_path(&part)));
    drop(std::fs::remove_file(&part));
}

fn note_path(part: &Utf8Path) -> Utf8PathBuf {
    part.with_extension("part.json")
}

/// How much of which archive is there.
fn beginning(part: &Utf8Path, url: &str) -> Option<(u64, Note)> {
    let note: Note = serde_json::from_slice(&files::read(&note_path(part)).ok()?).ok()?;
    let length = part.metadata().ok()?.len();
    (note.url == url && length > 0).then_some((length, note))
}

/// One attempt: asks for what is missing and adds it to what is there.
fn attempt(work: &Work<'_>, path: &str, part: &Utf8Path) -> std::result::Result<Headers, Trouble> {
    let url = work.shown(NAME);
    let known = beginning(part, &url);
    let opened = ask(work, path, known.as_ref())?;
    let media_type = opened.headers.get("content-type").unwrap_or_default();
    if media_type.to_ascii_lowercase().starts_with("text/html") && opened.status < 300 {
        return Err(Trouble::last("a page, where an archive was to be"));
    }
    let (start, total) = match (opened.status, known) {
        (200, _) => {
            begin(part, &url, &opened.headers).map_err(Trouble::error)?;
            (0, opened.headers.length())
        }
        (206, Some((length, note))) => {
            let range = opened.headers.get("content-range").unwrap_or_default();
            let etag = opened.headers.get("etag");
            let same = etag.is_none_or(|etag| etag == note.etag);
            let total = range_total(&range, length).filter(|_| same);
            if total.is_none() {
                forget(work);
                let what = "answers with another part than was asked for";
                return Err(Trouble::passing(what));
            }
            (length, total)
        }
        (206 | 416, _) => {
            forget(work);
            return Err(Trouble::passing("has not the part that was asked for"));
        }
        (status, _) => return Err(Trouble::error(unexpected(&url, status))),
    };
    let total = total.ok_or_else(|| Trouble::last("the server does not say how long it is"))?;
    let headers = opened.headers.clone();
    let length = receive(work, part, opened, start, total)?;
    match length == total {
        true => Ok(headers),
        false => Err(Trouble::passing(format!(
            "cut off: {length} of {total} bytes"
        ))),
    }
}

fn ask(
    work: &Work<'_>,
    path: &str,
    known: Option<&(u64, Note)>,
) -> std::result::Result<Opened, Trouble> {
    // The checksum is that of the archive as it is stored.
    let mut headers = vec![
        ("accept-encoding", "identity".to_owned()),
        ("cache-control", "no-cache".to_owned()),
    ];
    if let Some((length, note)) = known {
        headers.push(("range", format!("bytes={length}-")));
        headers.push(("if-range", note.etag.clone()));
    }
    let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let headers: Vec<(&str, &str)> = headers.collect();
    work.remote.open(Request {
        path,
        headers: &headers,
        body: None,
    })
}

/// Begins anew, and notes which archive it is. Without a strong name for its state nothing can be
/// added to it later.
fn begin(part: &Utf8Path, url: &str, headers: &Headers) -> Result<()> {
    drop(std::fs::remove_file(note_path(part)));
    File::create(part).doing(|| format!("write {part}"))?;
    let etag = headers.get("etag").filter(|etag| etag.starts_with('"'));
    let Some(etag) = etag else { return Ok(()) };
    let note = Note {
        url: url.to_owned(),
        etag,
    };
    let text = serde_json::to_vec(&note).unwrap_or_default();
    files::write(&note_path(part), &text)
}

/// Adds a body to the file; gives how long the file is then.
fn receive(
    work: &Work<'_>,
    part: &Utf8Path,
    opened: Opened,
    start: u64,
    total: u64,
) -> std::result::Result<u64, Trouble> {
    if total > LIMIT {
        return Err(Trouble::last(format!("more than {}", size(LIMIT))));
    }
    let doing = || format!("write {part}");
    let file = OpenOptions::new().append(true).open(part).doing(doing);
    let mut file = file.map_err(Trouble::error)?;
    let (mut length, mut told) = (start, 0);
    let limit = total.saturating_sub(start);
    work.remote.receive(opened, limit, &mut |chunk| {
        file.write_all(chunk).doing(doing)?;
        length = length.saturating_add(chunk.len() as u64);
        if length >> 20 != told {
            told = length >> 20;
            let (here, all) = (size(length), size(total));
            let what = format!("{}: {here} of {all}", work.ecosystem);
            work.step.now(&what);
        }
        Ok(())
    })?;
    Ok(length)
}

/// The length of the whole, from `bytes 5-9/10`, if the part begins where it should and reaches
/// the end.
fn range_total(range: &str, start: u64) -> Option<u64> {
    let (part, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let total: u64 = total.parse().ok()?;
    (first == start && last.checked_add(1) == Some(total)).then_some(total)
}

/// The digest, the checksum and the beginning of a file.
fn examine(path: &Utf8Path) -> Result<(String, u32, Vec<u8>)> {
    let doing = || format!("read {path}");
    let mut file = File::open(path).doing(doing)?;
    let (mut digest, mut sum) = (Sha256::new(), checksum::Crc32c::default());
    let (mut chunk, mut beginning) = (vec![0; 64 << 10], Vec::new());
    loop {
        let read = file.read(&mut chunk).doing(doing)?;
        let bytes = chunk.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        if beginning.len() < 4 {
            beginning.extend(bytes.iter().take(4));
        }
        digest.update(bytes);
        sum.update(bytes);
    }
    let digits = digest.finalize();
    let digits: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((format!("sha256:{digits}"), sum.value(), beginning))
}

#[cfg(test)]
mod tests {
    use super::range_total;

    #[test]
    fn a_part_must_begin_where_it_should_and_reach_the_end() {
        let check = |range, start, expected| {
            assert_eq!(range_total(range, start), expected, "{range}");
        };
        check("bytes 5-9/10", 5, Some(10));
        check("bytes 4-9/10", 5, None);
        check("bytes 5-8/10", 5, None);
        check("bytes 5-9/*", 5, None);
        check("bytes */10", 5, None);
        check("", 0, None);
        check("bytes 5-18446744073709551615/1", 5, None);
    }
}
