//! The documents say what the tool does: links lead somewhere, commands are sentences of the
//! grammar, quoted messages are in the source.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::repository::workspace;

fn read(path: &Utf8Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// The README and everything in `docs/`.
fn documents() -> Vec<Utf8PathBuf> {
    let mut paths = vec![workspace().join("README.md")];
    let files = workspace().join("docs").read_dir_utf8().unwrap();
    let files = files.map(|entry| entry.unwrap().into_path());
    paths.extend(files.filter(|path| path.extension() == Some("md")));
    paths.sort();
    paths
}

/// The names by which GitHub links to the headings of a document.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = outside_code(text);
    let headings = headings.iter().filter_map(|line| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len() && title.starts_with(' ')).then_some(title.trim())
    });
    let anchor = |title: &str| {
        let kept = title.to_lowercase();
        let kept = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// The lines that are not in a block of code.
fn outside_code(text: &str) -> Vec<&str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            lines.push(line);
        }
    }
    lines
}

/// The lines of blocks of code, continued ones joined.
fn inside_code(text: &str) -> Vec<&str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            lines.push(line);
        }
    }
    lines
}

/// The texts between single backticks, also where they go on in the next line.
fn spans(text: &str) -> Vec<String> {
    let text = outside_code(text).join("\n");
    let paragraphs = text.split("\n\n");
    let odd = paragraphs.flat_map(|text| text.split('`').skip(1).step_by(2));
    odd.map(|span| span.replace('\n', " ")).collect()
}

#[test]
fn relative_links_lead_somewhere() {
    let mut count = 0;
    for document in documents() {
        let text = read(&document);
        let prose = outside_code(&text).join("\n");
        for link in prose.split("](").skip(1) {
            let link = link.split([')', ' ']).next().unwrap();
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => document.clone(),
                path => document.parent().unwrap().join(path),
            };
            assert!(target.exists(), "{document}: {link} leads nowhere");
            if !anchor.is_empty() {
                let known = anchors(&read(&target));
                assert!(known.contains(anchor), "{document}: {link}: {known:?}");
            }
            count += 1;
        }
    }
    assert!(count > 20, "{count} links");
}

#[test]
fn quoted_commands_can_be_typed() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in documents() {
        let text = read(&document);
        let lines = inside_code(&text).into_iter().map(|line| {
            let line = line.trim_start().trim_start_matches("$ ");
            line.strip_prefix("- run: ").unwrap_or(line).to_owned()
        });
        for command in lines.chain(spans(&text)) {
            // What stands for anything is no command.
            if !command.starts_with("cargo xtask ") || command.contains('…') {
                continue;
            }
            let end = |word: &&str| !matches!(*word, ">" | ">>" | "|" | "||" | "&&" | "#");
            let words = command.split_whitespace().take_while(end);
            let words = words.map(|word| word.trim_matches(['"', '\''])).skip(1);
            count += 1;
            if let Err(error) = xtask::cli::grammar().try_get_matches_from(words)
                && error.use_stderr()
            {
                let why = error.to_string();
                let why = why.lines().next().unwrap_or_default().to_owned();
                wrong.push(format!("{document}: {command}: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 60, "{count} commands");
}

#[test]
fn quoted_messages_are_in_the_source() {
    fn sources(folder: &Utf8Path, all: &mut String) {
        for entry in folder.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            if path.is_dir() {
                sources(&path, all);
            } else if path.extension() == Some("rs") {
                all.push_str(&read(&path));
            }
        }
    }
    let mut all = String::new();
    sources(&workspace().join("xtask/src"), &mut all);
    // Texts that go on in the next line of the source.
    let mut source = String::new();
    for (index, part) in all.split("\\\n").enumerate() {
        source.push_str(if index == 0 { part } else { part.trim_start() });
    }
    let text = read(&workspace().join("docs/troubleshooting.md"));
    let headings = text.lines().filter_map(|line| line.strip_prefix("### "));
    let mut count = 0;
    for heading in headings {
        let message = heading.trim().trim_matches('`');
        let parts = message.split('…').map(str::trim);
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let longest = parts.iter().map(|part| part.len()).max();
        assert!(longest > Some(7), "{message} says too little");
        for part in parts {
            assert!(
                source.contains(part),
                "no message says {part:?} ({message})"
            );
        }
        count += 1;
    }
    assert!(count > 40, "{count} messages");
}
