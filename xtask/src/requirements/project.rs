//! What `pyproject.toml` says about dependencies: `[project]`, `[dependency-groups]` and
//! `[tool.poetry]`, alone or mixed. Pure.
//!
//! Source: PyPA "pyproject.toml specification", PEP 735, and `poetry-core` 2.5, `factory.py` and
//! `packages/dependency_group.py`, for how the two forms complete each other.

use serde_json::{Map, Value};

use super::dependency::{self, Dependency};
use super::origin::Origin;
use crate::config::place;
use crate::error::{Error, Result};
use crate::marker::{Algebra, Outcome};
use crate::name::normalize;
use crate::pep440::{self, Constraint, Context, Invalid};

/// The group of the dependencies that the distribution itself needs.
pub const MAIN: &str = "main";

/// The Pythons of a project that names none.
const ANY_PYTHON: &str = "~2.7 || >=3.4";

/// A project's dependencies.
#[derive(Debug)]
pub struct Project {
    /// The name in its normal form.
    pub name: String,
    /// The Pythons that it supports.
    pub python: Constraint,
    /// Its dependency groups, in the order in which Poetry walks them.
    pub groups: Vec<Group>,
    /// Its extras, normalised.
    pub extras: Vec<String>,
    /// `[[tool.poetry.source]]`, in order.
    pub indexes: Vec<Index>,
}

/// A dependency group.
#[derive(Debug)]
pub struct Group {
    /// The name in its normal form.
    pub name: String,
    /// What it asks for, as it is locked.
    pub dependencies: Vec<Dependency>,
}

/// An index that the project names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its URL without a slash at the end; PyPI needs none.
    pub url: Option<String>,
    /// How it is asked.
    pub priority: Priority,
}

/// When an index is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Always.
    Primary,
    /// When no primary one has the package.
    Supplemental,
    /// Only for packages that name it.
    Explicit,
}

/// Reads the TOML; `file` names it in errors.
///
/// # Errors
/// The text is no TOML.
pub fn values(text: &str, file: &str) -> Result<Value> {
    toml::from_str(text).map_err(|cause| {
        let (line, column) = place(text, cause.span().map_or(0, |span| span.start));
        let message = cause.message().trim().replace('\n', ", ");
        Error::failure(format!("{file}:{line}:{column}: not TOML: {message}"))
            .hint(format!("mend {file} there"))
    })
}

/// Reads the project from its TOML; paths in it start at `folder`.
///
/// # Errors
/// A dependency, version or group that cannot be read; the message names it.
pub fn read(algebra: &Algebra, pyproject: &Value, folder: &str) -> Outcome<Project> {
    let none = Map::new();
    let table = |value: Option<&'_ Value>| value.and_then(Value::as_object).cloned();
    let project = table(pyproject.get("project")).unwrap_or_default();
    let poetry = pyproject.get("tool").and_then(|tool| tool.get("poetry"));
    let poetry = poetry.and_then(Value::as_object).unwrap_or(&none);
    let mut drafts = Drafts {
        algebra,
        folder,
        list: Vec::new(),
    };
    drafts.add_project(&project)?;
    if let Some(dependencies) = poetry.get("dependencies") {
        drafts.add_poetry(MAIN, dependencies)?;
    }
    drafts.add_groups(pyproject.get("dependency-groups"), poetry.get("group"))?;
    if let Some(dependencies) = poetry.get("dev-dependencies") {
        drafts.add_poetry("dev", dependencies)?;
    }
    let name = project.get("name").or_else(|| poetry.get("name"));
    Ok(Project {
        name: normalize(name.and_then(Value::as_str).unwrap_or("non-package-mode")),
        python: python(&project, poetry)?,
        extras: extras(&project, poetry),
        indexes: indexes(poetry.get("source")),
        groups: drafts.finish()?,
    })
}

/// `python` of `[tool.poetry.dependencies]` is the one that is locked for.
fn python(project: &Map<String, Value>, poetry: &Map<String, Value>) -> Outcome<Constraint> {
    let requires = project.get("requires-python").and_then(Value::as_str);
    let dependencies = poetry.get("dependencies").and_then(Value::as_object);
    let mut versions = requires.unwrap_or("*");
    for (name, value) in dependencies.into_iter().flatten() {
        if name.eq_ignore_ascii_case("python") {
            versions = value.as_str().unwrap_or(versions);
        }
    }
    if versions == "*" {
        versions = ANY_PYTHON;
    }
    Ok(pep440::parse(versions, Context::Marker)?)
}

fn extras(project: &Map<String, Value>, poetry: &Map<String, Value>) -> Vec<String> {
    let keys = |table: Option<&Value>| -> Vec<String> {
        let table = table.and_then(Value::as_object);
        table
            .into_iter()
            .flatten()
            .map(|(key, _)| normalize(key))
            .collect()
    };
    let optional = keys(project.get("optional-dependencies"));
    let dependencies = project.get("dependencies").and_then(Value::as_array);
    let legacy = optional.is_empty() && dependencies.is_none_or(Vec::is_empty);
    if legacy {
        keys(poetry.get("extras"))
    } else {
        optional
    }
}

fn indexes(sources: Option<&Value>) -> Vec<Index> {
    let text =
        |source: &Value, key: &str| source.get(key).and_then(Value::as_str).map(str::to_owned);
    let sources = sources.and_then(Value::as_array).into_iter().flatten();
    let index = |source: &Value| {
        let url = text(source, "url");
        Some(Index {
            name: text(source, "name")?,
            url: url.map(|url| url.trim_end_matches('/').to_owned()),
            priority: match text(source, "priority").as_deref() {
                Some("supplemental") => Priority::Supplemental,
                Some("explicit") => Priority::Explicit,
                _ => Priority::Primary,
            },
        })
    };
    sources.filter_map(index).collect()
}

/// A group while it is read.
#[derive(Debug, Default)]
struct Draft {
    name: String,
    /// From `[project]` or `[dependency-groups]`.
    standard: Vec<Dependency>,
    /// From `[tool.poetry]`.
    poetry: Vec<Dependency>,
    includes: Vec<String>,
    /// Whether `[project]` leaves part of its dependencies to `[tool.poetry]`.
    is_dynamic: bool,
}

struct Drafts<'read> {
    algebra: &'read Algebra,
    folder: &'read str,
    list: Vec<Draft>,
}

impl Drafts<'_> {
    fn group(&mut self, name: &str) -> &mut Draft {
        let name = normalize(name);
        let place = match self.list.iter().position(|draft| draft.name == name) {
            Some(place) => place,
            None => {
                self.list.push(Draft {
                    name,
                    ..Draft::default()
                });
                self.list.len() - 1
            }
        };
        &mut self.list[place]
    }

    fn add_project(&mut self, project: &Map<String, Value>) -> Outcome<()> {
        let dependencies = project.get("dependencies").and_then(Value::as_array);
        let optional = project.get("optional-dependencies");
        let optional = optional
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        if dependencies.is_none() && optional.is_empty() {
            return Ok(());
        }
        let dynamic = project.get("dynamic").and_then(Value::as_array);
        let is_dynamic = dynamic
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .any(|key| matches!(key, "dependencies" | "optional-dependencies"));
        let mut standard = Vec::new();
        for text in dependencies.into_iter().flatten().filter_map(Value::as_str) {
            standard.push(dependency::from_text(self.algebra, text, self.folder)?);
        }
        for (extra, list) in &optional {
            let list = list.as_array().into_iter().flatten();
            for text in list.filter_map(Value::as_str) {
                let mut dependency = dependency::from_text(self.algebra, text, self.folder)?;
                dependency.optional = true;
                dependency.in_extras = vec![normalize(extra)];
                standard.push(dependency);
            }
        }
        let group = self.group(MAIN);
        group.is_dynamic = is_dynamic;
        group.standard = standard;
        Ok(())
    }

    fn add_poetry(&mut self, group: &str, table: &Value) -> Outcome<()> {
        let mut found = Vec::new();
        for (name, value) in table.as_object().into_iter().flatten() {
            if name.eq_ignore_ascii_case("python") {
                continue;
            }
            let several = value
                .as_array()
                .map_or(std::slice::from_ref(value), Vec::as_slice);
            for one in several {
                found.push(dependency::from_table(
                    self.algebra,
                    name,
                    one,
                    self.folder,
                )?);
            }
        }
        self.group(group).poetry.append(&mut found);
        Ok(())
    }

    fn add_groups(&mut self, standard: Option<&Value>, poetry: Option<&Value>) -> Outcome<()> {
        for (name, list) in standard.and_then(Value::as_object).into_iter().flatten() {
            self.group(name);
            for entry in list.as_array().into_iter().flatten() {
                if let Some(text) = entry.as_str() {
                    let dependency = dependency::from_text(self.algebra, text, self.folder)?;
                    self.group(name).standard.push(dependency);
                } else if let Some(included) = entry.get("include-group").and_then(Value::as_str) {
                    self.group(name).includes.push(normalize(included));
                }
            }
        }
        for (name, group) in poetry.and_then(Value::as_object).into_iter().flatten() {
            let includes = group.get("include-groups").and_then(Value::as_array);
            let includes = includes.into_iter().flatten().filter_map(Value::as_str);
            self.group(name).includes.extend(includes.map(normalize));
            if let Some(dependencies) = group.get("dependencies") {
                self.add_poetry(name, dependencies)?;
            }
        }
        Ok(())
    }

    fn finish(&self) -> Outcome<Vec<Group>> {
        let group = |draft: &Draft| {
            Ok(Group {
                name: draft.name.clone(),
                dependencies: self.resolve(draft, 0)?,
            })
        };
        self.list.iter().map(group).collect()
    }

    /// A group's own dependencies, then those of the groups that it includes.
    fn resolve(&self, draft: &Draft, depth: usize) -> Outcome<Vec<Dependency>> {
        if depth > self.list.len() {
            let problem = format!("the dependency group `{}` includes itself", draft.name);
            return Err(Invalid(problem).into());
        }
        let mut dependencies = self.own(draft)?;
        for name in &draft.includes {
            let included = self.list.iter().find(|other| other.name == *name);
            let included = included.ok_or_else(|| {
                Invalid(format!(
                    "the dependency group `{}` includes `{name}`, which is not defined",
                    draft.name
                ))
            })?;
            dependencies.extend(self.resolve(included, depth + 1)?);
        }
        Ok(dependencies)
    }

    /// `[tool.poetry]` completes the standard tables: a dependency in both is one.
    fn own(&self, draft: &Draft) -> Outcome<Vec<Dependency>> {
        if draft.poetry.is_empty() {
            return Ok(draft.standard.clone());
        }
        if draft.standard.is_empty() {
            return Ok(draft.poetry.clone());
        }
        let mut list = draft.standard.clone();
        let optional = draft.standard.iter().filter(|one| one.optional).count();
        if draft.is_dynamic && (optional == 0 || optional == list.len()) {
            let missing = optional == 0;
            let more = draft.poetry.iter().filter(|one| one.optional == missing);
            list.extend(more.cloned());
        }
        let mut complete = Vec::new();
        for dependency in list {
            let mut merged = Vec::new();
            for poetry in draft
                .poetry
                .iter()
                .filter(|one| one.name == dependency.name)
            {
                merged.extend(self.complete(&dependency, poetry)?);
            }
            match merged.is_empty() {
                true => complete.push(dependency),
                false => complete.append(&mut merged),
            }
        }
        Ok(complete)
    }

    fn complete(&self, standard: &Dependency, poetry: &Dependency) -> Outcome<Option<Dependency>> {
        let mut marker = standard.marker.clone();
        if !standard.in_extras.is_empty() {
            let wanted: Vec<String> = standard
                .in_extras
                .iter()
                .map(|extra| format!("extra == '{extra}'"))
                .collect();
            let wanted = self.algebra.parse(&wanted.join(" or "))?;
            marker = self.algebra.intersect(&marker, &wanted)?;
        }
        let mut both = self.algebra.intersect(&marker, &poetry.marker)?;
        if both.is_empty() {
            return Ok(None);
        }
        if both == marker {
            both = standard.marker.clone();
        }
        let constraint = standard.constraint.intersect(&poetry.constraint);
        let differ = standard.origin.is_some()
            && poetry.origin.is_some()
            && !Origin::same(standard.origin.as_ref(), poetry.origin.as_ref());
        if constraint.is_empty() || differ {
            let problem = format!(
                "[project] and [tool.poetry.dependencies] contradict each other about `{}`",
                standard.name
            );
            return Err(Invalid(problem).into());
        }
        let mut dependency = match standard.origin {
            Some(_) => standard.clone(),
            None => Dependency {
                extras: standard.extras.clone(),
                optional: standard.optional,
                in_extras: standard.in_extras.clone(),
                ..poetry.clone()
            },
        };
        dependency.constraint = constraint;
        dependency.set_marker(self.algebra, both)?;
        Ok(Some(dependency))
    }
}
