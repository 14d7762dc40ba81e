//! The command that takes a fixed version into a lock file, ready to paste.
//!
//! What it is belongs to the kind of lock file; here it becomes text.

use camino::Utf8Path;

use crate::lockfile::{Act, Kind, Update};
use crate::world::process::quote;

/// The command, to be run in the root. What no command does is a comment, which a shell that it
/// is pasted into passes over.
pub fn command(kind: &Kind, lock: &str, update: &Update<'_>) -> String {
    match (kind.update)(update) {
        Act::Edit(what) => format!("# {what}"),
        Act::Run(words) => {
            let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
            let command = words.join(" ");
            match Utf8Path::new(lock).parent().map(Utf8Path::as_str) {
                None | Some("") => command,
                Some(folder) => format!("(cd {} && {command})", quote(folder)),
            }
        }
    }
}

/// Whether a name or a version consists of what registries allow in them, so that neither a shell
/// nor a tool takes it for something else.
pub fn is_harmless(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"@/._+~!-".contains(&byte);
    !text.starts_with('-') && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfile::{Bar, kind_of};

    fn check(lock: &str, format: &str, direct: bool, bar: Bar<'_>, expected: &str) {
        let file = Utf8Path::new(lock).file_name().unwrap_or_default();
        let update = Update {
            file: lock,
            format,
            package: "left-pad",
            from: "1.0.0",
            to: "1.2.0",
            bar,
            direct,
        };
        let kind = kind_of(file).expect("a lock file");
        assert_eq!(command(kind, lock, &update), expected);
    }

    const PARENT: Bar<'_> = Bar::Package("parent");
    const MAIN: Bar<'_> = Bar::Project {
        group: Some("main"),
    };
    const DEV: Bar<'_> = Bar::Project { group: Some("dev") };

    #[test]
    fn python_commands_change_the_lock_and_where_they_must_the_manifest() {
        let check = |lock, bar, expected| check(lock, "", true, bar, expected);
        check("poetry.lock", Bar::None, "poetry update --lock left-pad");
        check(
            "a b/poetry.lock",
            MAIN,
            "(cd 'a b' && poetry add --lock 'left-pad@^1.2.0')",
        );
        check(
            "poetry.lock",
            DEV,
            "poetry add --lock --group dev 'left-pad@^1.2.0'",
        );
        check(
            "poetry.lock",
            PARENT,
            "poetry update --lock parent left-pad",
        );
        check(
            "uv.lock",
            Bar::None,
            "uv lock --upgrade-package left-pad==1.2.0",
        );
        check(
            "uv.lock",
            DEV,
            "uv add --no-sync --group dev 'left-pad>=1.2.0'",
        );
        check(
            "uv.lock",
            PARENT,
            "uv lock --upgrade-package parent --upgrade-package left-pad==1.2.0",
        );
    }

    #[test]
    fn requirements_say_what_made_them() {
        let check = |format, expected| check("x/requirements.txt", format, true, MAIN, expected);
        check("", "# in x/requirements.txt: left-pad==1.2.0");
        let again = "# run the command at the top of x/requirements.txt again, with \
                     --upgrade-package left-pad==1.2.0";
        check("pip-compile", again);
        check("uv", again);
    }

    #[test]
    fn cargo_takes_one_version_precisely() {
        let far = |direct| Update {
            file: "Cargo.lock",
            format: "4",
            package: "a",
            from: "0.1.2",
            to: "0.2.0",
            bar: Bar::None,
            direct,
        };
        let kind = kind_of("Cargo.lock").expect("a lock file");
        let add = command(kind, "Cargo.lock", &far(true));
        assert_eq!(add, "cargo add a@0.2.0");
        let none = command(kind, "Cargo.lock", &far(false));
        let said = "# a 0.2.0 is too new for what asks for a 0.1.2: take a newer version of that";
        assert_eq!(none, said);
        let check = |bar, expected| check("x/Cargo.lock", "4", true, bar, expected);
        check(
            Bar::None,
            "(cd x && cargo update left-pad@1.0.0 --precise 1.2.0)",
        );
        check(MAIN, "(cd x && cargo add left-pad@1.2.0)");
        check(DEV, "(cd x && cargo add --dev left-pad@1.2.0)");
        check(PARENT, "(cd x && cargo update parent left-pad@1.0.0)");
    }

    #[test]
    fn node_commands_know_who_asks() {
        let npm = "package-lock.json";
        check(
            npm,
            "3",
            true,
            MAIN,
            "npm install --package-lock-only left-pad@1.2.0",
        );
        check(
            "npm-shrinkwrap.json",
            "3",
            false,
            Bar::None,
            "npm update --package-lock-only left-pad",
        );
        check(
            npm,
            "3",
            false,
            PARENT,
            "npm update --package-lock-only parent left-pad",
        );
        let pnpm = "pnpm-lock.yaml";
        check(
            pnpm,
            "9.0",
            true,
            DEV,
            "pnpm update --recursive left-pad@1.2.0",
        );
        check(
            pnpm,
            "9.0",
            false,
            PARENT,
            "pnpm update --recursive parent left-pad",
        );
        let yarn = "yarn.lock";
        check(yarn, "1", true, MAIN, "yarn upgrade left-pad@1.2.0");
        check(
            yarn,
            "1",
            false,
            Bar::None,
            "# delete the entry of left-pad 1.0.0 from yarn.lock, then: yarn install",
        );
        check(
            yarn,
            "1",
            false,
            PARENT,
            "# ask for \"left-pad\": \"1.2.0\" in `resolutions` of package.json, then: yarn install",
        );
        check(yarn, "8", true, MAIN, "yarn up left-pad@1.2.0");
        check(
            yarn,
            "8",
            false,
            PARENT,
            "yarn up --recursive parent left-pad",
        );
    }
}
