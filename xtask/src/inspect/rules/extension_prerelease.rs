//! A version of an extension that the Marketplace does not take.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "extension-prerelease",
    stage: Stage::Publish,
    title: "An extension's version is three numbers",
    why: "the Marketplace refuses a suffix such as -rc.1; a pre-release is a flag of the upload",
    remedy: "write MAJOR.MINOR.PATCH, and publish it with the flag --pre-release",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for package in facts.extensions() {
        let Some(version) = package.top.text("version") else {
            continue;
        };
        let parts: Vec<&str> = version.split('.').collect();
        let is_plain = parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok());
        if !is_plain {
            found.breaks(
                package.path,
                package.line("version"),
                format!("the version {version} is not three numbers"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn three_numbers_are_fine() {
        let of = |version: &str, expected: &[&str]| {
            let text =
                format!("{{\"engines\": {{\"vscode\": \"1\"}},\n\"version\": \"{version}\"}}");
            check(&RULE, &[("package.json", &text)], expected);
        };
        of("1.2.3", &[]);
        of("1.2.3-rc.1", &["breaks package.json:2"]);
        of("1.2", &["breaks package.json:2"]);
        of("v1.2.3", &["breaks package.json:2"]);
    }
}
