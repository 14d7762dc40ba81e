//! Real advisories, when the shared data is there: brought up to date, they are what an import
//! of the same archive gives.

use std::fs::File;

use camino::Utf8PathBuf;
use xtask::advisory::import::import;
use xtask::advisory::index::Index;
use xtask::exec::sync::{Settings, update_with};
use xtask::lockfile::Ecosystem;

use super::Fixture;
use crate::repository::workspace;

fn shared() -> Option<Utf8PathBuf> {
    let named = std::env::var_os("XTASK_SHARED_DATA");
    let named = named.map(|folder| Utf8PathBuf::from(folder.into_string().unwrap()));
    let folder = named.unwrap_or_else(|| workspace().join("../shared/data"));
    Some(folder).filter(|folder| folder.join("osv").is_dir())
}

#[test]
fn real_advisories_are_those_of_an_import() {
    let Some(shared) = shared() else { return };
    for ecosystem in [Ecosystem::Npm, Ecosystem::CratesIo] {
        let path = shared.join(format!("osv/{ecosystem}.zip"));
        let fixture = Fixture::empty();
        let mut archive = zip::ZipArchive::new(File::open(&path).unwrap()).unwrap();
        for number in 0..archive.len() {
            let record = serde_json::from_reader(archive.by_index(number).unwrap()).unwrap();
            fixture.osv.put(record);
        }
        fixture.osv.publish();
        let settings = Settings {
            base: fixture.osv.url(),
            patience: fixture.patience.clone(),
            record_limit: 1000,
        };
        let update = || update_with(&fixture.world, &fixture.folder, &[ecosystem], &settings);
        update().unwrap();
        let asked = fixture.osv.asked();
        assert_eq!(
            asked.len(),
            2,
            "the archive is as new as its list: {asked:?}"
        );
        let index = Index::open(&fixture.folder, ecosystem).unwrap();
        let imported = import(&path, fixture.world.now())
            .unwrap()
            .indexes
            .remove(0);
        let imported = Index::of_bytes(imported.bytes, &path, ecosystem).unwrap();
        assert_eq!(index.all().unwrap(), imported.all().unwrap());
        let numbers = |index: &Index| {
            let found = index.provenance();
            [
                found.records,
                found.withdrawn,
                found.foreign,
                found.unparsable,
            ]
        };
        assert_eq!(numbers(&index), numbers(&imported));
        update().unwrap();
        assert_eq!(fixture.osv.asked().len(), 1);
    }
}
