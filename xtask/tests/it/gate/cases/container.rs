//! Containers that are broken, ambiguous or hold what no list shows.

use super::super::package::*;
use super::Case;
use super::Spoil::{Add, Bytes, Edit, Package as Parts, Remove};
use super::content::PYTHON;

pub const CASES: &[Case] = &[
    (
        "broken-container",
        "not a zip",
        Bytes(|_| b"no zip at all".to_vec()),
    ),
    ("broken-container", "empty", Bytes(|_| Vec::new())),
    (
        "broken-container",
        "cut off",
        Bytes(|bytes| bytes[..bytes.len() / 2].to_vec()),
    ),
    (
        "stray-bytes",
        "before the archive",
        Bytes(|bytes| [b"#!/bin/sh\n".to_vec(), bytes].concat()),
    ),
    (
        "stray-bytes",
        "behind the archive",
        Bytes(|bytes| [bytes, b"more".to_vec()].concat()),
    ),
    (
        "stray-bytes",
        "an archive comment",
        Bytes(|mut bytes| {
            let length = bytes.len();
            bytes[length - 2] = 4;
            bytes.extend(b"note");
            bytes
        }),
    ),
    (
        "stray-bytes",
        "an entry that is not listed",
        Bytes(|_| {
            let mut package = Package::correct();
            package.add("extension/main.py", PYTHON);
            without_last_record(package.bytes())
        }),
    ),
    (
        "header-mismatch",
        "another name in the local header",
        Bytes(|bytes| patch(bytes, LOCAL, 30, b"[content")),
    ),
    (
        "header-mismatch",
        "another CRC in the local header",
        Bytes(|bytes| patch(bytes, LOCAL, 14, b"\x01\x02\x03\x04")),
    ),
    (
        "header-mismatch",
        "another count in the end record",
        Bytes(|bytes| patch(bytes, END, 10, &[3])),
    ),
    (
        "overlapping-entries",
        "one entry inside another",
        Bytes(overlapping),
    ),
    (
        "encrypted-entry",
        "the flag",
        Bytes(|bytes| {
            let at = memchr::memmem::find(&bytes, CENTRAL).unwrap();
            let offset = u32_at(&bytes, at + 42) as usize;
            let mut bytes = bytes;
            bytes[at + 8] |= 1;
            bytes[offset + 6] |= 1;
            bytes
        }),
    ),
    (
        "unsupported-compression",
        "bzip2",
        Bytes(|bytes| {
            let bytes = patch(bytes, CENTRAL, 10, &[12, 0]);
            patch(bytes, LOCAL, 8, &[12, 0])
        }),
    ),
    (
        "corrupt-entry",
        "another CRC in both headers",
        Bytes(|bytes| {
            let bytes = patch(bytes, CENTRAL, 16, b"\x01\x02\x03\x04");
            patch(bytes, LOCAL, 14, b"\x01\x02\x03\x04")
        }),
    ),
    (
        "corrupt-entry",
        "a smaller size in both headers",
        Bytes(|bytes| {
            let bytes = patch(bytes, CENTRAL, 24, &[2, 0, 0, 0]);
            patch(bytes, LOCAL, 22, &[2, 0, 0, 0])
        }),
    ),
    (
        "entry-too-large",
        "over the limit",
        Parts(|package| {
            let noise: Vec<u8> = (0..=package.entry_limit)
                .map(|at| ((at * at) >> 7) as u8 | 128)
                .collect();
            package.add_allowed("extension/media/film.bin", noise);
        }),
    ),
    (
        "total-too-large",
        "over the limit",
        Parts(|package| package.total_limit = 1000),
    ),
    (
        "compression-bomb",
        "zeros",
        Parts(|package| {
            package.entry_limit = 64 << 20;
            package.total_limit = 64 << 20;
            package.add_allowed("extension/media/zeros.bin", vec![0; 8 << 20]);
        }),
    ),
    (
        "compression-bomb",
        "zeros in a nested archive",
        Parts(|package| {
            package.entry_limit = 64 << 20;
            package.total_limit = 64 << 20;
            package.add_allowed(
                "extension/media/a.zip",
                zip(&[("zeros.bin", vec![0; 8 << 20])]),
            );
        }),
    ),
    (
        "compression-bomb",
        "zeros in gzip",
        Parts(|package| {
            package.total_limit = 64 << 20;
            package.add_allowed("extension/media/a.gz", gzip(&vec![0; 8 << 20]));
        }),
    ),
    ("zip64", "an end record", Bytes(with_zip64_end)),
    ("extra-field", "Unix times", Bytes(with_extra_field)),
    (
        "unsafe-path",
        "above the folder",
        Add("extension/../../x.txt", b"x"),
    ),
    ("unsafe-path", "absolute", Add("/etc/x.txt", b"x")),
    ("unsafe-path", "a drive", Add("C:/x.txt", b"x")),
    (
        "unsafe-path",
        "backslashes",
        Add("extension\\media\\x.txt", b"x"),
    ),
    (
        "unsafe-path",
        "an invisible character",
        Add("extension/media/x\u{202e}gnp.txt", b"x"),
    ),
    (
        "duplicate-entry",
        "the license twice",
        Bytes(|_| {
            // The writer refuses this, so a name of the same length is changed behind its back.
            let mut package = Package::correct();
            package.add_allowed("extension/LICENSE.tx_", "Another text.\n");
            let text = package.bytes();
            let mut bytes = text.clone();
            for at in memchr::memmem::find_iter(&text, "LICENSE.tx_") {
                bytes[at + 10] = b't';
            }
            bytes
        }),
    ),
    (
        "colliding-names",
        "another case",
        Add("extension/license.TXT", b"x"),
    ),
    (
        "colliding-names",
        "another normalisation",
        Parts(|package| {
            package
                .add_allowed("extension/media/e\u{301}.png", "x")
                .add("extension/media/\u{e9}.png", "x");
        }),
    ),
    (
        "symlink",
        "a link in a regular entry's place",
        Bytes(|mut bytes| {
            let name = b"extension/media/icon.png";
            let found = |record: &usize| bytes[record + 46..].starts_with(name);
            let record = records(&bytes).into_iter().find(found).unwrap();
            bytes[record + 38..record + 42].copy_from_slice(&(0o120_777_u32 << 16).to_le_bytes());
            bytes
        }),
    ),
    (
        "container-manifest",
        "content types missing",
        Remove("[Content_Types].xml"),
    ),
    (
        "container-manifest",
        "manifest missing",
        Remove("extension.vsixmanifest"),
    ),
    (
        "container-manifest",
        "another version",
        Edit(
            "extension.vsixmanifest",
            "Version=\"1.2.3\"",
            "Version=\"1.2.4\"",
        ),
    ),
];

/// Overwrites bytes of the first record with a signature, at an offset into it.
pub fn patch(mut bytes: Vec<u8>, signature: &[u8], offset: usize, new: &[u8]) -> Vec<u8> {
    let at = memchr::memmem::find(&bytes, signature).unwrap() + offset;
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

pub const LOCAL: &[u8] = b"PK\x03\x04";
pub const CENTRAL: &[u8] = b"PK\x01\x02";
pub const END: &[u8] = b"PK\x05\x06";

pub fn end_record(bytes: &[u8]) -> usize {
    memchr::memmem::rfind(bytes, END).unwrap()
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Puts bytes into a container and moves the offset of its central directory along.
pub fn insert(mut bytes: Vec<u8>, at: usize, new: &[u8]) -> Vec<u8> {
    bytes.splice(at..at, new.iter().copied());
    let end = end_record(&bytes);
    let start = u32_at(&bytes, end + 16);
    if at <= start as usize {
        let moved = start + u32::try_from(new.len()).unwrap();
        bytes[end + 16..end + 20].copy_from_slice(&moved.to_le_bytes());
    }
    bytes
}

pub fn with_zip64_end(bytes: Vec<u8>) -> Vec<u8> {
    let end = end_record(&bytes);
    let count = u64::from(u16::from_le_bytes([bytes[end + 10], bytes[end + 11]]));
    let (size, start) = (u32_at(&bytes, end + 12), u32_at(&bytes, end + 16));
    let mut record = b"PK\x06\x06".to_vec();
    record.extend(44_u64.to_le_bytes());
    record.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [count, count, size.into(), start.into()] {
        record.extend(number.to_le_bytes());
    }
    record.extend(b"PK\x06\x07\0\0\0\0");
    record.extend((end as u64).to_le_bytes());
    record.extend([1, 0, 0, 0]);
    insert(bytes, end, &record)
}

/// Gives the first central record an extra field.
pub fn with_extra_field(bytes: Vec<u8>) -> Vec<u8> {
    let at = memchr::memmem::find(&bytes, CENTRAL).unwrap();
    let name = usize::from(u16::from_le_bytes([bytes[at + 28], bytes[at + 29]]));
    let field = [0x55, 0x54, 5, 0, 1, 0, 0, 0, 0];
    let mut bytes = patch(bytes, CENTRAL, 30, &[9, 0]);
    bytes.splice(at + 46 + name..at + 46 + name, field);
    let end = end_record(&bytes);
    let size = u32_at(&bytes, end + 12) + 9;
    bytes[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
    bytes
}

/// Drops the last record of the central directory: its entry stays in the file, unlisted.
pub fn without_last_record(mut bytes: Vec<u8>) -> Vec<u8> {
    let last = memchr::memmem::rfind(&bytes, CENTRAL).unwrap();
    let end = end_record(&bytes);
    let (count, size) = (
        bytes[end + 10] - 1,
        u32_at(&bytes, end + 12) - u32::try_from(end - last).unwrap(),
    );
    bytes[end + 8] = count;
    bytes[end + 10] = count;
    bytes[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
    bytes.drain(last..end);
    bytes
}

/// A stored entry that carries a whole second entry, local header and all, and a central
/// record of the second that points into it. Nothing is compressed here.
pub fn overlapping(_: Vec<u8>) -> Vec<u8> {
    const INNER: &str = "extension/media/inner.txt";
    let stored = |entries: &[(String, Vec<u8>)]| {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            let stored = options().compression_method(zip::CompressionMethod::Stored);
            writer.start_file(name.as_str(), stored).unwrap();
            std::io::Write::write_all(&mut writer, bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let inner = stored(&[(INNER.to_owned(), b"hidden in another".to_vec())]);
    let inner_end = u32_at(&inner, end_record(&inner) + 16) as usize;
    let mut package = Package::correct();
    let carrier = [b"some text, and then ", &inner[..inner_end]].concat();
    package
        .entries
        .insert(0, (INNER.to_owned(), b"hidden in another".to_vec()));
    package
        .entries
        .insert(0, ("extension/media/carrier.bin".to_owned(), carrier));
    let bytes = stored(&package.entries);
    let locals: Vec<usize> = memchr::memmem::find_iter(&bytes, LOCAL).take(4).collect();
    let [_, copy, real, next] = locals[..] else {
        panic!("carrier, copy, real entry, the next one");
    };
    let mut bytes = cut(bytes, real, next);
    let record = records(&bytes)[1];
    bytes[record + 42..record + 46].copy_from_slice(&u32::try_from(copy).unwrap().to_le_bytes());
    bytes
}

/// The offsets of the records of the central directory.
pub fn records(bytes: &[u8]) -> Vec<usize> {
    let start = u32_at(bytes, end_record(bytes) + 16) as usize;
    let records = memchr::memmem::find_iter(&bytes[start..], CENTRAL);
    records.map(|at| start + at).collect()
}

/// Takes bytes out of the part with the entries and corrects every offset behind them.
pub fn cut(mut bytes: Vec<u8>, from: usize, to: usize) -> Vec<u8> {
    bytes.drain(from..to);
    let gone = u32::try_from(to - from).unwrap();
    let end = end_record(&bytes);
    let start = u32_at(&bytes, end + 16) - gone;
    bytes[end + 16..end + 20].copy_from_slice(&start.to_le_bytes());
    for record in records(&bytes) {
        let place = record + 42;
        let offset = u32_at(&bytes, place);
        if offset as usize >= to {
            bytes[place..place + 4].copy_from_slice(&(offset - gone).to_le_bytes());
        }
    }
    bytes
}
