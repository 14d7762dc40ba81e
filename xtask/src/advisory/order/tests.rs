use std::cmp::Ordering;

use super::*;
use crate::advisory::test_data::{Random, shared_records};

/// Each list is in order; what stands in one string with spaces between is equal.
fn check(ecosystem: Ecosystem, ascending: &[&str]) {
    let keys: Vec<Vec<Key>> = ascending
        .iter()
        .map(|equal| equal.split(' ').map(|text| key(ecosystem, text)).collect())
        .collect();
    for (index, equal) in keys.iter().enumerate() {
        let text = ascending[index];
        assert!(equal.iter().all(|key| *key == equal[0]), "{text}");
        if let Some(next) = keys.get(index + 1) {
            assert!(equal[0] < next[0], "{text} < {}", ascending[index + 1]);
        }
    }
}

#[test]
fn python_versions_are_in_the_order_of_pep_440() {
    check(
        Ecosystem::Pypi,
        &[
            "2.10.0-NA",
            "2024-12-04",
            "3.0.0b3-",
            "0.dev0 0.0.0dev",
            "0a1",
            "0 0.0 v0",
            "0+local",
            "0.post0.dev1",
            "0.post0 0-0",
            "1.dev1 1.0.0.dev1",
            "1.0a1.dev1",
            "1.0a1 1.0.alpha.1",
            "1.0a1.post1.dev2",
            "1.0a1.post1",
            "1.0b1",
            "1.0rc1 1c1 1.0-PREVIEW-1",
            "1 1.0 1.0.0 01.00",
            "1.0+abc",
            "1.0+abc.5",
            "1.0+abd",
            "1.0+5 1+05",
            "1.0+5.a",
            "1.0+10",
            "1.0+99999999999999999999999999",
            "1.0.post1 1.0-1 1.rev1",
            "1.0.1",
            "1.1",
            "1.255",
            "1.256",
            "1.65536",
            "1.18446744073709551615",
            "2",
            "10",
            "1!0.1",
        ],
    );
}

#[test]
fn semantic_versions_are_in_the_order_of_semver() {
    let list = [
        "1.0.0.0",
        "latest",
        "0.0.0-0 0-0",
        "0.0.0 0 0.0",
        "0.2.1-0",
        "0.2.1",
        "1.0.0-0",
        "1.0.0-1 1.0.0-01",
        "1.0.0-99999999999999999999999",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11 1.0.0-beta.11+x",
        "1.0.0-rc.1",
        "1.0.0 1.0.0+20130313144700 1 1.0 01.0.0",
        "1.0.1",
        "1.18446744073709551615.0",
        "1.18446744073709551616.0",
        "1.18446744073709551617.0",
        "1.118446744073709551617.0",
        "2.0.0",
    ];
    check(Ecosystem::Npm, &list);
    check(Ecosystem::CratesIo, &list);
    check(Ecosystem::Npm, &["1.2.3 v1.2.3 =1.2.3"]);
    check(Ecosystem::CratesIo, &["v1.2.3", "0.0.0"]);
}

#[test]
fn text_that_is_no_version_is_known_as_such() {
    let check = |ecosystem, text: &str, expected| {
        assert_eq!(key(ecosystem, text).is_valid(), expected, "{text}");
        assert_eq!(is_version(ecosystem, text), expected, "{text}");
    };
    check(Ecosystem::Pypi, "1.0", true);
    check(Ecosystem::Pypi, "1.0-", false);
    check(Ecosystem::Pypi, "", false);
    check(Ecosystem::Pypi, "99999999999999999999999", false);
    check(Ecosystem::Npm, "1.0.0-", false);
    check(Ecosystem::Npm, "1.0.0-a..b", false);
    check(Ecosystem::Npm, "1..0", false);
    check(Ecosystem::Npm, "", false);
    check(Ecosystem::Npm, "1.0.0-ä", false);
    check(Ecosystem::CratesIo, "1.0.0-a-b", true);
    assert!(!Key::LOWEST.is_valid());
    assert!(Key::LOWEST < key(Ecosystem::Pypi, ""));
}

#[test]
fn stable_versions_are_known_as_such() {
    let check = |ecosystem, text: &str, expected| {
        assert_eq!(is_stable(ecosystem, text), expected, "{text}");
    };
    check(Ecosystem::Pypi, "1.0.post1", true);
    check(Ecosystem::Pypi, "1.0rc1", false);
    check(Ecosystem::Pypi, "1.0.dev1", false);
    check(Ecosystem::Pypi, "what", false);
    check(Ecosystem::Npm, "1.0.0+build-1", true);
    check(Ecosystem::Npm, "1.0.0-1", false);
}

#[test]
fn ten_thousand_characters_are_read_and_more_are_none() {
    for ecosystem in Ecosystem::ALL {
        for text in ["1", "1.", "1.0-a.", "1+", "v", "-", "1.0.0-0.", "ä", "1_"] {
            let long: String = text.chars().cycle().take(LONGEST).collect();
            assert!(key(ecosystem, &long).0.len() <= 2 * LONGEST + 16);
        }
        let long = format!("1.0{}", "0".repeat(LONGEST));
        assert!(!key(ecosystem, &long).is_valid());
        assert!(!is_version(ecosystem, &long));
    }
    let long = format!("1{}.0", "0".repeat(LONGEST - 5));
    assert!(key(Ecosystem::Npm, &long) > key(Ecosystem::Npm, "999999999999999999999999.0"));
}

/// The order that is not made of bytes; text that is no version is below, by its letters.
fn parsed_order(ecosystem: Ecosystem, one: &str, other: &str) -> Ordering {
    fn compare<T>(
        (one, other): (Option<T>, Option<T>),
        text: Ordering,
        order: impl Fn(&T, &T) -> Ordering,
    ) -> Ordering {
        match (one, other) {
            (Some(one), Some(other)) => order(&one, &other),
            (None, None) => text,
            (one, other) => one.is_some().cmp(&other.is_some()),
        }
    }
    let text = one.cmp(other);
    if ecosystem == Ecosystem::Pypi {
        let parse = |text: &str| pep440::Version::parse(text).ok();
        compare((parse(one), parse(other)), text, Ord::cmp)
    } else {
        let parse = |text: &str| semver::Version::parse(text).ok();
        compare(
            (parse(one), parse(other)),
            text,
            semver::Version::cmp_precedence,
        )
    }
}

fn check_pairs(ecosystem: Ecosystem, texts: &[String], pairs: usize) {
    let keys: Vec<Key> = texts.iter().map(|text| key(ecosystem, text)).collect();
    let mut random = Random(0x5eed);
    for _ in 0..pairs {
        let (one, other) = (random.below(texts.len()), random.below(texts.len()));
        let expected = parsed_order(ecosystem, &texts[one], &texts[other]);
        let (left, right) = (&texts[one], &texts[other]);
        assert_eq!(keys[one].cmp(&keys[other]), expected, "{left} and {right}");
    }
}

#[test]
fn generated_versions_are_ordered_as_their_parts_are() {
    let mut random = Random(7);
    let pieces = [
        "0", "1", "2", "10", "255", "256", ".0", ".1", ".9", ".10", "a1", "b", "rc2", ".post1",
        ".post", ".dev0", ".dev3", "+abc", "+1", ".x", "+1.a", "1!", "-1", "-", "c",
    ];
    let python: Vec<String> = (0..4000)
        .map(|_| {
            let first = random
                .of(&["0", "1", "1.0", "1.0.0", "1!1", "2"])
                .to_owned();
            let count = random.below(5);
            (0..count).fold(first, |text, _| text + random.of(&pieces))
        })
        .collect();
    check_pairs(Ecosystem::Pypi, &python, 40_000);

    let pieces = [
        "-0", "-1", "-a", ".0", ".1", ".10", ".a", ".b-", "a", "+1", "-",
    ];
    let semantic: Vec<String> = (0..4000)
        .map(|_| {
            let first = random.of(&["1.0.0", "1.0.1", "0.0.0", "1.10.0"]).to_owned();
            let count = random.below(5);
            (0..count).fold(first, |text, _| text + random.of(&pieces))
        })
        .filter(|text| semver::Version::parse(text).is_ok())
        .collect();
    assert!(semantic.len() > 500);
    check_pairs(Ecosystem::Npm, &semantic, 40_000);
    check_pairs(Ecosystem::CratesIo, &semantic, 40_000);
}

#[test]
fn all_real_versions_are_ordered_as_their_parts_are() {
    for ecosystem in Ecosystem::ALL {
        let mut texts: Vec<String> = Vec::new();
        shared_records(ecosystem, |json| {
            let record: serde_json::Value = serde_json::from_slice(json).unwrap();
            for affected in record["affected"].as_array().unwrap() {
                let ranges = affected["ranges"].as_array().into_iter().flatten();
                let events = ranges
                    .filter(|range| range["type"] != "GIT")
                    .flat_map(|range| range["events"].as_array().unwrap())
                    .flat_map(|event| event.as_object().unwrap().values());
                let versions = affected["versions"].as_array().into_iter().flatten();
                texts.extend(
                    events
                        .chain(versions)
                        .map(|v| v.as_str().unwrap().to_owned()),
                );
            }
        });
        texts.sort();
        texts.dedup();
        if ecosystem != Ecosystem::Pypi {
            texts.retain(|text| semver::Version::parse(text).is_ok());
        }
        if texts.is_empty() {
            continue;
        }
        check_pairs(ecosystem, &texts, 10_000);
        // Neighbours in the order of keys: if all of them stand right, every pair does.
        texts.sort_by_cached_key(|text| key(ecosystem, text));
        for (one, other) in texts.iter().zip(texts.iter().skip(1)) {
            let expected = parsed_order(ecosystem, one, other);
            let found = key(ecosystem, one).cmp(&key(ecosystem, other));
            assert_eq!(found, expected, "{one} and {other}");
        }
    }
}
