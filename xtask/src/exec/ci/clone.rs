//! `actions/checkout`: a clone of HEAD, with as much history as was asked for.

use std::time::SystemTime;

use camino::Utf8Path;

use super::Session;
use crate::error::{Context, Error, Result};
use crate::source::git;
use crate::world::files;

/// Where a push from the clone goes: nowhere.
const NOWHERE: &str = "disabled://nothing-is-pushed-from-a-local-run";

/// Makes `folder` a clone. What is in it already, such as an artifact, stays.
///
/// # Errors
/// git fails, or the ref is not there.
pub fn checkout(
    session: &Session<'_>,
    folder: &Utf8Path,
    depth: &str,
    named: &str,
) -> Result<String> {
    let world = session.world;
    files::create_folder(folder)?;
    let here = || git(world).directory(folder);
    let depth: u32 = depth
        .trim()
        .parse()
        .map_err(|_| Error::failure(format!("fetch-depth: {depth} is not a number")))?;
    here()
        .args(["init", "--quiet", "--initial-branch=main"])
        .run()?;
    let origin = git(world).args(["remote", "get-url", "origin"]).output()?;
    let origin = match origin.stdout.trim() {
        "" => session.top.to_string(),
        address => without_user(address),
    };
    here()
        .args(["config", "remote.origin.url", &origin])
        .run()?;
    here()
        .args(["config", "remote.origin.pushurl", NOWHERE])
        .run()?;
    let event = &session.event;
    let own = [
        "",
        event.reference.as_str(),
        event.short(),
        session.commit.as_str(),
    ];
    let wanted = match own.contains(&named) {
        true => session.commit.as_str(),
        false => named,
    };
    let mut fetch = here().args(["fetch", "--quiet", "--no-tags", "--update-shallow"]);
    fetch = match depth {
        0 => fetch.args([session.top.as_str(), wanted]).args([
            "+refs/heads/*:refs/remotes/origin/*",
            "+refs/tags/*:refs/tags/*",
        ]),
        depth => fetch
            .arg(format!("--depth={depth}"))
            .args([session.top.as_str(), wanted]),
    };
    fetch.purpose("fetch the commit").run()?;
    let commit = here()
        .args(["rev-parse", "FETCH_HEAD"])
        .run()?
        .stdout
        .trim()
        .to_owned();
    if event.is_tag() {
        here()
            .args(["tag", "--force", event.short(), &session.commit])
            .run()?;
    }
    let on_branch = event.reference.strip_prefix("refs/heads/");
    let mut checkout = here().args(["checkout", "--quiet", "--force"]);
    checkout = match on_branch {
        Some(branch) if wanted == session.commit => checkout.args(["-B", branch, &commit]),
        _ => checkout.args(["--detach", &commit]),
    };
    checkout.purpose("check the commit out").run()?;
    if commit == session.commit && named.is_empty() {
        date(session, folder)?;
    }
    Ok(commit)
}

/// Gives the files of a clone the time at which the run first had them, so that Cargo knows in a
/// later job what it has compiled in an earlier one.
fn date(session: &Session<'_>, folder: &Utf8Path) -> Result<()> {
    let time = SystemTime::from(session.written.get());
    let listed = git(session.world)
        .directory(folder)
        .args(["ls-files", "-z"])
        .run()?
        .stdout;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let path = folder.join(name);
        if path.symlink_metadata().is_ok_and(|known| known.is_file()) {
            let file = std::fs::File::options().write(true).open(&path);
            let dated = file.and_then(|file| file.set_modified(time));
            dated.doing(|| format!("set the time of {path}"))?;
        }
    }
    Ok(())
}

/// Whether a job has left its clone as it got it. What it has compiled of changed files must not
/// pass for what the next job would compile.
pub fn is_as_it_was(session: &Session<'_>) -> Result<bool> {
    let folder = &session.folders.workspace;
    if !folder.join(".git").exists() {
        return Ok(true);
    }
    let status = git(session.world)
        .directory(folder)
        .args(["status", "--porcelain"])
        .output()?;
    Ok(status.status.success() && status.stdout.is_empty())
}

/// An address without the name and the password in it.
fn without_user(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or(host);
            format!("{scheme}://{host}/{path}")
        }
        None => address.to_owned(),
    }
}
