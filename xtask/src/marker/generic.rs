//! Conditions on a variable that is plain text, such as `sys_platform`, or a set, as `extra`.

use std::fmt;

use crate::pep440::Invalid;

/// A comparison with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `in`: the text is part of the variable.
    In,
    /// `not in`
    NotIn,
}

impl Operator {
    fn inverted(self) -> Operator {
        match self {
            Operator::Equal => Operator::Unequal,
            Operator::Unequal => Operator::Equal,
            Operator::In => Operator::NotIn,
            Operator::NotIn => Operator::In,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Operator::Equal => "==",
            Operator::Unequal => "!=",
            Operator::In => "in",
            Operator::NotIn => "not in",
        })
    }
}

/// One comparison of one variable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Atom {
    /// The text compared with.
    pub value: String,
    /// How it is compared.
    pub operator: Operator,
    /// Whether the variable holds several values at once, as `extra` does.
    pub several: bool,
}

/// A set of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generic {
    /// Every text.
    Any,
    /// No text.
    Empty,
    /// What one comparison lets in.
    One(Atom),
    /// What all these comparisons let in.
    All(Vec<Atom>),
    /// What one of these lets in.
    OneOf(Vec<Generic>),
}

impl Atom {
    fn allows(&self, value: &str) -> bool {
        match self.operator {
            Operator::Equal => value == self.value,
            Operator::Unequal => value != self.value,
            Operator::In => value.contains(&self.value),
            Operator::NotIn => !value.contains(&self.value),
        }
    }

    fn inverted(&self) -> Atom {
        Atom {
            operator: self.operator.inverted(),
            ..self.clone()
        }
    }

    fn allows_all(&self, other: &Atom) -> bool {
        match (self.operator, other.operator) {
            (_, Operator::Equal) => self.allows(&other.value),
            (Operator::In, Operator::In) => other.value.contains(&self.value),
            (Operator::NotIn | Operator::Unequal, Operator::NotIn) => {
                self.value.contains(&other.value)
            }
            _ => self == other,
        }
    }

    fn allows_any(&self, other: &Atom) -> bool {
        match (self.operator, other.operator) {
            (Operator::Equal, _) => other.allows(&self.value),
            (_, Operator::Equal) => self.allows(&other.value),
            (Operator::In, Operator::NotIn) => !self.value.contains(&other.value),
            (Operator::NotIn, Operator::In) => !other.value.contains(&self.value),
            _ => true,
        }
    }

    fn intersect(&self, other: &Atom) -> Generic {
        if self == other {
            return Generic::One(self.clone());
        }
        let both = || Generic::All(vec![self.clone(), other.clone()]);
        if self.several {
            let contradict = self.value == other.value && self.operator != other.operator;
            return if contradict { Generic::Empty } else { both() };
        }
        if self.allows_all(other) {
            Generic::One(other.clone())
        } else if other.allows_all(self) {
            Generic::One(self.clone())
        } else if !self.allows_any(other) || !other.allows_any(self) {
            Generic::Empty
        } else {
            both()
        }
    }

    fn union(&self, other: &Atom) -> Generic {
        if self == other {
            return Generic::One(self.clone());
        }
        let either = || {
            Generic::OneOf(vec![
                Generic::One(self.clone()),
                Generic::One(other.clone()),
            ])
        };
        if self.several {
            let cover = self.value == other.value && self.operator != other.operator;
            return if cover { Generic::Any } else { either() };
        }
        if self.allows_all(other) {
            return Generic::One(self.clone());
        }
        if other.allows_all(self) {
            return Generic::One(other.clone());
        }
        let negative = |atom: &Atom| matches!(atom.operator, Operator::Unequal | Operator::NotIn);
        let both_unequal =
            self.operator == Operator::Unequal && other.operator == Operator::Unequal;
        let one_in =
            self.operator == Operator::In && negative(other) && other.value.contains(&self.value);
        let other_in = other.operator == Operator::In && self.value.contains(&other.value);
        if both_unequal || one_in || other_in || self.inverted() == *other {
            Generic::Any
        } else {
            either()
        }
    }
}

impl Generic {
    /// Whether nothing fits.
    pub fn is_empty(&self) -> bool {
        matches!(self, Generic::Empty)
    }

    /// Whether everything fits.
    pub fn is_any(&self) -> bool {
        matches!(self, Generic::Any)
    }

    /// What both let in.
    #[must_use]
    pub fn intersect(&self, other: &Generic) -> Generic {
        match (self, other) {
            (Generic::Any, other) => other.clone(),
            (one, Generic::Any) => one.clone(),
            (Generic::Empty, _) | (_, Generic::Empty) => Generic::Empty,
            (Generic::One(one), Generic::One(two)) => one.intersect(two),
            (Generic::All(all), Generic::All(more)) => intersect_all(all, more),
            (Generic::All(all), Generic::One(one)) | (Generic::One(one), Generic::All(all)) => {
                intersect_atom(all, one)
            }
            (Generic::OneOf(choices), other) | (other, Generic::OneOf(choices)) => {
                intersect_choices(choices, other)
            }
        }
    }

    /// What either lets in.
    #[must_use]
    pub fn union(&self, other: &Generic) -> Generic {
        match (self, other) {
            (Generic::Any, _) | (_, Generic::Any) => Generic::Any,
            (Generic::Empty, other) => other.clone(),
            (one, Generic::Empty) => one.clone(),
            (Generic::One(one), Generic::One(two)) => one.union(two),
            (Generic::All(all), Generic::All(more)) => union_all(all, more),
            (Generic::All(all), Generic::One(one)) | (Generic::One(one), Generic::All(all)) => {
                union_atom(all, one)
            }
            (one @ Generic::One(_), Generic::OneOf(choices)) => {
                union_choices(std::slice::from_ref(one), choices)
            }
            (Generic::OneOf(choices), one @ Generic::One(_)) => {
                union_choices(choices, std::slice::from_ref(one))
            }
            (Generic::OneOf(choices), Generic::OneOf(more)) => {
                if choices == more {
                    self.clone()
                } else {
                    union_choices(choices, more)
                }
            }
            (Generic::OneOf(choices), Generic::All(all))
            | (Generic::All(all), Generic::OneOf(choices)) => union_conjunction(choices, all),
        }
    }
}

fn several(atoms: &[Atom]) -> bool {
    atoms.iter().any(|atom| atom.several)
}

fn intersect_all(ours: &[Atom], theirs: &[Atom]) -> Generic {
    let contradict = |one: &Atom| {
        let opposite = one.inverted();
        ours.contains(&opposite) || theirs.contains(&opposite)
    };
    if several(ours) && ours.iter().chain(theirs).any(contradict) {
        return Generic::Empty;
    }
    let mut all = ours.to_vec();
    all.extend(theirs.iter().filter(|atom| !ours.contains(atom)).cloned());
    Generic::All(all)
}

fn intersect_atom(all: &[Atom], one: &Atom) -> Generic {
    if all.contains(one) {
        return Generic::All(all.to_vec());
    }
    if all.iter().any(|atom| atom.value == one.value) {
        return Generic::Empty;
    }
    if one.operator == Operator::Equal && !several(all) {
        return Generic::One(one.clone());
    }
    Generic::All(all.iter().chain([one]).cloned().collect())
}

fn intersect_choices(ours: &[Generic], other: &Generic) -> Generic {
    let theirs: &[Generic] = match other {
        Generic::OneOf(theirs) => theirs,
        Generic::One(atom) if atom.several && ours.contains(other) => return other.clone(),
        one => std::slice::from_ref(one),
    };
    let mut found: Vec<Generic> = Vec::new();
    let mut add = |new: Generic| {
        let seen = |old: &Generic| match (old, &new) {
            (Generic::All(old), Generic::All(new)) => same_set(old, new),
            (old, new) => old == new,
        };
        if !new.is_empty() && !found.iter().any(seen) {
            found.push(new);
        }
    };
    if let Generic::All(all) = other {
        for our in ours {
            add(all.iter().fold(our.clone(), |sofar, atom| {
                sofar.intersect(&Generic::One(atom.clone()))
            }));
        }
    } else {
        if ours.iter().all(|our| theirs.contains(our)) {
            return Generic::OneOf(ours.to_vec());
        }
        if theirs.iter().all(|their| ours.contains(their)) {
            return collapse(theirs.to_vec());
        }
        for our in ours {
            theirs.iter().for_each(|their| add(our.intersect(their)));
        }
    }
    match found.len() {
        0 => Generic::Empty,
        _ => collapse(found),
    }
}

fn same_set(ours: &[Atom], theirs: &[Atom]) -> bool {
    ours.iter().all(|atom| theirs.contains(atom)) && theirs.iter().all(|atom| ours.contains(atom))
}

fn collapse(mut choices: Vec<Generic>) -> Generic {
    match choices.len() {
        1 => choices.remove(0),
        _ => Generic::OneOf(choices),
    }
}

fn union_all(ours: &[Atom], theirs: &[Atom]) -> Generic {
    if several(ours) {
        if ours.iter().all(|atom| theirs.contains(atom)) {
            return Generic::All(ours.to_vec());
        }
        if theirs.iter().all(|atom| ours.contains(atom)) {
            return Generic::All(theirs.to_vec());
        }
        return Generic::OneOf(vec![
            Generic::All(ours.to_vec()),
            Generic::All(theirs.to_vec()),
        ]);
    }
    let mut common: Vec<Atom> = ours
        .iter()
        .filter(|atom| theirs.contains(atom))
        .cloned()
        .collect();
    match common.len() {
        0 => Generic::Any,
        1 => Generic::One(common.remove(0)),
        _ => Generic::All(common),
    }
}

fn union_atom(all: &[Atom], one: &Atom) -> Generic {
    if all.contains(one) {
        return Generic::One(one.clone());
    }
    let same_value = all.iter().any(|atom| atom.value == one.value);
    let mut others: Vec<Atom> = all
        .iter()
        .filter(|atom| atom.value != one.value)
        .cloned()
        .collect();
    if several(all) {
        let mut choices: Vec<Generic> = if all.len() == 2 && same_value {
            others.into_iter().map(Generic::One).collect()
        } else {
            vec![Generic::All(all.to_vec())]
        };
        choices.push(Generic::One(one.clone()));
        return Generic::OneOf(choices);
    }
    if !same_value {
        return match one.operator {
            Operator::Unequal => Generic::Any,
            _ => Generic::All(all.to_vec()),
        };
    }
    match others.len() {
        1 => Generic::One(others.remove(0)),
        _ => Generic::All(others),
    }
}

fn union_choices(ours: &[Generic], theirs: &[Generic]) -> Generic {
    fn add(list: &mut Vec<Generic>, new: &Generic) {
        if !list.contains(new) {
            list.push(new.clone());
        }
    }
    let (mut kept, mut added, mut merged) = (Vec::new(), Vec::new(), Vec::new());
    for their in theirs {
        for our in ours {
            let union = our.union(their);
            match &union {
                Generic::Any => return Generic::Any,
                Generic::One(_) if union == *our => add(&mut kept, our),
                Generic::One(_) if union == *their => add(&mut added, their),
                Generic::One(_) => add(&mut merged, &union),
                _ => {
                    add(&mut kept, our);
                    add(&mut added, their);
                }
            }
        }
    }
    for new in added.iter().chain(&merged) {
        add(&mut kept, new);
    }
    collapse(kept)
}

fn union_conjunction(choices: &[Generic], all: &[Atom]) -> Generic {
    let whole = || Generic::OneOf(choices.to_vec());
    if all
        .iter()
        .any(|atom| choices.contains(&Generic::One(atom.clone())))
    {
        return whole();
    }
    let covered = |atom: &&Atom| {
        choices.iter().any(|choice| match choice {
            Generic::One(one) => one.union(atom).is_any(),
            _ => false,
        })
    };
    let rest: Vec<Generic> = all
        .iter()
        .filter(|atom| !covered(atom))
        .map(|atom| Generic::One(atom.clone()))
        .collect();
    if rest.len() == all.len() {
        let more = Generic::All(all.to_vec());
        return Generic::OneOf(choices.iter().cloned().chain([more]).collect());
    }
    match rest.len() {
        0 => Generic::Any,
        _ => whole().union(&Generic::OneOf(rest)),
    }
}

/// The text of a marker that holds exactly for these texts; empty for all.
pub fn condition(name: &str, generic: &Generic) -> String {
    let atom = |atom: &Atom| format!("{name} {} \"{}\"", atom.operator, atom.value);
    match generic {
        Generic::Any => String::new(),
        Generic::Empty => "<empty>".to_owned(),
        Generic::One(one) => atom(one),
        Generic::All(atoms) => atoms.iter().map(atom).collect::<Vec<_>>().join(" and "),
        Generic::OneOf(choices) => {
            let part = |choice: &Generic| match choice {
                Generic::All(_) | Generic::OneOf(_) => format!("({})", condition(name, choice)),
                one => condition(name, one),
            };
            choices.iter().map(part).collect::<Vec<_>>().join(" or ")
        }
    }
}

/// Reads a condition on a text variable: `linux`, `!=win32`, `== a || == b`.
/// `several` says that the variable is `extra`.
///
/// # Errors
/// Names the comparison that cannot be read.
pub fn parse(text: &str, several: bool) -> Result<Generic, Invalid> {
    if text == "*" {
        return Ok(Generic::Any);
    }
    let mut choices = Vec::new();
    for alternative in crate::pep440::alternatives_of(text.trim()) {
        let mut whole: Option<Generic> = None;
        for part in alternative.split(',') {
            let one = Generic::One(parse_atom(part.trim(), several)?);
            whole = Some(match whole {
                Some(sofar) => sofar.intersect(&one),
                None => one,
            });
        }
        choices.extend(whole);
    }
    Ok(collapse(choices))
}

fn parse_atom(text: &str, several: bool) -> Result<Atom, Invalid> {
    let invalid = || Invalid(format!("`{text}` is not a condition"));
    let (operator, value) = if let Some((value, operator)) = quoted(text) {
        if several {
            return Err(invalid());
        }
        (operator, value)
    } else if let Some(rest) = text.strip_prefix("!=") {
        (Operator::Unequal, rest)
    } else {
        let equal = ["===", "==", "="];
        let rest = equal.iter().find_map(|sign| text.strip_prefix(sign));
        (Operator::Equal, rest.unwrap_or(text))
    };
    let value = value.trim();
    if value.is_empty() || (several && value.contains(char::is_whitespace)) {
        return Err(invalid());
    }
    Ok(Atom {
        value: value.to_owned(),
        operator,
        several,
    })
}

/// Reads `"text" in` and `"text" not in`, the form in which the variable comes last.
pub(super) fn quoted(text: &str) -> Option<(&str, Operator)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, operator) = text[1..].rsplit_once(quote)?;
    let operator = match operator.trim().to_ascii_lowercase().as_str() {
        "in" => Operator::In,
        "not in" => Operator::NotIn,
        _ => return None,
    };
    (!value.is_empty()).then_some((value, operator))
}
