//! Byte for byte: before and after the version nothing changes.

use super::*;

/// Writes 1.3.0-rc.1 into a text in which every `@` is where the version stands, and requires
/// that only those characters have changed.
fn check(file: &str, template: &str, old: &str, expected: &str) {
    let members = ["demo".to_owned(), "other".to_owned()];
    let before = template.replace('@', old);
    let number = Number::parse("1.3.0-rc.1").unwrap();
    let edited = edit(file, &before, &members, Scope::Whole, &number).unwrap();
    assert_eq!(edited.text, template.replace('@', expected), "{file}");
    assert_eq!(
        edited.changes.len(),
        template.matches('@').count(),
        "{file}"
    );
    // Nothing is left to change.
    let again = edit(file, &edited.text, &members, Scope::Whole, &number).unwrap();
    assert_eq!((again.text, again.changes), (edited.text, Vec::new()));
}

/// What people do to files: line ends, comments, indentation, marks at the beginning.
fn layouts(template: &str, comment: &str, variants: &mut Vec<String>) {
    for end in ["\n", "\r\n"] {
        for mark in ["", "\u{feff}"] {
            for last in ["", "\n", "\n\n\t "] {
                for indentation in ["", "\t", "     "] {
                    let lines = template.lines();
                    let line = |line: &str| format!("{indentation}{line}{comment}");
                    let text: Vec<String> = lines.map(line).collect();
                    variants.push(format!(
                        "{mark}{}{}",
                        text.join(end),
                        last.replace('\n', end)
                    ));
                }
            }
        }
    }
}

fn check_all(file: &str, template: &str, comment: &str, old: &str, expected: &str) {
    let mut variants = Vec::new();
    layouts(template, "", &mut variants);
    layouts(template, comment, &mut variants);
    assert_eq!(variants.len(), 72);
    for variant in variants {
        check(file, &variant, old, expected);
    }
}

#[test]
fn python_projects() {
    let template = "# 1.2.3 is not it\n[project]\nname = 'demo'\n  version='@'\ndependencies = [\"x==1.2.3\",]\n\
                    [tool.poetry]\nversion = \"@\"\n[tool.x]\nversion = \"1.2.3\"";
    check_all(
        "a/pyproject.toml",
        template,
        "  # 1.2.3",
        "1.2.3",
        "1.3.0rc1",
    );
    let dotted = "project.name = \"ü\"\nproject . version = \"@\"";
    check_all("pyproject.toml", dotted, "", "1.2.3", "1.3.0rc1");
    let table = "project = { version = \"\"\"@\"\"\" , name = \"1.2.3\" }";
    check_all("pyproject.toml", table, "#", "1.2.3", "1.3.0rc1");
}

#[test]
fn version_lines_and_files() {
    for template in [
        "__version__ = \"@\"",
        "__version__='@'# 1.2.3",
        "__version__: Final[str]  =  '@'  # \"1.2.3\"",
    ] {
        for (before, after) in [
            ("", ""),
            ("\u{feff}x = '1.2.3'\r\n", "\r\n__version__ = '1.2.3'\r\n"),
        ] {
            check(
                "m/__init__.py",
                &format!("{before}{template}{after}"),
                "1.2.3",
                "1.3.0rc1",
            );
        }
    }
    for (before, after) in [("", ""), ("", "\n"), ("\u{feff}\r\n ", " \r\n\r\n")] {
        check(
            "VERSION",
            &format!("{before}@{after}"),
            "1.2.3",
            "1.3.0-rc.1",
        );
    }
}

#[test]
fn npm_packages() {
    let template = "{\"name\": \"1.2.3\",\n\"version\"  :\t\"@\",\n\"a\": {\"version\": \"1.2.3\"},\n\
                    \"list\": [1, {\"version\": \"1.2.3\"}],\n\"last\": null}";
    check_all("package.json", template, "", "1.2.3", "1.3.0-rc.1");
    let loose =
        "{ /* \"version\": \"1.2.3\" */\n\"version\":\"@\",\n\"engines\": {\"node\": \"22\",},\n}";
    check_all(
        "x/package.json",
        loose,
        " // \"1.2.3\"",
        "1.2.3",
        "1.3.0-rc.1",
    );
    let extension = "{\"engines\": {\"vscode\": \"^1.90.0\"},\n\"version\": \"@\"}";
    check_all("e/package.json", extension, "", "1.2.3", "1.2.30001");
    let lock = "{\"version\": \"@\",\n\"lockfileVersion\": 3,\n\"packages\": {\n\"\": {\"version\": \"@\",\n\
                \"engines\": {\"vscode\": \"*\"}},\n\"node_modules/a\": {\"version\": \"1.2.3\"}}}";
    check_all("e/package-lock.json", lock, "", "1.2.3", "1.2.30001");
}

#[test]
fn cargo_manifests_and_locks() {
    let template = "[workspace]\nmembers=[\"demo\",]\n[workspace.package]\nversion = '@'\n[package]\nname = \"demo\"\n\
                    version.workspace = true\n[dependencies]\nother = { path = \"../other\", version = \"@\" }\n\
                    foreign = \"1.2.3\"\ndemo = \"1.2.3\"\n[target.'cfg(unix)'.dev-dependencies.renamed]\n\
                    path = \"..\"\npackage = \"other\"\nversion = \"@\"";
    check_all("Cargo.toml", template, " # 1.2.3", "1.2.3", "1.3.0-rc.1");
    let lock = "version = 4\n[[package]]\nname = \"demo\"\nversion = \"@\"\ndependencies = [\n\"other @\",\n\"other 1.0.0\",\n\
                \"third\",\n]\n[[package]]\nname = \"other\"\nversion = \"@\"\n[[package]]\nname = \"other\"\n\
                version = \"1.2.3\"\nsource = \"registry+x\"\n[[package]]\nname = \"third\"\nversion = \"1.2.3\"";
    check_all("Cargo.lock", lock, " # other 1.2.3", "1.2.3", "1.3.0-rc.1");
    let uv = "[[package]]\nname = \"a\"\nversion = \"1.2.3\"\nsource = { registry = \"x\" }\n[[package]]\n\
              name = \"demo\"\nversion = \"@\"\nsource = { editable = \".\" }";
    check_all("uv.lock", uv, "# x", "1.2.3", "1.3.0rc1");
}

#[test]
fn what_cannot_be_written_is_said() {
    let check = |file: &str, text: &str, number: &str, code: u8, said: &str| {
        let number = Number::parse(number).unwrap();
        let error = edit(file, text, &["demo".to_owned()], Scope::Whole, &number).unwrap_err();
        assert_eq!(error.kind.exit_code(), code, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    };
    let extension = r#"{"version":"1.2.0","engines":{"vscode":"*"}}"#;
    check(
        "e/package.json",
        extension,
        "1.2.1-rc.1",
        2,
        "--bump preminor",
    );
    check(
        "package.json",
        "{\"version\": 1}",
        "1.2.0",
        5,
        "package.json: version states no version",
    );
    check(
        "package.json",
        "{\n\"version\" 1}",
        "1.2.0",
        1,
        "package.json:2:11: a colon",
    );
    check(
        "pyproject.toml",
        "[project]\nversion = \"1\\u002e0\"",
        "1.2.0",
        1,
        "pyproject.toml:2:11",
    );
    check(
        "pyproject.toml",
        "[project]\nversion = ",
        "1.2.0",
        1,
        "pyproject.toml:2:",
    );
    check(
        "m.py",
        "__version__ = f()\n",
        "1.2.0",
        5,
        "m.py: __version__ states no version",
    );
    check(
        "m.py",
        "__version__ = '1' + x\n",
        "1.2.0",
        5,
        "states no version",
    );
    check("setup.cfg", "", "1.2.0", 2, "format is not known");
    let loose =
        "[package]\nversion = '1.0.0'\n[dependencies]\ndemo = { path = '.', version = '1.*' }";
    check(
        "Cargo.toml",
        loose,
        "2.0.0",
        5,
        "dependencies.demo.version: the requirement `1.*`",
    );
}

#[test]
fn of_a_member_that_is_not_listed_only_what_it_requires_changes() {
    let text = |version: &str| {
        format!(
            "[package]\nversion = \"0.3.0\"\n[dependencies]\ndemo = {{ path = \"..\", version = \"{version}\" }}"
        )
    };
    let number = Number::parse("2.0.0").unwrap();
    let members = ["demo".to_owned()];
    let edited = edit(
        "a/Cargo.toml",
        &text("1"),
        &members,
        Scope::Requirements,
        &number,
    );
    assert_eq!(edited.unwrap().text, text("2"));
}
