//! `lint`: checks manifests of others.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::lint::{RULES, Report, check, sarif};
use crate::world::World;

use super::Output;

/// The largest file that is read; manifests are small.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Arguments of `lint`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Manifests, or folders with `.yaml`, `.yml` and `.json` in them; all are read as one set
    #[arg(value_name = "FILE", required_unless_present = "rules")]
    files: Vec<PathBuf>,
    /// Print the findings as a SARIF 2.1.0 log
    #[arg(long)]
    sarif: bool,
    /// Show every rule: what goes wrong, and what to do
    #[arg(long)]
    rules: bool,
}

#[derive(Serialize)]
struct RuleLine {
    id: &'static str,
    severity: &'static str,
    why: &'static str,
    remedy: &'static str,
    docs: &'static str,
}

#[derive(Serialize)]
struct Rules {
    rules: Vec<RuleLine>,
}

/// Checks and prints; the exit code is 1 when something was found.
///
/// # Errors
/// A file cannot be read.
pub fn run(world: &World, output: &Output, arguments: &Arguments) -> Result<u8> {
    if arguments.rules {
        rules(output);
        return Ok(0);
    }
    let mut files = Vec::new();
    for path in &arguments.files {
        collect(&world.folder.join(path), path, Depth::Named, &mut files)?;
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(Error::invalid("there is no manifest in what was named")
            .hint("name files, or folders with .yaml, .yml or .json in them"));
    }
    let report = check(files);
    if arguments.sarif {
        let mut text = serde_json::to_string_pretty(&sarif(&report)).unwrap_or_default();
        text.push('\n');
        output.raw(text.as_bytes());
    } else {
        output.result(&text(&report), &report);
    }
    Ok(u8::from(!report.findings.is_empty()))
}

fn rules(output: &Output) {
    let mut text = String::new();
    for rule in RULES {
        text.push_str(&format!(
            "{} ({})\n  {}\n  {}\n  {}\n",
            rule.id,
            rule.severity.word(),
            rule.why,
            rule.remedy,
            rule.docs
        ));
    }
    let rules = RULES
        .iter()
        .map(|rule| RuleLine {
            id: rule.id,
            severity: rule.severity.word(),
            why: rule.why,
            remedy: rule.remedy,
            docs: rule.docs,
        })
        .collect();
    output.result(&text, &Rules { rules });
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        text.push_str(&format!(
            "{}:{}: {}: {} [{}]\n  {}\n",
            finding.path,
            finding.line,
            finding.severity.word(),
            finding.message,
            finding.rule,
            finding.remedy
        ));
    }
    text.push_str(&format!(
        "{} in {} objects of {} files{}\n",
        match report.findings.len() {
            0 => "nothing found".to_owned(),
            1 => "1 finding".to_owned(),
            many => format!("{many} findings"),
        },
        report.objects,
        report.files,
        match report.suppressed {
            0 => String::new(),
            some => format!(", {some} passed over by comments"),
        }
    ));
    text
}

/// Whether a file was named itself or found in a folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Named,
    Found,
}

fn collect(
    path: &Path,
    shown: &Path,
    depth: Depth,
    files: &mut Vec<(String, String)>,
) -> Result<()> {
    let wrong = |error: std::io::Error| Error::invalid(format!("{}: {error}", shown.display()));
    let metadata = match depth {
        Depth::Named => std::fs::metadata(path),
        // A link in a folder can lead anywhere, also back.
        Depth::Found => std::fs::symlink_metadata(path),
    }
    .map_err(wrong)?;
    if metadata.is_dir() {
        let mut names: Vec<_> = std::fs::read_dir(path)
            .map_err(wrong)?
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .filter(|name| !name.to_string_lossy().starts_with('.'))
            .collect();
        names.sort();
        for name in names {
            collect(&path.join(&name), &shown.join(&name), Depth::Found, files)?;
        }
        return Ok(());
    }
    let manifest = path
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json");
    if depth == Depth::Found && !(manifest && metadata.is_file()) {
        return Ok(());
    }
    if metadata.len() > LARGEST {
        return Err(Error::invalid(format!(
            "{}: more than {} MiB are no manifest",
            shown.display(),
            LARGEST >> 20
        )));
    }
    let bytes = std::fs::read(path).map_err(wrong)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::invalid(format!("{}: it is not UTF-8", shown.display())))?;
    files.push((shown.display().to_string(), text));
    Ok(())
}
