//! Where each line of a script stands in the file.
//!
//! In a block with `|` they follow each other. The lines of a folded block are laid out otherwise
//! than they are read, so that they are looked up; other texts count as one line of the file.

use super::super::model::{Place, Script, Text};
use crate::yaml::{Node, Style, Value};

/// The script of a `run` key; `file` is the whole file.
pub(super) fn script(file: &str, node: Option<&Node>, run: Text) -> Script {
    let start = |quote: usize| Place {
        line: run.place.line,
        column: run.place.column + quote,
    };
    let count = run.value.split('\n').count();
    let lines = match node.map(|node| &node.value) {
        Some(Value::Scalar(scalar)) => match scalar.style {
            Style::Literal => literal(file, &run),
            Style::Folded => folded(file, &run),
            Style::Quoted => vec![start(1); count],
            Style::Plain => vec![start(0); count],
        },
        _ => vec![start(0); count],
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

/// Each line of the text is looked up below the `>`.
fn folded(file: &str, run: &Text) -> Vec<Place> {
    let mut below = file.lines().zip(1..).skip(run.place.line);
    let mut place = run.place;
    let mut places = Vec::new();
    for line in run.value.split('\n') {
        let wanted = line.trim();
        let mut ahead = below.clone();
        let hit = ahead.find(|(written, _)| {
            let written = written.trim();
            !written.is_empty() && wanted.starts_with(written)
        });
        if let Some((written, number)) = hit {
            place = Place {
                line: number,
                column: leading(written) + 1,
            };
            below = ahead;
        }
        places.push(place);
    }
    places
}

fn leading(line: &str) -> usize {
    line.chars().take_while(|c| *c == ' ').count()
}
