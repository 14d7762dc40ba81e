//! A release as CI makes it, here: one job builds, another publishes what it has built.

use xtask::artifact::{Digest, Kind, Manifest};

use crate::publish::real;
use crate::repository::{CONFIGURATION, Repository, slow};

#[test]
fn what_one_job_built_another_publishes_and_it_is_what_a_local_release_makes() {
    if !slow() {
        return;
    }
    let server = real::pypiserver();
    let program = env!("CARGO_BIN_EXE_cargo-xtask");
    let repository = Repository::sound();
    let settings = format!(
        "{CONFIGURATION}[target.index]\nkind = \"pypi\"\nurl = \"http://{0}/\"\n\
         simple = \"http://{0}/simple/\"\n[profile.it]\ntargets = [\"index\"]\n",
        server.authority
    );
    repository.write("release.toml", &settings);
    repository.write(
        ".github/workflows/release.yml",
        &format!(
            "on: {{ push: {{ tags: ['v*'] }} }}\nenv: {{ TOOL: '{program}' }}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    outputs:\n      digest: ${{{{ steps.build.outputs.digest }}}}\n    steps:\n      - uses: actions/checkout@v4\n        with: {{ fetch-depth: 0 }}\n      - uses: actions/setup-python@v5\n        with: {{ python-version: '>=3.10' }}\n      - id: build\n        run: |\n          \"$TOOL\" release\n          echo \"digest=$(sha256sum dist/manifest.json | cut -d' ' -f1)\" >> \"$GITHUB_OUTPUT\"\n      - uses: actions/upload-artifact@v4\n        with: {{ name: dist, path: dist, if-no-files-found: error }}\n  publish:\n    needs: build\n    runs-on: ubuntu-latest\n    environment: index\n    steps:\n      - uses: actions/checkout@v4\n      - uses: actions/download-artifact@v4\n        with: {{ name: dist, path: dist }}\n      - run: test \"$(sha256sum dist/manifest.json | cut -d' ' -f1)\" = '${{{{ needs.build.outputs.digest }}}}'\n      - run: '\"$TOOL\" publish --to it --execute'\n        env: {{ TWINE_USERNAME: me, TWINE_PASSWORD: any, PYTHON_KEYRING_BACKEND: keyring.backends.null.Keyring }}\n"
        ),
    );
    repository.commit();
    let ended = repository.succeeds(&["ci", "run", "--event", "tag:v1.0.0"]);
    assert!(ended.stdout.contains("2 jobs run"), "{}", ended.stdout);

    repository.succeeds(&["release"]);
    let manifest: Manifest =
        serde_json::from_slice(&repository.read("dist/manifest.json")).unwrap();
    let mut compared = 0;
    for kind in [Kind::Wheel, Kind::Sdist] {
        let artifact = manifest.only(kind).unwrap();
        let published = server.path().join("store").join(&artifact.path);
        assert_eq!(
            Digest::of(&std::fs::read(published).unwrap()),
            artifact.sha256
        );
        compared += 1;
    }
    assert_eq!(compared, 2);
}
