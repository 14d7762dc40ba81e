//! What one run sees and shares with the next: the commit it looked at, locks, tools, caches.

use std::collections::BTreeMap;

use camino::Utf8Path;
use xtask::source::{self, Tree};
use xtask::stage::Stage;
use xtask::world::World;
use xtask::world::interrupt::Interrupt;
use xtask::world::temporary::Temporary;
use xtask::world::terminal::{Detail, Format, Terminal};

use super::repository::Repository;

fn world(root: &Utf8Path, variables: &[(&str, &str)]) -> World {
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    let mut environment = BTreeMap::from([("PATH".to_owned(), path)]);
    let variables = variables.iter();
    environment.extend(variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    World {
        directory: root.to_owned(),
        root: root.to_owned(),
        environment,
        terminal: Terminal::new(Format::Text, Detail::Quiet),
        interrupt: Interrupt::default(),
        temporary: Temporary::default(),
    }
}

#[test]
fn a_commit_made_during_a_run_is_not_in_what_it_builds() {
    let repository = Repository::sound();
    let world = world(&repository.root, &[]);
    let checkout = source::observe(&world).unwrap();
    repository.write("server/later.py", "");
    repository.git(&["add", "--all"]);
    repository.git(&["commit", "--quiet", "--message=Later"]);
    let stage = Stage::open(&world, &checkout, Tree::Head).unwrap();
    assert!(stage.root.join("release.toml").exists());
    assert!(!stage.root.join("server/later.py").exists());
    let subjects = source::subjects_since_tag(&world, &checkout.commit, "v*").unwrap();
    assert_eq!(subjects, ["A commit"]);
}

#[test]
fn the_line_endings_a_user_prefers_are_not_exported() {
    let repository = Repository::sound();
    repository.write(".gitattributes", "* text=auto\n");
    repository.commit();
    repository.git(&["config", "core.eol", "crlf"]);
    let world = world(&repository.root, &[]);
    let checkout = source::observe(&world).unwrap();
    let stage = Stage::open(&world, &checkout, Tree::Head).unwrap();
    let exported = std::fs::read(stage.root.join("release.toml")).unwrap();
    assert_eq!(exported, repository.read("release.toml"));
}

/// SIGKILL leaves the tool no time to stop the server it tries.
#[cfg(target_os = "linux")]
#[test]
fn the_server_of_a_killed_run_ends_with_the_next() {
    let repository = Repository::folder("killed");
    let world = world(&repository.root, &[]);
    let home = world.private().join("prove-killed/home-killed");
    std::fs::create_dir_all(&home).unwrap();
    let start = |home: &Utf8Path| {
        let mut sleep = repository.command("sleep");
        sleep.arg("60").env("HOME", home).spawn().unwrap()
    };
    let (mut left, mut other) = (start(&home), start(&repository.root));
    xtask::prove::sweep(&world).unwrap();
    assert!(!left.wait().unwrap().success());
    assert!(other.try_wait().unwrap().is_none(), "it is not ours to end");
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(!home.exists());
}
