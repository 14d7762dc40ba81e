//! Wheels whose imports or requirements are not in order.

use camino::Utf8PathBuf;
use xtask::error::{Error, Kind};
use xtask::prove::{self, Record};

use super::wheel::{Wheel, requirements};
use super::{configuration, python, world};
use xtask::world::World;
use xtask::world::loopback;

/// A library that the wheels may depend on; it depends on another one itself.
const DIRECT: Wheel<'static> = Wheel {
    name: "direct",
    metadata: &["Requires-Dist: transitive (>=1,<2)"],
    scripts: Vec::new(),
    files: Vec::new(),
};

/// A library that nothing but [`DIRECT`] asks for, with another import name than its own.
const TRANSITIVE: Wheel<'static> = Wheel {
    name: "transitive",
    metadata: &[],
    scripts: Vec::new(),
    files: Vec::new(),
};

fn with_file(library: Wheel<'static>, path: &str) -> Wheel<'static> {
    let files = vec![(path.to_owned(), String::new())];
    Wheel { files, ..library }
}

/// Installs a wheel with this code and this metadata beside both libraries (or only those
/// named) and examines it.
fn examine(
    name: &str,
    metadata: &[&str],
    code: &str,
    libraries: &[&str],
) -> Result<Vec<String>, Error> {
    let world = world(name);
    let wheel = Wheel {
        name: "own",
        metadata,
        scripts: vec!["own = own.main:main".to_owned()],
        files: vec![
            ("own/__init__.py".to_owned(), String::new()),
            ("own/part.py".to_owned(), "value = 1\n".to_owned()),
            ("own/main.py".to_owned(), code.to_owned()),
        ],
    };
    let all = [
        with_file(DIRECT, "direct/__init__.py"),
        with_file(TRANSITIVE, "transit/inner.py"),
    ];
    let chosen = all.iter().filter(|it| libraries.contains(&it.name));
    let paths: Vec<Utf8PathBuf> = chosen.map(|it| it.write(&world.root)).collect();
    let requirements = requirements(&world.root, &paths);
    let wheel = wheel.write(&world.root);
    let environment = prove::install(&world, "own", &wheel, &requirements, &python(&world))?;
    let mut record = Record::default();
    let configuration = configuration("own", &[("[prove.call]", OPTIONAL)]);
    match prove::imports(&world, &configuration, &environment, &mut record) {
        Ok(()) => {
            let line = |check: &xtask::artifact::Check| format!("{}: {}", check.name, check.detail);
            Ok(record.checks.iter().map(line).collect())
        }
        Err(failure) => Err(failure.error),
    }
}

const OPTIONAL: &str = "[[prove.optional-import]]
name = \"absent_module\"
reason = \"the server works without it\"
[prove.call]";

const BOTH: &[&str] = &["direct", "transitive"];

#[test]
fn imports_that_are_guarded_or_belong_elsewhere_need_no_declaration() {
    let code = r#"
from __future__ import annotations
import json, os.path, sys
import own.part
from own import part
from . import part as again
from .part import value
from typing import TYPE_CHECKING
import direct
import absent_module  # release.toml names it
if TYPE_CHECKING:
    import for_types
if sys.platform == "no such platform":
    import for_another_platform
elif sys.version_info < (3, 0):
    import for_an_old_python
if not TYPE_CHECKING:
    import direct
try:
    import fast_json
except ImportError:
    fast_json = None
try:
    import json
except ModuleNotFoundError:
    import instead_of_json
import contextlib
with contextlib.suppress(ImportError):
    import quietly

def main():
    try:
        from deep.down import thing
    except (ValueError, ImportError) as error:
        raise SystemExit("install the extra") from error
"#;
    let metadata = &["Requires-Dist: direct"];
    let found = examine("imports-sound", metadata, code, BOTH).unwrap();
    let expected = [
        "imports: 9 modules in 3 files come from the wheel, Python or a declared dependency, 5 optional",
        "imports-requirements: 3 distributions satisfy each other",
        "imports-bounds: warning: direct has no upper bound; its next major version may break",
    ];
    assert_eq!(found, expected);
}

#[test]
fn every_import_out_of_order_is_named_with_its_place() {
    let code = r#"import direct
import transit.inner
import nowhere
from own import part, helper_that_is_an_attribute
from own.forgotten import something
from .lost import other
def main():
    import lazily
    __import__("by_name")
"#;
    let metadata = &["Requires-Dist: direct<2"];
    let error = examine("imports-bad", metadata, code, BOTH).unwrap_err();
    let expected = [
        "own/main.py:2: imports transit.inner of transitive, an undeclared dependency, which is there only because direct requires it",
        "own/main.py:3: imports nowhere, which no declared dependency provides and nothing installed has",
        "own/main.py:5: imports own.forgotten, which is not in the wheel",
        "own/main.py:6: imports own.lost, which is not in the wheel",
        "own/main.py:8: imports lazily, which no declared dependency provides and nothing installed has",
        "own/main.py:9: imports by_name, which no declared dependency provides and nothing installed has",
    ];
    assert_eq!(
        error.message.split("\n       ").collect::<Vec<_>>(),
        expected
    );
    assert_eq!((error.kind, error.hints.len()), (Kind::Refused, 2));
}

#[test]
fn a_declared_dependency_must_be_among_the_requirements() {
    let metadata = &["Requires-Dist: direct<2"];
    let error = examine("imports-lacks", metadata, "import direct\n", &[]).unwrap_err();
    assert_eq!(
        error.message,
        "own/main.py:1: imports direct; direct is declared, but the requirements do not hold it"
    );
    let error = examine("requires-lacks", metadata, "", &[]).unwrap_err();
    assert_eq!(
        error.message,
        "the wheel needs direct<2, which the requirements do not hold"
    );
}

#[test]
fn what_is_installed_must_satisfy_everybody() {
    let metadata = &[
        "Requires-Dist: direct>=2,<3",
        "Requires-Dist: absent; extra == 'more'",
    ];
    let error = examine("requires-newer", metadata, "", &["direct"]).unwrap_err();
    let expected = [
        "direct needs transitive<2,>=1, which the requirements do not hold",
        "the wheel needs direct<3,>=2, but the requirements hold 1.0",
    ];
    assert_eq!(
        error.message.split("\n       ").collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn an_extra_that_does_not_ship_declares_nothing() {
    let metadata = &[
        "Provides-Extra: more",
        "Requires-Dist: direct<2; extra == 'more'",
    ];
    let error = examine("imports-extra", metadata, "import direct\n", BOTH).unwrap_err();
    assert_eq!(
        error.message,
        "own/main.py:1: imports direct of direct, which is declared only for an extra that does \
         not ship"
    );
}

#[test]
fn a_wheel_for_a_newer_python_is_not_tried() {
    let metadata = &["Requires-Python: >=3.99"];
    let error = examine("python-old", metadata, "", &[]).unwrap_err();
    assert_eq!(error.kind, Kind::Precondition);
    let message = &error.message;
    assert!(
        message.starts_with("the wheel needs Python >=3.99, but "),
        "{message}"
    );
}

#[test]
fn requirements_are_installed_by_their_hashes_only() {
    let world = world("requirements-hash");
    let library = with_file(DIRECT, "direct/__init__.py").write(&world.root);
    let wheel = plain(&world);
    let install = |text: String| {
        let path = world.root.join("requirements.txt");
        std::fs::write(&path, text).unwrap();
        prove::install(&world, "own", &wheel, &path, &python(&world)).unwrap_err()
    };
    let zeros = "0".repeat(64);
    let error = install(format!("direct @ file://{library} --hash=sha256:{zeros}\n"));
    assert_eq!(error.kind, Kind::Conflict, "{error}");
    let error = install(format!("direct @ file://{library}\n"));
    assert_eq!(error.kind, Kind::Refused, "{error}");
    assert!(error.message.contains("has no hash"), "{error}");
}

/// A wheel that needs nothing.
fn plain(world: &World) -> Utf8PathBuf {
    let wheel = Wheel {
        name: "own",
        metadata: &[],
        scripts: vec!["own = own:main".to_owned()],
        files: vec![("own.py".to_owned(), String::new())],
    };
    wheel.write(&world.root)
}

#[test]
fn an_index_that_cannot_be_reached_is_no_fault_of_the_wheel() {
    let mut world = world("no-network");
    let index = format!("http://127.0.0.1:{}/simple", loopback::free_port().unwrap());
    world.environment.insert("PIP_INDEX_URL".to_owned(), index);
    let path = world.root.join("requirements.txt");
    let zeros = "0".repeat(64);
    std::fs::write(&path, format!("direct==1.0 --hash=sha256:{zeros}\n")).unwrap();
    let wheel = plain(&world);
    let error = prove::install(&world, "own", &wheel, &path, &python(&world)).unwrap_err();
    assert_eq!(error.kind, Kind::Precondition, "{error}");
    assert!(error.message.starts_with("no network: "), "{error}");
}

/// A Python that has no pip itself, as Debian's: the environment then brings its own.
#[test]
fn a_python_without_pip_will_do() {
    let world = world("no-pip");
    let bare = world.root.join("bare");
    let venv = world
        .command(python(&world))
        .args(["-m", "venv", "--without-pip"]);
    venv.arg(&bare).run().unwrap();
    let (wheel, requirements) = (plain(&world), requirements(&world.root, &[]));
    let python = bare.join("bin/python");
    let environment = prove::install(&world, "own", &wheel, &requirements, &python).unwrap();
    assert_eq!(environment.wheel.name, "own");
}
