//! Environment markers (PEP 508) and their algebra. Pure.
//!
//! A lock file's markers are combined on the way from a project to a package: intersected along
//! a path, united over several paths, restricted to the project's Python. Poetry writes the
//! result in a certain form, and its export must be matched letter for letter, so the operations
//! here simplify in the same places and choose between equal forms by the same measure as
//! `poetry-core` 2.5 does (its module `version/markers.py`). A marker is evaluated for an
//! environment that is described ([`Surroundings`]), never for a running Python.

mod algebra;
mod evaluate;
mod generic;
mod parse;
mod python;
mod simplify;
mod single;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

pub use algebra::{Algebra, Fault, Outcome};
pub use evaluate::Surroundings;
pub use generic::{Generic, condition as generic_condition, parse as parse_generic};
pub use python::{Facts, python_condition, python_groups};
pub use single::{Bound, Single};

use generic::Atom;

/// A condition on the environment that a package is installed into. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Marker(Rc<Node>);

#[derive(Debug)]
struct Node {
    hash: u64,
    form: Form,
}

/// What a marker is made of.
#[expect(
    clippy::large_enum_variant,
    reason = "most markers are comparisons, and all sit behind an Rc"
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Always true.
    Any,
    /// Never true.
    Empty,
    /// One comparison.
    Single(Single),
    /// Several comparisons of one variable that must all hold, kept together.
    AtomicAll(String, Vec<Atom>),
    /// Several comparisons of one variable of which one must hold, kept together.
    AtomicAny(String, Vec<Atom>),
    /// All of these.
    All(Vec<Marker>),
    /// One of these.
    OneOf(Vec<Marker>),
}

impl Marker {
    fn new(form: Form) -> Marker {
        let mut hasher = std::hash::DefaultHasher::new();
        form.hash(&mut hasher);
        Marker(Rc::new(Node {
            hash: hasher.finish(),
            form,
        }))
    }

    /// The marker that is always true.
    pub fn any() -> Marker {
        Marker::new(Form::Any)
    }

    /// The marker that is never true.
    pub fn empty() -> Marker {
        Marker::new(Form::Empty)
    }

    /// A conjunction: nested ones are flattened and repetitions go, nothing is simplified.
    fn all(markers: impl IntoIterator<Item = Marker>) -> Marker {
        Marker::new(Form::All(flatten(markers, Marker::conjuncts)))
    }

    /// A disjunction: nested ones are flattened and repetitions go, nothing is simplified.
    fn one_of(markers: impl IntoIterator<Item = Marker>) -> Marker {
        Marker::new(Form::OneOf(flatten(markers, Marker::alternatives)))
    }

    /// What it is made of.
    pub fn form(&self) -> &Form {
        &self.0.form
    }

    /// Whether it is always true.
    pub fn is_any(&self) -> bool {
        matches!(self.form(), Form::Any)
    }

    /// Whether it is never true.
    pub fn is_empty(&self) -> bool {
        matches!(self.form(), Form::Empty)
    }

    fn conjuncts(&self) -> Option<&[Marker]> {
        match self.form() {
            Form::All(markers) => Some(markers),
            _ => None,
        }
    }

    fn alternatives(&self) -> Option<&[Marker]> {
        match self.form() {
            Form::OneOf(markers) => Some(markers),
            _ => None,
        }
    }

    fn single(&self) -> Option<&Single> {
        match self.form() {
            Form::Single(single) => Some(single),
            _ => None,
        }
    }

    /// The variable, when the marker compares just one.
    fn name(&self) -> Option<&str> {
        match self.form() {
            Form::Single(single) => Some(&single.name),
            Form::AtomicAll(name, _) | Form::AtomicAny(name, _) => Some(name),
            _ => None,
        }
    }

    /// How long its text is: the number of comparisons, then the same with comparisons of
    /// one variable that are kept together counted once.
    fn complexity(&self) -> (usize, usize) {
        match self.form() {
            Form::Any | Form::Empty | Form::Single(_) => (1, 1),
            Form::AtomicAll(_, atoms) | Form::AtomicAny(_, atoms) => (atoms.len(), 1),
            Form::All(markers) | Form::OneOf(markers) => markers
                .iter()
                .map(Marker::complexity)
                .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)),
        }
    }
}

/// Takes nested markers of the same form apart and drops repetitions, in order.
fn flatten(
    markers: impl IntoIterator<Item = Marker>,
    inner: fn(&Marker) -> Option<&[Marker]>,
) -> Vec<Marker> {
    let mut flat: Vec<Marker> = Vec::new();
    let mut add = |marker: &Marker| {
        if !flat.contains(marker) {
            flat.push(marker.clone());
        }
    };
    for marker in markers {
        match inner(&marker) {
            Some(markers) => markers.iter().for_each(&mut add),
            None => add(&marker),
        }
    }
    flat
}

impl PartialEq for Marker {
    fn eq(&self, other: &Marker) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
            || (self.0.hash == other.0.hash && self.form() == other.form())
    }
}

impl Eq for Marker {}

impl Hash for Marker {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let atoms = |name: &str, atoms: &[Atom], glue: &str| -> String {
            let show = |atom: &Atom| format!("{name} {} \"{}\"", atom.operator, atom.value);
            atoms.iter().map(show).collect::<Vec<_>>().join(glue)
        };
        match self.form() {
            Form::Any => Ok(()),
            Form::Empty => formatter.write_str("<empty>"),
            Form::Single(single) => write!(formatter, "{single}"),
            Form::AtomicAll(name, all) => formatter.write_str(&atoms(name, all, " and ")),
            Form::AtomicAny(name, any) => formatter.write_str(&atoms(name, any, " or ")),
            Form::OneOf(markers) => {
                let shown: Vec<String> = markers.iter().map(ToString::to_string).collect();
                formatter.write_str(&shown.join(" or "))
            }
            Form::All(markers) => {
                let show = |marker: &Marker| match marker.form() {
                    Form::Single(_) | Form::All(_) | Form::AtomicAll(..) => marker.to_string(),
                    _ => format!("({marker})"),
                };
                let shown: Vec<String> = markers.iter().map(show).collect();
                formatter.write_str(&shown.join(" and "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
