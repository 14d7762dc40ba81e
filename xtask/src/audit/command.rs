//! The command that takes a fixed version into a lock file, ready to paste.

use camino::Utf8Path;

use crate::world::process::quote;

/// What is to be changed.
#[derive(Debug, Clone, Copy)]
pub struct Update<'text> {
    /// The lock file, from the root.
    pub lock: &'text str,
    /// The kind's name.
    pub kind: &'text str,
    /// The package.
    pub package: &'text str,
    /// The locked version.
    pub from: &'text str,
    /// The version to take.
    pub to: &'text str,
    /// Whether the project itself asks for the package.
    pub direct: bool,
    /// Whether everything that asks for it lets the new version in.
    pub allowed: bool,
}

impl Update<'_> {
    /// The command, to be run in the root. Where constraints keep the version out, it is the one
    /// that changes the manifest for a direct dependency.
    pub fn command(&self) -> String {
        let Update {
            package, from, to, ..
        } = *self;
        let raise = self.direct && !self.allowed;
        let words: Vec<String> = match self.kind {
            "poetry.lock" if raise => words(&["poetry", "add", &format!("{package}@^{to}")]),
            "poetry.lock" => words(&["poetry", "update", "--lock", package]),
            "uv.lock" if raise => words(&["uv", "add", &format!("{package}>={to}")]),
            "uv.lock" => words(&[
                "uv",
                "lock",
                "--upgrade-package",
                &format!("{package}=={to}"),
            ]),
            "Cargo.lock" if raise => words(&["cargo", "add", &format!("{package}@{to}")]),
            "Cargo.lock" => words(&[
                "cargo",
                "update",
                "--package",
                &format!("{package}@{from}"),
                "--precise",
                to,
            ]),
            "package-lock.json" if self.direct => {
                words(&["npm", "install", &format!("{package}@{to}")])
            }
            "package-lock.json" => words(&["npm", "update", package]),
            "pnpm-lock.yaml" if raise => words(&["pnpm", "add", &format!("{package}@{to}")]),
            "pnpm-lock.yaml" => words(&["pnpm", "update", "--recursive", package]),
            "yarn.lock" => words(&["yarn", "upgrade", &format!("{package}@{to}")]),
            _ => return format!("set {package}=={to} in {}", self.lock),
        };
        let command = words.join(" ");
        match Utf8Path::new(self.lock).parent().map(Utf8Path::as_str) {
            None | Some("") => command,
            Some(folder) => format!("(cd {} && {command})", quote(folder)),
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| quote(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, lock: &str, direct: bool, allowed: bool, expected: &str) {
        let update = Update {
            lock,
            kind,
            package: "left-pad",
            from: "1.0",
            to: "1.2",
            direct,
            allowed,
        };
        assert_eq!(update.command(), expected);
    }

    #[test]
    fn commands_run_in_the_folder_of_the_lock_file() {
        check(
            "poetry.lock",
            "poetry.lock",
            true,
            true,
            "poetry update --lock left-pad",
        );
        check(
            "poetry.lock",
            "a b/poetry.lock",
            true,
            false,
            "(cd 'a b' && poetry add 'left-pad@^1.2')",
        );
        check(
            "Cargo.lock",
            "x/Cargo.lock",
            false,
            true,
            "(cd x && cargo update --package left-pad@1.0 --precise 1.2)",
        );
        check(
            "package-lock.json",
            "package-lock.json",
            true,
            false,
            "npm install left-pad@1.2",
        );
        check(
            "package-lock.json",
            "package-lock.json",
            false,
            true,
            "npm update left-pad",
        );
        check(
            "requirements.txt",
            "r.txt",
            true,
            true,
            "set left-pad==1.2 in r.txt",
        );
    }
}
