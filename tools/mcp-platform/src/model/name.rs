//! Names of servers and namespaces: DNS-1123 labels, with room for what is appended to them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The longest name of a server: a DNS-1123 label of 63 characters (RFC 1123; Kubernetes, "Object
/// Names and IDs"), less the eleven (`-` and a hash of ten) that a `StatefulSet` or `ReplicaSet`
/// appends in labels of its pods.
pub const NAME_LIMIT: usize = 52;

const LABEL_LIMIT: usize = 63;

/// A DNS-1123 label: `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, ASCII only, at most 63 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// A label of up to 63 characters, such as a namespace.
    ///
    /// # Errors
    /// It is no DNS-1123 label; the message says what is wrong with it.
    pub fn label(text: &str) -> Result<Name> {
        Name::limited(text, LABEL_LIMIT)
    }

    /// The name of a server, with room for what is appended to it: see [`NAME_LIMIT`].
    ///
    /// # Errors
    /// It is no DNS-1123 label or longer than [`NAME_LIMIT`].
    pub fn server(text: &str) -> Result<Name> {
        Name::limited(text, NAME_LIMIT)
    }

    fn limited(text: &str, limit: usize) -> Result<Name> {
        let problem = if text.is_empty() {
            Some("it is empty".to_owned())
        } else if text.len() > limit {
            Some(format!("{} characters are more than {limit}", text.len()))
        } else if let Some(bad) = text
            .chars()
            .find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-'))
        {
            Some(format!(
                "{bad:?} is none of the lower-case ASCII letters, digits and '-'"
            ))
        } else if text.starts_with('-') || text.ends_with('-') {
            Some("it starts or ends with '-'".to_owned())
        } else {
            None
        };
        match problem {
            None => Ok(Name(text.to_owned())),
            Some(problem) => {
                let shown: String = text.chars().take(80).collect();
                Err(Error::invalid(format!("{shown:?} is no name: {problem}"))
                    .hint("names are DNS-1123 labels, for example `notebooks-2`"))
            }
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host name of a companion: `notebooks` and `mongodb` give `notebooks-mongodb`. It is the
    /// name of a Service, too, so it starts with a letter.
    ///
    /// # Errors
    /// The two together are too long for a label.
    pub fn with(&self, suffix: &str) -> Result<Name> {
        let host = format!("{}-{suffix}", self.service());
        Name::label(&host)
            .map_err(|error| error.hint(format!("choose a name that leaves room for `-{suffix}`")))
    }

    /// The name of the Service: those are DNS-1035 labels, which start with a letter.
    pub fn service(&self) -> String {
        if self.0.starts_with(|c: char| c.is_ascii_digit()) {
            format!("mcp-{}", self.0)
        } else {
            self.0.clone()
        }
    }
}

impl TryFrom<String> for Name {
    type Error = Error;
    fn try_from(text: String) -> Result<Name> {
        Name::label(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Which server: unique within one back end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// The namespace; on Docker and for processes a label of ours.
    pub namespace: Name,
    /// The name within it.
    pub name: Name,
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, good: bool) {
        assert_eq!(Name::server(text).is_ok(), good, "{text:?}");
    }

    #[test]
    fn names_are_ascii_labels() {
        check("notebooks", true);
        check("a", true);
        check("1-echo", true);
        check("", false);
        check("-a", false);
        check("a-", false);
        check("Notebooks", false);
        check("büro", false);
        check("a.b", false);
        check("a_b", false);
        check("a b", false);
        check("a\n", false);
        check(&"a".repeat(NAME_LIMIT), true);
        check(&"a".repeat(NAME_LIMIT + 1), false);
    }

    #[test]
    fn suffixes_are_counted() {
        let name = Name::server(&"a".repeat(NAME_LIMIT)).unwrap();
        assert!(name.with("mongodb").is_ok());
        assert!(name.with("mongo-express").is_err());
    }

    #[test]
    fn a_service_starts_with_a_letter() {
        assert_eq!(Name::server("1-echo").unwrap().service(), "mcp-1-echo");
        assert_eq!(Name::server("echo").unwrap().service(), "echo");
        let host = |name: &str, companion| Name::server(name).unwrap().with(companion);
        assert_eq!(host("1-echo", "db").unwrap().as_str(), "mcp-1-echo-db");
        assert_eq!(host("echo", "1-db").unwrap().as_str(), "echo-1-db");
        // With what is put before it, it is one character too long.
        assert!(host(&format!("1{}", "a".repeat(51)), "mongodb").is_err());
    }
}
