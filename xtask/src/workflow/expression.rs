//! The expressions of GitHub Actions (`${{ … }}`): read, checked and evaluated. Pure.
//!
//! The language is that of GitHub's page "Evaluate expressions in workflows and actions": loose
//! comparison, texts that are equal without regard to case, filters with `.*`. A function or a
//! context that GitHub does not know is an error here, as it is there.

mod evaluate;
mod function;
mod parse;
mod template;
mod token;
pub mod value;

use serde_json::Value;

pub use evaluate::{Surroundings, condition, evaluate, render, text};
pub use function::Function;
pub use parse::parse;
pub use template::{Segment, Template};

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The byte of the text at which it is noticed.
    pub offset: usize,
    /// What is wrong, as a fragment.
    pub message: String,
}

impl Problem {
    fn new(offset: usize, message: impl Into<String>) -> Problem {
        Problem {
            offset,
            message: message.into(),
        }
    }

    /// Line and column of the problem in the text that was read, both from 1; columns count
    /// characters.
    pub fn place(&self, text: &str) -> (usize, usize) {
        let before = text.get(..self.offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

/// A part of an expression with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// The byte of the text at which it begins (for operators: where the operator is).
    pub offset: usize,
    /// What it is.
    pub node: Node,
    depth: usize,
}

/// What an expression is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A value written out.
    Literal(Value),
    /// A context such as `github`, in lower case.
    Context(String),
    /// `of.name`.
    Member(Box<Expression>, String),
    /// `of[index]`.
    Index(Box<Expression>, Box<Expression>),
    /// `of.*` or `of[*]`.
    Every(Box<Expression>),
    /// `!of`.
    Not(Box<Expression>),
    /// Two values compared.
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// `a && b && …`: the first that is not true, else the last.
    All(Vec<Expression>),
    /// `a || b || …`: the first that is true, else the last.
    Any(Vec<Expression>),
    /// A function of values.
    Call(Function, Vec<Expression>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`.
    Equal,
    /// `!=`.
    Different,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

/// The contexts that GitHub knows.
pub const CONTEXTS: [&str; 12] = [
    "env", "github", "inputs", "job", "jobs", "matrix", "needs", "runner", "secrets", "steps",
    "strategy", "vars",
];

/// So deep may parts of an expression hold each other, as at GitHub.
const DEEPEST: usize = 50;

/// So long may an expression be, as at GitHub.
const LONGEST: usize = 21_000;

impl Expression {
    fn new(offset: usize, node: Node) -> Result<Expression, Problem> {
        let mut depth = 0;
        node.each_part(&mut |part| depth = depth.max(part.depth));
        if depth >= DEEPEST {
            let message = format!("nested deeper than {DEEPEST} levels");
            return Err(Problem::new(offset, message));
        }
        let depth = depth + 1;
        Ok(Expression {
            offset,
            node,
            depth,
        })
    }

    /// Calls `see` with this expression and every part of it.
    pub fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Expression)) {
        see(self);
        self.node.each_part(&mut |part| part.visit(see));
    }

    /// Whether it asks how the job went, with `always()` and its like; a condition that does
    /// not has `success() &&` before it.
    pub fn asks_status(&self) -> bool {
        let mut asks = false;
        self.visit(&mut |part| {
            asks |= matches!(&part.node, Node::Call(function, _) if function.is_status());
        });
        asks
    }

    /// The value it reads as a dotted path in lower case, `github.event.issue.title`, when it is
    /// nothing but a path. `*` stands for every member and for an index that is computed.
    pub fn path(&self) -> Option<String> {
        match &self.node {
            Node::Context(name) => Some(name.clone()),
            Node::Member(of, name) => Some(format!("{}.{}", of.path()?, name.to_lowercase())),
            Node::Every(of) => Some(format!("{}.*", of.path()?)),
            Node::Index(of, index) => match &index.node {
                Node::Literal(Value::String(name)) => {
                    Some(format!("{}.{}", of.path()?, name.to_lowercase()))
                }
                _ => Some(format!("{}.*", of.path()?)),
            },
            _ => None,
        }
    }

    /// Every path that is read anywhere in it, each as long as it is written.
    pub fn paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        self.collect_paths(&mut found);
        found
    }

    fn collect_paths(&self, found: &mut Vec<(usize, String)>) {
        let Some(path) = self.path() else {
            return self.node.each_part(&mut |part| part.collect_paths(found));
        };
        found.push((self.start(), path));
        self.collect_indexes(found);
    }

    /// What is read within the brackets of a path.
    fn collect_indexes(&self, found: &mut Vec<(usize, String)>) {
        match &self.node {
            Node::Member(of, _) | Node::Every(of) => of.collect_indexes(found),
            Node::Index(of, index) => {
                of.collect_indexes(found);
                index.collect_paths(found);
            }
            _ => {}
        }
    }

    /// Where the first part of a path is.
    fn start(&self) -> usize {
        match &self.node {
            Node::Member(of, _) | Node::Every(of) | Node::Index(of, _) => of.start(),
            _ => self.offset,
        }
    }
}

impl Node {
    fn each_part<'a>(&'a self, see: &mut dyn FnMut(&'a Expression)) {
        match self {
            Node::Literal(_) | Node::Context(_) => {}
            Node::Member(of, _) | Node::Every(of) | Node::Not(of) => see(of),
            Node::Index(of, index) => {
                see(of);
                see(index);
            }
            Node::Compare(_, left, right) => {
                see(left);
                see(right);
            }
            Node::All(parts) | Node::Any(parts) | Node::Call(_, parts) => {
                parts.iter().for_each(see);
            }
        }
    }
}

#[cfg(test)]
mod tests;
