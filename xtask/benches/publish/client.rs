//! The programs that publish: this tool, and the plain clients with their default and their best
//! flags.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use xtask::tools::twine;

use super::it::publish::real;
use super::job::{self, INDEX, Job};
use super::measure;
use super::repository::{Repository, ended, workspace};

/// The client of Open VSX that is compared with.
const OVSX: &str = "ovsx@1.4.0";

/// How this tool publishes to the profile of a job.
const PUBLISH: [&str; 4] = ["publish", "--to", "it", "--execute"];

/// Lets twine take the stand-in for the main index.
const KNOWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/publish/known.py");

/// A way to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `cargo xtask publish`.
    Ours,
    /// The same, and `cargo xtask verify` when it has ended well.
    OursVerified,
    /// `cargo xtask publish` to an index that `release.toml` names, so that twine is asked where it is.
    OursByName,
    /// `twine upload`.
    Twine,
    /// The same with `--skip-existing`.
    TwineSkip,
    /// `uv publish`.
    Uv,
    /// The same with `--check-url`.
    UvCheck,
    /// `ovsx publish`.
    Ovsx,
    /// The same with `--skip-duplicate`.
    OvsxSkip,
}

impl Tool {
    /// Whether it is this tool.
    pub fn is_ours(self) -> bool {
        matches!(self, Tool::Ours | Tool::OursVerified | Tool::OursByName)
    }

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Ours => "xtask publish",
            Tool::OursVerified => "xtask publish, verify",
            Tool::OursByName => "xtask publish, index by name",
            Tool::Twine => "twine",
            Tool::TwineSkip => "twine --skip-existing",
            Tool::Uv => "uv publish",
            Tool::UvCheck => "uv publish --check-url",
            Tool::Ovsx => "ovsx",
            Tool::OvsxSkip => "ovsx --skip-duplicate",
        }
    }
}

/// Where the programs are.
#[derive(Debug)]
pub struct Tools {
    python: Utf8PathBuf,
    uv: Utf8PathBuf,
    ovsx: Option<Utf8PathBuf>,
}

/// This tool, or the program that is measured in its place.
pub fn tool() -> Utf8PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a benchmark has no World")]
    let named = std::env::var("XTASK_BENCH_TOOL").ok();
    let named = named.map(|named| workspace().join(named));
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_cargo-xtask").into())
}

impl Tools {
    /// Finds them, and installs what is missing.
    pub fn find() -> Tools {
        let environment = twine::environment(&real::world()).unwrap();
        Tools {
            uv: twine::program(&environment, "uv"),
            python: environment.python,
            ovsx: ovsx(),
        }
    }

    /// Those of them that can be started.
    pub fn available(&self, tools: &[Tool]) -> Vec<Tool> {
        let is_there = |tool: &Tool| match tool {
            Tool::Ovsx | Tool::OvsxSkip => self.ovsx.is_some(),
            _ => true,
        };
        tools.iter().copied().filter(is_there).collect()
    }

    /// Whether npm is there.
    pub fn has_npm(&self) -> bool {
        self.ovsx.is_some()
    }

    /// What they say they are.
    pub fn versions(&self) -> Vec<String> {
        let folder = Repository::folder("versions");
        let first = |program: &str, arguments: &[&str]| {
            let ended = ended(folder.command(program).args(arguments));
            let text = format!("{}{}", ended.stdout, ended.stderr);
            text.lines().next().unwrap_or_default().to_owned()
        };
        let mut lines = vec![
            first(self.python.as_str(), &["--version"]),
            first(self.python.as_str(), &["-m", "twine", "--version"]),
            first(self.uv.as_str(), &["--version"]),
        ];
        match &self.ovsx {
            Some(ovsx) => {
                let version = first("node", &[ovsx.as_str(), "--version"]);
                lines.push(format!(
                    "ovsx {version}, Node.js {}",
                    first("node", &["-v"])
                ));
            }
            None => lines.push(format!("left out: npm does not install {OVSX}")),
        }
        lines
    }

    /// The command line by which a tool publishes the files of a job.
    pub fn command(&self, client: Tool, job: &Job) -> Command {
        let url = job.stand.address();
        let (legacy, simple) = (format!("{url}/legacy/"), format!("{url}/simple/"));
        let known = format!("{url}/");
        let twine = ["upload", "--non-interactive", "--repository-url", &legacy];
        let uv = ["publish", "--trusted-publishing", "never"];
        let node = self.ovsx.as_deref().map_or("", Utf8Path::as_str);
        let ovsx = [node, "publish", "--registryUrl", &url];
        let own = tool();
        let (program, words): (&str, Vec<&str>) = match client {
            Tool::Ours | Tool::OursVerified => (own.as_str(), PUBLISH.to_vec()),
            Tool::OursByName => (
                own.as_str(),
                [&PUBLISH[..2], &["named"], &PUBLISH[3..]].concat(),
            ),
            Tool::Twine => (
                self.python.as_str(),
                [&["-m", "twine"], &twine[..]].concat(),
            ),
            Tool::TwineSkip => (
                self.python.as_str(),
                [&[KNOWN, &known], &twine[..], &["--skip-existing"]].concat(),
            ),
            Tool::Uv => (
                self.uv.as_str(),
                [&uv[..], &["--publish-url", &legacy]].concat(),
            ),
            Tool::UvCheck => (
                self.uv.as_str(),
                [&uv[..], &["--publish-url", &legacy, "--check-url", &simple]].concat(),
            ),
            Tool::Ovsx => ("node", ovsx.to_vec()),
            Tool::OvsxSkip => ("node", [&ovsx[..], &["--skip-duplicate"]].concat()),
        };
        let mut command = job.repository.command(program);
        command.args(words);
        // Ours takes what is in dist/.
        if !client.is_ours() {
            command.args(&job.files);
        }
        command
    }
}

/// Publishes the files of a job and says how it ended.
pub fn run(tools: &Tools, client: Tool, job: &Job) -> Option<i32> {
    let code = ended(&mut tools.command(client, job)).code;
    if client != Tool::OursVerified || code != Some(0) {
        return code;
    }
    let mut verify = job.repository.command(tool().as_str());
    ended(verify.args(["verify", "--to", "it"])).code
}

/// Says what twine does with `--skip-existing` and an address that it does not know.
pub fn refusal(tools: &Tools) {
    let job = Job::of(&INDEX, &job::release(""));
    let mut command = job.repository.command(tools.python.as_str());
    let address = format!("{}/legacy/", job.stand.address());
    command
        .args(["-m", "twine", "upload", "--non-interactive"])
        .args(["--skip-existing", "--repository-url", &address])
        .args(&job.files);
    let ended = ended(&mut command);
    let text = format!("{}{}", ended.stdout, ended.stderr);
    let words: Vec<&str> = text.split_whitespace().collect();
    let said = words.join(" ").replace(&address, "http://…/legacy/");
    let code = ended.code.unwrap_or(-1);
    measure::line(&format!(
        "\ntwine --skip-existing --repository-url http://…/legacy/: exit {code}"
    ));
    measure::line(&format!("  {said}"));
    measure::line("  so below it runs through known.py, as it would for the main index");
}

/// The script of ovsx, installed when it is not there yet.
fn ovsx() -> Option<Utf8PathBuf> {
    let place = workspace().join("target/bench/ovsx");
    let script = place.join("node_modules/ovsx/bin/ovsx");
    let folder = Repository::folder("ovsx");
    if !script.exists() {
        std::fs::create_dir_all(&place).unwrap();
        let mut npm = folder.command("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .args(["--prefix", place.as_str(), OVSX]);
        // A machine without npm has no ovsx either.
        npm.output().ok()?;
    }
    script.exists().then_some(script)
}
