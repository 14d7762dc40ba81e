//! What the rules ask for, derived once from the texts of a repository.

use super::docker::{Dockerfile, Instruction};
use super::environment::Environment;
use super::kubernetes::{self, Object, Workload};
use super::package::Package;
use super::project::{self, Project};
use super::python::{Line, Python};
use super::repository::{Repository, Unread, docker_name, file_name, folder_of};
use super::source;
use crate::yaml::{self, Kind, Node};

/// A YAML file.
#[derive(Debug)]
pub struct Yaml<'text> {
    /// Its path.
    pub path: &'text str,
    /// Its documents.
    pub documents: Vec<Node>,
}

/// A file that is not what its name says.
#[derive(Debug, Clone)]
pub struct Broken<'text> {
    /// Its path.
    pub path: &'text str,
    /// Where in it.
    pub line: usize,
    /// What is wrong.
    pub cause: String,
}

/// Everything that is derived.
#[derive(Debug)]
pub struct Facts<'text> {
    /// What it is derived from.
    pub repository: &'text Repository,
    /// The Python projects.
    pub projects: Vec<Project<'text>>,
    /// The Node.js packages.
    pub packages: Vec<Package<'text>>,
    /// The Python files, by path.
    pub python: Vec<Python<'text>>,
    /// The recipes of images.
    pub dockerfiles: Vec<Dockerfile<'text>>,
    /// The YAML files that are no templates.
    pub yaml: Vec<Yaml<'text>>,
    /// Manifests that could not be parsed: `pyproject.toml`, `package.json`, YAML.
    pub broken: Vec<Broken<'text>>,
    /// YAML files left out because a program fills them in first.
    pub templates: Vec<&'text str>,
    /// Files too deep or large to be taken apart.
    pub unread: Vec<Unread>,
    /// What the server reads from its environment.
    pub environment: Environment,
    /// Whether a program serves something over HTTP.
    pub serves: bool,
}

impl<'text> Facts<'text> {
    /// Derives them.
    pub fn of(repository: &'text Repository) -> Facts<'text> {
        let mut facts = Facts {
            repository,
            projects: Vec::new(),
            packages: Vec::new(),
            python: python(repository),
            dockerfiles: Vec::new(),
            yaml: Vec::new(),
            broken: Vec::new(),
            templates: Vec::new(),
            unread: Vec::new(),
            environment: Environment::default(),
            serves: source::is_server(repository),
        };
        for (path, text) in &repository.texts {
            facts.add(path, text);
        }
        for python in &facts.python {
            facts.environment.add(python);
        }
        facts
    }

    fn add(&mut self, path: &'text str, text: &'text str) {
        let name = file_name(path);
        let lower = name.to_ascii_lowercase();
        match name {
            "pyproject.toml" => match project::read(self.repository, path, text) {
                Ok(project) => self.projects.extend(project),
                Err(error) => self.broken.push(broken(path, &error.message)),
            },
            "package.json" => match Package::read(path, text) {
                Ok(package) => self.packages.push(package),
                Err(error) => self.broken.push(broken(path, &error.message)),
            },
            _ if docker_name(&lower) && !text.contains("{{") => {
                self.dockerfiles.push(Dockerfile::read(path, text));
            }
            _ if lower.ends_with(".yml") || lower.ends_with(".yaml") => self.add_yaml(path, text),
            _ => {}
        }
    }

    fn add_yaml(&mut self, path: &'text str, text: &'text str) {
        if crate::lockfile::kind_of(file_name(path)).is_some() {
            return;
        }
        let is_workflow = path.starts_with(".github/workflows/");
        let is_template = !is_workflow && (text.contains("{{") || text.contains("{%"));
        if is_template {
            self.templates.push(path);
            return;
        }
        match yaml::documents(text) {
            Ok(documents) => self.yaml.push(Yaml { path, documents }),
            Err(trouble) if trouble.kind == Kind::Size => self.unread.push(Unread {
                path: path.to_owned(),
                why: trouble.message,
            }),
            Err(trouble) => self.broken.push(Broken {
                path,
                line: trouble.place.line,
                cause: trouble.message,
            }),
        }
    }

    /// The Kubernetes objects of all manifests.
    pub fn objects(&self) -> Vec<Object<'_>> {
        let documents = self
            .yaml
            .iter()
            .flat_map(|file| file.documents.iter().map(|node| (file.path, node)));
        documents
            .flat_map(|(path, node)| kubernetes::objects(path, node))
            .collect()
    }

    /// The objects that make pods.
    pub fn workloads(&self) -> Vec<Workload<'_>> {
        self.objects()
            .into_iter()
            .filter_map(Object::workload)
            .collect()
    }

    /// The services of Compose files: path, name, node.
    pub fn compose(&self) -> Vec<(&str, &str, &Node)> {
        let is_compose = |file: &&Yaml<'_>| {
            let name = file_name(file.path).to_ascii_lowercase();
            name.starts_with("docker-compose") || name.starts_with("compose.")
        };
        let files = self.yaml.iter().filter(is_compose);
        files
            .flat_map(|file| {
                let services = file.documents.first().and_then(|node| node.get("services"));
                let pairs = services.map_or(&[][..], Node::pairs);
                pairs
                    .iter()
                    .map(|pair| (file.path, pair.key.value.as_str(), &pair.value))
            })
            .collect()
    }

    /// The Python file of a path.
    pub fn python_file(&self, path: &str) -> Option<&Python<'text>> {
        let index = self
            .python
            .binary_search_by(|one| one.path.cmp(path))
            .ok()?;
        self.python.get(index)
    }

    /// The projects that are MCP servers: they depend on the SDK, or their files import it.
    pub fn servers(&self) -> impl Iterator<Item = &Project<'text>> {
        self.projects.iter().filter(|project| {
            project.is_server()
                || self.python_of(project).any(|python| {
                    source::holds(python.text, "mcp")
                        && python.imports().iter().any(|one| {
                            one.level == 0
                                && matches!(one.module.split('.').next(), Some("mcp" | "fastmcp"))
                        })
                })
        })
    }

    /// The projects that are MCP servers and not only clients or libraries of the SDK: a file of
    /// theirs that ships makes one.
    pub fn made_servers(&self) -> impl Iterator<Item = &Project<'text>> {
        const MAKING: [&str; 3] = ["FastMCP(", "stdio_server(", "StreamableHTTPSessionManager("];
        self.servers().filter(|project| {
            let ships = |path: &str| {
                let folder = folder_of(path);
                folder == project.folder
                    || folder == project.join("src")
                    || self.repository.has(&format!("{folder}/__init__.py"))
            };
            let makes = |line: &Line| {
                MAKING.iter().any(|mark| {
                    line.code.match_indices(mark).any(|(at, _)| {
                        let before = line.code[..at].chars().next_back();
                        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
                    })
                })
            };
            let mut files = self.python_of(project);
            files.any(|python| {
                MAKING.iter().any(|mark| source::holds(python.text, mark))
                    && ships(python.path)
                    && python.lines.iter().any(makes)
            })
        })
    }

    /// The Python files of a project: those in its folder that are in no project below it.
    pub fn python_of(&self, project: &Project<'_>) -> impl Iterator<Item = &Python<'text>> {
        let folder = project.folder;
        let deeper: Vec<&str> = self
            .projects
            .iter()
            .map(|other| other.folder)
            .filter(|other| other.len() > folder.len() && is_below(other, folder))
            .collect();
        self.python.iter().filter(move |python| {
            let place = folder_of(python.path);
            is_below(place, folder) && !deeper.iter().any(|other| is_below(place, other))
        })
    }

    /// Whether a template that is filled in later lies in the folder of a file, above or below it,
    /// so that what seems to be missing may come from there.
    pub fn is_near_template(&self, path: &str) -> bool {
        let folder = folder_of(path);
        self.templates.iter().any(|template| {
            let other = folder_of(template);
            is_below(other, folder) || is_below(folder, other)
        })
    }

    /// The extensions of VS Code.
    pub fn extensions(&self) -> impl Iterator<Item = &Package<'text>> {
        self.packages
            .iter()
            .filter(|package| package.is_extension())
    }

    /// Whether nothing of an MCP server is here.
    pub fn is_empty(&self) -> bool {
        self.projects.is_empty()
            && self.packages.is_empty()
            && self.dockerfiles.is_empty()
            && self.broken.is_empty()
            && self.objects().is_empty()
    }

    /// Every instruction of every recipe of an image.
    pub fn instructions(&self) -> impl Iterator<Item = (&Dockerfile<'text>, &Instruction)> {
        self.dockerfiles
            .iter()
            .flat_map(|file| file.instructions.iter().map(move |one| (file, one)))
    }
}

/// Whether a folder is another one or below it.
pub fn is_below(folder: &str, outer: &str) -> bool {
    outer.is_empty()
        || folder
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads the Python files on as many threads as the machine has.
fn python(repository: &Repository) -> Vec<Python<'_>> {
    let is_test = |path: &str| {
        let name = file_name(path);
        name.starts_with("test_") || name.ends_with("_test.py") || name == "conftest.py"
    };
    let files: Vec<(&str, &str)> = source::programs(repository)
        .filter(|(path, _)| path.ends_with(".py") && !is_test(path))
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = files.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = files
            .chunks(share)
            .map(|part| {
                scope.spawn(move || {
                    let parts = part.iter().copied();
                    parts.map(|(path, text)| Python::read(path, text)).collect()
                })
            })
            .collect();
        let join = |part: std::thread::ScopedJoinHandle<'_, Vec<_>>| match part.join() {
            Ok(list) => list,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        parts.into_iter().flat_map(join).collect()
    })
}

/// Takes `path:line:column: cause` apart.
fn broken<'text>(path: &'text str, message: &str) -> Broken<'text> {
    let rest = message.strip_prefix(path).unwrap_or(message);
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let line = rest.split(':').next().and_then(|line| line.parse().ok());
    let cause = rest.split_once(": ").map_or(rest, |(_, cause)| cause);
    Broken {
        path,
        line: line.unwrap_or(1),
        cause: cause.trim().to_owned(),
    }
}
