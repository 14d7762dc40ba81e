//! YAML → model. What has not the form that GitHub wants becomes a problem with its place, and
//! everything else is read all the same, so that a report names more than the first mistake.

mod job;
mod script;

use super::model::{
    Action, Concurrency, Defaults, Grant, Permissions, Place, Problem, Spanned, Text, Trigger,
    Variable, Workflow,
};
use crate::yaml::{self, Node, Value};

/// Reads a workflow; `path` is from the repository's root.
///
/// # Errors
/// The text is not YAML or not a mapping.
pub fn workflow(path: &str, text: &str) -> Result<Workflow, Problem> {
    let root = yaml::mapping(text)?;
    let mut reading = Reading {
        text,
        problems: Vec::new(),
    };
    reading.known_keys(&root, "the workflow", WORKFLOW_KEYS);
    let triggers = match root.get("on") {
        Some(on) => reading.triggers(on),
        None => {
            reading.problem(root.place, "the workflow has no `on`: nothing starts it");
            Vec::new()
        }
    };
    let jobs = match root.get("jobs") {
        Some(jobs) => reading.jobs(jobs),
        None => {
            reading.problem(root.place, "the workflow has no `jobs`");
            Vec::new()
        }
    };
    Ok(Workflow {
        path: path.to_owned(),
        text: text.to_owned(),
        name: reading.text_of(&root, "name"),
        run_name: reading.text_of(&root, "run-name"),
        triggers,
        permissions: reading.permissions(&root),
        variables: reading.variables(&root, "env"),
        defaults: reading.defaults(&root),
        concurrency: reading.concurrency(&root),
        jobs,
        problems: reading.problems,
        root,
    })
}

/// Reads an `action.yml`; `path` is from the repository's root.
///
/// # Errors
/// The text is not YAML or not a mapping.
pub fn action(path: &str, text: &str) -> Result<Action, Problem> {
    let root = yaml::mapping(text)?;
    let mut reading = Reading {
        text,
        problems: Vec::new(),
    };
    let named = |key: &str, part: &str| -> Vec<Variable> {
        let pairs = root.get(key).map_or(&[][..], Node::pairs);
        let one = |pair: &yaml::Pair| {
            let text = pair.value.get(part).and_then(Node::spanned);
            let empty = Spanned::new(String::new(), pair.key.place);
            Variable {
                name: pair.key.clone(),
                value: text.unwrap_or(empty),
            }
        };
        pairs.iter().map(one).collect()
    };
    let (inputs, outputs) = (named("inputs", "default"), named("outputs", "value"));
    let runs = root.get("runs");
    if runs.is_none() {
        reading.problem(root.place, "the action has no `runs`");
    }
    let steps = runs.and_then(|runs| runs.get("steps"));
    let steps = steps.map(|steps| reading.steps(steps)).unwrap_or_default();
    Ok(Action {
        path: path.to_owned(),
        text: text.to_owned(),
        inputs,
        outputs,
        using: runs
            .and_then(|runs| runs.get("using"))
            .and_then(Node::spanned),
        steps,
        problems: reading.problems,
        root,
    })
}

/// The texts of a list, or the one text that stands in its place.
pub fn texts(node: &Node) -> Vec<Text> {
    match &node.value {
        Value::List(items) => items.iter().filter_map(Node::spanned).collect(),
        Value::Scalar(_) | Value::Map(_) => node.spanned().into_iter().collect(),
    }
}

/// The place in the file of a byte of a scalar's text.
pub fn place_in(file: &str, node: &Node, text: &str, offset: usize) -> Place {
    let whole = Spanned::new(text.to_owned(), node.place);
    script::script(file, Some(node), whole).place_of(offset)
}

const WORKFLOW_KEYS: &[&str] = &[
    "name",
    "description",
    "run-name",
    "on",
    "permissions",
    "env",
    "defaults",
    "concurrency",
    "jobs",
];

/// A file being read.
struct Reading<'text> {
    text: &'text str,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn problem(&mut self, place: Place, message: impl Into<String>) {
        self.problems.push(Problem::new(place, message));
    }

    fn known_keys(&mut self, node: &Node, what: &str, known: &[&str]) {
        for pair in node.pairs() {
            let key = &pair.key.value;
            if !known.contains(&key.as_str()) {
                let shown = crate::printable::line(key, 60);
                self.problem(pair.key.place, format!("{what} has no key `{shown}`"));
            }
        }
    }

    /// The text under a key; a collection there is a problem.
    fn text_of(&mut self, node: &Node, key: &str) -> Option<Text> {
        let value = node.get(key)?;
        if !matches!(value.value, Value::Scalar(_)) {
            self.problem(value.place, format!("`{key}` must be a text"));
        }
        value.spanned()
    }

    fn triggers(&mut self, on: &Node) -> Vec<Trigger> {
        match &on.value {
            Value::Map(pairs) => pairs
                .iter()
                .map(|pair| Trigger {
                    event: pair.key.clone(),
                    filters: (!pair.value.is_null()).then(|| pair.value.clone()),
                })
                .collect(),
            Value::Scalar(_) | Value::List(_) => {
                let events = texts(on);
                if events.is_empty() {
                    self.problem(on.place, "`on` names no event");
                }
                events
                    .into_iter()
                    .map(|event| Trigger {
                        event,
                        filters: None,
                    })
                    .collect()
            }
        }
    }

    fn permissions(&mut self, node: &Node) -> Option<Permissions> {
        let pair = node
            .pairs()
            .iter()
            .find(|pair| pair.key.value == "permissions")?;
        let grant = match (&pair.value.value, pair.value.spanned()) {
            (Value::Scalar(_), Some(all)) => {
                if !matches!(all.value.as_str(), "read-all" | "write-all") {
                    let message = "`permissions` must be `read-all`, `write-all` or a mapping";
                    self.problem(all.place, message);
                }
                Grant::All(all)
            }
            (Value::Map(_), _) => Grant::Each(self.variables(node, "permissions")),
            _ => {
                let message = "`permissions` must be a mapping; nothing at all is `{}`";
                self.problem(pair.value.place, message);
                Grant::Each(Vec::new())
            }
        };
        Some(Permissions {
            place: pair.key.place,
            grant,
        })
    }

    /// The names and texts of a mapping. An expression may stand for the whole mapping; then
    /// nothing can be said about what is in it.
    fn variables(&mut self, node: &Node, key: &str) -> Vec<Variable> {
        let Some(value) = node.get(key) else {
            return Vec::new();
        };
        let Value::Map(pairs) = &value.value else {
            let expression = value
                .spanned()
                .is_some_and(|text| text.value.contains("${{"));
            if !expression && !value.is_null() {
                self.problem(value.place, format!("`{key}` must be a mapping"));
            }
            return Vec::new();
        };
        let mut variables = Vec::new();
        for pair in pairs {
            if !matches!(pair.value.value, Value::Scalar(_)) {
                let name = crate::printable::line(&pair.key.value, 60);
                self.problem(pair.value.place, format!("`{key}.{name}` must be a text"));
                continue;
            }
            let empty = Spanned::new(String::new(), pair.value.place);
            let value = pair.value.spanned().unwrap_or(empty);
            variables.push(Variable {
                name: pair.key.clone(),
                value,
            });
        }
        variables
    }

    fn defaults(&mut self, node: &Node) -> Defaults {
        match node
            .get("defaults")
            .and_then(|defaults| defaults.get("run"))
        {
            Some(run) => Defaults {
                shell: self.text_of(run, "shell"),
                working_directory: self.text_of(run, "working-directory"),
            },
            None => Defaults::default(),
        }
    }

    fn concurrency(&mut self, node: &Node) -> Option<Concurrency> {
        let pair = node
            .pairs()
            .iter()
            .find(|pair| pair.key.value == "concurrency")?;
        let group = match pair.value.value {
            Value::Scalar(_) => pair.value.spanned(),
            Value::List(_) | Value::Map(_) => self.text_of(&pair.value, "group"),
        };
        if group.is_none() {
            self.problem(pair.value.place, "`concurrency` has no `group`");
        }
        Some(Concurrency {
            place: pair.key.place,
            group,
            cancel_in_progress: self.text_of(&pair.value, "cancel-in-progress"),
        })
    }
}

#[cfg(test)]
mod tests;
