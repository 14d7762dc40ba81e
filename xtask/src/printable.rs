//! Text from elsewhere as it may be shown: no name and no summary steers a terminal, hides
//! itself or turns a line around. Pure.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Control characters, and those that change how a name is displayed but not how it looks.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every invisible character spelt out, `\u{1b}`.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Text of several lines, as [`plain`]; line breaks and tabs stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    let is_shown = |c: char| matches!(c, '\n' | '\t') || !is_invisible(c);
    if text.chars().all(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_shown(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    Cow::Owned(shown)
}

/// The text on one line, as [`plain`], in at most `most` characters; the last is `…` when
/// something is left out. Line breaks and tabs are spaces.
pub fn line(text: &str, most: usize) -> String {
    if text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return text.to_owned();
    }
    // Reading stops soon after what is shown, however long the text is.
    let head: String = text.chars().take(most.saturating_mul(4)).collect();
    let cut = head.len() < text.len();
    let words: Vec<String> = head.split_whitespace().map(plain).collect();
    let shown = words.join(" ");
    if !cut && shown.chars().count() <= most {
        return shown;
    }
    let mut short: String = shown.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// JSON text in which invisible characters are escaped; they stand only inside of strings there,
/// so that its meaning stays the same.
pub fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || !is_invisible(c) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// A text for people, broken between words into lines of at most `columns` characters. The
/// first line begins with `first`, the others with as many spaces. A word that is longer than
/// a line stands on a line of its own.
pub fn wrap(first: &str, text: &str, columns: usize) -> String {
    let indent = first.chars().count();
    let mut lines = first.to_owned();
    let mut used = indent;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if used > indent && used + 1 + length > columns {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            used = indent;
        } else if used > indent {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_is_left() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected);
        check("plain, ünïcode — 名前", "plain, ünïcode — 名前");
        check("\u{1b}[2J", "\\u{1b}[2J");
        check(
            "a\u{202e}b\u{9b}c\0\r\n",
            "a\\u{202e}b\\u{9b}c\\u{0}\\u{d}\\u{a}",
        );
        check("\u{2028}", "\\u{2028}");
    }

    #[test]
    fn lines_stay_lines() {
        let check = |text: &str, expected: &str| assert_eq!(lines(text), expected);
        check("a\n\tb — ü\n", "a\n\tb — ü\n");
        check("a\n\u{1b}[2J\0\u{202e}b", "a\n\\u{1b}[2J\\u{0}\\u{202e}b");
    }

    #[test]
    fn lines_are_single_and_short() {
        let check = |text: &str, most, expected: &str| assert_eq!(line(text, most), expected);
        check("a\n\t b", 9, "a b");
        check("abcdef", 6, "abcdef");
        check("abcdefg", 6, "abcde…");
        check("名前名前", 3, "名前…");
        check("", 3, "");
        assert_eq!(line(&"x".repeat(1_000_000), 10).chars().count(), 10);
        assert_eq!(line(&" ".repeat(1_000_000), 10), "…");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text =
            serde_json::to_string_pretty(&["\u{9b}31m", "\u{e0001}", "\u{1b}", "é"]).unwrap();
        let escaped = json(&text);
        assert!(escaped.chars().all(|c| c == '\n' || !is_invisible(c)));
        let back: Vec<String> = serde_json::from_str(&escaped).unwrap();
        assert_eq!(back, ["\u{9b}31m", "\u{e0001}", "\u{1b}", "é"]);
    }

    #[test]
    fn words_are_wrapped_under_the_first() {
        let check = |text: &str, expected: &str| assert_eq!(wrap("in ", text, 11), expected);
        check("", "in ");
        check("a b c", "in a b c");
        check("aaaa bbb cc", "in aaaa bbb\n   cc");
        check("a-very-long-word b", "in a-very-long-word\n   b");
    }
}
