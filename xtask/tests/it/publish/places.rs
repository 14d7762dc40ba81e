//! The targets as the contract test sees them: where they are, what they have stored, and which
//! of their requests stores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use xtask::artifact::Kind;
use xtask::dist::Release;

use super::mcp as server;
use super::real::{self, Server};
use super::sample::{self, CONTENT};
use crate::registries::front::{Fault, Front, Service};
use crate::registries::github::{self, Github};
use crate::registries::marketplace::{self, Marketplace};
use crate::registries::mcp;
use crate::registries::open_vsx::{self, OpenVsx};
use crate::registries::proxy::Proxy;
use crate::registries::warehouse::{TOKEN, Warehouse};
use crate::repository::Repository;

/// A front of whatever service.
pub trait Faulty {
    fn fail(&self, method: Option<&str>, part: &str, fault: Fault, times: usize);
    fn hold_at(&self, n: usize);
    fn held_unless(&self, ended: &mut dyn FnMut() -> bool) -> bool;
    fn release(&self);
    fn count(&self, method: &str, part: &str) -> usize;
    fn log(&self) -> Vec<String>;
    /// How many bytes were in the bodies of all requests.
    fn received(&self) -> usize;
    fn forget(&self);
}

impl<S: Service> Faulty for Front<S> {
    fn fail(&self, method: Option<&str>, part: &str, fault: Fault, times: usize) {
        Front::fail(self, method, part, fault, times);
    }
    fn hold_at(&self, n: usize) {
        Front::hold_at(self, n);
    }
    fn held_unless(&self, ended: &mut dyn FnMut() -> bool) -> bool {
        Front::held_unless(self, ended)
    }
    fn release(&self) {
        Front::release(self);
    }
    fn count(&self, method: &str, part: &str) -> usize {
        Front::count(self, method, part)
    }
    fn log(&self) -> Vec<String> {
        Front::log(self)
    }
    fn received(&self) -> usize {
        Front::received(self)
    }
    fn forget(&self) {
        Front::forget(self);
    }
}

/// A target that is under contract.
pub struct Place {
    /// Its `[target.it]` in `release.toml`.
    pub settings: String,
    /// Where its requests go through.
    pub front: Box<dyn Faulty>,
    /// Everything it has stored; what was stored twice is there twice.
    pub stored: Box<dyn Fn() -> Vec<String>>,
    /// What it has stored once it has a release.
    pub expected: fn(&Release) -> Vec<String>,
    /// The requests that store: method and part of the path.
    pub sends: &'static [(&'static str, &'static str)],
    /// Variables with the credential.
    pub environment: Vec<(&'static str, String)>,
    /// What must be seen nowhere.
    pub secret: Option<&'static str>,
    /// A release that has something for it; another text makes other bytes.
    pub release: fn(&str) -> Release,
    /// The smallest such release: what is killed after every request is killed less often.
    pub smallest: fn() -> Release,
    /// Puts what it needs beside `release.toml` into a repository.
    pub prepare: fn(&Repository),
}

fn nothing(_: &Repository) {}

impl Place {
    /// The settings of a repository that publishes to it alone.
    pub fn configuration(&self) -> String {
        format!(
            "[target.it]\n{}[profile.it]\ntargets = [\"it\"]\n",
            self.settings
        )
    }

    /// How many requests have stored something, or tried to.
    pub fn sent(&self) -> usize {
        let count = |(method, part): &(&str, &str)| self.front.count(method, part);
        self.sends.iter().map(count).sum()
    }

    /// Whether a run is held at a request of this number.
    pub fn holds(&self, child: &mut std::process::Child) -> bool {
        self.front
            .held_unless(&mut || child.try_wait().unwrap().is_some())
    }
}

/// The names of an index's files with the digests of their bytes.
fn distributions(release: &Release) -> Vec<String> {
    let artifacts = release.manifest.artifacts.iter();
    let artifacts = artifacts.filter(|it| matches!(it.kind, Kind::Wheel | Kind::Sdist));
    let mut named: Vec<String> = artifacts
        .map(|artifact| format!("{} {}", artifact.path, artifact.sha256.hex()))
        .collect();
    named.sort();
    named
}

/// A repository of its own in a real OCI registry, which is one for all tests.
pub fn oci() -> Place {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(real::docker_registry);
    let name = format!("demo/server{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let front = Front::start(Proxy::to(&server.authority));
    Place {
        settings: format!(
            "kind = \"oci\"\nrepository = \"{}/{name}\"\nplain-http = true\n",
            front.authority()
        ),
        front: Box::new(front),
        stored: Box::new(move || real::registry_blobs(server, &name)),
        expected: blobs,
        sends: &[("PUT", "/blobs/uploads/"), ("PUT", "/manifests/")],
        environment: Vec::new(),
        secret: None,
        release: sample::release,
        smallest: sample::small,
        prepare: nothing,
    }
}

/// The digests of everything that an OCI registry has once it has a release.
pub fn blobs(release: &Release) -> Vec<String> {
    let package = xtask::product::oci::package(release).unwrap();
    let blobs = package
        .blobs
        .iter()
        .map(|(digest, _)| digest.hex().to_owned());
    let mut blobs: Vec<String> = blobs.chain([package.digest.hex().to_owned()]).collect();
    blobs.sort();
    blobs.dedup();
    blobs
}

/// One devpi for all tests; it is slow to start.
fn shared_devpi() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(real::devpi)
}

/// An index of its own in a real devpi.
pub fn devpi() -> Place {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let server = shared_devpi();
    let index = format!("index{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    real::devpi_index(&server.authority, &index);
    let front = Front::start(Proxy::to(&server.authority));
    let url = format!("{}/me/{index}/", front.url());
    let page = format!(
        "http://{}/me/{index}/+simple/demo-server/",
        server.authority
    );
    Place {
        settings: format!("kind = \"pypi\"\nurl = \"{url}\"\nsimple = \"{url}+simple/\"\n"),
        front: Box::new(front),
        stored: Box::new(move || listed(&page)),
        expected: distributions,
        sends: &[("POST", "/me/")],
        environment: twine("me", "hunter22"),
        secret: Some("hunter22"),
        release: sample::release,
        smallest: sample::small,
        prepare: nothing,
    }
}

fn listed(page: &str) -> Vec<String> {
    let request = ureq::get(page)
        .config()
        .http_status_as_error(false)
        .build()
        .header("accept", "application/vnd.pypi.simple.v1+json");
    let mut answer = request.call().unwrap();
    if answer.status() == 404 {
        return Vec::new();
    }
    let text = answer.body_mut().read_to_string().unwrap();
    let page: serde_json::Value = serde_json::from_str(&text).unwrap();
    let files = page["files"].as_array().unwrap().iter();
    let mut named: Vec<String> = files
        .map(|file| {
            let name = file["filename"].as_str().unwrap();
            format!("{name} {}", file["hashes"]["sha256"].as_str().unwrap())
        })
        .collect();
    named.sort();
    named
}

/// A real pypiserver.
pub fn pypiserver() -> Place {
    let server = Arc::new(Mutex::new(real::pypiserver()));
    let authority = server.lock().unwrap().authority.clone();
    let front = Front::start(Proxy::to(&authority));
    Place {
        settings: format!(
            "kind = \"pypi\"\nurl = \"{0}/\"\nsimple = \"{0}/simple/\"\n",
            front.url()
        ),
        front: Box::new(front),
        stored: Box::new(move || {
            let store = server.lock().unwrap().path().join("store");
            let mut named: Vec<String> = store
                .read_dir_utf8()
                .unwrap()
                .flatten()
                .map(|file| {
                    let bytes = std::fs::read(file.path()).unwrap();
                    let digest = xtask::artifact::Digest::of(&bytes);
                    format!("{} {}", file.file_name(), digest.hex())
                })
                .collect();
            named.sort();
            named
        }),
        expected: distributions,
        sends: &[("POST", "/")],
        environment: twine("me", "hunter22"),
        secret: Some("hunter22"),
        release: sample::release,
        smallest: sample::small,
        prepare: nothing,
    }
}

/// The main package index, as its stand-in.
pub fn warehouse() -> Place {
    let front = Front::start(Warehouse::default());
    let service = front.shared();
    Place {
        settings: format!("kind = \"pypi\"\nurl = \"{}/legacy/\"\n", front.url()),
        front: Box::new(front),
        stored: Box::new(move || {
            let service = service.lock().unwrap();
            let files = service.files.iter();
            let mut named: Vec<String> = files
                .map(|file| format!("{} {}", file.name, file.sha256))
                .collect();
            named.sort();
            // What was stored twice would be there once.
            assert_eq!(named.len(), service.stored().len());
            named
        }),
        expected: distributions,
        sends: &[("POST", "/legacy/")],
        environment: twine("__token__", TOKEN),
        secret: Some(TOKEN),
        release: sample::release,
        smallest: sample::small,
        prepare: nothing,
    }
}

/// The variables by which twine knows a user and a token.
pub fn twine(user: &str, token: &str) -> Vec<(&'static str, String)> {
    let keyring = "keyring.backends.null.Keyring".to_owned();
    vec![
        ("TWINE_USERNAME", user.to_owned()),
        ("TWINE_PASSWORD", token.to_owned()),
        ("PYTHON_KEYRING_BACKEND", keyring),
    ]
}

/// The releases of a repository on GitHub.
pub fn github() -> Place {
    let mut service = Github::of("owner/demo");
    let commit = sample::small().manifest.source.commit;
    service.commits.insert(commit);
    let front = Front::start(service);
    let service = front.shared();
    Place {
        settings: format!(
            "kind = \"github\"\nrepository = \"owner/demo\"\napi = \"{}\"\n",
            front.url()
        ),
        front: Box::new(front),
        stored: Box::new(move || {
            let service = service.lock().unwrap();
            let mut stored = service.stored();
            for release in service.releases.iter().filter(|release| !release.draft) {
                stored.extend(release.assets.iter().map(|asset| {
                    let digest = xtask::artifact::Digest::of(&asset.bytes);
                    format!("{} {}", asset.name, digest.hex())
                }));
            }
            stored.sort();
            stored
        }),
        expected: assets,
        sends: &[
            ("POST", "/repos/owner/demo/releases"),
            ("POST", "/uploads/"),
            ("PATCH", "/releases/"),
        ],
        environment: vec![("GITHUB_TOKEN", github::TOKEN.to_owned())],
        secret: Some(github::TOKEN),
        release: sample::release,
        smallest: sample::small,
        prepare: nothing,
    }
}

/// What is sent, and what is there in the end.
fn assets(release: &Release) -> Vec<String> {
    let mut stored = vec!["release v1.0.0".to_owned(), "tag v1.0.0".to_owned()];
    for (path, bytes) in release.files().unwrap() {
        if !path.contains('/') {
            stored.push(format!("asset v1.0.0/{path}"));
            let digest = xtask::artifact::Digest::of(&bytes);
            stored.push(format!("{path} {}", digest.hex()));
        }
    }
    stored.sort();
    stored
}

/// Open VSX, as its stand-in.
pub fn open_vsx() -> Place {
    let front = Front::start(OpenVsx::with("example"));
    let service = front.shared();
    Place {
        settings: format!("kind = \"open-vsx\"\nurl = \"{}\"\n", front.url()),
        front: Box::new(front),
        stored: Box::new(move || service.lock().unwrap().stored()),
        expected: |_| vec!["example.demo 1.0.0".to_owned()],
        sends: &[("POST", "/api/-/publish")],
        environment: vec![("OVSX_PAT", open_vsx::TOKEN.to_owned())],
        secret: Some(open_vsx::TOKEN),
        release: sample::release,
        smallest: || sample::release(CONTENT),
        prepare: nothing,
    }
}

/// The registry of MCP servers, as its stand-in.
pub fn mcp() -> Place {
    let front = server::registry(|_| {});
    let service = front.shared();
    Place {
        settings: format!(
            "kind = \"mcp\"\nurl = \"{}\"\nlogin = \"github\"\n{}",
            front.url(),
            server::SERVER
        ),
        front: Box::new(front),
        stored: Box::new(move || service.lock().unwrap().stored()),
        expected: |_| vec!["io.github.example/demo-server 1.0.0".to_owned()],
        sends: &[("POST", "/v0.1/publish")],
        environment: vec![("MCP_GITHUB_TOKEN", mcp::GITHUB_TOKEN.to_owned())],
        secret: Some(mcp::GITHUB_TOKEN),
        release: server::described,
        smallest: || server::described(CONTENT),
        prepare: nothing,
    }
}

/// The VS Marketplace, as its stand-in, through the `vsce` that this repository pins.
pub fn marketplace() -> Place {
    let front = Front::start(Marketplace::with("example"));
    let service = front.shared();
    Place {
        settings: format!(
            "kind = \"marketplace\"\nurl = \"{}\"\n{}",
            front.url(),
            super::marketplace::EXTENSION
        ),
        front: Box::new(front),
        stored: Box::new(move || service.lock().unwrap().stored()),
        expected: |_| vec!["example.demo 1.0.0".to_owned()],
        sends: &[("POST", "/_apis/gallery/extensions")],
        environment: vec![("VSCE_PAT", marketplace::TOKEN.to_owned())],
        secret: Some(marketplace::TOKEN),
        release: sample::release,
        smallest: || sample::release(CONTENT),
        prepare: super::marketplace::provide,
    }
}
