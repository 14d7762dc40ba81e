//! Files that go from job to job.

use super::{repository, runs};

fn check(upload: &str, download: &str, found: &str) {
    let text = format!(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: |\n          mkdir -p dist/sub; cd dist; echo 1 > a.txt; echo 2 > sub/b.txt; echo 3 > .hidden\n          echo '#!/bin/sh' > program; chmod +x program\n      - uses: actions/upload-artifact@v4\n        with: {upload}\n      - uses: actions/upload-artifact@v4\n        with: {{ name: other-1, path: dist/a.txt }}\n  b:\n    needs: a\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/download-artifact@v4\n        with: {download}\n      - run: |\n          find . -type f | LC_ALL=C sort | tr '\\n' ' ' | tee \"$RUNNER_TEMP/list\"\n          test \"$(cat \"$RUNNER_TEMP/list\")\" = '{found} '\n          test -z \"$(find . -type f -perm /111)\"\n"
    );
    runs(&repository(&text), &[]);
}

#[test]
fn artifacts_are_laid_out_as_at_github() {
    check(
        "{ name: it, path: dist }",
        "{ name: it }",
        "./a.txt ./program ./sub/b.txt",
    );
    check(
        "{ name: it, path: dist, include-hidden-files: true }",
        "{ name: it, path: x }",
        "./x/.hidden ./x/a.txt ./x/program ./x/sub/b.txt",
    );
    check(
        "{ name: it, path: 'dist/**/*.txt' }",
        "{ name: it }",
        "./a.txt ./sub/b.txt",
    );
    check(
        "{ name: it, path: \"dist\\n!dist/sub\" }",
        "{ name: it }",
        "./a.txt ./program",
    );
    check(
        "{ name: it, path: dist/sub/b.txt }",
        "{}",
        "./it/b.txt ./other-1/a.txt",
    );
    check(
        "{ name: it, path: dist/sub }",
        "{ pattern: 'o*', merge-multiple: true }",
        "./a.txt",
    );
    check(
        "{ name: it, path: nothing }",
        "{ path: x }",
        "./x/other-1/a.txt",
    );
}

#[test]
fn a_missing_file_and_a_missing_artifact_fail() {
    let text = |uses: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: {uses}\n"
        )
    };
    let check = |uses: &str, expected: &str| {
        let ended = repository(&text(uses)).xtask(&["ci", "run"]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    };
    check(
        "actions/upload-artifact@v4\n        with: { path: nothing, if-no-files-found: error }",
        "no files were found with the path nothing",
    );
    check(
        "actions/upload-artifact@v4\n        with: { name: ../x, path: a }",
        "cannot be named",
    );
    check(
        "actions/download-artifact@v4\n        with: { name: nothing }",
        "has stored no artifact nothing",
    );
    check(
        "actions/download-artifact@v4\n        with: { name: .. }",
        "has stored no artifact ..",
    );
}
