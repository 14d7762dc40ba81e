//! Adds the hooks to an extension's `package.json`: characters are added, none is changed. Pure.
//!
//! `npx vsce package` runs `vscode:prepublish`; the wheel has to be built into the bundle before
//! what was there, and the folder to be held against the gate after it.

use std::ops::Range;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::version::json::{self, Found};

/// The script's name that brings the bundle.
pub const BUNDLE: (&str, &str) = ("bundle-server", "node scripts/xtask.cjs bundle");
/// The script's name that holds the folder against the gate.
pub const CHECK: (&str, &str) = ("check-package", "node scripts/xtask.cjs check");
/// The script that `vsce` runs.
const HOOK: &str = "vscode:prepublish";

/// The text with the hooks; `None` when it calls the tool already.
///
/// # Errors
/// A script of one of these names does something else, or the file is not laid out as JSON that
/// could be added to.
pub fn with_hooks(text: &str, file: &str, fallback: Option<&str>) -> Result<Option<String>> {
    let bare = text.trim_start_matches('\u{feff}');
    let manifest: Value = serde_json::from_str(bare)
        .map_err(|cause| Error::failure(format!("{file}: {cause}")).hint(format!("mend {file}")))?;
    let scripts = &manifest["scripts"];
    let hook = scripts[HOOK].as_str();
    if hook.is_some_and(|hook| hook.contains("xtask") || hook.contains(BUNDLE.0)) {
        return Ok(None);
    }
    for (name, command) in [BUNDLE, CHECK] {
        if scripts[name].as_str().is_some_and(|there| there != command) {
            return Err(Error::precondition(format!(
                "{file} has a script {name:?} that does something else than `{command}`"
            ))
            .hint(format!("rename it, or let it call `{command}`")));
        }
    }
    let (before, after) = (
        format!("npm run {}", BUNDLE.0),
        format!("npm run {}", CHECK.0),
    );
    let missing: Vec<(&str, String)> = [BUNDLE, CHECK]
        .into_iter()
        .filter(|(name, _)| scripts[*name].is_null())
        .map(|(name, command)| (name, command.to_owned()))
        .collect();
    let found = match hook {
        Some(_) => hook_place(text).and_then(|place| {
            let mut changed = text.to_owned();
            // From the back, so that earlier places stay where they are.
            changed.insert_str(place.end, &format!(" && {after}"));
            changed.insert_str(place.start, &format!("{before} && "));
            add(&changed, &missing)
        }),
        None => {
            let between = fallback.map_or(String::new(), |name| format!("npm run {name} && "));
            let mut missing = missing;
            missing.push((HOOK, format!("{before} && {between}{after}")));
            match scripts.is_object() {
                true => add(text, &missing),
                false => add_scripts(text, &missing),
            }
        }
    };
    let changed = found.ok_or_else(|| {
        Error::precondition(format!("{file} has no place where scripts could be added"))
            .hint(format!("add an empty `\"scripts\": {{}}` to {file}"))
    })?;
    let parsed: std::result::Result<Value, _> =
        serde_json::from_str(changed.trim_start_matches('\u{feff}'));
    match parsed {
        Ok(value) if value["scripts"][BUNDLE.0] == BUNDLE.1 => Ok(Some(changed)),
        _ => Err(Error::precondition(format!(
            "{file} is laid out in a way that nothing can be added to"
        ))
        .hint(format!(
            "add the scripts by hand: {} and {}",
            BUNDLE.1, CHECK.1
        ))),
    }
}

/// Where the value of the hook stands, without its quotes.
fn hook_place(text: &str) -> Option<Range<usize>> {
    let found = json::find(text, &[&["scripts", HOOK]]).ok()?;
    match found.into_iter().next()?? {
        Found::Text(range) => Some(range),
        Found::Other => None,
    }
}

/// How many bytes a string has until its closing quote.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices()
        .find_map(|(at, character)| match character {
            _ if escaped => {
                escaped = false;
                None
            }
            '\\' => {
                escaped = true;
                None
            }
            '"' => Some(at),
            _ => None,
        })
}

/// The place behind the `{` of an object that is a value of the outermost one.
fn object(text: &str, name: &str) -> Option<usize> {
    let mut depth = 0_i32;
    let mut at = 0;
    let mut last_key = "";
    while let Some(character) = text.get(at..)?.chars().next() {
        match character {
            '"' => {
                let end = string_end(text.get(at + 1..)?)?;
                last_key = if depth == 1 {
                    text.get(at + 1..at + 1 + end)?
                } else {
                    last_key
                };
                at += end + 2;
                continue;
            }
            '{' if depth == 1 && last_key == name => return Some(at + 1),
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        at += character.len_utf8();
    }
    None
}

fn entry(name: &str, command: &str) -> String {
    format!("\"{name}\": \"{command}\"")
}

/// Puts entries in front of the first one of `scripts`, laid out as that one is.
fn add(text: &str, entries: &[(&str, String)]) -> Option<String> {
    if entries.is_empty() {
        return Some(text.to_owned());
    }
    let at = object(text, "scripts")?;
    let rest = text.get(at..)?;
    let blank = rest.len() - rest.trim_start().len();
    let layout = rest.get(..blank)?;
    let is_empty = rest.trim_start().starts_with('}');
    let mut added = String::new();
    for (number, (name, command)) in entries.iter().enumerate() {
        let layout = match (is_empty, layout.contains('\n')) {
            (true, _) => "",
            (false, true) => layout,
            (false, false) if number > 0 => " ",
            (false, false) => layout,
        };
        added.push_str(layout);
        added.push_str(&entry(name, command));
        let is_last = number + 1 == entries.len();
        if !(is_last && is_empty) {
            added.push(',');
        }
        if is_last && !layout.contains('\n') && layout.is_empty() && !is_empty {
            added.push(' ');
        }
    }
    let mut changed = text.to_owned();
    changed.insert_str(at, &added);
    Some(changed)
}

/// Puts a whole `scripts` in front of the first entry of the file.
fn add_scripts(text: &str, entries: &[(&str, String)]) -> Option<String> {
    let at = text.find('{')? + 1;
    let rest = text.get(at..)?;
    let blank = rest.len() - rest.trim_start().len();
    let layout = rest.get(..blank)?;
    let step: String = layout.chars().filter(|c| matches!(c, ' ' | '\t')).collect();
    let inner = match layout.contains('\n') {
        true => format!("{layout}{step}"),
        false => " ".to_owned(),
    };
    let lines: Vec<String> = entries
        .iter()
        .map(|(name, command)| format!("{inner}{}", entry(name, command)))
        .collect();
    let close = if layout.contains('\n') { layout } else { " " };
    let scripts = format!("{layout}\"scripts\": {{{}{close}}},", lines.join(","));
    let mut changed = text.to_owned();
    changed.insert_str(at, &scripts);
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character of the old text is in the new one, in order.
    fn is_kept(old: &str, new: &str) -> bool {
        let mut left = new.chars();
        old.chars().all(|wanted| left.any(|found| found == wanted))
    }

    fn check(text: &str, expected: &str) {
        let changed = with_hooks(text, "package.json", Some("compile"))
            .unwrap()
            .unwrap();
        assert_eq!(changed, expected);
        assert!(is_kept(text, &changed));
        assert_eq!(
            with_hooks(&changed, "package.json", None).unwrap(),
            None,
            "twice"
        );
    }

    #[test]
    fn hooks_go_around_what_is_there() {
        check(
            "{\n\t\"a\": {\"scripts\": {}},\n\t\"scripts\": {\n\t\t\"vscode:prepublish\": \"npm run \\\"x\\\"\"\n\t}\n}\n",
            "{\n\t\"a\": {\"scripts\": {}},\n\t\"scripts\": {\n\t\t\"bundle-server\": \"node scripts/xtask.cjs bundle\",\n\t\t\"check-package\": \"node scripts/xtask.cjs check\",\n\t\t\"vscode:prepublish\": \"npm run bundle-server && npm run \\\"x\\\" && npm run check-package\"\n\t}\n}\n",
        );
    }

    #[test]
    fn line_ends_and_layout_stay() {
        check(
            "\u{feff}{\r\n    \"scripts\": {\r\n        \"compile\": \"tsc\"\r\n    }\r\n}",
            "\u{feff}{\r\n    \"scripts\": {\r\n        \"bundle-server\": \"node scripts/xtask.cjs bundle\",\r\n        \"check-package\": \"node scripts/xtask.cjs check\",\r\n        \"vscode:prepublish\": \"npm run bundle-server && npm run compile && npm run check-package\",\r\n        \"compile\": \"tsc\"\r\n    }\r\n}",
        );
        check(
            "{\"scripts\": {}, \"b\": 1}",
            "{\"scripts\": {\"bundle-server\": \"node scripts/xtask.cjs bundle\",\"check-package\": \"node scripts/xtask.cjs check\",\"vscode:prepublish\": \"npm run bundle-server && npm run compile && npm run check-package\"}, \"b\": 1}",
        );
        check(
            "{\n  \"name\": \"ü\"\n}\n",
            "{\n  \"scripts\": {\n    \"bundle-server\": \"node scripts/xtask.cjs bundle\",\n    \"check-package\": \"node scripts/xtask.cjs check\",\n    \"vscode:prepublish\": \"npm run bundle-server && npm run compile && npm run check-package\"\n  },\n  \"name\": \"ü\"\n}\n",
        );
    }

    #[test]
    fn a_script_of_another_meaning_is_not_touched() {
        let text = "{\"scripts\": {\"check-package\": \"other\"}}";
        let error = with_hooks(text, "x/package.json", None).unwrap_err();
        assert!(
            error
                .message
                .contains("x/package.json has a script \"check-package\""),
            "{error}"
        );
        assert!(with_hooks("{", "p", None).is_err());
    }
}
