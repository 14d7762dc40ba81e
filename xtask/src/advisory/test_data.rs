//! What several tests of advisories share: numbers that look random, and the shared data.

use std::fs::File;
use std::io::Read;

use camino::Utf8PathBuf;

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
