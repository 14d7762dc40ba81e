//! Whether a marker holds in one environment, which need not be the one that runs here.
//!
//! Source: PEP 508, section "Environment markers".

use super::generic::{Atom, Generic, Operator};
use super::{Bound, Form, Marker, Single};
use crate::pep440::Version;

/// The values of the variables in an environment that something is installed into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// `python_full_version`: three numbers.
    pub python: String,
    /// `platform_machine`.
    pub machine: String,
}

impl Surroundings {
    /// Linux on a machine, with CPython of a version such as `3.13` or `3.13.5`.
    pub fn linux(python: &str, machine: &str) -> Surroundings {
        let parts = python.split('.').count();
        let rest = ".0".repeat(3usize.saturating_sub(parts));
        Surroundings {
            python: format!("{python}{rest}"),
            machine: machine.to_owned(),
        }
    }

    /// The value of a variable; nothing is known of releases of the system.
    fn value(&self, name: &str) -> String {
        let minor: Vec<&str> = self.python.split('.').take(2).collect();
        match name {
            "python_version" => minor.join("."),
            "python_full_version" | "implementation_version" => self.python.clone(),
            "os_name" => "posix".to_owned(),
            "sys_platform" => "linux".to_owned(),
            "platform_system" => "Linux".to_owned(),
            "platform_machine" => self.machine.clone(),
            "platform_python_implementation" => "CPython".to_owned(),
            "implementation_name" => "cpython".to_owned(),
            _ => String::new(),
        }
    }
}

impl Marker {
    /// Whether the marker holds there. A condition on an extra does not: requirements of a lock
    /// file have none left.
    pub fn holds(&self, there: &Surroundings) -> bool {
        match self.form() {
            Form::Any => true,
            Form::Empty => false,
            Form::Single(single) => holds(single, there),
            Form::AtomicAll(name, atoms) => {
                let value = there.value(name);
                atoms.iter().all(|atom| allows(atom, &value))
            }
            Form::AtomicAny(name, atoms) => {
                let value = there.value(name);
                atoms.iter().any(|atom| allows(atom, &value))
            }
            Form::All(markers) => markers.iter().all(|one| one.holds(there)),
            Form::OneOf(markers) => markers.iter().any(|one| one.holds(there)),
        }
    }
}

fn holds(single: &Single, there: &Surroundings) -> bool {
    let value = there.value(&single.name);
    match &single.bound {
        Bound::Versions(constraint) => {
            Version::parse(&value).is_ok_and(|version| constraint.allows(&version))
        }
        Bound::Texts(texts) => is_in(texts, &value),
    }
}

fn is_in(texts: &Generic, value: &str) -> bool {
    match texts {
        Generic::Any => true,
        Generic::Empty => false,
        Generic::One(atom) => allows(atom, value),
        Generic::All(atoms) => atoms.iter().all(|atom| allows(atom, value)),
        Generic::OneOf(several) => several.iter().any(|one| is_in(one, value)),
    }
}

fn allows(atom: &Atom, value: &str) -> bool {
    match atom.operator {
        Operator::Equal => value == atom.value,
        Operator::Unequal => value != atom.value,
        Operator::In => value.contains(&atom.value),
        Operator::NotIn => !value.contains(&atom.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marker::Algebra;

    #[test]
    fn a_marker_is_asked_of_the_target_and_not_of_this_machine() {
        let check = |marker: &str, python: &str, machine: &str, expected: bool| {
            let marker = Algebra::default().parse(marker).unwrap();
            let there = Surroundings::linux(python, machine);
            assert_eq!(marker.holds(&there), expected, "{marker} {there:?}");
        };
        check("", "3.13", "x86_64", true);
        check("python_version < \"3.11\"", "3.10", "x86_64", true);
        check("python_version < \"3.11\"", "3.13", "x86_64", false);
        check(
            "python_full_version < \"3.11.0a7\"",
            "3.11",
            "x86_64",
            false,
        );
        check(
            "python_version >= \"3.10\" and python_version < \"4\"",
            "3.13.5",
            "x86_64",
            true,
        );
        check("sys_platform == \"win32\"", "3.13", "x86_64", false);
        check(
            "sys_platform != \"win32\" or python_version < \"3\"",
            "3.13",
            "x86_64",
            true,
        );
        check("platform_system == \"Darwin\"", "3.13", "aarch64", false);
        check("platform_machine == \"aarch64\"", "3.13", "aarch64", true);
        check("platform_machine == \"aarch64\"", "3.13", "x86_64", false);
        check("\"arm\" in platform_machine", "3.13", "aarch64", false);
        check(
            "platform_python_implementation != \"PyPy\"",
            "3.13",
            "x86_64",
            true,
        );
        check("implementation_name == \"pypy\"", "3.13", "x86_64", false);
        check(
            "os_name == \"nt\" and sys_platform == \"linux\"",
            "3.13",
            "x86_64",
            false,
        );
        check(
            "sys_platform == \"linux\" or sys_platform == \"darwin\"",
            "3.13",
            "x86_64",
            true,
        );
    }
}
