//! The words of an expression with their places. Pure.

use super::Problem;

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// `null`, `true`, `false`, a context, a function, a member.
    Name(String),
    /// A number.
    Number(f64),
    /// A text, without its quotes.
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// Longer signs first: the first that fits is taken.
const SIGNS: [&str; 16] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ".", ",", "*",
];

/// Splits a text; offsets count from `start`.
pub fn split(text: &str, start: usize) -> Result<Vec<(usize, Token)>, Problem> {
    let mut tokens: Vec<(usize, Token)> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(first) = rest.chars().next() else {
            break;
        };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let place = start + at;
        let after_dot = matches!(tokens.last(), Some((_, Token::Sign("."))));
        let ends_value = tokens.last().is_some_and(|(_, token)| match token {
            Token::Sign(sign) => matches!(*sign, ")" | "]" | "*"),
            _ => true,
        });
        let (token, length) = if first == '\'' {
            quoted(rest, place)?
        } else if is_name_start(first) {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            let word = rest.get(..end).unwrap_or_default();
            (Token::Name(word.to_owned()), end)
        } else if !after_dot && begins_number(rest, ends_value) {
            number(rest, place)?
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| unexpected(first, place))?;
            (Token::Sign(sign), sign.len())
        };
        tokens.push((place, token));
        at += length;
    }
    Ok(tokens)
}

fn unexpected(c: char, place: usize) -> Problem {
    let hint = match c {
        '"' => "; texts stand in single quotes",
        '=' => "; equality is ==",
        '&' | '|' => "; and is &&, or is ||",
        '+' | '-' | '/' | '%' => "; there is no arithmetic",
        _ => "",
    };
    let shown = crate::printable::plain(&c.to_string());
    Problem::new(place, format!("unexpected \"{shown}\"{hint}"))
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// A text: a quote inside of it is doubled.
fn quoted(rest: &str, place: usize) -> Result<(Token, usize), Problem> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != '\'' {
            text.push(c);
        } else if characters.next_if(|(_, next)| *next == '\'').is_some() {
            text.push('\'');
        } else {
            return Ok((Token::Text(text), at + 1));
        }
    }
    Err(Problem::new(place, "a text without its closing quote"))
}

/// Whether a number begins here: `.5` does, except where a value ends before the dot.
fn begins_number(rest: &str, ends_value: bool) -> bool {
    let mut characters = rest.chars();
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    match characters.next() {
        Some('-' | '+') => match characters.next() {
            Some('.') => digit(characters.next()),
            Some('I') => rest
                .get(1..)
                .is_some_and(|rest| rest.starts_with("Infinity")),
            next => digit(next),
        },
        Some('.') => !ends_value && digit(characters.next()),
        first => digit(first),
    }
}

fn number(rest: &str, place: usize) -> Result<(Token, usize), Problem> {
    let mut end = 0;
    let mut before = ' ';
    for c in rest.chars() {
        let sign = matches!(c, '-' | '+') && (end == 0 || matches!(before, 'e' | 'E'));
        if !(sign || c.is_ascii_alphanumeric() || c == '.') {
            break;
        }
        end += c.len_utf8();
        before = c;
    }
    let word = rest.get(..end).unwrap_or_default();
    let value = super::value::number_of(word);
    if value.is_nan() {
        return Err(Problem::new(place, format!("\"{word}\" is no number")));
    }
    Ok((Token::Number(value), end))
}
