//! A probe of a path or a port that the server does not have.

use super::Rule;
use crate::inspect::kubernetes::is_known_service;
use crate::inspect::source::{is_of_framework, serves};
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "probe-path",
    stage: Stage::Deploy,
    title: "Probes ask for paths and ports that the server has",
    why: "the probe gets 404, and Kubernetes kills the pod again and again",
    remedy: "serve the path, or probe with tcpSocket",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for workload in facts.workloads() {
        for container in workload.containers() {
            if is_known_service(container.text_of("image").unwrap_or_default()) {
                continue;
            }
            for kind in ["startupProbe", "readinessProbe", "livenessProbe"] {
                let Some(probe) = container.get(kind) else {
                    continue;
                };
                let asked = ["httpGet", "tcpSocket"]
                    .iter()
                    .find_map(|form| probe.get(form));
                if let Some(port) = asked.and_then(|asked| asked.get("port"))
                    && let Some(name) = port.text().filter(|name| name.parse::<u16>().is_err())
                    && !container
                        .list("ports")
                        .iter()
                        .any(|one| one.text_of("name") == Some(name))
                {
                    found.breaks(
                        workload.object.path,
                        port.line(),
                        format!("{kind} asks the port {name}, which the container does not name"),
                    );
                }
                if let Some(path) = probe.at(&["httpGet", "path"])
                    && let Some(text) = path.text()
                    && facts.serves
                    && facts.repository.is_whole()
                    && !is_of_framework(text)
                    && !serves(facts.repository, text)
                {
                    found.breaks(
                        workload.object.path,
                        path.line(),
                        format!("{kind} asks for {text}, which no source of the server names"),
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
    fn paths_are_looked_up_in_the_source() {
        let of = |probe: &str, source: &str, expected: &[&str]| {
            let text = format!(
                "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: a\n    ports: [{{name: http, containerPort: 1}}]\n    livenessProbe:\n      httpGet: {probe}\n"
            );
            check(&RULE, &[("k.yaml", &text), ("a.py", source)], expected);
        };
        let source = "app = FastAPI()\n@app.get('/health')\n";
        of("{path: /health, port: http}", source, &[]);
        of("{path: /ready, port: 80}", source, &["breaks k.yaml:8"]);
        of("{path: /health, port: web}", source, &["breaks k.yaml:8"]);
        of("{path: /ready, port: 80}", "x = 1\n", &[]);
        of(
            "{path: /api/health, port: 80}",
            "app = FastAPI()\nr = APIRouter(prefix='/api')\n@r.get('/health')\n",
            &[],
        );
    }
}
