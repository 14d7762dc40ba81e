//! Whether a `poetry.lock` has lost a package. Pure.
//!
//! A block that was deleted by hand or by a merge leaves text that is still TOML. What was
//! installed can then no longer be said, so it is an error and not a shorter list.

use std::collections::HashMap;

use super::super::toml::{self, Place, Table, Value};
use super::audit::each;
use crate::error::Result;
use crate::name::normalize;

/// Packages that Poetry left out of lock files for years, although others depend on them.
const LEFT_OUT: [&str; 4] = ["setuptools", "distribute", "pip", "wheel"];

/// Looks for names that must have a package: those with files, and those that a package depends
/// on under no condition. `own` is the project's name, which is never locked; without it only
/// the files are looked at, because the project may be meant.
///
/// # Errors
/// The first name without a package.
pub fn check(
    metadata: &Table<'_>,
    tables: &[(usize, &Table<'_>)],
    names: &HashMap<&str, Vec<usize>>,
    own: Option<&str>,
    place: &Place<'_>,
) -> Result<()> {
    let is_there = |name: &str| names.contains_key(normalize(name).as_str());
    for table in ["files", "hashes"] {
        let Some(files) = toml::table(metadata, table) else {
            continue;
        };
        if let Some((name, value)) = files.iter().find(|(name, _)| !is_there(name)) {
            let line = place.line_of(value);
            let problem = "but there is no package of this name: the lock file is incomplete";
            return Err(place.error(line, format!("[metadata.{table}] has {name}, {problem}")));
        }
    }
    let Some(own) = own else {
        return Ok(());
    };
    for (line, table) in tables {
        for (name, value) in toml::entries(table, "dependencies") {
            let wanted = normalize(name);
            let is_meant = wanted == own || wanted == "python" || LEFT_OUT.contains(&&*wanted);
            if !is_meant && each(value).into_iter().any(is_unconditional) && !is_there(name) {
                let package = toml::text(table, "name").unwrap_or_default();
                return Err(place.error(
                    *line,
                    format!(
                        "package {package}: it depends on {name}, for which there is no package: \
                         the lock file is incomplete"
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// Whether it is always installed: nothing in it speaks of an environment or an extra.
fn is_unconditional(value: &Value<'_>) -> bool {
    value.as_table().is_none_or(|table| {
        ["optional", "markers", "python", "platform"]
            .iter()
            .all(|key| !table.contains_key(key))
    })
}
