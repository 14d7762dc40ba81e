//! The functions of expressions: their names, how many values they take, what they give. Pure.

use serde_json::Value;

use super::value::{compare, folded, shown};
use super::{Comparison, Problem};

/// A function that GitHub knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Whether a text or a list holds a value.
    Contains,
    /// Whether a text begins so.
    StartsWith,
    /// Whether a text ends so.
    EndsWith,
    /// A text with values in the place of `{0}`.
    Format,
    /// The texts of a list as one.
    Join,
    /// A value as JSON.
    ToJson,
    /// JSON as a value.
    FromJson,
    /// The digest of files.
    HashFiles,
    /// The value after the first condition that is true, else the last value.
    Case,
    /// Whether everything so far went well.
    Success,
    /// True, whatever happened.
    Always,
    /// Whether something has failed.
    Failure,
    /// Whether the run was cancelled.
    Cancelled,
}

/// Name, function, and how few and how many values it takes.
const FUNCTIONS: [(&str, Function, usize, usize); 13] = [
    ("contains", Function::Contains, 2, 2),
    ("startsWith", Function::StartsWith, 2, 2),
    ("endsWith", Function::EndsWith, 2, 2),
    ("format", Function::Format, 1, 255),
    ("join", Function::Join, 1, 2),
    ("toJSON", Function::ToJson, 1, 1),
    ("fromJSON", Function::FromJson, 1, 1),
    ("hashFiles", Function::HashFiles, 1, 255),
    ("case", Function::Case, 3, 255),
    ("success", Function::Success, 0, 0),
    ("always", Function::Always, 0, 0),
    ("failure", Function::Failure, 0, 0),
    ("cancelled", Function::Cancelled, 0, 0),
];

impl Function {
    /// The function of this name; case does not matter.
    ///
    /// # Errors
    /// There is none; the message names one that is alike.
    pub fn find(name: &str) -> Result<Function, String> {
        let same = |known: &&(&str, Function, usize, usize)| known.0.eq_ignore_ascii_case(name);
        if let Some(known) = FUNCTIONS.iter().find(same) {
            return Ok(known.1);
        }
        let near = FUNCTIONS.iter().map(|known| known.0).find(|known| {
            strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase()) <= 2
        });
        let near = near.map_or_else(String::new, |known| format!("; is {known} meant?"));
        Err(format!("there is no function {name}{near}"))
    }

    /// Whether so many values can be given to it.
    ///
    /// # Errors
    /// Too few or too many.
    pub fn takes(self, count: usize) -> Result<(), String> {
        let known = FUNCTIONS.iter().find(|known| known.1 == self);
        let (name, _, least, most) = known.expect("every function is in the list");
        if count < *least || count > *most {
            let many = match (least, most) {
                (least, most) if least == most => format!("{least}"),
                (least, 255) => format!("{least} or more"),
                (least, most) => format!("{least} to {most}"),
            };
            return Err(format!("{name} takes {many} values, not {count}"));
        }
        if self == Function::Case && count.is_multiple_of(2) {
            return Err(
                "case takes pairs of condition and value, and one value at last".to_owned(),
            );
        }
        Ok(())
    }

    /// Whether it asks how the job went.
    pub fn is_status(self) -> bool {
        use Function::{Always, Cancelled, Failure, Success};
        matches!(self, Success | Always | Failure | Cancelled)
    }
}

pub fn contains(within: &Value, item: &Value) -> bool {
    match within {
        Value::Array(list) => list
            .iter()
            .any(|value| compare(Comparison::Equal, value, item)),
        Value::Object(_) => false,
        _ if matches!(item, Value::Array(_) | Value::Object(_)) => false,
        text => folded(&shown(text)).contains(&folded(&shown(item))),
    }
}

pub fn starts_with(text: &Value, start: &Value) -> bool {
    plain(text, start, |text, start| text.starts_with(start))
}

pub fn ends_with(text: &Value, end: &Value) -> bool {
    plain(text, end, |text, end| text.ends_with(end))
}

fn plain(left: &Value, right: &Value, holds: impl Fn(&str, &str) -> bool) -> bool {
    let composed = |value: &Value| matches!(value, Value::Array(_) | Value::Object(_));
    !composed(left) && !composed(right) && holds(&folded(&shown(left)), &folded(&shown(right)))
}

pub fn join(list: &Value, separator: Option<&Value>) -> String {
    let separator = separator.map_or_else(|| ",".to_owned(), shown);
    match list {
        Value::Array(list) => {
            let texts: Vec<String> = list.iter().map(shown).collect();
            texts.join(&separator)
        }
        Value::Object(_) => String::new(),
        other => shown(other),
    }
}

/// `{0}` is the first value; `{{` and `}}` are braces.
pub fn format(pattern: &str, values: &[String], offset: usize) -> Result<String, Problem> {
    let wrong = |what: &str| Problem::new(offset, format!("format: {what} in \"{pattern}\""));
    let mut text = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '{' if characters.next_if_eq(&'{').is_some() => text.push('{'),
            '}' if characters.next_if_eq(&'}').is_some() => text.push('}'),
            '}' => return Err(wrong("a brace that closes nothing")),
            '{' => {
                let mut digits = String::new();
                while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                if characters.next() != Some('}') {
                    return Err(wrong("a brace without a number"));
                }
                let index: usize = digits.parse().map_err(|_| wrong("{} without a number"))?;
                let value = values.get(index);
                text.push_str(value.ok_or_else(|| wrong(&format!("{{{index}}} has no value")))?);
            }
            _ => text.push(c),
        }
    }
    Ok(text)
}
