//! Paths as lock files and manifests write them. Pure.

/// Without `.`, and with `..` worked out as far as it goes.
pub fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "." | "" => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    match path.starts_with('/') {
        true => format!("/{joined}"),
        false => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn dots_are_worked_out_as_far_as_they_go() {
        let check = |path: &str, expected: &str| assert_eq!(normal(path), expected, "{path}");
        check("a/./b//c/", "a/b/c");
        check("a/../../b", "../b");
        check("/a/../b", "/b");
        check("a\\b", "a/b");
        check("", "");
    }
}
