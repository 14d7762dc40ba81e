//! `completions`: the script by which a shell completes the verbs and their options.
//!
//! What clap generates completes `cargo-xtask`. People type `cargo xtask`, which belongs to
//! cargo's own completion; for the shells whose completions can be chained, the script hands the
//! words behind `xtask` on and everything else back.

use clap::{Args, Command};
use clap_complete::Shell;
use serde_json::json;

use crate::world::terminal::{Format, Terminal};

/// The program that cargo calls.
const PROGRAM: &str = "cargo-xtask";

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script; needs no repository.
pub fn run(terminal: &Terminal, grammar: Command, arguments: &Arguments) {
    let script = script(grammar, arguments.shell);
    match terminal.format {
        Format::Json => terminal.json(&json!({
            "schema": 1,
            "shell": arguments.shell.to_string(),
            "script": script,
        })),
        Format::Text | Format::Sarif | Format::Markdown => terminal.document(&script),
    }
}

/// The script for a shell.
pub fn script(grammar: Command, shell: Shell) -> String {
    let mut grammar = grammar.name(PROGRAM).bin_name(PROGRAM);
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut grammar, PROGRAM, &mut bytes);
    let generated = String::from_utf8_lossy(&bytes);
    // For Bash, clap takes the hyphen in the name for the start of a verb in one of two places.
    let generated = generated.replace("cargo__subcmd__xtask", "cargo__xtask");
    let behind_cargo = match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
        _ => "",
    };
    format!("{}\n{behind_cargo}", generated.trim_end())
}

/// Bash has one function for each command, so that the one that was there is called on. Where
/// completions are loaded when they are first needed, cargo's is loaded now.
const BASH: &str = r#"
_cargo_xtask_behind_cargo() {
    if [[ ${COMP_WORDS[1]-} == xtask && ${COMP_CWORD} -gt 1 ]]; then
        COMP_WORDS=(cargo-xtask "${COMP_WORDS[@]:2}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _cargo__xtask cargo-xtask "$2" "$3"
    elif [[ -n ${_cargo_xtask_before-} ]]; then
        "$_cargo_xtask_before" "$@"
    fi
}

_cargo_xtask_chain() {
    local loader words word previous=
    for loader in _comp_load _completion_loader; do
        if declare -F "$loader" > /dev/null && ! complete -p cargo > /dev/null 2>&1; then
            "$loader" cargo > /dev/null 2>&1 || true
        fi
    done
    read -ra words <<< "$(complete -p cargo 2> /dev/null)"
    for word in "${words[@]}"; do
        if [[ $previous == -F && $word != _cargo_xtask_behind_cargo ]]; then
            _cargo_xtask_before=$word
        fi
        previous=$word
    done
    complete -F _cargo_xtask_behind_cargo -o bashdefault -o default cargo
}
_cargo_xtask_chain
unset -f _cargo_xtask_chain
"#;

/// As in Bash.
const ZSH: &str = r#"
_cargo_xtask_behind_cargo() {
    if (( CURRENT > 2 )) && [[ ${words[2]} == xtask ]]; then
        shift words
        (( CURRENT-- ))
        words[1]=cargo-xtask
        _cargo-xtask "$@"
    elif [[ -n ${_cargo_xtask_before-} ]]; then
        ${_cargo_xtask_before} "$@"
    fi
}
if [[ ${_comps[cargo]-} != _cargo_xtask_behind_cargo ]]; then
    typeset -g _cargo_xtask_before=${_comps[cargo]-}
fi
compdef _cargo_xtask_behind_cargo cargo
"#;

/// Fish adds up what several rules say; this one asks for what `cargo-xtask` would get.
const FISH: &str = r#"
function __cargo_xtask_behind_cargo
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l last (commandline --current-token --cut-at-cursor)
    complete --do-complete (string join ' ' -- cargo-xtask (string escape -- $words[3..]) "$last")
end
complete -c cargo -n '__fish_seen_subcommand_from xtask' -f -a '(__cargo_xtask_behind_cargo)'
"#;
