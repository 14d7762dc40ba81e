//! Python as far as it can be read without parsing it: logical lines without comments and
//! docstrings, and what is imported and bound in them.

use std::collections::HashSet;

/// A logical line: what brackets and backslashes join is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it begins, counted from 1.
    pub number: usize,
    /// The spaces in front of it.
    pub indent: usize,
    /// Its code; comments are left out, long strings are empty.
    pub code: String,
}

/// One imported module, at the top of a file where nothing guards it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The line.
    pub line: usize,
    /// How many dots stand in front of it.
    pub level: usize,
    /// The dotted name, empty for `from . import x`.
    pub module: String,
    /// The names behind `import`, for `from`.
    pub names: Vec<String>,
}

/// A Python file.
#[derive(Debug)]
pub struct Python<'text> {
    /// Its path.
    pub path: &'text str,
    /// Its text.
    pub text: &'text str,
    /// Its logical lines.
    pub lines: Vec<Line>,
}

impl<'text> Python<'text> {
    /// Reads a file.
    pub fn read(path: &'text str, text: &'text str) -> Python<'text> {
        Python {
            path,
            text,
            lines: lines(text),
        }
    }

    /// What importing this file imports in any case: the statements without indentation.
    pub fn imports(&self) -> Vec<Import> {
        let top = self.lines.iter().filter(|line| line.indent == 0);
        top.flat_map(imports_of).collect()
    }

    /// Every name that a statement anywhere in the file may bind; more than there are, rather.
    pub fn bound(&self) -> HashSet<&str> {
        let mut names = HashSet::new();
        for line in &self.lines {
            let code = line.code.as_str();
            let first = code.split(' ').next().unwrap_or_default();
            match first {
                "def" | "class" | "async" | "from" | "import" | "global" | "for" | "with"
                | "type" | "except" => names.extend(words(code)),
                _ => {
                    if let Some((target, _)) = code.split_once('=') {
                        names.extend(words(target));
                    }
                    if let Some((target, _)) = code.split_once(':') {
                        names.extend(words(target));
                    }
                }
            }
        }
        names
    }

    /// Whether names can come from where reading does not see them.
    pub fn is_dynamic(&self) -> bool {
        self.lines.iter().any(|line| {
            line.code.contains("import *")
                || line.code.contains("__getattr__")
                || line.code.contains("globals()")
                || line.code.contains("setattr(")
        })
    }
}

/// The identifiers in a piece of code.
pub fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

fn imports_of(line: &Line) -> Vec<Import> {
    let import = |level, module: &str, names| Import {
        line: line.number,
        level,
        module: module.to_owned(),
        names,
    };
    let code = line.code.split(';').next().unwrap_or_default().trim();
    let plain = |part: &str| {
        let part = part.trim().trim_matches(['(', ')']).trim();
        part.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    if let Some(rest) = code.strip_prefix("import ") {
        let modules = rest.split(',').map(plain).filter(|name| !name.is_empty());
        return modules.map(|name| import(0, &name, Vec::new())).collect();
    }
    let Some((module, names)) = code
        .strip_prefix("from ")
        .and_then(|rest| rest.split_once(" import"))
    else {
        return Vec::new();
    };
    let module = module.trim();
    let level = module.len() - module.trim_start_matches('.').len();
    let names = names.split(',').map(plain).filter(|name| !name.is_empty());
    vec![import(level, module[level..].trim(), names.collect())]
}

fn lines(text: &str) -> Vec<Line> {
    let mut reading = Reading {
        bytes: text.as_bytes(),
        text,
        at: 0,
        number: 1,
        depth: 0,
        lines: Vec::new(),
        open: None,
    };
    while reading.at < reading.bytes.len() {
        reading.step();
    }
    reading.close();
    reading.lines
}

struct Reading<'text> {
    bytes: &'text [u8],
    text: &'text str,
    at: usize,
    number: usize,
    depth: usize,
    lines: Vec<Line>,
    open: Option<Line>,
}

impl Reading<'_> {
    fn step(&mut self) {
        let start = self.at;
        match self.bytes[start] {
            b'\n' => {
                self.at += 1;
                self.number += 1;
                match self.depth {
                    0 => self.close(),
                    _ => self.push(" "),
                }
            }
            b'#' => {
                let rest = &self.bytes[start..];
                self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            }
            b'\\' => {
                self.at += 1;
                let rest = &self.bytes[self.at..];
                if rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
                    self.at += 1 + usize::from(rest[0] == b'\r');
                    self.number += 1;
                    self.push(" ");
                }
            }
            quote @ (b'"' | b'\'') => self.string(quote),
            b' ' | b'\t' | b'\r' => {
                self.at += 1;
                if self
                    .open
                    .as_ref()
                    .is_some_and(|open| !open.code.ends_with(' '))
                {
                    self.push(" ");
                }
            }
            _ => self.run(),
        }
    }

    /// Takes everything up to the next byte that means something. The searches are those of a
    /// library, as whole repositories go through here.
    fn run(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start..];
        let line = memchr::memchr3(b'\n', b'"', b'\'', rest).unwrap_or(rest.len());
        let length = memchr::memchr2(b'#', b'\\', &rest[..line]).unwrap_or(line);
        let piece = &rest[..length];
        let opened = memchr::memchr3_iter(b'(', b'[', b'{', piece).count();
        let closed = memchr::memchr3_iter(b')', b']', b'}', piece).count();
        self.depth = (self.depth + opened).saturating_sub(closed);
        self.at += length.max(1);
        self.push(&self.text[start..self.at]);
    }

    fn string(&mut self, quote: u8) {
        let start = self.at;
        let (number, rest) = (self.number, &self.bytes[start..]);
        let triple = rest.len() >= 3 && rest[1] == quote && rest[2] == quote;
        let mut at = if triple { 3 } else { 1 };
        while at < rest.len() {
            match rest[at] {
                b'\\' => {
                    self.number += usize::from(rest.get(at + 1) == Some(&b'\n'));
                    at += 1;
                }
                b'\n' if !triple => break,
                b'\n' => self.number += 1,
                byte if byte == quote && !triple => {
                    at += 1;
                    break;
                }
                byte if byte == quote && rest[at..].starts_with(&[quote; 3]) => {
                    at += 3;
                    break;
                }
                _ => {}
            }
            at += 1;
        }
        self.at = (start + at).min(self.bytes.len());
        if self.open.is_none() {
            let indent = self.indent(start);
            self.open = Some(Line {
                number,
                indent,
                code: String::new(),
            });
        }
        match triple {
            true => self.push("\"\""),
            false => self.push(self.text.get(start..self.at).unwrap_or("\"\"")),
        }
    }

    fn push(&mut self, piece: &str) {
        if self.open.is_none() {
            let indent = self.indent(self.at - piece.len());
            self.open = Some(Line {
                number: self.number,
                indent,
                code: String::new(),
            });
        }
        if let Some(open) = &mut self.open
            && !(piece == " " && open.code.ends_with(' '))
        {
            open.code.push_str(piece);
        }
    }

    fn indent(&self, start: usize) -> usize {
        let before = &self.bytes[..start];
        before.len() - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1)
    }

    fn close(&mut self) {
        if let Some(mut line) = self.open.take() {
            line.code.truncate(line.code.trim_end().len());
            if !line.code.is_empty() && line.code != "\"\"" {
                self.lines.push(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_strings_and_comments_are_no_code() {
        let text = "\"\"\"import a\nimport b\n\"\"\"\nx = (1, # no\n  \"#(\")\n  y = 'it\\'s' \\\r\n    + 2\n";
        let found: Vec<(usize, usize, String)> = lines(text)
            .into_iter()
            .map(|line| (line.number, line.indent, line.code))
            .collect();
        let expected = [(4, 0, "x = (1, \"#(\")"), (6, 2, "y = 'it\\'s' + 2")];
        let expected = expected.map(|(number, indent, code)| (number, indent, code.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn only_unguarded_imports_count() {
        let text = "import a.b as c, d\nfrom .x import (\n  y as z,\n  w,\n)\nfrom . import q\ntry:\n    import e\nexcept ImportError:\n    e = None\n";
        let python = Python::read("p", text);
        let found: Vec<String> = python
            .imports()
            .iter()
            .map(|one| format!("{} {} {} {:?}", one.line, one.level, one.module, one.names))
            .collect();
        let expected = [
            "1 0 a.b []",
            "1 0 d []",
            "2 1 x [\"y\", \"w\"]",
            "6 1  [\"q\"]",
        ];
        assert_eq!(found, expected);
        assert!(python.bound().contains("e") && python.bound().contains("z"));
    }

    #[test]
    fn broken_python_ends() {
        for text in ["'", "\"\"\"", "(((", "\\", "'\\", "é'é", "x = '''\n\\"] {
            assert!(lines(text).len() < 3, "{text}");
        }
    }
}
