//! A pause before the end that leaves no time for the end.

use crate::lint::{Found, Node, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "pause-exceeds-grace",
    severity: Severity::Error,
    why: "the pause counts into the grace period: the server is killed before, or while, it ends its sessions",
    remedy: "let terminationGracePeriodSeconds be more than twice the pause, and at least the pause and the time that the server takes",
    docs: "https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-execution",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads() {
        let grace = workload
            .template
            .number("spec.terminationGracePeriodSeconds")
            .unwrap_or(30);
        for container in workload.containers() {
            let Some(hook) = container.at("lifecycle.preStop") else {
                continue;
            };
            if let Some(pause) = pause(hook).filter(|pause| pause * 2 >= grace) {
                let text =
                    format!("it pauses for {pause} of {grace} seconds before it is asked to end");
                found.at(workload.object, hook.line, text);
            }
        }
    }
}

/// The seconds of `sleep`, by its own field or in a command, or of our own bridge.
fn pause(hook: &Node) -> Option<i64> {
    if let Some(seconds) = hook.number("sleep.seconds") {
        return Some(seconds);
    }
    let command: Vec<String> = hook.each("exec.command").filter_map(Node::text).collect();
    let words = command.join(" ");
    let (_, after) = words
        .split_once("sleep ")
        .or_else(|| words.split_once("bridge --pause "))?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
