//! The release workflow of this repository, as it stands, run here from its first job to its last:
//! what it publishes is, byte for byte, what a release on a laptop makes of the same commit.
//!
//! Only the addresses in `release.toml` are others, and the images stand on a small base and hold a
//! small program, which compiles in a moment. The staging index and the OCI registry are real
//! ones on loopback; GitHub, the index, Open VSX, the Marketplace and the registry of MCP servers are
//! their stand-ins. Credentials come as they do at GitHub: the token of the run, one secret, and an
//! identity for the jobs that may ask for one; those of the indexes stand in `~/.pypirc`, because
//! twine exchanges identities with the two indexes alone that it knows.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::artifact::{Digest, Kind, Manifest};
use xtask::dist::Release;
use xtask::image::archive;
use xtask::world::World;

use crate::image::base;
use crate::osv::server::Osv;
use crate::publish::real::{self, Server};
use crate::registries::actions::Actions;
use crate::registries::front::Front;
use crate::registries::github::{self, Github};
use crate::registries::marketplace::Marketplace;
use crate::registries::mcp::Mcp;
use crate::registries::open_vsx::{self, OpenVsx};
use crate::registries::warehouse::{self, TrustedPublisher, Warehouse};
use crate::repository::{Ended, Repository, ended, slow};

const WORKFLOW: &str = ".github/workflows/release.yml";
const OWN: &str = "mcp-shipyard/mcp-shipyard";
const PUBLISHER: &str = "mcp-shipyard";
const IMAGE: &str = "mcp-shipyard/mcp-server-jupyter";
const PLATFORM: &str = "mcp-shipyard/mcp-platform";

/// What stands in for the platform: a workspace of its own.
const SMALL: [(&str, &str); 3] = [
    (
        "tools/small/Cargo.toml",
        "[package]\nname = \"mcp-platform\"\nversion = \"VERSION\"\nedition = \"2024\"\n[workspace]\n",
    ),
    (
        "tools/small/Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"mcp-platform\"\nversion = \"VERSION\"\n",
    ),
    ("tools/small/src/main.rs", "fn main() {}\n"),
];

/// What the steps of the workflow run, and in how many jobs.
const PUBLISHES: &str = "✓ step         cargo xtask publish --to production";
const PUBLISHING_JOBS: usize = 8;

/// Every target of the profile, empty.
struct Targets {
    staging: Server,
    images: Server,
    index: Front<Warehouse>,
    github: Front<Github>,
    open_vsx: Front<OpenVsx>,
    marketplace: Front<Marketplace>,
    mcp: Front<Mcp>,
}

impl Targets {
    fn start() -> Targets {
        let mut marketplace = Marketplace::with(PUBLISHER);
        marketplace.actions = Actions::of(OWN, "release.yml", "marketplace");
        marketplace.publisher = Some(TrustedPublisher {
            repository: OWN.to_owned(),
            workflow: "release.yml".to_owned(),
            environment: Some("marketplace".to_owned()),
        });
        // A token of a person is good for nothing here.
        marketplace.tokens.clear();
        let mut mcp = Mcp::default();
        mcp.github.clear();
        Targets {
            staging: real::pypiserver(),
            images: real::docker_registry(),
            index: Front::start(Warehouse::default()),
            github: Front::start(Github::of(OWN)),
            open_vsx: Front::start(OpenVsx::with(PUBLISHER)),
            marketplace: Front::start(marketplace),
            mcp: Front::start(mcp),
        }
    }

    /// `release.toml` with these addresses in place of those of the world.
    fn settings(&self, text: &str) -> String {
        let base = text_of(text, "base = \"docker.io/");
        let mut text = format!("{text}\n[publish]\nwait = \"30s\"\npause = \"20ms\"\n");
        let mut replace = |old: &str, new: &str| {
            assert_eq!(text.matches(old).count(), 1, "{old}");
            text = text.replace(old, new);
        };
        let address = |kind: &str, url: &str| format!("kind = \"{kind}\"\nurl = \"{url}\"\n");
        replace(
            &format!("repository = \"{OWN}\"\n"),
            &format!("repository = \"{OWN}\"\napi = \"{}\"\n", self.github.url()),
        );
        for image in [IMAGE, PLATFORM] {
            let here = format!("\"{}/{image}\"\nplain-http = true\n", self.images.authority);
            replace(
                &format!("repository = \"ghcr.io/{image}\"\n"),
                &format!("repository = {here}"),
            );
        }
        let program = "[program.mcp-platform]\n";
        replace(program, &format!("{program}path = \"tools/small\"\n"));
        replace(&base, "base = \"oci:base\"");
        for (kind, url) in [
            ("marketplace", self.marketplace.url()),
            ("open-vsx", self.open_vsx.url()),
            ("mcp", self.mcp.url()),
        ] {
            replace(&format!("kind = \"{kind}\"\n"), &address(kind, &url));
        }
        text
    }

    /// Where the names `testpypi` and `pypi` of twine lead here, and with what.
    fn pypirc(&self) -> String {
        format!(
            "[testpypi]\nrepository = http://{}/\nusername = me\npassword = hunter22\n\n\
             [pypi]\nrepository = {}/legacy/\nusername = __token__\npassword = {}\n",
            self.staging.authority,
            self.index.url(),
            warehouse::TOKEN
        )
    }
}

/// The line that begins so.
fn text_of(text: &str, start: &str) -> String {
    let mut lines = text.lines();
    let found = lines.find(|line| line.starts_with(start));
    found.unwrap_or_else(|| panic!("no {start}")).to_owned()
}

/// A folder as somebody's home: their `.pypirc`, and the toolchain where it is.
fn move_in(repository: &mut Repository, pypirc: &str) {
    repository.write("../home/.pypirc", pypirc);
    let home = repository.root.parent().unwrap().join("home").to_string();
    #[expect(clippy::disallowed_methods, reason = "the toolchain is the tester's")]
    let own = |name: &str| std::env::var(name).ok();
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let real = own(name).or(own("HOME").map(|home| format!("{home}/{folder}")));
        repository
            .environment
            .extend(real.map(|real| (name.to_owned(), real)));
    }
    repository.environment.push(("HOME".to_owned(), home));
}

/// A repository like this one, with other addresses; equal ones are of the same commit.
fn clone(name: &str, targets: &Targets, database: &Utf8Path) -> Repository {
    let mut repository = Repository::of_workspace(name);
    let text = String::from_utf8(repository.read("release.toml")).unwrap();
    repository.write("release.toml", &targets.settings(&text));
    for (path, text) in SMALL {
        repository.write(path, &text.replace("VERSION", env!("CARGO_PKG_VERSION")));
    }
    let layout = base::layout(&["amd64", "arm64"], "python3.13");
    base::folder(&layout, &repository.root.join("base"));
    repository.commit();
    let origin = format!("https://github.com/{OWN}.git");
    repository.git(&["remote", "add", "origin", &origin]);
    move_in(&mut repository, &targets.pypirc());
    let database = ("XTASK_DATABASE_DIR".to_owned(), database.to_string());
    repository.environment.push(database);
    repository
}

/// Where the jobs compile: with the libraries that were compiled for these tests, so that only the
/// tool itself is compiled anew.
fn compiled() -> TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let from = Utf8Path::new(env!("CARGO_BIN_EXE_cargo-xtask"))
        .parent()
        .unwrap();
    let to = Utf8Path::from_path(folder.path())
        .unwrap()
        .join(from.file_name().unwrap());
    for part in ["deps", "build", ".fingerprint"] {
        link(&from.join(part), &to.join(part));
    }
    folder
}

/// The same files under other names. What is the tool's own is left out: it would be written to.
fn link(from: &Utf8Path, to: &Utf8Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir_utf8().unwrap().flatten() {
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name().contains("xtask") {
            continue;
        }
        match path.is_dir() {
            true => link(path, &place),
            // Another build may have replaced it; then it is compiled again.
            false => drop(std::fs::hard_link(path, &place)),
        }
    }
}

fn advisories() -> Osv {
    let osv = Osv::start();
    let affected = ["PyPI", "npm", "crates.io"].map(|ecosystem| {
        json!({
            "package": { "ecosystem": ecosystem, "name": "locked-by-nothing" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }],
        })
    });
    osv.put(json!({
        "id": "TEST-1",
        "modified": "2026-11-01T00:00:00Z",
        "summary": "A package that nothing here locks",
        "affected": affected,
    }));
    osv.publish();
    osv
}

fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).hex().to_owned()
}

/// Names and digests.
fn named<'a>(files: impl IntoIterator<Item = (String, &'a [u8])>) -> BTreeMap<String, String> {
    let files = files.into_iter();
    files.map(|(name, bytes)| (name, digest(bytes))).collect()
}

fn manifest(folder: &Utf8Path) -> Manifest {
    let bytes = std::fs::read(folder.join("manifest.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// Runs the whole workflow as somebody starts it by hand.
fn run_workflow(repository: &mut Repository, targets: &Targets, osv: &Osv) -> Ended {
    let head = repository.git(&["rev-parse", "HEAD"]).trim().to_owned();
    targets.github.service().commits.insert(head);
    let service = targets.marketplace.url();
    let identity = targets.marketplace.service().actions.environment(&service);
    let given = [
        ("XTASK_OSV_BULK_URL", osv.url()),
        ("GITHUB_TOKEN", github::TOKEN.to_owned()),
        ("OVSX_PAT", open_vsx::TOKEN.to_owned()),
    ];
    let given = given.map(|(name, value)| (name.to_owned(), value));
    // Whether this itself runs in a job is not for the variables of that job to say.
    let identity = identity.into_iter().filter(|it| it.0 != "GITHUB_ACTIONS");
    repository
        .environment
        .extend(given.into_iter().chain(identity));
    let target = compiled();
    let folder = Utf8Path::from_path(target.path()).unwrap();
    let words = [
        &["ci", "run", "--workflow", WORKFLOW][..],
        &["--event", "workflow_dispatch", "--input", "publish=true"],
        &["--secrets-from-environment", "GITHUB_TOKEN"],
        &["--secrets-from-environment", "OVSX_PAT"],
        &["--identity-from-environment"],
        &["--target-dir", folder.as_str()],
    ];
    repository.succeeds(&words.concat())
}

/// What the jobs handed on, and how each ended.
fn results(repository: &Repository) -> (Utf8PathBuf, Value) {
    let place = "target/xtask/ci/results/release";
    let record = repository.read(&format!("{place}/results.json"));
    let dist = repository.root.join(place).join("artifacts/dist");
    (dist, serde_json::from_slice(&record).unwrap())
}

/// A release of the same commit on a laptop that has the interpreter which the jobs were given.
fn local_release(repository: &mut Repository, manifest: &Manifest) -> Release {
    let proof = serde_json::to_value(manifest).unwrap()["proof"]["inputs"]["python"].clone();
    let version = proof.as_str().unwrap().to_owned();
    let minor = version.rsplit_once('.').unwrap().0;
    let is_it = |name: &String| {
        let said = ended(repository.command(name).arg("--version"));
        said.stdout.trim() == format!("Python {version}")
    };
    let names = ["python3".to_owned(), format!("python{minor}")];
    let python = names.into_iter().find(is_it).unwrap();
    repository
        .environment
        .push(("XTASK_PYTHON".to_owned(), python));
    repository.succeeds(&["release"]);
    repository.succeeds(&["image"]);
    repository.succeeds(&["image", "mcp-platform"]);
    let world = World {
        root: repository.root.clone(),
        directory: repository.root.clone(),
        ..real::world()
    };
    Release::load(&world, self::manifest(&repository.root.join("dist"))).unwrap()
}

/// Every blob of the images is at the registry, and no other.
fn compare_images(targets: &Targets, local: &Release) {
    for (kind, repository) in [(Kind::Image, IMAGE), (Kind::ProgramImage, PLATFORM)] {
        let (image, bytes) = local.only(kind).unwrap();
        let package = archive::package(bytes, &image.path).unwrap();
        let named = package
            .blobs
            .iter()
            .chain(&package.parts)
            .map(|(digest, _)| digest);
        let named = named
            .chain([&package.digest])
            .map(|digest| digest.hex().to_owned());
        let mut named: Vec<String> = named.collect();
        named.sort();
        named.dedup();
        let there = real::registry_blobs(&targets.images, repository);
        assert_eq!(there, named, "{repository}");
    }
}

/// What is at every target is what was made here.
fn compare(targets: &Targets, local: &Release) {
    let of = |kinds: &[Kind]| {
        let artifacts = local.manifest.artifacts.iter();
        let artifacts = artifacts.filter(|artifact| kinds.contains(&artifact.kind));
        let named = artifacts.map(|it| (it.path.clone(), it.sha256.hex().to_owned()));
        named.collect::<BTreeMap<_, _>>()
    };
    let distributions = of(&[Kind::Wheel, Kind::Sdist]);
    assert_eq!(distributions.len(), 2);
    let store = targets.staging.path().join("store");
    let staged = store.read_dir_utf8().unwrap().flatten().map(|file| {
        let bytes = std::fs::read(file.path()).unwrap();
        (file.file_name().to_owned(), digest(&bytes))
    });
    assert_eq!(staged.collect::<BTreeMap<_, _>>(), distributions, "staging");
    let index = targets.index.service();
    let files = index.files.iter();
    let files = named(files.map(|file| (file.name.clone(), file.bytes.as_slice())));
    assert_eq!(files, distributions, "index");

    compare_images(targets, local);
    let extension = local.only(Kind::Vsix).unwrap().0.sha256.hex().to_owned();
    let marketplace = targets.marketplace.service();
    let shown: Vec<String> = marketplace
        .versions
        .iter()
        .map(|it| digest(&it.bytes))
        .collect();
    assert_eq!(shown, std::slice::from_ref(&extension), "marketplace");
    let open_vsx = targets.open_vsx.service();
    let shown: Vec<String> = open_vsx
        .versions
        .iter()
        .map(|it| digest(&it.bytes))
        .collect();
    assert_eq!(shown, [extension], "open-vsx");

    let digests = of(&[Kind::Image, Kind::ProgramImage, Kind::ImageBill]);
    assert_eq!(digests.len(), 4);
    let described: Value = serde_json::from_slice(local.only(Kind::ServerJson).unwrap().1).unwrap();
    let mcp = targets.mcp.service();
    let shown: Vec<&Value> = mcp.versions.iter().map(|it| &it.server).collect();
    assert_eq!(shown, [&described], "mcp");
    let image = &described["packages"][1]["identifier"];
    let version = &local.manifest.version;
    assert_eq!(
        *image,
        format!("{}/{IMAGE}:{version}", targets.images.authority)
    );

    let github = targets.github.service();
    let [release] = github.releases.as_slice() else {
        panic!("{:#?}", github.releases);
    };
    assert!(!release.draft);
    let tag = format!("v{}", local.manifest.version);
    assert_eq!(github.tags.get(&tag), Some(&local.manifest.source.commit));
    let assets = release.assets.iter();
    let assets = named(assets.map(|asset| (asset.name.clone(), asset.bytes.as_slice())));
    let files = local.files().unwrap();
    let files = files.iter().filter(|(path, _)| !path.contains('/'));
    let files = named(files.map(|(path, bytes)| (path.clone(), bytes.as_slice())));
    assert!(files.len() > 10);
    assert_eq!(assets, files, "github");
}

#[test]
fn every_job_of_our_release_workflow_publishes_what_a_laptop_releases() {
    if !slow() || !real::has_docker_registry() {
        return;
    }
    let (targets, osv) = (Targets::start(), advisories());
    let database = tempfile::tempdir().unwrap();
    let database = Utf8Path::from_path(database.path()).unwrap();
    let mut origin = clone("shipyard", &targets, database);
    let ran = run_workflow(&mut origin, &targets, &osv);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    let (dist, record) = results(&origin);
    let jobs = record["jobs"].as_object().unwrap();
    assert_eq!(jobs.len(), PUBLISHING_JOBS + 3, "{said}");
    for (job, ended) in jobs {
        assert_eq!(ended["result"], "success", "{job}\n{said}");
    }
    assert_eq!(said.matches(PUBLISHES).count(), PUBLISHING_JOBS, "{said}");
    assert_eq!(
        said.matches("✓ step         cargo xtask").count(),
        10,
        "{said}"
    );
    // The attestation alone is GitHub's to make.
    assert_eq!(said.matches("= not run").count(), 1, "{said}");
    for secret in [github::TOKEN, open_vsx::TOKEN, warehouse::TOKEN, "hunter22"] {
        assert!(!said.contains(secret), "{secret}\n{said}");
    }

    let mut laptop = clone("ein anderer Ort – größer", &targets, database);
    let local = local_release(&mut laptop, &manifest(&dist));
    let made = local.files().unwrap();
    for (path, bytes) in &made {
        let built = std::fs::read(dist.join(path)).unwrap_or_default();
        assert_eq!(digest(&built), digest(bytes), "{path}");
    }
    assert_eq!(
        jobs["build"]["outputs"]["manifest-digest"],
        Digest::of(&made["manifest.json"]).to_string()
    );
    compare(&targets, &local);
}
