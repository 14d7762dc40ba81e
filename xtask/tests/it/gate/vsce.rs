//! The folder's selection of files against the real `vsce ls`. `cargo xtask test` installs what it
//! needs and names the Node.js in `XTASK_TEST_NODE`; without that the comparison is left out.

use std::fs;
use std::path::{Path, PathBuf};

use xtask::gate::selection::Selection;

use super::verb::run;

/// The Node.js to run vsce with; says so when there is none.
#[expect(clippy::disallowed_macros, reason = "the test runner shows it")]
fn node() -> Option<PathBuf> {
    let named = std::env::var_os("XTASK_TEST_NODE").map(PathBuf::from);
    if named.is_none() {
        eprintln!("left out: run cargo xtask test to compare with the real vsce");
    }
    named
}

/// The vsce of this repository's extension.
fn vsce() -> PathBuf {
    let extension = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vscode-extension");
    extension.join("node_modules/@vscode/vsce/vsce")
}

const FILES: &[&str] = &[
    ".env",
    ".git/config",
    ".github/a.yml",
    ".gitignore",
    ".npmrc",
    ".vscode-test/a",
    ".vscode/settings.json",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "a.todo",
    "a.vsix",
    "deep/a.vsix",
    "deep/b/c.js",
    "deep/b/d.map",
    "dist/extension.js",
    "dist/extension.js.map",
    "node_modules/x/a.js",
    "package-lock.json",
    "deep/package-lock.json",
    "python_server/a.whl",
    "python_server/src/main.py",
    "src/a.ts",
    "src/[x]/b.ts",
    "src/a b.ts",
    "tsconfig.json",
    "x.py",
    "ä.txt",
];

const IGNORES: &[&str] = &[
    "",
    "**\n!dist/extension.js\n!python_server/*.whl",
    "!dist\n**",
    "src\ndeep/\n.*",
    "**/*.map\n**/*.ts\n!python_server/**",
    "src/**\n!src/a*\n",
    "{src,deep}/**\n*.py",
    "deep/*/c.js\n?.py\n[d]ist/**",
    "# dist\r\n  src  \r\ntsconfig.json",
    "**/b\n!**/c.js",
    ".vscode/**\n.git*\n*.md",
    "*\n!*.md",
    "dist/extension.{js,js.map}",
    "/src\n./deep\n",
];

#[test]
fn the_folder_s_selection_is_that_of_vsce() {
    let Some(node) = node() else {
        return;
    };
    let vsce = vsce();
    let folder = tempfile::tempdir().unwrap();
    for file in FILES {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let package =
        r#"{"name": "x", "publisher": "p", "version": "1.0.0", "engines": {"vscode": "^1.90.0"}}"#;
    fs::write(folder.path().join("package.json"), package).unwrap();
    for ignore in IGNORES {
        fs::write(folder.path().join(".vscodeignore"), ignore).unwrap();
        let arguments = [vsce.to_str().unwrap(), "ls", "--no-dependencies"];
        let output = run(&node, folder.path(), &arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        let mut expected: Vec<&str> = stdout
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        expected.sort_unstable();
        let selection = Selection::new(Some(ignore), None).unwrap();
        let all = FILES
            .iter()
            .copied()
            .chain([".vscodeignore", "package.json"]);
        let mut found: Vec<&str> = all
            .filter(|path| !path.starts_with("node_modules/") && selection.takes(path))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "with {ignore:?}");
    }
}
