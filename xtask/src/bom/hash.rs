//! Digests of a package's files, as bills of materials write them: hexadecimal. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An algorithm: as lock files, CycloneDX and SPDX call it, and its length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Algorithm {
    /// As lock files and package URLs write it: `sha256`.
    pub lock: &'static str,
    /// As CycloneDX writes it: `SHA-256`.
    pub cyclonedx: &'static str,
    /// As SPDX writes it: `SHA256`.
    pub spdx: &'static str,
    bytes: usize,
}

const ALGORITHMS: [Algorithm; 5] = [
    algorithm("md5", "MD5", "MD5", 16),
    algorithm("sha1", "SHA-1", "SHA1", 20),
    algorithm("sha256", "SHA-256", "SHA256", 32),
    algorithm("sha384", "SHA-384", "SHA384", 48),
    algorithm("sha512", "SHA-512", "SHA512", 64),
];

const fn algorithm(
    lock: &'static str,
    cyclonedx: &'static str,
    spdx: &'static str,
    bytes: usize,
) -> Algorithm {
    Algorithm {
        lock,
        cyclonedx,
        spdx,
        bytes,
    }
}

/// One digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash {
    /// How it was computed.
    pub algorithm: Algorithm,
    /// Its lower-case hexadecimal digits.
    pub hex: String,
}

/// The digests of one version of a package.
pub struct Digests<'hash> {
    /// Digests of the one file there is: at most one for each algorithm.
    pub whole: Vec<&'hash Hash>,
    /// Digests of several files (wheels for several platforms) of which one is installed.
    pub choice: Vec<&'hash Hash>,
}

/// The digests in a lock file's text: `sha256:` and hexadecimal digits, or Subresource Integrity
/// (`sha512-` and base64, several with spaces). What is neither is no digest, and left out.
pub fn read(text: &str) -> Vec<Hash> {
    text.split_ascii_whitespace().filter_map(one).collect()
}

fn one(text: &str) -> Option<Hash> {
    let place = text.find([':', '-'])?;
    let (name, value) = text.split_at(place);
    let algorithm = ALGORITHMS
        .into_iter()
        .find(|one| one.lock.eq_ignore_ascii_case(name))?;
    let hex = match value.strip_prefix(':') {
        Some(digits) => digits.to_ascii_lowercase(),
        None => hexadecimal(value.strip_prefix('-')?.split('?').next()?)?,
    };
    let whole = hex.len() == algorithm.bytes * 2;
    let digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    (whole && digits).then_some(Hash { algorithm, hex })
}

fn hexadecimal(base64: &str) -> Option<String> {
    let mut hex = String::new();
    for byte in STANDARD.decode(base64).ok()? {
        write!(hex, "{byte:02x}").ok()?;
    }
    Some(hex)
}

/// Tells the digests of one file from those of several files: a reader holds a file against all
/// digests that a component has.
pub fn sort(hashes: &BTreeSet<Hash>) -> Digests<'_> {
    let mut counts: BTreeMap<Algorithm, usize> = BTreeMap::new();
    for hash in hashes {
        *counts.entry(hash.algorithm).or_default() += 1;
    }
    let single = |hash: &&Hash| counts.get(&hash.algorithm) == Some(&1);
    let (whole, choice) = hashes.iter().partition(single);
    Digests { whole, choice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_in_both_forms() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let hashes = read(text);
            let found: Vec<_> = hashes
                .iter()
                .map(|hash| (hash.algorithm.cyclonedx, hash.hex.as_str()))
                .collect();
            assert_eq!(found, expected, "{text}");
        };
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let integrity = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        check(&format!("sha256:{empty}"), &[("SHA-256", empty)]);
        check(
            &format!("SHA256:{}", empty.to_uppercase()),
            &[("SHA-256", empty)],
        );
        check(integrity, &[("SHA-256", empty)]);
        check(&format!("{integrity}?ct=x"), &[("SHA-256", empty)]);
        let sha1 = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
        let digits = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        let both = format!("{sha1} {integrity}");
        check(&both, &[("SHA-1", digits), ("SHA-256", empty)]);
        for odd in [
            "",
            "sha256:",
            "sha256:00",
            "sha512-AAAA",
            "crc:00",
            "sha256-ü",
            "-",
            ":",
        ] {
            check(odd, &[]);
        }
    }

    #[test]
    fn several_digests_of_one_algorithm_are_several_files() {
        let hash = |digit: &str| read(&format!("sha256:{}", digit.repeat(64)));
        let one: BTreeSet<Hash> = hash("a").into_iter().collect();
        assert_eq!((sort(&one).whole.len(), sort(&one).choice.len()), (1, 0));
        let two: BTreeSet<Hash> = hash("a").into_iter().chain(hash("b")).collect();
        assert_eq!((sort(&two).whole.len(), sort(&two).choice.len()), (0, 2));
    }
}
