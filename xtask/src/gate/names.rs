//! What a file's name alone gives away, in whatever spelling. Pure; looks at no content.

use unicode_normalization::UnicodeNormalization;

use super::rules::{self, Rule};
use crate::printable::is_invisible;

/// A name as Windows and macOS would understand it, and as a person would read it: NFKC,
/// lower case, without invisible characters, trailing dots and spaces, and stream names.
pub fn fold(name: &str) -> String {
    let plain: String = if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        name.nfkc()
            .filter(|c| !is_invisible(*c))
            .collect::<String>()
            .to_lowercase()
    };
    let parts = plain.split(['/', '\\']).map(|part| {
        let file = part.split(':').next().unwrap_or(part);
        file.trim().trim_end_matches(['.', ' '])
    });
    parts.collect::<Vec<_>>().join("/")
}

/// What makes a name unsafe to unpack, if anything does.
pub fn unsafe_path(name: &str) -> Option<String> {
    let drive = name.as_bytes().get(1) == Some(&b':');
    if name.is_empty() {
        return Some("an empty name".to_owned());
    }
    if name.starts_with('/') || drive {
        return Some("an absolute path".to_owned());
    }
    if let Some(bad) = name
        .chars()
        .find(|c| is_invisible(*c) || "\\:<>\"|?*".contains(*c))
    {
        let shown = if is_invisible(bad) {
            format!("the invisible character U+{:04X}", u32::from(bad))
        } else {
            format!("`{bad}`, which Windows does not allow in a name")
        };
        return Some(format!("holds {shown}"));
    }
    name.strip_suffix('/')
        .unwrap_or(name)
        .split('/')
        .find_map(unsafe_part)
}

/// Whether a name would be unpacked outside of its folder, and not only under another name.
pub fn escapes(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':');
    let upwards = name.split('/').any(|part| part == "..");
    drive || upwards || name.starts_with('/') || name.contains('\\')
}

fn unsafe_part(part: &str) -> Option<String> {
    /// Names that Windows gives to devices, whatever their extension.
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = part.split('.').next().unwrap_or(part).to_ascii_lowercase();
    let numbered = stem.strip_prefix("com").or(stem.strip_prefix("lpt"));
    let port = numbered
        .is_some_and(|number| number.len() == 1 && number != "0" && number.parse::<u8>().is_ok());
    match part {
        "" => Some("an empty folder name".to_owned()),
        "." | ".." => Some(format!("a `{part}` in the path")),
        _ if port || DEVICES.contains(&stem.as_str()) => {
            Some(format!("`{part}` is a device on Windows"))
        }
        _ if part.ends_with(['.', ' ']) => Some(format!(
            "`{part}` ends in a dot or a space, which Windows drops"
        )),
        _ => None,
    }
}

/// A rule, and the names that break it.
type ByName = (&'static Rule, fn(&str) -> bool);

/// What an entry is part of, and so which names are out of place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// The extension and every archive in it.
    Extension,
    /// The one wheel: Python source and package metadata are its purpose.
    Wheel,
}

/// The rule that a (folded) path breaks by its name, and the telling part of it. The first
/// rule that fits wins, so that a file in `.git/` is version control data whatever it is.
pub fn classify(folded: &str, within: Within) -> Option<(&'static Rule, String)> {
    let parts: Vec<&str> = folded.split('/').filter(|part| !part.is_empty()).collect();
    let (file, folders) = parts.split_last()?;
    let everywhere: [ByName; 2] = [
        (&rules::VERSION_CONTROL, is_version_control),
        (&rules::VIRTUAL_ENVIRONMENT, is_virtual_environment),
    ];
    for (rule, fits) in everywhere {
        if let Some(part) = parts.iter().find(|part| fits(part)) {
            return Some((rule, format!("`{part}`")));
        }
    }
    let of_file: [ByName; 3] = [
        (&rules::PRIVATE_KEY, is_key_file),
        (&rules::ENVIRONMENT_FILE, is_environment_file),
        (&rules::PYTHON_BYTECODE, is_bytecode),
    ];
    if let Some((rule, _)) = of_file.iter().find(|(_, fits)| fits(file)) {
        return Some((rule, format!("named `{file}`")));
    }
    if parts.contains(&"__pycache__") {
        return Some((&rules::PYTHON_BYTECODE, "`__pycache__`".to_owned()));
    }
    match within {
        Within::Wheel => folders
            .first()
            .filter(|folder| is_test_folder(folder))
            .map(|folder| (&rules::TESTS, format!("top-level package `{folder}`"))),
        Within::Extension => classify_in_extension(file, &parts),
    }
}

fn classify_in_extension(file: &str, parts: &[&str]) -> Option<(&'static Rule, String)> {
    if let Some(part) = parts.iter().find(|part| is_package_metadata(part)) {
        return Some((&rules::PACKAGING_SOURCE, format!("`{part}`")));
    }
    let of_file: [ByName; 5] = [
        (&rules::PACKAGING_SOURCE, is_packaging_file),
        (&rules::PYTHON_SOURCE, is_python_file),
        (&rules::NOTEBOOK, |file| has_extension(file, &["ipynb"])),
        (&rules::SOURCE_MAP, |file| has_extension(file, &["map"])),
        (&rules::TESTS, is_test_file),
    ];
    if let Some((rule, _)) = of_file.iter().find(|(_, fits)| fits(file)) {
        return Some((rule, format!("named `{file}`")));
    }
    if parts.contains(&".ipynb_checkpoints") {
        return Some((&rules::NOTEBOOK, "`.ipynb_checkpoints`".to_owned()));
    }
    if let Some(part) = parts.iter().find(|part| is_test_folder(part)) {
        return Some((&rules::TESTS, format!("in `{part}`")));
    }
    has_extension(file, &["ts", "tsx", "mts", "cts"])
        .then(|| (&rules::TYPESCRIPT_SOURCE, format!("named `{file}`")))
}

/// Whether the name ends in one of these, also below a suffix that editors and people put on
/// copies: `server.py.bak`, `server.py~`.
fn has_extension(file: &str, extensions: &[&str]) -> bool {
    const COPIES: [&str; 8] = [
        ".bak",
        ".orig",
        ".old",
        ".tmp",
        ".save",
        ".swp",
        ".txt",
        ".disabled",
    ];
    let mut plain = file.trim_end_matches(['~', '_']);
    while let Some(shorter) = COPIES.iter().find_map(|copy| plain.strip_suffix(copy)) {
        plain = shorter.trim_end_matches(['~', '_', '.', ' ']);
    }
    let ends = |extension: &&str| {
        plain
            .strip_suffix(*extension)
            .is_some_and(|stem| stem.ends_with('.'))
    };
    extensions.iter().any(ends)
}

fn is_python_file(file: &str) -> bool {
    has_extension(
        file,
        &[
            "py", "pyi", "pyx", "pxd", "pxi", "pyw", "py3", "pyz", "pyzw", "ipy",
        ],
    )
}

fn is_bytecode(file: &str) -> bool {
    has_extension(file, &["pyc", "pyo"])
}

fn is_version_control(part: &str) -> bool {
    const NAMES: [&str; 9] = [
        ".git", ".hg", ".svn", ".bzr", "cvs", "_darcs", ".jj", ".pijul", ".fossil",
    ];
    const FILES: [&str; 9] = [
        ".gitignore",
        ".gitattributes",
        ".gitmodules",
        ".gitkeep",
        ".gitconfig",
        ".mailmap",
        ".hgignore",
        ".hgtags",
        ".git-blame-ignore-revs",
    ];
    NAMES.contains(&part) || FILES.contains(&part)
}

fn is_virtual_environment(part: &str) -> bool {
    const NAMES: [&str; 10] = [
        "pyvenv.cfg",
        "site-packages",
        "dist-packages",
        ".venv",
        "venv",
        "virtualenv",
        ".virtualenv",
        ".tox",
        ".nox",
        "conda-meta",
    ];
    NAMES.contains(&part)
}

fn is_environment_file(file: &str) -> bool {
    file == ".env" || file == ".envrc" || file.starts_with(".env.") || file.ends_with(".env")
}

fn is_key_file(file: &str) -> bool {
    const NAMES: [&str; 13] = [
        "id_rsa",
        "id_dsa",
        "id_ecdsa",
        "id_ed25519",
        "id_ecdsa_sk",
        "id_ed25519_sk",
        ".pypirc",
        ".netrc",
        "_netrc",
        ".npmrc",
        ".yarnrc.yml",
        ".git-credentials",
        ".htpasswd",
    ];
    const EXTENSIONS: [&str; 9] = [
        "p12",
        "pfx",
        "jks",
        "keystore",
        "kdbx",
        "ppk",
        "p8",
        "key",
        "mobileprovision",
    ];
    NAMES.contains(&file) || has_extension(file, &EXTENSIONS)
}

fn is_package_metadata(part: &str) -> bool {
    [".egg-info", ".dist-info", ".egg"]
        .iter()
        .any(|end| part.ends_with(end))
}

fn is_packaging_file(file: &str) -> bool {
    const NAMES: [&str; 33] = [
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "manifest.in",
        "pkg-info",
        "poetry.lock",
        "poetry.toml",
        "uv.lock",
        "uv.toml",
        "pdm.lock",
        "pdm.toml",
        "pixi.lock",
        "pixi.toml",
        "pipfile",
        "pipfile.lock",
        "pylock.toml",
        "hatch.toml",
        "tox.ini",
        "conda-lock.yml",
        "environment.yml",
        "environment.yaml",
        ".python-version",
        "package-lock.json",
        "npm-shrinkwrap.json",
        ".package-lock.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "bun.lockb",
        "deno.lock",
        "cargo.lock",
        "cargo.toml",
        "noxfile.py",
    ];
    let requirements =
        file.starts_with("requirements") && (file.ends_with(".txt") || file.ends_with(".in"));
    let named_lock = file.starts_with("pylock.") && file.ends_with(".toml");
    NAMES.contains(&file) || requirements || named_lock
}

fn is_test_folder(part: &str) -> bool {
    const NAMES: [&str; 9] = [
        "test",
        "tests",
        "__tests__",
        "__mocks__",
        "__snapshots__",
        "__fixtures__",
        ".pytest_cache",
        ".vscode-test",
        ".vscode-test-web",
    ];
    NAMES.contains(&part)
}

fn is_test_file(file: &str) -> bool {
    const NAMES: [&str; 6] = [
        "pytest.ini",
        ".coveragerc",
        ".coverage",
        ".nycrc",
        ".nycrc.json",
        "karma.conf.js",
    ];
    let starts = [
        ".mocharc.",
        "jest.config.",
        "vitest.config.",
        ".vscode-test.",
    ];
    let code = has_extension(
        file,
        &["js", "mjs", "cjs", "jsx", "ts", "tsx", "mts", "cts", "snap"],
    );
    let marked = file.contains(".test.") || file.contains(".spec.");
    NAMES.contains(&file) || starts.iter().any(|start| file.starts_with(start)) || code && marked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Option<&str>) {
        let found = classify(&fold(path), Within::Extension);
        assert_eq!(found.map(|(rule, _)| rule.id), expected, "{path}");
    }

    #[test]
    fn python_is_recognised_in_any_spelling() {
        for path in [
            "a.py",
            "a.PY",
            "a.Py.",
            "a.py ",
            "a.py. .",
            "a.pyi",
            "a.pyx",
            "a.pyw",
            "x/a.py~",
            "a.py.bak",
            "a.py.txt",
            "a.py::$DATA",
            "a.\u{ff50}\u{ff59}",
            "a.p\u{200b}y",
            "a.pyz",
            "A.PY.ORIG",
        ] {
            check(path, Some("python-source"));
        }
        for path in [
            "a.pyc",
            "a.PYO",
            "__pycache__/x",
            "a/__PyCache__/b.txt",
            "a.pyc.",
        ] {
            check(path, Some("python-bytecode"));
        }
        for path in [
            "py",
            "apy",
            "happy.txt",
            "copy.js",
            "a.pyre",
            "python_server/manifest.json",
        ] {
            check(path, None);
        }
    }

    #[test]
    fn the_most_telling_rule_wins() {
        check(".git/hooks/pre-commit.py", Some("version-control"));
        check("venv/lib/a.py", Some("virtual-environment"));
        check("setup.py", Some("packaging-source"));
        check("tests/test_a.py", Some("python-source"));
        check("tests/a.json", Some("tests"));
        check("a.test.ts", Some("tests"));
        check("a.d.ts", Some("typescript-source"));
        check("a.js.map", Some("source-map"));
        check("x.egg-info/top_level.txt", Some("packaging-source"));
        check(".env.production", Some("environment-file"));
        check("prod.env", Some("environment-file"));
        check("media/latest.png", None);
    }

    #[test]
    fn a_wheel_may_hold_source_but_no_tests_of_its_own() {
        let check = |path: &str, expected: Option<&str>| {
            let found = classify(&fold(path), Within::Wheel);
            assert_eq!(found.map(|(rule, _)| rule.id), expected, "{path}");
        };
        check("pkg/a.py", None);
        check("pkg/tests/a.py", None);
        check("tests/a.py", Some("tests"));
        check("pkg/__pycache__/a.cpython-311.pyc", Some("python-bytecode"));
        check("pkg/.env", Some("environment-file"));
    }

    #[test]
    fn unsafe_paths_are_named() {
        for path in [
            "",
            "/a",
            "../a",
            "a/../b",
            "a//b",
            "C:/a",
            "c:a",
            "a\\b",
            "a\0b",
            "a\u{202e}b",
            "nul.txt",
            "COM1",
            "a./b",
            "x?",
        ] {
            assert!(unsafe_path(path).is_some(), "{path:?}");
        }
        for path in [
            "a",
            "a/b.c",
            "[Content_Types].xml",
            "extension/",
            "ä/日本.png",
            "..a",
            "console",
            "com0",
            "combat",
        ] {
            assert_eq!(unsafe_path(path), None, "{path:?}");
        }
    }
}
