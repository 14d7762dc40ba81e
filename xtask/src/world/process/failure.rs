//! What is said about a program that failed: its last lines, and what a cause that every program
//! may meet asks for. Pure.

use super::Output;
use crate::error::{DISK_FULL, Error, READ_ONLY};

/// The error for a program that ended with another code than 0. `what` names the purpose,
/// `line` is the call.
pub fn of(what: &str, line: &str, output: &Output) -> Error {
    let mut message = format!("{what} failed ({}): {line}", output.status);
    let (stdout, stderr) = (tail(&output.stdout, 8), tail(&output.stderr, 20));
    for text in stdout.iter().chain(&stderr) {
        message.push_str("\n    ");
        message.push_str(text);
    }
    let error = Error::failure(message);
    match hint(&output.stderr).or_else(|| hint(&output.stdout)) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// What to do when a disk is the cause: as the C library names it, and as Node.js does.
fn hint(said: &str) -> Option<&'static str> {
    let has = |signs: [&str; 2]| signs.iter().any(|sign| said.contains(sign));
    if has(["No space left on device", "ENOSPC"]) {
        Some(DISK_FULL)
    } else if has(["Read-only file system", "EROFS"]) {
        Some(READ_ONLY)
    } else {
        None
    }
}

/// The last lines of an output, enough to see the cause.
fn tail(text: &str, most: usize) -> Vec<&str> {
    let filled = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    let lines: Vec<&str> = filled.collect();
    lines[lines.len().saturating_sub(most)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_told_from_other_causes() {
        let check = |said: &str, expected| assert_eq!(hint(said), expected, "{said}");
        check("npm error ENOSPC: write", Some(DISK_FULL));
        check("[Errno 30] Read-only file system: 'x'", Some(READ_ONLY));
        check("something else", None);
    }
}
