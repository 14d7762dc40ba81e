//! Workflow commands: lines of a step's output that GitHub's runner obeys instead of showing.
//!
//! Only what is made here may be one. What somebody else wrote passes through [`defused`], so
//! that the title of an advisory or the name of a file gives the runner no orders.

use std::borrow::Cow;

/// The value behind a command, in the runner's escapes.
pub fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property of a command, which ends at a comma or a colon.
pub fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Opens a group of lines that the log shows folded.
pub fn group(title: &str) -> String {
    format!("::group::{}", data(title))
}

/// Closes the group.
pub const END_OF_GROUP: &str = "::endgroup::";

/// Text in which no line is a command: the runner knows them by two colons at the start of a
/// line, behind blanks, and by `##[` anywhere.
pub fn defused(text: &str) -> Cow<'_, str> {
    let is_command = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
    if !text.split(['\n', '\r']).any(is_command) {
        return Cow::Borrowed(text);
    }
    let line = |line: &str| {
        let start = line.len() - line.trim_start().len();
        let (blanks, rest) = line.split_at(start);
        let colons = if rest.starts_with("::") { "\\" } else { "" };
        format!("{blanks}{colons}{}", rest.replace("##[", "## ["))
    };
    let lines: Vec<String> = text.split_inclusive(['\n', '\r']).map(line).collect();
    Cow::Owned(lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        assert_eq!(data("50% of\r\na: b, c"), "50%25 of%0D%0Aa: b, c");
        assert_eq!(property("50%\na:b,c"), "50%25%0Aa%3Ab%2Cc");
        assert_eq!(group("pip\n::error::x"), "::group::pip%0A::error::x");
    }

    #[test]
    fn what_others_wrote_gives_no_orders() {
        let check = |text: &str, expected: &str| assert_eq!(defused(text), expected);
        check("plain\n  text :: here\n", "plain\n  text :: here\n");
        check("::add-mask::x", "\\::add-mask::x");
        check("a\n \t::error::x\r\nb", "a\n \t\\::error::x\r\nb");
        check("a\r::stop-commands::x", "a\r\\::stop-commands::x");
        check("see ##[add-path]/x", "see ## [add-path]/x");
        check("::", "\\::");
        check("", "");
    }
}
