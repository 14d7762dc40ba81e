//! Conjunction, disjunction and the choice of the shortest form.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::python::Facts;
use super::simplify::Join;
use super::{Form, Marker, flatten};
use crate::pep440::Invalid;

/// Why a combination has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Simplifying came back to where it started; callers fall back to a simpler form.
    Circle,
    /// A marker made on the way cannot be read.
    Invalid(Invalid),
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Fault {
        Fault::Invalid(invalid)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Circle => formatter.write_str("its markers are too entangled to be simplified"),
            Fault::Invalid(invalid) => write!(formatter, "{invalid}"),
        }
    }
}

/// The result of combining markers.
pub type Outcome<T> = Result<T, Fault>;

/// What has been worked out so far. Markers of a lock file repeat a lot, so remembering is
/// what makes an export fast; it also keeps every combination to one result.
#[derive(Debug, Default)]
pub struct Algebra {
    conjunctive: RefCell<HashMap<Marker, Marker>>,
    disjunctive: RefCell<HashMap<Marker, Marker>>,
    pub(super) merged: RefCell<HashMap<(Marker, Marker, Join), Option<Marker>>>,
    pub(super) parsed: RefCell<HashMap<String, Marker>>,
    pub(super) facts: RefCell<HashMap<Marker, Rc<Facts>>>,
    combined: RefCell<HashMap<(Join, Vec<Marker>), Marker>>,
    intersecting: RefCell<Vec<Vec<Marker>>>,
    uniting: RefCell<Vec<Vec<Marker>>>,
}

/// Returns the remembered value or works it out; nothing is remembered on failure.
fn remember(
    memory: &RefCell<HashMap<Marker, Marker>>,
    marker: &Marker,
    work: impl FnOnce() -> Outcome<Marker>,
) -> Outcome<Marker> {
    if let Some(known) = memory.borrow().get(marker) {
        return Ok(known.clone());
    }
    let found = work()?;
    memory.borrow_mut().insert(marker.clone(), found.clone());
    Ok(found)
}

/// Runs `work` unless the same call is already running further up.
fn without_circle(
    running: &RefCell<Vec<Vec<Marker>>>,
    markers: &[Marker],
    work: impl FnOnce() -> Outcome<Marker>,
) -> Outcome<Marker> {
    if running.borrow().iter().any(|call| call == markers) {
        return Err(Fault::Circle);
    }
    running.borrow_mut().push(markers.to_vec());
    let result = work();
    running.borrow_mut().pop();
    result
}

impl Algebra {
    /// True where both are.
    ///
    /// # Errors
    /// Simplifying runs in a circle, or makes a marker that cannot be read.
    pub fn intersect(&self, one: &Marker, other: &Marker) -> Outcome<Marker> {
        match (one.form(), other.form()) {
            (Form::Any, _) => Ok(other.clone()),
            (Form::Empty, _) => Ok(one.clone()),
            (Form::All(_) | Form::OneOf(_), _) => self.intersection(&[one.clone(), other.clone()]),
            (_, Form::Any) => Ok(one.clone()),
            (_, Form::Empty) => Ok(other.clone()),
            (_, Form::All(_) | Form::OneOf(_)) => self.intersection(&[other.clone(), one.clone()]),
            _ => Ok(self
                .merge(one, other, Join::All)?
                .unwrap_or_else(|| Marker::all([one.clone(), other.clone()]))),
        }
    }

    /// True where one of them is.
    ///
    /// # Errors
    /// As [`Algebra::intersect`].
    pub fn unite(&self, one: &Marker, other: &Marker) -> Outcome<Marker> {
        match (one.form(), other.form()) {
            (Form::Any, _) => Ok(one.clone()),
            (Form::Empty, _) => Ok(other.clone()),
            (Form::All(_) | Form::OneOf(_), _) => self.union(&[one.clone(), other.clone()]),
            (_, Form::Any) => Ok(other.clone()),
            (_, Form::Empty) => Ok(one.clone()),
            (_, Form::All(_) | Form::OneOf(_)) => self.union(&[other.clone(), one.clone()]),
            _ => Ok(self
                .merge(one, other, Join::OneOf)?
                .unwrap_or_else(|| Marker::one_of([one.clone(), other.clone()]))),
        }
    }

    /// Works a combination out, once for those that callers ask for. Within another one the
    /// result may depend on the way to it, because of the circles.
    fn outermost_once(
        &self,
        join: Join,
        markers: &[Marker],
        work: impl FnOnce() -> Outcome<Marker>,
    ) -> Outcome<Marker> {
        let running = match join {
            Join::All => &self.intersecting,
            Join::OneOf => &self.uniting,
        };
        if !self.intersecting.borrow().is_empty() || !self.uniting.borrow().is_empty() {
            return without_circle(running, markers, work);
        }
        let key = (join, markers.to_vec());
        if let Some(known) = self.combined.borrow().get(&key) {
            return Ok(known.clone());
        }
        let found = without_circle(running, markers, work)?;
        self.combined.borrow_mut().insert(key, found.clone());
        Ok(found)
    }

    /// Intersects all of these and picks the shortest form.
    pub(super) fn intersection(&self, markers: &[Marker]) -> Outcome<Marker> {
        self.outermost_once(Join::All, markers, || {
            let plain = unwrap_one(Marker::all(markers.iter().cloned()));
            let disjunction = self.disjunctive(&plain)?;
            if disjunction.alternatives().is_none() {
                return Ok(disjunction);
            }
            let conjunction = match self.conjunctive(&disjunction) {
                Err(Fault::Circle) => return Ok(shortest([disjunction, plain])),
                other => other?,
            };
            if conjunction.conjuncts().is_none() {
                return Ok(conjunction);
            }
            Ok(shortest([disjunction, conjunction, plain]))
        })
    }

    /// Unites all of these and picks the shortest form.
    pub(super) fn union(&self, markers: &[Marker]) -> Outcome<Marker> {
        self.outermost_once(Join::OneOf, markers, || {
            let plain = unwrap_one(Marker::one_of(markers.iter().cloned()));
            let conjunction = self.conjunctive(&plain)?;
            if conjunction.conjuncts().is_none() {
                return Ok(conjunction);
            }
            let disjunction = match self.disjunctive(&conjunction) {
                Err(Fault::Circle) => return Ok(shortest([conjunction, plain])),
                other => other?,
            };
            if disjunction.alternatives().is_none() {
                return Ok(disjunction);
            }
            Ok(shortest([disjunction, conjunction, plain]))
        })
    }

    /// The conjunctive normal form: an "and" of "or"s.
    pub(super) fn conjunctive(&self, marker: &Marker) -> Outcome<Marker> {
        remember(&self.conjunctive, marker, || match marker.form() {
            Form::OneOf(markers) => {
                let normal = self.each(markers, Algebra::conjunctive)?;
                let choices: Vec<&[Marker]> = normal
                    .iter()
                    .map(|one| one.conjuncts().unwrap_or(std::slice::from_ref(one)))
                    .collect();
                let parts = product(&choices)
                    .into_iter()
                    .map(|choice| self.any_of(choice))
                    .collect::<Outcome<Vec<_>>>()?;
                self.all_of(parts)
            }
            Form::All(markers) => self.all_of(self.each(markers, Algebra::conjunctive)?),
            _ => Ok(marker.clone()),
        })
    }

    /// The disjunctive normal form: an "or" of "and"s.
    pub(super) fn disjunctive(&self, marker: &Marker) -> Outcome<Marker> {
        remember(&self.disjunctive, marker, || match marker.form() {
            Form::All(markers) => {
                let normal = self.each(markers, Algebra::disjunctive)?;
                let choices: Vec<&[Marker]> = normal
                    .iter()
                    .map(|one| one.alternatives().unwrap_or(std::slice::from_ref(one)))
                    .collect();
                let parts = product(&choices)
                    .into_iter()
                    .map(|choice| self.all_of(choice))
                    .collect::<Outcome<Vec<_>>>()?;
                self.any_of(parts)
            }
            Form::OneOf(markers) => self.any_of(self.each(markers, Algebra::disjunctive)?),
            _ => Ok(marker.clone()),
        })
    }

    fn each(
        &self,
        markers: &[Marker],
        work: fn(&Algebra, &Marker) -> Outcome<Marker>,
    ) -> Outcome<Vec<Marker>> {
        markers.iter().map(|marker| work(self, marker)).collect()
    }

    /// A simplified conjunction: each marker is merged into the first that takes it.
    pub(super) fn all_of(&self, markers: Vec<Marker>) -> Outcome<Marker> {
        let mut current = flatten(markers, Marker::conjuncts);
        loop {
            let mut next: Vec<Marker> = Vec::new();
            for marker in &current {
                if next.contains(marker) || marker.is_any() {
                    continue;
                }
                match self.absorb_into_all(&mut next, marker)? {
                    Absorbed::Yes => next = flatten(next, Marker::conjuncts),
                    Absorbed::No => next.push(marker.clone()),
                    Absorbed::Decides(whole) => return Ok(whole),
                }
            }
            if next == current {
                break;
            }
            current = next;
        }
        if current.iter().any(Marker::is_empty) {
            return Ok(Marker::empty());
        }
        Ok(match current.len() {
            0 => Marker::any(),
            1 => current.remove(0),
            _ => Marker::all(current),
        })
    }

    fn absorb_into_all(&self, list: &mut [Marker], marker: &Marker) -> Outcome<Absorbed> {
        for place in list.iter_mut() {
            let simplified = match (place.form(), marker.form()) {
                (Form::OneOf(_), _) => self.intersect_simply(place, marker)?,
                (_, Form::OneOf(_)) => self.intersect_simply(marker, place)?,
                _ if place.name().is_some() => {
                    let both = self.intersect(place, marker)?;
                    if both.is_empty() {
                        return Ok(Absorbed::Decides(both));
                    }
                    both.name().is_some().then_some(both)
                }
                _ => None,
            };
            if let Some(simplified) = simplified {
                *place = simplified;
                return Ok(Absorbed::Yes);
            }
        }
        Ok(Absorbed::No)
    }

    /// A simplified disjunction: each marker is merged into the first that takes it.
    pub(super) fn any_of(&self, markers: Vec<Marker>) -> Outcome<Marker> {
        let mut current = flatten(markers, Marker::alternatives);
        loop {
            let mut next: Vec<Marker> = Vec::new();
            for marker in &current {
                if next.contains(marker) || marker.is_empty() {
                    continue;
                }
                match self.absorb_into_any(&mut next, marker)? {
                    Absorbed::Yes => next = flatten(next, Marker::alternatives),
                    Absorbed::No => next.push(marker.clone()),
                    Absorbed::Decides(whole) => return Ok(whole),
                }
            }
            if next == current {
                break;
            }
            current = next;
        }
        if current.iter().any(Marker::is_any) {
            return Ok(Marker::any());
        }
        Ok(match current.len() {
            0 => Marker::empty(),
            1 => current.remove(0),
            _ => Marker::one_of(current),
        })
    }

    fn absorb_into_any(&self, list: &mut [Marker], marker: &Marker) -> Outcome<Absorbed> {
        for place in list.iter_mut() {
            let simplified = match (place.form(), marker.form()) {
                (Form::All(_), _) => self.unite_simply(place, marker)?,
                (_, Form::All(_)) => self.unite_simply(marker, place)?,
                _ if place.name().is_some() => {
                    let either = self.unite(place, marker)?;
                    if either.is_any() {
                        return Ok(Absorbed::Decides(either));
                    }
                    (either.name().is_some() || is_short(&either, Marker::conjuncts))
                        .then_some(either)
                }
                _ => None,
            };
            if let Some(simplified) = simplified {
                *place = simplified;
                return Ok(Absorbed::Yes);
            }
        }
        Ok(Absorbed::No)
    }
}

enum Absorbed {
    Yes,
    No,
    /// The whole combination is already decided.
    Decides(Marker),
}

/// Whether it is a combination of that form of at most two comparisons.
pub(super) fn is_short(marker: &Marker, form: fn(&Marker) -> Option<&[Marker]>) -> bool {
    form(marker).is_some() && marker.complexity() <= (2, 2)
}

/// A combination of a single marker is that marker.
fn unwrap_one(mut marker: Marker) -> Marker {
    while let Form::All(inner) | Form::OneOf(inner) = marker.form()
        && let [only] = inner.as_slice()
    {
        marker = only.clone();
    }
    marker
}

/// The first of the least complex forms.
fn shortest<const COUNT: usize>(candidates: [Marker; COUNT]) -> Marker {
    candidates
        .into_iter()
        .min_by_key(Marker::complexity)
        .expect("there is at least one candidate")
}

/// Every way to take one marker of each list, without repeating a set of markers.
fn product(lists: &[&[Marker]]) -> Vec<Vec<Marker>> {
    let mut choices: Vec<Vec<Marker>> = vec![Vec::new()];
    for list in lists {
        choices = choices
            .iter()
            .flat_map(|choice| {
                list.iter().map(|marker| {
                    let mut longer = choice.clone();
                    longer.push(marker.clone());
                    longer
                })
            })
            .collect();
    }
    let mut seen = HashSet::new();
    choices.retain(|choice| {
        let mut set = choice.clone();
        set.sort_by_key(|marker| marker.0.hash);
        set.dedup();
        seen.insert(set)
    });
    choices
}
