//! What a server writes, with its own secrets taken out: a server may print what it was told.

use futures::StreamExt as _;
use futures::stream::BoxStream;

use crate::backend::LogOptions;
use crate::error::Result;
use crate::model::{Identity, LogLine, Secrets};

use super::Service;

/// Shorter values are too likely to be a part of something else.
const SHORTEST: usize = 6;

impl Service {
    /// The lines of a server, its secrets shown as `***`.
    ///
    /// # Errors
    /// `NotFound`, or what the back end says.
    pub async fn logs(
        &self,
        identity: &Identity,
        options: &LogOptions,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        let hidden = self
            .found(identity)
            .await?
            .spec
            .map_or_else(Vec::new, |spec| values(&spec.secrets));
        let lines = self.backend.logs(identity, options).await?;
        Ok(lines
            .map(move |line| line.map(|line| masked(line, &hidden)))
            .boxed())
    }
}

fn values(secrets: &Secrets) -> Vec<String> {
    let mut values: Vec<String> = secrets
        .to_store()
        .into_iter()
        .filter(|(key, value)| key != "id" && value.len() >= SHORTEST)
        .map(|(_, value)| value)
        .collect();
    // A value within another one goes after it, so that nothing of the longer one stays.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
}

fn masked(mut line: LogLine, hidden: &[String]) -> LogLine {
    for secret in hidden {
        if line.text.contains(secret.as_str()) {
            line.text = line.text.replace(secret.as_str(), "***");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::model::Secret;

    use super::*;

    #[test]
    fn secrets_are_masked_the_longest_first() {
        let secret = |text: &str| Secret::new(text);
        let hidden = values(&Secrets {
            id: "abcdefgh".to_owned(),
            environment: BTreeMap::from([
                ("A".to_owned(), secret("hunter2")),
                ("B".to_owned(), secret("mongodb://x:hunter2@y")),
                ("C".to_owned(), secret("short")),
            ]),
            ..Secrets::default()
        });
        let line = masked(
            LogLine {
                instance: "a".to_owned(),
                at: None,
                text: "to mongodb://x:hunter2@y as hunter2, short, abcdefgh".to_owned(),
            },
            &hidden,
        );
        assert_eq!(line.text, "to *** as ***, short, abcdefgh");
    }
}
