//! The folder's selection of files against the real `vsce ls`, where it is installed.

use std::fs;
use std::path::{Path, PathBuf};

use xtask::gate::selection::Selection;

use super::verb::program;

/// vsce's own program: in this repository's extension, or where `VSCE` says.
fn vsce() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vscode-extension/node_modules/@vscode/vsce/vsce");
    let named = std::env::var_os("VSCE").map(PathBuf::from);
    named.into_iter().chain([own]).find(|path| path.is_file())
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
    let (Some(vsce), Some(node)) = (vsce(), program("node")) else {
        return;
    };
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
        let output = node(
            folder.path(),
            &[vsce.to_str().unwrap(), "ls", "--no-dependencies"],
        );
        let stderr = String::from_utf8_lossy(&output.stderr);
        if stderr.contains("SyntaxError") || stderr.contains("ERR_") {
            // This Node is older than vsce needs.
            return;
        }
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
