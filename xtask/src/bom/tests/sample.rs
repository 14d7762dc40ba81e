//! A bill made by hand with every kind of source, artifact, license and verdict.

use std::collections::BTreeMap;

use crate::advisory::{Class, Level, Provenance};
use crate::artifact::{Artifact, Digest, Kind};
use crate::audit::report::{self, Finding, Fix, Report, Summary, Unchecked, Verdict};
use crate::bom::{Bill, Declared, Development, Embedded, LockFile, PackageKey, Product};
use crate::lockfile::{Dependency, Ecosystem, Lock, Package, Scope, Source};

/// What a bill borrows from.
pub struct Sample {
    pub product: Product,
    pub artifacts: Vec<Artifact>,
    pub embedded: Vec<Embedded>,
    pub licenses: BTreeMap<PackageKey, Declared>,
    pub development: Development,
    pub reverse_locks: bool,
    poetry: Lock,
    npm: Lock,
    cargo: Lock,
    list: Lock,
}

pub fn registry() -> Source {
    Source::Registry { url: None }
}

/// A package that ships, from the registry, `name version`.
pub fn package(named: &str, needs: &[usize]) -> Package {
    let (name, version) = named.split_once(' ').unwrap();
    let arrow = |package: &usize| Dependency {
        package: *package,
        constraint: None,
        group: None,
    };
    Package {
        name: name.to_owned(),
        alias: None,
        version: version.to_owned(),
        line: 1,
        source: registry(),
        groups: Vec::new(),
        scope: Scope::Ships,
        dependencies: needs.iter().map(arrow).collect(),
        digests: Vec::new(),
        license: None,
    }
}

/// A lock file of packages, each on a line of its own; roots are `(index, group)`.
pub fn lock(ecosystem: Ecosystem, packages: Vec<Package>, roots: &[(usize, &str)]) -> Lock {
    let mut packages = packages;
    for (index, package) in packages.iter_mut().enumerate() {
        package.line = 10 * (index + 1);
    }
    let root = |(package, group): &(usize, &str)| Dependency {
        package: *package,
        constraint: None,
        group: Some((*group).to_owned()),
    };
    Lock {
        ecosystem,
        format: "1".to_owned(),
        packages,
        roots: roots.iter().map(root).collect(),
        notes: Vec::new(),
    }
}

fn poetry() -> Lock {
    let mut wheels = package("attrs 1!2.0+local", &[]);
    wheels.digests = ["a", "b"]
        .map(|digit| format!("sha256:{}", digit.repeat(64)))
        .to_vec();
    wheels.groups = vec!["main".to_owned()];
    let mut fork = package("fork 0.1", &[0]);
    fork.source = Source::Git {
        url: "https://me:secret@github.com/o/fork.git".to_owned(),
        commit: Some("abc123".to_owned()),
    };
    let mut test = package("pytest 8.0", &[0]);
    test.scope = Scope::Development;
    test.digests = vec![format!("sha256:{}", "c".repeat(64))];
    let packages = vec![wheels, fork, test];
    lock(Ecosystem::Pypi, packages, &[(1, "main"), (2, "dev")])
}

fn npm() -> Lock {
    let mut own = package("demo-extension 1.0.0", &[1, 2, 3, 4]);
    own.source = Source::Workspace {
        path: String::new(),
    };
    let mut scoped = package("@scope/left-pad 1.0.0-rc.1", &[]);
    scoped.digests = vec![format!("sha512-{}==", "A".repeat(86))];
    scoped.license = Some("mit/Apache-2.0".to_owned());
    let mut stream = package("JSONStream 2.0.0", &[1, 5]);
    stream.alias = Some("stream".to_owned());
    stream.license = Some("SEE LICENSE IN LICENSE".to_owned());
    let mut url = package("archive 3.0.0", &[]);
    url.source = Source::Url {
        url: "https://h.example/a.tgz?token=secret".to_owned(),
    };
    url.license = Some("LicenseRef-own AND BSD-3-Clause".to_owned());
    let mut path = package("local 0.0.0", &[]);
    path.source = Source::Path {
        path: "/home/me/secret/local".to_owned(),
    };
    let mut bundled = package("inner 1.0.0", &[]);
    bundled.source = Source::Bundled {
        by: "JSONStream".to_owned(),
    };
    let packages = vec![own, scoped, stream, url, path, bundled];
    lock(
        Ecosystem::Npm,
        packages,
        &[(1, "main"), (2, "main"), (3, "main"), (4, "main")],
    )
}

fn cargo() -> Lock {
    let mut tool = package("tool 0.1.0", &[1]);
    tool.source = Source::Workspace {
        path: "tool".to_owned(),
    };
    let packages = vec![tool, package("serde 1.0.0", &[])];
    lock(Ecosystem::CratesIo, packages, &[(1, "main")])
}

fn list() -> Lock {
    let packages = vec![package("attrs 1!2.0+local", &[]), package("extra 1.0", &[])];
    lock(Ecosystem::Pypi, packages, &[])
}

fn artifact(kind: Kind, path: &str) -> Artifact {
    Artifact {
        kind,
        name: "demo_server".to_owned(),
        version: "1.0.0".to_owned(),
        path: path.to_owned(),
        size: 5,
        sha256: Digest::of(path.as_bytes()),
        inputs: BTreeMap::new(),
    }
}

impl Sample {
    pub fn new() -> Sample {
        let declared = Declared {
            text: "Apache-2.0".to_owned(),
            origin: "wheel metadata".to_owned(),
        };
        let key = (
            Ecosystem::Pypi,
            "attrs".to_owned(),
            "1!2.0+local".to_owned(),
        );
        Sample {
            product: Product {
                name: "demo".to_owned(),
                version: "1.0.0".to_owned(),
                commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
                repository: Some("https://me:secret@github.com/o/demo".to_owned()),
                date: "2026-01-02T03:04:05.678Z".parse().unwrap(),
                license: Some("MIT".to_owned()),
            },
            artifacts: vec![
                artifact(Kind::Wheel, "demo_server-1.0.0-py3-none-any.whl"),
                artifact(Kind::Sdist, "demo_server-1.0.0.tar.gz"),
                artifact(Kind::Requirements, "requirements.txt"),
                artifact(Kind::Vsix, "demo-1.0.0.vsix"),
            ],
            embedded: [Kind::Wheel, Kind::Requirements]
                .map(|inner| Embedded {
                    outer: Kind::Vsix,
                    inner,
                })
                .to_vec(),
            licenses: BTreeMap::from([(key, declared)]),
            development: Development::Marked,
            reverse_locks: false,
            poetry: poetry(),
            npm: npm(),
            cargo: cargo(),
            list: list(),
        }
    }

    pub fn locks(&self) -> Vec<LockFile<'_>> {
        let file = |path: &str, lock, carried_by: &[Kind]| LockFile {
            path: path.to_owned(),
            lock,
            carried_by: carried_by.to_vec(),
        };
        let mut locks = vec![
            file(
                "server/poetry.lock",
                &self.poetry,
                &[Kind::Wheel, Kind::Requirements],
            ),
            file("web/package-lock.json", &self.npm, &[Kind::Vsix]),
            file("Cargo.lock", &self.cargo, &[]),
            file("docs/requirements.txt", &self.list, &[]),
        ];
        if self.reverse_locks {
            locks.reverse();
        }
        locks
    }

    pub fn bill<'sample>(&'sample self, locks: &'sample [LockFile<'sample>]) -> Bill<'sample> {
        Bill {
            product: self.product.clone(),
            artifacts: &self.artifacts,
            embedded: &self.embedded,
            locks,
            licenses: &self.licenses,
            development: self.development,
        }
    }

    /// A finding of each verdict, an informational one, and one on a package of no lock file.
    pub fn report(&self) -> Report {
        let ignored = Verdict::Ignored {
            reason: "only in tests".to_owned(),
            until: "2027-01-31".to_owned(),
        };
        let update = Fix::Version {
            version: "1.0.1".to_owned(),
            allowed: Some(false),
            blocked_by: Some("package.json: 1.0.0-rc.1".to_owned()),
            command: "npm install @scope/left-pad@1.0.1".to_owned(),
        };
        let mut denied = finding(
            "GHSA-1",
            "web/package-lock.json:20",
            "@scope/left-pad 1.0.0-rc.1",
        );
        denied.ids = vec!["GHSA-1".to_owned(), "CVE-2026-1".to_owned()];
        denied.fix = update;
        denied.verdict = Verdict::Denied;
        denied.level = Level::Critical;
        denied.score = Some(9.8);
        denied.vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned());
        let mut accepted = finding("PYSEC-1", "server/poetry.lock:10", "attrs 1!2.0+local");
        accepted.ecosystem = Ecosystem::Pypi;
        accepted.verdict = ignored;
        let mut again = accepted.clone();
        again.lock = "docs/requirements.txt".to_owned();
        let mut old = finding("RUSTSEC-1", "Cargo.lock:20", "serde 1.0.0");
        old.ecosystem = Ecosystem::CratesIo;
        old.class = Class::Unmaintained;
        let stranger = finding("MAL-1", "elsewhere/yarn.lock:7", "evil 6.6.6");
        Report {
            schema: 1,
            locks: vec![report::LockFile {
                path: "old/yarn.lock".to_owned(),
                kind: "yarn.lock".to_owned(),
                ecosystem: None,
                format: String::new(),
                packages: 0,
                checked: 0,
                skipped: Some("excluded by release.toml".to_owned()),
                notes: Vec::new(),
            }],
            databases: vec![Provenance {
                ecosystem: "npm".to_owned(),
                source: "npm.zip".to_owned(),
                digest: "sha256:00".to_owned(),
                date: "2026-05-06T07:08:09Z".to_owned(),
                records: 1,
                withdrawn: 0,
                foreign: 0,
                unparsable: 0,
            }],
            findings: vec![denied, accepted, again, old, stranger],
            unchecked: vec![Unchecked {
                lock: "server/poetry.lock".to_owned(),
                line: 20,
                package: "fork".to_owned(),
                version: "0.1".to_owned(),
                source: registry(),
                reason: "comes from git".to_owned(),
                namesake: Vec::new(),
            }],
            licenses: Vec::new(),
            ignores: Vec::new(),
            warnings: Vec::new(),
            summary: Summary::default(),
        }
    }
}

fn finding(id: &str, place: &str, named: &str) -> Finding {
    let (lock, line) = place.split_once(':').unwrap();
    let (name, version) = named.split_once(' ').unwrap();
    Finding {
        lock: lock.to_owned(),
        line: line.parse().unwrap(),
        ecosystem: Ecosystem::Npm,
        package: name.to_owned(),
        version: version.to_owned(),
        scope: Scope::Ships,
        groups: Vec::new(),
        chain: vec!["top 1".to_owned(), named.to_owned()],
        id: id.to_owned(),
        ids: vec![id.to_owned()],
        matched: vec![id.to_owned()],
        class: Class::Vulnerability,
        level: Level::Unknown,
        score: None,
        vector: None,
        summary: "Something is wrong".to_owned(),
        url: Some("https://h.example/advisory?id=1".to_owned()),
        fix: Fix::None,
        verdict: Verdict::Warned,
        because: "below the threshold".to_owned(),
    }
}
