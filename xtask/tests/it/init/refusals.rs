//! Questions that a repository leaves open: all listed, none answered by guessing, nothing written.

use super::super::repository::Repository;
use super::{refuses, shape, tree};

fn second_server(repository: &Repository) {
    let text = String::from_utf8(repository.read("pyproject.toml")).unwrap();
    let text = text.replace("versions-server", "notes-server");
    repository.write("servers/notes/pyproject.toml", &text);
    let lock = String::from_utf8(repository.read("uv.lock")).unwrap();
    repository.write(
        "servers/notes/uv.lock",
        &lock.replace("versions-server", "notes-server"),
    );
    repository.write("servers/notes/versions_server/server.py", super::SERVER);
    repository.write(
        "servers/notes/versions_server/__init__.py",
        "__version__ = \"2\"\n",
    );
    repository.commit();
}

#[test]
fn two_servers_are_listed_and_one_can_be_named() {
    let repository = shape("hatchling", "mono repo ü");
    second_server(&repository);
    let words = [
        "2 projects could be the server",
        "servers/notes (notes-server)",
        "--server",
    ];
    refuses(&repository, &[], 2, &words);
    refuses(
        &repository,
        &["--server", "nowhere"],
        2,
        &["there is no nowhere/pyproject.toml"],
    );
    repository.succeeds(&["init", "--server", "servers/notes/"]);
    let text = String::from_utf8(repository.read("release.toml")).unwrap();
    assert!(
        text.contains("path = \"servers/notes\"") && text.contains("\"notes-server\""),
        "{text}"
    );
}

#[test]
fn several_answers_are_all_listed_at_once() {
    let repository = shape("hatchling", "one");
    let text = String::from_utf8(repository.read("pyproject.toml")).unwrap();
    let scripts = "[project.scripts]\none = \"versions_server.server:main\"\ntwo = \"versions_server.server:main\"\n\n[dep";
    let text = text.replace(
        "[project.scripts]\nversions-server = \"versions_server.server:main\"\n\n[dep",
        scripts,
    );
    repository.write("pyproject.toml", &text);
    repository.write("poetry.lock", "package = []\n");
    repository.write(
        "versions_server/server.py",
        "@mcp.tool()\ndef delete_all(): pass\n",
    );
    for folder in ["a", "b"] {
        let manifest = "{\"engines\": {\"vscode\": \"*\"}, \"main\": \"./main.js\"}";
        repository.write(&format!("{folder}/package.json"), manifest);
        repository.write(&format!("{folder}/main.js"), "");
    }
    repository.commit();
    let words = [
        "2 console scripts could start the server: one, two",
        "2 lock files could say what ships: poetry.lock, uv.lock",
        "delete_all() in versions_server/server.py:1",
        "2 folders are VS Code extensions that could carry the server: a, b",
        "--console-script one",
        "--lock poetry.lock",
        "--call TOOL",
        "--extension a",
        "nothing was written",
    ];
    refuses(&repository, &[], 2, &words);
    refuses(
        &repository,
        &["--target", "github"],
        2,
        &["--target github needs the repository's name"],
    );
    let decided = [
        "--console-script",
        "two",
        "--lock",
        "uv.lock",
        "--call",
        "x",
        "--extension",
        "b",
    ];
    let mut all = vec!["init"];
    all.extend(decided);
    repository.succeeds(&all);
    let text = String::from_utf8(repository.read("release.toml")).unwrap();
    let expected = [
        "console-script = \"two\"",
        "lock = \"uv.lock\"",
        "tool = \"x\"",
        "path = \"b\"",
    ];
    assert!(expected.iter().all(|line| text.contains(line)), "{text}");
}

#[test]
fn what_is_missing_is_named_with_the_way_to_it() {
    let check = |path: &str, change: &dyn Fn(&str) -> Option<String>, code: i32, words: &[&str]| {
        let repository = shape("setuptools", "one");
        let text = String::from_utf8(repository.read(path)).unwrap();
        match change(&text) {
            Some(text) => repository.write(path, &text),
            None => std::fs::remove_file(repository.root.join(path)).unwrap(),
        }
        refuses(&repository, &[], code, words);
    };
    let manifest = "pyproject.toml";
    check(
        "requirements.txt",
        &|_| None,
        5,
        &["nothing locks what pyproject.toml depends on", "uv lock"],
    );
    check(
        "requirements.txt",
        &|_| Some("packaging==26.4\n".to_owned()),
        5,
        &["requirements.txt has no digests", "--generate-hashes"],
    );
    check(
        manifest,
        &|_| None,
        5,
        &["no pyproject.toml outside of tests"],
    );
    check(
        manifest,
        &|text| Some(format!("{text}[project]\n")),
        5,
        &["pyproject.toml:"],
    );
    let scm = |text: &str| Some(text.replace("\"wheel\"", "\"setuptools-scm\""));
    check(
        manifest,
        &scm,
        5,
        &["the version comes from git's tags", "setuptools-scm"],
    );
    let other = |text: &str| Some(text.replace("setuptools.build_meta", "maturin"));
    check(
        manifest,
        &other,
        5,
        &["\"maturin\"", "[build] requirements"],
    );
    let source = "src/versions_server/server.py";
    check(
        source,
        &|_| Some(String::new()),
        2,
        &["no tool was found", "--call TOOL"],
    );
}

#[test]
fn outside_of_git_nothing_is_inspected() {
    let repository = Repository::folder("one");
    repository.write("pyproject.toml", "");
    let ended = repository.xtask(&["init"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("is not in a git repository"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("git init"), "{}", ended.stderr);
}

#[test]
fn from_a_folder_below_the_top_is_meant() {
    let repository = shape("poetry", "one");
    repository.succeeds(&["init", "--root", "editor/vscode"]);
    assert!(repository.root.join("release.toml").exists());
    let before = tree(&repository);
    refuses(&repository, &["--root", "server"], 5, &["exist already"]);
    assert!(before == tree(&repository));
}

#[test]
fn what_is_no_text_decides_nothing_and_keeps_nobody() {
    let repository = shape("hatchling", "one");
    let foreign = b"\xff\xfe\0";
    let write = |path: &str| {
        let path = repository.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, foreign).unwrap();
    };
    write("media/readme.png");
    write("old/requirements.txt");
    write("versions_server/foreign.py");
    repository.succeeds(&["init", "--plan"]);
    write(".gitignore");
    refuses(&repository, &[], 1, &[".gitignore: not UTF-8"]);
}

/// A folder stands where the last file would go: everything before it is taken back.
#[test]
fn what_was_written_is_taken_back_with_its_folders() {
    let repository = shape("hatchling", "one");
    std::fs::create_dir(repository.root.join(".gitignore")).unwrap();
    let words = ["replace these files", ".gitignore"];
    refuses(&repository, &[], 5, &words);
    refuses(
        &repository,
        &["--force"],
        1,
        &["what had been was taken back"],
    );
    assert!(!repository.root.join(".github").exists());
}

#[test]
fn an_extension_that_is_not_there_is_published_nowhere() {
    let repository = shape("hatchling", "one");
    let words = ["--target open-vsx --target marketplace: there is no extension to publish"];
    let targets = ["--target", "marketplace", "--target", "open-vsx"];
    refuses(&repository, &targets, 2, &words);
}
