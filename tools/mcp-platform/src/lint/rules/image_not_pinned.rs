//! An image without a version.

use crate::lint::{Found, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "image-not-pinned",
    severity: Severity::Warning,
    why: "two pods of one Deployment can run different programs, and going back leads to the same image",
    remedy: "name a version, or better a digest: `name@sha256:…`",
    docs: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        for container in workload.all_containers() {
            if moving(&container.word("image")) && container.word("imagePullPolicy") != "Always" {
                let text = format!("image {} can change at any time", container.word("image"));
                found.at(workload.object, container.line_of("image"), text);
            }
        }
    }
}

/// Whether an image has neither digest nor a tag other than `latest`.
pub fn moving(image: &str) -> bool {
    if image.is_empty() || image.contains('@') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':')
        .is_none_or(|(_, tag)| tag == "latest" || tag.is_empty())
}
