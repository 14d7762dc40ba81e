//! A module that is imported and comes from nowhere.

use super::Rule;
use crate::inspect::modules::{brings, is_distribution, providers};
use crate::inspect::project::{Dependency, Project};
use crate::inspect::{Facts, Findings, Stage};
use crate::lockfile::{Ecosystem, KINDS};

/// The rule.
pub static RULE: Rule = Rule {
    id: "undeclared-import",
    stage: Stage::Build,
    title: "Every distribution that is imported is declared",
    why: "the wheel installs without it, and the server ends with ModuleNotFoundError at its first start",
    remedy: "declare it in pyproject.toml and lock anew",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in facts.projects.iter().filter(|project| !project.is_dynamic) {
        let mut named: Vec<&str> = Vec::new();
        for python in facts
            .python_of(project)
            .filter(|python| is_shipped(facts, project, python.path))
        {
            for import in python.imports().iter().filter(|import| import.level == 0) {
                let top = import.module.split('.').next().unwrap_or_default();
                let Some(providers) = providers(top) else {
                    continue;
                };
                let own = project.roots().iter().any(|root| {
                    let start = if root.is_empty() {
                        String::new()
                    } else {
                        format!("{root}/")
                    };
                    facts.repository.has(&format!("{start}{top}"))
                        || facts.repository.has(&format!("{start}{top}.py"))
                });
                if own || named.contains(&providers[0]) || is_there(project, providers) {
                    continue;
                }
                let name = providers[0];
                named.push(name);
                let module = match top == name {
                    true => top.to_owned(),
                    false => format!("{top} of {name}"),
                };
                let message = format!("imports {module}, which {} does not declare", project.path);
                let (path, line) = (python.path, import.line);
                match whence(facts, project, name) {
                    Whence::Nowhere => found.breaks(path, line, message),
                    Whence::Locked => {
                        found.risk(path, line, format!("{message}; it is locked for now"))
                    }
                    Whence::Unknown => found.risk(
                        path,
                        line,
                        format!("{message}; another dependency may bring it along"),
                    ),
                };
            }
        }
    }
}

/// Where something that is not declared comes from.
enum Whence {
    Locked,
    Nowhere,
    Unknown,
}

/// A lock file knows; without one, what every declared dependency brings must be known here.
fn whence(facts: &Facts<'_>, project: &Project<'_>, name: &str) -> Whence {
    let texts: Vec<&str> = KINDS
        .iter()
        .filter(|kind| kind.ecosystem == Ecosystem::Pypi)
        .flat_map(|kind| [project.join(kind.name), kind.name.to_owned()])
        .filter_map(|path| facts.repository.text(&path))
        .collect();
    let forms = [
        format!("name = \"{name}\""),
        format!("{name}=="),
        format!("{name}["),
    ];
    let is_locked = texts
        .iter()
        .any(|text| forms.iter().any(|form| text.contains(form)));
    let is_known = |one: &Dependency| match name {
        "mcp" | "fastmcp" => !one.name.contains("mcp") && !one.name.contains("agent"),
        _ => is_distribution(&one.name),
    };
    match (is_locked, texts.is_empty()) {
        (true, _) => Whence::Locked,
        (false, false) => Whence::Nowhere,
        (false, true) if project.dependencies.iter().all(is_known) => Whence::Nowhere,
        (false, true) => Whence::Unknown,
    }
}

fn is_there(project: &Project<'_>, providers: &[&str]) -> bool {
    let declared = |name: &str| {
        project.depends_on(name)
            || project.more.iter().any(|one| one.name == name)
            || project
                .dependencies
                .iter()
                .chain(&project.more)
                .any(|one| brings(&one.name, name))
    };
    providers.iter().any(|name| declared(name))
}

/// Whether a file is part of a package: beside an `__init__.py`, or the target of a script.
fn is_shipped(facts: &Facts<'_>, project: &Project<'_>, path: &str) -> bool {
    let folder = crate::inspect::repository::folder_of(path);
    facts.repository.has(&format!("{folder}/__init__.py"))
        || project.scripts.iter().any(|(_, target)| {
            let module = target
                .text
                .split(':')
                .next()
                .unwrap_or_default()
                .replace('.', "/");
            path.ends_with(&format!("{module}.py"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    fn of(dependencies: &str, module: &str, expected: &[&str]) {
        let manifest =
            format!("[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [{dependencies}]\n");
        check(
            &RULE,
            &[
                ("s/pyproject.toml", &manifest),
                ("s/a/__init__.py", ""),
                ("s/a/m.py", module),
                ("s/scripts/x.py", "import mcp\n"),
                ("s/tests/x.py", "import mcp\n"),
            ],
            expected,
        );
    }

    #[test]
    fn what_is_declared_nowhere_is_named() {
        of(
            "",
            "\nfrom mcp.server import x\nimport mcp\n",
            &["breaks s/a/m.py:2"],
        );
        of("\"mcp<2\"", "import mcp, pydantic\n", &[]);
        of("\"fastmcp\"", "import mcp\n", &[]);
        of("\"click\"", "import yaml\n", &["breaks s/a/m.py:1"]);
        of("\"x\"", "import yaml\n", &["risk s/a/m.py:1"]);
        of("\"x-mcp\"", "import mcp\n", &["risk s/a/m.py:1"]);
        of("\"PyYAML\"", "import yaml\n", &[]);
        of(
            "",
            "try:\n    import mcp\nexcept ImportError:\n    mcp = None\n",
            &[],
        );
        of("", "def f():\n    import mcp\n", &[]);
        of("", "import unknown_module\nimport os\n", &[]);
    }

    #[test]
    fn what_something_else_locks_is_a_risk() {
        let manifest = "[tool.poetry]\nname = \"a\"\n[tool.poetry.dependencies]\nx = \"1\"\n";
        let files = [
            ("pyproject.toml", manifest),
            ("a/__init__.py", "import mcp\n"),
            ("poetry.lock", "[[package]]\nname = \"mcp\"\n"),
        ];
        check(&RULE, &files, &["risk a/__init__.py:1"]);
    }
}
