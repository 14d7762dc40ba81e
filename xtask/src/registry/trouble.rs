//! What went wrong in one attempt, and whether it may pass. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::world::remote::{self, Answer};

/// Whether a trouble may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It may be gone the next time, and nobody knows what was done: a time-out, a cut
    /// connection, 429, 5xx.
    Passing {
        /// When the place wants to be asked again.
        after: Option<Duration>,
    },
    /// The place has not seen yet what it needs to see; nothing was done.
    NotYet,
    /// It will not pass; the kind decides the exit code.
    Last(Kind),
}

/// What went wrong in one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What, naming the address, without secrets.
    pub what: String,
    /// Whether it may pass.
    pub fate: Fate,
    /// The HTTP status, when there was one.
    pub status: Option<u16>,
    /// What the place calls this request.
    pub request: Option<String>,
    /// What to do next.
    pub hints: Vec<String>,
}

impl Trouble {
    /// Trouble that may pass.
    pub fn passing(what: impl Into<String>) -> Trouble {
        Trouble::new(what, Fate::Passing { after: None })
    }

    /// Something is not visible yet that the place has to see first.
    pub fn not_yet(what: impl Into<String>) -> Trouble {
        Trouble::new(what, Fate::NotYet)
    }

    /// Trouble that does not pass.
    pub fn last(kind: Kind, what: impl Into<String>) -> Trouble {
        Trouble::new(what, Fate::Last(kind))
    }

    fn new(what: impl Into<String>, fate: Fate) -> Trouble {
        Trouble {
            what: what.into(),
            fate,
            status: None,
            request: None,
            hints: Vec::new(),
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Trouble {
        self.hints.push(hint.into());
        self
    }

    /// What the network says about an address.
    pub fn of_network(shown: &str, trouble: remote::Trouble) -> Trouble {
        let passes = trouble.passes();
        let error = trouble.into_error(shown, 1);
        match passes {
            true => Trouble {
                hints: error.hints,
                ..Trouble::passing(error.message)
            },
            false => Trouble::from(error),
        }
    }

    /// What an answer means that is no success: 429 and 5xx pass, and so does 408; anything else
    /// does not. `said` is what the place says in the body, without secrets.
    pub fn of_answer(shown: &str, answer: &Answer, said: &str, now: Timestamp) -> Trouble {
        let after = answer.headers.get("retry-after");
        let after = after.and_then(|text| remote::after(&text, now));
        let mut trouble = Trouble::of_status(shown, answer.status, said, after);
        trouble.request = request_id(answer);
        trouble
    }

    /// As [`Trouble::of_answer`], for clients that give no headers.
    pub fn of_status(shown: &str, status: u16, said: &str, after: Option<Duration>) -> Trouble {
        let said = match said.trim() {
            "" => String::new(),
            said => format!(": {said}"),
        };
        let what = format!("{shown}: answers {status}{said}");
        let fate = match remote::is_busy(status) {
            true => Fate::Passing { after },
            false => Fate::Last(match status {
                401 | 403 => Kind::Precondition,
                _ => Kind::Failure,
            }),
        };
        let trouble = Trouble {
            status: Some(status),
            ..Trouble::new(what, fate)
        };
        match status {
            401 | 403 => trouble.hint("the credential is missing, expired or not allowed to"),
            _ => trouble,
        }
    }

    /// The error to show when no further attempt is made.
    pub fn into_error(self, attempts: u32) -> Error {
        let times = match attempts {
            0 | 1 => String::new(),
            times => format!(" ({times} attempts)"),
        };
        let kind = match self.fate {
            Fate::Passing { .. } => Kind::Failure,
            Fate::NotYet => Kind::Pending,
            Fate::Last(kind) => kind,
        };
        let mut error = Error::new(kind, format!("{}{times}", self.what));
        for hint in self.hints {
            error = error.hint(hint);
        }
        match self.fate {
            Fate::Passing { after: Some(after) } => error.hint(format!(
                "the server asks to be left alone for {} s; run again then",
                after.as_secs()
            )),
            Fate::Passing { after: None } | Fate::NotYet => {
                error.hint("run again: what is there already is kept")
            }
            Fate::Last(_) => error,
        }
    }
}

impl From<Error> for Trouble {
    /// An error that already says everything.
    fn from(error: Error) -> Trouble {
        Trouble {
            hints: error.hints,
            ..Trouble::last(error.kind, error.message)
        }
    }
}

/// What a place calls a request, by the headers that those we know use.
pub fn request_id(answer: &Answer) -> Option<String> {
    [
        "x-github-request-id",
        "x-request-id",
        "x-pypi-request-id",
        "x-vss-e2eid",
        "activityid",
        "cf-ray",
    ]
    .iter()
    .find_map(|name| answer.headers.get(name))
}

/// What a server says in a body, in one line that can be shown: the message of a JSON body, or
/// the text without markup.
pub fn said(body: &[u8]) -> String {
    const LIMIT: usize = 300;
    let text = String::from_utf8_lossy(body);
    let parsed: Option<Value> = serde_json::from_str(&text).ok();
    let message = parsed.as_ref().and_then(|value| {
        ["message", "error", "detail", "title"]
            .iter()
            .find_map(|key| value[*key].as_str().map(str::to_owned))
    });
    let text = message.unwrap_or_else(|| without_tags(&text));
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(LIMIT).collect()
}

fn without_tags(text: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                plain.push(' ');
            }
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_does_not() {
        let check = |status, expected: Fate| {
            let trouble = Trouble::of_status("http://a", status, "why", None);
            assert_eq!(trouble.fate, expected, "{status}");
            assert_eq!(trouble.what, format!("http://a: answers {status}: why"));
        };
        for status in [408, 429, 500, 502, 503, 504] {
            check(status, Fate::Passing { after: None });
        }
        for status in [401, 403] {
            check(status, Fate::Last(Kind::Precondition));
        }
        for status in [400, 404, 409, 413, 422] {
            check(status, Fate::Last(Kind::Failure));
        }
    }

    #[test]
    fn the_error_says_what_to_do() {
        let wait = Fate::Passing {
            after: Some(Duration::from_secs(7)),
        };
        let error = Trouble::new("x", wait).into_error(3);
        assert_eq!(error.message, "x (3 attempts)");
        assert!(error.hints[0].contains("7 s"));
        assert_eq!(Trouble::not_yet("x").into_error(1).kind, Kind::Pending);
        let error = Error::conflict("y").hint("z");
        assert_eq!(Trouble::from(error.clone()).into_error(1), error);
    }

    #[test]
    fn what_a_server_says_is_one_line() {
        let check = |body: &str, expected: &str| assert_eq!(said(body.as_bytes()), expected);
        check(
            "{\"message\": \"File already\\n exists\"}",
            "File already exists",
        );
        check("<html><h1>409</h1> it <b>is</b> there", "409 it is there");
        check("", "");
    }
}
