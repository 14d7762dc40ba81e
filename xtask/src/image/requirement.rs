//! Which of a release's requirements an image needs: those whose markers hold on its platform.

use crate::error::{Error, Result};
use crate::marker::{Algebra, Surroundings};

/// A requirement that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name in the normal form.
    pub name: String,
    /// Its line without marker and digests.
    pub line: String,
    /// The digests of its files, `algorithm:hexadecimal`.
    pub hashes: Vec<String>,
}

/// What pip is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The lines that name indexes.
    pub options: Vec<String>,
    /// The requirements, in the order of the file.
    pub wanted: Vec<Wanted>,
}

impl Selection {
    /// A requirements file without markers: pip evaluates those for the machine it runs on.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for option in &self.options {
            text.push_str(option);
            text.push('\n');
        }
        for one in &self.wanted {
            text.push_str(&one.line);
            for hash in &one.hashes {
                text.push_str(" \\\n    --hash=");
                text.push_str(hash);
            }
            text.push('\n');
        }
        text
    }
}

/// Reads the requirements of a release (`file` names them) and leaves out what the surroundings
/// do not need.
///
/// # Errors
/// A line that this tool does not write, or a marker that is none.
pub fn select(text: &str, file: &str, there: &Surroundings) -> Result<Selection> {
    let algebra = Algebra::default();
    let joined = text.replace("\\\n", " ");
    let mut selection = Selection {
        options: Vec::new(),
        wanted: Vec::new(),
    };
    for line in joined.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with("--") {
            selection.options.push(line.to_owned());
            continue;
        }
        let mut words = line.split(" --hash=");
        let requirement = words.next().unwrap_or_default().trim();
        let hashes: Vec<String> = words.map(|hash| hash.trim().to_owned()).collect();
        let wrong = |what: &str| {
            Error::failure(format!("{file}: {requirement:?} {what}"))
                .hint("make it anew: cargo xtask release")
        };
        if hashes.is_empty() {
            return Err(wrong("has no digest"));
        }
        let (plain, marker) = match requirement.split_once(" ; ") {
            Some((plain, marker)) => (plain.trim(), marker.trim()),
            None => (requirement, ""),
        };
        let marker = algebra
            .parse(marker)
            .map_err(|fault| wrong(&format!("has a marker that cannot be read: {fault}")))?;
        if !marker.holds(there) {
            continue;
        }
        let end = plain.find(['[', '=', ' ', '@', '<', '>', '~', '!']);
        let name = crate::name::normalize(&plain[..end.unwrap_or(plain.len())]);
        if name.is_empty() {
            return Err(wrong("is no requirement"));
        }
        selection.wanted.push(Wanted {
            name,
            line: plain.to_owned(),
            hashes,
        });
    }
    Ok(selection)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "--extra-index-url https://packages.example/simple\n\
        anyio==4.9.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n\
        pywin32==310 ; sys_platform == \"win32\" \\\n    --hash=sha256:cc\n\
        exceptiongroup==1.3.0 ; python_version < \"3.11\" \\\n    --hash=sha256:dd\n\
        Typing_Extensions[a]==4.1 ; python_version >= \"3.11\" \\\n    --hash=sha256:ee\n";

    #[test]
    fn what_the_platform_does_not_need_is_left_out() {
        let there = Surroundings::linux("3.13", "x86_64");
        let selection = select(TEXT, "requirements.txt", &there).unwrap();
        let names: Vec<&str> = selection
            .wanted
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(names, ["anyio", "typing-extensions"]);
        assert_eq!(
            selection.text(),
            "--extra-index-url https://packages.example/simple\n\
             anyio==4.9.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n\
             Typing_Extensions[a]==4.1 \\\n    --hash=sha256:ee\n"
        );
    }

    #[test]
    fn what_is_not_locked_or_not_read_is_refused() {
        let check = |text: &str, expected: &str| {
            let there = Surroundings::linux("3.13", "x86_64");
            let error = select(text, "requirements.txt", &there).unwrap_err();
            assert!(error.message.contains(expected), "{error:?}");
        };
        check("a==1\n", "\"a==1\" has no digest");
        check(
            "a==1 ; nonsense --hash=sha256:aa\n",
            "marker that cannot be read",
        );
        check("==1 --hash=sha256:aa\n", "is no requirement");
    }
}
