//! A server that listens where nobody outside of its container can reach it.

use super::Rule;
use crate::inspect::kubernetes::Workload;
use crate::inspect::{Facts, Findings, Stage};
use crate::yaml::Node;

/// The rule.
pub static RULE: Rule = Rule {
    id: "loopback-bind",
    stage: Stage::Deploy,
    title: "A server in a container listens on all addresses",
    why: "127.0.0.1 of a container is not reachable from outside: ports, Services and probes all fail",
    remedy: "start it with --host 0.0.0.0, and keep others out with a NetworkPolicy and a token",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for file in &facts.dockerfiles {
        let exposes = file.last("EXPOSE").is_some();
        for word in ["CMD", "ENTRYPOINT"] {
            if let Some(one) = file.last(word).filter(|one| binds_loopback(&one.words())) {
                found.breaks(file.path, one.line, "the server is started on 127.0.0.1");
            }
        }
        let starts = file.last("CMD").or_else(|| file.last("ENTRYPOINT"));
        let says_host = |one: &&crate::inspect::docker::Instruction| {
            one.rest.contains("--host") || one.rest.contains("0.0.0.0")
        };
        if let Some(start) = starts.filter(|start| {
            exposes && !says_host(start) && file.all("ENTRYPOINT").all(|one| !says_host(&one))
        }) && let Some(variable) = default_loopback(facts)
        {
            let is_set = |text: &str| text.contains(variable);
            let in_image = file
                .all("ENV")
                .chain(file.all("ARG"))
                .any(|one| is_set(&one.rest));
            let in_manifest = facts.yaml.iter().any(|file| {
                facts.repository.text(file.path).is_some_and(|text| {
                    crate::inspect::python::words(text).any(|word| word == variable)
                })
            });
            if !in_image && !in_manifest && runs_python(&start.rest) {
                let message = format!(
                    "the server listens on 127.0.0.1 unless {variable} is set, and nothing sets it"
                );
                found
                    .breaks(file.path, start.line, message)
                    .remedy(format!("ENV {variable}=0.0.0.0"));
            }
        }
    }
    for workload in facts.workloads() {
        for container in workload.containers() {
            let words: Vec<String> = container
                .list("command")
                .iter()
                .chain(container.list("args"))
                .filter_map(|node| node.text().map(str::to_owned))
                .collect();
            if binds_loopback(&words) {
                let line = container
                    .get("args")
                    .or_else(|| container.get("command"))
                    .map_or(1, Node::line);
                found.breaks(
                    workload.object.path,
                    line,
                    "the server is started on 127.0.0.1",
                );
            }
            for (name, value) in Workload::environment(container) {
                let is_read = facts.environment.field(name).is_some() || name.ends_with("HOST");
                if is_read
                    && is_loopback(value.text().unwrap_or_default())
                    && facts.environment.field(name).is_some()
                {
                    found.breaks(
                        workload.object.path,
                        value.line(),
                        format!("{name} has the server listen on 127.0.0.1"),
                    );
                }
            }
        }
    }
}

fn is_loopback(text: &str) -> bool {
    matches!(text, "127.0.0.1" | "localhost" | "::1")
}

fn binds_loopback(words: &[String]) -> bool {
    let pairs = words.windows(2).any(|pair| {
        matches!(pair[0].as_str(), "--host" | "--bind" | "--address") && is_loopback(&pair[1])
    });
    pairs
        || words
            .iter()
            .any(|word| word.strip_prefix("--host=").is_some_and(is_loopback))
}

fn runs_python(start: &str) -> bool {
    ["python", "uvicorn", "mcp"]
        .iter()
        .any(|word| start.contains(word))
}

/// The variable whose default is the loopback address.
fn default_loopback<'facts>(facts: &'facts Facts<'_>) -> Option<&'facts str> {
    let fields = facts.environment.fields.iter();
    let hosts = fields.filter(|field| field.variable.ends_with("HOST"));
    let mut loopback = hosts.filter(|field| field.default.as_deref().is_some_and(is_loopback));
    let only = loopback.next()?;
    let name = only.variable.as_str();
    matches!(name, "HOST" | "MCP_HOST" | "BIND_HOST" | "SERVER_HOST").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn words_and_defaults_count() {
        let of = |text: &str, expected: &[&str]| check(&RULE, &[("Dockerfile", text)], expected);
        of(
            "FROM a\nCMD [\"x\", \"--host\", \"127.0.0.1\"]\n",
            &["breaks Dockerfile:2"],
        );
        of("FROM a\nCMD x --host=localhost\n", &["breaks Dockerfile:2"]);
        of("FROM a\nCMD x --host 0.0.0.0\n", &[]);
        let settings = ("s.py", "host = os.getenv('HOST', '127.0.0.1')\n");
        let with = |text: &str, expected: &[&str]| {
            check(&RULE, &[("Dockerfile", text), settings], expected);
        };
        with(
            "FROM a\nEXPOSE 80\nCMD python -m s\n",
            &["breaks Dockerfile:3"],
        );
        with(
            "FROM a\nENV HOST=0.0.0.0\nEXPOSE 80\nCMD python -m s\n",
            &[],
        );
        with("FROM a\nEXPOSE 80\nCMD python -m s --host 0.0.0.0\n", &[]);
        with("FROM a\nCMD python -m s\n", &[]);
    }

    #[test]
    fn arguments_of_pods_count() {
        let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: a\n    args:\n    - --host\n    - ADDRESS\n";
        check(
            &RULE,
            &[("k.yaml", &pod.replace("ADDRESS", "127.0.0.1"))],
            &["breaks k.yaml:7"],
        );
        check(
            &RULE,
            &[("k.yaml", &pod.replace("ADDRESS", "0.0.0.0"))],
            &[],
        );
    }
}
