//! A workload that does not select the pods it makes.

use super::Rule;
use crate::inspect::kubernetes::shown_labels;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "selector-mismatch",
    stage: Stage::Deploy,
    title: "A workload's selector matches the labels of its template",
    why: "the API server rejects the object",
    remedy: "give the template every label of spec.selector.matchLabels",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for workload in facts.workloads() {
        if !matches!(
            workload.object.kind,
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet"
        ) {
            continue;
        }
        let Some(selector) = workload.object.spec(&["selector", "matchLabels"]) else {
            let line = workload
                .object
                .node
                .get("spec")
                .map_or(workload.object.node.line(), Node::line);
            if workload.object.spec(&["selector"]).is_none() {
                found.breaks(
                    workload.object.path,
                    line,
                    format!("{} has no selector", workload.object.shown()),
                );
            }
            continue;
        };
        if !selector.pairs().is_empty() && !workload.is_selected(selector) {
            let message = format!(
                "{} selects {}, which its template does not carry",
                workload.object.shown(),
                shown_labels(selector)
            );
            found.breaks(workload.object.path, selector.line(), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn every_label_of_the_selector_must_be_there() {
        let of = |labels: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: apps/v1\nkind: Deployment\nspec:\n  selector:\n    matchLabels:\n      app: a\n  template:\n    metadata:\n      labels: {labels}\n    spec: {{containers: []}}\n"
            );
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of("{app: a, x: y}", &[]);
        of("{app: b}", &["breaks k.yaml:6"]);
        of("{}", &["breaks k.yaml:6"]);
    }
}
