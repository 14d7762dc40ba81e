//! A dependency as `pyproject.toml` and lock files state it. Pure.

use serde_json::Value;

use super::origin::{Kind, Origin, git_url, join};
use crate::lockfile::poetry::Source;
use crate::marker::python_condition;
use crate::marker::{Algebra, Generic, Marker, Outcome, generic_condition, parse_generic};
use crate::name::normalize;
use crate::pep440::{self, Constraint, Context, Invalid};

/// One dependency of a project or a package.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The name in its normal form.
    pub name: String,
    /// The extras asked for, normalised and sorted.
    pub extras: Vec<String>,
    /// The versions that fit.
    pub constraint: Constraint,
    /// Where it must come from, unless from an index.
    pub origin: Option<Origin>,
    /// Whether pre-releases fit even when a final release does.
    pub allows_prereleases: Option<bool>,
    /// Whether it counts only when an extra brings it.
    pub optional: bool,
    /// The extras of its project that bring it.
    pub in_extras: Vec<String>,
    /// The environments that it counts in.
    pub marker: Marker,
    /// The Pythons that its marker allows.
    pub python: Constraint,
}

impl Dependency {
    /// A dependency on any version of `name` from an index.
    pub fn new(name: &str, constraint: Constraint) -> Dependency {
        Dependency {
            name: normalize(name),
            extras: Vec::new(),
            constraint,
            origin: None,
            allows_prereleases: None,
            optional: false,
            in_extras: Vec::new(),
            marker: Marker::any(),
            python: Constraint::any(),
        }
    }

    /// Sets the marker with what follows from it: the Pythons, and for a marker on extras
    /// that the dependency is optional.
    ///
    /// # Errors
    /// The marker cannot be taken apart.
    pub fn set_marker(&mut self, algebra: &Algebra, marker: Marker) -> Outcome<()> {
        let facts = algebra.facts(&marker)?;
        if let Some(extras) = &facts.extras {
            self.optional = true;
            for extra in extras.iter().map(|extra| normalize(extra)) {
                if !self.in_extras.contains(&extra) {
                    self.in_extras.push(extra);
                }
            }
        }
        self.python = facts.python.clone();
        self.marker = marker;
        Ok(())
    }

    /// Sets the extras asked for.
    pub fn set_extras<'name>(&mut self, extras: impl IntoIterator<Item = &'name str>) {
        let extras = extras.into_iter().map(str::trim);
        let mut extras: Vec<String> = extras
            .filter(|extra| !extra.is_empty())
            .map(normalize)
            .collect();
        extras.sort();
        extras.dedup();
        self.extras = extras;
    }

    /// Whether two dependencies ask for the same, their markers aside.
    pub fn is_same(&self, other: &Dependency) -> bool {
        let direct = |origin: &Option<Origin>| {
            origin
                .as_ref()
                .is_some_and(|origin| origin.kind.is_direct())
        };
        self.name == other.name
            && self.extras == other.extras
            && Origin::same(self.origin.as_ref(), other.origin.as_ref())
            && (direct(&self.origin) || self.constraint == other.constraint)
    }
}

/// Reads a specification as `[tool.poetry.dependencies]` has it: a version constraint, or a
/// table of one. Relative paths start at `folder`.
///
/// # Errors
/// A version, marker or key that cannot be read.
pub fn from_table(
    algebra: &Algebra,
    name: &str,
    spec: &Value,
    folder: &str,
) -> Outcome<Dependency> {
    let table = match spec {
        Value::String(version) => {
            let constraint = pep440::parse(version, Context::Distribution)?;
            return Ok(Dependency::new(name, constraint));
        }
        Value::Object(table) => table,
        _ => return Err(Invalid(format!("`{spec}` is no dependency")).into()),
    };
    let text = |key: &str| table.get(key).and_then(Value::as_str);
    let truth = |key: &str| table.get(key).and_then(Value::as_bool);
    let mut dependency = Dependency::new(name, Constraint::any());
    dependency.origin = origin(&text, folder);
    if dependency.origin.is_some() {
        dependency.allows_prereleases = Some(true);
    } else {
        let version = text("version").unwrap_or("*");
        dependency.constraint = pep440::parse(version, Context::Distribution)?;
        dependency.allows_prereleases = truth("allow-prereleases");
    }
    dependency.optional = truth("optional").unwrap_or(false);
    let extras = table.get("extras").and_then(Value::as_array);
    dependency.set_extras(extras.into_iter().flatten().filter_map(Value::as_str));
    let marker = marker(algebra, &text)?;
    if !marker.is_any() {
        dependency.set_marker(algebra, marker)?;
    }
    Ok(dependency)
}

fn origin<'table>(text: &impl Fn(&str) -> Option<&'table str>, folder: &str) -> Option<Origin> {
    let subdirectory = text("subdirectory").map(str::to_owned);
    let (kind, location) = if let Some(url) = text("git") {
        (Kind::Git, git_url(url).location)
    } else if let Some(path) = text("file") {
        (Kind::File, join(folder, path))
    } else if let Some(path) = text("path") {
        return Some(local(path, folder, subdirectory));
    } else {
        (Kind::Url, text("url")?.to_owned())
    };
    let reference = (kind == Kind::Git).then(|| {
        let named = ["branch", "tag", "rev"].iter().find_map(|key| text(key));
        named.unwrap_or("HEAD").to_owned()
    });
    Some(Origin {
        kind,
        location,
        reference,
        commit: None,
        subdirectory,
    })
}

/// A path is taken for an archive by its ending; nothing is looked up.
fn local(path: &str, folder: &str, subdirectory: Option<String>) -> Origin {
    const ARCHIVES: [&str; 8] = [
        ".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz",
    ];
    let lower = path.to_ascii_lowercase();
    let is_file = ARCHIVES.iter().any(|ending| lower.ends_with(ending));
    let inner = subdirectory.as_deref().unwrap_or(".");
    Origin {
        kind: if is_file { Kind::File } else { Kind::Directory },
        location: match is_file {
            true => join(folder, path),
            false => join(&join(folder, path), inner),
        },
        reference: None,
        commit: None,
        subdirectory: subdirectory.filter(|_| is_file),
    }
}

fn marker<'table>(
    algebra: &Algebra,
    text: &impl Fn(&str) -> Option<&'table str>,
) -> Outcome<Marker> {
    let mut marker = algebra.parse(text("markers").unwrap_or(""))?;
    if let Some(python) = text("python") {
        let constraint = pep440::parse(python, Context::Distribution)?;
        let condition = algebra.parse(&python_condition(&constraint))?;
        marker = algebra.intersect(&marker, &condition)?;
    }
    if let Some(platform) = text("platform") {
        let condition: Generic = parse_generic(platform, false)?;
        let condition = algebra.parse(&generic_condition("sys_platform", &condition))?;
        marker = algebra.intersect(&marker, &condition)?;
    }
    Ok(marker)
}

/// Reads a requirement string (PEP 508). Relative paths start at `folder`.
///
/// # Errors
/// The text is no requirement.
pub fn from_text(algebra: &Algebra, text: &str, folder: &str) -> Outcome<Dependency> {
    let wrong = || Invalid(format!("`{text}` is no requirement"));
    let without_comment = match text.split_once(" #") {
        Some((before, comment)) => match comment.split_once(" ;") {
            Some((_, marker)) => format!("{} ;{marker}", before.trim()),
            None => before.trim().to_owned(),
        },
        None => text.trim().to_owned(),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let end = without_comment
        .find(|c: char| !is_name(c))
        .unwrap_or(without_comment.len());
    let (name, rest) = without_comment.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(wrong().into());
    }
    let mut dependency = Dependency::new(name, Constraint::any());
    let mut rest = rest.trim_start();
    if let Some(behind) = rest.strip_prefix('[') {
        let (extras, behind) = behind.split_once(']').ok_or_else(wrong)?;
        dependency.set_extras(extras.split(','));
        rest = behind.trim_start();
    }
    let condition = if let Some(url) = rest.strip_prefix('@') {
        let url = url.trim_start();
        let (url, behind) = url.split_once(' ').unwrap_or((url, ""));
        set_url(&mut dependency, url, folder)?;
        behind
    } else {
        let (versions, behind) = match rest.split_once(';') {
            Some((versions, _)) => (versions, &rest[versions.len()..]),
            None => (rest, ""),
        };
        set_versions(&mut dependency, versions).map_err(|_| wrong())?;
        behind
    };
    let condition = condition.trim();
    match condition.strip_prefix(';') {
        Some(condition) => {
            let marker = algebra.parse(condition.trim())?;
            dependency.set_marker(algebra, marker)?;
        }
        None if !condition.is_empty() => return Err(wrong().into()),
        None => {}
    }
    Ok(dependency)
}

fn set_versions(dependency: &mut Dependency, versions: &str) -> Result<(), Invalid> {
    let versions = versions.trim();
    let inner = versions
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'));
    let versions = inner.unwrap_or(versions).trim();
    if versions.is_empty() {
        return Ok(());
    }
    let parts: Vec<&str> = versions.split(',').map(str::trim).collect();
    if !parts
        .iter()
        .all(|part| part.starts_with(['~', '=', '!', '<', '>']))
    {
        return Err(Invalid(versions.to_owned()));
    }
    dependency.constraint = pep440::parse(&parts.join(","), Context::Distribution)?;
    Ok(())
}

fn set_url(dependency: &mut Dependency, url: &str, folder: &str) -> Result<(), Invalid> {
    dependency.allows_prereleases = Some(true);
    let (plain, fragment) = url.split_once('#').unwrap_or((url, ""));
    let subdirectory = fragment
        .split('&')
        .find_map(|part| part.strip_prefix("subdirectory="))
        .map(str::to_owned);
    dependency.origin = Some(if url.starts_with("git+") || url.starts_with("git://") {
        let git = git_url(url);
        Origin {
            kind: Kind::Git,
            location: git.location,
            reference: Some(git.reference.unwrap_or_else(|| "HEAD".to_owned())),
            commit: None,
            subdirectory: git.subdirectory,
        }
    } else if plain.starts_with("http://") || plain.starts_with("https://") {
        Origin {
            kind: Kind::Url,
            location: plain.to_owned(),
            reference: None,
            commit: None,
            subdirectory,
        }
    } else {
        let path = plain.strip_prefix("file://").unwrap_or(plain);
        local(path, folder, subdirectory)
    });
    let file = plain.rsplit('/').next().unwrap_or(plain);
    if let Some(wheel) = file.strip_suffix(".whl")
        && let Some(version) = wheel.split('-').nth(1)
    {
        dependency.constraint = pep440::parse(version, Context::Distribution)?;
    }
    Ok(())
}

/// Reads an entry of a locked package's `extras`, which old lock files did not always write
/// as a requirement: `name[extra] (>=1,<2)`.
///
/// # Errors
/// Neither form fits.
pub fn from_locked_extra(algebra: &Algebra, text: &str, folder: &str) -> Outcome<Dependency> {
    from_text(algebra, text, folder).or_else(|fault| {
        let (head, constraint) = match text
            .strip_suffix(')')
            .and_then(|text| text.rsplit_once('('))
        {
            Some((head, constraint)) => (head.trim_end(), constraint),
            None => (text, "*"),
        };
        let (name, extras) = match head.strip_suffix(']').and_then(|head| head.split_once('[')) {
            Some((name, extras)) => (name, extras),
            None => (head, ""),
        };
        let constraint = pep440::parse(constraint, Context::Distribution).map_err(|_| fault)?;
        let mut dependency = Dependency::new(name, constraint);
        dependency.set_extras(extras.split(','));
        Ok(dependency)
    })
}

/// The origin of a locked package.
pub fn locked_origin(source: Option<&Source>, folder: &str) -> Option<Origin> {
    source.map(|source| Origin::of_locked(source, folder))
}
