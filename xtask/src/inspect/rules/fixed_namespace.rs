//! A namespace that is written where the cluster knows it.

use super::Rule;
use crate::inspect::kubernetes::Workload;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "fixed-namespace",
    stage: Stage::Deploy,
    title: "POD_NAMESPACE comes from the pod",
    why: "deployed into another namespace, the server looks for its Services where they are not",
    remedy: "valueFrom: {fieldRef: {fieldPath: metadata.namespace}}",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for workload in facts.workloads() {
        for container in workload.containers() {
            for (name, value) in Workload::environment(container) {
                if matches!(name, "POD_NAMESPACE" | "KUBERNETES_NAMESPACE") {
                    found.risk(
                        workload.object.path,
                        value.line(),
                        format!(
                            "{name} is written down: {}",
                            value.text().unwrap_or_default()
                        ),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn a_reference_is_fine() {
        let of = |value: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - env:\n    - name: POD_NAMESPACE\n      {value}\n"
            );
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of("value: default", &["risk k.yaml:7"]);
        of(
            "valueFrom: {fieldRef: {fieldPath: metadata.namespace}}",
            &[],
        );
    }
}
