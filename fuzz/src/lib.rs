//! What each fuzz target does with its bytes, as plain functions.
//!
//! `fuzz_targets/` calls them in an endless loop; the tool's own tests (`xtask/tests/it/fuzz.rs`)
//! include this file and call them once for every file of `corpus/`, so that neither rots. A
//! function returns when the bytes were treated well, be it with an error that helps a person,
//! and panics when a promise was broken. `docs/fuzzing.md` lists the promises.

mod advisories;
mod files;
mod locks;
mod outputs;
mod versions;

/// A fuzz target: its name, which is also that of its folder in `corpus/`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target. A test holds this list against `fuzz_targets/` and `corpus/`.
pub static TARGETS: &[Target] = &[
    ("archive", advisories::archive),
    ("audit", outputs::audit),
    ("cargo", |bytes| locks::read("Cargo.lock", bytes)),
    ("config", locks::config),
    ("constraint", versions::constraint),
    ("group", versions::group),
    ("index", advisories::index),
    ("interval", versions::interval),
    ("listing", advisories::listing),
    ("live", advisories::live),
    ("npm", |bytes| locks::read("package-lock.json", bytes)),
    ("order", versions::order),
    ("pnpm", |bytes| locks::read("pnpm-lock.yaml", bytes)),
    ("poetry", |bytes| locks::read("poetry.lock", bytes)),
    ("poetry_export", locks::poetry_export),
    ("record", advisories::record),
    ("repair", locks::repair),
    ("report", outputs::report),
    ("requirements", locks::requirements),
    ("uv", |bytes| locks::read("uv.lock", bytes)),
    ("yarn", |bytes| locks::read("yarn.lock", bytes)),
];

/// Does what the target of this name does.
///
/// # Panics
/// There is no such target, or a promise was broken.
pub fn run(name: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(one, _)| *one == name);
    let (_, target) = found.unwrap_or_else(|| panic!("there is no fuzz target {name}"));
    target(bytes);
}
