//! Which server is released: its folder, console script, lock file, tests and tool. Pure.

use serde_json::Value;

use super::Wishes;
use super::facts::{Facts, join, named, shown};
use super::python::{self, Pythons};
use super::source::{self, Tool};
use crate::error::Error;
use crate::name::normalize;
use crate::product::{backend, pyproject};
use crate::requirements::choice;
use crate::requirements::project::values;
use crate::version::place::Scope;

/// The answers.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its folder; empty for the top.
    pub folder: String,
    /// The distribution's name.
    pub name: String,
    /// What starts it.
    pub console_script: String,
    /// The lock file.
    pub lock: String,
    /// Whether `release.toml` has to name the lock file.
    pub names_lock: bool,
    /// Requirements of the build that the repository locks itself.
    pub build_requirements: Option<String>,
    /// How its tests run, and the group that they need.
    pub test: Option<(Vec<String>, String)>,
    /// The tool that is called.
    pub call: String,
    /// The oldest and the newest Python that it takes.
    pub pythons: Pythons,
    /// Files that state the version.
    pub version_files: Vec<String>,
    /// The version, if reading tells it.
    pub version: Option<String>,
}

/// A project that could be the server.
struct Candidate {
    folder: String,
    project: pyproject::Project,
    values: Value,
    speaks_mcp: bool,
}

type Answer<T> = Result<T, Vec<Error>>;

/// Decides everything about the server.
///
/// # Errors
/// Every question that is left open.
pub fn decide(facts: &Facts, wishes: &Wishes) -> Answer<Server> {
    let candidate = choose(facts, wishes).map_err(|error| vec![error])?;
    let mut problems = Vec::new();
    let script = open(console_script(&candidate, wishes), &mut problems);
    let lock = open(lock(facts, &candidate, wishes), &mut problems);
    let build = open(build_requirements(facts, &candidate), &mut problems);
    let call = open(call(facts, &candidate, wishes), &mut problems);
    let (Some(console_script), Some((lock, names_lock)), Some(build_requirements), Some(call)) =
        (script, lock, build, call)
    else {
        return Err(problems);
    };
    let (version_files, version) = versions(facts, &candidate, &lock);
    Ok(Server {
        test: tests(facts, &candidate, &lock),
        pythons: python::decide(&candidate.values),
        name: candidate.project.name.clone(),
        folder: candidate.folder,
        console_script,
        lock,
        names_lock,
        build_requirements,
        call,
        version_files,
        version,
    })
}

fn open<T>(answer: Result<T, Error>, problems: &mut Vec<Error>) -> Option<T> {
    answer.map_err(|error| problems.push(error)).ok()
}

fn candidate(facts: &Facts, folder: &str) -> Result<Candidate, Error> {
    let file = join(folder, "pyproject.toml");
    let text = facts.text(&file).ok_or_else(|| {
        Error::usage(format!("--server: there is no {file}"))
            .hint("name the folder of the server's pyproject.toml")
    })?;
    let project = pyproject::parse(text, &file)?;
    let values = values(text, &file)?;
    let speaks_mcp = asked(&values).iter().any(|name| is_mcp(name));
    Ok(Candidate {
        folder: folder.to_owned(),
        project,
        values,
        speaks_mcp,
    })
}

/// The names of everything that the project depends on.
fn asked(values: &Value) -> Vec<String> {
    let list = values["project"]["dependencies"].as_array();
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    let poetry = values["tool"]["poetry"]["dependencies"].as_object();
    let named = poetry.into_iter().flatten().map(|(name, _)| name.as_str());
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    texts
        .chain(named)
        .map(|text| normalize(text.trim().split(|c| !is_name(c)).next().unwrap_or(text)))
        .collect()
}

/// The official SDK, FastMCP, and what is built on them.
fn is_mcp(name: &str) -> bool {
    let starts = ["mcp-", "fastmcp-"];
    ["mcp", "fastmcp", "fastapi-mcp", "modelcontextprotocol"].contains(&name)
        || starts.iter().any(|start| name.starts_with(start))
}

fn choose(facts: &Facts, wishes: &Wishes) -> Result<Candidate, Error> {
    if let Some(folder) = &wishes.server {
        return candidate(facts, &named(folder));
    }
    let mut found = Vec::new();
    let mut damaged = Vec::new();
    for folder in facts.folders_of("pyproject.toml") {
        let file = join(&folder, "pyproject.toml");
        let whole = facts
            .text(&file)
            .is_some_and(|text| text.contains("[project]") || text.contains("[tool.poetry]"));
        if !whole {
            continue;
        }
        match candidate(facts, &folder) {
            Ok(candidate) if !candidate.project.scripts.is_empty() => found.push(candidate),
            Ok(_) => {}
            Err(error) => damaged.push(error),
        }
    }
    if let Some(error) = damaged.into_iter().next() {
        return Err(error);
    }
    if found.iter().any(|one| one.speaks_mcp) {
        found.retain(|one| one.speaks_mcp);
    }
    if found.len() > 1 {
        let listed: Vec<String> = found
            .iter()
            .map(|one| format!("{} ({})", shown(&one.folder), one.project.name))
            .collect();
        return Err(Error::usage(format!(
            "{} projects could be the server: {}",
            found.len(),
            listed.join(", ")
        ))
        .hint(format!(
            "say which: cargo xtask init --server {}",
            crate::world::process::quote(shown(&found[0].folder))
        )));
    }
    found.pop().ok_or_else(|| {
        Error::precondition(
            "no pyproject.toml outside of tests and examples has a console script, so there is \
             no server to release",
        )
        .hint("add one: [project.scripts] my-server = \"my_package.server:main\"")
    })
}

fn console_script(candidate: &Candidate, wishes: &Wishes) -> Result<String, Error> {
    let file = join(&candidate.folder, "pyproject.toml");
    let scripts: Vec<&str> = candidate
        .project
        .scripts
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let listed = match scripts.as_slice() {
        [] => "it has none".to_owned(),
        scripts => format!("it has {}", scripts.join(", ")),
    };
    if let Some(wanted) = &wishes.console_script {
        return match scripts.contains(&wanted.as_str()) {
            true => Ok(wanted.clone()),
            false => Err(Error::usage(format!(
                "{file} has no console script {wanted:?}; {listed}"
            ))
            .hint("add it under [project.scripts], or name another: --console-script NAME")),
        };
    }
    let own = normalize(&candidate.project.name);
    let same: Vec<&&str> = scripts
        .iter()
        .filter(|name| normalize(name) == own)
        .collect();
    match (scripts.as_slice(), same.as_slice()) {
        ([one], _) => Ok((*one).to_owned()),
        (_, [one]) => Ok((**one).to_owned()),
        ([], _) => Err(Error::precondition(format!("{file} has no console script"))
            .hint("add one: [project.scripts] my-server = \"my_package.server:main\"")),
        (several, _) => Err(Error::usage(format!(
            "{} console scripts could start the server: {}",
            several.len(),
            several.join(", ")
        ))
        .hint(format!(
            "say which: cargo xtask init --console-script {}",
            several[0]
        ))),
    }
}

/// The lock file, and whether several lie there so that it has to be named.
fn lock(facts: &Facts, candidate: &Candidate, wishes: &Wishes) -> Result<(String, bool), Error> {
    if let Some(path) = &wishes.lock {
        let path = named(path);
        choice::LockKind::of(camino::Utf8Path::new(&path))?;
        return match facts.has(&path) {
            true => Ok((path, true)),
            false => Err(Error::usage(format!("--lock: git has no {path}"))
                .hint("add it to git, or name another")),
        };
    }
    let beside: Vec<String> = choice::NAMES
        .into_iter()
        .map(|name| join(&candidate.folder, name))
        .filter(|path| facts.has(path))
        .collect();
    // Without digests it says what somebody installs, not what was locked.
    let is_lock = |path: &&String| {
        !path.ends_with(".txt") || facts.text(path).is_some_and(|text| text.contains("--hash"))
    };
    let locks: Vec<&String> = beside.iter().filter(is_lock).collect();
    match locks.as_slice() {
        [one] => Ok(((*one).clone(), beside.len() > 1)),
        [] => no_lock(facts, candidate, &beside),
        several => {
            let names: Vec<&str> = several.iter().map(|path| path.as_str()).collect();
            Err(Error::usage(format!(
                "{} lock files could say what ships: {}",
                names.len(),
                names.join(", ")
            ))
            .hint(format!("say which: cargo xtask init --lock {}", names[0])))
        }
    }
}

fn no_lock(
    facts: &Facts,
    candidate: &Candidate,
    beside: &[String],
) -> Result<(String, bool), Error> {
    // A workspace of uv is locked in a folder above.
    let mut folder = candidate.folder.as_str();
    while !folder.is_empty() {
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        let path = join(folder, "uv.lock");
        if facts.has(&path) {
            return Ok((path, true));
        }
    }
    if let Some(path) = beside.first() {
        return Err(
            Error::precondition(format!("{path} has no digests, so it locks nothing"))
                .hint(format!(
                    "lock it: uv pip compile --universal --generate-hashes pyproject.toml -o {path}"
                ))
                .hint(
                    "or: pip-compile --generate-hashes, or uv lock, or poetry lock; then git add",
                ),
        );
    }
    let file = join(&candidate.folder, "pyproject.toml");
    Err(Error::precondition(format!(
        "nothing locks what {file} depends on: git has none of {} beside it",
        choice::NAMES.join(", ")
    ))
    .hint("lock it and add the file to git: uv lock, or poetry lock, or uv pip compile --universal --generate-hashes pyproject.toml -o requirements.txt"))
}

/// The repository's own locked requirements of the build, when the tool has none that fit.
fn build_requirements(facts: &Facts, candidate: &Candidate) -> Result<Option<String>, Error> {
    let file = join(&candidate.folder, "pyproject.toml");
    backend::require_stated_version(&candidate.project, &file)?;
    let Err(error) = backend::requirements(&candidate.project, &file) else {
        return Ok(None);
    };
    let own = [
        join(&candidate.folder, "build-requirements.txt"),
        "build-requirements.txt".into(),
    ];
    let own = own
        .into_iter()
        .find(|path| facts.text(path).is_some_and(|text| text.contains("--hash")));
    own.map(Some).ok_or(error)
}

fn call(facts: &Facts, candidate: &Candidate, wishes: &Wishes) -> Result<String, Error> {
    if let Some(name) = &wishes.call {
        return Ok(name.clone());
    }
    let mut tools: Vec<Tool> = Vec::new();
    for path in facts.below(&candidate.folder) {
        if let Some(text) = facts.text(path).filter(|_| path.ends_with(".py")) {
            tools.extend(source::tools(path, text));
        }
    }
    let looking = tools.iter().find(|tool| tool.only_looks());
    let harmless: Vec<&Tool> = tools.iter().filter(|tool| tool.is_harmless()).collect();
    let chosen = match (looking, harmless.as_slice()) {
        (Some(tool), _) => Some(tool),
        (None, [one]) => Some(*one),
        (None, _) => None,
    };
    if let Some(tool) = chosen {
        return Ok(tool.name.clone());
    }
    let hint = "say which tool may be called to see that the server works: cargo xtask init \
                --call TOOL; arguments go into release.toml, under [prove.call]";
    if tools.is_empty() {
        return Err(Error::usage(format!(
            "no tool was found in the sources below {}",
            shown(&candidate.folder)
        ))
        .hint(hint));
    }
    let listed: Vec<String> = tools
        .iter()
        .take(20)
        .map(|tool| {
            format!(
                "{}({}) in {}",
                tool.name,
                tool.required.join(", "),
                tool.place
            )
        })
        .collect();
    Err(Error::usage(format!(
        "which tool may be called cannot be told: each needs an argument, may change something, \
         or is one of several: {}",
        listed.join("; ")
    ))
    .hint(hint))
}

/// pytest, when a group of the lock has it and the package can be imported without installing it.
fn tests(facts: &Facts, candidate: &Candidate, lock: &str) -> Option<(Vec<String>, String)> {
    let folder = join(&candidate.folder, "tests/");
    if !facts.paths.iter().any(|path| path.starts_with(&folder)) {
        return None;
    }
    let src = join(&candidate.folder, "src/");
    let pytest = &candidate.values["tool"]["pytest"]["ini_options"]["pythonpath"];
    if facts.paths.iter().any(|path| path.starts_with(&src)) && pytest.is_null() {
        return None;
    }
    let has = |values: &Value| {
        let texts = values
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let keys = values
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str());
        texts.chain(keys).any(|text| {
            let rest = text.trim().strip_prefix("pytest");
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
        })
    };
    let group = if lock.ends_with(".txt") {
        let start = lock.rsplit_once('/').map_or("", |(folder, _)| folder);
        ["dev", "test", "tests"]
            .into_iter()
            .map(str::to_owned)
            .find(|group| {
                let path = join(start, &format!("requirements-{group}.txt"));
                facts.text(&path).is_some_and(|text| {
                    text.lines().any(|line| line.starts_with("pytest==")) && text.contains("--hash")
                })
            })
    } else {
        let standard = candidate.values["dependency-groups"].as_object();
        let poetry = candidate.values["tool"]["poetry"]["group"].as_object();
        let standard = standard.into_iter().flatten();
        let poetry = poetry.into_iter().flatten();
        let poetry = poetry.map(|(name, group)| (name, &group["dependencies"]));
        standard
            .chain(poetry)
            .find(|(_, list)| has(list))
            .map(|(name, _)| name.clone())
    };
    let arguments = ["-m", "pytest", "--quiet"].map(str::to_owned).to_vec();
    group.map(|group| (arguments, group))
}

/// The files that state the version, the lock file among them when it is one of uv, and what they
/// state.
fn versions(facts: &Facts, candidate: &Candidate, lock: &str) -> (Vec<String>, Option<String>) {
    let mut files = Vec::new();
    let mut version = candidate.project.version.clone();
    let manifest = join(&candidate.folder, "pyproject.toml");
    if version.is_some() {
        files.push(manifest);
    }
    let tool = &candidate.values["tool"];
    let hatch = tool["hatch"]["version"]["path"].as_str();
    let dynamic = &tool["setuptools"]["dynamic"]["version"];
    let attribute = dynamic["attr"].as_str();
    let pdm = tool["pdm"]["version"]["path"].as_str();
    let stated = [hatch, pdm]
        .into_iter()
        .flatten()
        .map(|path| join(&candidate.folder, path))
        .chain(
            dynamic["file"]
                .as_str()
                .map(|path| join(&candidate.folder, path)),
        )
        .chain(
            attribute
                .into_iter()
                .flat_map(|it| modules(&candidate.folder, it)),
        );
    let package = normalize(&candidate.project.name).replace('-', "_");
    let guesses =
        ["", "src/"].map(|start| join(&candidate.folder, &format!("{start}{package}/__init__.py")));
    let own_lock = Some(join(&candidate.folder, "uv.lock")).filter(|path| path == lock);
    for path in stated.chain(guesses).chain(own_lock) {
        let text = facts.text(&path);
        let says = text.and_then(|text| {
            let statements = crate::version::statements(&path, text, &[], Scope::Whole).ok()?;
            statements.into_iter().find_map(|one| one.version)
        });
        if let Some(says) = says.filter(|_| !files.contains(&path)) {
            version.get_or_insert(says);
            files.push(path);
        }
    }
    (files, version)
}

/// The files in which `package.module.attribute` may be written.
fn modules(folder: &str, attribute: &str) -> Vec<String> {
    let module = attribute
        .rsplit_once('.')
        .map_or(attribute, |(module, _)| module);
    let path = module.replace('.', "/");
    ["", "src/"]
        .iter()
        .flat_map(|start| {
            [
                format!("{start}{path}/__init__.py"),
                format!("{start}{path}.py"),
            ]
        })
        .map(|path| join(folder, &path))
        .collect()
}
