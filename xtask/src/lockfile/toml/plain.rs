//! Reads the plain TOML that tools write into lock files, several times faster than the library.
//! Pure.
//!
//! Everything that is read here is TOML, and read as the library reads it; not everything that is
//! TOML is read. Whatever is out of the ordinary (dotted keys, texts over several lines, rare
//! escapes, numbers other than plain ones, a table declared out of order) gives `None`, and so
//! does whatever is wrong: then the library decides, and words the error.

use std::borrow::Cow;

use super::table::{Item, Table, Value};

/// How deep lists and tables may lie in each other; real lock files have three levels.
const DEEPEST: usize = 8;
/// The longest integers; all of this length fit into 64 bits.
const MOST_DIGITS: usize = 18;

/// The whole text, if it is plain.
pub fn read(text: &str) -> Option<Table<'_>> {
    let mut reader = Reader { text, at: 0 };
    let mut top = Table::default();
    let mut current = &mut top;
    loop {
        reader.gaps()?;
        match reader.peek() {
            None => return Some(top),
            Some(b'[') => current = reader.header(&mut top)?,
            Some(_) => {
                let (key, value) = reader.entry(0)?;
                current.insert(key, value)?;
            }
        }
        reader.end_of_line()?;
    }
}

struct Reader<'text> {
    text: &'text str,
    /// The next byte.
    at: usize,
}

impl<'text> Reader<'text> {
    fn rest(&self) -> &'text [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Goes past these bytes, if they are next.
    fn take(&mut self, bytes: &[u8]) -> Option<()> {
        self.rest()
            .starts_with(bytes)
            .then(|| self.at += bytes.len())
    }

    /// The bytes until the first that does not fit; they may be none, and end within a character
    /// only when a byte of it does not fit.
    fn run(&mut self, fits: impl Fn(u8) -> bool) -> Option<&'text str> {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| !fits(byte));
        let start = self.at;
        self.at += length.unwrap_or(rest.len());
        self.text.get(start..self.at)
    }

    fn spaces(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn newline(&mut self) -> Option<()> {
        self.take(b"\n").or_else(|| self.take(b"\r\n"))
    }

    fn comment(&mut self) -> Option<()> {
        self.take(b"#")?;
        self.run(is_printable).map(drop)
    }

    /// Goes past white space, comments and newlines.
    fn gaps(&mut self) -> Option<()> {
        loop {
            self.spaces();
            if self.newline().or_else(|| self.comment()).is_none() {
                return Some(());
            }
        }
    }

    fn end_of_line(&mut self) -> Option<()> {
        self.spaces();
        if self.peek() == Some(b'#') {
            self.comment()?;
        }
        match self.peek() {
            None => Some(()),
            Some(_) => self.newline(),
        }
    }

    /// `[a.b]` or `[[a.b]]`: makes the table, and the ones that its name implies.
    fn header<'top>(&mut self, top: &'top mut Table<'text>) -> Option<&'top mut Table<'text>> {
        let start = self.at;
        self.take(b"[")?;
        let is_one_of_several = self.take(b"[").is_some();
        let mut table = top;
        for _ in 0..DEEPEST {
            self.spaces();
            let at = self.at;
            let key = self.key()?;
            self.spaces();
            if self.take(b".").is_some() {
                table = table.descend(key, at)?;
            } else if is_one_of_several {
                self.take(b"]]")?;
                return table.add_section(key, start);
            } else {
                self.take(b"]")?;
                return table.section(key, start);
            }
        }
        None
    }

    fn entry(&mut self, depth: usize) -> Option<(Cow<'text, str>, Value<'text>)> {
        let key = self.key()?;
        self.spaces();
        self.take(b"=")?;
        self.spaces();
        Some((key, self.value(depth)?))
    }

    fn key(&mut self) -> Option<Cow<'text, str>> {
        if self.peek() == Some(b'"') {
            return self.text();
        }
        let key = self.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))?;
        (!key.is_empty()).then_some(Cow::Borrowed(key))
    }

    fn value(&mut self, depth: usize) -> Option<Value<'text>> {
        let start = self.at;
        let item = match self.peek()? {
            b'"' => Item::Text(self.text()?),
            b'\'' => Item::Text(Cow::Borrowed(self.literal()?)),
            b'[' if depth < DEEPEST => Item::List(self.list(depth)?),
            b'{' if depth < DEEPEST => Item::Table(self.table(depth)?),
            _ => self.word()?,
        };
        Some(Value::new(start, item))
    }

    /// `"…"` with no escapes but those of the quote and the backslash.
    fn text(&mut self) -> Option<Cow<'text, str>> {
        let is_plain = |byte| is_printable(byte) && !matches!(byte, b'"' | b'\\');
        self.take(b"\"")?;
        let first = self.run(is_plain)?;
        if self.take(b"\"").is_some() {
            let is_of_several_lines = first.is_empty() && self.peek() == Some(b'"');
            return (!is_of_several_lines).then_some(Cow::Borrowed(first));
        }
        let mut text = first.to_owned();
        while self.take(b"\\").is_some() {
            let escaped = self.peek().filter(|byte| matches!(byte, b'"' | b'\\'))?;
            self.at += 1;
            text.push(char::from(escaped));
            text.push_str(self.run(is_plain)?);
        }
        self.take(b"\"")?;
        Some(Cow::Owned(text))
    }

    /// `'…'`, in which nothing is escaped.
    fn literal(&mut self) -> Option<&'text str> {
        self.take(b"'")?;
        let text = self.run(|byte| is_printable(byte) && byte != b'\'')?;
        self.take(b"'")?;
        let is_of_several_lines = text.is_empty() && self.peek() == Some(b'\'');
        (!is_of_several_lines).then_some(text)
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Value<'text>>> {
        let mut list = Vec::new();
        self.take(b"[")?;
        loop {
            self.gaps()?;
            if self.take(b"]").is_some() {
                return Some(list);
            }
            list.push(self.value(depth + 1)?);
            self.gaps()?;
            if self.take(b",").is_none() {
                self.take(b"]")?;
                return Some(list);
            }
        }
    }

    fn table(&mut self, depth: usize) -> Option<Table<'text>> {
        let mut table = Table::default();
        self.take(b"{")?;
        self.spaces();
        if self.take(b"}").is_some() {
            return Some(table);
        }
        loop {
            self.spaces();
            let (key, value) = self.entry(depth + 1)?;
            table.insert(key, value)?;
            self.spaces();
            if self.take(b",").is_none() {
                self.take(b"}")?;
                return Some(table);
            }
        }
    }

    /// A truth value or an integer. What follows it is for the caller to like.
    fn word(&mut self) -> Option<Item<'text>> {
        let is_of_word = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b',' | b']' | b'}');
        match self.run(is_of_word)? {
            "true" => Some(Item::Truth(true)),
            "false" => Some(Item::Truth(false)),
            digits => {
                let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit())
                    && (1..=MOST_DIGITS).contains(&digits.len())
                    && (digits.len() == 1 || !digits.starts_with('0'));
                is_plain.then_some(Item::Integer(Cow::Borrowed(digits)))
            }
        }
    }
}

/// Whether a text or a comment may hold this byte as it is: no control character but the tab.
/// Every byte of a character beyond ASCII is.
fn is_printable(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}
