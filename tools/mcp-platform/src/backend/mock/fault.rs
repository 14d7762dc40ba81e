//! What can go wrong in the mock, and the three places where it is said: code, the text of
//! `MCP_MOCK_FAULTS`, and the specification itself.
//!
//! A text is a list of `[SERVER=]FAULT[:NUMBER]`, parted by `;` or `,`; `SERVER` is a name or
//! `namespace/name`. A specification says it by the variable `MOCK_FAULT` (such a list without
//! servers), by an image tag `fault-FAULT[.NUMBER]`, or, as the echo server's own back ends see it,
//! by `ECHO_FAIL`.

use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::model::{Identity, Spec};

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MockFault {
    /// The image cannot be pulled.
    Pull,
    /// The server ends with this code as soon as it is started.
    Crash(u8),
    /// The server uses more memory than it may.
    Memory,
    /// The server is ready only after this time.
    Slow(Duration),
    /// The server runs and never answers its probe.
    Probe,
    /// No node takes it.
    Unschedulable,
    /// The namespace's quota forbids its instances.
    Quota,
    /// Its volume is not there.
    Volume,
    /// Its configuration is not accepted.
    Configuration,
    /// Its companions end with this code as soon as they are started.
    Companion(u8),
    /// It does not listen to the request to end, and goes only after its grace period.
    Deaf,
    /// So many changes of what is wanted lose a race; none: all.
    Conflict(Option<u32>),
    /// So many calls find that the back end is away; none: all.
    ApiDown(Option<u32>),
}

/// Every word, for the message about one that is none.
const WORDS: &str = "pull, crash[:CODE], memory, slow[:SECONDS], probe, unschedulable, quota, \
     volume, configuration, companion[:CODE], deaf, conflict[:TIMES], api-down[:TIMES]";

impl FromStr for MockFault {
    type Err = Error;

    fn from_str(text: &str) -> Result<MockFault> {
        let wrong = || Error::invalid(format!("{text:?} is no fault of the mock: {WORDS}"));
        let (word, number) = match text.split_once([':', '.']) {
            Some((word, number)) => (word, Some(number.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        match (word, number) {
            ("crash", code) => {
                let code = u8::try_from(code.unwrap_or(1)).map_err(|_| wrong())?;
                Ok(MockFault::Crash(code))
            }
            ("companion", code) => {
                let code = u8::try_from(code.unwrap_or(1)).map_err(|_| wrong())?;
                Ok(MockFault::Companion(code))
            }
            ("slow", seconds) => {
                let seconds = u64::from(seconds.unwrap_or(60));
                Ok(MockFault::Slow(Duration::from_secs(seconds)))
            }
            ("conflict", times) => Ok(MockFault::Conflict(times)),
            ("api-down", times) => Ok(MockFault::ApiDown(times)),
            ("pull", None) => Ok(MockFault::Pull),
            ("memory", None) => Ok(MockFault::Memory),
            ("probe", None) => Ok(MockFault::Probe),
            ("unschedulable", None) => Ok(MockFault::Unschedulable),
            ("quota", None) => Ok(MockFault::Quota),
            ("volume", None) => Ok(MockFault::Volume),
            ("configuration", None) => Ok(MockFault::Configuration),
            ("deaf", None) => Ok(MockFault::Deaf),
            _ => Err(wrong()),
        }
    }
}

/// A fault with the server that it hits; none: every server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `name` or `namespace/name`.
    pub server: Option<String>,
    /// What goes wrong.
    pub fault: MockFault,
}

impl Setting {
    fn hits(&self, identity: &Identity) -> bool {
        self.server
            .as_deref()
            .is_none_or(|server| server == identity.name.as_str() || server == identity.to_string())
    }
}

/// All faults that were set from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Setting>);

impl Faults {
    /// Reads a list of `[SERVER=]FAULT[:NUMBER]`.
    ///
    /// # Errors
    /// An item is none of the faults.
    pub fn parse(text: &str) -> Result<Faults> {
        let items = text.split([';', ',']).map(str::trim);
        items
            .filter(|item| !item.is_empty())
            .map(|item| {
                let (server, fault) = match item.split_once('=') {
                    Some((server, fault)) => (Some(server.trim().to_owned()), fault.trim()),
                    None => (None, item),
                };
                let fault = fault.parse()?;
                Ok(Setting { server, fault })
            })
            .collect::<Result<Vec<Setting>>>()
            .map(Faults)
    }

    /// What hits a server, from outside and by its own specification.
    pub(super) fn of(&self, identity: &Identity, spec: Option<&Spec>) -> Vec<MockFault> {
        let outside = self.0.iter().filter(|setting| setting.hits(identity));
        let mut all: Vec<MockFault> = outside.map(|setting| setting.fault).collect();
        all.extend(spec.map(own).unwrap_or_default());
        all
    }

    /// Whether the back end is away for this call, which is counted.
    pub(super) fn take_api_down(&mut self) -> bool {
        self.0.iter_mut().any(|setting| match &mut setting.fault {
            MockFault::ApiDown(times) => counted(times),
            _ => false,
        })
    }

    /// Whether this change of a server loses a race; it is counted.
    pub(super) fn take_conflict(&mut self, identity: &Identity) -> bool {
        self.0.iter_mut().any(|setting| {
            setting.hits(identity)
                && match &mut setting.fault {
                    MockFault::Conflict(times) => counted(times),
                    _ => false,
                }
        })
    }
}

fn counted(times: &mut Option<u32>) -> bool {
    match times {
        None => true,
        Some(0) => false,
        Some(left) => {
            *left -= 1;
            true
        }
    }
}

/// The faults that a specification says itself. What is no fault is none: the mock runs any server.
fn own(spec: &Spec) -> Vec<MockFault> {
    let mut all = Vec::new();
    if let Some(text) = spec.environment.get("MOCK_FAULT") {
        all.extend(
            Faults::parse(text)
                .unwrap_or_default()
                .0
                .into_iter()
                .map(|setting| setting.fault),
        );
    }
    if let Some(image) = &spec.run.image {
        let text = image.to_string();
        let tag = text.rsplit_once(':').map_or("", |(_, tag)| tag);
        all.extend(
            tag.strip_prefix("fault-")
                .and_then(|fault| fault.parse::<MockFault>().ok()),
        );
    }
    all.extend(
        spec.environment
            .get("ECHO_FAIL")
            .and_then(|text| echo(text)),
    );
    all
}

/// What a back end would see of an echo server that was told to fail.
fn echo(text: &str) -> Option<MockFault> {
    match text.parse::<crate::echo::Fault>().ok()? {
        crate::echo::Fault::Exit(code) => Some(MockFault::Crash(code)),
        crate::echo::Fault::Hang | crate::echo::Fault::Unready => Some(MockFault::Probe),
        crate::echo::Fault::Sick => Some(MockFault::Crash(137)),
        crate::echo::Fault::Slow(milliseconds) => {
            Some(MockFault::Slow(Duration::from_millis(milliseconds)))
        }
        crate::echo::Fault::Deaf => Some(MockFault::Deaf),
        crate::echo::Fault::Memory(_) => Some(MockFault::Memory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_text() {
        let faults = Faults::parse("pull; demo=crash:7, a/b=slow.5;api-down:2").unwrap();
        let demo = Identity {
            namespace: crate::model::Name::label("mcp-servers").unwrap(),
            name: crate::model::Name::label("demo").unwrap(),
        };
        assert_eq!(
            faults.of(&demo, None),
            [
                MockFault::Pull,
                MockFault::Crash(7),
                MockFault::ApiDown(Some(2))
            ]
        );
        for wrong in ["pul", "pull:1", "crash:256", "slow:x", "=pull:3"] {
            assert!(Faults::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn counted_faults_run_out() {
        let mut faults = Faults::parse("api-down:2").unwrap();
        assert!(faults.take_api_down());
        assert!(faults.take_api_down());
        assert!(!faults.take_api_down());
    }
}
