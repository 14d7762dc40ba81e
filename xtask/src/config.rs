//! `release.toml`: what ships, how it is proved and what may be in it. Pure.
//!
//! Everything about a repository is said here; the code knows of no repository. The text is
//! read into a validated [`Config`] once, and all problems are reported together.

mod audit;
mod gate;
pub mod image;
pub mod mcp;
pub mod program;
pub mod publish;
mod reader;

pub use audit::parse_age;
pub use gate::{Exception, Gate};
pub use reader::{Problem, place};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::audit::policy::Policy;
use crate::error::{Error, Result};
use image::Image;
use mcp::Mcp;
use program::Program;
use publish::Publish;
use reader::{Reader, Table};

/// The configuration format this version reads.
pub const SCHEMA: u64 = 1;

/// A validated `release.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The release's name, shown to people.
    pub name: String,
    /// The Python server.
    pub server: Server,
    /// What the server is built with.
    pub build: Build,
    /// The VS Code extension that carries it, if there is one.
    pub extension: Option<Extension>,
    /// How the wheel is proved.
    pub prove: Prove,
    /// What the gate lets into the extension.
    pub gate: Gate,
    /// What an audit of the lock files stops at.
    pub audit: Policy,
    /// What a registry of MCP servers is told, if anything.
    pub mcp: Option<Mcp>,
    /// The container image of the server, if there is one.
    pub image: Option<Image>,
    /// Programs that are images, too.
    pub programs: Vec<Program>,
    /// Where a release goes.
    pub publish: Publish,
    /// Where the version is written.
    pub version: Version,
    /// The changelog, from the root, if there is one.
    pub changelog: Option<Utf8PathBuf>,
}

impl Config {
    /// The extension that `release.toml` must name for a verb that works on it.
    ///
    /// # Errors
    /// There is none.
    pub fn required_extension(&self) -> Result<&Extension> {
        self.extension.as_ref().ok_or_else(|| {
            Error::usage("release.toml has no [extension], so this verb has nothing to do")
                .hint("add `[extension]` with `path` and `bundle`, or leave this verb out")
        })
    }
}

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The folder of `pyproject.toml`, from the root.
    pub path: Utf8PathBuf,
    /// The lock file, from the root; by default the only one beside `pyproject.toml`.
    pub lock: Option<Utf8PathBuf>,
    /// The console script that starts the server.
    pub console_script: String,
    /// Dependency groups of the lock file that ship; `main` unless said otherwise.
    pub groups: Vec<String>,
    /// Extras of the distribution that ship.
    pub extras: Vec<String>,
    /// How its tests are run: `python` followed by these arguments; empty when it has none.
    pub test: Vec<String>,
    /// Dependency groups that the tests need beside those that ship.
    pub test_groups: Vec<String>,
}

/// `[build]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Build {
    /// Hash-locked requirements of the build, from the root, in place of the tool's own.
    pub requirements: Option<Utf8PathBuf>,
}

/// `[extension]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The folder of `package.json`, from the root.
    pub path: Utf8PathBuf,
    /// The folder inside it that carries the wheel.
    pub bundle: String,
    /// Arguments for `vsce package` beside those the tool sets.
    pub package_arguments: Vec<String>,
    /// The npm script that runs its tests; empty when it has none.
    pub test: String,
    /// The npm script that tries the released package in a real editor; empty when it has none.
    pub host_test: String,
}

/// `[prove]`: what is asked of the installed server.
#[derive(Debug, Clone, PartialEq)]
pub struct Prove {
    /// Seconds the server has to answer each request and to start.
    pub start_seconds: u64,
    /// Seconds the server has to end after SIGTERM.
    pub stop_seconds: u64,
    /// Arguments and environment for stdio; `None` when the server has no such transport.
    pub stdio: Option<Launch>,
    /// The HTTP transport; `None` when the server has none.
    pub http: Option<Http>,
    /// The real tool call.
    pub call: Call,
    /// Import names that need no declared dependency, each with its reason.
    pub optional_imports: Vec<OptionalImport>,
}

/// How to start the server for one transport. It inherits only what every program needs of
/// the caller's environment; whatever else it needs is said here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Launch {
    /// Arguments of the console script; `{host}` and `{port}` are filled in for HTTP.
    pub arguments: Vec<String>,
    /// Environment variables, filled in likewise; `{token}` too.
    pub environment: Vec<(String, String)>,
}

/// `[prove.http]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// How to start it.
    pub launch: Launch,
    /// The path of the MCP endpoint.
    pub endpoint: String,
    /// The path that says that the process is alive.
    pub health: String,
    /// The path that says that it can do its work.
    pub ready: String,
}

/// `[prove.call]`: one tool call that must succeed.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The tool's name.
    pub tool: String,
    /// Its arguments, a JSON object.
    pub arguments: serde_json::Value,
}

/// An entry of `[[prove.optional-import]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalImport {
    /// The top-level import name.
    pub name: String,
    /// Why the server works without it.
    pub reason: String,
}

/// `[version]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Version {
    /// Files that state the version, from the root; read according to their names.
    pub files: Vec<Utf8PathBuf>,
    /// The form of a release tag; `{version}` is filled in.
    pub tag: String,
    /// The remote that a release's tag is pushed to, if it is pushed.
    pub push_tag: Option<String>,
}

/// Reads and validates a `release.toml`; `file` names it in errors.
///
/// # Errors
/// Every problem of the file in one error, each with line and column.
pub fn parse(text: &str, file: &str) -> Result<Config> {
    let document = reader::parse(text).map_err(|problem| report(file, &[problem]))?;
    let mut reader = Reader::new(text);
    let config = read(&mut reader, &mut Reader::new(text).top(&document));
    if reader.problems.is_empty() {
        return Ok(config);
    }
    reader
        .problems
        .sort_by_key(|problem| (problem.line, problem.column));
    Err(report(file, &reader.problems))
}

fn report(file: &str, problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| {
            format!(
                "{file}:{}:{}: {}",
                problem.line, problem.column, problem.message
            )
        })
        .collect();
    let hint = "docs/configuration.md lists every key";
    Error::usage(lines.join("\n       ")).hint(hint)
}

fn read(reader: &mut Reader<'_>, top: &mut Table<'_>) -> Config {
    match reader.optional_number(top, "schema") {
        Some(SCHEMA) => {}
        Some(other) => {
            let span = reader.span(top, "schema");
            reader.problem(
                span,
                format!("schema {other}; this tool reads schema {SCHEMA}"),
            );
        }
        None if top.has("schema") => {}
        None => reader.problem(None, format!("`schema = {SCHEMA}` is missing")),
    }
    let name = reader.string(top, "name");
    let changelog = reader
        .optional_string(top, "changelog")
        .map(Utf8PathBuf::from);
    let prove = prove(reader, top);
    let image = image::read(reader, top, prove.http.as_ref());
    let programs = program::read(reader, top, image.as_ref());
    let config = Config {
        name,
        changelog,
        mcp: mcp::read(reader, top, prove.stdio.is_some()),
        image,
        server: server(reader, top),
        build: build(reader, top),
        extension: extension(reader, top),
        prove,
        gate: gate::read(reader, top),
        audit: audit::read(reader, top),
        publish: publish::read(reader, top, &programs),
        programs,
        version: version(reader, top),
    };
    reader.finish(top);
    config
}

fn server(reader: &mut Reader<'_>, top: &mut Table<'_>) -> Server {
    let mut table = reader.table(top, "server");
    let server = Server {
        path: folder(reader, &mut table, "path"),
        lock: optional_file(reader, &mut table, "lock"),
        console_script: reader.string(&mut table, "console-script"),
        groups: reader
            .optional_strings(&mut table, "groups")
            .unwrap_or_else(|| vec!["main".to_owned()]),
        extras: reader
            .optional_strings(&mut table, "extras")
            .unwrap_or_default(),
        test: reader
            .optional_strings(&mut table, "test")
            .unwrap_or_default(),
        test_groups: reader
            .optional_strings(&mut table, "test-groups")
            .unwrap_or_default(),
    };
    reader.finish(&table);
    server
}

fn build(reader: &mut Reader<'_>, top: &mut Table<'_>) -> Build {
    let mut table = reader.table(top, "build");
    let build = Build {
        requirements: optional_file(reader, &mut table, "requirements"),
    };
    reader.finish(&table);
    build
}

fn extension(reader: &mut Reader<'_>, top: &mut Table<'_>) -> Option<Extension> {
    let mut table = reader.table(top, "extension");
    if !table.is_present() {
        return None;
    }
    let extension = Extension {
        path: folder(reader, &mut table, "path"),
        bundle: reader.string(&mut table, "bundle"),
        package_arguments: reader
            .optional_strings(&mut table, "package-arguments")
            .unwrap_or_default(),
        test: reader
            .optional_string(&mut table, "test")
            .unwrap_or_default(),
        host_test: reader
            .optional_string(&mut table, "host-test")
            .unwrap_or_default(),
    };
    if extension.bundle.contains(['/', '\\']) || extension.bundle.starts_with('.') {
        let span = reader.span(&table, "bundle");
        reader.problem(
            span,
            "`extension.bundle` must be the plain name of a folder",
        );
    }
    reader.finish(&table);
    Some(extension)
}

/// A file from the root that stays below it.
fn optional_file(
    reader: &mut Reader<'_>,
    table: &mut Table<'_>,
    key: &'static str,
) -> Option<Utf8PathBuf> {
    let path = reader.optional_string(table, key)?;
    Some(inside(reader, table, key, path, "file"))
}

/// A folder from the root that stays below it.
fn folder(reader: &mut Reader<'_>, table: &mut Table<'_>, key: &'static str) -> Utf8PathBuf {
    let path = reader.string(table, key);
    inside(reader, table, key, path, "folder")
}

fn inside(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    key: &str,
    path: String,
    kind: &str,
) -> Utf8PathBuf {
    let path = Utf8PathBuf::from(path);
    if !stays_inside(&path) {
        let span = reader.span(table, key);
        reader.problem(
            span,
            format!("`{path}` leaves the repository; name a {kind} inside it"),
        );
    }
    path
}

fn stays_inside(path: &Utf8Path) -> bool {
    path.components()
        .all(|part| matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir))
}

fn prove(reader: &mut Reader<'_>, top: &mut Table<'_>) -> Prove {
    let mut table = reader.table(top, "prove");
    let start_seconds = reader
        .optional_number(&mut table, "start-seconds")
        .unwrap_or(60);
    let stop_seconds = reader
        .optional_number(&mut table, "stop-seconds")
        .unwrap_or(10);
    let stdio = launch(reader, &mut table, "stdio");
    let http = http(reader, &mut table);
    let call = call(reader, &mut table);
    let optional_imports = reader
        .tables(&mut table, "optional-import")
        .into_iter()
        .map(|(mut entry, span)| {
            let import = OptionalImport {
                name: reader.string(&mut entry, "name"),
                reason: reader.string(&mut entry, "reason"),
            };
            if entry.has("reason") && import.reason.trim().is_empty() {
                let message = "`prove.optional-import.reason` is empty: say why this is right";
                reader.problem(span, message);
            }
            reader.finish(&entry);
            import
        })
        .collect();
    reader.finish(&table);
    Prove {
        start_seconds,
        stop_seconds,
        stdio,
        http,
        call,
        optional_imports,
    }
}

fn launch(reader: &mut Reader<'_>, prove: &mut Table<'_>, key: &'static str) -> Option<Launch> {
    let mut table = reader.table(prove, key);
    if !table.is_present() {
        return None;
    }
    let launch = Launch {
        arguments: reader
            .optional_strings(&mut table, "arguments")
            .unwrap_or_default(),
        environment: reader.string_map(&mut table, "environment"),
    };
    reader.finish(&table);
    Some(launch)
}

fn http(reader: &mut Reader<'_>, prove: &mut Table<'_>) -> Option<Http> {
    let mut table = reader.table(prove, "http");
    if !table.is_present() {
        return None;
    }
    let launch = Launch {
        arguments: reader
            .optional_strings(&mut table, "arguments")
            .unwrap_or_default(),
        environment: reader.string_map(&mut table, "environment"),
    };
    let environment = launch.environment.iter().map(|(_, value)| value);
    if !environment
        .chain(&launch.arguments)
        .any(|it| it.contains("{port}"))
    {
        let message = "`prove.http` tells the server no port: put {port} into `arguments` or \
                       `environment`";
        reader.problem(reader.span(prove, "http"), message);
    }
    if launch.arguments.iter().any(|word| word.contains("{token}")) {
        let message = "`prove.http.arguments` would show {token} to everybody on the machine: \
                       pass it by `environment`";
        reader.problem(reader.span(&table, "arguments"), message);
    }
    let mut path = |key, default: &str| {
        let path = reader
            .optional_string(&mut table, key)
            .unwrap_or_else(|| default.to_owned());
        if !path.starts_with('/') {
            let span = reader.span(&table, key);
            reader.problem(span, format!("`prove.http.{key}` must begin with a slash"));
        }
        path
    };
    let http = Http {
        endpoint: path("endpoint", "/mcp"),
        health: path("health", "/health"),
        ready: path("ready", "/ready"),
        launch,
    };
    reader.finish(&table);
    Some(http)
}

fn call(reader: &mut Reader<'_>, prove: &mut Table<'_>) -> Call {
    let mut table = reader.table(prove, "call");
    let tool = reader.string(&mut table, "tool");
    let arguments = reader
        .json(&mut table, "arguments")
        .unwrap_or_else(|| serde_json::json!({}));
    if !arguments.is_object() {
        let span = reader.span(&table, "arguments");
        reader.problem(span, "`prove.call.arguments` must be a table");
    }
    reader.finish(&table);
    Call { tool, arguments }
}

fn version(reader: &mut Reader<'_>, top: &mut Table<'_>) -> Version {
    let mut table = reader.table(top, "version");
    let files = reader
        .optional_strings(&mut table, "files")
        .unwrap_or_default();
    let tag = reader
        .optional_string(&mut table, "tag")
        .unwrap_or_else(|| "v{version}".to_owned());
    if !tag.contains("{version}") {
        let span = reader.span(&table, "tag");
        reader.problem(span, "`version.tag` must contain {version}");
    }
    let push_tag = reader.optional_string(&mut table, "push-tag");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let is_name =
        |name: &String| !name.is_empty() && !name.starts_with('-') && name.chars().all(plain);
    if push_tag.as_ref().is_some_and(|name| !is_name(name)) {
        let span = reader.span(&table, "push-tag");
        reader.problem(
            span,
            "`version.push-tag` is the name of a remote, such as origin",
        );
    }
    reader.finish(&table);
    Version {
        files: files.into_iter().map(Utf8PathBuf::from).collect(),
        tag,
        push_tag,
    }
}

#[cfg(test)]
mod tests;
