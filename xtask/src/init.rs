//! What `cargo xtask init` writes into a repository that it inspects. Pure.
//!
//! Facts go in, and a proposal comes out: new files, and lines or characters that are added to
//! files there are. Where a repository leaves one answer nothing is asked; where it leaves
//! several, all of them are listed with the option that decides, and there is no proposal.

mod configuration;
mod editor;
mod facts;
mod manifest;
mod proposal;
mod python;
mod server;
mod source;
mod targets;
mod workflow;

pub use facts::Facts;
pub use proposal::{Change, Proposal, Way};
pub use targets::{Target, repository};

use camino::Utf8PathBuf;

use crate::error::{Error, Kind, Result};

/// What the caller has decided.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// The folder of the server's `pyproject.toml`.
    pub server: Option<Utf8PathBuf>,
    /// The folder of the extension's `package.json`.
    pub extension: Option<Utf8PathBuf>,
    /// The console script that starts the server.
    pub console_script: Option<String>,
    /// The lock file.
    pub lock: Option<Utf8PathBuf>,
    /// The tool that is called for the proof.
    pub call: Option<String>,
    /// Where to publish.
    pub targets: Vec<Target>,
}

/// Decides what to write.
///
/// # Errors
/// All questions that the facts leave open, in one error.
pub fn propose(facts: &Facts, wishes: &Wishes) -> Result<Proposal> {
    let mut problems = Vec::new();
    let server = keep(server::decide(facts, wishes), &mut problems);
    let extension = keep(editor::decide(facts, wishes), &mut problems);
    let places = keep(targets::decide(facts, wishes), &mut problems);
    if let (Some(None), Some(places)) = (&extension, &places) {
        problems.extend(targets::without_extension(places));
    }
    match (server, extension, places) {
        (Some(server), Some(extension), Some(places)) if problems.is_empty() => {
            let decided = Decided {
                server,
                extension,
                places,
            };
            proposal::make(facts, &decided)
        }
        _ => Err(together(problems)),
    }
}

/// All answers.
#[derive(Debug)]
struct Decided {
    server: server::Server,
    extension: Option<editor::Extension>,
    places: targets::Places,
}

fn keep<T>(answer: std::result::Result<T, Vec<Error>>, problems: &mut Vec<Error>) -> Option<T> {
    answer.map_err(|errors| problems.extend(errors)).ok()
}

fn together(problems: Vec<Error>) -> Error {
    let error = Error::together(problems)
        .unwrap_or_else(|| Error::failure("nothing was decided, and nothing says why"));
    Error {
        kind: match error.kind {
            Kind::Failure => Kind::Precondition,
            kind => kind,
        },
        ..error
    }
    .hint("nothing was written")
}
