//! What expressions read in a local run, and errors that name the place of an expression. Pure
//! but for the files that `hashFiles` asks for, which are handed in as a function.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::workflow::expression::{self, Function, Problem, Surroundings, Template};
use crate::workflow::model::{Text, Variable};

/// Answers `hashFiles`.
pub type Files = Rc<dyn Fn(&[String]) -> std::result::Result<String, String>>;

/// How the job went so far, or how those it needs went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// All well.
    #[default]
    Success,
    /// Something has failed.
    Failure,
    /// Something that is needed did not run, but nothing has failed.
    Skipped,
}

/// The contexts at one place of a workflow.
#[derive(Clone, Default)]
pub struct Scope {
    /// By name.
    pub contexts: Map<String, Value>,
    /// What `success()` and `failure()` answer.
    pub standing: Standing,
    /// What `hashFiles` asks; `None` where there are no files yet.
    pub files: Option<Files>,
}

impl Surroundings for Scope {
    fn context(&self, name: &str) -> Option<&Value> {
        self.contexts.get(name)
    }

    fn status(&self, function: Function) -> bool {
        match function {
            Function::Always => true,
            Function::Success => self.standing == Standing::Success,
            Function::Failure => self.standing == Standing::Failure,
            _ => false,
        }
    }

    fn hash_files(&self, patterns: &[String]) -> std::result::Result<String, String> {
        match &self.files {
            Some(files) => files(patterns),
            None => Err("hashFiles: there are no files before a job runs".to_owned()),
        }
    }
}

impl Scope {
    /// Sets a context.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.contexts.insert(name.to_owned(), value.into());
    }

    /// Sets a member of a context.
    pub fn put(&mut self, context: &str, name: &str, value: impl Into<Value>) {
        let entry = self.contexts.entry(context);
        let context = entry.or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(members) = context {
            members.insert(name.to_owned(), value.into());
        }
    }

    /// A text of the workflow with its expressions evaluated.
    ///
    /// # Errors
    /// An expression that is wrong, with its place.
    pub fn text(&self, file: &str, text: &Text) -> Result<String> {
        let template = Template::parse(&text.value);
        let value = template.and_then(|template| expression::text(&template, self));
        value.map_err(|problem| error(file, text, &problem))
    }

    /// As [`Scope::text`], but a text that is nothing but an expression keeps its kind.
    ///
    /// # Errors
    /// As [`Scope::text`].
    pub fn value(&self, file: &str, text: &Text) -> Result<Value> {
        let template = Template::parse(&text.value);
        let value = template.and_then(|template| expression::render(&template, self));
        value.map_err(|problem| error(file, text, &problem))
    }

    /// Whether a condition holds; without one, whether all went well.
    ///
    /// # Errors
    /// As [`Scope::text`].
    pub fn holds(&self, file: &str, condition: Option<&Text>) -> Result<bool> {
        let Some(text) = condition else {
            return Ok(self.standing == Standing::Success);
        };
        let template = Template::condition(&text.value);
        let value = template.and_then(|template| expression::condition(&template, self));
        value.map_err(|problem| error(file, text, &problem))
    }

    /// Whether a text counts as true, such as `continue-on-error`; a missing one does not.
    ///
    /// # Errors
    /// As [`Scope::text`].
    pub fn flag(&self, file: &str, text: Option<&Text>) -> Result<bool> {
        match text {
            Some(text) => Ok(self.text(file, text)?.trim() == "true"),
            None => Ok(false),
        }
    }

    /// Names and texts with their expressions evaluated.
    ///
    /// # Errors
    /// As [`Scope::text`].
    pub fn texts(&self, file: &str, variables: &[Variable]) -> Result<Vec<(String, String)>> {
        let one = |variable: &Variable| {
            let text = self.text(file, &variable.value)?;
            Ok((variable.name.value.clone(), text))
        };
        variables.iter().map(one).collect()
    }

    /// Every text within a value evaluated, such as a matrix.
    ///
    /// # Errors
    /// As [`Scope::text`].
    pub fn within(&self, file: &str, place: &Text, value: &Value) -> Result<Value> {
        let at = |text: &str| Text::new(text.to_owned(), place.place);
        match value {
            Value::String(text) => self.value(file, &at(text)),
            Value::Array(list) => {
                let list = list.iter().map(|value| self.within(file, place, value));
                Ok(Value::Array(list.collect::<Result<_>>()?))
            }
            Value::Object(object) => {
                let members = object.iter();
                let members =
                    members.map(|(key, value)| Ok((key.clone(), self.within(file, place, value)?)));
                Ok(Value::Object(members.collect::<Result<_>>()?))
            }
            other => Ok(other.clone()),
        }
    }
}

/// Whether a text reads one of these contexts, such as `needs`.
pub fn reads(text: &str, contexts: &[&str]) -> bool {
    let template = match text.contains("${{") {
        true => Template::parse(text),
        false => Template::condition(text),
    };
    let Ok(template) = template else {
        return false;
    };
    let paths = template
        .expressions()
        .flat_map(expression::Expression::paths);
    let mut paths = paths.map(|(_, path)| path);
    paths.any(|path| contexts.contains(&path.split('.').next().unwrap_or_default()))
}

fn error(file: &str, text: &Text, problem: &Problem) -> Error {
    let (line, column) = problem.place(&text.value);
    let (line, column) = match line {
        1 => (text.place.line, text.place.column + column - 1),
        more => (text.place.line + more - 1, column),
    };
    let shown = crate::printable::line(&text.value, 80);
    Error::usage(format!(
        "{file}:{line}:{column}: {} in \"{shown}\"",
        problem.message
    ))
}
