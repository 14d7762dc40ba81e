//! A console script whose module or function is not there.

use super::Rule;
use crate::inspect::project::Project;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "broken-script",
    stage: Stage::Build,
    title: "Every console script names a function that is there",
    why: "the command is installed and ends with ImportError whenever it is started",
    remedy: "correct the reference under [project.scripts], or add the function",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in &facts.projects {
        for (name, target) in &project.scripts {
            let (module, function) = target.text.split_once(':').unwrap_or((&target.text, ""));
            let module = module.trim();
            let function = function.split(['.', '[']).next().unwrap_or_default().trim();
            if module.is_empty() || !facts.repository.is_whole() {
                continue;
            }
            match file_of(facts, project, module) {
                None if is_above(facts, project, module) => {
                    let message =
                        format!("the script {name} names {module}, which is no module here");
                    found.breaks(project.path, target.line, message);
                }
                None => {}
                Some(path) => {
                    let Some(python) = facts.python_file(&path) else {
                        continue;
                    };
                    let bound = python.bound();
                    if !function.is_empty() && !bound.contains(function) && !python.is_dynamic() {
                        let message = format!(
                            "the script {name} names {function}, which {path} does not define"
                        );
                        found.breaks(project.path, target.line, message);
                    }
                }
            }
        }
    }
}

fn file_of(facts: &Facts<'_>, project: &Project<'_>, module: &str) -> Option<String> {
    let inner = module.replace('.', "/");
    let forms = project.roots().into_iter().flat_map(|root| {
        let start = if root.is_empty() {
            String::new()
        } else {
            format!("{root}/")
        };
        [
            format!("{start}{inner}.py"),
            format!("{start}{inner}/__init__.py"),
        ]
    });
    forms.into_iter().find(|path| facts.repository.has(path))
}

/// Whether the module is surely missing: nothing of the project maps packages to other folders,
/// compiles them, or has the module's name anywhere.
fn is_above(facts: &Facts<'_>, project: &Project<'_>, module: &str) -> bool {
    let last = module.rsplit('.').next().unwrap_or(module);
    let top = module.split('.').next().unwrap_or(module);
    let elsewhere = facts.repository.below(project.folder).any(|path| {
        let name = crate::inspect::repository::file_name(path);
        let stem = name.split('.').next().unwrap_or(name);
        let compiled = ["pyx", "so", "pyd", "rs", "c"]
            .iter()
            .any(|end| name.ends_with(&format!(".{end}")));
        stem == last && compiled || path.ends_with(&format!("{}.py", module.replace('.', "/")))
    });
    let maturin = project.back_end.contains("maturin") || project.back_end.contains("scikit");
    let has_top = project.roots().iter().any(|root| {
        let start = if root.is_empty() {
            String::new()
        } else {
            format!("{root}/")
        };
        facts.repository.has(&format!("{start}{top}"))
            || facts.repository.has(&format!("{start}{top}.py"))
    });
    let has_python = facts
        .repository
        .below(project.folder)
        .any(|path| path.ends_with(".py"));
    !elsewhere && !maturin && has_python && (has_top || project.packages.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    fn of(target: &str, text: &str, expected: &[&str]) {
        let manifest = format!("[project]\nname = \"a\"\n[project.scripts]\na = \"{target}\"\n");
        let files = [
            ("s/pyproject.toml", manifest.as_str()),
            ("s/src/a/__init__.py", ""),
            ("s/src/a/cli.py", text),
        ];
        check(&RULE, &files, expected);
    }

    #[test]
    fn module_and_function_must_be_there() {
        of("a.cli:main", "def main():\n    pass\n", &[]);
        of("a.cli:main", "from x import main\n", &[]);
        of("a.cli:main", "from x import *\n", &[]);
        of("a.cli:main", "async def main():\n    pass\n", &[]);
        of("a.cli:main", "app = 1\n", &["breaks s/pyproject.toml:4"]);
        of("a.other:main", "", &["breaks s/pyproject.toml:4"]);
        of("b.cli:main", "", &["breaks s/pyproject.toml:4"]);
        of("a.cli:app.run", "app = 1\n", &[]);
    }
}
