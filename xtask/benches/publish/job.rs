//! A release that is published to a stand-in, by whichever program.

use camino::Utf8PathBuf;
use xtask::artifact::Kind;
use xtask::dist::Release;

use super::client::Tool;
use super::it::publish::{places, sample};
use super::registries::front::Front;
use super::registries::open_vsx::{self, OpenVsx};
use super::registries::warehouse::{self, Warehouse};
use super::repository::Repository;
use super::stand::{Named, Stand};

/// A registry, and those who publish to it.
pub struct Family {
    /// What it is called in tables.
    pub name: &'static str,
    /// Which files of a release go there.
    kinds: &'static [Kind],
    /// Starts an empty one.
    start: fn() -> Box<dyn Stand>,
    /// Its target in `release.toml`.
    settings: fn(&str) -> String,
    /// The variables with a credential for every client.
    environment: fn() -> Vec<(&'static str, String)>,
    /// Method and path of what sends a file.
    pub uploads: (&'static str, &'static str),
    /// What the addresses of files have in them.
    pub files_at: &'static str,
    /// Who publishes to it.
    pub tools: &'static [Tool],
}

/// The main package index.
pub const INDEX: Family = Family {
    name: "package index",
    kinds: &[Kind::Wheel, Kind::Sdist],
    start: || Box::new(Front::start(Warehouse::default())),
    settings: |url| format!("kind = \"pypi\"\nurl = \"{url}/legacy/\"\n"),
    environment: || {
        let mut variables = places::twine("__token__", warehouse::TOKEN);
        variables.push(("UV_PUBLISH_TOKEN", warehouse::TOKEN.to_owned()));
        variables
    },
    uploads: ("POST", "/legacy/"),
    files_at: "/packages/",
    tools: &[
        Tool::Ours,
        Tool::OursVerified,
        Tool::OursByName,
        Tool::Twine,
        Tool::TwineSkip,
        Tool::Uv,
        Tool::UvCheck,
    ],
};

/// Open VSX.
pub const GALLERY: Family = Family {
    name: "Open VSX",
    kinds: &[Kind::Vsix],
    start: || Box::new(Front::start(OpenVsx::with("example"))),
    settings: |url| format!("kind = \"open-vsx\"\nurl = \"{url}\"\n"),
    environment: || vec![("OVSX_PAT", open_vsx::TOKEN.to_owned())],
    uploads: ("POST", "/api/-/publish"),
    files_at: ".vsix",
    tools: &[Tool::Ours, Tool::OursVerified, Tool::Ovsx, Tool::OvsxSkip],
};

/// A release with a text in its wheel.
pub fn release(text: &str) -> Release {
    sample::release(&format!("{}{text}", sample::CONTENT))
}

/// A release, where it goes, and the folder from which it is published.
pub struct Job {
    pub repository: Repository,
    pub stand: Box<dyn Stand>,
    /// What goes there.
    pub expected: Vec<Named>,
    /// Where that is on disk.
    pub files: Vec<Utf8PathBuf>,
}

impl Job {
    /// A release before it is published to an empty registry.
    pub fn of(family: &Family, release: &Release) -> Job {
        let stand = (family.start)();
        let target = (family.settings)(&stand.address());
        let mut repository = sample::repository(&format!(
            "[target.it]\n{target}[profile.it]\ntargets = [\"it\"]\n\
             [target.named]\nkind = \"pypi\"\nrepository = \"named\"\n\
             [profile.named]\ntargets = [\"named\"]\n"
        ));
        let address = stand.address();
        repository.write(
            "home/.pypirc",
            &format!(
                "[distutils]\nindex-servers = named\n[named]\nrepository = {address}/legacy/\n"
            ),
        );
        sample::put(&repository, release);
        for (name, value) in (family.environment)() {
            repository.environment.push((name.to_owned(), value));
        }
        let home = repository.root.join("home").into_string();
        // Nobody's own settings of a client.
        repository.environment.push(("HOME".to_owned(), home));
        let mut artifacts: Vec<_> = release.manifest.artifacts.iter().collect();
        artifacts.retain(|artifact| family.kinds.contains(&artifact.kind));
        artifacts.sort_by_key(|artifact| artifact.kind);
        let named = |path: &String| (path.clone(), release.contents[path].clone());
        let dist = repository.root.join("dist");
        Job {
            stand,
            expected: artifacts.iter().map(|it| named(&it.path)).collect(),
            files: artifacts.iter().map(|it| dist.join(&it.path)).collect(),
            repository,
        }
    }
}
