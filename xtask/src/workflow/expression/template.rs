//! Texts with `${{ … }}` in them. Pure.

use super::parse::parse_at;
use super::{Expression, Problem};

/// A text in pieces.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its pieces in order.
    pub segments: Vec<Segment>,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Segment {
    /// What stands for itself.
    Text(String),
    /// What is evaluated; its offsets count from the beginning of the whole text.
    Expression(Expression),
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// An expression that does not end, or that is wrong.
    pub fn parse(text: &str) -> Result<Template, Problem> {
        let mut segments = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(start) = rest.find("${{") else {
                segments.push(Segment::Text(rest.to_owned()));
                break;
            };
            if let Some(before) = rest.get(..start).filter(|before| !before.is_empty()) {
                segments.push(Segment::Text(before.to_owned()));
            }
            let inside = at + start + 3;
            let rest = text.get(inside..).unwrap_or_default();
            let end = end_of(rest).ok_or_else(|| {
                Problem::new(
                    at + start,
                    "an expression without its closing }}".to_owned(),
                )
            })?;
            let expression = parse_at(rest.get(..end).unwrap_or_default(), inside)?;
            segments.push(Segment::Expression(expression));
            at = inside + end + 2;
        }
        Ok(Template { segments })
    }

    /// The expressions in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Text(_) => None,
            Segment::Expression(expression) => Some(expression),
        })
    }

    /// The expression, when the text is nothing else.
    pub fn only(&self) -> Option<&Expression> {
        match self.segments.as_slice() {
            [Segment::Expression(expression)] => Some(expression),
            _ => None,
        }
    }

    /// Reads a condition (`if:`), which is an expression also without `${{ }}`.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn condition(text: &str) -> Result<Template, Problem> {
        if text.contains("${{") {
            let mut template = Template::parse(text)?;
            let blank = |segment: &Segment| matches!(segment, Segment::Text(text) if text.trim().is_empty());
            template.segments.retain(|segment| !blank(segment));
            return Ok(template);
        }
        let expression = parse_at(text, 0)?;
        Ok(Template {
            segments: vec![Segment::Expression(expression)],
        })
    }
}

/// Where `}}` stands outside of quotes.
fn end_of(text: &str) -> Option<usize> {
    let mut quoted = false;
    let bytes = text.as_bytes();
    bytes.iter().enumerate().position(|(at, byte)| {
        quoted ^= *byte == b'\'';
        !quoted && *byte == b'}' && bytes.get(at + 1) == Some(&b'}')
    })
}
