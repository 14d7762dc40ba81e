//! Every rule: one file and one line in each of the two lists.

mod admin_page_open;
mod affinity_behind_load_balancer;
mod autoscaler_on_singleton;
mod autoscaler_without_requests;
mod autoscaler_without_target;
mod claim_shared_by_replicas;
mod claim_unused;
mod claim_with_rolling_update;
mod configuration_unused;
mod disruption_budget_blocks;
mod disruption_budget_idle;
mod disruption_budget_without_pods;
mod dns_without_tcp;
mod empty_file;
mod image_not_pinned;
mod ingress_annotation_unknown;
mod ingress_cuts_websockets;
mod ingress_without_service;
mod label_not_on_pods;
mod listens_locally;
mod mount_without_volume;
mod namespace_by_name_label;
mod namespace_hard_coded;
mod namespace_variable;
mod no_grace;
mod no_probes;
mod no_security_context;
mod no_session_affinity;
mod not_yaml;
mod object_twice;
mod pause_exceeds_grace;
mod policy_peer_without_pods;
mod policy_without_pods;
mod pull_always_latest;
mod readiness_is_liveness;
mod removed_api;
mod replicas_beside_autoscaler;
mod rights_missing;
mod rights_too_wide;
mod secret_in_environment;
mod secret_in_file;
mod selector_mismatch;
mod service_port_without_container;
mod service_without_pods;
mod stateful_set_without_service;
pub(super) mod suppression;
mod variable_twice;

use super::Rule;

/// All rules, by their names.
pub const RULES: &[&Rule] = &[
    &admin_page_open::RULE,
    &affinity_behind_load_balancer::RULE,
    &autoscaler_on_singleton::RULE,
    &autoscaler_without_requests::RULE,
    &autoscaler_without_target::RULE,
    &claim_shared_by_replicas::RULE,
    &claim_unused::RULE,
    &claim_with_rolling_update::RULE,
    &configuration_unused::RULE,
    &disruption_budget_blocks::RULE,
    &disruption_budget_idle::RULE,
    &disruption_budget_without_pods::RULE,
    &dns_without_tcp::RULE,
    &empty_file::RULE,
    &image_not_pinned::RULE,
    &ingress_annotation_unknown::RULE,
    &ingress_cuts_websockets::RULE,
    &ingress_without_service::RULE,
    &label_not_on_pods::RULE,
    &listens_locally::RULE,
    &mount_without_volume::RULE,
    &namespace_by_name_label::RULE,
    &namespace_hard_coded::RULE,
    &namespace_variable::RULE,
    &no_grace::RULE,
    &no_probes::RULE,
    &no_security_context::RULE,
    &no_session_affinity::RULE,
    &not_yaml::RULE,
    &object_twice::RULE,
    &pause_exceeds_grace::RULE,
    &policy_peer_without_pods::RULE,
    &policy_without_pods::RULE,
    &pull_always_latest::RULE,
    &readiness_is_liveness::RULE,
    &removed_api::RULE,
    &replicas_beside_autoscaler::RULE,
    &rights_missing::RULE,
    &rights_too_wide::RULE,
    &secret_in_environment::RULE,
    &secret_in_file::RULE,
    &selector_mismatch::RULE,
    &service_port_without_container::RULE,
    &service_without_pods::RULE,
    &stateful_set_without_service::RULE,
    &suppression::RULE,
    &variable_twice::RULE,
];
