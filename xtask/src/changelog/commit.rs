//! Commits as git-cliff reads them: its JSON context, reduced to what decides. Pure.

use serde::Deserialize;

use crate::error::{Error, Result};

/// A commit and what its message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// The whole message.
    pub message: String,
    /// What it says by the convention, when it follows it.
    pub conventional: Option<Conventional>,
    /// Who wrote it.
    pub author: String,
    /// Whether it only joins two lines of history.
    pub is_merge: bool,
}

/// A message in the form of Conventional Commits 1.0.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conventional {
    /// The type in lower case.
    pub kind: String,
    /// The part of the project.
    pub scope: Option<String>,
    /// What was done.
    pub description: String,
    /// What breaks, when something does.
    pub breaking: Option<String>,
    /// The lines at the end: token and value.
    pub footers: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Release {
    commits: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    message: String,
    raw_message: Option<String>,
    #[serde(default)]
    conventional: bool,
    #[serde(default)]
    merge_commit: bool,
    scope: Option<String>,
    #[serde(default)]
    breaking: bool,
    breaking_description: Option<String>,
    #[serde(default)]
    footers: Vec<Footer>,
    author: Author,
}

#[derive(Deserialize)]
struct Footer {
    token: String,
    value: String,
    #[serde(default)]
    breaking: bool,
}

#[derive(Deserialize)]
struct Author {
    name: Option<String>,
}

/// Reads what git-cliff prints with `--context`, in its order.
///
/// # Errors
/// It is something else.
pub fn read(context: &str) -> Result<Vec<Commit>> {
    let releases: Vec<Release> = serde_json::from_str(context).map_err(|cause| {
        Error::failure(format!("git-cliff: its context cannot be read: {cause}"))
    })?;
    let raw = releases.into_iter().flat_map(|release| release.commits);
    Ok(raw.map(commit).collect())
}

fn commit(raw: Raw) -> Commit {
    let message = raw.raw_message.unwrap_or_else(|| raw.message.clone());
    let subject = message.lines().next().unwrap_or_default().trim().to_owned();
    let conventional = raw.conventional.then(|| {
        // The context holds everything but the type, which the message begins with.
        let end = message.find(['(', '!', ':']).unwrap_or(0);
        let kind = message.get(..end).unwrap_or_default().trim().to_lowercase();
        let description = raw.message.lines().next().unwrap_or_default().trim();
        Conventional {
            kind,
            scope: raw.scope.filter(|scope| !scope.trim().is_empty()),
            description: description.to_owned(),
            breaking: raw
                .breaking
                .then(|| raw.breaking_description.unwrap_or_default()),
            footers: raw
                .footers
                .into_iter()
                .filter(|footer| !footer.breaking)
                .map(|footer| (footer.token, footer.value))
                .collect(),
        }
    });
    Commit {
        id: raw.id,
        subject,
        message,
        conventional,
        author: raw.author.name.unwrap_or_default(),
        is_merge: raw.merge_commit,
    }
}

impl Commit {
    /// The beginning of its id, as people write it.
    pub fn short(&self) -> &str {
        self.id.get(..7).unwrap_or(&self.id)
    }

    /// Whether nobody has to be told: it joins lines of history, or is the release itself.
    pub fn is_bookkeeping(&self) -> bool {
        let release = self.subject.strip_prefix("Release ");
        let is_release =
            release.is_some_and(|rest| crate::version::number::Number::parse(rest).is_some());
        self.is_merge || is_release || self.subject.starts_with("Merge ")
    }

    /// The beginning of the id of the commit that this one takes back.
    pub fn takes_back(&self) -> Option<&str> {
        let is_revert = self.subject.starts_with("Revert ")
            || self
                .conventional
                .as_ref()
                .is_some_and(|it| it.kind == "revert");
        let (_, rest) = self
            .message
            .split_once("This reverts commit ")
            .or_else(|| {
                let (_, rest) = self.message.split_once("Refs: ")?;
                Some(("", rest))
            })?;
        let end = rest
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(rest.len());
        let id = rest.get(..end).filter(|id| id.len() >= 7)?;
        is_revert.then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As git-cliff 2.14 prints it, shortened.
    const CONTEXT: &str = r##"[{"version":null,"commits":[
        {"id":"a8e0bd9e881ab734164e6ebc6107cbfab690a7bd","message":"drop the old thing (#12)","body":"Body.",
         "footers":[{"token":"BREAKING CHANGE","separator":":","value":"it is gone","breaking":true},
                    {"token":"Closes","separator":":","value":"#7","breaking":false}],
         "breaking_description":"it is gone","breaking":true,"scope":"server","conventional":true,"merge_commit":false,
         "author":{"name":"T","email":null,"timestamp":1},"links":[],
         "raw_message":"Feat(server)!: drop the old thing (#12)\n\nBody.\n\nBREAKING CHANGE: it is gone\nCloses: #7"},
        {"id":"da1bf2a3dcd464f67dfd4a0d47d09c890eeb02f4","message":"Fix stuff\n\nThis reverts commit a8e0bd9e8.",
         "conventional":false,"merge_commit":false,"author":{"name":"T"},
         "raw_message":"Revert \"stuff\"\n\nThis reverts commit a8e0bd9e8."}],
        "previous":{"version":"v1","commits":[]}}]"##;

    #[test]
    fn its_context_is_read() {
        let commits = read(CONTEXT).unwrap();
        let first = commits[0].conventional.as_ref().unwrap();
        assert_eq!(first.kind, "feat");
        assert_eq!(first.scope.as_deref(), Some("server"));
        assert_eq!(first.description, "drop the old thing (#12)");
        assert_eq!(first.breaking.as_deref(), Some("it is gone"));
        assert_eq!(first.footers, [("Closes".to_owned(), "#7".to_owned())]);
        assert_eq!(commits[0].short(), "a8e0bd9");
        assert_eq!(commits[1].conventional, None);
        assert_eq!(commits[1].takes_back(), Some("a8e0bd9e8"));
        assert_eq!(commits[0].takes_back(), None);
        assert!(read("{}").unwrap_err().message.contains("git-cliff"));
    }
}
