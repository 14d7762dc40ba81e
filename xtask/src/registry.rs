//! The places a release goes to, behind one contract.
//!
//! A registry says what it takes, what it has, sends one thing once, and gives it back. It never
//! tries twice and never waits: that, reading back and recording are done once for all of them
//! in `exec/publish`. What it has is always its own answer; nothing is remembered.

mod extension;
pub mod github;
pub mod identity;
pub mod local;
pub mod marketplace;
pub mod mcp;
pub mod oci;
pub mod open_vsx;
pub mod page;
pub mod pypi;
mod trouble;

use std::fmt;

use serde::Serialize;

use crate::artifact::Digest;
use crate::config::Config;
use crate::config::publish::{Place, Target};
use crate::dist::Release;
use crate::error::Result;
use crate::world::World;
pub use trouble::{Fate, Trouble, said};

/// When a thing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// With its target.
    Main,
    /// After every target has been verified: what makes a release the current one.
    Last,
}

/// One thing that a place is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What it is called there: a file name, a tag, a name with a version.
    pub key: String,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// The size of its bytes.
    pub size: u64,
    /// When it is sent.
    pub phase: Phase,
}

/// What two things were compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The digest that the place states.
    Digest,
    /// All bytes.
    Bytes,
    /// The names and contents of a container's entries; the container differs.
    Payload,
}

/// What a place has of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Presence {
    /// Nothing.
    Absent,
    /// Something older that this item may replace: an asset of a draft, a tag that moves.
    Outdated {
        /// What is there.
        remote: String,
    },
    /// It was taken and cannot be seen yet.
    Pending {
        /// When it was taken, when the place says so (RFC 3339).
        since: Option<String>,
        /// What it waits for.
        why: String,
    },
    /// It.
    Same {
        /// How that is known.
        level: Level,
    },
    /// Something else under its name, which must not be replaced.
    Differs {
        /// What is there, as a digest or in a few words.
        remote: String,
    },
}

/// What came of asking once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// The answer.
    pub value: T,
    /// The HTTP status, where the client tells it.
    pub status: Option<u16>,
    /// What the place calls this request, for its support.
    pub request: Option<String>,
}

impl<T> Answered<T> {
    /// An answer of which no more is known.
    pub fn plain(value: T) -> Answered<T> {
        Answered {
            value,
            status: None,
            request: None,
        }
    }
}

/// The result of trying once.
pub type Attempt<T> = std::result::Result<Answered<T>, Trouble>;

/// A place with what this release is to it.
pub trait Registry: Send + Sync {
    /// What is to be there, in the order in which it is sent.
    fn takes(&self) -> &[Item];

    /// What is there of these items, in their order. Asks once.
    ///
    /// # Errors
    /// The place cannot say.
    fn presence(&self, items: &[&Item]) -> Attempt<Vec<Presence>>;

    /// Whether everything is there that sending needs: tools and credentials. Sends nothing.
    ///
    /// # Errors
    /// What is missing, of the kind [`crate::error::Kind::Precondition`].
    fn ready(&self) -> Result<()>;

    /// Sends one item once. Whoever calls has looked before, and looks again afterwards.
    ///
    /// # Errors
    /// It was not taken, or nobody knows whether it was.
    fn upload(&self, item: &Item) -> Attempt<()>;

    /// The bytes of an item as everybody gets them; `None` when there are none beyond what
    /// [`Registry::presence`] has seen.
    ///
    /// # Errors
    /// They cannot be had.
    fn fetch(&self, item: &Item) -> Attempt<Option<Vec<u8>>>;

    /// Whether bytes are those of an item, and by what.
    fn compare(&self, item: &Item, bytes: &[u8]) -> Option<Level> {
        (Digest::of(bytes) == item.sha256).then_some(Level::Bytes)
    }

    /// Whether each item stands for itself, so that one that has to wait or fails keeps no other
    /// from being sent: the builds of an extension for several platforms.
    fn is_matrix(&self) -> bool {
        false
    }

    /// The address of the simple index that installers can use, for a package index.
    ///
    /// # Errors
    /// It cannot be told.
    fn simple_index(&self) -> Result<Option<String>> {
        Ok(None)
    }

    /// Who would publish, in which role and until when, for `doctor`. Publishes nothing.
    ///
    /// # Errors
    /// What is missing or refused.
    fn identity(&self) -> Result<Vec<Statement>>;
}

impl fmt::Debug for dyn Registry + '_ {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.takes()).finish()
    }
}

/// One thing that `doctor` says about a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What it is about: `identity`, `role`, `expires`, `claims`.
    pub about: &'static str,
    /// What was found.
    pub found: String,
    /// Whether that is as it must be.
    pub sound: bool,
    /// How to mend it.
    pub remedy: Option<String>,
}

impl Statement {
    /// Something that is as it must be.
    pub fn good(about: &'static str, found: impl Into<String>) -> Statement {
        Statement {
            about,
            found: found.into(),
            sound: true,
            remedy: None,
        }
    }

    /// Something that is not.
    pub fn bad(
        about: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Statement {
        Statement {
            about,
            found: found.into(),
            sound: false,
            remedy: Some(remedy.into()),
        }
    }
}

/// What every registry is opened with.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'run> {
    /// The world.
    pub world: &'run World,
    /// The configuration.
    pub config: &'run Config,
    /// What is published.
    pub release: &'run Release,
    /// Where.
    pub target: &'run Target,
}

/// How the temporary folders begin, in the tool's private folder, from which files are sent.
pub const UPLOADS: &str = "publish-";

/// Opens the place of a target. `None` for a target that is a test and no place.
///
/// # Errors
/// The release has nothing for it, or its configuration cannot be used.
pub fn open<'run>(opening: Opening<'run>) -> Result<Option<Box<dyn Registry + 'run>>> {
    Ok(Some(match &opening.target.place {
        Place::Local { path } => Box::new(local::Local::open(opening, path)?),
        Place::InstallTest { .. } => return Ok(None),
        Place::Pypi {
            index,
            attestations,
        } => Box::new(pypi::Pypi::open(opening, index, *attestations)),
        Place::Oci {
            repository,
            takes,
            plain_http,
        } => Box::new(oci::Oci::open(opening, repository, takes, *plain_http)?),
        Place::Github { repository, api } => {
            Box::new(github::Github::open(opening, repository, api)?)
        }
        Place::OpenVsx { url } => Box::new(open_vsx::OpenVsx::open(opening, url)?),
        Place::Marketplace { url, credential } => {
            Box::new(marketplace::Marketplace::open(opening, url, *credential)?)
        }
        Place::Mcp { url, login } => Box::new(mcp::Mcp::open(opening, url, *login)?),
    }))
}
