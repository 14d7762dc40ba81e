//! Licenses of locked packages, held against the list of allowed ones.
//!
//! Source: SPDX specification 2.3, annex D "SPDX license expressions"; an expression is allowed
//! when the allowed licenses satisfy it, so `MIT OR GPL-3.0-only` is by `MIT` alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::examine::Subject;
use super::policy::{Answer, LicenseException, Licenses, Policy};
use super::report::{LicenseFinding, Verdict};
use crate::advisory::record::normal_name;
use crate::error::{Error, Result};
use crate::lockfile::{Ecosystem, Scope, Source};

/// Names a package in one ecosystem: its name as in the lock file, and its version.
pub type PackageKey = (Ecosystem, String, String);

/// Licenses that were read somewhere.
pub type Known = BTreeMap<PackageKey, Declared>;

/// What a package's metadata say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The license, as written there.
    pub text: String,
    /// Where it was read: `package-lock.json`, `cargo metadata`, `METADATA`.
    pub origin: String,
}

/// Holds every package that ships against the list. What only serves development is given to
/// nobody, so its license binds nobody either.
pub fn judge(subject: &Subject, known: &Known, audit: &Policy) -> Vec<LicenseFinding> {
    let Some(policy) = &audit.licenses else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for scanned in &subject.scanned {
        let ecosystem = scanned.lock.ecosystem;
        if audit.is_development(&scanned.path) {
            continue;
        }
        for package in &scanned.lock.packages {
            let is_own = matches!(package.source, Source::Workspace { .. });
            if is_own || package.scope == Scope::Development {
                continue;
            }
            let named = (ecosystem, package.name.clone(), package.version.clone());
            let license = known.get(&named);
            let Some((answer, because)) = opinion(license, policy) else {
                continue;
            };
            let same = |name: &str| normal_name(ecosystem, name) == package.name;
            let excepted = policy.exceptions.iter().find(|it| same(&it.package));
            let verdict = match excepted {
                Some(_) => Verdict::Warned,
                None => answer.verdict(),
            };
            findings.push(LicenseFinding {
                lock: scanned.path.clone(),
                line: package.line,
                ecosystem,
                package: package.name.clone(),
                version: package.version.clone(),
                license: license.map(|license| license.text.clone()),
                origin: license.map(|license| license.origin.clone()),
                verdict,
                because: match excepted {
                    Some(LicenseException { reason, .. }) => format!("{because}; {reason}"),
                    None => because,
                },
            });
        }
    }
    findings
}

/// What is wrong with a license; `None` when it is allowed.
fn opinion(license: Option<&Declared>, policy: &Licenses) -> Option<(Answer, String)> {
    let Some(license) = license else {
        return Some((policy.unknown, "nothing here holds its metadata".to_owned()));
    };
    let Some(expression) = expression(&license.text) else {
        let because = "its metadata hold no SPDX expression".to_owned();
        return Some((policy.unknown, because));
    };
    let allowed = expression.evaluate(|requirement| {
        let mut allow = policy.allow.iter();
        allow.any(|licensee| licensee.satisfies(requirement))
    });
    (!allowed).then(|| (Answer::Deny, "not in audit.license.allow".to_owned()))
}

/// The form of `licenses.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    packages: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    ecosystem: Ecosystem,
    name: String,
    version: String,
    license: String,
    origin: String,
}

/// What is known as a file: `{"schema": 1, "packages": […]}`, sorted.
///
/// # Panics
/// Never: it is plain text.
pub fn write(known: &Known) -> String {
    let entry = |((ecosystem, name, version), declared): (&PackageKey, &Declared)| Entry {
        ecosystem: *ecosystem,
        name: name.clone(),
        version: version.clone(),
        license: declared.text.clone(),
        origin: declared.origin.clone(),
    };
    let document = Document {
        schema: 1,
        packages: known.iter().map(entry).collect(),
    };
    serde_json::to_string_pretty(&document).expect("plain text always serialises") + "\n"
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// It is something else.
pub fn read(text: &[u8], place: &str) -> Result<Known> {
    let document: Document = serde_json::from_slice(text).map_err(|cause| {
        Error::failure(format!("{place}: {cause}")).hint("make it anew: cargo xtask release")
    })?;
    let known = |entry: Entry| {
        let declared = Declared {
            text: entry.license,
            origin: entry.origin,
        };
        ((entry.ecosystem, entry.name, entry.version), declared)
    };
    Ok(document.packages.into_iter().map(known).collect())
}

/// Reads a license expression, also in the spellings that old metadata have (`MIT/Apache-2.0`).
pub fn expression(text: &str) -> Option<spdx::Expression> {
    const LONGEST: usize = 2_000;
    if text.len() > LONGEST {
        return None;
    }
    spdx::Expression::parse_mode(text, spdx::ParseMode::LAX).ok()
}

/// What core metadata of a Python distribution say (PyPA "Core metadata": `License-Expression`,
/// then `License` when it is an expression, then classifiers that name one license each).
pub fn of_metadata(text: &str) -> Option<String> {
    let head = text.split("\n\n").next().unwrap_or_default();
    let fields = || head.lines().filter_map(|line| line.split_once(':'));
    let field = |wanted: &str| {
        let found = fields().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim())
    };
    if let Some(text) = field("License-Expression") {
        return Some(text.to_owned());
    }
    let written = field("License").filter(|text| !text.is_empty() && *text != "UNKNOWN");
    if let Some(text) = written.filter(|text| expression(text).is_some()) {
        return Some(text.to_owned());
    }
    let classified: Vec<&str> = fields()
        .filter(|(name, _)| name.eq_ignore_ascii_case("Classifier"))
        .filter_map(|(_, value)| value.trim().strip_prefix("License :: OSI Approved :: "))
        .collect();
    let short = |text: &str| text.chars().take(100).collect();
    match classified.as_slice() {
        [] => written.map(short),
        [one] => of_classifier(one)
            .map(str::to_owned)
            .or(written.map(short))
            .or_else(|| Some(short(one))),
        // Nothing says whether all of them bind or one can be chosen, so it is no expression.
        several => Some(short(&several.join(", "))),
    }
}

/// Classifiers that stand for exactly one SPDX id. PEP 639 has a list of those that do not, such
/// as `BSD License` and `Apache Software License`: for them a person has to look.
fn of_classifier(name: &str) -> Option<&'static str> {
    Some(match name {
        "MIT License" => "MIT",
        "MIT No Attribution License (MIT-0)" => "MIT-0",
        "ISC License (ISCL)" => "ISC",
        "Mozilla Public License 2.0 (MPL 2.0)" => "MPL-2.0",
        "The Unlicense (Unlicense)" => "Unlicense",
        "zlib/libpng License" => "Zlib",
        "GNU General Public License v2 (GPLv2)" => "GPL-2.0-only",
        "GNU General Public License v2 or later (GPLv2+)" => "GPL-2.0-or-later",
        "GNU General Public License v3 (GPLv3)" => "GPL-3.0-only",
        "GNU General Public License v3 or later (GPLv3+)" => "GPL-3.0-or-later",
        "GNU Lesser General Public License v3 (LGPLv3)" => "LGPL-3.0-only",
        "GNU Lesser General Public License v3 or later (LGPLv3+)" => "LGPL-3.0-or-later",
        "GNU Affero General Public License v3" => "AGPL-3.0-only",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::examine::{Extent, Scanned};
    use crate::audit::examples::{lock, package};

    fn policy(allow: &[&str]) -> Policy {
        let parse = |text: &&str| spdx::Licensee::parse(text).unwrap();
        let licenses = Licenses {
            allow: allow.iter().map(parse).collect(),
            unknown: Answer::Warn,
            exceptions: vec![LicenseException {
                package: "Excepted".to_owned(),
                reason: "looked at".to_owned(),
            }],
        };
        Policy {
            licenses: Some(licenses),
            ..Policy::default()
        }
    }

    fn judged(name: &str, text: Option<&str>, scope: Scope) -> Option<(Verdict, String)> {
        let mut package = package(name, "1.0", &[]);
        package.scope = scope;
        let subject = Subject {
            scanned: vec![Scanned {
                path: "poetry.lock".to_owned(),
                kind: crate::audit::examples::kind(),
                lock: lock(vec![package], &[0]),
                sha256: crate::artifact::Digest::of(b""),
            }],
            skipped: Vec::new(),
            extent: Extent::Whole,
        };
        let mut known = Known::new();
        if let Some(text) = text {
            let license = Declared {
                text: text.to_owned(),
                origin: "METADATA".to_owned(),
            };
            known.insert(
                (Ecosystem::Pypi, name.to_owned(), "1.0".to_owned()),
                license,
            );
        }
        let findings = judge(&subject, &known, &policy(&["MIT", "Apache-2.0"]));
        let finding = findings.into_iter().next();
        finding.map(|finding| (finding.verdict, finding.because))
    }

    #[test]
    fn the_list_decides_and_unknown_is_said() {
        use Scope::{Development, Ships};
        assert_eq!(judged("p", Some("MIT"), Ships), None);
        assert_eq!(judged("p", Some("GPL-3.0-only OR MIT"), Ships), None);
        assert_eq!(judged("p", Some("MIT/Apache-2.0"), Ships), None);
        let check = |name, text, scope, verdict, because: &str| {
            assert_eq!(
                judged(name, text, scope),
                Some((verdict, because.to_owned()))
            );
        };
        let gpl = Some("GPL-3.0-only");
        check(
            "p",
            gpl,
            Ships,
            Verdict::Denied,
            "not in audit.license.allow",
        );
        assert_eq!(judged("p", gpl, Development), None);
        check(
            "p",
            Some("MIT AND GPL-3.0-only"),
            Ships,
            Verdict::Denied,
            "not in audit.license.allow",
        );
        check(
            "p",
            None,
            Ships,
            Verdict::Warned,
            "nothing here holds its metadata",
        );
        check(
            "p",
            Some("see file"),
            Ships,
            Verdict::Warned,
            "its metadata hold no SPDX expression",
        );
        check(
            "excepted",
            gpl,
            Ships,
            Verdict::Warned,
            "not in audit.license.allow; looked at",
        );
    }

    #[test]
    fn what_is_known_is_read_as_it_was_written() {
        let named = (Ecosystem::Pypi, "p".to_owned(), "1.0".to_owned());
        let declared = Declared {
            text: "MIT".to_owned(),
            origin: "METADATA".to_owned(),
        };
        let known = Known::from([(named, declared)]);
        assert_eq!(read(write(&known).as_bytes(), "x").unwrap(), known);
        assert!(read(b"{}", "x").unwrap_err().message.starts_with("x: "));
    }

    #[test]
    fn core_metadata_say_it_in_three_ways() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(of_metadata(text).as_deref(), expected, "{text}");
        };
        check(
            "Name: a\nLicense-Expression: MIT OR ISC\n\nLicense: x",
            Some("MIT OR ISC"),
        );
        check("License: BSD-3-Clause\n", Some("BSD-3-Clause"));
        check(
            "License: MIT License\nClassifier: License :: OSI Approved :: MIT License\n",
            Some("MIT"),
        );
        let classifier = |name: &str| format!("Classifier: License :: OSI Approved :: {name}\n");
        let (mit, bsd) = (classifier("MIT License"), classifier("BSD License"));
        check(&mit, Some("MIT"));
        check(&bsd, Some("BSD License"));
        check(&format!("License: 3-clause\n{bsd}"), Some("3-clause"));
        check(&format!("{mit}{bsd}"), Some("MIT License, BSD License"));
        assert!(expression("MIT License, BSD License").is_none());
        assert!(expression("BSD License").is_none());
        check("License: see file\n", Some("see file"));
        check("License: UNKNOWN\n", None);
        check("Name: a\n\nLicense: MIT\n", None);
    }
}
