//! A text that is shown nowhere: a token, a password, a key.

use std::fmt;

/// What must never be printed. Its `Debug` shows `***`, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one who sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A text of somebody else with every occurrence of this one blotted out: servers and
    /// programs repeat what they were given.
    pub fn blot(&self, text: &str) -> String {
        match self.0.is_empty() {
            true => text.to_owned(),
            false => text.replace(&self.0, "***"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// How the names of variables begin that hold what publishes.
const CREDENTIALS: [&str; 11] = [
    "TWINE_PASSWORD",
    "TWINE_USERNAME",
    "OVSX_PAT",
    "VSCE_PAT",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "MCP_GITHUB_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_",
    "AZURE_CLIENT_SECRET",
    "AZURE_PASSWORD",
];

/// Whether a variable of the environment is one that publishes.
pub fn is_credential(name: &str) -> bool {
    CREDENTIALS.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_nowhere() {
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
        assert_eq!(secret.blot("a hush b hush"), "a *** b ***");
        assert_eq!(Secret::new("").blot("a"), "a");
        assert_eq!(secret.reveal(), "hush");
    }
}
