//! Bills of images are valid, and name everything by its digest.

use serde_json::{Value, json};

use super::schemas::cyclonedx;
use crate::artifact::Digest;
use crate::bom::image::{Base, Image, Part, Platform, document};
use crate::lockfile::Ecosystem;

fn part(ecosystem: Option<Ecosystem>, name: &str, file: Option<&str>) -> Part {
    Part {
        ecosystem,
        name: name.to_owned(),
        version: "1.0".to_owned(),
        file: file.map(str::to_owned),
        sha256: Some(Digest::of(file.unwrap_or(name).as_bytes())),
    }
}

fn made(base: Option<&str>, platforms: &[Platform]) -> Value {
    let (digest, below) = (Digest::of(b"list"), Digest::of(b"base"));
    let made = document(&Image {
        name: "demo",
        version: "1.0",
        digest: &digest,
        commit: &"c".repeat(40),
        date: "2026-01-02T03:04:05Z".parse().unwrap(),
        base: Base {
            name: base,
            digest: &below,
        },
        platforms,
    });
    cyclonedx(&made).unwrap();
    made
}

#[test]
fn each_platform_has_the_base_and_its_own_wheels() {
    let python = Some(Ecosystem::Pypi);
    let platform = |word, files: &[&str]| Platform {
        word,
        digest: Digest::of(word.as_bytes()),
        parts: files
            .iter()
            .map(|file| part(python, "a-b", Some(file)))
            .collect(),
    };
    let platforms = [
        platform("linux/amd64", &["a_b-1.0-x86.whl"]),
        platform("linux/arm64", &["a_b-1.0-arm.whl"]),
    ];
    let made = made(Some("docker.io/library/python:3.13-slim"), &platforms);
    let components = made["components"].as_array().unwrap();
    assert_eq!(components.len(), 1 + 2 + 2);
    let base = &components[0];
    let hex = Digest::of(b"base").hex().to_owned();
    assert_eq!(base["name"], "docker.io/library/python");
    assert_eq!(base["hashes"][0]["content"], hex);
    let purl = base["purl"].as_str().unwrap();
    assert!(purl.starts_with("pkg:oci/python@sha256:"), "{purl}");
    assert!(purl.ends_with("&tag=3.13-slim"), "{purl}");
    let arrows = made["dependencies"].as_array().unwrap();
    let of = |reference: &str| {
        let found = arrows.iter().find(|arrow| arrow["ref"] == reference);
        found.unwrap()["dependsOn"].clone()
    };
    let both = json!(["image:linux/amd64", "image:linux/arm64"]);
    assert_eq!(of("image"), both);
    let arm = of("image:linux/arm64");
    assert_eq!(arm[0], format!("base:sha256:{hex}"));
    assert_eq!(arm[1], "pkg:pypi/a-b@1.0?file_name=a_b-1.0-arm.whl");
    assert_eq!(arm.as_array().unwrap().len(), 2);
}

#[test]
fn a_program_has_its_crates_and_what_is_not_known_is_left_open() {
    let mut unknown = part(Some(Ecosystem::CratesIo), "serde", None);
    unknown.sha256 = None;
    let platforms = [Platform {
        word: "linux/amd64",
        digest: Digest::of(b"m"),
        parts: vec![part(None, "fleet", None), unknown],
    }];
    let made = made(None, &platforms);
    let names: Vec<&Value> = made["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["base", "demo", "serde", "fleet"]);
    let open = &made["compositions"][1];
    assert_eq!(open["aggregate"], "incomplete");
    assert_eq!(open["dependencies"].as_array().unwrap().len(), 1);
}
