//! Every rule as data: what it says, why it matters, what to do, and the function that looks.
//!
//! One file a rule, one line in [`RULES`].

mod autoscaled_singleton;
mod broken_lock;
mod broken_manifest;
mod broken_script;
mod committed_artifact;
mod copied_source;
mod disruption_budget;
mod dns_over_udp;
mod empty_manifest;
mod exposed_port;
mod extension_entry;
mod extension_metadata;
mod extension_prerelease;
mod fixed_namespace;
mod floating_image;
mod generic_package;
mod health_check;
mod ignored_manifest_in;
mod loopback_bind;
mod missing_copy;
mod missing_license;
mod missing_lock;
mod missing_module;
mod missing_npm_script;
mod missing_ownership_marker;
mod missing_package_file;
mod missing_permission;
mod missing_probe;
mod missing_reference;
mod mount_without_volume;
mod namespace_label;
mod no_console_script;
mod plain_secret;
mod policy_peer;
mod probe_path;
mod project_readme;
mod refused_classifier;
mod refused_value;
mod relative_image;
mod removed_api;
mod rolling_volume;
mod root_container;
mod selector_mismatch;
mod server_json;
mod server_json_version;
mod session_affinity;
mod several_extensions;
mod stale_lock;
mod stdout_print;
mod unbounded_sdk;
mod undeclared_import;
mod unknown_extra;
mod unknown_service;
mod unlimited_container;
mod unread_variable;
mod unused_claim;
mod version_disagreement;

use super::Facts;
use super::finding::{Findings, Stage};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Stable name in kebab-case.
    pub id: &'static str,
    /// What a finding spoils.
    pub stage: Stage,
    /// What the rule says, as a short sentence without a full stop.
    pub title: &'static str,
    /// Why breaking it matters.
    pub why: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Looks at a repository.
    pub look: fn(&Facts<'_>, &mut Findings),
}

/// Every rule, in the order of the stages.
pub static RULES: &[&Rule] = &[
    &broken_lock::RULE,
    &broken_manifest::RULE,
    &broken_script::RULE,
    &committed_artifact::RULE,
    &copied_source::RULE,
    &extension_entry::RULE,
    &generic_package::RULE,
    &ignored_manifest_in::RULE,
    &missing_lock::RULE,
    &missing_module::RULE,
    &missing_npm_script::RULE,
    &missing_package_file::RULE,
    &missing_reference::RULE,
    &no_console_script::RULE,
    &several_extensions::RULE,
    &stale_lock::RULE,
    &stdout_print::RULE,
    &unbounded_sdk::RULE,
    &undeclared_import::RULE,
    &unknown_extra::RULE,
    &extension_metadata::RULE,
    &extension_prerelease::RULE,
    &missing_license::RULE,
    &missing_ownership_marker::RULE,
    &project_readme::RULE,
    &refused_classifier::RULE,
    &relative_image::RULE,
    &server_json::RULE,
    &server_json_version::RULE,
    &version_disagreement::RULE,
    &autoscaled_singleton::RULE,
    &disruption_budget::RULE,
    &dns_over_udp::RULE,
    &empty_manifest::RULE,
    &exposed_port::RULE,
    &fixed_namespace::RULE,
    &floating_image::RULE,
    &health_check::RULE,
    &loopback_bind::RULE,
    &missing_copy::RULE,
    &missing_permission::RULE,
    &missing_probe::RULE,
    &mount_without_volume::RULE,
    &namespace_label::RULE,
    &plain_secret::RULE,
    &policy_peer::RULE,
    &probe_path::RULE,
    &refused_value::RULE,
    &removed_api::RULE,
    &rolling_volume::RULE,
    &root_container::RULE,
    &selector_mismatch::RULE,
    &session_affinity::RULE,
    &unknown_service::RULE,
    &unlimited_container::RULE,
    &unread_variable::RULE,
    &unused_claim::RULE,
];

/// All rules as a Markdown table, as `docs/doctor-rules.md` has it.
pub fn table() -> String {
    let row = |rule: &&Rule| {
        let (id, stage) = (rule.id, rule.stage.word());
        format!(
            "| `{id}` | {stage} | {} | {} | {} |\n",
            rule.title, rule.why, rule.remedy
        )
    };
    let rows: String = RULES.iter().map(row).collect();
    format!("| rule | breaks | says | why | mend |\n|---|---|---|---|---|\n{rows}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_rule_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/inspect/rules");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| name.trim_end_matches(".rs").replace('_', "-"))
            .collect();
        files.sort();
        let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        assert_eq!(files, ids);
    }

    #[test]
    fn rules_are_told_by_stage() {
        assert!(RULES.is_sorted_by_key(|rule| rule.stage));
    }
}
