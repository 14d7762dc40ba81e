//! What is not built, and that nothing is written then.

use serde_json::Value;

use super::base::{self, Files};
use super::setting::{ARCHIVE, BOTH, Setting, blob, setting};
use crate::repository::Ended;

fn ends(setting: &Setting, arguments: &[&str], code: i32, expected: &str) -> Ended {
    let before = setting.repository.dist();
    let words: Vec<&str> = ["image"].iter().chain(arguments).copied().collect();
    let ended = setting.repository.xtask(&words);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{arguments:?}: {said}");
    assert!(said.contains(expected), "{expected}: {said}");
    assert!(
        before == setting.repository.dist(),
        "{arguments:?} wrote into dist/"
    );
    ended
}

#[test]
fn a_base_is_named_by_a_digest_that_is_there() {
    let setting = setting("");
    let check = |base: &str, code: i32, expected: &str| {
        ends(&setting, &["--base", base], code, expected);
    };
    // Nothing listens there.
    check("127.0.0.1:9/a/b:1", 2, "named by a tag, which can move");
    check("127.0.0.1:9/a/b", 2, "127.0.0.1:9/a/b:latest@sha256:…");
    check("A B", 2, "is no name of an image");
    check("oci:", 2, "names no folder or archive");
    check("oci:basis größe@sha256:12", 2, "64 hexadecimal digits");
    let other = format!("oci:basis größe@sha256:{}", "0".repeat(64));
    check(&other, 6, "does not name sha256:000");
    check("oci:nowhere", 5, "there is no such folder or archive");
    check("oci:server", 5, "is no OCI layout");
    check("oci:release.toml", 6, "is not a sound tar archive");
}

#[test]
fn of_several_images_one_is_named() {
    let setting = setting("");
    let mut files = base::layout(&["amd64"], "python3.13");
    let index = |files: &Files| -> Value { serde_json::from_slice(&files["index.json"]).unwrap() };
    let mut both = index(&files);
    let other = base::layout(&["amd64"], "python3.12");
    let entry = index(&other)["manifests"][0].clone();
    both["manifests"].as_array_mut().unwrap().push(entry);
    files.extend(other);
    files.insert("index.json".to_owned(), both.to_string().into_bytes());
    base::folder(&files, &setting.repository.root.join("two"));
    let only = ["--platform", "linux/amd64"];
    ends(
        &setting,
        &["--base", "oci:two", only[0], only[1]],
        2,
        "names several images",
    );
    let digest = both["manifests"][0]["digest"].as_str().unwrap();
    setting.build(&["--base", &format!("oci:two@{digest}"), only[0], only[1]]);
    let digest = both["manifests"][1]["digest"].as_str().unwrap();
    let base = format!("oci:two@{digest}");
    ends(
        &setting,
        &["--base", &base, only[0], only[1]],
        6,
        "no Python 3.13, but python3.12",
    );
    setting.build(&["--base", &base, only[0], only[1], "--python", "3.12"]);
}

#[test]
fn a_damaged_base_is_found_whatever_is_damaged() {
    let setting = setting("");
    let folder = setting.repository.root.join("basis größe");
    let sound = base::layout(&BOTH, "python3.13");
    for (path, bytes) in sound.iter().filter(|(path, _)| path.starts_with("blobs/")) {
        let digest = path.replace("blobs/sha256/", "sha256:");
        let place = blob(&folder, &digest);
        let mut other = bytes.clone();
        let middle = other.len() / 2;
        other[middle] ^= 1;
        std::fs::write(&place, other).unwrap();
        ends(&setting, &[], 6, "has other bytes");
        std::fs::remove_file(&place).unwrap();
        ends(&setting, &[], 6, &digest[7..]);
        std::fs::write(&place, bytes).unwrap();
    }
    for text in ["", "{", "{}", "[]", "{\"manifests\":[{}]}"] {
        std::fs::write(folder.join("index.json"), text).unwrap();
        ends(&setting, &[], 6, "basis größe");
    }
}

#[test]
fn a_base_for_something_else_is_none() {
    let setting = setting("");
    let check = |architectures: &[&str], python: &str, arguments: &[&str], expected: &str| {
        let layout = base::archive(&base::layout(architectures, python));
        std::fs::write(setting.repository.root.join("base.tar"), layout).unwrap();
        let words: Vec<&str> = ["--base", "oci:base.tar"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        ends(&setting, &words, 6, expected);
    };
    check(
        &["amd64"],
        "python3.13",
        &[],
        "has nothing for linux/arm64; it is for linux/amd64",
    );
    check(&["s390x"], "python3.13", &[], "has nothing for linux/amd64");
    check(&BOTH, "python3.9", &[], "no Python 3.13, but python3.9");
    check(&BOTH, "perl", &[], "no Python 3.13, but none");
    check(&BOTH, "python3.13", &["--libc", "musl-1.2"], "has no musl");
    check(&BOTH, "ld-musl-x86_64.so.1", &[], "the base has musl");
}

#[test]
fn a_dependency_without_a_wheel_for_the_platform_is_named() {
    let mut setting = setting("");
    setting.depend("beta", &["cp313-cp313-manylinux_2_17_x86_64"], "");
    let expected = "beta==1.0 has no wheel in the lock file for linux/arm64, Python 3.13";
    ends(&setting, &[], 6, expected);
    setting.build(&["--platform", "linux/amd64"]);
    // A newer C library than that of the base.
    setting.depend("gamma", &["cp313-cp313-manylinux_2_34_x86_64"], "");
    let only = ["--platform", "linux/amd64"];
    ends(&setting, &only, 6, "gamma==1.0 has no wheel");
    setting.build(&[only[0], only[1], "--libc", "glibc-2.36"]);
}

#[test]
fn a_wheel_that_the_lock_does_not_name_is_not_taken() {
    let mut setting = setting("");
    setting.depend("beta", &["py3-none-any"], "");
    let path = setting.wheels.path().join("beta-1.0-py3-none-any.whl");
    std::fs::write(path, "other").unwrap();
    ends(&setting, &[], 1, "beta");
    assert!(!setting.repository.root.join(ARCHIVE).exists());
}

#[test]
fn without_a_sealed_release_there_is_no_image() {
    let setting = setting("");
    let wheel = setting
        .repository
        .root
        .join("dist/demo_server-1.0.0-py3-none-any.whl");
    std::fs::write(&wheel, "tampered with").unwrap();
    ends(&setting, &[], 4, "is not the file that was made");
    std::fs::remove_dir_all(setting.repository.root.join("dist")).unwrap();
    ends(&setting, &[], 5, "cargo xtask release");
    ends(&setting, &["--print", "digest"], 5, "cargo xtask release");
    ends(&setting, &["--platform", "windows/amd64"], 2, "linux/arm64");
    ends(
        &setting,
        &["--print", "tags", "--base", "oci:x"],
        2,
        "cannot be used with",
    );
    ends(&setting, &["--python", "2.7"], 2, "no version such as 3.13");
    ends(&setting, &["--libc", "uclibc"], 2, "neither glibc-2.x");
}
