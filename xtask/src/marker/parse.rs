//! Reading a marker's text (PEP 508, section "Environment markers").

use super::{Algebra, Marker, Outcome, Single};
use crate::pep440::Invalid;

/// The variables, longer names before those that begin like them.
const VARIABLES: [&str; 18] = [
    "platform.python_implementation",
    "platform_python_implementation",
    "implementation_version",
    "python_implementation",
    "implementation_name",
    "python_full_version",
    "platform_release",
    "platform_version",
    "platform.version",
    "platform_machine",
    "platform.machine",
    "platform_system",
    "python_version",
    "sys.platform",
    "sys_platform",
    "os_name",
    "os.name",
    "extra",
];

const OPERATORS: [&str; 10] = [
    "===", "==", ">=", "<=", "!=", "~=", ">", "<", "not in", "in",
];

/// Deeper nesting than any tool writes; beyond it a file is hostile.
const DEEPEST: usize = 64;

struct Cursor<'text> {
    whole: &'text str,
    rest: &'text str,
}

impl Algebra {
    /// Reads a marker and simplifies it. Empty text and `*` are always true.
    ///
    /// # Errors
    /// The text is no marker; the message says where.
    pub fn parse(&self, text: &str) -> Outcome<Marker> {
        if text == "<empty>" {
            return Ok(Marker::empty());
        }
        if text.is_empty() || text == "*" {
            return Ok(Marker::any());
        }
        if let Some(known) = self.parsed.borrow().get(text) {
            return Ok(known.clone());
        }
        let mut cursor = Cursor {
            whole: text,
            rest: text,
        };
        let alternatives = cursor.alternatives(0)?;
        cursor.skip_space();
        if !cursor.rest.is_empty() {
            return Err(cursor.wrong("`and`, `or` or the end").into());
        }
        let marker = self.union(&alternatives)?;
        self.parsed
            .borrow_mut()
            .insert(text.to_owned(), marker.clone());
        Ok(marker)
    }
}

impl Algebra {
    /// The marker of one comparison, such as `python_version` with `>= 3.10`.
    ///
    /// # Errors
    /// The condition cannot be read.
    pub fn comparison(&self, name: &str, condition: &str) -> Outcome<Marker> {
        Ok(Marker::from_single(Single::new(name, condition, false)?))
    }
}

impl Cursor<'_> {
    fn wrong(&self, expected: &str) -> Invalid {
        let column = self.whole.len() - self.rest.len() + 1;
        Invalid(format!(
            "invalid marker `{}`: expected {expected} at column {column}",
            self.whole
        ))
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn take(&mut self, word: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The parts between `or`s.
    fn alternatives(&mut self, depth: usize) -> Result<Vec<Marker>, Invalid> {
        if depth > DEEPEST {
            return Err(self.wrong("less nesting"));
        }
        let mut groups = vec![vec![self.atom(depth)?]];
        loop {
            if self.take("and") {
                let atom = self.atom(depth)?;
                groups.last_mut().expect("one was made above").push(atom);
            } else if self.take("or") {
                groups.push(vec![self.atom(depth)?]);
            } else {
                break;
            }
        }
        let join = |mut group: Vec<Marker>| match group.len() {
            1 => group.remove(0),
            _ => Marker::all(group),
        };
        Ok(groups.into_iter().map(join).collect())
    }

    fn atom(&mut self, depth: usize) -> Result<Marker, Invalid> {
        if self.take("(") {
            let inner = self.alternatives(depth + 1)?;
            if !self.take(")") {
                return Err(self.wrong("`)`"));
            }
            return Ok(Marker::one_of(inner));
        }
        let single = if let Some(name) = self.variable() {
            let operator = self.operator()?;
            let value = self.value()?;
            Single::new(name, &format!("{operator} {value}"), false)?
        } else {
            let value = self.value()?;
            let operator = self.operator()?;
            let name = self
                .variable()
                .ok_or_else(|| self.wrong("the name of a variable"))?;
            Single::new(name, &format!("\"{value}\" {operator}"), true)?
        };
        Ok(Marker::from_single(single))
    }

    fn variable(&mut self) -> Option<&'static str> {
        VARIABLES.into_iter().find(|name| self.take(name))
    }

    fn operator(&mut self) -> Result<&'static str, Invalid> {
        OPERATORS
            .into_iter()
            .find(|operator| self.take(operator))
            .ok_or_else(|| self.wrong("an operator"))
    }

    fn value(&mut self) -> Result<String, Invalid> {
        self.skip_space();
        let quote = self.rest.chars().next().unwrap_or(' ');
        let inner = match quote {
            '"' | '\'' => self.rest[1..].split_once(quote),
            _ => None,
        };
        let Some((value, rest)) = inner else {
            return Err(self.wrong("a quoted value"));
        };
        self.rest = rest;
        Ok(value.to_owned())
    }
}
