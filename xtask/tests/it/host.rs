//! `test host`: what the repository's own script is handed, what its exit code becomes, and what
//! is refused before it is called. The script itself is the repository's; here it is a program on
//! PATH that notes what it was given.

use serde_json::{Value, json};

use super::publish::sample::{self, CONTENT};
use super::repository::{Ended, Repository};

const EXTENSION: &str =
    "[extension]\npath = \"extension\"\nbundle = \"bundled\"\nhost-test = \"test:host\"\n";

/// Notes the variables of an `npm run`, and ends with the code that is in a file.
const NPM: &str = r#"#!/bin/sh
case "$1" in
ci) mkdir -p node_modules ;;
run) printf '%s\n' "$*" "$XTASK_VSIX" "$XTASK_TOOLS" "$XTASK_CALL" > given; exit "$(cat code)" ;;
esac
"#;

/// A repository with a release in `dist/`, an extension, and these programs first on PATH.
fn repository() -> Repository {
    let mut repository = sample::repository(EXTENSION);
    repository.write("extension/package-lock.json", "{}");
    repository.write("bin/node", "#!/bin/sh\necho v24.0.0\n");
    repository.write("bin/npm", NPM);
    #[cfg(unix)]
    for name in ["bin/node", "bin/npm"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(repository.root.join(name), mode).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", repository.root.join("bin"));
    repository.environment.push(("PATH".to_owned(), path));
    repository
}

fn check(ended: &Ended, code: i32, said: &[&str]) {
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{text}");
    for part in said {
        assert!(text.contains(part), "does not say {part:?}: {text}");
    }
}

#[test]
#[cfg(unix)]
fn the_script_is_handed_the_package_the_proved_tools_and_the_call() {
    let repository = repository();
    repository.write("extension/code", "0");
    let ended = repository.xtask(&["test", "host"]);
    check(&ended, 0, &["npm run test:host with demo-1.0.0.vsix"]);
    let given = String::from_utf8(repository.read("extension/given")).unwrap();
    let lines: Vec<&str> = given.lines().collect();
    assert_eq!(lines[0], "run --silent test:host");
    let package = repository.root.join("dist/demo-1.0.0.vsix");
    let package = package.canonicalize_utf8().unwrap();
    let handed = camino::Utf8Path::new(lines[1]).canonicalize_utf8().unwrap();
    assert_eq!(handed, package);
    let value = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    assert_eq!(value(lines[2]), json!(["ping"]));
    assert_eq!(value(lines[3]), json!({ "tool": "ping", "arguments": {} }));
}

#[test]
#[cfg(unix)]
fn the_script_s_exit_code_is_the_verb_s() {
    let repository = repository();
    let check = |code: &str, expected, said: &str| {
        repository.write("extension/code", code);
        check(&repository.xtask(&["test", "host"]), expected, &[said]);
    };
    check("5", 5, "(npm run test:host) lacks what it names above");
    check("2", 2, "was asked for what it does not know");
    check("1", 1, "(npm run test:host) failed");
    check("9", 1, "(npm run test:host) failed");
}

#[test]
#[cfg(unix)]
fn without_a_name_it_is_left_out_and_said_so() {
    let repository = repository();
    let ended = repository.xtask(&["test"]);
    check(&ended, 0, &["run `cargo xtask test host`"]);
    assert!(!repository.root.join("extension/given").exists());
}

#[test]
fn a_package_that_is_not_the_released_one_is_not_tried() {
    let repository = repository();
    let refused = |code, said: &[&str]| {
        check(&repository.xtask(&["test", "host"]), code, said);
        assert!(!repository.root.join("extension/given").exists());
    };
    repository.write("dist/demo-1.0.0.vsix", "something else");
    refused(4, &["dist/demo-1.0.0.vsix is not the file that was made"]);
    let mut release = sample::release(CONTENT);
    release.manifest.proof = None;
    sample::put(&repository, &release);
    refused(5, &["was not proved", "cargo xtask release"]);
    std::fs::remove_dir_all(repository.root.join("dist")).unwrap();
    refused(5, &["no dist/manifest.json", "cargo xtask release"]);
}

#[test]
fn a_repository_without_such_a_script_has_nothing_to_do() {
    let repository = sample::repository("");
    let ended = repository.xtask(&["test", "host"]);
    check(&ended, 0, &["release.toml has no extension.host-test"]);
}
