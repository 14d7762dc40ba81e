//! A Role that allows everything.

use crate::lint::{Found, Node, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "rights-too-wide",
    severity: Severity::Warning,
    why: "whoever takes over the server has the namespace or the cluster",
    remedy: "name the verbs and resources that the server uses",
    docs: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    let roles = set
        .objects
        .iter()
        .filter(|object| object.kind == "Role" || object.kind == "ClusterRole");
    for role in roles {
        for rule in role.node.each("rules") {
            let wide = ["verbs", "resources"]
                .into_iter()
                .find(|list| rule.each(list).filter_map(Node::text).any(|one| one == "*"));
            if let Some(list) = wide {
                found.at(
                    role,
                    rule.line_of(list),
                    format!("a rule has `*` in its {list}"),
                );
            }
        }
    }
}
