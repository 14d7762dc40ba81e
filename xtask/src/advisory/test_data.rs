//! What several tests of advisories share: numbers that look random, and the shared data.

use std::fs::File;
use std::io::Read;

use camino::Utf8PathBuf;

use super::interval::{self, Change, Event};
use super::{Advisory, Class, Provenance, Severity, order};
use crate::lockfile::Ecosystem;

/// A small generator (xorshift64*), so that a failure comes again.
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 to below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 11) as usize % end
    }

    /// One of the values.
    pub fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

/// The folder of shared data, if it is there.
#[expect(clippy::disallowed_methods, reason = "a test has no World")]
pub fn shared() -> Option<Utf8PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var("XTASK_SHARED_DATA").unwrap_or_else(|_| beside.to_owned());
    Some(Utf8PathBuf::from(folder)).filter(|folder| folder.join("osv").is_dir())
}

/// Shows every record of an archive of the shared data; none when it is not there.
pub fn shared_records(ecosystem: Ecosystem, mut show: impl FnMut(&[u8])) {
    let Some(shared) = shared() else { return };
    let path = shared.join(format!("osv/{ecosystem}.zip"));
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    for index in 0..archive.len() {
        let mut json = Vec::new();
        archive
            .by_index(index)
            .unwrap()
            .read_to_end(&mut json)
            .unwrap();
        show(&json);
    }
}

/// An advisory with aliases, and versions written as `>=1 <2 =3`: introduced, fixed, listed;
/// `<=2` for last affected, `|2` for a limit.
pub fn advisory(ecosystem: Ecosystem, id: &str, aliases: &str, versions: &str) -> Advisory {
    let (listed, ranges): (Vec<&str>, Vec<&str>) = versions
        .split_whitespace()
        .partition(|word| word.starts_with('='));
    let mut affected = interval::of_range(ecosystem, &events(&ranges.join(" ")));
    let keys = listed.iter().map(|word| order::key(ecosystem, &word[1..]));
    affected.extend(keys.map(interval::point));
    Advisory {
        id: id.to_owned(),
        aliases: aliases.split_whitespace().map(str::to_owned).collect(),
        summary: String::new(),
        class: Class::Vulnerability,
        severity: Severity::default(),
        affected: interval::union(affected),
        modified: "2026-01-02T03:04:05Z".to_owned(),
        url: None,
    }
}

/// Reads `>=1 <2 <=3 |4` as events: introduced, fixed, last affected, limit.
pub fn events(text: &str) -> Vec<Event<'_>> {
    text.split_whitespace()
        .map(|word| {
            let (change, version) = [
                (">=", Change::Introduced),
                ("<=", Change::LastAffected),
                ("<", Change::Fixed),
                ("|", Change::Limit),
            ]
            .into_iter()
            .find_map(|(sign, change)| Some((change, word.strip_prefix(sign)?)))
            .unwrap();
            Event { change, version }
        })
        .collect()
}

/// What an index says of itself.
pub fn provenance(ecosystem: Ecosystem) -> Provenance {
    Provenance {
        ecosystem: ecosystem.name().to_owned(),
        source: "all.zip".to_owned(),
        digest: "sha256:00".to_owned(),
        date: "2026-01-02T03:04:05Z".to_owned(),
        records: 5,
        withdrawn: 1,
        foreign: 2,
        unparsable: 0,
    }
}

/// A record about one package whose versions from 0 on are affected.
pub fn record(id: &str, day: &str, ecosystem: Ecosystem, name: &str, more: &str) -> String {
    format!(
        r#"{{"id": "{id}", "modified": "{day}T00:00:00Z", "affected": [
            {{"package": {{"ecosystem": "{ecosystem}", "name": "{name}"}},
              "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}]}}]}}] {more}}}"#
    )
}
