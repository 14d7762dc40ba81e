//! The text of lock files as it may be shown: short, and without what may be a secret.

/// How many characters of a text an error shows.
const LONGEST: usize = 80;

/// At most 80 characters of a text, without secrets.
pub fn shortened(text: &str) -> String {
    // A long text is cut before anything else is done with it, far behind what is shown.
    let text = match text.char_indices().nth(16 * LONGEST) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    };
    let mut text = without_secrets(text);
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A text whose addresses have no user, password and query. The user `git` is no secret.
pub fn without_secrets(text: &str) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = behind.find(['/', ' ', '"', '\'', ',', '#', '?']);
        let (authority, behind) = behind.split_at(end.unwrap_or(behind.len()));
        shown.push_str(match authority.rsplit_once('@') {
            Some((user, host)) if user != "git" => host,
            _ => authority,
        });
        rest = behind;
    }
    shown.push_str(rest);
    without_queries(&shown)
}

fn without_queries(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('?') {
        shown.push_str(before);
        let end = behind.find([' ', '"', '\'', '#']);
        rest = behind
            .get(end.unwrap_or(behind.len())..)
            .unwrap_or_default();
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    //! What is left out, and what stays.

    use super::*;

    #[test]
    fn secrets_are_left_out() {
        let check = |text: &str, expected: &str| assert_eq!(without_secrets(text), expected);
        check(
            "https://u:p@x.example/a.tgz?token=t#0123",
            "https://x.example/a.tgz#0123",
        );
        check("git+https://token@x.example", "git+https://x.example");
        check(
            "git+ssh://git@x.example/r.git#a@b",
            "git+ssh://git@x.example/r.git#a@b",
        );
        check(
            "git+ssh://git:p@x.example/r.git",
            "git+ssh://x.example/r.git",
        );
        check(
            "a \"https://p@x/\" \"http://q@y?z\" b",
            "a \"https://x/\" \"http://y\" b",
        );
        check("@s/a@^1 ?", "@s/a@^1 ?");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = shortened(&"ä".repeat(100_000));
        assert_eq!((text.chars().count(), text.ends_with('…')), (81, true));
        assert_eq!(shortened("short"), "short");
        let secret = format!("https://{}:p@x.example", "u".repeat(70));
        assert_eq!(shortened(&secret), "https://x.example");
    }
}
