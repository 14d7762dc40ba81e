//! Where strings stand in JSON, also in JSON with comments and trailing commas. Pure.
//!
//! It only says at which bytes the string of a path stands, so that nothing else of the text is
//! touched when it is replaced.

use std::ops::Range;

/// Deeper nesting is no file of a package manager.
const DEEPEST: usize = 200;

/// What keeps a text from being read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The byte at which it was noticed.
    pub offset: usize,
    /// What is wrong.
    pub what: String,
}

/// A value at a wanted path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A string: the bytes between its quotes.
    Text(Range<usize>),
    /// Something else.
    Other,
}

/// Looks for the values at these paths of keys; one for each, in their order.
///
/// # Errors
/// The text is no JSON object, or a wanted key is there twice.
pub fn find(text: &str, wanted: &[&[&str]]) -> Result<Vec<Option<Found>>, Damage> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: text.len() - text.trim_start_matches('\u{feff}').len(),
        wanted,
        found: vec![None; wanted.len()],
    };
    reader.space()?;
    if reader.peek() != Some(b'{') {
        return reader.damage("not a JSON object");
    }
    let all: Vec<usize> = (0..wanted.len()).collect();
    reader.object(0, &all)?;
    reader.space()?;
    match reader.peek() {
        None => Ok(reader.found),
        Some(_) => reader.damage("text behind the object"),
    }
}

struct Reader<'text> {
    text: &'text str,
    bytes: &'text [u8],
    at: usize,
    wanted: &'text [&'text [&'text str]],
    found: Vec<Option<Found>>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn damage<T>(&self, what: &str) -> Result<T, Damage> {
        Err(Damage {
            offset: self.at.min(self.text.len()),
            what: what.to_owned(),
        })
    }

    /// Skips white space and comments.
    fn space(&mut self) -> Result<(), Damage> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            match rest {
                [b' ' | b'\t' | b'\r' | b'\n', ..] => self.at += 1,
                [b'/', b'/', ..] => {
                    let end = rest.iter().position(|byte| *byte == b'\n');
                    self.at += end.unwrap_or(rest.len());
                }
                [b'/', b'*', inside @ ..] => match inside.windows(2).position(|two| two == b"*/") {
                    Some(end) => self.at += end + 4,
                    None => return self.damage("a comment without an end"),
                },
                _ => return Ok(()),
            }
        }
    }

    /// Reads a string and gives the bytes between its quotes.
    fn string(&mut self) -> Result<Range<usize>, Damage> {
        if self.peek() != Some(b'"') {
            return self.damage("a string in double quotes is expected");
        }
        let start = self.at + 1;
        self.at = start;
        loop {
            match self.peek() {
                None => return self.damage("a string without an end"),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(start..self.at - 1);
                }
                Some(b'\\') => self.at += 2,
                Some(0..=0x1f) => return self.damage("a control character in a string"),
                Some(_) => self.at += 1,
            }
        }
    }

    /// Reads an object; `open` are the wanted paths that lead into it.
    fn object(&mut self, depth: usize, open: &[usize]) -> Result<(), Damage> {
        self.at += 1;
        loop {
            self.space()?;
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(());
            }
            let range = self.string()?;
            let key = self.unescaped(range)?;
            self.space()?;
            if self.peek() != Some(b':') {
                return self.damage("a colon is expected");
            }
            self.at += 1;
            self.space()?;
            let leads = |index: &&usize| self.wanted[**index].get(depth) == Some(&key.as_str());
            let inner: Vec<usize> = open.iter().filter(leads).copied().collect();
            self.value(depth + 1, &inner)?;
            self.separator(b'}')?;
        }
    }

    fn unescaped(&self, range: Range<usize>) -> Result<String, Damage> {
        let raw = self.text.get(range.clone()).unwrap_or_default();
        if !raw.contains('\\') {
            return Ok(raw.to_owned());
        }
        serde_json::from_str(&format!("\"{raw}\"")).map_err(|_| Damage {
            offset: range.start,
            what: "a string with an escape that JSON does not have".to_owned(),
        })
    }

    /// A comma, or the end of what it stands in.
    fn separator(&mut self, end: u8) -> Result<(), Damage> {
        self.space()?;
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(())
            }
            Some(other) if other == end => Ok(()),
            _ => self.damage("a comma or the end is expected"),
        }
    }

    fn value(&mut self, depth: usize, open: &[usize]) -> Result<(), Damage> {
        if depth > DEEPEST {
            return self.damage("nested too deeply");
        }
        let ending = open
            .iter()
            .filter(|index| self.wanted[**index].len() == depth);
        let ending: Vec<usize> = ending.copied().collect();
        if ending.iter().any(|index| self.found[*index].is_some()) {
            return self.damage("the key is there twice");
        }
        let found = match self.peek() {
            Some(b'"') => Found::Text(self.string()?),
            Some(b'{') => {
                self.object(depth, open)?;
                Found::Other
            }
            Some(b'[') => {
                self.at += 1;
                self.list(depth)?;
                Found::Other
            }
            _ => {
                self.word()?;
                Found::Other
            }
        };
        for index in ending {
            self.found[index] = Some(found.clone());
        }
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<(), Damage> {
        loop {
            self.space()?;
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(());
            }
            self.value(depth + 1, &[])?;
            self.separator(b']')?;
        }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<(), Damage> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = rest.iter().take_while(|byte| plain(byte)).count();
        let word = self.text.get(self.at..self.at + length).unwrap_or_default();
        match serde_json::from_str::<serde_json::Value>(word) {
            Ok(_) => {
                self.at += length;
                Ok(())
            }
            Err(_) => self.damage("a value is expected"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let found = find(text, &[&["a", "b"]]);
        let found = match &found {
            Ok(found) => match &found[0] {
                Some(Found::Text(range)) => Ok(&text[range.clone()]),
                Some(Found::Other) => Ok("other"),
                None => Ok("nothing"),
            },
            Err(damage) => Err(damage.what.as_str()),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn strings_are_found_by_their_path() {
        check(r#"{"a":{"b":"x"}}"#, Ok("x"));
        check(
            "\u{feff}{ \"b\":\"no\", \"a\" : // c }\n {\"c\":[{\"b\":\"no\"}],\r\n\t\"b\":/*\"*/\"x\",}, }\n",
            Ok("x"),
        );
        check(r#"{"a":{"\u0062":"x\"y"}}"#, Ok("x\\\"y"));
        check(r#"{"a":{"b":1}}"#, Ok("other"));
        check(r#"{"a":{"b":{"b":"no"}}}"#, Ok("other"));
        check(
            r#"{"a":"b","c":{"a":{"b":"no"}},"d":[1,-2.5e3,true,null,],}"#,
            Ok("nothing"),
        );
        check("{}", Ok("nothing"));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        check("", Err("not a JSON object"));
        check("[]", Err("not a JSON object"));
        check("{} x", Err("text behind the object"));
        check("{\"a\"", Err("a colon is expected"));
        check("{\"a\":}", Err("a value is expected"));
        check("{\"a\":1 \"b\":2}", Err("a comma or the end is expected"));
        check("{\"a\":'b'}", Err("a value is expected"));
        check("{/*", Err("a comment without an end"));
        check("{\"a", Err("a string without an end"));
        check("{\"a\\", Err("a string without an end"));
        check("{\"a\n\":1}", Err("a control character in a string"));
        check(
            "{\"\\x\":1}",
            Err("a string with an escape that JSON does not have"),
        );
        check(r#"{"a":{"b":"1","b":"2"}}"#, Err("the key is there twice"));
        check(
            r#"{"a":{"b":"1"},"a":{"b":"2"}}"#,
            Err("the key is there twice"),
        );
        let bomb = format!("{{\"a\":{}", "[".repeat(1_000_000));
        check(&bomb, Err("nested too deeply"));
    }
}
