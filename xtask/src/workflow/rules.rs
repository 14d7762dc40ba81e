//! Every rule, one file each. A rule is added by its file and its line in [`RULES`]; a test fails
//! when a line is missing.

pub mod allow_comment;
mod broad_permissions;
mod cannot_fail;
mod foreign_command;
mod identity_and_password;
mod invalid_expression;
mod invalid_workflow;
mod missing_local_action;
mod missing_script;
mod needless_identity;
mod pin_without_version;
mod publish_in_reusable_workflow;
mod publish_without_artifact;
mod publish_without_test;
mod pull_request_target_checkout;
mod rebuild_before_publish;
mod release_starts_nothing;
mod release_without_concurrency;
mod release_without_environment;
mod removed_option;
mod retired_artifact_action;
mod secret_in_command;
mod tag_as_version;
mod tag_is_no_version;
mod test_after_publish;
mod undefined_matrix_value;
mod uninstalled_tool;
mod unknown_verb;
mod unpinned_action;
mod untrusted_input;
mod wrong_token_variable;

use super::repository::Repository;
use super::rule::{Finding, Found, Rule};

/// Every rule, in the order of the document.
pub static RULES: &[&Rule] = &[
    &invalid_workflow::RULE,
    &invalid_expression::RULE,
    &undefined_matrix_value::RULE,
    &foreign_command::RULE,
    &unknown_verb::RULE,
    &missing_script::RULE,
    &missing_local_action::RULE,
    &cannot_fail::RULE,
    &unpinned_action::RULE,
    &pin_without_version::RULE,
    &retired_artifact_action::RULE,
    &broad_permissions::RULE,
    &identity_and_password::RULE,
    &needless_identity::RULE,
    &publish_in_reusable_workflow::RULE,
    &test_after_publish::RULE,
    &publish_without_test::RULE,
    &rebuild_before_publish::RULE,
    &publish_without_artifact::RULE,
    &secret_in_command::RULE,
    &untrusted_input::RULE,
    &pull_request_target_checkout::RULE,
    &release_without_concurrency::RULE,
    &release_without_environment::RULE,
    &tag_is_no_version::RULE,
    &tag_as_version::RULE,
    &release_starts_nothing::RULE,
    &wrong_token_variable::RULE,
    &removed_option::RULE,
    &uninstalled_tool::RULE,
    &allow_comment::RULE,
];

/// Everything that the rules find, rule by rule.
pub fn judge(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES.iter().copied() {
        (rule.find)(
            repository,
            &mut Found::new(rule, &repository.tool, &mut findings),
        );
    }
    findings
}

/// All rules as a Markdown table, as the document has it.
pub fn table() -> String {
    let row = |rule: &&Rule| {
        let Rule {
            id,
            title,
            why,
            mend,
            refuses,
            ..
        } = rule;
        format!(
            "| `{id}` | {title} | {why} | {mend} | {} |\n",
            refuses.word()
        )
    };
    let rows: String = RULES.iter().map(row).collect();
    format!("| rule | says | why | remedy | level |\n|---|---|---|---|---|\n{rows}")
}
