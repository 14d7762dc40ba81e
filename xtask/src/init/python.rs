//! On which Pythons the workflows run: the oldest and the newest that the server takes. Pure.

use serde_json::Value;

use crate::pep440::{self, Context};

/// The oldest and the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pythons {
    /// Tests run on it.
    pub oldest: &'static str,
    /// Everything runs on it.
    pub newest: &'static str,
}

/// Those that this tool runs on, oldest first.
const KNOWN: [&str; 5] = ["3.10", "3.11", "3.12", "3.13", "3.14"];

/// The newest first, but the one that is tried least only where nothing else will do.
const PREFERRED: [&str; 5] = ["3.13", "3.12", "3.11", "3.10", "3.14"];

/// Decides from what `pyproject.toml` says; a range that cannot be read rules nothing out, and the
/// build says what is wrong with it.
pub fn decide(values: &Value) -> Pythons {
    let poetry = &values["tool"]["poetry"]["dependencies"]["python"];
    let stated = values["project"]["requires-python"]
        .as_str()
        .or_else(|| poetry.as_str())
        .or_else(|| poetry["version"].as_str());
    let parsed = |text: &str| pep440::parse(text, Context::Marker).ok();
    let range = stated.and_then(parsed);
    let takes = |python: &&'static str| {
        let releases = parsed(&format!("{python}.*"));
        let both = range.as_ref().zip(releases.as_ref());
        both.is_none_or(|(range, releases)| range.allows_any(releases))
    };
    let newest = PREFERRED.into_iter().find(takes).unwrap_or(PREFERRED[0]);
    Pythons {
        oldest: KNOWN.into_iter().find(takes).unwrap_or(newest),
        newest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_decides() {
        let check = |values: Value, oldest: &'static str, newest: &'static str| {
            assert_eq!(decide(&values), Pythons { oldest, newest }, "{values}");
        };
        let project = |range: &str| serde_json::json!({"project": {"requires-python": range}});
        check(serde_json::json!({}), "3.10", "3.13");
        check(project(">=3.8"), "3.10", "3.13");
        check(project(">=3.11.4,<3.13"), "3.11", "3.12");
        check(project("==3.12.*"), "3.12", "3.12");
        check(project(">=3.14"), "3.14", "3.14");
        check(project(">=3.15"), "3.13", "3.13");
        check(project("nonsense"), "3.10", "3.13");
        let poetry = |range: Value| serde_json::json!({"tool": {"poetry": {"dependencies": {"python": range}}}});
        check(poetry("^3.11".into()), "3.11", "3.13");
        check(
            poetry(serde_json::json!({"version": "~3.12"})),
            "3.12",
            "3.12",
        );
    }
}
