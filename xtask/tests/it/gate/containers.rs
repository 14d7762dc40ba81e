//! Containers that other programs wrote or edited, and bytes that nobody wrote on purpose.

use std::io::{Cursor, Write};

use xtask::gate::container;
use zip::{ZipArchive, ZipWriter};

use super::package::*;
use super::verb::program;

/// A small generator (xorshift, Marsaglia 2003), so that every run tries the same bytes.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

#[test]
fn data_descriptors_are_read_like_sizes_in_headers() {
    let package = Package::correct();
    let mut writer = ZipWriter::new_stream(Vec::new());
    for (name, bytes) in &package.entries {
        writer.start_file(name.as_str(), options()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    assert!(memchr::memmem::find(&bytes, b"PK\x07\x08").is_some());
    assert_eq!(package.judge_bytes(&bytes).text(), "");
}

#[test]
fn zip64_sizes_are_understood_and_reported() {
    let package = Package::correct();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in &package.entries {
        let large = name == "extension/readme.md";
        writer
            .start_file(name.as_str(), options().large_file(large))
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    let report = package.judge_bytes(&writer.finish().unwrap().into_inner());
    assert_eq!(broken(&report), ["extra-field"]);
    assert_eq!(report.findings[0].detail, "20 bytes: ZIP64");
}

/// The crate appends behind the old central directory, which stays where it was.
#[test]
fn source_added_to_the_finished_package_is_found() {
    let package = Package::correct();
    let mut writer = ZipWriter::new_append(Cursor::new(package.bytes())).unwrap();
    writer
        .start_file("extension/python_server/main.py", options())
        .unwrap();
    writer.write_all(b"print()\n").unwrap();
    let report = package.judge_bytes(&writer.finish().unwrap().into_inner());
    assert_eq!(broken(&report), ["stray-bytes", "python-source"]);
}

#[test]
fn source_added_by_the_zip_program_is_found() {
    let Some(zip) = program("zip") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let package = Package::correct();
    std::fs::write(folder.path().join("a.vsix"), package.bytes()).unwrap();
    std::fs::create_dir_all(folder.path().join("extension/sub")).unwrap();
    std::fs::write(
        folder.path().join("extension/sub/main.dat"),
        "#!/usr/bin/python3\nprint()\n",
    )
    .unwrap();
    for (option, expected) in [
        ("-X", &["python-source"][..]),
        ("-q", &["extra-field", "python-source"]),
    ] {
        let file = format!("a{option}.vsix");
        std::fs::copy(folder.path().join("a.vsix"), folder.path().join(&file)).unwrap();
        let done = zip(
            folder.path(),
            &["-qD", option, &file, "extension/sub/main.dat"],
        );
        assert!(done.status.success());
        let bytes = std::fs::read(folder.path().join(&file)).unwrap();
        assert_eq!(
            broken(&package.judge_bytes(&bytes)),
            expected,
            "zip {option}"
        );
    }
}

#[test]
fn an_archive_behind_other_bytes_is_read_with_either_way_of_counting() {
    let package = Package::correct();
    let bytes = package.bytes();
    let front = b"#!/bin/sh\nexit\n";
    let shifted = [&front[..], &bytes].concat();
    let report = package.judge_bytes(&shifted);
    assert_eq!(broken(&report), ["stray-bytes"]);
    assert_eq!(report.entries, package.entries.len());
}

#[test]
fn every_cut_is_refused_and_none_panics() {
    let package = Package::correct();
    let bytes = package.bytes();
    for length in 0..bytes.len() {
        assert!(
            !package.judge_bytes(&bytes[..length]).passes(),
            "the first {length} bytes"
        );
    }
}

#[test]
fn every_changed_byte_of_content_is_refused() {
    let package = Package::correct();
    let bytes = package.bytes();
    let mut archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).unwrap();
        let start = usize::try_from(file.data_start().unwrap()).unwrap();
        // The last byte of a deflate stream may hold padding that nobody reads.
        let end = start + usize::try_from(file.compressed_size()).unwrap() - 1;
        for at in start..end {
            let mut changed = bytes.clone();
            changed[at] ^= 0x55;
            let report = package.judge_bytes(&changed);
            assert!(!report.passes(), "byte {at} of entry {index}");
        }
    }
}

#[test]
fn damage_anywhere_never_panics() {
    let package = Package::correct();
    let bytes = package.bytes();
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2000 {
        let mut changed = bytes.clone();
        for _ in 0..=noise.below(6) {
            // The directory at the end is where a reader believes most of what it reads.
            let from = if noise.below(2) == 0 {
                0
            } else {
                bytes.len() * 3 / 4
            };
            let at = from + noise.below(bytes.len() - from);
            changed[at] = if noise.below(3) == 0 {
                0xff
            } else {
                noise.next().to_le_bytes()[0]
            };
        }
        package.judge_bytes(&changed);
    }
}

#[test]
fn noise_never_panics() {
    let mut noise = Noise(0x2545_f491_4f6c_dd1d);
    let signatures: [&[u8]; 5] = [
        b"PK\x03\x04",
        b"PK\x01\x02",
        b"PK\x05\x06",
        b"PK\x06\x06",
        b"PK\x06\x07",
    ];
    for round in 0..500 {
        let mut bytes: Vec<u8> = (0..noise.below(400))
            .map(|_| noise.next().to_le_bytes()[0])
            .collect();
        for _ in 0..round % 5 {
            let signature = signatures[noise.below(signatures.len())];
            let at = noise.below(bytes.len() + 1);
            bytes.splice(at..at, signature.iter().copied());
        }
        container::read(&bytes);
        let mut package = Package::correct();
        package.add_allowed("extension/media/noise.bin", &bytes);
        package.judge();
    }
}

#[test]
fn damaged_nested_archives_never_panic() {
    let mut noise = Noise(0x1234_5678_9abc_def1);
    let files: &[(&str, &[u8])] = &[("a/b.txt", b"text"), ("c.txt", b"more text")];
    let archives = [zip(files), tar(files), gzip(&tar(files)), gzip(b"text")];
    for _ in 0..150 {
        for archive in &archives {
            let mut changed = archive.clone();
            for _ in 0..=noise.below(4) {
                let at = noise.below(changed.len());
                changed[at] = noise.next().to_le_bytes()[0];
            }
            changed.truncate(changed.len() - noise.below(2) * noise.below(changed.len()));
            let mut package = Package::correct();
            package.add_allowed("extension/media/a.bin", changed);
            package.judge();
        }
    }
}
