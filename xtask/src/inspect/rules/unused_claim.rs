//! A volume that is claimed and that no pod mounts, and one that is mounted and never claimed.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unused-claim",
    stage: Stage::Deploy,
    title: "Every PersistentVolumeClaim is mounted",
    why: "data is written into the container and lost with it, while an empty volume is paid for",
    remedy: "mount it: volumes with persistentVolumeClaim.claimName, and volumeMounts",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let workloads = facts.workloads();
    if workloads.is_empty() {
        return;
    }
    for claim in facts
        .objects()
        .iter()
        .filter(|one| one.kind == "PersistentVolumeClaim" && !one.name.is_empty())
    {
        if !facts.is_near_template(claim.path)
            && !workloads
                .iter()
                .any(|one| one.claims().any(|name| name == claim.name))
        {
            found.risk(
                claim.path,
                claim.node.line(),
                format!("no pod mounts the claim {}", claim.name),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn a_mounted_claim_is_fine() {
        let of = |name: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data}}\n---\napiVersion: v1\nkind: Pod\nspec:\n  volumes: [{{name: d, persistentVolumeClaim: {{claimName: {name}}}}}]\n"
            );
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of("data", &[]);
        of("other", &["risk k.yaml:1"]);
    }
}
