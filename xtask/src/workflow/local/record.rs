//! The files in which a step leaves values: `NAME=VALUE`, and `NAME<<END` for several lines. Pure.

/// The values in the order they were left.
///
/// # Errors
/// A line that is neither form, or a value without its end.
pub fn read(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut values = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let equals = line.find('=');
        let heredoc = line.find("<<");
        let name = |end: usize| line.get(..end).unwrap_or_default().to_owned();
        let value = |start: usize| line.get(start..).unwrap_or_default();
        let (name, value) = match (equals, heredoc) {
            (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
                (name(equals), value(equals + 1).to_owned())
            }
            (_, Some(heredoc)) => {
                let end = value(heredoc + 2);
                let mut text: Vec<&str> = Vec::new();
                loop {
                    match lines.next() {
                        Some(line) if line == end => break,
                        Some(line) => text.push(line),
                        None => return Err(format!("no line \"{end}\" ends the value of {line}")),
                    }
                }
                (name(heredoc), text.join("\n"))
            }
            _ => return Err(format!("neither NAME=VALUE nor NAME<<END: {line}")),
        };
        if name.is_empty() {
            return Err(format!("a value without a name: {line}"));
        }
        values.push((name, value));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn both_forms_are_read() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let found = read(text).unwrap();
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect();
            assert_eq!(found, expected);
        };
        check("", &[]);
        check("a=1\n\nb=x=y\r\n", &[("a", "1"), ("b", "x=y")]);
        check("a=b<<c\n", &[("a", "b<<c")]);
        check("a<<E\n1\n\n=2\nE\nb=", &[("a", "1\n\n=2"), ("b", "")]);
        check("a<<E=F\nx\nE=F\n", &[("a", "x")]);
        for wrong in ["a", "a<<E\nx", "=1", "<<E\nE"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
