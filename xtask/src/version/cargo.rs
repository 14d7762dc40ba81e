//! Cargo: the members of a workspace, what they require of each other, and its lock file. Pure.

use semver::VersionReq;
use toml_edit::{Document, Item, TableLike, Value};

use super::number::Number;
use super::place::{Form, Place, Toml};
use crate::error::Result;

/// The tables of dependencies.
const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What may stand before the numbers of a requirement.
const OPERATORS: [&str; 6] = [">=", "<=", "=", "^", "~", ">"];

/// The name of the package that a manifest describes.
pub fn package_name(text: &str) -> Option<String> {
    let document = Document::parse(text.to_owned()).ok()?;
    let name = document.get("package")?.get("name")?;
    name.as_str().map(str::to_owned)
}

/// The member patterns of a workspace.
pub fn workspace_members(text: &str) -> Vec<String> {
    let Ok(document) = Document::parse(text.to_owned()) else {
        return Vec::new();
    };
    let members = document
        .get("workspace")
        .and_then(|table| table.get("members"));
    let list = members.and_then(Item::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// What a manifest requires of members of the workspace by path and version.
///
/// # Errors
/// A version that is written with escapes.
pub fn requirements(toml: &Toml<'_>, members: &[String]) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    let top = toml.top();
    let mut look = |prefix: &str, table: Option<&Item>| -> Result<()> {
        for name in TABLES {
            let found = table.and_then(|table| table.get(name));
            if let Some(found) = found.and_then(Item::as_table_like) {
                table_of(
                    toml,
                    &format!("{prefix}{name}"),
                    found,
                    members,
                    &mut places,
                )?;
            }
        }
        Ok(())
    };
    look("", Some(top))?;
    look("workspace.", top.get("workspace"))?;
    let targets = top.get("target").and_then(Item::as_table_like);
    for (target, table) in targets.into_iter().flat_map(TableLike::iter) {
        look(&format!("target.{target}."), Some(table))?;
    }
    Ok(places)
}

fn table_of(
    toml: &Toml<'_>,
    path: &str,
    table: &dyn TableLike,
    members: &[String],
    places: &mut Vec<Place>,
) -> Result<()> {
    for (key, item) in table.iter() {
        let package = item.get("package").and_then(Item::as_str).unwrap_or(key);
        let is_member = members.iter().any(|member| member == package);
        if !is_member || item.get("path").is_none() {
            continue;
        }
        let version = item.get("version");
        let stated = version
            .map(|item| toml.text_of(item))
            .transpose()?
            .flatten();
        if stated.is_some() {
            places.push(Place {
                key: format!("{path}.{key}.version"),
                form: Form::Requirement,
                stated,
            });
        }
    }
    Ok(())
}

/// A requirement that lets this version in: the one that is there when it does, otherwise the
/// same operator with as many numbers. `None` when that cannot be said so.
pub fn requirement(old: &str, number: &Number) -> Option<String> {
    let version = semver::Version::parse(&number.semantic()).ok()?;
    let trimmed = old.trim();
    let operator = OPERATORS.iter().find(|it| trimmed.starts_with(**it));
    let operator = operator.copied().unwrap_or_default();
    let rest = trimmed.strip_prefix(operator)?;
    let gap = rest.len() - rest.trim_start().len();
    let (gap, numbers) = rest.split_at(gap);
    // One that names a whole version names the new one, too.
    let whole = Number::parse(numbers).is_some();
    if !whole && VersionReq::parse(old).is_ok_and(|it| it.matches(&version)) {
        return Some(old.to_owned());
    }
    let precision = numbers.split('.').count();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = match whole {
        true => number.semantic(),
        false if precision < 3 && numbers.split('.').all(digits) => match number.pre {
            None => {
                let semantic = number.semantic();
                let parts: Vec<&str> = semantic.split('.').take(precision).collect();
                parts.join(".")
            }
            Some(_) => number.semantic(),
        },
        false => return None,
    };
    let new = format!("{operator}{gap}{numbers}");
    let fits = VersionReq::parse(&new).is_ok_and(|it| it.matches(&version));
    fits.then(|| old.replace(trimmed, &new))
}

/// Whether a requirement lets a version in.
pub fn lets_in(requirement: &str, number: &Number) -> bool {
    let version = semver::Version::parse(&number.semantic());
    version.is_ok_and(|version| {
        VersionReq::parse(requirement).is_ok_and(|requirement| requirement.matches(&version))
    })
}

/// The members' entries of a lock file, and what points to them by name and version.
///
/// # Errors
/// A version that is written with escapes.
pub fn lock(toml: &Toml<'_>, members: &[String]) -> Result<Vec<Place>> {
    let packages = toml.top().get("package").and_then(Item::as_array_of_tables);
    let is_member = |package: &toml_edit::Table, member: &str| {
        package.get("name").and_then(Item::as_str) == Some(member)
            && !package.contains_key("source")
    };
    let mut places = Vec::new();
    let mut versions = Vec::new();
    for member in members {
        let mut all = packages.into_iter().flatten();
        let found = all.find(|package| is_member(package, member));
        let version = found.and_then(|package| package.get("version"));
        let stated = version
            .map(|item| toml.text_of(item))
            .transpose()?
            .flatten();
        if let Some((version, _)) = &stated {
            versions.push(format!("{member} {version}"));
        }
        places.push(Place {
            key: format!("package {member}"),
            form: Form::Semantic,
            stated,
        });
    }
    for package in packages.into_iter().flatten() {
        let name = package
            .get("name")
            .and_then(Item::as_str)
            .unwrap_or_default();
        let list = package.get("dependencies").and_then(Item::as_array);
        for value in list.into_iter().flatten() {
            let says = value
                .as_str()
                .filter(|says| versions.iter().any(|it| it == says));
            if let Some(stated) = toml.stated(says, value.span())? {
                places.push(Place {
                    key: format!("dependencies of {name}"),
                    form: Form::Named,
                    stated: Some(stated),
                });
            }
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_keep_their_operator_and_their_precision() {
        let check = |old: &str, new: &str, expected: Option<&str>| {
            let number = Number::parse(new).unwrap();
            assert_eq!(
                requirement(old, &number).as_deref(),
                expected,
                "{old} {new}"
            );
        };
        check("1.2.3", "1.2.4", Some("1.2.4"));
        check("=1.2.3", "2.0.0", Some("=2.0.0"));
        check("= 1.2.3", "2.0.0", Some("= 2.0.0"));
        check(" ^1.2.3 ", "2.0.0", Some(" ^2.0.0 "));
        check("1.2", "1.3.0", Some("1.2"));
        check("1.2", "2.0.0", Some("2.0"));
        check("1", "2.0.0", Some("2"));
        check("~1.2", "1.3.0", Some("~1.3"));
        check("0.1", "0.2.0-rc.1", Some("0.2.0-rc.1"));
        check("1.2.0-rc.1", "1.2.0", Some("1.2.0"));
        check("*", "2.0.0", Some("*"));
        check(">=1, <2", "1.5.0", Some(">=1, <2"));
        check(">=1, <2", "2.0.0", None);
        check("1.*", "2.0.0", None);
        check("nonsense", "2.0.0", None);
    }
}
