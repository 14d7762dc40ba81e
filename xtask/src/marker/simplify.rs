//! Where two markers become one: comparisons of one variable, and combinations that share parts.

use super::algebra::is_short;
use super::generic::{Atom, Generic, Operator};
use super::single::is_python;
use super::{Algebra, Bound, Form, Marker, Outcome, Single, python};
use crate::pep440::{Constraint, Piece, Range};

/// How two markers are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Join {
    /// Both hold.
    All,
    /// One holds.
    OneOf,
}

impl Marker {
    pub(super) fn from_single(single: Single) -> Marker {
        Marker::new(Form::Single(single))
    }

    fn bound(&self) -> Option<Bound> {
        Some(match self.form() {
            Form::Single(single) => single.bound.clone(),
            Form::AtomicAll(_, atoms) => Bound::Texts(Generic::All(atoms.clone())),
            Form::AtomicAny(_, atoms) => {
                let choices = atoms.iter().cloned().map(Generic::One).collect();
                Bound::Texts(Generic::OneOf(choices))
            }
            _ => return None,
        })
    }
}

impl Algebra {
    /// Joins two comparisons into one marker, if one can say the same.
    pub(super) fn merge(
        &self,
        one: &Marker,
        other: &Marker,
        join: Join,
    ) -> Outcome<Option<Marker>> {
        let key = (one.clone(), other.clone(), join);
        if let Some(known) = self.merged.borrow().get(&key) {
            return Ok(known.clone());
        }
        let merged = self.merge_anew(one, other, join)?;
        self.merged.borrow_mut().insert(key, merged.clone());
        Ok(merged)
    }

    fn merge_anew(&self, one: &Marker, other: &Marker, join: Join) -> Outcome<Option<Marker>> {
        let (Some(name), Some(other_name)) = (one.name(), other.name()) else {
            return Ok(None);
        };
        if name != other_name {
            let both_python = is_python(name) && is_python(other_name);
            return match (one.single(), other.single()) {
                (Some(one), Some(other)) if both_python => self.merge_python(one, other, join),
                _ => Ok(None),
            };
        }
        match (one.bound(), other.bound()) {
            (Some(Bound::Versions(first)), Some(Bound::Versions(second))) => {
                self.merge_versions((one, &first), (other, &second), join)
            }
            (Some(Bound::Texts(first)), Some(Bound::Texts(second))) => {
                let result = match join {
                    Join::All => first.intersect(&second),
                    Join::OneOf => first.union(&second),
                };
                if result == first {
                    return Ok(Some(one.clone()));
                }
                if result == second {
                    return Ok(Some(other.clone()));
                }
                text_marker(name, result)
            }
            _ => Ok(None),
        }
    }

    fn merge_versions(
        &self,
        (one, first): (&Marker, &Constraint),
        (other, second): (&Marker, &Constraint),
        join: Join,
    ) -> Outcome<Option<Marker>> {
        let name = one.name().unwrap_or_default();
        let result = match join {
            Join::All => first.intersect(second),
            Join::OneOf => first.union(second),
        };
        if result.is_empty() {
            return Ok(Some(Marker::empty()));
        }
        if result.is_any() {
            return Ok(Some(Marker::any()));
        }
        if result == *first {
            return Ok(Some(one.clone()));
        }
        if result == *second {
            return Ok(Some(other.clone()));
        }
        if result.is_simple() {
            let single = Single::new(name, &result.to_string(), false)?;
            return Ok(Some(Marker::from_single(single)));
        }
        if name != "python_version" {
            return Ok(None);
        }
        let exact = |marker: &Marker| python::constraint_of(self, marker);
        match (&result, join) {
            (Constraint::One(Piece::Range(range)), Join::All) => {
                self.merge_python_range(range, &exact(one)?, &exact(other)?)
            }
            (Constraint::Union(_), Join::OneOf) => {
                merge_python_union(&exact(one)?.union(&exact(other)?))
            }
            _ => Ok(None),
        }
    }

    /// `>= "3.8" and < "3.9"` is `== "3.8"`; `> "3.8" and < "3.9"` is nothing.
    fn merge_python_range(
        &self,
        range: &Range,
        first: &Constraint,
        second: &Constraint,
    ) -> Outcome<Option<Marker>> {
        if let Some(min) = &range.min {
            let candidate = self.parse(&format!("python_version == \"{min}\""))?;
            if python::constraint_of(self, &candidate)? == range.clone().into() {
                return Ok(Some(candidate));
            }
        }
        let nothing = first.intersect(second).is_empty();
        Ok(nothing.then(Marker::empty))
    }

    /// Joins a `python_version` with a `python_full_version`.
    fn merge_python(&self, one: &Single, other: &Single, join: Join) -> Outcome<Option<Marker>> {
        let (short, full) = if one.name == "python_version" {
            (one, other)
        } else {
            (other, one)
        };
        let short = Marker::from_single(short.clone());
        let constraint = python::constraint_of(self, &short)?;
        let single = Single::new("python_full_version", &constraint.to_string(), false)?;
        let normal = Marker::from_single(single);
        let full = Marker::from_single(full.clone());
        let Some(merged) = self.merge(&normal, &full, join)? else {
            return Ok(None);
        };
        if merged == normal {
            return Ok(Some(short));
        }
        match merged.single() {
            Some(single) => self.parse(&with_precision(single)).map(Some),
            None => Ok(Some(merged)),
        }
    }

    /// Simplifies an intersection of which one side is a disjunction, in the easy cases: the
    /// other is one of its parts, implies one, contains it, or shares parts with it.
    pub(super) fn intersect_simply(
        &self,
        union: &Marker,
        other: &Marker,
    ) -> Outcome<Option<Marker>> {
        let ours = union.alternatives().unwrap_or_default();
        if ours.contains(other) {
            return Ok(Some(other.clone()));
        }
        if self.compares_python(ours, other, Constraint::allows_all)? {
            return Ok(Some(other.clone()));
        }
        let Some(theirs) = other.alternatives() else {
            return Ok(None);
        };
        let (common, mine, yours) = shared(ours, theirs);
        if mine.is_empty() {
            return Ok(Some(union.clone()));
        }
        if yours.is_empty() {
            return Ok(Some(other.clone()));
        }
        if common.is_empty() {
            return Ok(None);
        }
        let unique = self.intersect(&Marker::one_of(mine), &Marker::one_of(yours))?;
        let simple = unique.name().is_some() || unique.is_empty();
        if simple || is_short(&unique, Marker::alternatives) {
            return self.unite(&unique, &Marker::one_of(common)).map(Some);
        }
        Ok(None)
    }

    /// Simplifies a union of which one side is a conjunction, in the same easy cases.
    pub(super) fn unite_simply(&self, all: &Marker, other: &Marker) -> Outcome<Option<Marker>> {
        let ours = all.conjuncts().unwrap_or_default();
        if ours.contains(other) {
            return Ok(Some(other.clone()));
        }
        if self.compares_python(ours, other, |our, other| other.allows_all(our))? {
            return Ok(Some(other.clone()));
        }
        let Some(theirs) = other.conjuncts() else {
            return Ok(None);
        };
        let (common, mine, yours) = shared(ours, theirs);
        if mine.is_empty() {
            return Ok(Some(all.clone()));
        }
        if yours.is_empty() {
            return Ok(Some(other.clone()));
        }
        if common.is_empty() {
            return Ok(None);
        }
        let unique = self.unite(&Marker::all(mine), &Marker::all(yours))?;
        let simple = unique.name().is_some() || unique.is_any();
        if simple || is_short(&unique, Marker::conjuncts) {
            return self.intersect(&unique, &Marker::all(common)).map(Some);
        }
        Ok(None)
    }

    /// Whether `other` compares Python's version and stands in the relation to one of ours.
    fn compares_python(
        &self,
        ours: &[Marker],
        other: &Marker,
        relation: fn(&Constraint, &Constraint) -> bool,
    ) -> Outcome<bool> {
        let python = |marker: &Marker| {
            marker
                .single()
                .is_some_and(|single| is_python(&single.name))
        };
        if !python(other) {
            return Ok(false);
        }
        let their = python::constraint_of(self, other)?;
        for our in ours.iter().filter(|our| python(our)) {
            if relation(&python::constraint_of(self, our)?, &their) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

type Shared = (Vec<Marker>, Vec<Marker>, Vec<Marker>);

/// What two lists have in common, and what only the first and only the second has.
fn shared(ours: &[Marker], theirs: &[Marker]) -> Shared {
    let (common, mine): (Vec<Marker>, Vec<Marker>) =
        ours.iter().cloned().partition(|our| theirs.contains(our));
    let yours = theirs.iter().filter(|their| !ours.contains(their));
    (common, mine, yours.cloned().collect())
}

/// A condition on a text as a marker, if a single one can say it.
fn text_marker(name: &str, condition: Generic) -> Outcome<Option<Marker>> {
    let allowed = |atoms: &[Atom], operator: Operator| {
        atoms.iter().all(|atom| {
            let for_extra = matches!(atom.operator, Operator::Equal | Operator::Unequal);
            atom.operator == operator || (name == "extra" && for_extra)
        })
    };
    Ok(match condition {
        Generic::Empty => Some(Marker::empty()),
        Generic::Any => Some(Marker::any()),
        Generic::One(atom) => {
            let condition = match atom.operator {
                Operator::Equal => atom.value,
                Operator::Unequal => format!("!={}", atom.value),
                set => format!("'{}' {set}", atom.value),
            };
            Some(Marker::from_single(Single::new(name, &condition, false)?))
        }
        Generic::All(atoms) if allowed(&atoms, Operator::Unequal) => {
            Some(Marker::new(Form::AtomicAll(name.to_owned(), atoms)))
        }
        Generic::OneOf(choices) => {
            let atoms: Option<Vec<Atom>> = choices
                .into_iter()
                .map(|choice| match choice {
                    Generic::One(atom) => Some(atom),
                    _ => None,
                })
                .collect();
            atoms
                .filter(|atoms| allowed(atoms, Operator::Equal))
                .map(|atoms| Marker::new(Form::AtomicAny(name.to_owned(), atoms)))
        }
        Generic::All(_) => None,
    })
}

/// `== "3.8" or >= "3.9"` is `>= "3.8"`; a gapless range of several becomes two comparisons.
fn merge_python_union(exact: &Constraint) -> Outcome<Option<Marker>> {
    let single = |condition: String| -> Outcome<Marker> {
        Ok(Marker::from_single(Single::new(
            "python_version",
            &condition,
            false,
        )?))
    };
    if exact.is_any() {
        return Ok(Some(Marker::any()));
    }
    if exact.is_simple() {
        return single(exact.to_string()).map(Some);
    }
    let Constraint::One(Piece::Range(range)) = exact else {
        return Ok(None);
    };
    let low = Range::new(range.min.clone(), None, range.include_min, false);
    let high = Range::new(None, range.max.clone(), false, range.include_max);
    let (low, high) = (single(low.to_string())?, single(high.to_string())?);
    Ok(Some(Marker::all([low, high])))
}

/// Writes a comparison of `python_full_version` with three numbers, or as one of
/// `python_version` with two where that means the same.
fn with_precision(single: &Single) -> String {
    let text = single.to_string();
    let short = |text: &str| text.replace("python_full_version", "python_version");
    let bound = matches!(single.operator.as_str(), "<" | ">=");
    let precision = text.matches('.').count() + 1;
    let body = text.strip_suffix('"').unwrap_or(&text);
    if precision < 3 {
        let target = if bound { 2 } else { 3 };
        let body = if bound { short(body) } else { body.to_owned() };
        return format!("{body}{}\"", ".0".repeat(target - precision.min(target)));
    }
    match body.strip_suffix(".0") {
        Some(body) if precision == 3 && bound => format!("{}\"", short(body)),
        _ => text,
    }
}
