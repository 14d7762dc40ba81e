//! What the program knows of its surroundings, as values: environment, folders, itself. Read once,
//! at the start; nothing else asks the system.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::error::{Error, Result};

/// Variables of others that say where we work.
const PLACES: [&str; 7] = [
    "HOME",
    "XDG_STATE_HOME",
    "KUBECONFIG",
    "KUBECONFIG_DIR",
    "POD_NAMESPACE",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
];

/// The surroundings.
#[derive(Debug, Clone)]
pub struct World {
    /// Environment variables whose names and values are text.
    pub environment: BTreeMap<String, String>,
    /// The working folder.
    pub folder: PathBuf,
    /// Our own program.
    pub program: PathBuf,
}

impl World {
    /// Reads the surroundings of this process.
    ///
    /// # Errors
    /// A variable that decides where we work is no text: taken as one that is not set, it would let us
    /// work elsewhere. Or there is no working folder.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn read() -> Result<World> {
        let decides = |key: &str| key.starts_with("MCP_") || PLACES.contains(&key);
        let broken = std::env::vars_os().find_map(|(key, value)| {
            let key = key.into_string().ok()?;
            (value.to_str().is_none() && decides(&key)).then_some(key)
        });
        if let Some(key) = broken {
            let message = format!("the environment variable {key} is not UTF-8");
            return Err(Error::invalid(message));
        }
        Ok(World {
            environment: std::env::vars_os()
                .filter_map(|(key, value)| {
                    Some((key.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            folder: std::env::current_dir().map_err(|error| failed("working folder", &error))?,
            program: std::env::current_exe().map_err(|error| failed("running program", &error))?,
        })
    }

    /// A variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Where state is kept: `MCP_STATE_DIR`, else `$XDG_STATE_HOME/mcp-platform`, else
    /// `~/.local/state/mcp-platform` (XDG Base Directory Specification).
    pub fn state_folder(&self) -> PathBuf {
        if let Some(folder) = self.variable("MCP_STATE_DIR") {
            return self.folder.join(folder);
        }
        let base = match (self.variable("XDG_STATE_HOME"), self.variable("HOME")) {
            (Some(state), _) if state.starts_with('/') => PathBuf::from(state),
            (_, Some(home)) => PathBuf::from(home).join(".local/state"),
            (_, None) => self.folder.clone(),
        };
        base.join("mcp-platform")
    }
}

fn failed(what: &str, error: &std::io::Error) -> Error {
    Error::internal(format!("the {what}: {error}"))
}

/// The present moment.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A random word of 32 hexadecimal digits, from the system's source of randomness.
///
/// # Panics
/// The system has none, and nothing safe can be done without.
pub fn random() -> String {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
