//! What a package says about its license, as bills of materials want it. Pure.
//!
//! Texts are read by the SPDX specification (Annex D). Mended is only what has one meaning:
//! upper and lower case of identifiers and operators, and the slash that crates used for OR.
//! Everything else is kept as a name, without a guess at what it means.

use spdx::{Expression, LicenseItem, ParseMode};

/// The longest license name that is kept; some packages put the whole text there.
const LONGEST_NAME: usize = 200;

/// The longest text that is looked at as an expression.
const LONGEST_EXPRESSION: usize = 500;

/// A license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum License {
    /// One license of the SPDX list, by its identifier.
    Id(&'static str),
    /// An SPDX expression.
    Expression {
        /// The expression.
        text: String,
        /// The `LicenseRef-` identifiers in it, sorted.
        references: Vec<String>,
    },
    /// Something else: its first line.
    Name(String),
}

impl License {
    /// What people read.
    pub fn text(&self) -> &str {
        match self {
            License::Id(id) => id,
            License::Expression { text, .. } | License::Name(text) => text,
        }
    }
}

const MODE: ParseMode = ParseMode {
    allow_slash_as_or_operator: false,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

/// Reads what a package says; `None` when it says nothing.
pub fn read(text: &str) -> Option<License> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    if is_no_license(line) {
        return None;
    }
    let one_line = text.trim() == line && line.len() <= LONGEST_EXPRESSION;
    let license = one_line.then(|| expression(line)).flatten();
    Some(license.unwrap_or_else(|| License::Name(name(line))))
}

/// Words of SPDX documents that name no license, though the crate's list has the second.
fn is_no_license(text: &str) -> bool {
    ["NONE", "NOASSERTION"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text))
}

fn expression(text: &str) -> Option<License> {
    understood(text.to_owned()).or_else(|| understood(mended(text)))
}

fn understood(text: String) -> Option<License> {
    let parsed = Expression::parse_mode(&text, MODE).ok()?;
    if text
        .split_whitespace()
        .any(|word| operator(word).is_some_and(|right| right != word))
    {
        return None;
    }
    let mut references = Vec::new();
    for requirement in parsed.requirements() {
        if requirement
            .req
            .addition
            .as_ref()
            .is_some_and(|addition| addition.id().is_none())
        {
            return None;
        }
        if requirement
            .req
            .license
            .id()
            .is_some_and(|id| is_no_license(id.name))
        {
            return None;
        }
        if let LicenseItem::Other(reference) = &requirement.req.license {
            if reference.doc_ref.is_some() {
                return None;
            }
            references.push(format!("LicenseRef-{}", reference.lic_ref));
        }
    }
    references.sort();
    references.dedup();
    let inner = text.trim_matches(['(', ')']);
    Some(match exact(inner) {
        Some(id) => License::Id(id),
        None => License::Expression { text, references },
    })
}

/// The identifier of the SPDX list that is spelled so. For `GPL-2.0+`, which is on the list, the
/// crate finds `GPL-2.0`.
fn exact(text: &str) -> Option<&'static str> {
    let found = spdx::license_id(text).map(|id| id.name)?;
    let whole = if found == text {
        Some(found)
    } else {
        listed(text)
    };
    whole.filter(|id| *id == text)
}

/// The identifier of the SPDX list that this is, in any case.
fn listed(text: &str) -> Option<&'static str> {
    let mut licenses = spdx::identifiers::LICENSES
        .iter()
        .map(|license| license.name);
    licenses.find(|name| name.eq_ignore_ascii_case(text))
}

/// Words in the case of the SPDX list, operators in upper case, slashes as OR.
fn mended(text: &str) -> String {
    let spaced = if text.contains("://") || text.contains(':') {
        text.to_owned()
    } else {
        text.replace('/', " OR ")
    };
    let spaced = spaced.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<String> = spaced.split_whitespace().map(word).collect();
    words.join(" ").replace("( ", "(").replace(" )", ")")
}

fn operator(word: &str) -> Option<&'static str> {
    let mut operators = ["AND", "OR", "WITH"].into_iter();
    operators.find(|operator| operator.eq_ignore_ascii_case(word))
}

fn word(word: &str) -> String {
    if let Some(operator) = operator(word) {
        return operator.to_owned();
    }
    if let Some(id) = listed(word) {
        return id.to_owned();
    }
    if let Some(id) = word.strip_suffix('+').and_then(listed) {
        return format!("{id}+");
    }
    let mut exceptions = spdx::identifiers::EXCEPTIONS
        .iter()
        .map(|exception| exception.name);
    let exception = exceptions.find(|name| name.eq_ignore_ascii_case(word));
    exception.unwrap_or(word).to_owned()
}

fn name(line: &str) -> String {
    let visible = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    let mut name: String = line.chars().take(LONGEST_NAME).map(visible).collect();
    if line.chars().nth(LONGEST_NAME).is_some() {
        name.push('…');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licenses_are_identifiers_expressions_or_names() {
        let check = |text: &str, expected: &str| {
            let shown = match read(text) {
                None => "-".to_owned(),
                Some(License::Id(id)) => format!("id {id}"),
                Some(License::Expression { text, references }) => {
                    format!("expression {text}{}", references.join(","))
                }
                Some(License::Name(name)) => format!("name {name}"),
            };
            assert_eq!(shown, expected, "{text}");
        };
        check("MIT", "id MIT");
        check(" mit ", "id MIT");
        check("(MIT)", "id MIT");
        check("(MIT)OR(ISC)", "expression (MIT)OR(ISC)");
        check("MIT or ISC", "expression MIT OR ISC");
        check("GPL-2.0", "id GPL-2.0");
        check("GPL-2.0+", "id GPL-2.0+");
        check("apache-2.0+", "expression Apache-2.0+");
        check("Apache-2.0+", "expression Apache-2.0+");
        check("MIT/Apache-2.0", "expression MIT OR Apache-2.0");
        check(
            "(mit or apache-2.0) and ISC",
            "expression (MIT OR Apache-2.0) AND ISC",
        );
        check(
            "Apache-2.0 with LLVM-exception",
            "expression Apache-2.0 WITH LLVM-exception",
        );
        check("LicenseRef-x", "expression LicenseRef-xLicenseRef-x");
        check(
            "DocumentRef-a:LicenseRef-x",
            "name DocumentRef-a:LicenseRef-x",
        );
        check("BSD", "name BSD");
        check("Apache 2.0", "name Apache 2.0");
        check(
            "SEE LICENSE IN LICENSE.md",
            "name SEE LICENSE IN LICENSE.md",
        );
        check("UNLICENSED", "name UNLICENSED");
        check("MIT AND", "name MIT AND");
        check("\n\nMIT License\n\nCopyright …", "name MIT License");
        check("", "-");
        check(" \n ", "-");
        check("NOASSERTION", "-");
        check("noassertion", "-");
        check("MIT OR NOASSERTION", "name MIT OR NOASSERTION");
        check("a\0b", "name a b");
        check(&"x".repeat(500), &format!("name {}…", "x".repeat(200)));
        check(&"(".repeat(5_000), &format!("name {}…", "(".repeat(200)));
    }
}
