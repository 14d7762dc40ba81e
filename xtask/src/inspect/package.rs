//! What a `package.json` says that a rule asks for.

use super::repository::{Repository, folder_of};
use crate::error::Result;
use crate::lockfile::json::{self, Json, Object};

/// A Node.js package, which may be an extension of VS Code.
#[derive(Debug)]
pub struct Package<'text> {
    /// Its path.
    pub path: &'text str,
    /// Its folder, empty for the root.
    pub folder: &'text str,
    /// What it says.
    pub top: Object<'text>,
}

impl<'text> Package<'text> {
    /// Reads one.
    ///
    /// # Errors
    /// Not JSON, or no object.
    pub fn read(path: &'text str, text: &'text str) -> Result<Package<'text>> {
        Ok(Package {
            path,
            folder: folder_of(path),
            top: json::object(text, path)?,
        })
    }

    /// Whether it is an extension of VS Code.
    pub fn is_extension(&self) -> bool {
        let engines = self.top.object("engines");
        engines.is_some_and(|engines| engines.get("vscode").is_some())
    }

    /// The line of a key at the top; 1 when it is not there.
    pub fn line(&self, key: &str) -> usize {
        self.top.member(key).map_or(1, |member| member.line)
    }

    /// A path below its folder, from the root; `None` when it leaves the root.
    pub fn join(&self, path: &str) -> Option<String> {
        super::repository::beside(self.folder, path)
    }

    /// The scripts: name, line, command.
    pub fn scripts(&self) -> impl Iterator<Item = (&str, usize, &str)> {
        self.top
            .members_of("scripts")
            .filter_map(|member| match &member.value {
                Json::Text(text) => Some((&*member.key, member.line, &**text)),
                _ => None,
            })
    }

    /// The command of a script.
    pub fn script(&self, name: &str) -> Option<&str> {
        self.scripts()
            .find(|(known, _, _)| *known == name)
            .map(|(_, _, command)| command)
    }

    /// All commands that running a script runs: its own, its `pre` and `post` ones, and those of
    /// the scripts it calls.
    pub fn all_commands(&self, name: &str) -> String {
        let mut names = vec![name.to_owned()];
        let mut index = 0;
        let mut commands = String::new();
        while let Some(name) = names.get(index).cloned() {
            index += 1;
            for form in ["pre", "", "post"] {
                let Some(command) = self.script(&format!("{form}{name}")) else {
                    continue;
                };
                commands.push_str(command);
                commands.push('\n');
                for called in called_scripts(command) {
                    if !names.iter().any(|known| known == called) {
                        names.push(called.to_owned());
                    }
                }
            }
        }
        commands
    }

    /// The texts of the files that commands name, as far as they were read.
    pub fn scripts_of<'read>(
        &self,
        repository: &'read Repository,
        commands: &str,
    ) -> Vec<&'read str> {
        let words = commands.split([' ', '\n', '&', ';', '"', '\'', '|']);
        words
            .filter_map(|word| repository.text(&self.join(word.trim_start_matches("./"))?))
            .collect()
    }
}

/// The scripts that a command calls in the same package: `npm run x`, `yarn run x`, `pnpm run x`.
pub fn called_scripts(command: &str) -> Vec<&str> {
    let mut called = Vec::new();
    for part in command.split(['&', ';', '|', '\n', '(', ')']) {
        let words: Vec<&str> = part.split_whitespace().collect();
        let Some(at) = words
            .iter()
            .position(|word| matches!(*word, "npm" | "pnpm" | "yarn" | "bun"))
        else {
            continue;
        };
        let rest = &words[at + 1..];
        if rest.iter().any(|word| {
            word.starts_with("--prefix")
                || word.starts_with("--workspace")
                || word.starts_with("--cwd")
                || matches!(*word, "-C" | "-w" | "-ws" | "--filter" | "-r")
                || word.starts_with("--if-present")
        }) {
            continue;
        }
        if let Some(run) = rest
            .iter()
            .position(|word| matches!(*word, "run" | "run-script"))
            && rest[..run].iter().all(|word| word.starts_with('-'))
            && let Some(name) = rest[run + 1..].iter().find(|word| !word.starts_with('-'))
        {
            called.push(name.trim_matches(['"', '\'']));
        }
    }
    called
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn called_scripts_are_those_of_the_package_itself() {
        let check = |command, expected: &[&str]| assert_eq!(called_scripts(command), expected);
        check("npm run a && npm run -s b -- --x", &["a", "b"]);
        check("npm --prefix x run a; npm -w y run b", &[]);
        check("npm run a --if-present", &[]);
        check("npm test && node run.js", &[]);
    }
}
