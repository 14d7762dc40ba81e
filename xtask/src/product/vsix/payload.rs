//! What a `.vsix` carries, whatever container it is in: the names and contents of its entries,
//! as one digest. Pure.
//!
//! A marketplace may write the container anew and sign it. What an editor installs from it is
//! the same as long as this digest is.

use std::collections::{BTreeMap, BTreeSet};

use super::container::{self, Entry};
use crate::artifact::Digest;
use crate::error::{Error, Result};
use crate::gate;

/// What a marketplace adds.
const SIGNATURES: &str = ".signature.";

/// The digest of names and contents alone: equal for containers that hold the same files,
/// whoever wrote them. Signatures that a marketplace adds are left out.
pub fn of(entries: &BTreeMap<String, Entry>) -> Digest {
    let lines = entries
        .iter()
        .filter(|(name, _)| !name.starts_with(SIGNATURES))
        // The length keeps a name with a line break in it from looking like two entries.
        .map(|(name, entry)| {
            let content = Digest::of(&entry.content);
            format!("{} {} {name}\n", content.hex(), name.len())
        });
    Digest::of(lines.collect::<String>().as_bytes())
}

/// The same of a container's bytes.
///
/// # Errors
/// Not a sound zip file, or one that names an entry twice: readers disagree on what is in it.
pub fn of_container(bytes: &[u8]) -> Result<Digest> {
    let listed = gate::container::read(bytes).entries;
    let mut names = BTreeSet::new();
    if let Some(twice) = listed.iter().find(|entry| !names.insert(&entry.name)) {
        let name = &twice.shown;
        return Err(Error::failure(format!("the .vsix has two entries {name}")));
    }
    Ok(of(&container::read(bytes)?))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn container(entries: &[(&str, &str)], mode: u32) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().unix_permissions(mode);
        for (name, content) in entries {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn only_names_and_contents_count() {
        let one = container(&[("a", "1"), ("b", "2")], 0o644);
        let digest = of_container(&one).unwrap();
        let check = |entries: &[(&str, &str)], same: bool| {
            let other = container(entries, 0o755);
            assert_ne!(one, other);
            let found = of_container(&other).unwrap();
            assert_eq!(found == digest, same, "{entries:?}");
        };
        check(&[("b", "2"), ("a", "1")], true);
        check(&[(".signature.p7s", "x"), ("a", "1"), ("b", "2")], true);
        check(&[("a", "1"), ("b", "3")], false);
        check(&[("a", "1")], false);
        check(&[("a", "1"), ("c", "2")], false);
        check(&[("a", "1"), ("b", "2"), ("x.signature.", "")], false);
    }

    #[test]
    fn a_line_break_in_a_name_makes_no_second_entry() {
        let of_2 = Digest::of(b"2");
        let merged = format!("a\n{} b", of_2.hex());
        let one = container(&[(&merged, "1")], 0o644);
        let two = container(&[("a", "1"), ("b", "2")], 0o644);
        assert_ne!(of_container(&one).unwrap(), of_container(&two).unwrap());
    }

    #[test]
    fn what_readers_disagree_on_has_no_digest() {
        // The library writes no name twice, so the second name is made one afterwards.
        let mut bytes = container(&[("a-1", "1"), ("a-2", "2")], 0o644);
        for at in 0..bytes.len() - 3 {
            if &bytes[at..at + 3] == b"a-2" {
                bytes[at + 2] = b'1';
            }
        }
        let error = of_container(&bytes).unwrap_err();
        assert!(error.message.contains("two entries a-1"), "{error}");
        of_container(b"no zip").unwrap_err();
    }
}
