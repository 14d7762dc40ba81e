//! The value of an expression where it stands. Pure: what it reads is handed in.

use std::borrow::Cow;

use serde_json::Value;

use super::function::{self, Function};
use super::value::{compare, is_true, member, shown};
use super::{Expression, Node, Problem, Segment, Template};

/// What an expression can read.
pub trait Surroundings {
    /// A context by its name in lower case; `None` when it is not to be had here.
    fn context(&self, name: &str) -> Option<&Value>;

    /// The answer of `success()`, `always()`, `failure()` or `cancelled()`.
    fn status(&self, function: Function) -> bool;

    /// The digest of the files that fit these patterns, empty when there are none.
    ///
    /// # Errors
    /// They cannot be read here; why.
    fn hash_files(&self, patterns: &[String]) -> Result<String, String>;
}

/// A value, or the values that a filter has found.
enum Found<'a> {
    One(Cow<'a, Value>),
    Many(Vec<Cow<'a, Value>>),
}

/// Evaluates an expression.
///
/// # Errors
/// A context that is not to be had here, or a function that refuses its values.
pub fn evaluate<'a>(
    expression: &'a Expression,
    surroundings: &'a dyn Surroundings,
) -> Result<Cow<'a, Value>, Problem> {
    match find(expression, surroundings)? {
        Found::One(value) => Ok(value),
        Found::Many(values) => {
            let values = values.into_iter().map(Cow::into_owned).collect();
            Ok(Cow::Owned(Value::Array(values)))
        }
    }
}

/// Evaluates a text; one that is nothing but an expression keeps the kind of its value.
///
/// # Errors
/// As [`evaluate`].
pub fn render(template: &Template, surroundings: &dyn Surroundings) -> Result<Value, Problem> {
    match template.only() {
        Some(expression) => Ok(evaluate(expression, surroundings)?.into_owned()),
        None => text(template, surroundings).map(Value::String),
    }
}

/// Evaluates a text to a text.
///
/// # Errors
/// As [`evaluate`].
pub fn text(template: &Template, surroundings: &dyn Surroundings) -> Result<String, Problem> {
    let mut text = String::new();
    for segment in &template.segments {
        match segment {
            Segment::Text(plain) => text.push_str(plain),
            Segment::Expression(expression) => {
                text.push_str(&shown(&*evaluate(expression, surroundings)?));
            }
        }
    }
    Ok(text)
}

/// Evaluates a condition; one that does not ask how the job went holds only when it went well.
///
/// # Errors
/// As [`evaluate`].
pub fn condition(template: &Template, surroundings: &dyn Surroundings) -> Result<bool, Problem> {
    let asks = template.expressions().any(Expression::asks_status);
    if !asks && !surroundings.status(Function::Success) {
        return Ok(false);
    }
    render(template, surroundings).map(|value| is_true(&value))
}

fn find<'a>(
    expression: &'a Expression,
    surroundings: &'a dyn Surroundings,
) -> Result<Found<'a>, Problem> {
    let value = |part: &'a Expression| evaluate(part, surroundings);
    let one = |value: Value| Ok(Found::One(Cow::Owned(value)));
    match &expression.node {
        Node::Literal(value) => Ok(Found::One(Cow::Borrowed(value))),
        Node::Context(name) => match surroundings.context(name) {
            Some(value) => Ok(Found::One(Cow::Borrowed(value))),
            None => {
                let message = format!("the context {name} is not to be had here");
                Err(Problem::new(expression.offset, message))
            }
        },
        Node::Member(of, name) => {
            let of = find(of, surroundings)?;
            Ok(each(of, &|value| member(value, name)))
        }
        Node::Index(of, index) => {
            let of = find(of, surroundings)?;
            let index = value(index)?;
            Ok(each(of, &|value| indexed(value, &index)))
        }
        Node::Every(of) => Ok(Found::Many(every(find(of, surroundings)?))),
        Node::Not(of) => one(Value::Bool(!is_true(&*value(of)?))),
        Node::Compare(comparison, left, right) => {
            let (left, right) = (value(left)?, value(right)?);
            one(Value::Bool(compare(*comparison, &left, &right)))
        }
        Node::All(parts) => first(parts, surroundings, |value| !is_true(value)),
        Node::Any(parts) => first(parts, surroundings, is_true),
        Node::Call(function, values) => {
            call(*function, values, expression.offset, surroundings).map(Found::One)
        }
    }
}

/// The first value that stops the chain, else the last.
fn first<'a>(
    parts: &'a [Expression],
    surroundings: &'a dyn Surroundings,
    stops: fn(&Value) -> bool,
) -> Result<Found<'a>, Problem> {
    let mut last = Cow::Owned(Value::Null);
    for part in parts {
        last = evaluate(part, surroundings)?;
        if stops(&last) {
            break;
        }
    }
    Ok(Found::One(last))
}

/// What `pick` takes of a value, or of each value that a filter has found.
fn each<'a>(of: Found<'a>, pick: &dyn Fn(&Value) -> Option<&Value>) -> Found<'a> {
    match of {
        Found::One(value) => Found::One(picked(value, pick).unwrap_or(Cow::Owned(Value::Null))),
        Found::Many(values) => {
            let picked = values.into_iter().filter_map(|value| picked(value, pick));
            Found::Many(picked.collect())
        }
    }
}

fn picked<'a>(
    value: Cow<'a, Value>,
    pick: &dyn Fn(&Value) -> Option<&Value>,
) -> Option<Cow<'a, Value>> {
    match value {
        Cow::Borrowed(value) => pick(value).map(Cow::Borrowed),
        Cow::Owned(value) => pick(&value).cloned().map(Cow::Owned),
    }
}

fn indexed<'a>(value: &'a Value, index: &Value) -> Option<&'a Value> {
    match value {
        Value::Array(list) => {
            let index = super::value::as_number(index);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "what is out of range finds nothing"
            )]
            let index = (index >= 0.0).then_some(index as usize)?;
            list.get(index)
        }
        Value::Object(_) => member(value, &shown(index)),
        _ => None,
    }
}

fn every(of: Found<'_>) -> Vec<Cow<'_, Value>> {
    let members = |value: Cow<'_, Value>| -> Vec<Value> {
        match &*value {
            Value::Array(list) => list.clone(),
            Value::Object(object) => object.values().cloned().collect(),
            _ => Vec::new(),
        }
    };
    let values = match of {
        Found::One(value) => vec![value],
        Found::Many(values) => values,
    };
    values
        .into_iter()
        .flat_map(members)
        .map(Cow::Owned)
        .collect()
}

fn call<'a>(
    function: Function,
    values: &'a [Expression],
    offset: usize,
    surroundings: &'a dyn Surroundings,
) -> Result<Cow<'a, Value>, Problem> {
    if function.is_status() {
        return Ok(Cow::Owned(Value::Bool(surroundings.status(function))));
    }
    if function == Function::Case {
        return case(values, surroundings);
    }
    let values = values
        .iter()
        .map(|value| evaluate(value, surroundings))
        .collect::<Result<Vec<_>, Problem>>()?;
    let nothing = Value::Null;
    let at = |index: usize| values.get(index).map_or(&nothing, |value| &**value);
    let texts = |from: usize| -> Vec<String> {
        values.iter().skip(from).map(|value| shown(value)).collect()
    };
    let value = match function {
        Function::Contains => Value::Bool(function::contains(at(0), at(1))),
        Function::StartsWith => Value::Bool(function::starts_with(at(0), at(1))),
        Function::EndsWith => Value::Bool(function::ends_with(at(0), at(1))),
        Function::Format => Value::String(function::format(&shown(at(0)), &texts(1), offset)?),
        Function::Join => Value::String(function::join(at(0), values.get(1).map(|v| &**v))),
        Function::ToJson => {
            Value::String(serde_json::to_string_pretty(at(0)).expect("values are plain data"))
        }
        Function::FromJson => serde_json::from_str(&shown(at(0))).map_err(|cause| {
            Problem::new(offset, format!("fromJSON: the text is not JSON: {cause}"))
        })?,
        Function::HashFiles => {
            let hashed = surroundings.hash_files(&texts(0));
            Value::String(hashed.map_err(|message| Problem::new(offset, message))?)
        }
        Function::Case
        | Function::Success
        | Function::Always
        | Function::Failure
        | Function::Cancelled => Value::Null,
    };
    Ok(Cow::Owned(value))
}

fn case<'a>(
    values: &'a [Expression],
    surroundings: &'a dyn Surroundings,
) -> Result<Cow<'a, Value>, Problem> {
    for pair in values.chunks(2) {
        match pair {
            [condition, value] if is_true(&*evaluate(condition, surroundings)?) => {
                return evaluate(value, surroundings);
            }
            [value] => return evaluate(value, surroundings),
            _ => {}
        }
    }
    Ok(Cow::Owned(Value::Null))
}
