//! The changelog of the repository: what the commits since the last release tell, and moving
//! what is coming under a version.

use camino::Utf8Path;
use jiff::tz::TimeZone;

use crate::changelog::entry::{self, Told};
use crate::changelog::link::Repository;
use crate::changelog::release::{Release, moved};
use crate::changelog::{Changelog, commit::Commit};
use crate::config::Config;
use crate::config::publish::LOCAL;
use crate::error::{Error, Result};
use crate::product::pyproject;
use crate::source::{self, Checkout, Tree};
use crate::tools::cliff;
use crate::version::{reference, tag};
use crate::world::together::Replacement;
use crate::world::{World, files};

/// How many commits without a convention are named in a message.
const NAMED: usize = 5;

/// What the commits since the last release say.
#[derive(Debug)]
pub struct Since {
    /// The tag of that release, if there was one.
    pub tag: Option<String>,
    /// What they tell users.
    pub told: Told,
}

/// The configured changelog.
///
/// # Errors
/// There is none.
pub fn file(config: &Config) -> Result<&Utf8Path> {
    config.changelog.as_deref().ok_or_else(|| {
        Error::usage("release.toml names no changelog")
            .hint("add at its top: changelog = \"CHANGELOG.md\"")
    })
}

/// The text of the changelog as it is in the working tree.
///
/// # Errors
/// The file is not there or cannot be read.
pub fn text(world: &World, file: &Utf8Path) -> Result<String> {
    let path = world.root.join(file);
    if !path.exists() {
        return Err(Error::precondition(format!(
            "release.toml: changelog names {file}, which does not exist"
        ))
        .hint(format!("begin one: printf '# Changelog\\n' > {file}")));
    }
    files::read_text(&path)
}

/// Reads the commits since the last release.
///
/// # Errors
/// Commits are missing because the clone is shallow, git-cliff cannot read them, or there are
/// some and none follows the convention.
pub fn since(world: &World, config: &Config, checkout: &Checkout) -> Result<Since> {
    source::require_history(checkout)?;
    let tags = tag::glob(&config.version.tag);
    let tag = source::last_tag(world, &checkout.commit, &tags)?;
    let range = match &tag {
        Some(tag) => format!("{tag}..{}", checkout.commit),
        None => checkout.commit.clone(),
    };
    let commits = match range_is_empty(world, tag.as_deref(), checkout)? {
        true => Vec::new(),
        false => cliff::commits(world, &source::top(world)?, &checkout.prefix, &range)?,
    };
    let told = entry::tell(&commits, repository(world, config)?.as_ref());
    require_convention(&commits, &told, tag.as_deref())?;
    Ok(Since { tag, told })
}

fn range_is_empty(world: &World, tag: Option<&str>, checkout: &Checkout) -> Result<bool> {
    let Some(tag) = tag else { return Ok(false) };
    let tagged = source::commit_of_tag(world, tag)?;
    Ok(tagged.as_deref() == Some(checkout.commit.as_str()))
}

/// Where nothing follows the convention, silence would look like a release without changes.
fn require_convention(commits: &[Commit], told: &Told, tag: Option<&str>) -> Result<()> {
    let follows = commits.iter().any(|commit| commit.conventional.is_some());
    if follows || told.unknown.is_empty() {
        return Ok(());
    }
    let since = tag.map_or_else(String::new, |tag| format!(" since {tag}"));
    Err(Error::refused(format!(
        "none of the {} commits{since} follows Conventional Commits: {}",
        told.unknown.len(),
        named(told)
    ))
    .hint("write what users should know by hand, under Unreleased")
    .hint("and begin the next messages with a type: git commit -m 'fix: …' (feat, fix, perf, security, …)"))
}

/// The first commits without a convention.
pub fn named(told: &Told) -> String {
    let names = told.unknown.iter().take(NAMED);
    let names: Vec<String> = names
        .map(|one| format!("{} {:?}", one.commit, one.subject))
        .collect();
    let more = if told.unknown.len() > NAMED {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", names.join(", "))
}

/// Where the repository lives: what `release.toml`, `pyproject.toml` and `package.json` say, then
/// where git fetches it from.
///
/// # Errors
/// git cannot be started.
pub fn repository(world: &World, config: &Config) -> Result<Option<Repository>> {
    let stated = config.mcp.as_ref().and_then(|mcp| mcp.repository.clone());
    let project = config.server.path.join("pyproject.toml");
    let project = files::read_text(&world.root.join(&project))
        .ok()
        .and_then(|text| pyproject::parse(&text, project.as_str()).ok());
    let project = project.and_then(|project| project.repository().map(str::to_owned));
    let package = config.extension.as_ref().and_then(|extension| {
        let path = world.root.join(&extension.path).join("package.json");
        let value: serde_json::Value = serde_json::from_str(&files::read_text(&path).ok()?).ok()?;
        let repository = value.get("repository")?;
        let text = repository
            .as_str()
            .or_else(|| repository.get("url")?.as_str());
        text.map(str::to_owned)
    });
    let mut all = [stated, project, package].into_iter().flatten();
    if let Some(found) = all.find_map(|address| Repository::parse(&address)) {
        return Ok(Some(found));
    }
    let remote = source::git(world)
        .args(["remote", "get-url", "origin"])
        .output()?;
    Ok(Repository::parse(&remote.stdout))
}

/// The changelog with what is coming under a version, dated today; `None` when nothing changes.
///
/// # Errors
/// As [`moved`].
pub fn release(
    world: &World,
    config: &Config,
    checkout: &Checkout,
    version: &str,
) -> Result<Option<Replacement>> {
    let file = file(config)?;
    let old = text(world, file)?;
    let pattern = &config.version.tag;
    let previous = source::last_tag(world, &checkout.commit, &tag::glob(pattern))?;
    let repository = repository(world, config)?;
    let today = world.now().to_zoned(TimeZone::UTC).date().to_string();
    let named = tag::name(pattern, version);
    let release = Release {
        version,
        date: &today,
        tag: &named,
        previous: previous.as_deref().filter(|tag| *tag != named),
        repository: repository.as_ref(),
    };
    let new = moved(&Changelog::parse(&old), release, file.as_str())?;
    Ok((new != old).then(|| Replacement {
        path: file.to_owned(),
        old: old.into_bytes(),
        new: new.into_bytes(),
    }))
}

/// Refuses to publish a release whose text still stands under "Unreleased": the next release would
/// tell it once more.
///
/// # Errors
/// It does, and the profile is another than the local one.
pub fn require_moved(
    world: &World,
    config: &Config,
    checkout: &Checkout,
    profile: &str,
) -> Result<()> {
    let Some(file) = config.changelog.as_deref().filter(|_| profile != LOCAL) else {
        return Ok(());
    };
    let Some(version) = reference(&super::version::observe(world, config)?) else {
        return Ok(());
    };
    let text = source::text(world, checkout, Tree::Head, file)?;
    let changelog = Changelog::parse(&text);
    if changelog.section(&version).is_some() || changelog.coming().is_none() {
        return Ok(());
    }
    let error = Error::precondition(format!(
        "{file}: Unreleased has not been moved under {version}"
    ));
    Err(error
        .hint("raise the version with it: cargo xtask release --bump LEVEL …")
        .hint("or keep the version: cargo xtask changelog --move, then commit"))
}
