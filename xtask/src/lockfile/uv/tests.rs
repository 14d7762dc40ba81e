//! What is read from a `uv.lock`.

use super::super::USUAL_HOST;
use super::super::samples::{all, check_real, problem, read, roots};
use super::*;

const HEAD: &str = "version = 1\nrevision = 3\n";

fn block(name: &str, version: &str, rest: &str) -> String {
    format!(
        "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = {{ registry = \
         \"https://registry.example/simple\" }}\n{rest}\n"
    )
}

fn project(rest: &str) -> String {
    format!(
        "[[package]]\nname = \"p\"\nversion = \"0.1\"\nsource = {{ virtual = \".\" }}\n{rest}\n"
    )
}

#[test]
fn sources() {
    let check = |written: &str, expected: &str| {
        let text = format!(
            "{HEAD}[[package]]\nname = \"N.n\"\nversion = \"1\"\nsource = {{ {written} }}\n\
             sdist = {{ hash = \"sha256:aa\" }}\nwheels = [{{ hash = \"sha256:bb\" }}, {{}}]\n"
        );
        let lock = read(&KIND, &text, &[]).unwrap();
        assert_eq!(all(&lock), [format!("3 n-n 1 {expected} ships")]);
        assert_eq!(lock.packages[0].digests, ["sha256:aa", "sha256:bb"]);
        assert_eq!(lock.format, "1.3");
    };
    check(
        "registry = \"https://registry.example/x\"",
        "registry https://registry.example/x []",
    );
    let usual = format!("registry = \"https://{}/simple/\"", USUAL_HOST.concat());
    check(&usual, "registry []");
    check(
        "registry = \"https://pypi.registry.example/simple\"",
        "registry https://pypi.registry.example/simple []",
    );
    check(
        "git = \"https://github.com/o/r?rev=v1#01\"",
        "git https://github.com/o/r 01 []",
    );
    check(
        "url = \"https://registry.example/a.zip\"",
        "url https://registry.example/a.zip []",
    );
    check("path = \"../a.whl\"", "path ../a.whl []");
    check("directory = \"../a\"", "path ../a []");
    check("editable = \"../a\"", "path ../a []");
    check("editable = \".\"", "workspace . [main]");
    check("virtual = \".\"", "workspace . [main]");
}

#[test]
fn groups_extras_and_constraints() {
    let text = HEAD.to_owned()
        + &project(
            "dependencies = [{ name = \"a\", extra = [\"x\"] }]\n\
             [package.optional-dependencies]\nfast = [{ name = \"b\" }]\n\
             [package.dev-dependencies]\ndev = [{ name = \"c\" }]\nDocs_1 = [{ name = \"e\" }]\n\
             [package.metadata]\nrequires-dist = [{ name = \"a\", specifier = \">=1\" },\n\
             { name = \"b\", specifier = \"<2\", marker = \"extra == 'fast'\" }]\n\
             [package.metadata.requires-dev]\ndev = [{ name = \"c\", specifier = \"==1.*\" }]",
        )
        + &block(
            "a",
            "1.0",
            "[package.optional-dependencies]\nx = [{ name = \"d\" }]\ny = [{ name = \"e\" }]",
        )
        + &block("b", "1.0", "")
        + &block(
            "c",
            "1.0",
            "dependencies = [{ name = \"d\" }, { name = \"f\" }]",
        )
        + &block("d", "1.0", "")
        + &block("e", "1.0", "")
        + &block("f", "1.0", "");
    let lock = read(&KIND, &text, &[]).unwrap();
    let registry = "registry https://registry.example/simple";
    let found: Vec<String> = all(&lock)
        .iter()
        .skip(1)
        .map(|line| line.split_once(' ').unwrap().1.replace(registry, "r"))
        .collect();
    let expected = [
        "a 1.0 r [main] ships > d 1.0",
        "b 1.0 r [main] ships",
        "c 1.0 r [dev] dev > d 1.0 > f 1.0",
        "d 1.0 r [main,dev] ships",
        "e 1.0 r [docs-1] dev",
        "f 1.0 r [dev] dev",
    ];
    assert_eq!(found, expected);
    let expected = [
        "main: a 1.0 >=1",
        "main: b 1.0 <2",
        "dev: c 1.0 ==1.*",
        "docs-1: e 1.0 -",
    ];
    assert_eq!(roots(&lock), expected);
}

#[test]
fn several_versions_of_a_package_are_told_apart() {
    let asks = "dependencies = [{ name = \"a\", version = \"1\", source = { registry = \
                \"https://registry.example/simple\" }, marker = \"x\" }, { name = \"a\", version = \
                \"2\" }]\n[package.metadata]\nrequires-dist = [{ name = \"a\", specifier = \"<2\" \
                }, { name = \"a\", specifier = \">=2\" }]";
    let text = HEAD.to_owned() + &project(asks) + &block("a", "1", "") + &block("a", "2", "");
    let lock = read(&KIND, &text, &[]).unwrap();
    assert_eq!(roots(&lock), ["main: a 1 <2", "main: a 2 >=2"]);
}

#[test]
fn members_of_a_workspace_are_roots() {
    let text = "version = 1\n[manifest]\nmembers = [\"one\", \"two\"]\n\
                [manifest.dependency-groups]\nlint = [{ name = \"b\", specifier = \">=1\" }]\n\
                [[package]]\nname = \"one\"\nsource = { editable = \"packages/one\" }\n\
                dependencies = [{ name = \"two\" }, { name = \"three\" }]\n\
                [[package]]\nname = \"two\"\nversion = \"1\"\nsource = { virtual = \"two\" }\n\
                dependencies = [{ name = \"a\" }]\n\
                [[package]]\nname = \"three\"\nversion = \"1\"\nsource = { directory = \"x\" }\n"
        .to_owned()
        + &block("a", "1.0", "")
        + &block("b", "1.0", "");
    let lock = read(&KIND, &text, &[]).unwrap();
    assert_eq!(lock.format, "1");
    let registry = "registry https://registry.example/simple";
    let expected = [
        "6 one  workspace packages/one [main] ships > two 1 > three 1".to_owned(),
        "10 two 1 workspace two [main] ships > a 1.0".to_owned(),
        "15 three 1 path x [main] ships".to_owned(),
        format!("19 a 1.0 {registry} [main] ships"),
        format!("24 b 1.0 {registry} [lint] dev"),
    ];
    assert_eq!(all(&lock), expected);
    assert_eq!(
        roots(&lock),
        ["main: three 1 -", "main: a 1.0 -", "lint: b 1.0 >=1"]
    );
}

#[test]
fn damage_names_its_place() {
    let check = |text: &str, expected: &str| {
        let found = problem(&KIND, text, &[]);
        assert!(found.starts_with(expected), "{found}\nis not\n{expected}");
    };
    check("", "uv.lock:1: there is no `version`");
    check(
        "\nversion = 2\n",
        "uv.lock:2: version 2 of the format is not known",
    );
    check(
        "version = 1\n[[package]]\n",
        "uv.lock:2: a package without `name`",
    );
    let text = format!("{HEAD}[[package]]\nname = \"a\"\n");
    check(&text, "uv.lock:3: package a: `source` is missing");
    let text = format!("{text}source = {{ registry = \"x\" }}\n");
    check(&text, "uv.lock:3: package a: `version` is missing");
    let text = text.replace("registry", "moon");
    check(
        &text,
        "uv.lock:3: package a: a source of the kind `moon` is not known",
    );
    let ask = |entry: &str| HEAD.to_owned() + &project(&format!("dependencies = [\n{entry}]"));
    let expected = "uv.lock:8: package p: it depends on a of any version, for which there is no \
                    package: the lock file is incomplete";
    check(&ask("{ name = \"a\" }"), expected);
    check(
        &ask("{ name = \"p\", version = \"9\" }"),
        "uv.lock:8: package p: it depends on p 9, for",
    );
    check(
        &ask("{}"),
        "uv.lock:8: package p: a dependency without `name`",
    );
    let two = ask("{ name = \"a\" }") + &block("a", "1", "") + &block("a", "2", "");
    check(
        &two,
        "uv.lock:8: package p: it depends on a, which several packages are",
    );
    let twice = HEAD.to_owned() + &project("[package.metadata]\na = 1\n[package.metadata]\nb = 2");
    check(
        &twice,
        "uv.lock:9: the table [package.metadata] is declared twice for package p",
    );
    let groups: String = (0..1_001)
        .map(|number| format!("g{number} = [{{ name = \"p\" }}]\n"))
        .collect();
    let groups = HEAD.to_owned() + &project(&format!("[package.dev-dependencies]\n{groups}"));
    check(&groups, "uv.lock:3: more than 1000 dependency groups");
}

#[test]
fn real_files_are_read_whole() {
    let count = |text: &str| text.matches("[[package]]").count();
    for (name, lock) in check_real(&KIND, "uv-", count) {
        assert!(lock.notes.is_empty(), "{name}");
        let of = |scope| {
            lock.packages
                .iter()
                .filter(|package| package.scope == scope)
                .count()
        };
        assert_eq!(
            (of(Scope::Ships), of(Scope::Development)),
            (240, 59),
            "{name}"
        );
        assert!(lock.roots.iter().all(|root| root.group.is_some()), "{name}");
    }
}
