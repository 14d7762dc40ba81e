//! What a command needs to find in the repository.

use crate::workflow::repository::{Disk, resolve};
use crate::workflow::shell::{is_python, program_name};

/// A thing that must be there.
#[derive(Debug)]
pub(super) enum Wanted {
    File(String),
    NpmScript {
        folder: String,
        name: String,
    },
    MakeTarget {
        folder: String,
        name: Option<String>,
    },
}

/// What these words need; nothing when it is known at run time only.
pub(super) fn wanted(called: &[&str], folder: &str) -> Option<Wanted> {
    let (program, arguments) = called.split_first()?;
    let name = program_name(program);
    let file = |path: &str| resolve(folder, path).map(Wanted::File);
    if program.contains('/') {
        let is_script = program.starts_with('.') || has_ending(program, SCRIPTS);
        let is_installed = ["bin/", "Scripts/", "node_modules/", "target/", "dist/"];
        let may_be_made =
            is_installed.iter().any(|part| program.contains(part)) || program.contains("venv");
        if !is_script || may_be_made {
            return None;
        }
        let path = resolve(folder, program)?;
        // `./configure` or `./server`: a program that is compiled or written on the way.
        let is_compiled = !path.contains('/') && !has_ending(&path, SCRIPTS);
        return (!is_compiled).then_some(Wanted::File(path));
    }
    match name {
        "bash" | "sh" | "zsh" | "source" | "." | "node" | "pwsh" | "powershell" | "deno"
        | "tsx" => {
            let inline: &[&str] = match name {
                "node" | "deno" | "tsx" => &["-e", "--eval", "-p", "--print", "--test"],
                _ => &["-c", "-s", "-Command"],
            };
            if arguments.iter().any(|word| inline.contains(word)) {
                return None;
            }
            let script = arguments.iter().find(|word| !word.starts_with('-'))?;
            let is_file = name != "deno" && (script.contains('/') || has_ending(script, SCRIPTS));
            if is_file && !script.contains("venv") && !script.contains("node_modules") {
                file(script)
            } else {
                None
            }
        }
        _ if is_python(name) => {
            let script = arguments
                .iter()
                .find(|word| !word.starts_with('-') || matches!(**word, "-c" | "-m"))?;
            if has_ending(script, &[".py"]) {
                file(script)
            } else {
                None
            }
        }
        "npm" | "pnpm" | "yarn" => npm(name, arguments, folder),
        "make" | "gmake" => make(arguments, folder),
        _ => None,
    }
}

const SCRIPTS: &[&str] = &[
    ".sh", ".py", ".js", ".cjs", ".mjs", ".ts", ".ps1", ".bash", ".rb", ".pl",
];

fn has_ending(path: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| path.ends_with(ending))
}

/// Commands of npm that run the script of the same name and nothing else.
const RUN_AS_NAMED: [&str; 2] = ["test", "stop"];

fn npm(program: &str, arguments: &[&str], folder: &str) -> Option<Wanted> {
    let mut folder = folder.to_owned();
    let mut words: Vec<&str> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--" => break,
            "--prefix" | "-C" | "--dir" | "--cwd" => folder = resolve(&folder, rest.next()?)?,
            "-w" | "--workspace" | "--filter" | "-F" | "-r" | "--recursive" | "--workspaces"
            | "-ws" | "--if-present" => return None,
            word => match (word.strip_prefix("--prefix="), word.starts_with('-')) {
                (Some(prefix), _) => folder = resolve(&folder, prefix)?,
                (None, true) => {}
                (None, false) => words.push(word),
            },
        }
    }
    let name = match words.as_slice() {
        // Yarn runs programs of packages, too.
        ["run", name, ..] if program == "yarn" && !name.contains(':') => return None,
        ["run" | "run-script" | "rum" | "urn", name, ..] => *name,
        ["t" | "tst", ..] if program == "npm" => "test",
        [name, ..] if RUN_AS_NAMED.contains(name) => name,
        _ => return None,
    };
    // Without a script of the name, npm starts `server.js`.
    if name.contains('$') || matches!(name, "start" | "restart") {
        return None;
    }
    Some(Wanted::NpmScript {
        folder,
        name: name.to_owned(),
    })
}

fn make(arguments: &[&str], folder: &str) -> Option<Wanted> {
    let mut folder = folder.to_owned();
    let mut target = None;
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match *word {
            "-C" | "--directory" => folder = resolve(&folder, rest.next()?)?,
            "-f" | "--file" | "--makefile" | "-v" | "--version" | "-h" | "--help" => return None,
            "-j" | "-o" | "-W" | "-I" => {}
            word if word.starts_with('-') || word.contains(['=', '$']) => {}
            word if word.chars().all(|c| c.is_ascii_digit()) => {}
            word => {
                target.get_or_insert(word);
            }
        }
    }
    Some(Wanted::MakeTarget {
        folder,
        name: target.map(str::to_owned),
    })
}

impl Wanted {
    /// The path by which earlier steps may have made it.
    pub fn path(&self) -> &str {
        match self {
            Wanted::File(path) => path,
            Wanted::NpmScript { folder, .. } | Wanted::MakeTarget { folder, .. } => folder,
        }
    }

    /// What is missing, if something is.
    pub fn problem(&self, disk: &Disk) -> Option<String> {
        let shown = |folder: &str| match folder {
            "" => "the root".to_owned(),
            folder => format!("`{folder}`"),
        };
        match self {
            Wanted::File(path) => {
                (!disk.has(path)).then(|| format!("there is no `{path}` in the repository"))
            }
            Wanted::NpmScript { folder, name } => match disk.scripts.get(folder) {
                None => Some(format!("there is no package.json in {}", shown(folder))),
                Some(scripts) => (!scripts.contains(name))
                    .then(|| format!("package.json in {} has no script `{name}`", shown(folder))),
            },
            Wanted::MakeTarget { folder, name } => match (disk.targets.get(folder), name) {
                (None, _) => Some(format!("there is no Makefile in {}", shown(folder))),
                // `*` stands for targets that are known to make only.
                (Some(targets), Some(name))
                    if !targets.contains(name) && !targets.contains("*") =>
                {
                    Some(format!(
                        "the Makefile in {} has no target `{name}`",
                        shown(folder)
                    ))
                }
                _ => None,
            },
        }
    }
}
