//! Names of distributions, extras and dependency groups in their normal form. Pure.

/// Lower case, with every run of `-`, `_` and `.` as one hyphen (PEP 503, and PEP 685 for extras).
pub fn normalize(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' => {
                if !normal.ends_with('-') {
                    normal.push('-');
                }
            }
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_the_same_are_the_same() {
        let check = |name: &str, expected: &str| assert_eq!(normalize(name), expected);
        check("Jupyter_Client", "jupyter-client");
        check("ruamel.yaml", "ruamel-yaml");
        check("a.-_b", "a-b");
    }
}
