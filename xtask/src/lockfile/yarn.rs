//! `yarn.lock`: that of Yarn 1 (classic) and that of Yarn 2 and later (berry).
//!
//! Neither says what the project itself asks for in which section, so the manifests beside are
//! read too; where one is missing, a note says so and everything counts as shipped.

mod berry;
mod classic;
mod lines;

use super::json::{Json, Object};
use super::node;
use super::{Act, Dependency, Ecosystem, Input, Kind, Lock, Package, Update};
use crate::error::Result;

/// The command that writes the lock file anew.
const REMEDY: &str = "yarn install";

/// Yarn's lock file.
pub static KIND: Kind = Kind {
    name: "yarn.lock",
    ecosystem: Ecosystem::Npm,
    remedy: REMEDY,
    matches: |name| name == "yarn.lock",
    read,
    update,
};

/// Yarn 1 upgrades nothing that only other packages ask for.
fn update(update: &Update<'_>) -> Act {
    let Update {
        package, from, to, ..
    } = update;
    match (update.format, update.direct, update.barrier()) {
        ("1", true, "") => Act::run(&["yarn", "upgrade", &update.at()]),
        ("1", false, "") => Act::Edit(format!(
            "delete the entry of {package} {from} from yarn.lock, then: yarn install"
        )),
        ("1", _, _) => Act::Edit(format!(
            "ask for \"{package}\": \"{to}\" in `resolutions` of package.json, then: yarn install"
        )),
        _ if update.raises() => Act::run(&["yarn", "up", &update.at()]),
        (_, _, barrier) => Act::run(&["yarn", "up", "--recursive", barrier, package]),
    }
}

/// The comment without which Yarn 1 takes no file for its own.
const CLASSIC: &str = "# yarn lockfile v1";

fn read(input: &Input<'_>) -> Result<Lock> {
    node::refuse_conflicts(input, REMEDY)?;
    let is_berry = |line: &str| line.trim_end() == "__metadata:";
    if input.text.lines().any(is_berry) {
        return berry::read(input);
    }
    let mut head = input
        .text
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with('#'));
    if head.any(|line| line.trim_end() == CLASSIC) {
        return classic::read(input);
    }
    let problem =
        format!("neither `{CLASSIC}` nor `__metadata:` is there, so its version is not known");
    Err(node::damaged(input, 1, &problem, REMEDY))
}

/// Whether a manifest overrides what packages ask for, so that names count and ranges do not.
fn overrides(manifest: &Object<'_>) -> bool {
    manifest
        .object("resolutions")
        .is_some_and(|inner| !inner.members.is_empty())
}

/// The folders of the workspace that a manifest names without a pattern, and whether it names
/// others by pattern.
fn members(manifest: &Object<'_>) -> (Vec<String>, bool) {
    let list = match manifest.get("workspaces") {
        Some(Json::Object(inner)) => inner.get("packages"),
        other => other,
    };
    let Some(Json::List(list)) = list else {
        return (Vec::new(), false);
    };
    let texts = list.iter().filter_map(|one| match one {
        Json::Text(text) => Some(text.to_string()),
        _ => None,
    });
    let (patterns, folders): (Vec<String>, Vec<String>) =
        texts.partition(|text| text.contains(['*', '?', '{', '[', '!', '(']));
    (folders, !patterns.is_empty())
}

/// Ends the reading of a lock file: scopes, the arrows of development, and beginnings for what
/// is reached from nowhere. `own` says which package asks for each root.
fn finish(
    format: String,
    mut packages: Vec<Package>,
    own: &[(usize, Dependency)],
    mut notes: Vec<String>,
) -> Lock {
    let bare = |root: &Dependency| Dependency {
        group: None,
        ..root.clone()
    };
    let is_dev = |root: &Dependency| root.group.as_deref() == Some("dev");
    for (project, root) in own.iter().filter(|(_, root)| !is_dev(root)) {
        if let Some(project) = packages.get_mut(*project) {
            project.dependencies.push(bare(root));
        }
    }
    let mut roots: Vec<Dependency> = own.iter().map(|(_, root)| root.clone()).collect();
    node::scope_by_reach(&mut packages, &roots);
    for (project, root) in own.iter().filter(|(_, root)| is_dev(root)) {
        if let Some(project) = packages.get_mut(*project) {
            project.dependencies.push(bare(root));
        }
    }
    let lost = node::lost(&packages, &roots);
    if !lost.is_empty() {
        notes.push(format!(
            "{} packages are not asked for by a manifest that could be read; they count as shipped",
            lost.len()
        ));
        roots.extend(lost);
    }
    Lock {
        ecosystem: Ecosystem::Npm,
        format,
        packages,
        roots,
        notes,
    }
}

#[cfg(test)]
mod tests;
