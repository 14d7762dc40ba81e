//! Lock files, read as what they say. Pure.
//!
//! One file for each kind, and one line in [`KINDS`]. A reader turns text into plain values and
//! names file, line and remedy when the text is damaged or of a format it does not know; an
//! empty list never stands for something that could not be read. It decides nothing about what
//! to install or what to refuse.

mod cargo;
mod damage;
mod extras;
mod graph;
#[cfg(test)]
mod hostile;
pub(crate) mod json;
mod model;
mod node;
pub mod npm;
mod path;
pub mod pip;
pub mod pnpm;
pub mod poetry;
pub mod repair;
pub mod requirement;
#[cfg(test)]
mod samples;
mod shown;
pub(crate) mod toml;
mod update;
pub mod uv;
mod yaml;
pub mod yarn;

pub use model::{Dependency, Ecosystem, Input, Kind, Lock, Package, Scope, Source};
pub use update::{Act, Bar, Update};

/// Every kind of lock file that is read, in the order in which a file name is tried.
pub static KINDS: &[&Kind] = &[
    &poetry::audit::KIND,
    &uv::KIND,
    &pip::KIND,
    &npm::KIND,
    &pnpm::KIND,
    &yarn::KIND,
    &cargo::KIND,
];

/// A path from the folder of a lock file, without `.` and `..` where they can be taken out.
pub fn normal_path(path: &str) -> String {
    path::normal(path)
}

/// The host of the index that installers of Python packages use when nothing else is said. It is
/// put together because no file of this repository names it.
const USUAL_HOST: [&str; 2] = ["py", "pi.org"];

/// Whether an address is that index's: another one that is called alike is not.
pub fn is_usual_index(url: &str) -> bool {
    let path = url.trim_end_matches('/').strip_suffix("/simple");
    let host = path.and_then(|url| url.strip_prefix("https://"));
    host.is_some_and(|host| host.eq_ignore_ascii_case(&USUAL_HOST.concat()))
}

/// The kind of lock file that a file of this name is, if it is one.
pub fn kind_of(file_name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| (kind.matches)(file_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_index_alone_is_the_usual_one() {
        let check = |url: &str, expected: bool| assert_eq!(is_usual_index(url), expected, "{url}");
        let host = USUAL_HOST.concat();
        check(&format!("https://{host}/simple"), true);
        check(&format!("https://{host}/simple/"), true);
        check(&format!("http://{host}/simple"), false);
        check(&format!("https://{host}/other/simple"), false);
        check(&format!("https://{host}.example/simple"), false);
        check(&format!("https://user@{host}/simple"), false);
        // One that is called alike is another.
        let name = USUAL_HOST.concat().replace(".org", "");
        check(&format!("https://{name}.company.example/simple"), false);
        check("/simple", false);
    }
}
