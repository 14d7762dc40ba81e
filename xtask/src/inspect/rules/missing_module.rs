//! An import of a module of one's own that is not there.

use std::collections::BTreeSet;

use super::Rule;
use crate::inspect::project::Project;
use crate::inspect::python::{Import, Python};
use crate::inspect::repository::{file_name, folder_of};
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-module",
    stage: Stage::Build,
    title: "Every module and name that the server imports from itself is there",
    why: "the import fails as soon as the server is started",
    remedy: "add the module or the name, or drop the import",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    if !facts.repository.is_whole() {
        return;
    }
    for project in &facts.projects {
        let tops = own_packages(facts, project);
        for python in facts.python_of(project) {
            let in_package = is_in_package(facts, python.path);
            for import in python.imports() {
                let base = match import.level {
                    0 => absolute(facts, project, &tops, &import),
                    _ if !in_package => None,
                    level => {
                        relative(python.path, level).map(|folder| join(&folder, &import.module))
                    }
                };
                if let Some(base) = base
                    && let Some(message) = judge(facts, &base, &import)
                {
                    found.breaks(python.path, import.line, message);
                }
            }
        }
    }
}

/// The folders of the project's own top-level packages, without those that share the name of
/// something that is installed.
fn own_packages(facts: &Facts<'_>, project: &Project<'_>) -> BTreeSet<(String, String)> {
    let mut tops = BTreeSet::new();
    for root in project.roots() {
        let start = if root.is_empty() {
            String::new()
        } else {
            format!("{root}/")
        };
        for path in facts.repository.below(&root) {
            let rest = path.strip_prefix(&start).unwrap_or(path);
            if let Some((top, "__init__.py")) = rest.split_once('/')
                && !project.depends_on(top)
                && crate::inspect::modules::providers(top).is_none()
            {
                tops.insert((top.to_owned(), format!("{start}{top}")));
            }
        }
    }
    tops
}

fn is_in_package(facts: &Facts<'_>, path: &str) -> bool {
    facts
        .repository
        .has(&format!("{}/__init__.py", folder_of(path)))
}

fn absolute(
    facts: &Facts<'_>,
    project: &Project<'_>,
    tops: &BTreeSet<(String, String)>,
    import: &Import,
) -> Option<String> {
    let (top, rest) = import
        .module
        .split_once('.')
        .unwrap_or((&import.module, ""));
    let mut folders = tops.iter().filter(|(name, _)| name == top);
    let (_, folder) = folders.next()?;
    // A package in two places, or one that others add to, is not judged.
    if folders.next().is_some()
        || facts.projects.iter().any(|other| {
            other.folder != project.folder
                && other
                    .name
                    .as_ref()
                    .is_some_and(|name| name.text.replace('-', "_") == top)
        })
    {
        return None;
    }
    Some(join(folder, rest))
}

fn relative(path: &str, level: usize) -> Option<String> {
    let mut folder = folder_of(path);
    for _ in 1..level {
        if folder.is_empty() {
            return None;
        }
        folder = folder_of(folder);
    }
    Some(folder.to_owned())
}

fn join(folder: &str, module: &str) -> String {
    match module {
        "" => folder.to_owned(),
        module => format!("{folder}/{}", module.replace('.', "/")),
    }
}

/// What is wrong with importing names from a module, whose path without ending is `base`.
fn judge(facts: &Facts<'_>, base: &str, import: &Import) -> Option<String> {
    let repository = facts.repository;
    let exists = |path: &str| {
        let compiled = ["py", "pyi", "pyx", "so", "pyd"]
            .iter()
            .any(|end| repository.has(&format!("{path}.{end}")));
        compiled || repository.folders.contains(path) || is_generated(repository, path)
    };
    let dots = ".".repeat(import.level);
    let shown = format!("{dots}{}", import.module);
    if !exists(base) {
        return Some(format!("imports {shown}, which is not there"));
    }
    let file = [format!("{base}.py"), format!("{base}/__init__.py")];
    let file = file.iter().find(|path| repository.has(path))?;
    let python: &Python<'_> = facts.python_file(file)?;
    let missing: Vec<&str> = import
        .names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "*" && !name.is_empty())
        .filter(|name| !name.starts_with("__") && !exists(&format!("{base}/{name}")))
        .collect();
    if missing.is_empty() || python.is_dynamic() {
        return None;
    }
    let bound = python.bound();
    let name = missing.into_iter().find(|name| !bound.contains(name))?;
    Some(format!(
        "imports {name} from {shown}, which {file} does not define"
    ))
}

/// Modules that a build writes.
fn is_generated(repository: &crate::inspect::Repository, path: &str) -> bool {
    let name = file_name(path);
    name.starts_with("_version")
        || name == "version"
        || name.contains("_pb2")
        || repository.is_made(&format!("{path}.py"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    fn of(text: &str, expected: &[&str]) {
        let files = [
            ("pyproject.toml", "[project]\nname = \"a\"\n"),
            ("a/__init__.py", "from .tools import (one,\n  two)\n"),
            ("a/tools/__init__.py", "one = 1\ndef two(): ...\n"),
            ("a/tools/deep.py", "x: int = 1\n"),
            ("a/star.py", "from x import *\n"),
            ("a/main.py", text),
        ];
        check(&RULE, &files, expected);
    }

    #[test]
    fn what_is_there_is_fine() {
        of(
            "from .tools import one, two, deep\nfrom .tools.deep import x\nfrom . import tools\n",
            &[],
        );
        of(
            "import a.tools.deep\nfrom a.tools import one\nimport os.path, b.c\n",
            &[],
        );
        of(
            "from .star import anything\nfrom ._version import v\nfrom .tools import __doc__\n",
            &[],
        );
        of(
            "try:\n    from .gone import x\nexcept ImportError:\n    x = 0\n",
            &[],
        );
    }

    #[test]
    fn what_is_not_there_is_named() {
        of("\nfrom .gone import x\n", &["breaks a/main.py:2"]);
        of("from a.gone import x\n", &["breaks a/main.py:1"]);
        of("from .tools import three\n", &["breaks a/main.py:1"]);
        of("from . import gone\n", &["breaks a/main.py:1"]);
    }

    #[test]
    fn a_folder_of_scripts_is_no_package() {
        let files = [
            (
                "pyproject.toml",
                "[project]\nname = \"a\"\ndependencies = [\"docker\"]\n",
            ),
            ("docker/build.py", "from docker.errors import X\n"),
            ("scripts/x.py", "from .y import z\n"),
        ];
        check(&RULE, &files, &[]);
    }
}
