//! The PEP 517 back ends that build servers, each with its pinned requirements. Pure.
//!
//! A build installs nothing that is not locked by digests. A back end that is not in the list,
//! or a plug-in of one, is built with requirements that the repository locks itself:
//! `[build] requirements` in `release.toml`.

use super::pyproject::Project;
use crate::error::{Error, Result};
use crate::name::normalize;

/// A back end that the tool brings along.
#[derive(Debug)]
pub struct BackEnd {
    /// The distribution's name in its normal form.
    pub name: &'static str,
    /// The first part of the module that `build-backend` names.
    module: &'static str,
    /// The front end and this back end, hash-locked.
    pub requirements: &'static str,
    /// What must be done to the source archives it writes.
    pub archive: Archive,
}

/// Whether the same tree gives the same source archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// It does: the file stays as the back end wrote it.
    Stable,
    /// Times or owners of the building machine are in it: the container is written anew.
    Rewritten,
}

/// All of them; the first is that of a private environment nobody has asked more of.
pub static BACK_ENDS: [BackEnd; 6] = [
    BackEnd {
        name: "poetry-core",
        module: "poetry",
        requirements: crate::tools::python::BUILD_REQUIREMENTS,
        archive: Archive::Stable,
    },
    BackEnd {
        name: "hatchling",
        module: "hatchling",
        requirements: include_str!("../../tools/build-hatchling.txt"),
        archive: Archive::Stable,
    },
    BackEnd {
        name: "setuptools",
        module: "setuptools",
        requirements: include_str!("../../tools/build-setuptools.txt"),
        archive: Archive::Rewritten,
    },
    BackEnd {
        name: "flit-core",
        module: "flit_core",
        requirements: include_str!("../../tools/build-flit.txt"),
        archive: Archive::Stable,
    },
    BackEnd {
        name: "pdm-backend",
        module: "pdm",
        requirements: include_str!("../../tools/build-pdm.txt"),
        archive: Archive::Rewritten,
    },
    BackEnd {
        name: "uv-build",
        module: "uv_build",
        requirements: include_str!("../../tools/build-uv.txt"),
        archive: Archive::Rewritten,
    },
];

/// What computes a version from tags, which an export of a commit does not have.
const FROM_GIT: [&str; 9] = [
    "setuptools-scm",
    "vcs-versioning",
    "hatch-vcs",
    "setuptools-git-versioning",
    "poetry-dynamic-versioning",
    "uv-dynamic-versioning",
    "versioningit",
    "flit-scm",
    "versioneer",
];

/// The back end that a project names; projects without `[build-system]` are setuptools' (PEP 517).
/// `None` when it is none of those that the tool brings along.
pub fn of(project: &Project) -> Option<&'static BackEnd> {
    let module = project.build_backend.as_deref().unwrap_or("setuptools");
    let module = module.split(['.', ':']).next().unwrap_or(module);
    BACK_ENDS.iter().find(|one| one.module == module)
}

/// Refuses a version that only git's history knows.
///
/// # Errors
/// The project takes its version from there; `file` names it.
pub fn require_stated_version(project: &Project, file: &str) -> Result<()> {
    let plug_in = project.build_requires.iter().find(|requirement| {
        FROM_GIT.contains(&distribution(requirement).as_str()) && project.version.is_none()
    });
    let reason = match (plug_in, project.version_from_git) {
        (Some(plug_in), _) => format!("build-system.requires has {plug_in}"),
        (None, Some(setting)) if project.version.is_none() => format!("it has {setting}"),
        _ => return Ok(()),
    };
    Err(Error::precondition(format!(
        "{file}: the version comes from git's tags ({reason}), and a release is built from an \
         export of the commit, which has none"
    ))
    .hint("state it: `version = \"1.2.3\"` under [project], without `dynamic = [\"version\"]`")
    .hint("or in the package: __version__ = \"1.2.3\", read by [tool.hatch.version] path or [tool.setuptools.dynamic] attr"))
}

/// The hash-locked requirements for a project, when the repository brings none of its own.
///
/// # Errors
/// Its back end is not known, or it asks for plug-ins; `file` names the project.
pub fn requirements(project: &Project, file: &str) -> Result<&'static str> {
    let Some(back_end) = of(project) else {
        let named = project.build_backend.as_deref().unwrap_or_default();
        let known: Vec<&str> = BACK_ENDS.iter().map(|one| one.name).collect();
        return Err(locked_by_hand(
            Error::precondition(format!(
                "{file}: this tool brings no pinned back end for build-backend = {named:?}; it \
                 has {}",
                known.join(", ")
            )),
            project,
        ));
    };
    let is_pinned = |name: &str| {
        let start = format!("{name}==");
        back_end
            .requirements
            .lines()
            .any(|line| line.starts_with(&start))
    };
    let unknown = project
        .build_requires
        .iter()
        .find(|requirement| !is_pinned(&distribution(requirement)));
    match unknown {
        None => Ok(back_end.requirements),
        Some(plug_in) => Err(locked_by_hand(
            Error::precondition(format!(
                "{file}: build-system.requires has {plug_in}, which is not among the pinned \
                 requirements of {}, and a build downloads nothing unpinned",
                back_end.name
            )),
            project,
        )),
    }
}

/// How a repository locks the requirements of its build itself.
pub fn locked_by_hand(error: Error, project: &Project) -> Error {
    let wanted: Vec<String> = project
        .build_requires
        .iter()
        .map(|requirement| format!(" '{}'", requirement.replace('\'', "\"")))
        .collect();
    error
        .hint(format!(
            "lock them: printf '%s\\n' build pip{} | uv pip compile --universal \
             --generate-hashes - -o build-requirements.txt",
            wanted.concat()
        ))
        .hint(
            "then commit the file and name it in release.toml: [build] requirements = \
             \"build-requirements.txt\"",
        )
}

/// The distribution that a requirement asks for, in the normal form of its name.
fn distribution(requirement: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name = requirement.trim();
    let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
    normalize(name.get(..end).unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::pyproject::parse;

    fn project(build_system: &str) -> Project {
        let text = format!("[project]\nname='a'\n[build-system]\n{build_system}\n");
        parse(&text, "p").unwrap()
    }

    #[test]
    fn each_back_end_is_found_by_its_module_and_pinned() {
        let check = |module: &str, requires: &str, expected: &str| {
            let text = format!("build-backend = \"{module}\"\nrequires = [\"{requires}\"]");
            let project = project(&text);
            assert_eq!(of(&project).unwrap().name, expected, "{module}");
            let pinned = requirements(&project, "p").unwrap();
            assert!(pinned.contains(&format!("\n{expected}==")), "{expected}");
            assert!(pinned.contains("\nbuild=="), "{expected}");
        };
        check("poetry.core.masonry.api", "poetry-core>=2", "poetry-core");
        check("hatchling.build", "hatchling", "hatchling");
        check("setuptools.build_meta", "setuptools>=61", "setuptools");
        check("setuptools.build_meta:__legacy__", "wheel", "setuptools");
        check("flit_core.buildapi", "flit_core >=3.2,<5", "flit-core");
        check("pdm.backend", "pdm-backend", "pdm-backend");
        check("uv_build", "uv_build>=0.7", "uv-build");
        let none = parse("[project]\nname='a'\n", "p").unwrap();
        assert_eq!(of(&none).unwrap().name, "setuptools");
    }

    #[test]
    fn what_is_not_pinned_is_named_with_the_way_out() {
        let check = |text: &str, expected: &str| {
            let error = requirements(&project(text), "x/pyproject.toml").unwrap_err();
            assert!(error.message.contains(expected), "{error}");
            let hints = error.hints.join("\n");
            assert!(hints.contains("--generate-hashes"), "{hints}");
            assert!(hints.contains("[build] requirements"), "{hints}");
        };
        check(
            "build-backend = 'maturin'\nrequires = ['maturin']",
            "\"maturin\"",
        );
        check(
            "build-backend = 'hatchling.build'\nrequires = ['hatchling', 'hatch-fancy-pypi-readme>=1']",
            "hatch-fancy-pypi-readme>=1",
        );
    }

    #[test]
    fn a_version_from_git_is_refused_unless_one_is_stated() {
        let check = |text: &str, expected: Option<&str>| {
            let project = parse(text, "p").unwrap();
            let found = require_stated_version(&project, "p").err();
            match (expected, found) {
                (None, None) => {}
                (Some(part), Some(error)) => assert!(error.message.contains(part), "{error}"),
                (expected, found) => panic!("{text}: {expected:?} {found:?}"),
            }
        };
        let scm = "[build-system]\nrequires = ['setuptools', 'setuptools_scm[toml]>=8']\n";
        check(
            &format!("[project]\nname='a'\n{scm}"),
            Some("setuptools_scm[toml]>=8"),
        );
        check(&format!("[project]\nname='a'\nversion='1'\n{scm}"), None);
        check(
            "[project]\nname='a'\n[tool.pdm.version]\nsource='scm'",
            Some("tool.pdm"),
        );
        check(
            "[project]\nname='a'\n[tool.hatch.version]\nsource='vcs'",
            Some("tool.hatch"),
        );
        check(
            "[project]\nname='a'\n[tool.hatch.version]\npath='a.py'",
            None,
        );
    }
}
