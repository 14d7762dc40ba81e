//! A server in a pod that listens on the loopback address.

use crate::lint::{Found, Node, Rule, Set, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "listens-locally",
    severity: Severity::Error,
    why: "nobody reaches it: probes and Services come from outside of the pod",
    remedy: "let it listen on 0.0.0.0",
    docs: "https://kubernetes.io/docs/concepts/services-networking/",
    check,
};

fn check(set: &Set, found: &mut Found) {
    for workload in set.workloads().filter(crate::lint::Workload::serves) {
        // Another container of the same pod may be the one that is reached.
        if workload.containers().count() != 1 {
            continue;
        }
        for container in workload.containers() {
            let words = || container.each("command").chain(container.each("args"));
            let after = words().skip(1).zip(words());
            let by_option = after.filter_map(|(word, before)| {
                let before = before.text().unwrap_or_default();
                (matches!(
                    before.as_str(),
                    "--host" | "--bind" | "--address" | "--listen"
                ) && local(word))
                .then_some(word)
            });
            let joined = words().filter(|word| {
                let text = word.text().unwrap_or_default();
                ["--host=", "--bind=", "--address=", "--listen="]
                    .iter()
                    .any(|option| text.strip_prefix(option).is_some_and(loopback))
            });
            let by_variable = container
                .each("env")
                .filter(|variable| {
                    matches!(
                        variable.word("name").as_str(),
                        "HOST" | "ADDR" | "MCP_HOST" | "BIND_HOST"
                    )
                })
                .filter_map(|variable| variable.get("value"))
                .filter(|value| local(value));
            if let Some(word) = by_option.chain(joined).chain(by_variable).next() {
                let text = format!(
                    "container {} listens on {}",
                    container.word("name"),
                    word.text().unwrap_or_default()
                );
                found.at(workload.object, word.line, text);
            }
        }
    }
}

fn local(word: &Node) -> bool {
    word.text().is_some_and(|text| loopback(&text))
}

fn loopback(text: &str) -> bool {
    ["127.0.0.1", "localhost", "[::1]", "::1"]
        .iter()
        .any(|host| {
            text.strip_prefix(host)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        })
}
