//! A requirement as people write it (PEP 508), split into its parts. Pure.
//!
//! Only the parts are told apart; what a version specifier or a marker means is for others.

use crate::name::normalize;

/// A requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement<'text> {
    /// The name in its normal form.
    pub name: String,
    /// The extras asked for, in their normal form.
    pub extras: Vec<String>,
    /// The version specifiers as written, without brackets around them; may be empty.
    pub versions: &'text str,
    /// The address behind `@`.
    pub url: Option<&'text str>,
}

/// Splits a requirement; `None` when it is none.
pub fn parse(text: &str) -> Option<Requirement<'_>> {
    let text = text.trim();
    let is_name = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
    let (name, rest) = text.split_at(text.find(|one| !is_name(one)).unwrap_or(text.len()));
    if !name.starts_with(|one: char| one.is_ascii_alphanumeric()) {
        return None;
    }
    let mut rest = rest.trim_start();
    let mut extras = Vec::new();
    if let Some(behind) = rest.strip_prefix('[') {
        let (inside, behind) = behind.split_once(']')?;
        let inside = inside
            .split(',')
            .map(str::trim)
            .filter(|extra| !extra.is_empty());
        extras = inside.map(normalize).collect();
        rest = behind.trim_start();
    }
    let requirement = |versions, url| Requirement {
        name: normalize(name),
        extras,
        versions,
        url,
    };
    if let Some(url) = rest.strip_prefix('@') {
        // A marker behind an address needs a space before its semicolon.
        let url = url.split(" ;").next().unwrap_or(url).trim();
        return (!url.is_empty()).then(|| requirement("", Some(url)));
    }
    let versions = rest.split(';').next().unwrap_or_default().trim();
    let inside = versions
        .strip_prefix('(')
        .and_then(|inside| inside.strip_suffix(')'));
    let versions = inside.unwrap_or(versions).trim();
    let begins = versions.starts_with(['=', '<', '>', '!', '~']) || versions.is_empty();
    begins.then(|| requirement(versions, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_split() {
        let check = |text: &str, expected: Option<(&str, &str, &str, Option<&str>)>| {
            let found = parse(text);
            let found = found.as_ref().map(|found| {
                (
                    found.name.as_str(),
                    found.extras.join(","),
                    found.versions,
                    found.url,
                )
            });
            let expected = expected
                .map(|(name, extras, versions, url)| (name, extras.to_owned(), versions, url));
            assert_eq!(found, expected, "{text}");
        };
        check("A.b", Some(("a-b", "", "", None)));
        check("a==1.0", Some(("a", "", "==1.0", None)));
        check(
            "a [X_y, z] (>=1, <2) ; os_name == 'nt'",
            Some(("a", "x-y,z", ">=1, <2", None)),
        );
        check("a;python_version>'3'", Some(("a", "", "", None)));
        check("a @ file:///x ; m", Some(("a", "", "", Some("file:///x"))));
        check(
            "a[x]@git+https://h/r@v1#egg=a",
            Some(("a", "x", "", Some("git+https://h/r@v1#egg=a"))),
        );
        for wrong in ["", "-a", "a b", "a[x", "a @ ", "./a", "é==1", "a é"] {
            check(wrong, None);
        }
    }
}
