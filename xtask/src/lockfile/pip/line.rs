//! The lines of a requirements file as pip puts them together. Pure.
//!
//! Source: pip, "Requirements File Format", and its `req/req_file.py`.

/// A logical line: continued lines are joined, comments are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it begins, counted from 1.
    pub number: usize,
    /// Its text, trimmed; never empty.
    pub text: String,
    /// Who brings it, as `pip-compile` and `uv pip compile` note in comments: `# via flask`.
    pub via: Vec<String>,
}

/// What a logical line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// `-r FILE`.
    Include(String),
    /// `-c FILE`.
    Constraints(String),
    /// `-e PLACE`.
    Editable(String),
    /// `--index-url ADDRESS`.
    Index(String),
    /// `--extra-index-url ADDRESS`.
    ExtraIndex(String),
    /// An option that says nothing about which packages there are.
    Other,
    /// A requirement and its digests.
    Requirement {
        /// What is in front of the options.
        text: String,
        /// The values of `--hash`.
        hashes: Vec<String>,
    },
}

/// Options that are only noted, and whether a value follows them.
const OTHERS: [(&str, bool); 12] = [
    ("--find-links", true),
    ("-f", true),
    ("--trusted-host", true),
    ("--no-binary", true),
    ("--only-binary", true),
    ("--use-feature", true),
    ("--no-index", false),
    ("--prefer-binary", false),
    ("--require-hashes", false),
    ("--pre", false),
    ("--no-deps", false),
    ("--process-dependency-links", false),
];

/// Puts the lines together.
pub fn lines(text: &str) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    let mut open: Option<Line> = None;
    let mut names_follow = false;
    for (number, raw) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let (content, comment) = split_comment(raw);
        let continued = comment
            .is_none()
            .then(|| content.strip_suffix('\\'))
            .flatten();
        let is_open = open.is_some();
        if is_open || !content.trim().is_empty() {
            let line = open.get_or_insert_with(|| Line {
                number,
                text: String::new(),
                via: Vec::new(),
            });
            line.text.push(' ');
            line.text.push_str(continued.unwrap_or(content).trim());
        }
        if continued.is_none()
            && let Some(mut line) = open.take()
        {
            line.text = line.text.trim().to_owned();
            names_follow = false;
            if !line.text.is_empty() {
                found.push(line);
            }
        }
        if let (Some(comment), Some(line), true) = (comment, found.last_mut(), open.is_none()) {
            names_follow = via(comment, names_follow, &mut line.via);
        }
    }
    found.extend(open.map(|line| Line {
        text: line.text.trim().to_owned(),
        ..line
    }));
    found.retain(|line| !line.text.is_empty());
    found
}

/// A comment begins with a `#` at the beginning or behind space.
fn split_comment(line: &str) -> (&str, Option<&str>) {
    let begins = |at: &usize| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with([' ', '\t'])
    };
    let at = line.match_indices('#').map(|(at, _)| at).find(begins);
    match at.and_then(|at| Some((line.get(..at)?, line.get(at + 1..)?))) {
        Some((content, comment)) => (content, Some(comment)),
        None => (line, None),
    }
}

/// Reads `via a, b`, or a name on each following line; says whether more names may follow.
fn via(comment: &str, names_follow: bool, names: &mut Vec<String>) -> bool {
    let comment = comment.trim();
    let list = match comment.strip_prefix("via") {
        Some(list) if list.is_empty() || list.starts_with(' ') => list.trim(),
        _ if names_follow => comment,
        _ => return false,
    };
    let list = list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let before = names.len();
    names.extend(list.map(str::to_owned));
    names_follow || names.len() == before
}

/// Tells what a logical line is.
///
/// # Errors
/// An option that pip does not know; the text names it.
pub fn statement(text: &str) -> Result<Statement, String> {
    if !text.starts_with('-') {
        return Ok(requirement(text));
    }
    let value = |names: &[&str]| names.iter().find_map(|name| value(text, name));
    if let Some(file) = value(&["--requirement", "-r"]) {
        return Ok(Statement::Include(file));
    }
    if let Some(file) = value(&["--constraint", "-c"]) {
        return Ok(Statement::Constraints(file));
    }
    if let Some(place) = value(&["--editable", "-e"]) {
        return Ok(Statement::Editable(place));
    }
    if let Some(address) = value(&["--index-url", "--pypi-url", "-i"]) {
        return Ok(Statement::Index(address));
    }
    if let Some(address) = value(&["--extra-index-url"]) {
        return Ok(Statement::ExtraIndex(address));
    }
    let is_known = OTHERS.iter().any(|(name, has_value)| match has_value {
        true => self::value(text, name).is_some(),
        false => text.split([' ', '\t']).next() == Some(name),
    });
    match is_known {
        true => Ok(Statement::Other),
        false => Err(text
            .split([' ', '=', '\t'])
            .next()
            .unwrap_or(text)
            .to_owned()),
    }
}

/// The value of an option: behind a space, `=`, or directly behind a short one.
fn value(text: &str, name: &str) -> Option<String> {
    let behind = text.strip_prefix(name)?;
    let is_apart = behind.starts_with(['=', ' ', '\t']);
    let is_short = name.len() == 2 && !behind.starts_with('-');
    let value = behind.trim_start_matches(['=', ' ', '\t']).trim();
    let value = value.trim_matches(['"', '\'']);
    ((is_apart || is_short) && !value.is_empty()).then(|| value.to_owned())
}

/// Splits off the options behind a requirement, of which only `--hash` matters here.
fn requirement(text: &str) -> Statement {
    let end = text
        .match_indices([' ', '\t'])
        .map(|(at, _)| at)
        .find(|at| {
            let behind = text.get(*at..).unwrap_or_default();
            behind.trim_start().starts_with("--")
        });
    let (before, options) = text.split_at(end.unwrap_or(text.len()));
    let mut hashes = Vec::new();
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        match word.strip_prefix("--hash") {
            Some("") => hashes.extend(words.next().map(str::to_owned)),
            Some(hash) => hashes.extend(hash.strip_prefix('=').map(str::to_owned)),
            None => {}
        }
    }
    Statement::Requirement {
        text: before.trim().to_owned(),
        hashes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together() {
        let check = |text: &str, expected: &[(usize, &str, &str)]| {
            let found = lines(text);
            let found: Vec<(usize, &str, String)> = found
                .iter()
                .map(|line| (line.number, line.text.as_str(), line.via.join("|")))
                .collect();
            let expected: Vec<(usize, &str, String)> = expected
                .iter()
                .map(|(number, text, via)| (*number, *text, (*via).to_owned()))
                .collect();
            assert_eq!(found, expected, "{text}");
        };
        check(
            "\u{feff}a==1\r\n\n# x\nb==2 # y\n",
            &[(1, "a==1", ""), (4, "b==2", "")],
        );
        check(
            "a==1 \\\n  --hash=x \\\n  --hash=y\nb",
            &[(1, "a==1 --hash=x --hash=y", ""), (4, "b", "")],
        );
        check("a @ git+x#egg=a", &[(1, "a @ git+x#egg=a", "")]);
        check("a==1 \\", &[(1, "a==1", "")]);
        check("# via x\na==1 # via b, c\n# other", &[(2, "a==1", "b|c")]);
        check(
            "a==1\n  # via\n  #   -r r.in\n  #   b\n\nc==1",
            &[(1, "a==1", "-r r.in|b"), (6, "c==1", "")],
        );
        check(
            "a==1 \\\n  # odd\nb==1",
            &[(1, "a==1", ""), (3, "b==1", "")],
        );
        check("\\\n\\\n", &[]);
    }

    #[test]
    fn statements_are_told_apart() {
        let check = |text: &str, expected: Statement| assert_eq!(statement(text), Ok(expected));
        check("-r a.txt", Statement::Include("a.txt".to_owned()));
        check("-ra.txt", Statement::Include("a.txt".to_owned()));
        check(
            "--requirement=a.txt",
            Statement::Include("a.txt".to_owned()),
        );
        check("-c 'a.txt'", Statement::Constraints("a.txt".to_owned()));
        check("-e .", Statement::Editable(".".to_owned()));
        check("-i https://x", Statement::Index("https://x".to_owned()));
        check(
            "--extra-index-url https://x",
            Statement::ExtraIndex("https://x".to_owned()),
        );
        check("--require-hashes", Statement::Other);
        check("--no-binary :all:", Statement::Other);
        let requirement = |text: &str, hashes: &[&str]| Statement::Requirement {
            text: text.to_owned(),
            hashes: hashes.iter().map(|hash| (*hash).to_owned()).collect(),
        };
        check(
            "a==1 ; x == 'y' --hash=b --hash c",
            requirement("a==1 ; x == 'y'", &["b", "c"]),
        );
        check("a==1 --config-settings x --hash", requirement("a==1", &[]));
        assert_eq!(statement("--moon=1"), Err("--moon".to_owned()));
        assert_eq!(statement("-r"), Err("-r".to_owned()));
    }
}
