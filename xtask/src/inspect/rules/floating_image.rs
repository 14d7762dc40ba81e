//! An image that is another one tomorrow.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "floating-image",
    stage: Stage::Deploy,
    title: "Images are named by a version, not by `latest`",
    why: "two pods of one Deployment run different programs after the tag has moved, and there is nothing to go back to",
    remedy: "name a version, best with its digest: NAME:1.2.3@sha256:…",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for file in &facts.dockerfiles {
        for one in file.all("FROM") {
            let image = one
                .rest
                .split_whitespace()
                .find(|word| !word.starts_with("--"))
                .unwrap_or_default();
            if image != "scratch" && floats(image) && !is_stage(file, image) {
                found.risk(
                    file.path,
                    one.line,
                    format!("the base image {image} is not pinned"),
                );
            }
        }
    }
    for workload in facts.workloads() {
        for container in workload
            .pod
            .list("initContainers")
            .iter()
            .chain(workload.containers())
        {
            if let Some(image) = container.get("image")
                && let Some(name) = image.text().filter(|name| floats(name))
            {
                found.risk(
                    workload.object.path,
                    image.line(),
                    format!("the image {name} is not pinned"),
                );
            }
        }
    }
}

fn is_stage(file: &crate::inspect::docker::Dockerfile<'_>, image: &str) -> bool {
    file.all("FROM").any(|one| {
        let words: Vec<&str> = one.rest.split_whitespace().collect();
        words
            .windows(2)
            .any(|pair| pair[0].eq_ignore_ascii_case("as") && pair[1] == image)
    })
}

/// Whether an image has no tag and no digest, or the tag `latest`.
fn floats(image: &str) -> bool {
    if image.is_empty() || image.contains(['$', '@', '<']) {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn versions_digests_stages_and_variables_are_fine() {
        let text = "FROM python:3.12 AS build\nFROM build\nFROM python\nFROM --platform=x a/b:latest\nFROM a@sha256:0\nFROM $X\nFROM scratch\nFROM localhost:5000/a:1\n";
        check(
            &RULE,
            &[("Dockerfile", text)],
            &["risk Dockerfile:3", "risk Dockerfile:4"],
        );
        let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: a:latest\n  - image: a:1\n";
        check(&RULE, &[("k.yaml", pod)], &["risk k.yaml:5"]);
    }
}
