//! A database in a folder: made, brought up to date, and looked into.

use std::collections::BTreeMap;

use serde_json::json;
use xtask::advisory::index::{Index, file_name};
use xtask::advisory::{Advisory, Provenance};
use xtask::error::{Error, Result};
use xtask::exec::sync::{Settings, update_with};
use xtask::lockfile::Ecosystem;

use super::{Fixture, record};

pub const PYPI: Ecosystem = Ecosystem::Pypi;

impl Fixture {
    /// Five records, one of them withdrawn, and an archive of them.
    pub fn published() -> Fixture {
        let fixture = Fixture::empty();
        for (id, day) in [("A-1", 1), ("A-2", 2), ("A-3", 3), ("A-4", 4)] {
            fixture.osv.put(record(id, day, "Demo_Package", "2.0"));
        }
        let mut withdrawn = record("A-5", 5, "demo-package", "2.0");
        withdrawn["withdrawn"] = json!("2026-11-05T00:00:00Z");
        fixture.osv.put(withdrawn);
        fixture.osv.publish();
        fixture
    }

    /// The same, and a database of it.
    pub fn synchronised() -> Fixture {
        let fixture = Fixture::published();
        fixture.update().unwrap();
        fixture.osv.asked();
        fixture
    }

    pub fn update(&self) -> Result<()> {
        self.update_limited(100)
    }

    pub fn update_limited(&self, record_limit: usize) -> Result<()> {
        let settings = Settings {
            base: self.osv.url(),
            patience: self.patience.clone(),
            record_limit,
        };
        update_with(&self.world, &self.folder, &[PYPI], &settings)
    }

    pub fn refused(&self) -> Error {
        let error = self.update().unwrap_err();
        assert!(error.message.contains(&self.osv.url()), "{error}");
        assert!(!error.hints.is_empty(), "{error}");
        error
    }

    pub fn index(&self) -> Index {
        Index::open(&self.folder, PYPI).unwrap()
    }

    pub fn packages(&self) -> BTreeMap<String, Vec<Advisory>> {
        self.index().all().unwrap()
    }

    pub fn provenance(&self) -> Provenance {
        self.index().provenance().clone()
    }

    pub fn ids(&self) -> Vec<String> {
        let packages = self.packages();
        let advisories = packages.values().flatten();
        advisories.map(|advisory| advisory.id.clone()).collect()
    }

    pub fn bytes(&self) -> Option<Vec<u8>> {
        std::fs::read(self.folder.join(file_name(PYPI))).ok()
    }

    pub fn files(&self) -> Vec<String> {
        let entries = self.folder.read_dir_utf8().unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}
