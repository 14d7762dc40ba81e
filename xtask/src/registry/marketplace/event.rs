//! What was answered to `vsce`, as `responses.cjs` notes it. Pure.

use serde::Deserialize;

/// The last thing that came over the network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Event {
    /// The method of the request.
    pub method: String,
    /// The status of the answer.
    pub status: Option<u16>,
    /// What `Retry-After` said.
    pub after: Option<String>,
    /// What the Marketplace calls the request.
    pub request: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// The last event of a file; nothing when there was none, or the file is not understood.
pub fn last(text: &str) -> Event {
    let mut lines = text.lines().rev();
    let last = lines.find_map(|line| serde_json::from_str(line).ok());
    last.unwrap_or_default()
}

impl Event {
    /// The status, if it is one that the client could not go on with. That an extension is not
    /// there is the beginning of its first version.
    pub fn refusal(&self) -> Option<u16> {
        let status = self.status.filter(|status| *status >= 300)?;
        (status != 404 || self.method != "GET").then_some(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_event_counts() {
        let check = |text: &str, expected: (Option<u16>, Option<&str>)| {
            let event = last(text);
            assert_eq!(
                (event.refusal(), event.error.as_deref()),
                expected,
                "{text}"
            );
        };
        check("", (None, None));
        check("no json\n", (None, None));
        let looked = r#"{"method":"GET","status":404}"#;
        check(looked, (None, None));
        check(
            &format!("{looked}\n{{\"method\":\"PUT\",\"status\":404}}\n"),
            (Some(404), None),
        );
        check(
            &format!("{looked}\n{{\"method\":\"POST\",\"status\":500}}"),
            (Some(500), None),
        );
        check(
            &format!("{looked}\n{{\"error\":\"ECONNRESET\"}}"),
            (None, Some("ECONNRESET")),
        );
        check(
            r#"{"method":"PUT","status":200,"request":"x"}"#,
            (None, None),
        );
    }
}
