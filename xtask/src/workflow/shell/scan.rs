//! The scanner behind [`super::commands`]: one pass over the text, without recursion on the
//! stack for nested groups; substitutions are put aside and scanned afterwards.

use super::{Command, Joint, Word};

/// How deep substitutions are looked into.
const DEEPEST: usize = 8;

pub(super) fn commands(script: &str) -> Vec<Command> {
    scan(script, 0, 0)
}

fn scan(script: &str, base: usize, depth: usize) -> Vec<Command> {
    let mut scanner = Scanner {
        text: script,
        at: 0,
        base,
        depth,
        found: Vec::new(),
        current: empty(Joint::Next),
        heredocs: Vec::new(),
        inner: Vec::new(),
        opens: false,
    };
    scanner.run();
    scanner.found
}

fn empty(before: Joint) -> Command {
    Command {
        assignments: Vec::new(),
        words: Vec::new(),
        outputs: Vec::new(),
        before,
        after: Joint::Next,
        depth: 0,
        opens: false,
        tested: false,
    }
}

struct Scanner<'text> {
    text: &'text str,
    at: usize,
    base: usize,
    depth: usize,
    found: Vec<Command>,
    current: Command,
    heredocs: Vec<(String, bool)>,
    /// Substitutions in the current command: text and where it begins.
    inner: Vec<(&'text str, usize)>,
    opens: bool,
}

impl<'text> Scanner<'text> {
    fn rest(&self) -> &'text str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn run(&mut self) {
        while let Some(c) = self.peek() {
            let rest = self.rest();
            match c {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if rest.starts_with("\\\n") => self.at += 2,
                '\\' if rest.starts_with("\\\r\n") => self.at += 3,
                '#' => self.at += rest.find('\n').unwrap_or(rest.len()),
                '\n' => {
                    self.end(Joint::Next, 1);
                    self.skip_heredocs();
                }
                ';' => self.end(Joint::Next, if rest.starts_with(";;") { 2 } else { 1 }),
                '&' if rest.starts_with("&&") => self.end(Joint::And, 2),
                '&' if rest.starts_with("&>") => self.redirection(),
                '&' => self.end(Joint::Background, 1),
                '|' if rest.starts_with("||") => self.end(Joint::Or, 2),
                '|' if rest.starts_with("|&") => self.end(Joint::Pipe, 2),
                '|' => self.end(Joint::Pipe, 1),
                '(' if rest.starts_with("((") => self.at += balanced(rest, '(', ')'),
                '(' => self.open(),
                ')' => self.close(),
                '<' | '>' => self.redirection(),
                _ => self.word(),
            }
        }
        self.end(Joint::Next, 0);
    }

    /// `(`: a group, or the parentheses of a function's name.
    fn open(&mut self) {
        let is_function = self.current.words.len() == 1 && self.rest().starts_with("()");
        self.at += 1;
        if is_function {
            self.at += 1;
            self.current = empty(Joint::Next);
            return;
        }
        self.end(self.current.before, 0);
        self.depth += 1;
        self.opens = true;
    }

    /// `)`: ends a group or a pattern of `case`, whose words are no command.
    fn close(&mut self) {
        if self.depth == 0 || (self.current.words.len() == 1 && self.is_pattern()) {
            self.current = empty(Joint::Next);
            self.at += 1;
            return;
        }
        self.end(Joint::Close, 1);
        self.depth = self.depth.saturating_sub(1);
    }

    fn is_pattern(&self) -> bool {
        let line = self.text[..self.at].rsplit('\n').next().unwrap_or_default();
        !line.contains('(')
    }

    fn end(&mut self, joint: Joint, length: usize) {
        self.at += length;
        let mut command = std::mem::replace(&mut self.current, empty(joint));
        command.after = joint;
        if command.words.is_empty() && command.assignments.is_empty() {
            // Behind `||` and a line break the next line goes on.
            let goes_on = matches!(command.before, Joint::Or | Joint::And | Joint::Pipe);
            if joint == Joint::Next && goes_on {
                self.current.before = command.before;
            }
            self.current.tested |= command.tested;
        } else {
            command.depth = self.depth;
            command.opens = std::mem::take(&mut self.opens);
            self.found.push(command);
        }
        for (text, offset) in std::mem::take(&mut self.inner) {
            if self.depth < DEEPEST {
                self.found.extend(scan(text, offset, self.depth + 1));
            }
        }
    }

    fn redirection(&mut self) {
        let rest = self.rest();
        if let Some(behind) = rest.strip_prefix("<<")
            && !behind.starts_with('<')
        {
            let (dash, skip) = if behind.starts_with('-') {
                (true, 3)
            } else {
                (false, 2)
            };
            self.at += skip;
            self.blanks();
            let word = self.read_word();
            self.heredocs.push((word.text, dash));
            return;
        }
        let operator = rest.len() - rest.trim_start_matches(['<', '>', '&', '|']).len();
        let is_output = rest[..operator].contains('>');
        self.at += operator.max(1);
        self.blanks();
        if self.rest().starts_with('(') {
            // `<(command)`
            let length = balanced(self.rest(), '(', ')');
            self.put_aside(self.at + 1, length);
            self.at += length;
            return;
        }
        if self.peek().is_none_or(|c| c == '\n') {
            return;
        }
        let word = self.read_word();
        let is_number = word.text.chars().all(|c| c.is_ascii_digit() || c == '-');
        if is_output && !is_number {
            self.current.outputs.push(word);
        }
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn skip_heredocs(&mut self) {
        for (end, dash) in std::mem::take(&mut self.heredocs) {
            while self.at < self.text.len() {
                let rest = self.rest();
                let line = rest.split('\n').next().unwrap_or_default();
                self.at += (line.len() + 1).min(rest.len());
                let line = line.trim_end_matches('\r');
                let line = if dash {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if line == end {
                    break;
                }
            }
        }
    }

    fn word(&mut self) {
        let word = self.read_word();
        let rest = self.rest();
        let is_descriptor = !word.text.is_empty() && word.text.chars().all(|c| c.is_ascii_digit());
        if is_descriptor && rest.starts_with(['<', '>']) {
            return;
        }
        if !self.current.words.is_empty() {
            let first = self.current.words[0].text.as_str();
            let is_end = word.text == "}" && self.current.words.is_empty();
            if !is_end && !matches!(first, "for" | "case" | "select") {
                self.current.words.push(word);
                return;
            }
            // `for x in a b` and `case x in` run nothing.
            if first == "case" && word.text == "in" {
                self.current = empty(Joint::Next);
            }
            return;
        }
        match word.text.as_str() {
            "if" | "elif" | "while" | "until" | "!" => self.current.tested = true,
            "then" | "else" | "do" | "fi" | "done" | "esac" | "function" => {
                self.current.tested = false;
            }
            "{" => {
                self.depth += 1;
                self.opens = true;
            }
            "}" => self.depth = self.depth.saturating_sub(1),
            _ if self.current.words.is_empty() && is_assignment(&word.text) => {
                self.current.assignments.push(word);
            }
            "for" | "case" | "select" => self.loop_head(&word.text),
            _ => self.current.words.push(word),
        }
    }

    /// Passes over `for x in a b` up to its `;` or line break, and over `case x in`.
    fn loop_head(&mut self, keyword: &str) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' => self.blanks(),
                '\n' | ';' | '|' | '&' | '(' | ')' | '<' | '>' => {
                    if c == '(' && self.rest().starts_with("((") {
                        self.at += balanced(self.rest(), '(', ')');
                        continue;
                    }
                    return;
                }
                _ => {
                    let word = self.read_word();
                    if keyword == "case" && word.text == "in" {
                        return;
                    }
                }
            }
        }
    }

    fn put_aside(&mut self, start: usize, length: usize) {
        let end = (start + length.saturating_sub(2)).min(self.text.len());
        if let Some(text) = self.text.get(start..end) {
            self.inner.push((text, self.base + start));
        }
    }

    /// Reads one word. At least one character is taken, so that the scan always goes on.
    fn read_word(&mut self) -> Word {
        let start = self.at;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            let rest = self.rest();
            match c {
                _ if rest.starts_with("${{") => {
                    let length = rest.find("}}").map_or(rest.len(), |end| end + 2);
                    self.take(length, &mut text);
                }
                ' ' | '\t' | '\n' | '\r' | ';' | '&' | '|' | '<' | '>' | ')' => break,
                '(' if text.is_empty() || !text.ends_with('=') => break,
                '(' => {
                    let length = balanced(rest, '(', ')');
                    self.take(length, &mut text);
                }
                '\\' => {
                    let length = rest.chars().take(2).map(char::len_utf8).sum::<usize>();
                    if !rest.starts_with("\\\n") {
                        text.push_str(&rest[1..length]);
                    }
                    self.at += length;
                }
                '\'' => {
                    let end = rest[1..].find('\'').map_or(rest.len(), |end| end + 2);
                    text.push_str(rest[1..end].trim_end_matches('\''));
                    self.at += end;
                }
                '"' => self.double_quoted(&mut text),
                '$' | '`' => self.expansion(&mut text),
                _ => self.take(c.len_utf8(), &mut text),
            }
        }
        if self.at == start
            && let Some(c) = self.peek()
        {
            self.take(c.len_utf8(), &mut text);
        }
        Word {
            text,
            offset: self.base + start,
        }
    }

    fn take(&mut self, length: usize, text: &mut String) {
        text.push_str(&self.rest()[..length]);
        self.at += length;
    }

    fn double_quoted(&mut self, text: &mut String) {
        self.at += 1;
        while let Some(c) = self.peek() {
            let rest = self.rest();
            match c {
                '"' => {
                    self.at += 1;
                    return;
                }
                _ if rest.starts_with("${{") => {
                    let length = rest.find("}}").map_or(rest.len(), |end| end + 2);
                    self.take(length, text);
                }
                '\\' => {
                    let length = rest.chars().take(2).map(char::len_utf8).sum::<usize>();
                    let escaped = rest[1..length].chars().next();
                    match escaped {
                        Some('\n') => {}
                        Some('"' | '\\' | '$' | '`') => text.push_str(&rest[1..length]),
                        _ => text.push_str(&rest[..length]),
                    }
                    self.at += length;
                }
                '$' | '`' => self.expansion(text),
                _ => self.take(c.len_utf8(), text),
            }
        }
    }

    /// `$x`, `${x}`, `$(command)`, `` `command` ``, `$((1))`: kept as they are written.
    fn expansion(&mut self, text: &mut String) {
        let rest = self.rest();
        let length = if rest.starts_with("${{") {
            rest.find("}}").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("$((") {
            1 + balanced(&rest[1..], '(', ')')
        } else if rest.starts_with("$(") {
            let length = balanced(&rest[1..], '(', ')');
            self.put_aside(self.at + 2, length);
            1 + length
        } else if rest.starts_with("${") {
            1 + balanced(&rest[1..], '{', '}')
        } else if let Some(behind) = rest.strip_prefix('`') {
            let length = behind.find('`').map_or(rest.len(), |end| end + 2);
            self.put_aside(self.at + 1, length);
            length
        } else {
            1
        };
        self.take(length, text);
    }
}

fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else {
        return false;
    };
    let name = name.strip_suffix('+').unwrap_or(name);
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first)
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_[]".contains(c))
}

/// The length of a text that begins with `open` up to the `close` that belongs to it; quotes
/// are passed over.
fn balanced(text: &str, open: char, close: char) -> usize {
    let mut depth = 0usize;
    let mut quote = None;
    let mut escaped = false;
    for (offset, c) in text.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match (quote, c) {
            (None | Some('"'), '\\') => escaped = true,
            (Some(mark), _) if mark == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, _) if c == open => depth += 1,
            (None, _) if c == close => {
                depth -= 1;
                if depth == 0 {
                    return offset + c.len_utf8();
                }
            }
            (None, _) => {}
        }
    }
    text.len()
}
