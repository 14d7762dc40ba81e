//! `cargo fmt --check` → findings: the first line of every difference. Pure.

use camino::Utf8Path;

use super::{Finding, Tool, shown};

/// Reads what it prints.
pub fn read(output: &str, root: &Utf8Path) -> Vec<Finding> {
    let places = output.lines().filter_map(|line| {
        let place = line.strip_prefix("Diff in ")?.trim_end_matches(':');
        // Older versions write `at line 3`, newer ones `:3`.
        let (path, line) = match place.split_once(" at line ") {
            Some(found) => found,
            None => place.rsplit_once(':')?,
        };
        Some((path, line.parse::<usize>().ok()?))
    });
    let finding = |(path, line): (&str, usize)| Finding {
        path: shown(root, root, path.trim_start_matches(r"\\?\")),
        line,
        column: 1,
        tool: Tool::Rustfmt,
        rule: "format".to_owned(),
        message: "not formatted".to_owned(),
    };
    places.map(finding).collect()
}
