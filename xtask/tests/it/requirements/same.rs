//! Exports compared with the plug-in's: recorded ones of our own cases always, and those that
//! the plug-in makes now when it may be installed.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use xtask::requirements::origin::file_url;
use xtask::requirements::{Hashes, Options, Places, export};

use super::poetry;

/// Where recorded exports speak of the project's folder.
const FOLDER: &str = "@@FOLDER@@";

/// Our own small projects, each with a lock file that a real Poetry wrote.
fn cases() -> Vec<Utf8PathBuf> {
    let entries = poetry::here("cases").read_dir_utf8().unwrap();
    let mut cases: Vec<Utf8PathBuf> = entries
        .map(|entry| entry.unwrap().path().to_owned())
        .collect();
    cases.sort();
    cases
}

fn ours(folder: &Utf8Path, choice: &Value) -> Result<String, String> {
    let strings = |key: &str| -> Vec<String> {
        let list = choice[key].as_array().unwrap().iter();
        list.map(|value| value.as_str().unwrap().to_owned())
            .collect()
    };
    let options = Options {
        groups: strings("groups"),
        extras: strings("extras"),
        hashes: match choice["hashes"].as_bool().unwrap() {
            true => Hashes::With,
            false => Hashes::Without,
        },
    };
    let places = Places {
        pyproject: "pyproject.toml",
        lock: "poetry.lock",
        folder,
    };
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let (pyproject, lock) = (read("pyproject.toml"), read("poetry.lock"));
    export(&pyproject, &lock, &options, places).map_err(|error| error.to_string())
}

/// Compares with what the plug-in answered and returns how many exports there were.
fn compare(folder: &Utf8Path, answer: &Value) -> usize {
    let Some(exports) = answer.as_array() else {
        let choice = serde_json::json!({"groups": ["main"], "extras": [], "hashes": true});
        let refused = ours(folder, &choice);
        assert!(
            refused.is_err(),
            "{folder}: the plug-in refuses this lock file"
        );
        return 1;
    };
    for export in exports {
        let choice = format!(
            "{folder}: groups {}, extras {}, hashes {}",
            export["groups"], export["extras"], export["hashes"]
        );
        match (ours(folder, export), export["text"].as_str()) {
            (Ok(found), Some(expected)) => assert_eq!(found, expected, "{choice}"),
            (Err(_), None) => {}
            (Err(error), Some(_)) => panic!("{choice}: {error}"),
            (Ok(_), None) => panic!("{choice}: the plug-in fails"),
        }
    }
    exports.len()
}

fn ask_plugin(python: &Utf8Path, folder: &Utf8Path) -> Value {
    let script = poetry::here("export.py");
    let arguments = ["-W", "ignore", script.as_str(), folder.as_str()];
    let text = poetry::run(python, &arguments, folder);
    serde_json::from_str(&text).unwrap()
}

/// Some of the plug-in's answers for a case. Recorded, they speak of the folder by a name,
/// always inside a URL.
fn recorded(folder: &Utf8Path) -> Value {
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let url = file_url(folder.as_str());
    let path = url.strip_prefix("file://").unwrap();
    serde_json::from_str(&text.replace(FOLDER, path)).unwrap()
}

#[test]
fn recorded_exports_are_the_same() {
    for folder in cases() {
        assert!(
            compare(&folder, &recorded(&folder)) > 0,
            "{folder} has no exports"
        );
    }
}

#[test]
fn the_plugin_still_answers_what_was_recorded() {
    let Some(python) = poetry::python() else {
        return;
    };
    for folder in cases() {
        let answer = ask_plugin(&python, &folder);
        compare(&folder, &answer);
        for export in recorded(&folder).as_array().unwrap() {
            assert!(
                answer.as_array().unwrap().contains(export),
                "{folder}: the plug-in no longer answers {export}"
            );
        }
    }
}

#[test]
fn the_plugin_makes_the_same_of_real_lock_files() {
    let Some(python) = poetry::python() else {
        return;
    };
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut projects = vec![root.join("tools/mcp-server-jupyter")];
    if let Ok(entries) = root.join("../shared/data/locks").read_dir_utf8() {
        projects.extend(entries.map(|entry| entry.unwrap().path().to_owned()));
    }
    for folder in projects {
        if folder.join("poetry.lock").is_file() && folder.join("pyproject.toml").is_file() {
            let count = compare(&folder, &ask_plugin(&python, &folder));
            println!("{folder}: {count} exports are the same");
        } else {
            println!("skipped: {folder} has no Poetry lock file");
        }
    }
}
