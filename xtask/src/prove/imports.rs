//! Whether every module the wheel imports comes from the wheel, the standard library or a
//! declared dependency. The facts come from `inspect.py`; the judgement is made here.

use serde::Deserialize;

use super::{Checked, Environment, Failure, Record};
use crate::config::Config;
use crate::error::Error;
use crate::world::World;

/// What `inspect.py environment` prints.
#[derive(Debug, Deserialize)]
struct Facts {
    unsatisfied: Vec<Unsatisfied>,
    unbounded: Vec<String>,
    distributions: usize,
    imports: Imports,
}

#[derive(Debug, Deserialize)]
struct Unsatisfied {
    by: String,
    requirement: String,
    found: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Imports {
    files: usize,
    modules: usize,
    optional: usize,
    problems: Vec<Problem>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    kind: Kind,
    module: String,
    file: String,
    line: u32,
    distribution: Option<String>,
    requirer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    NotInWheel,
    Undeclared,
    OnlyForExtra,
    NotInstalled,
    Unknown,
    Syntax,
}

/// Examines the installed wheel's requirements and imports and notes what held.
///
/// # Errors
/// All imports, or all requirements, that are not in order, in one failure.
pub fn examine(
    world: &World,
    config: &Config,
    environment: &Environment,
    record: &mut Record,
) -> Checked<()> {
    let optional: Vec<&str> = config
        .prove
        .optional_imports
        .iter()
        .map(|import| import.name.as_str())
        .collect();
    let facts: Facts = environment.inspect(world, &config.server.extras, &optional)?;
    judge(&environment.wheel.name, &facts, record)
}

fn judge(wheel: &str, facts: &Facts, record: &mut Record) -> Checked<()> {
    let imports = &facts.imports;
    if !imports.problems.is_empty() {
        return Err(Failure::new("imports", refusal(&imports.problems)));
    }
    if !facts.unsatisfied.is_empty() {
        let error = unsatisfied(wheel, &facts.unsatisfied);
        return Err(Failure::new("imports-requirements", error));
    }
    let optional = match imports.optional {
        0 => String::new(),
        count => format!(", {count} optional"),
    };
    record.hold(
        "imports",
        format!(
            "{} modules in {} files come from the wheel, Python or a declared dependency{optional}",
            imports.modules, imports.files
        ),
    );
    record.hold(
        "imports-requirements",
        format!("{} distributions satisfy each other", facts.distributions),
    );
    for name in &facts.unbounded {
        let detail =
            format!("warning: {name} has no upper bound; its next major version may break");
        record.hold("imports-bounds", detail);
    }
    Ok(())
}

fn refusal(problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems.iter().map(explain).collect();
    let mut error = Error::refused(lines.join("\n       "));
    for hint in problems.iter().filter_map(|problem| hint(problem.kind)) {
        if !error.hints.iter().any(|known| known == hint) {
            error = error.hint(hint);
        }
    }
    error
}

fn explain(problem: &Problem) -> String {
    let Problem {
        kind,
        module,
        file,
        line,
        ..
    } = problem;
    let distribution = problem.distribution.as_deref().unwrap_or("?");
    let because = match &problem.requirer {
        Some(requirer) => format!(", which is there only because {requirer} requires it"),
        None => String::new(),
    };
    match kind {
        Kind::NotInWheel => format!("{file}:{line}: imports {module}, which is not in the wheel"),
        Kind::Undeclared => format!(
            "{file}:{line}: imports {module} of {distribution}, an undeclared dependency{because}"
        ),
        Kind::OnlyForExtra => format!(
            "{file}:{line}: imports {module} of {distribution}, which is declared only for an \
             extra that does not ship"
        ),
        Kind::NotInstalled => format!(
            "{file}:{line}: imports {module}; {distribution} is declared, but the requirements \
             do not hold it"
        ),
        Kind::Unknown => format!(
            "{file}:{line}: imports {module}, which no declared dependency provides and nothing \
             installed has"
        ),
        Kind::Syntax => format!("{file}:{line}: this Python cannot read it: {module}"),
    }
}

fn hint(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::NotInWheel => {
            Some("have the build put the module into the wheel, or drop the import")
        }
        Kind::Undeclared | Kind::Unknown => Some(
            "declare the dependency in pyproject.toml and lock anew; or, when the server works \
             without it, name it under [[prove.optional-import]] in release.toml",
        ),
        Kind::OnlyForExtra => Some(
            "ship the extra (`extras` under [server]), or import it inside `try: … except \
             ImportError`",
        ),
        Kind::NotInstalled => {
            Some("lock anew and write the requirements: `cargo xtask requirements`")
        }
        Kind::Syntax => Some("raise `requires-python`, or write it so that every Python reads it"),
    }
}

fn unsatisfied(wheel: &str, problems: &[Unsatisfied]) -> Error {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| {
            let by = if problem.by.eq_ignore_ascii_case(&wheel.replace('_', "-")) {
                "the wheel"
            } else {
                &problem.by
            };
            let Unsatisfied { requirement, .. } = problem;
            match &problem.found {
                Some(found) => {
                    format!("{by} needs {requirement}, but the requirements hold {found}")
                }
                None => format!("{by} needs {requirement}, which the requirements do not hold"),
            }
        })
        .collect();
    Error::refused(lines.join("\n       "))
        .hint("lock anew and write the requirements: `cargo xtask requirements`")
}
