//! Archives that are written, read again, and damaged.

use super::*;
use crate::image::base::BaseLayer;
use crate::image::layer::{Entries, Entry, write as layer};

fn built(platform: Platform) -> Built {
    let files = |name: &str| {
        let entries = Entries::from([(name.to_owned(), Entry::file(name.as_bytes().to_vec()))]);
        layer(&entries, FIXED_TIME).unwrap()
    };
    let under = files(platform.word());
    let descriptor = Descriptor {
        media_type: LAYER_TYPES[0].to_owned(),
        digest: under.digest.clone(),
        size: under.bytes.len() as u64,
    };
    Built {
        platform,
        base: Base {
            configuration: json!({ "variant": "v8" }),
            layers: vec![BaseLayer {
                descriptor,
                diff_id: under.diff_id,
                bytes: under.bytes,
            }],
        },
        configuration: format!("{{\"architecture\":\"{}\"}}", platform.architecture()).into(),
        layers: vec![files("dependencies"), files("wheel")],
    }
}

fn archive(platforms: &[Platform]) -> Archive {
    let images: Vec<Built> = platforms.iter().copied().map(built).collect();
    let annotations = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let tags = [
        "0123456789ab".to_owned(),
        "1.0".to_owned(),
        "latest".to_owned(),
    ];
    write(&images, &annotations, "demo", &tags).unwrap()
}

fn value(opened: &Opened<'_>, path: &str) -> Value {
    serde_json::from_slice(opened.get(path).unwrap()).unwrap()
}

#[test]
fn the_archive_is_a_layout_and_a_docker_archive_over_the_same_blobs() {
    let archive = archive(&[Platform::Arm64, Platform::Amd64]);
    assert_eq!(archive, self::archive(&[Platform::Arm64, Platform::Amd64]));
    let opened = Opened::read(&archive.bytes, "demo").unwrap();
    let index = value(&opened, INDEX_FILE);
    let names: Vec<&Value> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["annotations"][REFERENCE_NAME])
        .collect();
    assert_eq!(names, ["0123456789ab", "1.0", "latest"]);
    assert_eq!(
        index["manifests"][2]["annotations"][CONTAINERD_NAME],
        "docker.io/library/demo:latest"
    );
    let list = value(&opened, &blob_path(&archive.digest));
    assert_eq!(list["manifests"][0]["platform"]["architecture"], "arm64");
    assert_eq!(list["annotations"]["a"], "b");
    let docker = value(&opened, "manifest.json");
    assert_eq!(docker.as_array().unwrap().len(), 1);
    assert_eq!(docker[0]["RepoTags"][2], "demo:latest");
    assert_eq!(docker[0]["Layers"].as_array().unwrap().len(), 3);
    let configuration = docker[0]["Config"].as_str().unwrap();
    assert_eq!(value(&opened, configuration)["architecture"], "amd64");
    for path in docker[0]["Layers"].as_array().unwrap() {
        let bytes = opened.get(path.as_str().unwrap()).unwrap();
        assert!(path.as_str().unwrap().ends_with(Digest::of(bytes).hex()));
    }
}

#[test]
fn what_is_sent_is_what_is_in_the_archive() {
    let archive = archive(&Platform::ALL);
    let package = package(&archive.bytes, "demo").unwrap();
    assert_eq!(package.digest, archive.digest);
    assert_eq!(package.parts.len(), 2);
    // The layers above are the same for both.
    assert_eq!(package.blobs.len(), 2 + 2 + 2);
    for (digest, bytes) in package.blobs.iter().chain(&package.parts) {
        assert_eq!(*digest, Digest::of(bytes));
    }
}

#[test]
fn a_damaged_archive_is_refused() {
    let whole = archive(&[Platform::Amd64]);
    let check = |bytes: &[u8], expected: &str| {
        let error = package(bytes, "demo.tar").unwrap_err();
        assert!(error.message.contains(expected), "{expected}: {error:?}");
        assert!(error.message.starts_with("demo.tar"), "{error:?}");
    };
    check(b"", "no index.json");
    check(&[1; 4096], "is not a sound tar archive");
    check(&whole.bytes[..1500], "demo.tar");
    let mut other = whole.bytes.clone();
    let at = memchr::memmem::find(&other, b"\"architecture\":\"amd64\"}").unwrap();
    other[at + 17] = b'X';
    check(&other, "has other bytes");
}

#[test]
fn the_only_image_of_a_layout_needs_no_digest() {
    let entry = |text: &str| json!({ "digest": Digest::of(text.as_bytes()).to_string(), "size": 1, "mediaType": "" });
    let index = |entries: &[Value]| document(&json!({ "manifests": entries }));
    let (one, two) = (entry("one"), entry("two"));
    let twice = index(&[one.clone(), one.clone()]);
    assert_eq!(
        top(&twice, None, "base").unwrap().digest,
        Digest::of(b"one")
    );
    let both = index(&[one, two]);
    let error = top(&both, None, "base").unwrap_err();
    assert!(
        error.hints[0].contains(Digest::of(b"two").hex()),
        "{error:?}"
    );
    let wanted = Digest::of(b"two");
    assert_eq!(top(&both, Some(&wanted), "base").unwrap().digest, wanted);
    let absent = Digest::of(b"three");
    assert!(
        top(&both, Some(&absent), "base")
            .unwrap_err()
            .message
            .contains("does not name")
    );
    assert!(
        top(b"{}", None, "base")
            .unwrap_err()
            .message
            .contains("names no image")
    );
    assert!(
        top(b"{", None, "base")
            .unwrap_err()
            .message
            .contains("is not JSON")
    );
}
