//! The shells that scripts of steps run in. Pure.

/// How a script is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// The program.
    pub program: String,
    /// Its arguments; `{0}` is the script's path.
    pub arguments: Vec<String>,
    /// How the script's file name ends.
    pub extension: &'static str,
    /// What stands before and after the script.
    pub frame: (&'static str, &'static str),
}

/// The shell of this name, or the one that the system has for scripts without a name.
///
/// # Errors
/// A name that is no shell's and no template with `{0}`.
pub fn find(name: Option<&str>, system: &str) -> Result<Shell, String> {
    let plain = ("", "");
    let stop = (
        "$ErrorActionPreference = 'stop'\n",
        "\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }",
    );
    let power = |program: &str| (format!("{program} -command . '{{0}}'"), ".ps1", stop);
    let (line, extension, frame) = match (name, system) {
        (None, "Windows") => power("pwsh"),
        (None, _) => ("bash -e {0}".to_owned(), ".sh", plain),
        (Some("bash"), _) => {
            let line = "bash --noprofile --norc -eo pipefail {0}";
            (line.to_owned(), ".sh", plain)
        }
        (Some("sh"), _) => ("sh -e {0}".to_owned(), ".sh", plain),
        (Some("python"), _) => ("python {0}".to_owned(), ".py", plain),
        (Some(name @ ("pwsh" | "powershell")), _) => power(name),
        (Some("cmd"), _) => {
            let line = "cmd /D /E:ON /V:OFF /S /C \"CALL {0}\"";
            (line.to_owned(), ".cmd", ("@echo off\n", ""))
        }
        (Some(template), _) if template.contains("{0}") => (template.to_owned(), "", plain),
        (Some(name), _) => return Err(format!("there is no shell {name}; a template has {{0}}")),
    };
    let mut words = line.split_whitespace().map(str::to_owned);
    let program = words.next().unwrap_or_default();
    let arguments = match extension {
        // One argument that PowerShell reads as a command.
        ".ps1" => vec!["-command".to_owned(), ". '{0}'".to_owned()],
        _ => words.collect(),
    };
    Ok(Shell {
        program,
        arguments,
        extension,
        frame,
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn shells_are_those_of_github() {
        let check = |name: Option<&str>, system: &str, expected: &str| {
            let shell = find(name, system).unwrap();
            let line = format!("{} {}", shell.program, shell.arguments.join(" "));
            assert_eq!(line, expected);
        };
        check(None, "Linux", "bash -e {0}");
        check(None, "Windows", "pwsh -command . '{0}'");
        check(
            Some("bash"),
            "Linux",
            "bash --noprofile --norc -eo pipefail {0}",
        );
        check(Some("sh"), "macOS", "sh -e {0}");
        check(Some("python"), "Linux", "python {0}");
        check(Some("perl -w {0}"), "Linux", "perl -w {0}");
        assert!(find(Some("fish"), "Linux").is_err());
    }
}
