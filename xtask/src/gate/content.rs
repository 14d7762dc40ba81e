//! Judges one entry by its name and content, and everything packed inside of it. Pure.
//!
//! Nested archives are unpacked in memory, as deep as [`DEPTH`] and as far as the budget of
//! their outermost entry reaches; what cannot be looked into is itself a finding.

use std::borrow::Cow;
use std::io::Read;

use super::Finding;
use super::entry::{self, Content, Entry, Kind, Unpacker, Unreadable};
use super::names::{self, Within};
use super::rules::{self, Rule};
use super::sniff::{self, Archive};
use super::{container, secrets};

/// How many archives may lie inside one another. Honest files need two.
const DEPTH: usize = 8;

/// A file to be judged: its place for reports, its bytes, and what it is part of.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The path shown, nested ones like `extension/a.zip!inner/b.py`.
    pub shown: &'a str,
    /// The folded path inside its container, by which it is classified.
    pub folded: &'a str,
    /// What it is part of.
    pub within: Within,
}

/// What came out of an entry and everything inside of it.
#[derive(Debug)]
pub struct Inspection {
    /// Findings, in the order of the content.
    pub findings: Vec<Finding>,
    /// How many more bytes may be unpacked.
    left: u64,
}

impl Inspection {
    /// An inspection that may unpack this many bytes.
    pub fn new(budget: u64) -> Inspection {
        Inspection {
            findings: Vec::new(),
            left: budget,
        }
    }

    fn find(&mut self, rule: &'static Rule, shown: &str, detail: impl Into<String>) {
        self.findings.push(Finding::new(rule, shown, detail));
    }

    /// Judges by name. Call it once for each entry, before its content.
    pub fn name(&mut self, item: Item<'_>) {
        if let Some((rule, detail)) = names::classify(item.folded, item.within) {
            self.find(rule, item.shown, detail);
        }
    }

    /// Judges by content.
    pub fn content(&mut self, item: Item<'_>, bytes: &[u8], depth: usize) {
        let archive = sniff::archive(bytes);
        match archive {
            Some(Archive::Opaque(kind)) => {
                let detail = format!("a {kind} archive, which the gate does not unpack");
                self.find(&rules::OPAQUE_ARCHIVE, item.shown, detail);
            }
            Some(_) if depth >= DEPTH => {
                let detail = format!("more than {DEPTH} archives inside one another");
                self.find(&rules::OPAQUE_ARCHIVE, item.shown, detail);
            }
            Some(Archive::Zip) => self.zip(item, bytes, depth),
            Some(Archive::Tar) => self.tar(item, bytes, depth),
            Some(Archive::Gzip) => self.gzip(item, bytes, depth),
            None => self.plain(item, bytes),
        }
        let starts_as_zip = bytes.starts_with(b"PK");
        if archive == Some(Archive::Zip) && !starts_as_zip {
            // An archive behind other content: the front has to stand for itself.
            self.plain(item, bytes);
        }
    }

    fn plain(&mut self, item: Item<'_>, bytes: &[u8]) {
        for (rule, detail) in secrets::find(bytes) {
            self.find(rule, item.shown, detail);
        }
        let named = self
            .findings
            .iter()
            .any(|finding| finding.path == item.shown);
        if item.within == Within::Wheel || named {
            return;
        }
        let kind = if sniff::is_bytecode(bytes) {
            Some((
                &rules::PYTHON_BYTECODE,
                "begins like Python byte-code".to_owned(),
            ))
        } else if sniff::is_text(bytes) {
            text_kind(item.folded, bytes)
        } else {
            None
        };
        if let Some((rule, detail)) = kind {
            self.find(rule, item.shown, detail);
        }
    }

    fn zip(&mut self, item: Item<'_>, bytes: &[u8], depth: usize) {
        let inner = container::read(bytes);
        if item.within == Within::Extension && is_wheel(&inner.entries) {
            let detail = "a wheel, by its content".to_owned();
            return self.find(&rules::SEVERAL_WHEELS, item.shown, detail);
        }
        if inner.entries.is_empty() && !inner.findings.is_empty() {
            return self.find(
                &rules::OPAQUE_ARCHIVE,
                item.shown,
                inner.findings[0].detail.clone(),
            );
        }
        // Of an inner container only that matters which keeps its content from being seen.
        let hidden = [
            &rules::ENCRYPTED_ENTRY,
            &rules::UNSUPPORTED_COMPRESSION,
            &rules::BROKEN_CONTAINER,
            &rules::STRAY_BYTES,
        ];
        let comment = |finding: &Finding| {
            finding.rule.id == "stray-bytes" && !finding.detail.contains("does not list")
        };
        for finding in &inner.findings {
            if hidden.iter().any(|rule| rule.id == finding.rule.id) && !comment(finding) {
                let shown = nested(item.shown, &finding.path);
                self.find(&rules::OPAQUE_ARCHIVE, &shown, finding.detail.clone());
            }
        }
        let mut unpacker = Unpacker::default();
        for entry in &inner.entries {
            self.inner_entry(item, entry, &mut unpacker, depth);
        }
    }

    fn tar(&mut self, item: Item<'_>, bytes: &[u8], depth: usize) {
        let mut archive = tar::Archive::new(bytes);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(cause) => return self.damaged(item, &cause),
        };
        let mut unpacker = Unpacker::default();
        for entry in entries {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(cause) => return self.damaged(item, &cause),
            };
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = match entry.header().entry_type() {
                kind if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() => {
                    Kind::File
                }
                kind if kind.is_dir() => Kind::Folder,
                _ => Kind::Special,
            };
            let mut content = Vec::new();
            let limit = self.left;
            if let Err(cause) = entry.by_ref().take(limit + 1).read_to_end(&mut content) {
                return self.damaged(item, &cause);
            }
            let entry = Entry {
                shown: name.clone(),
                name,
                kind,
                size: content.len() as u64,
                content: Content::Plain(Cow::Owned(content)),
            };
            self.inner_entry(item, &entry, &mut unpacker, depth);
        }
    }

    fn damaged(&mut self, item: Item<'_>, cause: &std::io::Error) {
        self.find(
            &rules::OPAQUE_ARCHIVE,
            item.shown,
            format!("a damaged archive: {cause}"),
        );
    }

    fn gzip(&mut self, item: Item<'_>, bytes: &[u8], depth: usize) {
        match entry::gunzip(bytes, self.left) {
            Err(cause) => self.unreadable(item.shown, &cause),
            Ok(unpacked) => {
                self.left = self.left.saturating_sub(unpacked.len() as u64);
                if sniff::archive(&unpacked) == Some(Archive::Tar) {
                    // `x.tar.gz!a` reads better than `x.tar.gz!x.tar!a`.
                    return self.content(item, &unpacked, depth + 1);
                }
                let file = item.folded.rsplit('/').next().unwrap_or(item.folded);
                let file = file.strip_suffix(".gz").unwrap_or(file);
                let shown = nested(item.shown, file);
                let inner = Item {
                    shown: &shown,
                    folded: file,
                    within: item.within,
                };
                self.name(inner);
                self.content(inner, &unpacked, depth + 1);
            }
        }
    }

    fn inner_entry(
        &mut self,
        outer: Item<'_>,
        entry: &Entry<'_>,
        unpacker: &mut Unpacker,
        depth: usize,
    ) {
        let shown = nested(outer.shown, &entry.name);
        let folded = names::fold(&entry.name);
        let item = Item {
            shown: &shown,
            folded: &folded,
            within: outer.within,
        };
        self.name(item);
        if entry.kind != Kind::File {
            return;
        }
        match unpacker.read(entry, self.left) {
            Ok(bytes) => {
                self.left -= bytes.len() as u64;
                self.content(item, bytes, depth + 1);
            }
            Err(cause) => self.unreadable(&shown, &cause),
        }
    }

    fn unreadable(&mut self, shown: &str, cause: &Unreadable) {
        match cause {
            Unreadable::Known => {}
            Unreadable::TooLarge(detail) | Unreadable::Bomb(detail) => {
                self.find(&rules::COMPRESSION_BOMB, shown, detail.clone());
            }
            Unreadable::Corrupt(detail) => self.find(&rules::OPAQUE_ARCHIVE, shown, detail.clone()),
        }
    }
}

fn text_kind(folded: &str, bytes: &[u8]) -> Option<(&'static Rule, String)> {
    if sniff::is_notebook(bytes) {
        return Some((&rules::NOTEBOOK, "a notebook, by its content".to_owned()));
    }
    if sniff::is_source_map(bytes) {
        return Some((
            &rules::SOURCE_MAP,
            "a source map, by its content".to_owned(),
        ));
    }
    if let Some(line) = sniff::inline_source_map(bytes) {
        return Some((
            &rules::SOURCE_MAP,
            format!("a source map inside line {line}"),
        ));
    }
    sniff::python(folded, bytes).map(|detail| (&rules::PYTHON_SOURCE, detail))
}

/// Whether a zip archive is a wheel: it has a `*.dist-info/WHEEL` (PyPA binary distribution
/// format, "File contents").
pub fn is_wheel(entries: &[Entry<'_>]) -> bool {
    entries.iter().any(|entry| {
        let folder = entry.name.strip_suffix("/WHEEL");
        folder.is_some_and(|folder| folder.ends_with(".dist-info") && !folder.contains('/'))
    })
}

/// The path of something inside an archive.
fn nested(outer: &str, inner: &str) -> String {
    if inner.is_empty() {
        outer.to_owned()
    } else {
        format!("{outer}!{inner}")
    }
}
