//! What a person sees: help, completions, manual pages, colours.

use crate::repository::{Ended, Repository};

fn plain() -> Repository {
    let repository = Repository::folder("empty");
    assert!(!repository.root.join("release.toml").exists());
    repository
}

fn with(variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut repository = Repository::sound();
    let variables = variables.iter();
    let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    repository.environment.extend(variables);
    repository.xtask(arguments)
}

#[test]
fn wrong_words_are_answered_with_right_ones() {
    let check = |arguments: &[&str], expected: &str| {
        let ended = plain().xtask(arguments);
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    };
    check(&["relese"], "'release'");
    check(&["publsh", "--execute"], "'publish'");
    check(&["release", "--drity"], "'--dirty'");
    check(&["release", "--format", "jsn"], "'json'");
    check(&["lock", "explian", "x"], "'explain'");
    check(&["completions", "bsh"], "'bash'");
}

#[test]
fn completions_and_pages_need_no_repository() {
    let repository = plain();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = repository.succeeds(&["completions", shell]).stdout;
        for word in ["cargo-xtask", "release", "without-audit"] {
            assert!(script.contains(word), "{shell} has no {word}");
        }
        let json = repository.succeeds(&["completions", shell, "--format", "json"]);
        let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(value["schema"], 1);
        assert_eq!(
            value["script"].as_str().map(str::trim_end),
            Some(script.trim_end())
        );
    }
    let page = repository.succeeds(&["man", "lock", "repair"]).stdout;
    assert!(page.contains("CARGO-XTASK-LOCK-REPAIR 1"), "{page}");
    let unknown = repository.xtask(&["man", "nothing"]);
    assert_eq!(unknown.code, Some(2));
    repository.succeeds(&["man", "--out", "pages"]);
    let written = std::fs::read_dir(repository.root.join("pages")).unwrap();
    assert!(written.count() > 20);
}

/// Completes the last of some words as the shell does when the tab key is pressed.
#[cfg(unix)]
const BASH: &str = r#"
set -u
_cargo() { COMPREPLY=(from-cargo); }
complete -F _cargo cargo
source "$1"
source "$1"
try() {
    local name
    name=$(complete -p "$1" | sed 's/.*-F \([^ ]*\) .*/\1/')
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    "$name" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    echo "$*: ${COMPREPLY[*]}"
}
try cargo-xtask rel
try cargo xtask rel
try cargo xtask publish --ex
try cargo xtask lock exp
try cargo xtask release --format j
try cargo build
try cargo xtask
"#;

#[cfg(unix)]
#[test]
fn bash_completes_verbs_and_options_and_leaves_cargo_its_own() {
    use crate::repository::ended;
    let repository = plain();
    let script = repository.succeeds(&["completions", "bash"]).stdout;
    repository.write("completions.bash", &script);
    repository.write("try.bash", BASH);
    let mut bash = repository.command("bash");
    let ended = ended(bash.args(["--noprofile", "--norc", "try.bash", "completions.bash"]));
    assert_eq!(ended.stderr, "");
    let expected = "cargo-xtask rel: release\ncargo xtask rel: release\n\
                    cargo xtask publish --ex: --execute\ncargo xtask lock exp: explain\n\
                    cargo xtask release --format j: json\ncargo build: from-cargo\n\
                    cargo xtask: from-cargo\n";
    assert_eq!(ended.stdout, expected);
}

/// groff warns of what a page cannot mean; where it is not installed, nobody reads pages either.
#[cfg(unix)]
#[test]
fn pages_are_sound_roff() {
    use crate::repository::ended;
    let repository = plain();
    repository.succeeds(&["man", "--out", "pages"]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("groff").exists()) {
        return;
    }
    for entry in std::fs::read_dir(repository.root.join("pages")).unwrap() {
        let page = entry.unwrap().path();
        let mut groff = repository.command("groff");
        let ended = ended(groff.args(["-man", "-Tascii", "-ww"]).arg(&page));
        assert_eq!(ended.stderr, "", "{}", page.display());
        assert!(ended.stdout.lines().count() > 15, "{}", ended.stdout);
    }
}

#[test]
fn colours_are_for_those_who_see_them() {
    let check = |variables: &[(&str, &str)], arguments: &[&str], expected: bool| {
        let ended = with(variables, arguments);
        let found = ended.stdout.contains('\u{1b}') || ended.stderr.contains('\u{1b}');
        assert_eq!(
            found, expected,
            "{variables:?} {arguments:?}\n{}{}",
            ended.stdout, ended.stderr
        );
    };
    for arguments in [
        &["version"][..],
        &["doctor"],
        &["release", "--help"],
        &["verify"],
        &["no-verb"],
    ] {
        check(&[], arguments, false);
        check(&[("CLICOLOR_FORCE", "1")], arguments, true);
        check(
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
            arguments,
            false,
        );
        check(&[("TERM", "dumb"), ("CI", "true")], arguments, false);
    }
    let json = with(&[("CLICOLOR_FORCE", "1")], &["version", "--format", "json"]);
    assert!(!json.stdout.contains('\u{1b}'));
}
