//! What is read from a `Cargo.lock`, and from the manifests beside it.

use super::super::samples::{all, check_real, problem, read, roots};
use super::*;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A lock file of a project `p` that asks for these, and these packages of Cargo's registry.
fn lock(head: &str, project: &str, packages: &[(&str, &str, &str)]) -> String {
    let mut text = format!(
        "{head}[[package]]\nname = \"p\"\nversion = \"0.1.0\"\ndependencies = [{project}]\n"
    );
    for (name, version, dependencies) in packages {
        text.push_str(&format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{REGISTRY}\"\n\
             dependencies = [{dependencies}]\n"
        ));
    }
    text
}

#[test]
fn dependencies_are_found_by_as_much_as_is_written() {
    let packages = [
        ("a", "1.0.0", "\"b 2.0.0\""),
        ("b", "1.0.0", ""),
        ("b", "2.0.0", ""),
    ];
    let check = |asked: &str, expected: &str| {
        let lock = read(&KIND, &lock("version = 4\n", asked, &packages), &[]).unwrap();
        assert_eq!(
            all(&lock)[0],
            format!("2 p 0.1.0 workspace [] ships{expected}")
        );
        assert_eq!(all(&lock)[1], "6 a 1.0.0 registry [] ships > b 2.0.0");
        assert_eq!(lock.format, "4");
    };
    check("", "");
    check("\"a\"", " > a 1.0.0");
    check("\"b 1.0.0\"", " > b 1.0.0");
    check(&format!("\"b 2.0.0 ({REGISTRY})\""), " > b 2.0.0");
    check("\"a\", \"b 2.0.0\"", " > a 1.0.0 > b 2.0.0");
}

#[test]
fn sources_and_digests_of_all_versions() {
    let check = |block: &str, expected: &str, digests: &[&str]| {
        let text = format!("[[package]]\nname = \"n\"\nversion = \"1.0.0\"\n{block}");
        let lock = read(&KIND, &text, &[]).unwrap();
        assert_eq!(all(&lock)[0], format!("1 n 1.0.0 {expected} [] ships"));
        assert_eq!(lock.packages[0].digests, digests);
        assert_eq!(lock.format, "");
    };
    let own = format!("source = \"{REGISTRY}\"\n");
    check("", "workspace", &[]);
    check(
        &format!("{own}checksum = \"ab\"\n"),
        "registry",
        &["sha256:ab"],
    );
    let old = format!("{own}[metadata]\n\"checksum n 1.0.0 ({REGISTRY})\" = ");
    check(&format!("{old}\"cd\"\n"), "registry", &["sha256:cd"]);
    check(&format!("{old}\"<none>\"\n"), "registry", &[]);
    let other = "sparse+https://registry.example/index/";
    check(
        &format!("source = \"{other}\"\n"),
        &format!("registry {other}"),
        &[],
    );
    let other = "source = \"registry+https://registry.example/git\"\n";
    check(other, "registry https://registry.example/git", &[]);
    let git = "source = \"git+https://github.com/o/r?branch=x#0123\"\n";
    check(git, "git https://github.com/o/r 0123", &[]);
    check("source = \"path+file:///x/y\"\n", "path /x/y", &[]);
}

#[test]
fn the_root_table_of_old_files_is_the_project() {
    let text = format!(
        "[root]\nname = \"p\"\nversion = \"0.1.0\"\ndependencies = [\"a 1.0.0 ({REGISTRY})\"]\n\n\
         [[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{REGISTRY}\"\n"
    );
    let lock = read(&KIND, &text, &[]).unwrap();
    let expected = [
        "1 p 0.1.0 workspace [] ships > a 1.0.0",
        "6 a 1.0.0 registry [] ships",
    ];
    assert_eq!(all(&lock), expected);
    assert_eq!(roots(&lock), ["main: a 1.0.0 -"]);
    assert!(lock.notes[0].contains("no Cargo.toml"), "{:?}", lock.notes);
}

#[test]
fn git_dependencies_leave_parts_of_the_source_out() {
    let git = "git+https://github.com/o/r?branch=main";
    for asked in [
        format!("{git}#01"),
        git.to_owned(),
        "git+https://github.com/o/r".to_owned(),
    ] {
        let text =
            lock(
                "version = 3\n",
                &format!("\"g 1.0.0 ({asked})\""),
                &[("g", "1.0.0", "")],
            ) + &format!("[[package]]\nname=\"g\"\nversion=\"1.0.0\"\nsource=\"{git}#01\"\n");
        let lock = read(&KIND, &text, &[]).unwrap();
        assert_eq!(lock.packages[0].dependencies[0].package, 2, "{asked}");
    }
}

#[test]
fn manifests_tell_what_ships() {
    let packages = [
        ("a", "1.2.0", "\"c\""),
        ("b", "1.0.0", "\"c\", \"d\""),
        ("c", "1.0.0", ""),
        ("d", "1.0.0", ""),
        ("e", "1.0.0", ""),
        ("f", "1.0.0", ""),
        ("r", "0.7.1", ""),
        ("r", "0.8.2", ""),
    ];
    let asked = "\"a\", \"b\", \"e\", \"f\", \"r 0.7.1\", \"r 0.8.2\"";
    let manifest = "[package]\nname = \"p\"\n[dependencies]\nalias = {package = \"a\", version = \
                    \"1\"}\nr = \"0.8\"\n[dev-dependencies]\nb = \"1\"\nold = {package = \"r\", \
                    version = \"0.7\"}\n[build-dependencies]\ne = \"*\"\n\
                    [target.'cfg(unix)'.dependencies]\nf.workspace = true\n\
                    [workspace.dependencies]\nf = \"=1.0.0\"\n";
    let text = lock("version = 4\n", asked, &packages);
    let lock = read(&KIND, &text, &[("Cargo.toml", manifest)]).unwrap();
    let dev = lock
        .packages
        .iter()
        .filter(|package| package.scope == Scope::Development);
    let dev: Vec<String> = dev
        .map(|one| format!("{} {}", one.name, one.version))
        .collect();
    assert_eq!(dev, ["b 1.0.0", "d 1.0.0", "r 0.7.1"]);
    let expected = [
        "main: a 1.2.0 1",
        "dev: b 1.0.0 1",
        "build: e 1.0.0 *",
        "main: f 1.0.0 =1.0.0",
        "dev: r 0.7.1 0.7",
        "main: r 0.8.2 0.8",
    ];
    assert_eq!(roots(&lock), expected);
    assert!(lock.notes.is_empty(), "{:?}", lock.notes);
}

const MEMBERS: &str = "version = 4\n\
    [[package]]\nname = \"p-core\"\nversion = \"0.1.0\"\ndependencies = [\"a\", \"outside\"]\n\
    [[package]]\nname = \"p-tool\"\nversion = \"0.1.0\"\ndependencies = [\"b\", \"p-core\"]\n\
    [[package]]\nname = \"outside\"\nversion = \"0.1.0\"\n\
    [[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \
    \"registry+https://github.com/rust-lang/crates.io-index\"\n\
    [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \
    \"registry+https://github.com/rust-lang/crates.io-index\"\n";

#[test]
fn members_are_found_by_folder_pattern_and_path() {
    let core = "[package]\nname = \"p-core\"\n[dependencies]\na.workspace = true\noutside = \
                {path = \"../../../outside\"}\n";
    let tool = "[package]\nname = \"p-tool\"\n[dependencies]\np-core = {path = \"../core\"}\n\
                [dev-dependencies]\nb = \"1\"\n";
    let outside = ("../outside/Cargo.toml", "[package]\nname = \"outside\"\n");
    let check = |members: &str, core_at: &str, tool_at: &str| {
        let root =
            format!("[workspace]\nmembers = [{members}]\n[workspace.dependencies]\na = \"^1.0\"\n");
        let files = [
            ("Cargo.toml", root.as_str()),
            (&format!("{core_at}/Cargo.toml"), core),
            (&format!("{tool_at}/Cargo.toml"), tool),
            outside,
        ];
        let lock = read(&KIND, MEMBERS, &files).unwrap();
        let expected = [
            format!("2 p-core 0.1.0 workspace {core_at} [] ships > a 1.0.0 > outside 0.1.0"),
            format!("6 p-tool 0.1.0 workspace {tool_at} [] ships > b 1.0.0 > p-core 0.1.0"),
            "10 outside 0.1.0 path ../outside [] ships".to_owned(),
            "13 a 1.0.0 registry [] ships".to_owned(),
            "17 b 1.0.0 registry [] dev".to_owned(),
        ];
        assert_eq!(all(&lock), expected, "{members}");
        let expected = [
            "main: a 1.0.0 ^1.0",
            "main: outside 0.1.0 -",
            "dev: b 1.0.0 1",
        ];
        assert_eq!(roots(&lock), expected);
        assert!(lock.notes.is_empty(), "{:?}", lock.notes);
    };
    check(
        "\"crates/core\", \"./crates/tool\"",
        "crates/core",
        "crates/tool",
    );
    check("\"crates/*\"", "crates/core", "crates/tool");
    check("\"crates/tool\"", "crates/core", "crates/tool");
    check(
        "\"crates/p*\", \"crates/core\"",
        "crates/core",
        "crates/p_tool",
    );
}

#[test]
fn a_member_that_is_not_found_ships_with_a_note() {
    let files = [("Cargo.toml", "[workspace]\nmembers = [\"*/*\"]\n")];
    let lock = read(&KIND, MEMBERS, &files).unwrap();
    assert!(
        lock.packages
            .iter()
            .all(|package| package.scope == Scope::Ships)
    );
    assert_eq!(lock.notes.len(), 1);
    assert!(
        lock.notes[0].ends_with("shipping: p-core, p-tool, outside"),
        "{:?}",
        lock.notes
    );
}

#[test]
fn damage_names_its_place() {
    let check = |text: &str, expected: &str| {
        let found = problem(&KIND, text, &[]);
        assert!(found.starts_with(expected), "{found}\nis not\n{expected}");
    };
    check("", "Cargo.lock:1: there is no package in it");
    check(
        "version = 5\n",
        "Cargo.lock:1: version 5 of the format is not known",
    );
    check("version = \"4\"\n", "Cargo.lock:1: version of another type");
    check("\npackage = 1\n", "Cargo.lock:2: `package` is no list");
    check(
        "[[package]]\nversion = \"1\"\n",
        "Cargo.lock:1: a package without `name`",
    );
    check(
        "[[package]]\nname = \"n\"\n",
        "Cargo.lock:1: package n: `version` is missing",
    );
    let block = "[[package]]\nname = \"n\"\nversion = \"1\"\n";
    let twice = format!("{block}name = \"m\"\n");
    check(&twice, "Cargo.lock:4:1: not TOML, in package");
    check(
        &format!("{block}source = 1\n"),
        "Cargo.lock:1: package n: `source` is no text",
    );
    check(
        &format!("{block}source = \"x+y\"\n"),
        "Cargo.lock:1: package n: the source x+y is of",
    );
    let asked = lock("", "\"gone\"", &[]);
    let expected = "Cargo.lock:1: package p: it depends on `gone`, for which there is no package";
    check(&asked, expected);
    let two = lock("", "\"b\"", &[("b", "1.0.0", ""), ("b", "2.0.0", "")]);
    check(
        &two,
        "Cargo.lock:1: package p: it depends on `b`, which several packages are",
    );
    check(
        &format!("{block}<<<<<<< HEAD\n=======\n>>>>>>> x\n"),
        "Cargo.lock:4: an unresolved",
    );
    check(&"a\u{0}".repeat(3), "Cargo.lock:1:7: not TOML");
    check(&format!("a = {}", "[".repeat(100_000)), "Cargo.lock:1:");
    check(
        &block.repeat(101),
        "Cargo.lock:301: more than 100 packages named n",
    );
    let manifest = [("Cargo.toml", "[package\n")];
    let found = problem(&KIND, block, &manifest);
    assert!(found.starts_with("Cargo.toml:1:9: not TOML"), "{found}");
}

#[test]
fn what_is_too_large_is_refused_in_time() {
    let check = |text: &str, expected: &str| {
        let found = problem(&KIND, text, &[]);
        assert!(found.contains(expected), "{found}");
    };
    check(&"x".repeat(17 << 20), "are too many");
    check(
        &format!("a = [{}]", "0,".repeat(2_100_000)),
        "no lock file has so many",
    );
    check(&"[a]\n".repeat(100_000), "declared twice");
}

#[test]
fn real_files_are_read_whole() {
    let count = |text: &str| text.matches("[[package]]").count();
    for (name, lock) in check_real(&KIND, "cargo-", count) {
        assert!(!lock.roots.is_empty(), "{name}");
        let without = |package: &&Package| package.digests.is_empty();
        let registry = |package: &&Package| matches!(package.source, Source::Registry { .. });
        let bare = lock
            .packages
            .iter()
            .filter(registry)
            .filter(without)
            .count();
        assert_eq!(bare, 0, "{name}");
    }
}
