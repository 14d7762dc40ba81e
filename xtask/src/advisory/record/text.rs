//! Text of strangers that ends on a terminal, in a table or in a link.

use super::form::Reference;

/// The longest name of a package; registries allow 214.
pub const LONGEST_NAME: usize = 512;
const LONGEST_ID: usize = 256;
const LONGEST_SUMMARY: usize = 200;
const LONGEST_URL: usize = 2000;

/// An id that can stand in a table and in a comma-separated list.
pub fn id(text: &str) -> Result<String, String> {
    let is_plain = |c: char| !c.is_whitespace() && !is_hidden(c) && c != ',';
    let is_id = !text.is_empty() && text.len() <= LONGEST_ID && text.chars().all(is_plain);
    match is_id {
        true => Ok(text.to_owned()),
        false => Err(format!("no id of an advisory: `{}`", shown(text))),
    }
}

/// The record's summary, or else the first sentence of its details: one line, not too long.
pub fn summary(summary: Option<&str>, details: Option<&str>) -> String {
    let of_summary = line(summary.unwrap_or_default().chars());
    if !of_summary.is_empty() {
        return shortened(of_summary);
    }
    let details = details.unwrap_or_default();
    let first = details
        .lines()
        .map(|line| line.trim_start_matches(['#', ' ', '\t']))
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let first = line(first.chars());
    let sentence = first.find(". ").and_then(|end| first.get(..=end));
    shortened(sentence.unwrap_or(&first).to_owned())
}

/// Text for an error message.
pub fn shown(text: &str) -> String {
    let start: String = text.chars().take(120).collect();
    let is_whole = start.len() == text.len();
    line(start.chars()) + if is_whole { "" } else { "…" }
}

/// The page to read: of type ADVISORY, or else of type WEB, or else the first.
pub fn url(references: &[Reference<'_>]) -> Option<String> {
    let is_link = |reference: &&Reference<'_>| {
        let url = &*reference.url;
        let is_web = ["https://", "http://"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        let is_plain = |c: char| !c.is_whitespace() && !is_hidden(c);
        is_web && url.len() <= LONGEST_URL && url.chars().all(is_plain)
    };
    let of = |kind: &str| {
        let mut links = references.iter().filter(is_link);
        links.find(|reference| reference.kind == kind)
    };
    of("ADVISORY")
        .or_else(|| of("WEB"))
        .or_else(|| references.iter().find(is_link))
        .map(|reference| reference.url.to_string())
}

/// One line: every run of space and of characters that cannot be seen is one space.
fn line(text: impl Iterator<Item = char>) -> String {
    let mut line = String::new();
    for character in text {
        if !character.is_whitespace() && !is_hidden(character) {
            line.push(character);
        } else if !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
        // Enough to cut it; what follows may be megabytes.
        if line.len() > 8 * LONGEST_SUMMARY {
            break;
        }
    }
    line.truncate(line.trim_end().len());
    line
}

fn shortened(line: String) -> String {
    match line.char_indices().nth(LONGEST_SUMMARY) {
        Some((end, _)) => {
            let start = line.get(..end).unwrap_or(&line).trim_end();
            format!("{start}…")
        }
        None => line,
    }
}

/// Characters that move the cursor, turn the direction of writing or take no room: a text could
/// use them to show something else than it says.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}
