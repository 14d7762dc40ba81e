//! pip-audit: the one on the path, or one that is installed once for this benchmark.

use camino::{Utf8Path, Utf8PathBuf};

use super::measure::Series;
use super::rustsec;
use super::setting::program;

const PINNED: &str = "pip-audit==2.10.1";

/// Its program.
pub fn find() -> Utf8PathBuf {
    let place = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("pip-audit");
    rustsec::on_path("pip-audit").unwrap_or_else(|| {
        let installed = place.join("bin/pip-audit");
        if !installed.exists() {
            install(&place);
        }
        installed
    })
}

fn install(place: &Utf8Path) {
    drop(std::fs::remove_dir_all(place));
    let mut steps = Series::default();
    let environment = ["-m", "venv", place.as_str()];
    steps.run(&mut program("python3".into(), &environment));
    let install = ["-m", "pip", "install", "--quiet", PINNED];
    steps.run(&mut program(&place.join("bin/python"), &install));
}
