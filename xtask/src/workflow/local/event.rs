//! What starts a workflow: the event, its ref, its inputs. Pure.

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::workflow::model::Workflow;
use crate::workflow::read::texts;
use crate::yaml::Node;

/// What starts the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `push`, `workflow_dispatch`, …
    pub name: String,
    /// The full ref.
    pub reference: String,
}

impl Event {
    /// Reads `push`, `tag:v1.2.3`, `workflow_dispatch`, `pull_request`, `schedule`.
    ///
    /// # Errors
    /// None of these, or a tag without a name.
    pub fn parse(text: &str, branch: &str) -> Result<Event> {
        let on_branch = |name: &str| Event {
            name: name.to_owned(),
            reference: format!("refs/heads/{branch}"),
        };
        match text.split_once(':') {
            Some(("tag", tag)) if is_tag(tag) => Ok(Event {
                name: "push".to_owned(),
                reference: format!("refs/tags/{tag}"),
            }),
            None if ["push", "workflow_dispatch", "schedule"].contains(&text) => {
                Ok(on_branch(text))
            }
            None if text == "pull_request" => Ok(Event {
                name: text.to_owned(),
                reference: "refs/pull/1/merge".to_owned(),
            }),
            _ => Err(Error::usage(format!("--event {text} is no event"))
                .hint("one of push, tag:v1.2.3, workflow_dispatch, pull_request, schedule")),
        }
    }

    /// The event that a workflow is most likely run for.
    pub fn usual(workflow: &Workflow, branch: &str) -> Event {
        let known = ["push", "workflow_dispatch", "pull_request", "schedule"];
        let name = known.iter().find(|name| workflow.trigger(name).is_some());
        let name = name.copied().unwrap_or("push");
        let tags_only = workflow.trigger("push").is_some_and(|push| {
            !push.patterns("tags").is_empty() && push.patterns("branches").is_empty()
        });
        let name = match name {
            "push" if tags_only && workflow.trigger("workflow_dispatch").is_some() => {
                "workflow_dispatch"
            }
            name => name,
        };
        Event::parse(name, branch).expect("these are events")
    }

    /// Refuses an event that does not start the workflow.
    ///
    /// # Errors
    /// The workflow is not started by it.
    pub fn require(&self, workflow: &Workflow) -> Result<()> {
        if workflow.trigger(&self.name).is_some() {
            return Ok(());
        }
        let known: Vec<&str> = workflow
            .triggers
            .iter()
            .map(|trigger| trigger.event.value.as_str())
            .collect();
        let (path, name) = (&workflow.path, &self.name);
        Err(Error::usage(format!("{path} is not started by {name}"))
            .hint(format!("it is started by {}", known.join(", "))))
    }

    /// Whether a tag was pushed.
    pub fn is_tag(&self) -> bool {
        self.reference.starts_with("refs/tags/")
    }

    /// The ref without what says of which kind it is.
    pub fn short(&self) -> &str {
        let starts = ["refs/heads/", "refs/tags/", "refs/pull/"];
        let short = starts
            .iter()
            .find_map(|start| self.reference.strip_prefix(start));
        short.unwrap_or(&self.reference)
    }

    /// As `--event` takes it.
    pub fn shown(&self) -> String {
        match self.is_tag() {
            true => format!("tag:{}", self.short()),
            false => self.name.clone(),
        }
    }
}

/// What git takes for a name of a tag, without its rarer forms.
fn is_tag(tag: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+/".contains(c);
    !tag.is_empty() && tag.chars().all(plain) && !tag.starts_with(['-', '/']) && !tag.contains("..")
}

/// The inputs of a run by hand, with their kinds; for other events there are none.
///
/// # Errors
/// An input that the workflow does not have, or one of the wrong kind.
pub fn inputs(
    workflow: &Workflow,
    event: &Event,
    given: &[(String, String)],
) -> Result<Map<String, Value>> {
    let declared = workflow
        .trigger(&event.name)
        .filter(|_| event.name == "workflow_dispatch");
    let declared = declared
        .and_then(|trigger| trigger.filters.as_ref()?.get("inputs"))
        .map(Node::pairs)
        .unwrap_or_default();
    let known = |name: &str| declared.iter().any(|pair| pair.key.value == name);
    if let Some((name, _)) = given.iter().find(|(name, _)| !known(name)) {
        let message = format!("{} has no input {name} for {}", workflow.path, event.name);
        return Err(Error::usage(message).hint("inputs belong to --event workflow_dispatch"));
    }
    let mut inputs = Map::new();
    for pair in declared {
        let (name, input) = (&pair.key.value, &pair.value);
        let kind = input.get("type").and_then(Node::spanned);
        let kind = kind.map_or_else(|| "string".to_owned(), |kind| kind.value);
        let asked = given.iter().rev().find(|(given, _)| given == name);
        let default = input.get("default").and_then(Node::spanned);
        let text = asked.map(|(_, text)| text.clone());
        let text = text.or_else(|| default.map(|default| default.value));
        let needed = input.get("required").and_then(Node::spanned);
        if text.is_none() && needed.is_some_and(|needed| needed.value == "true") {
            return Err(
                Error::usage(format!("{}: the input {name} is needed", workflow.path))
                    .hint(format!("give it: --input {name}=…")),
            );
        }
        let value = match (kind.as_str(), text) {
            ("boolean", text) => match text.as_deref().unwrap_or("false") {
                "true" => json!(true),
                "false" => json!(false),
                other => {
                    return Err(Error::usage(format!(
                        "--input {name}={other}: not true or false"
                    )));
                }
            },
            ("number", Some(text)) => match text.parse::<serde_json::Number>() {
                Ok(number) => Value::Number(number),
                Err(_) => return Err(Error::usage(format!("--input {name}={text}: not a number"))),
            },
            ("choice", Some(text)) => {
                let options = input.get("options").map(texts).unwrap_or_default();
                if options.iter().all(|option| option.value != text) {
                    let options: Vec<String> =
                        options.into_iter().map(|option| option.value).collect();
                    return Err(
                        Error::usage(format!("--input {name}={text}: no such choice"))
                            .hint(format!("one of {}", options.join(", "))),
                    );
                }
                json!(text)
            }
            (_, text) => json!(text.unwrap_or_default()),
        };
        inputs.insert(name.clone(), value);
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_refs() {
        let check = |text: &str, name: &str, reference: &str, short: &str| {
            let event = Event::parse(text, "work").unwrap();
            let found = (event.name.as_str(), event.reference.as_str(), event.short());
            assert_eq!(found, (name, reference, short));
            assert_eq!(event.shown(), text);
        };
        check("push", "push", "refs/heads/work", "work");
        check("tag:v1.2.3", "push", "refs/tags/v1.2.3", "v1.2.3");
        check(
            "workflow_dispatch",
            "workflow_dispatch",
            "refs/heads/work",
            "work",
        );
        check(
            "pull_request",
            "pull_request",
            "refs/pull/1/merge",
            "1/merge",
        );
        for wrong in ["", "tag:", "tag:--x", "tag:a..b", "tag:a b", "release"] {
            assert!(Event::parse(wrong, "work").is_err(), "{wrong}");
        }
    }
}
