//! An API version that Kubernetes no longer serves.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "removed-api",
    stage: Stage::Deploy,
    title: "Manifests use API versions that are still served",
    why: "`kubectl apply` ends with `no matches for kind`, and what follows in the file is not applied",
    remedy: "write it in the version that took its place",
    look,
};

/// API version, kind (empty for all), the release without it, what took its place. Source:
/// Kubernetes, "Deprecated API Migration Guide".
const REMOVED: [(&str, &str, &str, &str); 29] = [
    (
        "extensions/v1beta1",
        "Ingress",
        "1.22",
        "networking.k8s.io/v1",
    ),
    (
        "extensions/v1beta1",
        "NetworkPolicy",
        "1.16",
        "networking.k8s.io/v1",
    ),
    (
        "extensions/v1beta1",
        "PodSecurityPolicy",
        "1.16",
        "Pod Security Admission: label the namespace",
    ),
    ("extensions/v1beta1", "", "1.16", "apps/v1"),
    ("apps/v1beta1", "", "1.16", "apps/v1"),
    ("apps/v1beta2", "", "1.16", "apps/v1"),
    (
        "networking.k8s.io/v1beta1",
        "",
        "1.22",
        "networking.k8s.io/v1",
    ),
    (
        "rbac.authorization.k8s.io/v1alpha1",
        "",
        "1.22",
        "rbac.authorization.k8s.io/v1",
    ),
    (
        "rbac.authorization.k8s.io/v1beta1",
        "",
        "1.22",
        "rbac.authorization.k8s.io/v1",
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration",
        "1.22",
        "admissionregistration.k8s.io/v1",
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        "ValidatingWebhookConfiguration",
        "1.22",
        "admissionregistration.k8s.io/v1",
    ),
    (
        "apiextensions.k8s.io/v1beta1",
        "",
        "1.22",
        "apiextensions.k8s.io/v1",
    ),
    (
        "apiregistration.k8s.io/v1beta1",
        "",
        "1.22",
        "apiregistration.k8s.io/v1",
    ),
    (
        "authentication.k8s.io/v1beta1",
        "TokenReview",
        "1.22",
        "authentication.k8s.io/v1",
    ),
    (
        "authorization.k8s.io/v1beta1",
        "",
        "1.22",
        "authorization.k8s.io/v1",
    ),
    (
        "certificates.k8s.io/v1beta1",
        "CertificateSigningRequest",
        "1.22",
        "certificates.k8s.io/v1",
    ),
    (
        "coordination.k8s.io/v1beta1",
        "Lease",
        "1.22",
        "coordination.k8s.io/v1",
    ),
    (
        "scheduling.k8s.io/v1beta1",
        "",
        "1.22",
        "scheduling.k8s.io/v1",
    ),
    (
        "storage.k8s.io/v1beta1",
        "CSIDriver",
        "1.22",
        "storage.k8s.io/v1",
    ),
    (
        "storage.k8s.io/v1beta1",
        "StorageClass",
        "1.22",
        "storage.k8s.io/v1",
    ),
    ("batch/v1beta1", "", "1.25", "batch/v1"),
    (
        "discovery.k8s.io/v1beta1",
        "",
        "1.25",
        "discovery.k8s.io/v1",
    ),
    ("events.k8s.io/v1beta1", "", "1.25", "events.k8s.io/v1"),
    ("autoscaling/v2beta1", "", "1.25", "autoscaling/v2"),
    ("autoscaling/v2beta2", "", "1.26", "autoscaling/v2"),
    ("policy/v1beta1", "PodDisruptionBudget", "1.25", "policy/v1"),
    (
        "policy/v1beta1",
        "PodSecurityPolicy",
        "1.25",
        "Pod Security Admission: label the namespace",
    ),
    ("node.k8s.io/v1beta1", "", "1.25", "node.k8s.io/v1"),
    (
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "",
        "1.29",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
];

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for object in facts.objects() {
        let removed = REMOVED.iter().find(|(api, kind, _, _)| {
            *api == object.api && (kind.is_empty() || *kind == object.kind)
        });
        if let Some((api, _, release, successor)) = removed {
            let line = object.node.get("apiVersion").map_or(1, Node::line);
            let message = format!("{api} {} is gone since Kubernetes {release}", object.kind);
            let remedy = match successor.contains(' ') {
                true => (*successor).to_owned(),
                false => format!("write apiVersion: {successor}"),
            };
            found.breaks(object.path, line, message).remedy(remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn only_removed_versions_are_named() {
        let of = |api: &str, kind: &str, expected: &[&str]| {
            let text = format!("# a\n---\nkind: {kind}\napiVersion: {api}\n");
            check(&RULE, &[("k.yaml", &text)], expected);
        };
        of("policy/v1beta1", "PodSecurityPolicy", &["breaks k.yaml:4"]);
        of(
            "autoscaling/v2beta2",
            "HorizontalPodAutoscaler",
            &["breaks k.yaml:4"],
        );
        of("extensions/v1beta1", "Deployment", &["breaks k.yaml:4"]);
        of("apps/v1", "Deployment", &[]);
        of("storage.k8s.io/v1beta1", "CSIStorageCapacityNew", &[]);
    }
}
