//! One comparison: `python_version >= "3.10"`, `"arm" in platform_machine`.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::generic::{self, Generic};
use crate::pep440::{self, Constraint, Context, Invalid};

/// What a comparison lets in: versions, or texts.
#[derive(Debug, Clone)]
pub enum Bound {
    /// The variable is a version.
    Versions(Constraint),
    /// The variable is a text.
    Texts(Generic),
}

/// One comparison of a variable with a value. Two that are written alike are equal.
#[derive(Debug, Clone)]
pub struct Single {
    /// The variable, by its PEP 508 name.
    pub name: String,
    /// The operator as written.
    pub operator: String,
    /// The value as written, without its quotes.
    pub value: String,
    /// Whether the value comes first: `"arm" in platform_machine`.
    pub swapped: bool,
    /// What it lets in.
    pub bound: Bound,
}

/// Whether the variable is the version of the running Python.
pub fn is_python(name: &str) -> bool {
    matches!(name, "python_version" | "python_full_version")
}

/// Older spellings of the variables (PEP 345), still found in metadata.
fn canonical(name: &str) -> &str {
    match name {
        "os.name" => "os_name",
        "sys.platform" => "sys_platform",
        "platform.version" => "platform_version",
        "platform.machine" => "platform_machine",
        "platform.python_implementation" | "python_implementation" => {
            "platform_python_implementation"
        }
        other => other,
    }
}

impl Single {
    /// Reads the comparison of `name` with a condition as in `>= 3.10`, `in "a b"` or, with
    /// the value first, `"arm" in`.
    ///
    /// # Errors
    /// The condition is none that can be made of this variable.
    pub fn new(name: &str, condition: &str, swapped: bool) -> Result<Single, Invalid> {
        let invalid = || Invalid(format!("invalid marker for `{name}`: {condition}"));
        let (operator, value) = if swapped {
            let (value, operator) = generic::quoted(condition).ok_or_else(invalid)?;
            (operator.to_string(), value.to_owned())
        } else {
            split(condition).ok_or_else(invalid)?
        };
        let mut single = Single {
            name: canonical(name).to_owned(),
            operator,
            value,
            swapped,
            bound: Bound::Texts(Generic::Any),
        };
        single.bound = single.read_bound(condition).map_err(|_| invalid())?;
        Ok(single)
    }

    fn read_bound(&mut self, condition: &str) -> Result<Bound, Invalid> {
        let is_set = matches!(self.operator.as_str(), "in" | "not in");
        let is_version = is_python(&self.name) || self.name == "platform_release";
        if self.swapped && !is_python(&self.name) {
            return Ok(Bound::Texts(generic::parse(
                condition,
                self.name == "extra",
            )?));
        }
        if is_version {
            let mut condition = condition.to_owned();
            if is_set {
                condition = version_set(&self.value, self.operator == "in");
            } else if self.name == "python_full_version" && !self.swapped {
                for _ in self.value.matches('.').count()..2 {
                    self.value.push_str(".0");
                    condition.push_str(".0");
                }
            }
            let context = match self.name.as_str() {
                "platform_release" => Context::Platform,
                _ => Context::Marker,
            };
            return Ok(Bound::Versions(pep440::parse(&condition, context)?));
        }
        let condition = if is_set {
            let (sign, glue) = match self.operator.as_str() {
                "in" => ("==", " || "),
                _ => ("!=", ", "),
            };
            let parts: Vec<String> = values(&self.value)
                .map(|value| format!("{sign} {value}"))
                .collect();
            parts.join(glue)
        } else {
            condition.to_owned()
        };
        Ok(Bound::Texts(generic::parse(
            &condition,
            self.name == "extra",
        )?))
    }

    /// What it lets in when the variable is a version.
    pub fn versions(&self) -> Option<&Constraint> {
        match &self.bound {
            Bound::Versions(constraint) => Some(constraint),
            Bound::Texts(_) => None,
        }
    }
}

/// Splits an operator off the front; without one, `==` is meant.
fn split(condition: &str) -> Option<(String, String)> {
    const OPERATORS: [&str; 9] = ["~=", "!=", ">=", ">", "<=", "<", "===", "==", "="];
    let lower = condition.to_ascii_lowercase();
    let (operator, rest) = ["not in ", "in "]
        .into_iter()
        .find(|word| lower.starts_with(word))
        .map(|word| (word.trim(), &condition[word.len()..]))
        .or_else(|| {
            OPERATORS
                .iter()
                .find_map(|sign| Some((*sign, condition.strip_prefix(sign)?)))
        })
        .unwrap_or(("==", condition));
    let value = rest.trim_start();
    (!value.is_empty()).then(|| (operator.to_owned(), value.to_owned()))
}

/// The values of a list in a marker, which commas, spaces or bars may separate.
pub fn values(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match text.find([' ', ',', '|']) {
            Some(at) => {
                rest = Some(text[at..].trim_start_matches([' ', ',', '|']));
                Some(&text[..at])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}

/// `in "3.8, 3.9.1"` as a constraint: two numbers stand for every patch release.
pub fn version_set(text: &str, inside: bool) -> String {
    let parts: Vec<String> = values(text)
        .map(|version| match (version.matches('.').count(), inside) {
            (0 | 1, true) => format!("{version}.*"),
            (0 | 1, false) => format!("!={version}.*"),
            (_, true) => format!("=={version}"),
            (_, false) => format!("!={version}"),
        })
        .collect();
    parts.join(if inside { " || " } else { ", " })
}

impl PartialEq for Single {
    fn eq(&self, other: &Single) -> bool {
        self.name == other.name && self.operator == other.operator && self.value == other.value
    }
}

impl Eq for Single {}

impl Hash for Single {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.name, &self.operator, &self.value).hash(state);
    }
}

impl fmt::Display for Single {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Single {
            name,
            operator,
            value,
            ..
        } = self;
        if self.swapped {
            write!(formatter, "\"{value}\" {operator} {name}")
        } else {
            write!(formatter, "{name} {operator} \"{value}\"")
        }
    }
}
