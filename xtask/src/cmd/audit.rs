//! `audit`: every lock file against the advisory database.

use camino::Utf8PathBuf;
use clap::Args;
use jiff::SignedDuration;

use crate::config::parse_age;
use crate::error::Result;
use crate::exec;
use crate::exec::advisories::Wanted;
use crate::world::World;

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Lock files to audit [default: every one in the repository]
    #[arg(value_name = "FILE")]
    files: Vec<Utf8PathBuf>,
    /// Bring the advisory database up to date first; with --database, from there
    #[arg(long)]
    update: bool,
    /// Advisories in OSV form to use instead of the stored database: a folder or a zip
    #[arg(long, value_name = "DIR|ZIP")]
    database: Option<Utf8PathBuf>,
    /// Ask the OSV service instead of a database
    #[arg(long, conflicts_with_all = ["update", "database", "max_age"])]
    live: bool,
    /// How old the database may be: "36 hours", "7 days" [default: audit.max-age of release.toml]
    #[arg(long, value_name = "AGE", value_parser = read_age)]
    max_age: Option<SignedDuration>,
}

fn read_age(text: &str) -> std::result::Result<SignedDuration, String> {
    parse_age(text).ok_or_else(|| "give a number of hours or days, such as \"7 days\"".to_owned())
}

/// Audits, prints, and refuses when the policy says so.
///
/// # Errors
/// A lock file that cannot be read (exit code 1), no usable database (7), a finding that the
/// policy denies (6).
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let mut config = super::configuration(world)?;
    if let Some(age) = arguments.max_age {
        config.audit.max_age = age;
    }
    let wanted = match (&arguments.database, arguments.update, arguments.live) {
        (_, _, true) => Wanted::Live,
        (None, false, false) => Wanted::Stored,
        (None, true, false) => Wanted::Updated,
        (Some(path), true, false) => Wanted::UpdatedFrom(path),
        (Some(path), false, false) => Wanted::From(path),
    };
    let subject = exec::audit::inventory(world, &config, &arguments.files)?;
    let mut report = exec::audit::audit(world, &config, wanted, &subject)?;
    if config.audit.licenses.is_some() {
        let known = exec::license::known(world, &config, &subject);
        exec::audit::judge_licenses(&config, &subject, &known, &mut report);
    }
    exec::audit::say(world, &report);
    exec::audit::tell_actions(world, &report);
    exec::audit::require_passing(&report)
}
