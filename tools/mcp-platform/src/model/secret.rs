//! Values that are never shown: they have no `Display` and no `Serialize`.

use std::collections::BTreeMap;
use std::fmt;

/// A secret text. `Debug` shows only that there is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one place that hands it to the server.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The secret part of a specification, kept apart so that the rest can be stored in the open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Which set of secrets this is: a random word that goes into the revision in their place, so
    /// that no label allows guessing them. Equal secrets keep their word.
    pub id: String,
    /// Environment variables.
    pub environment: BTreeMap<String, Secret>,
    /// Files by their path in the container.
    pub files: BTreeMap<String, Secret>,
    /// Generated values of companion services, `<companion>/<key>`; made once and kept.
    pub generated: BTreeMap<String, Secret>,
}

impl Secrets {
    /// Whether there is nothing secret.
    pub fn is_empty(&self) -> bool {
        self.environment.is_empty() && self.files.is_empty() && self.generated.is_empty()
    }

    /// Whether the values are the same, whatever the word.
    pub fn same_values(&self, other: &Secrets) -> bool {
        self.environment == other.environment
            && self.files == other.files
            && self.generated == other.generated
    }

    /// For the back end's own store of secrets (a Kubernetes Secret, a file with mode 0600): one flat
    /// map, keys prefixed by `environment/`, `file/`, `generated/`; the word under `id`.
    pub fn to_store(&self) -> BTreeMap<String, String> {
        let mut store = BTreeMap::from([("id".to_owned(), self.id.clone())]);
        for (prefix, map) in [
            ("environment", &self.environment),
            ("file", &self.files),
            ("generated", &self.generated),
        ] {
            for (key, secret) in map {
                store.insert(format!("{prefix}/{key}"), secret.expose().to_owned());
            }
        }
        store
    }

    /// The inverse of [`Secrets::to_store`]; unknown keys are passed over.
    pub fn from_store(store: BTreeMap<String, String>) -> Secrets {
        let mut secrets = Secrets::default();
        for (key, value) in store {
            match key.split_once('/') {
                Some(("environment", name)) => {
                    secrets
                        .environment
                        .insert(name.to_owned(), Secret::new(value));
                }
                Some(("file", path)) => {
                    secrets.files.insert(path.to_owned(), Secret::new(value));
                }
                Some(("generated", name)) => {
                    secrets
                        .generated
                        .insert(name.to_owned(), Secret::new(value));
                }
                _ if key == "id" => secrets.id = value,
                _ => {}
            }
        }
        secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_and_survive_the_store() {
        let secrets = Secrets {
            id: "w".to_owned(),
            environment: BTreeMap::from([("A".to_owned(), Secret::new("hunter2"))]),
            files: BTreeMap::from([("/run/a/b".to_owned(), Secret::new("hunter3"))]),
            generated: BTreeMap::from([("mongodb/password".to_owned(), Secret::new("hunter4"))]),
        };
        assert!(!format!("{secrets:?}").contains("hunter"));
        assert_eq!(Secrets::from_store(secrets.to_store()), secrets);
    }
}
