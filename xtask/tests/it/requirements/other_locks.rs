//! Requirements from `uv.lock` and from hash-locked `requirements.txt`.

use camino::Utf8Path;
use xtask::requirements::{Export, Hashes, Options, Places, resolve};

const PROJECT: &str = "[project]\nname = \"demo\"\nrequires-python = \">=3.10\"\n";

const HEAD: &str = "version = 1\nrequires-python = \">=3.10\"\n";

/// A package of an index; `more` are keys, or tables behind them.
fn package(name: &str, version: &str, more: &str) -> String {
    format!(
        "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\
         source = {{ registry = \"https://py{}/simple\" }}\n\
         sdist = {{ hash = \"sha256:{name}{version}\" }}\n{more}\n",
        "pi.org"
    )
}

fn project(more: &str) -> String {
    format!("[[package]]\nname = \"demo\"\nsource = {{ virtual = \".\" }}\n{more}\n")
}

fn options(groups: &[&str], extras: &[&str]) -> Options {
    let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
    Options {
        hashes: Hashes::With,
        groups: owned(groups),
        extras: owned(extras),
    }
}

fn of(
    pyproject: &str,
    (name, lock): (&str, &str),
    options: &Options,
    beside: &[(&str, &str)],
) -> xtask::error::Result<Export> {
    let places = Places {
        pyproject: "pyproject.toml",
        lock: name,
        folder: Utf8Path::new("/folder"),
    };
    let beside = |path: &str| {
        let found = beside.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned())
    };
    resolve(pyproject, lock, options, places, &beside)
}

fn uv(pyproject: &str, lock: &str, options: &Options) -> Result<String, String> {
    let export = of(pyproject, ("uv.lock", lock), options, &[]);
    let lines = |export: Export| {
        let lines = export.requirements.into_iter().map(|one| one.line);
        lines.collect::<Vec<_>>().join("\n")
    };
    export.map(lines).map_err(|error| error.to_string())
}

#[test]
fn a_package_is_for_the_environments_in_which_some_way_leads_to_it() {
    let check = |lock: &str, expected: &str| {
        let found = uv(PROJECT, &format!("{HEAD}{lock}"), &options(&["main"], &[]));
        assert_eq!(found.as_deref(), Ok(expected), "{lock}");
    };
    let needs = |list: &str| project(&format!("dependencies = [{list}]"));
    // Along a way all conditions hold.
    check(
        &(needs("{ name = \"a\", marker = \"sys_platform == 'win32'\" }")
            + &package(
                "a",
                "1",
                "dependencies = [{ name = \"b\", marker = \"python_full_version < '3.11'\" }]",
            )
            + &package("b", "2", "")),
        "a==1 ; sys_platform == \"win32\"\n\
         b==2 ; sys_platform == \"win32\" and python_full_version < \"3.11.0\"",
    );
    // One way is enough, and a circle leads nowhere new.
    check(
        &(needs("{ name = \"a\", marker = \"sys_platform == 'win32'\" }, { name = \"b\" }")
            + &package("a", "1", "dependencies = [{ name = \"b\" }]")
            + &package(
                "b",
                "2",
                "dependencies = [{ name = \"a\", marker = \"os_name == 'nt'\" }]",
            )),
        "a==1 ; sys_platform == \"win32\" or os_name == \"nt\"\nb==2",
    );
    // A resolution that forks.
    check(
        &(needs(
            "{ name = \"a\", version = \"1\", marker = \"python_full_version < '3.11'\" }, \
             { name = \"a\", version = \"2\", marker = \"python_full_version >= '3.11'\" }",
        ) + &package("a", "1", "")
            + &package("a", "2", "")),
        "a==1 ; python_full_version < \"3.11.0\"\na==2 ; python_full_version >= \"3.11.0\"",
    );
    // An extra of a package brings what it names, and only for those who ask for it.
    check(
        &(needs("{ name = \"a\", extra = [\"x\"] }")
            + &package(
                "a",
                "1",
                "[package.optional-dependencies]\nx = [{ name = \"b\" }]\ny = [{ name = \"c\" }]",
            )
            + &package("b", "2", "")
            + &package("c", "3", "")),
        "a==1\nb==2",
    );
}

#[test]
fn groups_and_extras_of_the_project_are_chosen() {
    let pyproject = format!(
        "{PROJECT}dependencies = [\"a\"]\n[project.optional-dependencies]\nPlot = [\"b>=1\"]\n\
         [dependency-groups]\ndev = [\"c~=3.0\", {{include-group = \"lint\"}}]\nlint = [\"d\"]\n"
    );
    let lock = format!(
        "{HEAD}{}{}{}{}{}",
        project(
            "dependencies = [{ name = \"a\" }]\n[package.optional-dependencies]\nplot = [{ name = \"b\" }]\n\
             [package.dev-dependencies]\ndev = [{ name = \"c\" }, { name = \"d\" }]\nlint = [{ name = \"d\" }]\n\
             [package.metadata]\nrequires-dist = [{ name = \"a\" }, { name = \"b\", marker = \"extra == 'plot'\", specifier = \">=1\" }]\n\
             [package.metadata.requires-dev]\ndev = [{ name = \"c\", specifier = \"~=3.0\" }, { name = \"d\" }]\nlint = [{ name = \"d\" }]\n"
        ),
        package("a", "1", ""),
        package("b", "2", ""),
        package("c", "3", ""),
        package("d", "4", "")
    );
    let check = |groups: &[&str], extras: &[&str], expected: &str| {
        let found = uv(&pyproject, &lock, &options(groups, extras));
        let found = found.unwrap_or_else(|error| error);
        assert!(found.replace('\n', " ").contains(expected), "{found}");
    };
    check(&["main"], &[], "a==1");
    check(&["main"], &["plot"], "a==1 b==2");
    check(&["main", "dev"], &[], "a==1 c==3 d==4");
    check(&["Lint"], &[], "d==4");
    check(
        &["docs"],
        &[],
        "no dependency group `docs`; it has: main, dev, lint",
    );
    check(&["main"], &["x"], "no extra `x`; it has: plot");
    // What pyproject.toml says now and what it said then.
    let stale = |from: &str, to: &str, expected: &str| {
        let found = uv(
            &pyproject.replace(from, to),
            &lock,
            &options(&["main"], &[]),
        );
        let error = found.unwrap_err();
        assert!(
            error.contains("uv.lock is stale") && error.contains(expected),
            "{error}"
        );
        assert!(error.contains("uv lock"), "{error}");
    };
    stale("\"a\"", "\"a>=2\"", "a >=2 is asked for");
    stale("\"a\"", "\"a\", \"z\"", "z is asked for, and not locked");
    stale("[\"b>=1\"]", "[]", "b >=1, which is not asked for");
    stale("\"d\"", "\"d[x]\"", "d[x] is asked for");
}

#[test]
fn what_no_digest_holds_is_refused_with_its_line() {
    let check = |entry: &str, expected: &str| {
        let lock = format!(
            "{HEAD}{}{entry}",
            project("dependencies = [{ name = \"a\" }]")
        );
        let error = uv(PROJECT, &lock, &options(&["main"], &[])).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    let from = |source: &str| {
        format!("[[package]]\nname = \"a\"\nversion = \"1\"\nsource = {{ {source} }}\n")
    };
    check(
        &from("git = \"https://u:word@example.org/a?rev=x#0123\""),
        "uv.lock:7: package a comes from the git repository https://example.org/a",
    );
    check(
        &from("url = \"https://example.org/a.whl\""),
        "comes from the address",
    );
    check(
        &from("editable = \"../a\""),
        "comes from the folder or file ../a",
    );
    check(
        &from("registry = \"../wheels\""),
        "comes from the folder of packages ../wheels",
    );
    check(
        &from("registry = \"https://example.org/simple\""),
        "package a 1 has no files with digests",
    );
    let conflict = "dependencies = [{ name = \"b\", marker = \"extra == 'extra-4-demo-x'\" }]";
    check(
        &(package("a", "1", conflict) + &package("b", "2", "")),
        "exclude each other",
    );
    let other = uv(
        "[project]\nname = \"other\"\n",
        HEAD,
        &options(&["main"], &[]),
    )
    .unwrap_err();
    assert!(
        other.contains("does not lock the project \"other\""),
        "{other}"
    );
}

#[test]
fn another_index_is_named() {
    let lock = format!(
        "{HEAD}{}{}",
        project("dependencies = [{ name = \"a\" }]"),
        package("a", "1", "").replace(&format!("https://py{}", "pi.org"), "https://example.org")
    );
    let export = of(PROJECT, ("uv.lock", &lock), &options(&["main"], &[]), &[]).unwrap();
    assert_eq!(
        export.text,
        "--index-url https://example.org/simple\n\na==1 \\\n    --hash=sha256:a1\n"
    );
}

fn pip(lock: &str, groups: &[&str], beside: &[(&str, &str)]) -> Result<String, String> {
    let pyproject =
        format!("{PROJECT}dependencies = [\"a>=1,<2\", \"w; sys_platform == 'win32'\"]\n");
    of(
        &pyproject,
        ("requirements.txt", lock),
        &options(groups, &[]),
        beside,
    )
    .map(|export| export.text)
    .map_err(|error| error.to_string())
}

#[test]
fn a_requirements_file_is_put_together_and_in_order() {
    let check = |lock: &str, groups: &[&str], expected: &str| {
        let beside = [
            ("sub/base.txt", "-r ../more.txt\nA==1.5 --hash=sha256:a"),
            (
                "more.txt",
                "c[y,x]==3 ; os_name == 'nt' --hash=sha256:c --hash=md5:0",
            ),
            ("requirements-dev.txt", "d==4 --hash=sha256:d"),
        ];
        assert_eq!(
            pip(lock, groups, &beside).as_deref(),
            Ok(expected),
            "{lock}"
        );
    };
    let a = "a==1.5 \\\n    --hash=sha256:a\n";
    check(
        "# a comment\n-c constraints.txt\n--require-hashes\nb==2 \\\n  --hash=sha256:2 \\\n  --hash=sha256:1 # via x\na==1.5 --hash=sha256:a\n",
        &["main"],
        &format!("{a}b==2 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"),
    );
    let c = "c[x,y]==3 ; os_name == \"nt\" \\\n    --hash=sha256:c\n";
    check("-r sub/base.txt\n", &["main"], &format!("{a}{c}"));
    check(
        "-r sub/base.txt\n",
        &["dev"],
        "d==4 \\\n    --hash=sha256:d\n",
    );
    check(
        "--extra-index-url https://u:word@example.org/x\na==1.5 --hash=sha256:a\n",
        &["main"],
        &format!("--extra-index-url https://example.org/x\n\n{a}"),
    );
    // What stands in place of the usual index goes on standing there.
    let alike = format!("py{}.example.org/simple", "pi");
    check(
        &format!(
            "-i https://u:word@{alike}\n--extra-index-url https://x\na==1.5 --hash=sha256:a\n"
        ),
        &["main"],
        &format!("--index-url https://{alike}\n--extra-index-url https://x\n\n{a}"),
    );
    let usual = format!(
        "--index-url https://py{}/simple/\na==1.5 --hash=sha256:a\n",
        "pi.org"
    );
    check(&usual, &["main"], a);
}

#[test]
fn a_requirements_file_that_locks_nothing_is_refused() {
    let check = |lock: &str, expected: &str| {
        let beside = [("loop.txt", "-r loop.txt")];
        let error = pip(lock, &["main"], &beside).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    check("\na==1.5\n", "requirements.txt:2: it has no --hash");
    check("a==1.5\n", "--generate-hashes");
    check("a>=1 --hash=sha256:a\n", "it pins no version with ==");
    check("a==1.5 --hash=md5:a\n", "it has no --hash");
    check("-e .\n", "cannot be held to the lock");
    check(
        "a @ git+https://u:secret@example.org/a\n",
        "cannot be held to the lock",
    );
    check("-r gone.txt\n", "there is no file gone.txt");
    check("-r loop.txt\n", "include each other in a circle");
    check("--moon\n", "`--moon` is no option");
    check(
        "b==1 --hash=sha256:b\n",
        "asks for a >=1,<2, which it does not have",
    );
    check("a==2 --hash=sha256:b\n", "asks for a >=1,<2, and it has 2");
    let secret = pip("a @ git+https://u:secret@example.org/a\n", &["main"], &[]).unwrap_err();
    assert!(!secret.contains("secret"), "{secret}");
    let group = pip("a==1 --hash=sha256:a\n", &["dev"], &[]).unwrap_err();
    assert!(group.contains("no requirements-dev.txt beside"), "{group}");
}
