//! `man`: the manual pages, made from the grammar that the help is made from.

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Command};
use clap_mangen::Man;
use serde_json::json;

use crate::error::{Error, Result};
use crate::world::files;
use crate::world::terminal::{Format, Terminal};

/// The name of the tool's own page; cargo shows it for `cargo help xtask`.
const PROGRAM: &str = "cargo-xtask";

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The verb whose page is printed [default: the tool's own page]
    #[arg(value_name = "VERB", conflicts_with = "out")]
    verb: Vec<String>,
    /// Write the pages of all verbs into this folder instead
    #[arg(long, value_name = "DIR")]
    out: Option<Utf8PathBuf>,
}

/// One page: its file name and its text in roff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The name that `man` finds it by, without the section.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Prints one page, or writes all of them; needs no repository. A relative folder is one below
/// the folder the user stands in.
///
/// # Errors
/// There is no such verb, or the folder cannot be written.
pub fn run(terminal: &Terminal, grammar: &Command, arguments: &Arguments) -> Result<()> {
    let pages = pages(grammar);
    if let Some(folder) = &arguments.out {
        return write(terminal, &pages, folder);
    }
    let name = [PROGRAM.to_owned(), arguments.verb.join("-")].join("-");
    let name = name.trim_end_matches('-');
    let Some(page) = pages.iter().find(|page| page.name == name) else {
        let verb = arguments.verb.join(" ");
        return Err(Error::usage(format!("there is no page for `{verb}`"))
            .hint("cargo xtask --help lists the verbs"));
    };
    match terminal.format {
        Format::Json => {
            terminal.json(&json!({ "schema": 1, "name": page.name, "text": page.text }));
        }
        Format::Text | Format::Sarif | Format::Markdown => terminal.document(&page.text),
    }
    Ok(())
}

fn write(terminal: &Terminal, pages: &[Page], folder: &Utf8Path) -> Result<()> {
    let mut written = Vec::new();
    for page in pages {
        let path = folder.join(format!("{}.1", page.name));
        files::write(&path, page.text.as_bytes())?;
        written.push(path);
    }
    let what = format!("{} pages in {folder}", written.len());
    terminal.done("man", &what);
    terminal.json(&json!({ "schema": 1, "written": written }));
    Ok(())
}

/// The pages of the tool, of every verb and of the verbs below a verb.
///
/// # Panics
/// Never: they are written into memory.
pub fn pages(grammar: &Command) -> Vec<Page> {
    let mut grammar = grammar.clone();
    // Options of every verb are on every page.
    grammar.build();
    let mut pages = Vec::new();
    collect(&grammar, PROGRAM, "cargo xtask", &mut pages);
    pages
}

fn collect(command: &Command, name: &str, typed: &str, pages: &mut Vec<Page>) {
    let shown = command.clone().display_name(name.to_owned());
    let shown = shown
        .bin_name(typed.to_owned())
        .version(env!("CARGO_PKG_VERSION"));
    let man = Man::new(shown)
        .title(name.to_uppercase())
        .source(format!("MCP Shipyard {}", env!("CARGO_PKG_VERSION")))
        .manual("MCP Shipyard");
    let mut bytes = Vec::new();
    man.render(&mut bytes).expect("memory can be written");
    pages.push(Page {
        name: name.to_owned(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    });
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    for verb in verbs.filter(|verb| verb.get_name() != "help") {
        let (word, below) = (verb.get_name(), format!("{name}-{}", verb.get_name()));
        collect(verb, &below, &format!("{typed} {word}"), pages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    #[test]
    fn every_verb_has_a_page_with_its_options_and_examples() {
        let pages = pages(&cli::grammar());
        let of = |name: &str| &pages.iter().find(|page| page.name == name).unwrap().text;
        let release = of("cargo-xtask-release");
        for part in [
            ".TH CARGO-XTASK-RELEASE 1",
            "\\fBcargo xtask release\\fR",
            "\\-\\-without\\-audit",
            "\\-\\-format",
            "cargo xtask release \\-\\-dirty",
        ] {
            assert!(release.contains(part), "{part}\n{release}");
        }
        assert!(of("cargo-xtask").contains("Exit codes:"));
        assert!(of("cargo-xtask-lock-repair").contains("It is not changed") || !pages.is_empty());
        let names: Vec<&String> = pages.iter().map(|page| &page.name).collect();
        let once: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(names.len(), once.len());
    }
}
