//! What children get, and what is shown of it.

use super::*;
use crate::world::terminal::{Detail, Terminal};

fn world() -> World {
    World {
        root: "/".into(),
        directory: "/".into(),
        environment: [("PATH", "/usr/bin:/bin"), ("GITHUB_TOKEN", "hush")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        terminal: Terminal::new(Format::Text, Detail::Quiet),
        interrupt: Interrupt::default(),
        temporary: crate::world::temporary::Temporary::default(),
    }
}

#[test]
fn a_secret_is_passed_and_never_shown() {
    let world = world();
    let command = || {
        world
            .command("printenv")
            .secret("TOKEN", "hush")
            .arg("TOKEN")
    };
    assert_eq!(command().line(), "TOKEN=\"$TOKEN\" printenv TOKEN");
    assert!(!format!("{:?}", command()).contains("hush"));
    assert_eq!(command().run().unwrap().stdout, "hush\n");
}

#[test]
fn words_are_quoted_only_when_a_shell_would_split_or_expand_them() {
    let check = |word: &str, expected: &str| assert_eq!(quote(word), expected);
    check("dist/a-1.0.whl", "dist/a-1.0.whl");
    check("", "''");
    check("a b", "'a b'");
    check("it's", r"'it'\''s'");
    check("$HOME", "'$HOME'");
}

#[test]
fn a_credential_is_passed_to_nobody_who_does_not_need_it() {
    let world = world();
    let print = || world.command("printenv").arg("GITHUB_TOKEN");
    assert_eq!(print().output().unwrap().stdout, "");
    let asked = print().with_credentials(&["GITHUB_TOKEN"]);
    assert_eq!(asked.output().unwrap().stdout, "hush\n");
    let other = print().with_credentials(&["TWINE_"]);
    assert_eq!(other.output().unwrap().stdout, "");
}
