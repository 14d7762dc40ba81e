//! Values as GitHub compares and shows them. Pure.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::Comparison;

/// Whether a value counts as true: everything but `false`, 0, the empty text and null.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// The value in a text.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => shown_number(number),
        Value::String(text) => text.clone(),
        Value::Array(_) => "Array".to_owned(),
        Value::Object(_) => "Object".to_owned(),
    }
}

fn shown_number(number: &Number) -> String {
    match number.as_f64() {
        // A whole number of fifteen digits is what GitHub, too, shows digit by digit.
        Some(value) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
        _ => number.to_string(),
    }
}

/// A number as a value, whole ones without a point.
pub fn of_number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and in range")]
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return Value::from(number as i64);
    }
    // What JSON cannot write keeps its name, which compares as the number it is.
    Number::from_f64(number).map_or_else(|| Value::from(shown_infinite(number)), Value::Number)
}

fn shown_infinite(number: f64) -> &'static str {
    match number {
        _ if number.is_nan() => "NaN",
        _ if number > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

/// The number that a value counts as where kinds differ.
pub fn as_number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Value::String(text) => number_of(text),
        Value::Array(_) | Value::Object(_) => f64::NAN,
    }
}

/// The number that a text stands for; not a number when it stands for none.
pub fn number_of(text: &str) -> f64 {
    let text = text.trim();
    let based = |digits: &str, base| {
        u32::from_str_radix(digits, base).map_or(f64::NAN, |number| f64::from(number.cast_signed()))
    };
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ => match text.get(..2) {
            Some("0x") => based(text.get(2..).unwrap_or_default(), 16),
            Some("0o") => based(text.get(2..).unwrap_or_default(), 8),
            _ if text.contains(|c: char| !"0123456789+-.eE".contains(c)) => f64::NAN,
            _ => text.parse().unwrap_or(f64::NAN),
        },
    }
}

/// Whether two texts are equal without regard to case.
pub fn same_text(left: &str, right: &str) -> bool {
    left == right || folded(left) == folded(right)
}

/// A text without its case.
pub fn folded(text: &str) -> String {
    text.to_uppercase()
}

/// Compares loosely. Lists and objects are equal only when they are one and the same.
pub fn compare(comparison: Comparison, left: &Value, right: &Value) -> bool {
    let order = order(left, right);
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::Different => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(folded(left).cmp(&folded(right))),
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => {
            std::ptr::eq(left, right).then_some(Ordering::Equal)
        }
        _ => as_number(left).partial_cmp(&as_number(right)),
    }
}

/// A member of an object; names differ by more than case.
pub fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| {
        let found = object.iter().find(|(key, _)| same_text(key, name));
        found.map(|(_, value)| value)
    })
}
