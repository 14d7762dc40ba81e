//! Every file of the fuzz targets' committed corpus, through the targets' own functions, so that
//! both stay right between two runs of the fuzzer.

use std::collections::BTreeSet;

use super::repository::workspace;

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

/// The names in a folder, without their extension.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = workspace().join(folder).read_dir_utf8().unwrap();
    entries
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned())
        .collect()
}

#[test]
fn every_target_has_a_program_a_corpus_and_a_line_in_the_documents() {
    let listed: BTreeSet<String> = targets::TARGETS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(names("fuzz/fuzz_targets"), listed);
    assert_eq!(names("fuzz/corpus"), listed);
    let documents = std::fs::read_to_string(workspace().join("docs/fuzzing.md")).unwrap();
    for name in listed {
        assert!(documents.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn the_corpus_is_treated_well() {
    for (name, _) in targets::TARGETS {
        let folder = workspace().join("fuzz/corpus").join(name);
        let mut files = 0;
        for entry in folder.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(bytes.len() < 4096, "{path} is no small file");
            let treated = std::panic::catch_unwind(|| targets::run(name, &bytes));
            assert!(treated.is_ok(), "{path}: see the panic before this one");
            files += 1;
        }
        assert!(files > 0, "{folder} is empty");
    }
}
