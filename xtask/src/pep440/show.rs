//! Constraints in Poetry's spelling, which its markers and messages contain.

use std::fmt;

use super::{Constraint, Piece, Range, Version};

impl fmt::Display for Constraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Constraint::Empty => formatter.write_str("<empty>"),
            Constraint::One(piece) => write!(formatter, "{piece}"),
            Constraint::Union(pieces) => match excluded_wildcard(pieces) {
                Some(base) => write!(formatter, "!={base}"),
                None => write_union(formatter, pieces),
            },
        }
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Piece::Point(version) => write!(formatter, "{version}"),
            Piece::Range(range) => write!(formatter, "{range}"),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(min), Some(max)) = (&self.min, &self.max)
            && self.include_min
            && !self.include_max
            && let Some(base) = wildcard_base(min, max, false)
        {
            return write!(formatter, "=={base}");
        }
        let bounds: Vec<String> = [lower(self), upper(self)].into_iter().flatten().collect();
        match bounds.is_empty() {
            true => formatter.write_str("*"),
            false => formatter.write_str(&bounds.join(",")),
        }
    }
}

fn lower(range: &Range) -> Option<String> {
    let operator = if range.include_min { ">=" } else { ">" };
    Some(format!("{operator}{}", range.min.as_ref()?))
}

/// An exclusive bound `V.dev0` is shown as the `<V` that it was written as.
fn upper(range: &Range) -> Option<String> {
    let max = range.max.as_ref()?;
    if range.include_max {
        return Some(format!("<={max}"));
    }
    let base = max.without_development();
    Some(if max.dev == Some(0) && !base.is_unstable() {
        format!("<{base}")
    } else {
        format!("<{max}")
    })
}

/// Ranges that leave out single versions between them are shown as one: `>=1,!=1.5,<2`.
fn write_union(formatter: &mut fmt::Formatter<'_>, pieces: &[Piece]) -> fmt::Result {
    let mut groups: Vec<Vec<&Piece>> = Vec::new();
    for piece in pieces {
        let punctured = |last: &&Piece| {
            last.max().is_some()
                && last.max() == piece.min()
                && !last.include_max()
                && !piece.include_min()
        };
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(punctured) => group.push(piece),
            _ => groups.push(vec![piece]),
        }
    }
    let shown: Vec<String> = groups.iter().map(|group| punctured_range(group)).collect();
    formatter.write_str(&shown.join(" || "))
}

fn punctured_range(group: &[&Piece]) -> String {
    let [Piece::Range(first), .., Piece::Range(last)] = group else {
        return group.iter().map(ToString::to_string).collect();
    };
    let mut parts: Vec<String> = lower(first).into_iter().collect();
    for piece in &group[..group.len() - 1] {
        parts.extend(piece.max().map(|max| format!("!={max}")));
    }
    parts.extend(upper(last));
    parts.join(",")
}

fn excluded_wildcard(pieces: &[Piece]) -> Option<String> {
    let [below, above] = pieces else { return None };
    if below.include_max() || below.min().is_some() || !above.include_min() || above.max().is_some()
    {
        return None;
    }
    wildcard_base(above.min()?, below.max()?, true)
}

/// The `V.*` that stands for the range from `min` up to `max`, if there is one; inverted, the
/// range is what lies between `max` and `min`.
fn wildcard_base(min: &Version, max: &Version, inverted: bool) -> Option<String> {
    let is_plain = |version: &Version| version.local.is_none() && version.pre.is_none();
    if !is_plain(min)
        || !is_plain(max)
        || min.post.is_some() != max.post.is_some()
        || min.dev != Some(0)
        || max.dev.is_some_and(|number| number != 0)
    {
        return None;
    }
    let (first, second) = if inverted { (max, min) } else { (min, max) };
    let mut end = second.release.clone();
    while end.last() == Some(&0) {
        end.pop();
    }
    let mut start = first.release.clone();
    if start.len() < end.len() {
        start.resize(end.len(), 0);
    }
    let last = end.len().checked_sub(1)?;
    if start[end.len()..].iter().any(|&number| number != 0) || start[..last] != end[..last] {
        return None;
    }
    if let Some(post) = first.post {
        let fits = start[last] == end[last] && second.post == Some(post + 1);
        return fits.then(|| format!("{}.*", first.without_development()));
    }
    if start[last] + 1 != end[last] {
        return None;
    }
    end[last] -= 1;
    let numbers: Vec<String> = end.iter().map(u64::to_string).collect();
    Some(format!("{}.*", numbers.join(".")))
}
