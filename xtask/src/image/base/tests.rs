//! Bases that are whole, damaged, or for something else.

use serde_json::json;

use super::*;

/// Documents by their digests, and the descriptor of the one put in last.
#[derive(Default)]
struct Store(BTreeMap<Digest, Vec<u8>>);

impl Store {
    fn put(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        self.0.insert(digest.clone(), bytes.to_vec());
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    }

    fn image(&mut self, architecture: &str, layer_type: &str) -> Value {
        let layer = self.put(layer_type, b"layer");
        let configuration = json!({
            "os": "linux",
            "architecture": architecture,
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(b"plain").to_string()] },
        });
        let configuration = self.put("", configuration.to_string().as_bytes());
        let manifest = json!({ "config": configuration, "layers": [layer] });
        self.put(MANIFEST_TYPES[0], manifest.to_string().as_bytes())
    }

    fn index(&mut self, entries: &[(Value, Value)]) -> Value {
        let entry = |(image, platform): &(Value, Value)| {
            let mut entry = image.clone();
            entry["platform"] = platform.clone();
            entry
        };
        let entries: Vec<Value> = entries.iter().map(entry).collect();
        let index = json!({ "manifests": entries });
        self.put(INDEX_TYPES[0], index.to_string().as_bytes())
    }

    fn read(&self, top: &Value, platform: Platform) -> Result<Base> {
        let fetch = |wanted: &Descriptor| {
            let found = self.0.get(&wanted.digest).cloned();
            found.ok_or_else(|| Error::failure(format!("no {}", wanted.digest.short())))
        };
        read(&descriptor(top, "base")?, platform, "base", &fetch)
    }
}

#[test]
fn the_image_of_the_platform_is_chosen() {
    let mut store = Store::default();
    let amd64 = store.image("amd64", "application/vnd.docker.image.rootfs.diff.tar.gzip");
    let arm64 = store.image("arm64", LAYER_TYPES[0]);
    let attestation = store.image("unknown", LAYER_TYPES[0]);
    let index = store.index(&[
        (
            attestation,
            json!({ "os": "unknown", "architecture": "unknown" }),
        ),
        (
            amd64.clone(),
            json!({ "os": "linux", "architecture": "amd64" }),
        ),
        (
            arm64,
            json!({ "os": "linux", "architecture": "arm64", "variant": "v8" }),
        ),
    ]);
    for platform in Platform::ALL {
        let base = store.read(&index, platform).unwrap();
        assert_eq!(base.configuration["architecture"], platform.architecture());
        assert_eq!(base.layers[0].descriptor.media_type, LAYER_TYPES[0]);
    }
    // An image alone, and a list that says nothing of platforms.
    store.read(&amd64, Platform::Amd64).unwrap();
    let bare = store.index(&[(amd64.clone(), Value::Null)]);
    store.read(&bare, Platform::Amd64).unwrap();
    let nested = store.index(&[(bare, Value::Null)]);
    store.read(&nested, Platform::Amd64).unwrap();
    let error = store.read(&amd64, Platform::Arm64).unwrap_err();
    assert!(
        error
            .message
            .contains("is for linux/amd64, not for linux/arm64"),
        "{error:?}"
    );
}

#[test]
fn what_is_not_there_or_not_whole_is_refused() {
    let check = |store: &Store, top: &Value, expected: &str| {
        let error = store.read(top, Platform::Arm64).unwrap_err();
        assert!(error.message.contains(expected), "{expected}: {error:?}");
    };
    let mut store = Store::default();
    let amd64 = store.image("amd64", LAYER_TYPES[0]);
    let index = store.index(&[(amd64, json!({ "os": "linux", "architecture": "amd64" }))]);
    check(
        &store,
        &index,
        "has nothing for linux/arm64; it is for linux/amd64",
    );
    let zstd = store.image("arm64", "application/vnd.oci.image.layer.v1.tar+zstd");
    check(&store, &zstd, "only tar archives");
    let arm64 = store.image("arm64", LAYER_TYPES[0]);
    store.0.insert(Digest::of(b"layer"), b"other".to_vec());
    check(&store, &arm64, "has other bytes");
    check(
        &store,
        &json!({ "digest": "sha256:12", "size": 1 }),
        "without a sha256 and a size",
    );
    let text = store.put("", b"{");
    check(&store, &text, "is not JSON");
    let empty = store.put("", b"{}");
    check(&store, &empty, "has nothing for linux/arm64");
    let large = json!({ "digest": Digest::of(b"{}").to_string(), "size": u64::MAX });
    check(&store, &large, "and none has more than");
}
