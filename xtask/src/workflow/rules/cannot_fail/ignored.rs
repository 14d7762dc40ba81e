//! Commands of a script whose result nothing depends on.

use crate::workflow::shell::{Command, Joint, program_name};

/// A command whose failure is thrown away.
pub(super) struct Ignored {
    /// Where it is noticed in the script.
    pub offset: usize,
    /// What was seen.
    pub message: String,
}

/// Programs that clean up or show something: they decide nothing.
const HARMLESS: [&str; 24] = [
    "rm", "kill", "pkill", "killall", "cat", "ls", "echo", "printf", "umount", "tail", "head",
    "df", "ps", "true", "mkdir", "sleep", "wait", "which", "type", "command", "chmod", "read",
    // `grep` fails when there is nothing to show.
    "grep", "rg",
];

/// Programs that prepare the machine: what is missing then is found by what needs it. Python's
/// and Node's own are not among them: to install may be the test.
const PREPARES: [&str; 12] = [
    "apt", "apt-get", "brew", "choco", "winget", "dnf", "yum", "apk", "pacman", "rustup",
    "corepack", "snap",
];

/// What stands behind `||` and always succeeds.
const SUCCEEDS: [&str; 4] = ["true", ":", "echo", "printf"];

pub(super) fn ignored(commands: &[Command], script: &str) -> Vec<Ignored> {
    let mut found = Vec::new();
    for (index, command) in commands.iter().enumerate() {
        let called = command.called();
        let Some(program) = called.first() else {
            continue;
        };
        let before = index.checked_sub(1).map(|before| &commands[before]);
        let harmless = before.is_none_or(is_harmless);
        match command.before {
            Joint::Or if !harmless && always_succeeds(&commands[index..]) => found.push(Ignored {
                offset: before.map_or(command.offset(), Command::offset),
                message: format!(
                    "`{} || {program}` succeeds whatever happens",
                    before.map(Command::shown).unwrap_or_default()
                ),
            }),
            Joint::Next if *program == "true" && is_last(command, script) && !harmless => found
                .push(Ignored {
                    offset: command.offset(),
                    message: "`; true` makes the step succeed whatever happens".to_owned(),
                }),
            _ => {}
        }
        let asks = script.contains("$?") || script.contains("PIPESTATUS");
        if ["set +e", "set +o errexit"].contains(&called.join(" ").as_str()) && !asks {
            let message = "`set +e` goes on after every failure, and nothing asks for `$?`";
            found.push(Ignored {
                offset: command.offset(),
                message: message.to_owned(),
            });
        }
        if called.len() == 2
            && called == ["exit", "0"]
            && before.is_some()
            && is_last(command, script)
            && command.depth == 0
            && matches!(command.before, Joint::Or)
        {
            let message = "`|| exit 0` succeeds whatever happens".to_owned();
            found.push(Ignored {
                offset: command.offset(),
                message,
            });
        }
    }
    found
}

fn is_harmless(command: &Command) -> bool {
    let called = command.called();
    let [program, rest @ ..] = called.as_slice() else {
        return true;
    };
    let cleans = |words: &[&str]| {
        matches!(
            words.first(),
            Some(&"stop" | &"rm" | &"kill" | &"logs" | &"down" | &"compose" | &"config")
        )
    };
    let program = &program_name(program);
    HARMLESS.contains(program)
        || PREPARES.contains(program)
        || matches!((*program, rest), ("cargo", ["install", ..]))
        || matches!(*program, "docker" | "podman" | "git") && cleans(rest)
}

fn is_last(command: &Command, script: &str) -> bool {
    script.trim_end().len() <= command.offset() + command.shown().len()
}

/// Whether what is behind `||` (one command, or a group) succeeds and does not leave.
fn always_succeeds(behind: &[Command]) -> bool {
    let Some(first) = behind.first() else {
        return false;
    };
    let group: &[Command] = if first.opens {
        let end = behind
            .iter()
            .position(|command| command.depth < first.depth);
        &behind[..end.unwrap_or(behind.len())]
    } else {
        let mut end = 1;
        while behind
            .get(end)
            .is_some_and(|next| matches!(next.before, Joint::And | Joint::Pipe))
        {
            end += 1;
        }
        &behind[..end]
    };
    let program = |command: &Command| {
        command
            .called()
            .first()
            .map_or(String::new(), |word| (*word).to_owned())
    };
    group
        .iter()
        .all(|command| SUCCEEDS.contains(&program(command).as_str()))
}
