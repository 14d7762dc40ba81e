//! Path patterns, as `release.toml` and `.vscodeignore` write them. Pure.

/// A glob over paths with forward slashes: `*` and `?` stay within a folder, `**` crosses
/// folders, `[a-z]` and `{a,b}` choose. Names that begin with a dot are not special.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Reads a pattern for paths relative to the extension's folder.
    ///
    /// # Errors
    /// What is wrong with it, as a fragment that follows the pattern in a message.
    pub fn parse(text: &str) -> Result<Pattern, &'static str> {
        if text.is_empty() {
            return Err("is empty");
        }
        if text.starts_with(['/', '!']) || text.starts_with("./") || text.contains('\\') {
            return Err("must be a relative path with forward slashes");
        }
        if text.starts_with("extension/") {
            return Err("is relative to the extension: leave `extension/` out");
        }
        Ok(Pattern(text.to_owned()))
    }

    /// A pattern of `.vscodeignore`, taken as it is.
    pub fn verbatim(text: &str) -> Pattern {
        Pattern(text.to_owned())
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether the pattern describes this path.
    pub fn matches(&self, path: &str) -> bool {
        self.0 == path || fast_glob::glob_match(&self.0, path)
    }
}
