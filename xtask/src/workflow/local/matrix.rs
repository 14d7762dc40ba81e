//! The combinations of a matrix, with `include` and `exclude`. Pure.

use serde_json::{Map, Value};

/// So many jobs may come of one matrix, as at GitHub.
const MOST: usize = 256;

/// Every combination, in GitHub's order.
///
/// # Errors
/// A matrix that is not a mapping of lists, or that makes more than 256 jobs.
pub fn combinations(matrix: &Value) -> Result<Vec<Map<String, Value>>, String> {
    let matrix = matrix.as_object().ok_or("the matrix is not a mapping")?;
    let mut legs: Vec<Map<String, Value>> = vec![Map::new()];
    let own = |key: &str| key != "include" && key != "exclude";
    for (key, values) in matrix.iter().filter(|(key, _)| own(key)) {
        let values = values
            .as_array()
            .ok_or_else(|| format!("matrix.{key} is not a list"))?;
        if legs.len() * values.len() > MOST {
            return Err(format!("the matrix makes more than {MOST} jobs"));
        }
        let with = |leg: &Map<String, Value>, value: &Value| {
            let mut leg = leg.clone();
            leg.insert(key.clone(), value.clone());
            leg
        };
        legs = legs
            .iter()
            .flat_map(|leg| values.iter().map(move |value| with(leg, value)))
            .collect();
    }
    if !matrix.keys().any(|key| own(key)) {
        legs.clear();
    }
    for excluded in entries(matrix, "exclude")? {
        legs.retain(|leg| {
            !excluded
                .iter()
                .all(|(key, value)| leg.get(key) == Some(value))
        });
    }
    include(&mut legs, entries(matrix, "include")?);
    if legs.len() > MOST {
        return Err(format!("the matrix makes more than {MOST} jobs"));
    }
    Ok(legs)
}

fn entries<'a>(
    matrix: &'a Map<String, Value>,
    key: &str,
) -> Result<Vec<&'a Map<String, Value>>, String> {
    let Some(list) = matrix.get(key) else {
        return Ok(Vec::new());
    };
    let wrong = || format!("matrix.{key} is not a list of mappings");
    let list = list.as_array().ok_or_else(wrong)?;
    list.iter()
        .map(|entry| entry.as_object().ok_or_else(wrong))
        .collect()
}

/// An entry is added to every combination whose own values it does not change; one that fits
/// none is a combination of its own.
fn include(legs: &mut Vec<Map<String, Value>>, entries: Vec<&Map<String, Value>>) {
    let originals = legs.clone();
    for entry in entries {
        let mut fitted = false;
        for (leg, original) in legs.iter_mut().zip(&originals) {
            let keeps =
                |(key, value): (&String, &Value)| original.get(key).is_none_or(|own| own == value);
            if entry.iter().all(keeps) {
                fitted = true;
                leg.extend(entry.clone());
            }
        }
        if !fitted {
            legs.push(entry.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(matrix: &Value, expected: &Value) {
        let found = combinations(matrix).unwrap();
        assert_eq!(json!(found), *expected, "{matrix}");
    }

    #[test]
    fn combinations_are_those_of_github() {
        check(
            &json!({ "a": [1, 2], "b": ["x", "y"] }),
            &json!([{"a":1,"b":"x"}, {"a":1,"b":"y"}, {"a":2,"b":"x"}, {"a":2,"b":"y"}]),
        );
        check(
            &json!({ "a": [1, 2], "b": [1, 2], "exclude": [{"a": 1}, {"a": 2, "b": 1}] }),
            &json!([{"a":2,"b":2}]),
        );
        check(
            &json!({ "include": [{"a": 1}, {"a": 2}] }),
            &json!([{"a":1}, {"a":2}]),
        );
        // The example of GitHub's documentation.
        check(
            &json!({
                "fruit": ["apple", "pear"], "animal": ["cat", "dog"],
                "include": [
                    {"color": "green"},
                    {"color": "pink", "animal": "cat"},
                    {"fruit": "apple", "shape": "circle"},
                    {"fruit": "banana"},
                    {"fruit": "banana", "animal": "cat"},
                ],
            }),
            &json!([
                {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
                {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
                {"fruit": "pear", "animal": "cat", "color": "pink"},
                {"fruit": "pear", "animal": "dog", "color": "green"},
                {"fruit": "banana"},
                {"fruit": "banana", "animal": "cat"},
            ]),
        );
    }

    #[test]
    fn other_forms_are_errors() {
        for wrong in [
            json!(1),
            json!({"a": 1}),
            json!({"include": 1}),
            json!({"exclude": [1]}),
        ] {
            assert!(combinations(&wrong).is_err(), "{wrong}");
        }
        let many: Vec<u32> = (0..100).collect();
        assert!(combinations(&json!({ "a": many, "b": many, "c": many })).is_err());
    }
}
