//! What the environment says of where output goes: a person at a terminal, a log, a CI service.
//! Pure; [`super::terminal`] is made from it.

use std::collections::BTreeMap;

/// What is known of where output goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Whether standard output gets colours.
    pub colour_results: bool,
    /// Whether standard error gets colours.
    pub colour_messages: bool,
    /// Whether standard error shows what is running, and redraws it.
    pub lively: bool,
    /// Whether GitHub's runner reads along.
    pub actions: bool,
    /// The root of its checkout.
    pub workspace: Option<String>,
}

/// Which of the two streams is a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminals {
    /// Standard output.
    pub results: bool,
    /// Standard error.
    pub messages: bool,
}

impl Surroundings {
    /// Decides by the environment, in this order: `NO_COLOR` (no-color.org) forbids colours,
    /// `CLICOLOR_FORCE` asks for them, `TERM=dumb` and `CLICOLOR=0` do without; otherwise a
    /// terminal gets them. In CI nothing is redrawn, whatever the streams are.
    pub fn of(environment: &BTreeMap<String, String>, terminals: Terminals) -> Surroundings {
        let value = |name: &str| {
            let value = environment.get(name).map(String::as_str);
            value.filter(|value| !value.is_empty())
        };
        let is_on = |name: &str| value(name).is_some_and(|value| !matches!(value, "0" | "false"));
        let is_dumb = value("TERM") == Some("dumb");
        let colour = |terminal: bool| {
            if value("NO_COLOR").is_some() {
                false
            } else if is_on("CLICOLOR_FORCE") {
                true
            } else {
                terminal && !is_dumb && value("CLICOLOR") != Some("0")
            }
        };
        let actions = value("GITHUB_ACTIONS") == Some("true");
        Surroundings {
            colour_results: colour(terminals.results),
            colour_messages: colour(terminals.messages),
            lively: terminals.messages && !is_dumb && !is_on("CI") && !actions,
            actions,
            workspace: value("GITHUB_WORKSPACE").map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Terminals = Terminals {
        results: true,
        messages: true,
    };
    const NONE: Terminals = Terminals {
        results: false,
        messages: false,
    };

    /// Whether results and messages have colours, and whether something moves.
    fn check(variables: &str, terminals: Terminals, expected: (bool, bool, bool)) {
        let pairs = variables.split_whitespace();
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap());
        let environment = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let found = Surroundings::of(&environment, terminals);
        let found = (found.colour_results, found.colour_messages, found.lively);
        assert_eq!(found, expected, "{variables} {terminals:?}");
    }

    #[test]
    fn the_environment_decides() {
        let piped = Terminals {
            results: false,
            messages: true,
        };
        check("", BOTH, (true, true, true));
        check("", NONE, (false, false, false));
        check("TERM=xterm", piped, (false, true, true));
        check("NO_COLOR=1", BOTH, (false, false, true));
        check("NO_COLOR= TERM=xterm", BOTH, (true, true, true));
        check("NO_COLOR=1 CLICOLOR_FORCE=1", BOTH, (false, false, true));
        check("CLICOLOR_FORCE=1", NONE, (true, true, false));
        check("CLICOLOR_FORCE=0", NONE, (false, false, false));
        check("CLICOLOR=0", BOTH, (false, false, true));
        check("TERM=dumb", BOTH, (false, false, false));
        check("TERM=dumb CLICOLOR_FORCE=1", BOTH, (true, true, false));
        check("CI=true", BOTH, (true, true, false));
        check("CI=false", BOTH, (true, true, true));
        check("GITHUB_ACTIONS=true", BOTH, (true, true, false));
    }

    #[test]
    fn only_the_runner_is_the_runner() {
        let of = |value: &str| {
            let environment = [("GITHUB_ACTIONS".to_owned(), value.to_owned())].into();
            Surroundings::of(&environment, NONE).actions
        };
        assert!(of("true"));
        assert!(!of("1") && !of(""));
    }
}
