//! Where each line of a script stands in the file.
//!
//! In a block with `|` they follow each other. Folded and quoted texts are laid out otherwise
//! than they are read, so that their lines are looked up in the file.

use super::super::model::{Place, Script, Text};
use super::super::yaml::{Node, Scalar, Style, Value};

/// The script of a `run` key; `file` is the whole file.
pub(super) fn script(file: &str, node: Option<&Node>, run: Text) -> Script {
    let style = node.map(|node| &node.value);
    let lines = match style {
        Some(Value::Scalar(Scalar {
            style: Style::Literal,
            ..
        })) => literal(file, &run),
        Some(Value::Scalar(Scalar {
            style: Style::Quoted,
            ..
        })) => found(file, &run, 1),
        _ => found(file, &run, 0),
    };
    Script {
        text: run.value,
        place: run.place,
        lines,
    }
}

fn literal(file: &str, run: &Text) -> Vec<Place> {
    let header = run.place.line;
    let mut in_file = file.lines().skip(header);
    let mut indent = 0;
    let mut places = Vec::new();
    for (index, line) in run.value.split('\n').enumerate() {
        let written = in_file.next().unwrap_or_default();
        if !line.trim().is_empty() {
            indent = leading(written).saturating_sub(leading(line));
        }
        places.push(Place {
            line: header + 1 + index,
            column: indent + 1,
        });
    }
    places
}

fn found(file: &str, run: &Text, quote: usize) -> Vec<Place> {
    let mut in_file = file.lines().zip(1..).skip(run.place.line - 1).peekable();
    let mut place = Place {
        line: run.place.line,
        column: run.place.column + quote,
    };
    let mut places = Vec::new();
    for (index, line) in run.value.split('\n').enumerate() {
        let wanted = line.trim();
        let mut ahead = in_file.clone();
        let hit = ahead.find(|(written, _)| {
            let written = written.trim();
            !written.is_empty() && wanted.starts_with(written)
        });
        match hit {
            Some((written, number)) if index > 0 || number > run.place.line => {
                place = Place {
                    line: number,
                    column: leading(written) + 1,
                };
                in_file = ahead;
            }
            _ => {}
        }
        places.push(place);
    }
    places
}

fn leading(line: &str) -> usize {
    line.chars().take_while(|c| *c == ' ').count()
}
