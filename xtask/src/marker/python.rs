//! Between markers on Python's version and version constraints.

use std::rc::Rc;

use super::single::{is_python, version_set};
use super::{Algebra, Bound, Form, Marker, Outcome, Single};
use crate::pep440::{self, Constraint, Context, Invalid, Piece, Range, Version};

/// The comparisons of some variables in each alternative of a marker's disjunctive form.
type Groups = Vec<Vec<(String, String)>>;

/// For each alternative of the disjunctive form, the comparisons of the variables that `picks`.
fn groups(algebra: &Algebra, marker: &Marker, picks: fn(&str) -> bool) -> Outcome<Groups> {
    let normal = algebra.disjunctive(marker)?;
    let alternatives = normal
        .alternatives()
        .unwrap_or(std::slice::from_ref(&normal));
    let mut groups: Groups = Vec::new();
    for alternative in alternatives {
        let parts = alternative
            .conjuncts()
            .unwrap_or(std::slice::from_ref(alternative));
        let group = parts
            .iter()
            .filter(|part| part.name().is_some_and(picks))
            .filter_map(comparison)
            .collect();
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    Ok(groups)
}

fn comparison(marker: &Marker) -> Option<(String, String)> {
    match marker.form() {
        Form::Single(single) => Some((single.operator.clone(), single.value.clone())),
        _ => None,
    }
}

/// The Python versions that a marker is about, as Poetry writes them in `python-versions`;
/// `None` when the marker can hold under any Python.
///
/// # Errors
/// The marker cannot be brought into its disjunctive form.
pub fn python_groups(algebra: &Algebra, marker: &Marker) -> Outcome<Option<String>> {
    let groups = groups(algebra, marker, is_python)?;
    if groups.iter().any(Vec::is_empty) {
        return Ok(None);
    }
    let mut alternatives = Vec::new();
    for group in &groups {
        let parts = group
            .iter()
            .map(|(operator, version)| versions_of(operator, version))
            .collect::<Result<Vec<_>, Invalid>>()?;
        alternatives.push(parts.join(" "));
    }
    Ok(Some(alternatives.join(" || ")))
}

/// One comparison as a constraint on the full version: `python_version` has two numbers only,
/// so `> "3.8"` means 3.9 and above.
fn versions_of(operator: &str, version: &str) -> Result<String, Invalid> {
    let short = !version.contains('*') && version.matches('.').count() < 2;
    Ok(match operator {
        "==" | "!=" if short => {
            let minor = if version.contains('.') { "" } else { ".0" };
            match operator {
                "==" => format!("~{version}{minor}"),
                _ => format!("!={version}{minor}.*"),
            }
        }
        "<=" | ">" => {
            let parsed = Version::parse(version)?;
            if parsed.precision() < 3 {
                let operator = if operator == "<=" { "<" } else { ">=" };
                format!("{operator}{}", parsed.next_at(1))
            } else {
                format!("{operator}{version}")
            }
        }
        "in" | "not in" => version_set(version, operator == "in"),
        _ => format!("{operator}{version}"),
    })
}

/// The Python versions under which a marker can hold.
pub(super) fn constraint_of(algebra: &Algebra, marker: &Marker) -> Outcome<Constraint> {
    let python = algebra.only_python(marker)?;
    if python.is_any() {
        return Ok(Constraint::any());
    }
    if python.is_empty() {
        return Ok(Constraint::Empty);
    }
    match python_groups(algebra, marker)? {
        Some(text) => Ok(pep440::parse(&text, Context::Marker)?),
        None => Ok(Constraint::any()),
    }
}

/// What a marker says about Python and extras.
#[derive(Debug)]
pub struct Facts {
    /// The extras of which it wants at least one; `None` when it speaks of no extra.
    pub extras: Option<Vec<String>>,
    /// The Pythons that it allows.
    pub python: Constraint,
}

impl Algebra {
    /// What a marker says about Python and extras.
    ///
    /// # Errors
    /// The marker cannot be brought into its disjunctive form.
    pub fn facts(&self, marker: &Marker) -> Outcome<Rc<Facts>> {
        if let Some(known) = self.facts.borrow().get(marker) {
            return Ok(known.clone());
        }
        let python = match python_groups(self, marker)? {
            Some(text) => pep440::parse(&text, Context::Marker)?,
            None => Constraint::any(),
        };
        let extras = extras_required(self, marker)?;
        let facts = Rc::new(Facts { extras, python });
        let mut known = self.facts.borrow_mut();
        Ok(known.entry(marker.clone()).or_insert(facts).clone())
    }
}

/// The extras of which a marker wants at least one, in order of appearance.
fn extras_required(algebra: &Algebra, marker: &Marker) -> Outcome<Option<Vec<String>>> {
    let normal = algebra.disjunctive(marker)?;
    let alternatives = normal
        .alternatives()
        .unwrap_or(std::slice::from_ref(&normal));
    let mut mentioned = false;
    let mut extras: Vec<String> = Vec::new();
    for part in alternatives
        .iter()
        .flat_map(|one| one.conjuncts().unwrap_or(std::slice::from_ref(one)))
        .filter(|part| part.name() == Some("extra"))
    {
        mentioned = true;
        let required = match part.form() {
            Form::Single(single) if single.operator == "==" => vec![&single.value],
            Form::AtomicAll(_, atoms) | Form::AtomicAny(_, atoms) => atoms
                .iter()
                .filter(|atom| atom.operator == super::generic::Operator::Equal)
                .map(|atom| &atom.value)
                .collect(),
            _ => Vec::new(),
        };
        for extra in required {
            if !extras.contains(extra) {
                extras.push(extra.clone());
            }
        }
    }
    Ok(mentioned.then_some(extras))
}

/// The text of a marker that holds exactly for these Python versions; empty for all.
pub fn python_condition(constraint: &Constraint) -> String {
    match constraint {
        any if any.is_any() => String::new(),
        Constraint::Empty => "<empty>".to_owned(),
        Constraint::One(piece) => piece_condition(piece),
        Constraint::Union(pieces) => {
            let shown: Vec<String> = pieces
                .iter()
                .map(|piece| format!("({})", piece_condition(piece)))
                .collect();
            shown.join(" or ")
        }
    }
}

fn piece_condition(piece: &Piece) -> String {
    match piece {
        Piece::Point(version) => format!("{} == \"{version}\"", variable(version)),
        Piece::Range(range) => range_condition(range),
    }
}

fn variable(version: &Version) -> &'static str {
    if version.precision() >= 3 {
        "python_full_version"
    } else {
        "python_version"
    }
}

/// With fewer than three numbers, `<=` and `>` speak of the full version: `<= 3.8` ends at
/// 3.8.0, which `python_version` cannot say.
fn range_condition(range: &Range) -> String {
    let full = |operator: &str, version: &Version| {
        let mut version = version.clone();
        version.release.resize(3, 0);
        format!("python_full_version {operator} \"{version}\"")
    };
    let plain = |name: &str, operator: &str, version: &Version| {
        format!("{name} {operator} \"{}\"", version.stable())
    };
    let low = range.min.as_ref().map(|min| match range.include_min {
        true => plain(variable(min), ">=", min),
        false if min.precision() < 3 => full(">", min),
        false => plain(variable(min), ">", min),
    });
    let high = range.max.as_ref().map(|max| match range.include_max {
        false => plain(variable(max), "<", max),
        true if max.precision() < 3 => full("<=", max),
        true => plain(variable(max), "<=", max),
    });
    [low, high]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" and ")
}

impl Algebra {
    /// The marker without everything that is not about Python's version.
    fn only_python(&self, marker: &Marker) -> Outcome<Marker> {
        let each = |markers: &[Marker]| -> Outcome<Vec<Marker>> {
            markers.iter().map(|one| self.only_python(one)).collect()
        };
        match marker.form() {
            Form::All(markers) => self.all_of(each(markers)?),
            Form::OneOf(markers) => self.any_of(each(markers)?),
            _ => Ok(match marker.name() {
                Some(name) if !is_python(name) => Marker::any(),
                _ => marker.clone(),
            }),
        }
    }

    /// The marker without its conditions on extras.
    ///
    /// # Errors
    /// As [`Algebra::intersect`].
    pub fn without_extras(&self, marker: &Marker) -> Outcome<Marker> {
        let is_extra = |marker: &Marker| marker.name() == Some("extra");
        match marker.form() {
            Form::All(markers) => {
                let mut rest = Vec::new();
                for one in markers.iter().filter(|one| !is_extra(one)) {
                    let one = self.without_extras(one)?;
                    if !one.is_empty() {
                        rest.push(one);
                    }
                }
                self.intersection(&rest)
            }
            Form::OneOf(markers) => {
                if markers.iter().any(is_extra) {
                    return Ok(Marker::any());
                }
                let rest = markers
                    .iter()
                    .map(|one| self.without_extras(one))
                    .collect::<Outcome<Vec<_>>>()?;
                self.union(&rest)
            }
            _ if is_extra(marker) => Ok(Marker::any()),
            _ => Ok(marker.clone()),
        }
    }

    /// Decides every condition on extras, these being the ones asked for.
    ///
    /// # Errors
    /// As [`Algebra::intersect`].
    pub fn with_extras(&self, marker: &Marker, extras: &[String]) -> Outcome<Marker> {
        let each = |markers: &[Marker]| -> Outcome<Vec<Marker>> {
            markers
                .iter()
                .map(|one| self.with_extras(one, extras))
                .collect()
        };
        let holds = |atom: &super::Atom| {
            let asked = extras.contains(&crate::name::normalize(&atom.value));
            asked == (atom.operator == super::generic::Operator::Equal)
        };
        let decided = match marker.form() {
            Form::All(markers) => return self.all_of(each(markers)?),
            Form::OneOf(markers) => return self.any_of(each(markers)?),
            _ if marker.name() != Some("extra") => return Ok(marker.clone()),
            Form::AtomicAll(_, atoms) => atoms.iter().all(holds),
            Form::AtomicAny(_, atoms) => atoms.iter().any(holds),
            Form::Single(Single {
                bound: Bound::Texts(super::Generic::One(atom)),
                ..
            }) => holds(atom),
            _ => {
                let problem = format!("`{marker}` cannot be decided for one extra");
                return Err(Invalid(problem).into());
            }
        };
        Ok(if decided {
            Marker::any()
        } else {
            Marker::empty()
        })
    }
}
