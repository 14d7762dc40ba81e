//! A wheel as it lies in an image: what an installer would write, without one, so that nothing of
//! this machine gets in. Bytes in, files out.
//!
//! Source: PyPA "Binary distribution format" ("Installing a wheel"), "Recording installed
//! projects" and "Entry points specification".

use std::io::{Cursor, Read};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::layer::{Content, Entries, Entry};
use super::{PREFIX, SCRIPTS, SITE_PACKAGES};
use crate::error::{Error, Result};
use crate::product::wheel::inspect;

/// No file of a Python package is larger; a bigger one is an attack or a mistake.
const FILE_LIMIT: u64 = 512 << 20;

/// The files of a wheel by their paths in the image. `file` is the wheel's name, `interpreter` the
/// program that its scripts are run with.
///
/// # Errors
/// Not a wheel, or a path in it that leads elsewhere.
pub fn unpack(file: &str, bytes: &[u8], interpreter: &str) -> Result<Entries> {
    let facts = inspect::wheel(file, bytes)?;
    let information = facts
        .files
        .iter()
        .filter_map(|path| path.split('/').next())
        .find(|folder| folder.ends_with(".dist-info"))
        .unwrap_or_default()
        .to_owned();
    let mut entries = Entries::new();
    for (path, content, is_program) in contents(file, bytes)? {
        if is_compiled(&path) || path == format!("{information}/RECORD") {
            continue;
        }
        let Some((place, kind)) = place(&path, &facts.file_name.0) else {
            return Err(Error::refused(format!(
                "{file}: the path {path:?} leads out of the wheel"
            ))
            .hint("a wheel from elsewhere with such a path is an attack: do not install it"));
        };
        let entry = match kind {
            Kind::Script => Entry::program(with_interpreter(content, interpreter)),
            Kind::Plain if is_program => Entry::program(content),
            Kind::Plain => Entry::file(content),
        };
        entries.insert(place, entry);
    }
    for (name, reference) in &facts.scripts {
        if !is_plain_name(name) {
            return Err(Error::refused(format!(
                "{file}: the console script {name:?} is not the plain name of a file"
            )));
        }
        let script = script(reference, interpreter).ok_or_else(|| {
            Error::refused(format!(
                "{file}: the console script {name} points to {reference:?}, which is no object"
            ))
        })?;
        entries.insert(format!("{SCRIPTS}/{name}"), Entry::program(script));
    }
    let folder = format!("{SITE_PACKAGES}/{information}");
    let installer = Entry::file(b"cargo-xtask\n".to_vec());
    entries.insert(format!("{folder}/INSTALLER"), installer);
    let record = record(&entries, &format!("{information}/RECORD"));
    entries.insert(format!("{folder}/RECORD"), Entry::file(record));
    Ok(entries)
}

/// Puts the files of one distribution to those of others. Those that another has with other bytes
/// are said: of the two an interpreter sees only one, the one that was put in last.
pub fn merge(into: &mut Entries, from: Entries) -> Vec<String> {
    let mut lost = Vec::new();
    for (path, entry) in from {
        match into.get(&path) {
            Some(other) if *other != entry => lost.push(path.clone()),
            _ => {}
        }
        into.insert(path, entry);
    }
    lost
}

/// Files in the top folder that an interpreter reads at its start only from a real site folder.
pub fn start_files(entries: &Entries) -> Vec<&str> {
    let top = entries.keys().filter_map(|path| {
        let name = path.strip_prefix(SITE_PACKAGES)?.strip_prefix('/')?;
        (!name.contains('/') && name.ends_with(".pth")).then_some(name)
    });
    top.collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Script,
}

/// Every file with its path and whether it may be run.
fn contents(file: &str, bytes: &[u8]) -> Result<Vec<(String, Vec<u8>, bool)>> {
    let broken = |cause: &dyn std::fmt::Display| {
        Error::refused(format!("{file} is not a sound zip file: {cause}"))
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|cause| broken(&cause))?;
    let mut contents = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|cause| broken(&cause))?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.name().map_err(|cause| broken(&cause))?.into_owned();
        let is_program = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        let mut content = Vec::new();
        let read = (&mut entry).take(FILE_LIMIT).read_to_end(&mut content);
        read.map_err(|cause| broken(&format!("{name}: {cause}")))?;
        contents.push((name, content, is_program));
    }
    Ok(contents)
}

fn is_compiled(path: &str) -> bool {
    path.ends_with(".pyc") || path.split('/').any(|part| part == "__pycache__")
}

fn is_plain_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0', '\n'])
}

/// Where a file of a wheel goes; `None` when its path is none.
fn place(path: &str, distribution: &str) -> Option<(String, Kind)> {
    if !path.split('/').all(is_plain_name) {
        return None;
    }
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let is_data = first.ends_with(".data") && first.starts_with(distribution);
    if !is_data {
        return Some((format!("{SITE_PACKAGES}/{path}"), Kind::Plain));
    }
    let (scheme, rest) = rest.split_once('/')?;
    Some(match scheme {
        "purelib" | "platlib" => (format!("{SITE_PACKAGES}/{rest}"), Kind::Plain),
        "scripts" => (format!("{SCRIPTS}/{rest}"), Kind::Script),
        "headers" => (
            format!("{PREFIX}/include/{distribution}/{rest}"),
            Kind::Plain,
        ),
        "data" => (format!("{PREFIX}/{rest}"), Kind::Plain),
        _ => return None,
    })
}

/// A script whose first line asks for Python gets the interpreter of the image.
fn with_interpreter(content: Vec<u8>, interpreter: &str) -> Vec<u8> {
    let Some(rest) = content.strip_prefix(b"#!python") else {
        return content;
    };
    let end = rest.iter().position(|byte| *byte == b'\n');
    let rest = &rest[end.unwrap_or(rest.len())..];
    [b"#!", interpreter.as_bytes(), rest].concat()
}

/// The script of an object reference `package.module:object.attribute`.
fn script(reference: &str, interpreter: &str) -> Option<Vec<u8>> {
    let reference = reference.split('[').next().unwrap_or_default().trim();
    let (module, object) = reference.split_once(':')?;
    let (module, object) = (module.trim(), object.trim());
    let is_dotted = |text: &str| {
        let word =
            |part: &str| !part.is_empty() && part.chars().all(|c| c == '_' || c.is_alphanumeric());
        text.split('.').all(word)
    };
    if !is_dotted(module) || !is_dotted(object) {
        return None;
    }
    let first = object.split('.').next().unwrap_or_default();
    let text = format!(
        "#!{interpreter}\nimport sys\n\nfrom {module} import {first}\n\nif __name__ == \
         \"__main__\":\n    sys.exit({object}())\n"
    );
    Some(text.into_bytes())
}

/// RECORD of what was put into the image, by paths from the folder of packages.
fn record(entries: &Entries, own: &str) -> Vec<u8> {
    let mut lines: Vec<String> = Vec::new();
    for (path, entry) in entries {
        let Content::File(bytes) = &entry.content else {
            continue;
        };
        let relative = match path.strip_prefix(SITE_PACKAGES) {
            Some(inside) => inside.trim_start_matches('/').to_owned(),
            None => {
                let outside = path.strip_prefix(PREFIX).unwrap_or(path);
                format!("..{outside}")
            }
        };
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        lines.push(format!(
            "{},sha256={digest},{}\n",
            quoted(&relative),
            bytes.len()
        ));
    }
    lines.push(format!("{},,\n", quoted(own)));
    lines.sort();
    lines.concat().into_bytes()
}

fn quoted(path: &str) -> String {
    match path.contains([',', '"']) {
        true => format!("\"{}\"", path.replace('"', "\"\"")),
        false => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const PYTHON: &str = "/usr/bin/python3.13";

    fn wheel(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        let usual = [
            ("demo-1.dist-info/METADATA", "Name: demo\nVersion: 1\n"),
            ("demo-1.dist-info/RECORD", ""),
            (
                "demo-1.dist-info/entry_points.txt",
                "[console_scripts]\ndemo = demo.cli:App.main\n",
            ),
        ];
        for (name, text) in usual.iter().chain(files) {
            archive.start_file(*name, options).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn text(entries: &Entries, path: &str) -> String {
        match &entries[path].content {
            Content::File(bytes) => String::from_utf8(bytes.clone()).unwrap(),
            Content::Folder => panic!("{path} is a folder"),
        }
    }

    #[test]
    fn every_part_of_a_wheel_has_its_place() {
        let bytes = wheel(&[
            ("demo/__init__.py", ""),
            ("demo/__pycache__/__init__.cpython-313.pyc", "x"),
            ("demo-1.data/purelib/extra.py", "x = 1\n"),
            ("demo-1.data/scripts/tool", "#!python -s\nprint()\n"),
            ("demo-1.data/data/share/demo/a,b.json", "{}"),
            ("other.data/keep.txt", "not the data of this wheel"),
        ]);
        let entries = unpack("demo-1-py3-none-any.whl", &bytes, PYTHON).unwrap();
        let paths: Vec<&str> = entries.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "app/bin/demo",
                "app/bin/tool",
                "app/share/demo/a,b.json",
                "app/site-packages/demo-1.dist-info/INSTALLER",
                "app/site-packages/demo-1.dist-info/METADATA",
                "app/site-packages/demo-1.dist-info/RECORD",
                "app/site-packages/demo-1.dist-info/entry_points.txt",
                "app/site-packages/demo/__init__.py",
                "app/site-packages/extra.py",
                "app/site-packages/other.data/keep.txt",
            ]
        );
        assert_eq!(
            text(&entries, "app/bin/tool"),
            format!("#!{PYTHON}\nprint()\n")
        );
        assert_eq!(entries["app/bin/demo"].mode, 0o755);
        let script = text(&entries, "app/bin/demo");
        assert!(script.starts_with(&format!("#!{PYTHON}\n")), "{script}");
        assert!(script.contains("from demo.cli import App\n"), "{script}");
        assert!(script.contains("sys.exit(App.main())"), "{script}");
        let record = text(&entries, "app/site-packages/demo-1.dist-info/RECORD");
        assert!(record.contains("\n../bin/demo,sha256="), "{record}");
        assert!(
            record.contains("\"../share/demo/a,b.json\",sha256="),
            "{record}"
        );
        assert!(record.contains("demo-1.dist-info/RECORD,,\n"), "{record}");
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        for path in [
            "../../etc/passwd",
            "demo/../../x",
            "/etc/passwd",
            "demo\\x",
            "demo-1.data/scripts/../../x",
            "demo-1.data/unknown/x",
        ] {
            let error = unpack("demo-1-py3-none-any.whl", &wheel(&[(path, "")]), PYTHON);
            let error = error.unwrap_err();
            assert!(error.message.contains("leads out"), "{path}: {error:?}");
        }
    }

    #[test]
    fn what_two_distributions_have_is_said_and_start_files_too() {
        let one = |text: &str| {
            let path = format!("{SITE_PACKAGES}/tests.py");
            Entries::from([(path, Entry::file(text.as_bytes().to_vec()))])
        };
        let mut entries = one("a");
        assert!(merge(&mut entries, one("a")).is_empty());
        assert_eq!(
            merge(&mut entries, one("b")),
            ["app/site-packages/tests.py"]
        );
        let start = format!("{SITE_PACKAGES}/hook.pth");
        entries.insert(start, Entry::file(Vec::new()));
        assert_eq!(start_files(&entries), ["hook.pth"]);
    }
}
