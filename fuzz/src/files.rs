//! Several files in one input, so that a manifest can be fuzzed together with its lock file.

use xtask::error::Error;

/// The files of an input: what stands first has no name, and each line `-- NAME --` begins the
/// file of that name.
pub struct Files<'text>(Vec<(&'text str, &'text str)>);

impl<'text> Files<'text> {
    /// Takes an input apart; `None` when it is no UTF-8, which the tool refuses before it reads
    /// on.
    pub fn of(bytes: &'text [u8]) -> Option<Files<'text>> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (mut files, mut name, mut start, mut at) = (Vec::new(), "", 0, 0);
        for line in text.split_inclusive('\n') {
            let head = line.trim_end().strip_prefix("-- ");
            if let Some(next) = head.and_then(|head| head.strip_suffix(" --")) {
                files.push((name, &text[start..at]));
                (name, start) = (next, at + line.len());
            }
            at += line.len();
        }
        files.push((name, &text[start..]));
        Some(Files(files))
    }

    /// The file that stands first.
    pub fn first(&self) -> &'text str {
        self.0.first().map_or("", |(_, text)| text)
    }

    /// The text of the first file of this name.
    pub fn get(&self, name: &str) -> Option<&'text str> {
        let found = self.0.iter().find(|(one, _)| *one == name);
        found.map(|(_, text)| *text)
    }

    /// All files that have a name.
    pub fn named(&self) -> impl Iterator<Item = (&'text str, &'text str)> {
        self.0.iter().copied().filter(|(name, _)| !name.is_empty())
    }
}

/// Every error names the file that it is about, and says what to do.
pub fn check_error(error: &Error, place: &str) {
    assert!(
        error.message.contains(place),
        "does not name {place}: {error}"
    );
    assert!(!error.hints.is_empty(), "has no hint: {error}");
    let is_short = |line: &str| line.chars().count() <= 2_000;
    assert!(
        error.message.split('\n').all(is_short),
        "too long to be read: {error}"
    );
}
