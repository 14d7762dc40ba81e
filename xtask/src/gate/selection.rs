//! Which files of an extension's folder `vsce package` puts into the container, and under
//! which names. Pure; follows vsce 4 (`collectFiles`, `defaultIgnore` and the processors of
//! readme, changelog and license in its `src/package.ts`).
//!
//! Unlike in `.gitignore`, order does not matter: a file stays out when any line names it,
//! unless any line with `!` names it too.

use super::EXTENSION;
use super::pattern::Pattern;

/// What vsce leaves out unless it is asked for.
const DEFAULT_IGNORE: [&str; 32] = [
    ".vscodeignore",
    "package-lock.json",
    "npm-debug.log",
    "yarn.lock",
    "yarn-error.log",
    "npm-shrinkwrap.json",
    ".editorconfig",
    ".npmrc",
    ".yarnrc",
    ".gitattributes",
    "*.todo",
    "tslint.yaml",
    ".eslintrc*",
    ".babelrc*",
    ".prettierrc*",
    ".cz-config.js",
    ".commitlintrc*",
    "webpack.config.js",
    "ISSUE_TEMPLATE.md",
    "CONTRIBUTING.md",
    "PULL_REQUEST_TEMPLATE.md",
    "CODE_OF_CONDUCT.md",
    ".github",
    ".travis.yml",
    "appveyor.yml",
    "**/.git",
    "**/.git/**",
    "**/*.vsix",
    "**/.DS_Store",
    "**/*.vsixmanifest",
    "**/.vscode-test/**",
    "**/.vscode-test-web/**",
];

/// The lines that decide, in vsce's two kinds.
#[derive(Debug)]
pub struct Selection {
    ignore: Vec<Pattern>,
    keep: Vec<Pattern>,
}

impl Selection {
    /// From the text of `.vscodeignore`, or without it from `files` of package.json.
    ///
    /// # Errors
    /// A line in an extended glob syntax (`+(a|b)`), which is not understood here.
    pub fn new(ignore_file: Option<&str>, files: Option<&[String]>) -> Result<Selection, String> {
        let lines: Vec<String> = match (ignore_file, files) {
            (Some(text), _) => lines(text),
            (None, Some(files)) => {
                let keep = files.iter().map(|file| format!("!{}", file.trim()));
                keep.chain(["**".to_owned()]).collect()
            }
            (None, None) => Vec::new(),
        };
        if let Some(line) = lines.iter().find(|line| is_extended(line)) {
            return Err(line.clone());
        }
        let contents = lines.iter().filter(|line| is_plain_end(line)).map(|line| {
            let slash = if line.ends_with('/') { "" } else { "/" };
            format!("{line}{slash}**")
        });
        let contents: Vec<String> = contents.collect();
        let mut selection = Selection {
            ignore: DEFAULT_IGNORE.map(Pattern::verbatim).into(),
            keep: ["package.json", "README.md"].map(Pattern::verbatim).into(),
        };
        for line in lines.iter().chain(&contents) {
            match line.strip_prefix('!') {
                Some(keep) => selection.keep.push(Pattern::verbatim(keep)),
                None => selection.ignore.push(Pattern::verbatim(line)),
            }
        }
        Ok(selection)
    }

    /// Whether a file, by its path in the extension's folder, is packaged.
    pub fn takes(&self, path: &str) -> bool {
        let named = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(path));
        !path.ends_with('\r') && (!named(&self.ignore) || named(&self.keep))
    }
}

fn lines(text: &str) -> Vec<String> {
    text.split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Whether the last part has no asterisk, so that it may name a folder.
fn is_plain_end(line: &str) -> bool {
    let last = line.rsplit('/').next().unwrap_or(line);
    !last.contains('*')
}

fn is_extended(line: &str) -> bool {
    let line = line.strip_prefix('!').unwrap_or(line);
    ["+(", "@(", "?(", "*(", "!("]
        .iter()
        .any(|start| line.contains(start))
}

/// The name in the container of each packaged file, in the order given: vsce writes readme and
/// changelog in lower case and gives a license without an extension one.
pub fn packaged_names(paths: &[&str], license: Option<&str>) -> Vec<String> {
    let stated = license.and_then(|license| license.strip_prefix("SEE LICENSE IN "));
    let is_license = |path: &str| match stated {
        Some(stated) => path == stated.trim().trim_start_matches("./"),
        None => {
            let lower = path.to_lowercase();
            let (stem, end) = lower.split_once('.').unwrap_or((&lower, "txt"));
            matches!(stem, "license" | "licence") && matches!(end, "md" | "txt")
        }
    };
    let mut licensed = false;
    let name = |path: &&str| {
        if ["readme.md", "changelog.md"].contains(&path.to_lowercase().as_str()) {
            return format!("{EXTENSION}{}", path.to_lowercase());
        }
        let file = path.rsplit('/').next().unwrap_or(path);
        let first = !licensed && is_license(path);
        licensed |= first;
        let end = if first && !file.contains('.') {
            ".txt"
        } else {
            ""
        };
        format!("{EXTENSION}{path}{end}")
    };
    paths.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ignore: &str, path: &str, expected: bool) {
        let selection = Selection::new(Some(ignore), None).unwrap();
        assert_eq!(selection.takes(path), expected, "{path} with {ignore:?}");
    }

    #[test]
    fn negations_win_whatever_the_order() {
        check("!keep/a.js\n**", "keep/a.js", true);
        check("**\n!keep/a.js", "keep/a.js", true);
        check("**\n!keep", "keep/deep/a.js", true);
        check("**", "package.json", true);
        check("**", "README.md", true);
        check("**", "readme.md", false);
    }

    #[test]
    fn a_line_without_an_asterisk_in_its_end_names_a_folder_too() {
        check("src", "src/deep/a.ts", false);
        check("src/", "src/a.ts", false);
        check("src/*", "src/deep/a.ts", true);
        check("src/*.ts", "src/a.ts", false);
        check("# src\n  out  \r\n", "out/a", false);
        check("# src", "src/a", true);
    }

    #[test]
    fn defaults_hold_without_any_file_and_dot_files_go_in() {
        let selection = Selection::new(None, None).unwrap();
        for path in [
            ".git/config",
            "a/.git/x",
            "package-lock.json",
            ".github/x.yml",
            "x/y.vsix",
        ] {
            let expected = path == ".github/x.yml";
            assert_eq!(selection.takes(path), expected, "{path}");
        }
        for path in [
            ".env",
            "pyproject.toml",
            "src/a.ts",
            "sub/package-lock.json",
        ] {
            assert!(selection.takes(path), "{path}");
        }
    }

    #[test]
    fn files_of_package_json_name_what_goes_in() {
        let files = ["dist".to_owned(), "media/*.png".to_owned()];
        let selection = Selection::new(None, Some(&files)).unwrap();
        assert!(selection.takes("dist/a/b.js") && selection.takes("media/i.png"));
        assert!(!selection.takes("media/deep/i.png") && !selection.takes("LICENSE"));
    }

    #[test]
    fn readme_changelog_and_license_change_their_names() {
        let names = packaged_names(
            &["LICENSE", "README.md", "ChangeLog.MD", "docs/README.md"],
            None,
        );
        let expected = ["LICENSE.txt", "readme.md", "changelog.md", "docs/README.md"];
        assert_eq!(names, expected.map(|name| format!("extension/{name}")));
        let names = packaged_names(&["LICENSE", "EULA"], Some("SEE LICENSE IN EULA"));
        assert_eq!(names, ["extension/LICENSE", "extension/EULA.txt"]);
    }
}
