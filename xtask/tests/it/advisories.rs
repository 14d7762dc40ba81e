//! A small advisory database for the tests that release something: fresh, real in form, and
//! about packages that no test locks.

use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use xtask::advisory::{import, store};

/// The folder of the database, made once for each run of the tests.
pub fn database() -> &'static Utf8Path {
    static FOLDER: OnceLock<Utf8PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let records = Utf8Path::from_path(folder.path()).unwrap();
        for ecosystem in ["PyPI", "npm", "crates.io"] {
            let id = format!("TEST-{}", ecosystem.to_uppercase().replace('.', "-"));
            let text = record(&id, ecosystem);
            std::fs::write(records.join(format!("{id}.json")), text).unwrap();
        }
        let place = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("advisories");
        for made in import::import(records, Timestamp::now()).unwrap().indexes {
            store::save(&place, made.ecosystem, &made.bytes).unwrap();
        }
        place
    })
}

fn record(id: &str, ecosystem: &str) -> String {
    let now = Timestamp::now();
    serde_json::json!({
        "id": id,
        "modified": now.to_string(),
        "summary": "A package that nothing here locks",
        "affected": [{
            "package": { "ecosystem": ecosystem, "name": "locked-by-nothing" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }],
        }],
    })
    .to_string()
}
