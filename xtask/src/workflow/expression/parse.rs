//! From words to an expression. Pure.

use serde_json::Value;

use super::function::Function;
use super::token::{Token, split};
use super::{CONTEXTS, Comparison, DEEPEST, Expression, LONGEST, Node, Problem, value};

/// Reads one expression without its `${{ }}`; the offsets in it count from the text's beginning.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(text: &str) -> Result<Expression, Problem> {
    parse_at(text, 0)
}

pub(super) fn parse_at(text: &str, start: usize) -> Result<Expression, Problem> {
    if text.len() > LONGEST {
        let message = format!("longer than {LONGEST} characters");
        return Err(Problem::new(start, message));
    }
    let mut parser = Parser {
        tokens: split(text, start)?,
        next: 0,
        end: start + text.trim_end().len(),
        depth: 0,
    };
    if parser.tokens.is_empty() {
        return Err(Problem::new(start, "an expression without content"));
    }
    let expression = parser.any()?;
    match parser.tokens.get(parser.next) {
        None => Ok(expression),
        Some((offset, token)) => Err(Problem::new(
            *offset,
            format!("unexpected {}", shown(token)),
        )),
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("\"{name}\""),
        Token::Number(number) => format!("{number}"),
        Token::Text(text) => format!("'{}'", crate::printable::plain(text)),
        Token::Sign(sign) => format!("\"{sign}\""),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn place(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.end, |(offset, _)| *offset)
    }

    /// Takes the next word when it is one of these signs.
    fn sign(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        let (_, Token::Sign(sign)) = self.tokens.get(self.next)? else {
            return None;
        };
        let sign = *signs.iter().find(|wanted| *wanted == sign)?;
        self.next += 1;
        Some(sign)
    }

    fn require(&mut self, wanted: &'static str) -> Result<(), Problem> {
        match self.sign(&[wanted]) {
            Some(_) => Ok(()),
            None => Err(self.missing(&format!("\"{wanted}\""))),
        }
    }

    fn missing(&self, what: &str) -> Problem {
        let found = self.tokens.get(self.next).map(|(_, token)| shown(token));
        let found = found.unwrap_or_else(|| "the end".to_owned());
        Problem::new(self.place(), format!("{what} expected, found {found}"))
    }

    fn any(&mut self) -> Result<Expression, Problem> {
        // What is open here holds all that follows; the parser must not go deeper than allowed.
        self.depth += 1;
        if self.depth > DEEPEST {
            let message = format!("nested deeper than {DEEPEST} levels");
            return Err(Problem::new(self.place(), message));
        }
        let parts = self.chain("||", Parser::all)?;
        self.depth -= 1;
        joined(parts, Node::Any)
    }

    fn all(&mut self) -> Result<Expression, Problem> {
        let parts = self.chain("&&", Parser::equality)?;
        joined(parts, Node::All)
    }

    fn chain(
        &mut self,
        sign: &'static str,
        part: fn(&mut Parser) -> Result<Expression, Problem>,
    ) -> Result<Vec<Expression>, Problem> {
        let mut parts = vec![part(self)?];
        while self.sign(&[sign]).is_some() {
            parts.push(part(self)?);
        }
        Ok(parts)
    }

    fn equality(&mut self) -> Result<Expression, Problem> {
        self.compared(&["==", "!="], Parser::relation)
    }

    fn relation(&mut self) -> Result<Expression, Problem> {
        self.compared(&["<", "<=", ">", ">="], Parser::negation)
    }

    fn compared(
        &mut self,
        signs: &[&'static str],
        part: fn(&mut Parser) -> Result<Expression, Problem>,
    ) -> Result<Expression, Problem> {
        let mut left = part(self)?;
        loop {
            let place = self.place();
            let comparison = match self.sign(signs) {
                Some("==") => Comparison::Equal,
                Some("!=") => Comparison::Different,
                Some("<") => Comparison::Less,
                Some("<=") => Comparison::LessOrEqual,
                Some(">") => Comparison::Greater,
                Some(_) => Comparison::GreaterOrEqual,
                None => return Ok(left),
            };
            let right = part(self)?;
            let node = Node::Compare(comparison, Box::new(left), Box::new(right));
            left = Expression::new(place, node)?;
        }
    }

    fn negation(&mut self) -> Result<Expression, Problem> {
        let mut places = Vec::new();
        loop {
            let place = self.place();
            if self.sign(&["!"]).is_none() {
                break;
            }
            places.push(place);
        }
        let mut expression = self.postfix()?;
        for place in places.into_iter().rev() {
            expression = Expression::new(place, Node::Not(Box::new(expression)))?;
        }
        Ok(expression)
    }

    fn postfix(&mut self) -> Result<Expression, Problem> {
        let mut of = self.primary()?;
        loop {
            let place = self.place();
            let node = match self.sign(&[".", "["]) {
                None => return Ok(of),
                Some(".") if self.sign(&["*"]).is_some() => Node::Every(Box::new(of)),
                Some(".") => match self.tokens.get(self.next) {
                    Some((_, Token::Name(name))) => {
                        let name = name.clone();
                        self.next += 1;
                        Node::Member(Box::new(of), name)
                    }
                    _ => return Err(self.missing("a name or *")),
                },
                Some(_) => {
                    let node = if self.sign(&["*"]).is_some() {
                        Node::Every(Box::new(of))
                    } else {
                        Node::Index(Box::new(of), Box::new(self.any()?))
                    };
                    self.require("]")?;
                    node
                }
            };
            of = Expression::new(place, node)?;
        }
    }

    fn primary(&mut self) -> Result<Expression, Problem> {
        let place = self.place();
        if self.sign(&["("]).is_some() {
            let inner = self.any()?;
            self.require(")")?;
            return Ok(inner);
        }
        let token = self.tokens.get(self.next).map(|(_, token)| token.clone());
        let node = match token {
            Some(Token::Number(number)) => Node::Literal(value::of_number(number)),
            Some(Token::Text(text)) => Node::Literal(Value::String(text)),
            Some(Token::Name(name)) => {
                self.next += 1;
                let node = self.named(&name, place)?;
                return Expression::new(place, node);
            }
            _ => return Err(self.missing("a value")),
        };
        self.next += 1;
        Expression::new(place, node)
    }

    fn named(&mut self, name: &str, place: usize) -> Result<Node, Problem> {
        if self.sign(&["("]).is_some() {
            let function = Function::find(name).map_err(|message| Problem::new(place, message))?;
            let mut values = Vec::new();
            if self.sign(&[")"]).is_none() {
                values = self.chain(",", Parser::any)?;
                self.require(")")?;
            }
            let takes = function.takes(values.len());
            takes.map_err(|message| Problem::new(place, message))?;
            return Ok(Node::Call(function, values));
        }
        match name {
            "null" => Ok(Node::Literal(Value::Null)),
            "true" => Ok(Node::Literal(Value::Bool(true))),
            "false" => Ok(Node::Literal(Value::Bool(false))),
            "NaN" | "Infinity" => Ok(Node::Literal(Value::from(name))),
            _ => {
                let context = name.to_ascii_lowercase();
                if CONTEXTS.contains(&context.as_str()) {
                    return Ok(Node::Context(context));
                }
                let near = CONTEXTS
                    .iter()
                    .find(|known| strsim::damerau_levenshtein(known, &context) <= 2);
                let hint = match near {
                    Some(near) => format!("; is {near} meant?"),
                    None => "; a text stands in single quotes".to_owned(),
                };
                let message = format!("there is no context {name}{hint}");
                Err(Problem::new(place, message))
            }
        }
    }
}

fn joined(
    mut parts: Vec<Expression>,
    node: fn(Vec<Expression>) -> Node,
) -> Result<Expression, Problem> {
    match (parts.len(), parts.first().map(|part| part.offset)) {
        (0 | 1, _) | (_, None) => Ok(parts.remove(0)),
        (_, Some(offset)) => Expression::new(offset, node(parts)),
    }
}
