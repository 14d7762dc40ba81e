//! What is read from a requirements file and those that it includes.

use super::super::samples::{all, check_real, problem, read, roots};
use super::*;

#[test]
fn pins_with_digests_and_places() {
    let text = "--index-url https://user:secret@registry.example/simple\n\
                A.b[x]==1.0 ; python_version >= '3' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n\
                c @ https://registry.example/c-2.0.zip\n\n-e .\n-e ./sub\nA-b==1.0\nA-b==2.0\n";
    let files = [
        ("pyproject.toml", "[project]\nname = \"Own\"\n"),
        ("sub/pyproject.toml", "[tool.poetry]\nname = \"under\"\n"),
    ];
    let lock = read(&KIND, text, &files).unwrap();
    let index = "registry https://registry.example/simple";
    let expected = [
        format!("2 a-b 1.0 {index} [] ships"),
        "5 c 2.0 url https://registry.example/c-2.0.zip [] ships".to_owned(),
        "7 own  workspace . [] ships".to_owned(),
        "8 under  path ./sub [] ships".to_owned(),
        format!("10 a-b 2.0 {index} [] ships"),
    ];
    assert_eq!(all(&lock), expected);
    assert_eq!(lock.packages[0].digests, ["sha256:aa", "sha256:bb"]);
    assert_eq!(lock.roots.len(), 5);
}

#[test]
fn included_lines_stand_where_the_include_does() {
    let files = [
        ("base/one.txt", "a==1\n-r ../two.txt\n-c pins.txt\nd\n"),
        ("two.txt", "b==1\n"),
        ("base/pins.txt", "d==4.0\nunused==1\n"),
    ];
    let lock = read(&KIND, "\n-r base/one.txt\nc==1\n-r two.txt\n", &files).unwrap();
    let expected = [
        "2 a 1 registry [] ships",
        "2 b 1 registry [] ships",
        "2 d 4.0 registry [] ships",
        "3 c 1 registry [] ships",
    ];
    assert_eq!(all(&lock), expected);
}

#[test]
fn comments_say_who_brings_a_package() {
    let text = "a==1\n    # via -r requirements.in\nb==1\n    # via\n    #   a\n    #   -r x.in\n\
                c==1 # via b, gone\nd==1\n    # via p (pyproject.toml)\ne==1  # via gone\n";
    let lock = read(&KIND, text, &[]).unwrap();
    let expected = [
        "1 a 1 registry [] ships > b 1",
        "3 b 1 registry [] ships > c 1",
        "7 c 1 registry [] ships",
        "8 d 1 registry [] ships",
        "10 e 1 registry [] ships",
    ];
    assert_eq!(all(&lock), expected);
    assert_eq!(
        roots(&lock),
        ["-: a 1 -", "-: b 1 -", "-: d 1 -", "-: e 1 -"]
    );
}

#[test]
fn names_of_files() {
    let check = |name: &str, expected: Option<Scope>| {
        let found = (KIND.matches)(name).then(|| scope(name));
        assert_eq!(found, expected, "{name}");
    };
    check("requirements.txt", Some(Scope::Ships));
    check("requirements-prod.txt", Some(Scope::Ships));
    check("requirements_dev.txt", Some(Scope::Development));
    check("test-requirements.txt", Some(Scope::Development));
    check("requirements.docs.txt", Some(Scope::Development));
    check("contest-requirements.txt", Some(Scope::Ships));
    for other in [
        "requirements.in",
        "constraints.txt",
        "robots.txt",
        "requirements",
    ] {
        check(other, None);
    }
}

#[test]
fn what_is_incomplete_or_wrong_names_its_place() {
    let deep: Vec<(String, String)> = (0..40)
        .map(|one| (format!("{one}.txt"), format!("-r {}.txt", one + 1)))
        .collect();
    let mut files: Vec<(&str, &str)> = deep
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    files.extend([
        ("x.txt", "-r y.txt"),
        ("y.txt", "\n-r x.txt"),
        ("open.txt", "a==1\n\nb>=2\n"),
    ]);
    let check = |text: &str, expected: &str| {
        let found = problem(&KIND, text, &files);
        assert_eq!(found, format!("requirements.txt:{expected}"));
    };
    let end = "which pins nothing, so the lock file is incomplete";
    check(
        "a==1\ndjango>=2",
        &format!("2: package django has only `>=2`, {end}"),
    );
    check(
        "a\nb\nc",
        &format!("1: package a has no version at all, {end}; 2 more like it"),
    );
    check("a==1.*", &format!("1: package a has only `==1.*`, {end}"));
    check(
        "\n-r open.txt",
        &format!("2: open.txt:3: package b has only `>=2`, {end}"),
    );
    check(
        "-r x.txt",
        "1: y.txt:2: files include each other: requirements.txt → x.txt → y.txt → x.txt",
    );
    check(
        "-r requirements.txt",
        "1: files include each other: requirements.txt → requirements.txt",
    );
    check(
        "-r 0.txt",
        "1: 30.txt:1: more than 32 files deep, or 256 files in all",
    );
    check("-r no.txt", "1: there is no no.txt, which it includes");
    check("--moon", "1: `--moon` is no option of a requirements file");
    check("a==1\n\n<<<<<<< HEAD", "3: no requirement: <<<<<<< HEAD");
    check("a\u{0}==1", "1: there is a control character");
    check("a==1\n./\u{1b}[2J", "2: there is a control character");
    check("a==1\n.whl", "2: a package without a name: .whl");
    check("-e .whl", "1: a package without a name: .whl");
    check(
        "-r https://u:secret@h/x.txt",
        "1: https://h/x.txt is not in this repository, so it is not known what it installs",
    );
    let long = problem(&KIND, &"x y".repeat(6 << 20), &[]);
    assert!(long.starts_with("requirements.txt:1: more than"), "{long}");
    let many = format!("a==1\n{}", "# via a\n".repeat(100_000));
    assert_eq!(read(&KIND, &many, &[]).unwrap().packages.len(), 1);
}

#[test]
fn an_empty_file_asks_for_nothing() {
    for text in ["", "# nothing\n", "\n\n--pre\n"] {
        assert!(
            read(&KIND, text, &[]).unwrap().packages.is_empty(),
            "{text}"
        );
    }
}

#[test]
fn real_files_are_read_whole() {
    let count = |text: &str| {
        text.lines()
            .filter(|line| line.contains("==") && !line.starts_with(' '))
            .count()
    };
    for (name, lock) in check_real(&KIND, "req-", count) {
        assert!(
            lock.packages
                .iter()
                .all(|package| !package.digests.is_empty()),
            "{name}"
        );
    }
}
