//! `cargo xtask check` as a user runs it: a repository on disk, exit codes and output.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::package::*;

/// Runs a program in a folder, if this machine has it.
pub fn program(name: &'static str) -> Option<impl Fn(&Path, &[&str]) -> Output> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    found
        .then_some(move |folder: &Path, arguments: &[&str]| run(Path::new(name), folder, arguments))
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests run programs the way a user does"
)]
pub fn run(program: &Path, folder: &Path, arguments: &[&str]) -> Output {
    std::process::Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

const RELEASE: &str = r#"
schema = 1
name = "example"
[server]
path = "server"
console-script = "example-server"
[extension]
path = "vscode extension"
bundle = "python_server"
package-arguments = ["--no-dependencies"]
[prove.call]
tool = "ping"
[gate]
allow = ["readme.md", "LICENSE.txt", "media/**", "dist/extension.js"]
"#;

/// A repository with a release, its package, and the extension's folder.
struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    fn new(package: &Package) -> Repository {
        let repository = Repository {
            folder: tempfile::tempdir().unwrap(),
        };
        repository.write("release.toml", RELEASE);
        repository.write("dist/example-1.2.3.vsix", package.bytes());
        repository.write("dist/manifest.json", package.manifest.text());
        for (name, bytes) in &package.entries {
            let Some(name) = name.strip_prefix("extension/") else {
                continue;
            };
            // On disk some files have other names than in the package.
            let name = match name {
                "readme.md" => "README.md",
                "LICENSE.txt" => "LICENSE",
                name => name,
            };
            repository.write(&format!("vscode extension/{name}"), bytes);
        }
        repository
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Repository {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn check(&self, arguments: &[&str]) -> (i32, String, String) {
        let program = Path::new(env!("CARGO_BIN_EXE_cargo-xtask"));
        let arguments = [&["check"], arguments].concat();
        let output = run(program, self.folder.path(), &arguments);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }
}

const VSIX: &str = "dist/example-1.2.3.vsix";
const FOLDER: &str = "vscode extension";

#[test]
fn a_correct_package_passes_in_one_line() {
    let repository = Repository::new(&Package::correct());
    let (code, stdout, stderr) = repository.check(&[VSIX]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        stdout.starts_with("✓ check        dist/example-1.2.3.vsix  10 entries, "),
        "{stdout}"
    );
    assert_eq!(stdout.lines().count(), 1);
}

#[test]
fn a_correct_folder_passes() {
    let repository = Repository::new(&Package::correct());
    let (code, stdout, _) = repository.check(&[FOLDER]);
    assert_eq!(code, 0, "{stdout}");
    assert!(
        stdout.starts_with("✓ check        vscode extension  8 entries, "),
        "{stdout}"
    );
}

#[test]
fn source_in_the_folder_is_refused_unless_it_is_not_packaged() {
    let repository = Repository::new(&Package::correct());
    repository.write("vscode extension/src/a.ts", "x");
    repository.write("vscode extension/node_modules/b/c.py", "x");
    let (code, stdout, stderr) = repository.check(&[FOLDER]);
    assert_eq!(code, 6);
    assert!(
        stdout.contains("typescript-source") && stdout.contains("  src/a.ts  "),
        "{stdout}"
    );
    assert!(
        !stdout.contains("c.py"),
        "--no-dependencies leaves node_modules out"
    );
    assert!(
        stderr.starts_with("error: the gate refuses vscode extension: typescript-source\n"),
        "{stderr}"
    );
    repository.write("vscode extension/.vscodeignore", "src\n");
    assert_eq!(repository.check(&[FOLDER]).0, 0);
}

#[test]
fn production_dependencies_are_judged_when_they_are_packaged() {
    let repository = Repository::new(&Package::correct());
    repository.write("release.toml", RELEASE.replace("\"--no-dependencies\"", ""));
    let package = PACKAGE_JSON.replace(
        "\"license\"",
        "\"dependencies\": { \"one\": \"*\" }, \"license\"",
    );
    repository.write("vscode extension/package.json", package);
    let (code, _, stderr) = repository.check(&[FOLDER]);
    assert_eq!(code, 5);
    assert!(stderr.contains("lacks the dependency `one`"), "{stderr}");
    repository.write(
        "vscode extension/node_modules/one/package.json",
        r#"{"dependencies": {"two": "*"}}"#,
    );
    repository.write("vscode extension/node_modules/two/package.json", "{}");
    repository.write("vscode extension/node_modules/two/a.py", "x");
    repository.write("vscode extension/node_modules/dev/b.py", "x");
    let (code, stdout, _) = repository.check(&[FOLDER]);
    assert_eq!(code, 6);
    assert!(
        stdout.contains("node_modules/two/a.py") && !stdout.contains("b.py"),
        "{stdout}"
    );
}

#[cfg(unix)]
#[test]
fn a_link_in_the_folder_is_refused() {
    let repository = Repository::new(&Package::correct());
    std::os::unix::fs::symlink(
        "icon.png",
        repository.path("vscode extension/media/link.png"),
    )
    .unwrap();
    let (code, stdout, _) = repository.check(&[FOLDER, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &json["findings"][0]["rule"]), (6, &"symlink".into()));
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn without_a_path_the_package_of_the_release_is_judged_or_else_the_folder() {
    let mut package = Package::correct();
    let repository = Repository::new(&package);
    let (_, stdout, _) = repository.check(&[]);
    assert!(stdout.contains("vscode extension  "), "{stdout}");
    let artifact = xtask::artifact::seal(
        xtask::artifact::Kind::Vsix,
        ("example", VERSION),
        "example-1.2.3.vsix",
        &package.bytes(),
        std::collections::BTreeMap::new(),
    );
    package.manifest.put(artifact);
    repository.write("dist/manifest.json", package.manifest.text());
    let (_, stdout, _) = repository.check(&[]);
    assert!(stdout.contains("dist/example-1.2.3.vsix  "), "{stdout}");
}

#[test]
fn without_a_release_a_package_cannot_be_judged_and_a_bundle_is_unverified() {
    let repository = Repository::new(&Package::correct());
    fs::remove_file(repository.path("dist/manifest.json")).unwrap();
    let (code, stdout, stderr) = repository.check(&[VSIX]);
    assert_eq!((code, stdout.as_str()), (5, ""));
    assert!(
        stderr.contains("no dist/manifest.json") && stderr.contains("cargo xtask release"),
        "{stderr}"
    );
    let (code, stdout, _) = repository.check(&[FOLDER]);
    assert_eq!(code, 6);
    assert!(stdout.starts_with("bundle-unverified: "), "{stdout}");
    fs::remove_dir_all(repository.path("vscode extension/python_server")).unwrap();
    let (code, stdout, _) = repository.check(&[FOLDER]);
    assert_eq!(code, 6);
    let expected = "wheel-missing: The bundle holds the wheel\n  python_server/  nothing has been bundled yet\n";
    assert!(stdout.starts_with(expected), "{stdout}");
}

#[test]
fn a_package_above_the_limit_is_refused_unread() {
    let repository = Repository::new(&Package::correct());
    let limited = RELEASE.replace("[gate]", "[gate]\ntotal-limit = 1000");
    repository.write("release.toml", limited);
    let (code, _, stderr) = repository.check(&[VSIX]);
    assert_eq!(code, 6);
    assert!(
        stderr.contains("bytes packed; all of its content may have 1000"),
        "{stderr}"
    );
}

#[test]
fn machine_formats_print_one_value_and_keep_the_exit_code() {
    let mut package = Package::correct();
    package.add("extension/.env", "x");
    let repository = Repository::new(&package);
    for format in ["json", "sarif"] {
        let (code, stdout, stderr) = repository.check(&[VSIX, "--format", format]);
        assert_eq!(code, 6);
        let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert!(json.is_object() && stdout.contains("environment-file"));
        assert!(stderr.contains("the gate refuses"), "{stderr}");
    }
}

#[test]
fn a_folder_s_sarif_points_at_its_files() {
    let repository = Repository::new(&Package::correct());
    repository.write("vscode extension/a b/ä.py", "x");
    let (_, stdout, _) = repository.check(&[FOLDER, "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let uri = log.pointer("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri");
    assert_eq!(uri.unwrap(), "vscode%20extension/a%20b/%C3%A4.py");
}

#[test]
fn exceptions_for_unknown_or_strict_rules_are_configuration_errors() {
    let repository = Repository::new(&Package::correct());
    let exceptions = "\
[[gate.exception]]
rule = \"python-sorce\"
path = \"a.py\"
reason = \"r\"
[[gate.exception]]
rule = \"wheel-differs\"
path = \"/absolute\"
reason = \"r\"
";
    repository.write("release.toml", format!("{RELEASE}{exceptions}"));
    let (code, _, stderr) = repository.check(&[VSIX]);
    assert_eq!(code, 2);
    let expected = "\
error: release.toml:16:8: the gate has no rule `python-sorce`; did you mean `python-source`?
       release.toml:20:8: the rule `wheel-differs` has no exceptions: it keeps the container and the one wheel whole
       release.toml:21:8: the pattern `/absolute` must be a relative path with forward slashes
";
    assert!(stderr.starts_with(expected), "{stderr}");
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let repository = Repository::new(&Package::correct());
    let (code, _, stderr) = repository.check(&["dist/none.vsix"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("dist/none.vsix: No such file"), "{stderr}");
}

/// The extension's own code is allowed, whatever it is; the seal tells whether it was changed.
#[test]
fn a_package_in_dist_is_the_one_that_was_made() {
    let mut package = Package::correct();
    let repository = Repository::new(&package);
    let sealed = xtask::artifact::seal(
        xtask::artifact::Kind::Vsix,
        ("example", VERSION),
        "example-1.2.3.vsix",
        &package.bytes(),
        std::collections::BTreeMap::new(),
    );
    package.manifest.put(sealed);
    repository.write("dist/manifest.json", package.manifest.text());
    assert_eq!(repository.check(&[]).0, 0);

    package.replace("extension/dist/extension.js", "steal()");
    repository.write(VSIX, package.bytes());
    let (code, _, stderr) = repository.check(&[VSIX]);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("is not the file that was made"), "{stderr}");

    repository.write("elsewhere.vsix", package.bytes());
    let (code, _, stderr) = repository.check(&["elsewhere.vsix"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("its bytes are not those of dist/"),
        "{stderr}"
    );
}
