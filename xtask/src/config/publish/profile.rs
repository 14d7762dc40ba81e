//! One `[profile.NAME]`: its targets, and whether they go together. Pure.

use std::ops::Range;

use super::super::reader::{Reader, Table};
use super::{Index, LOCAL, Place, Profile, Skip, Tagging, Target};

/// Reads a profile and holds its names against the targets.
pub(super) fn profile(
    reader: &mut Reader<'_>,
    table: &mut Table<'_>,
    name: String,
    targets: &[Target],
) -> Profile {
    let listed = reader
        .optional_strings(table, "targets")
        .unwrap_or_default();
    let span = reader.span(table, "targets");
    if listed.is_empty() {
        let message = format!("`profile.{name}.targets` is missing: name at least one target");
        reader.problem(span.clone(), message);
    }
    let known: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    for target in listed.iter().filter(|name| !known.contains(&name.as_str())) {
        let message = format!("unknown target `{target}`; known: {}", known.join(", "));
        reader.problem(span.clone(), message);
    }
    for (index, target) in listed.iter().enumerate() {
        if listed.iter().take(index).any(|earlier| earlier == target) {
            let message = format!("`profile.{name}.targets` names `{target}` twice");
            reader.problem(span.clone(), message);
        }
    }
    let mut skips = Vec::new();
    for (mut entry, span) in reader.tables(table, "skip") {
        let skip = Skip {
            target: reader.string(&mut entry, "target"),
            reason: reader.string(&mut entry, "reason"),
        };
        if entry.has("reason") && skip.reason.trim().is_empty() {
            let message = format!("`profile.{name}.skip.reason` is empty: say why");
            reader.problem(span.clone(), message);
        }
        if entry.has("target") && !listed.contains(&skip.target) {
            let message = format!("`{}` is not among the targets of this profile", skip.target);
            reader.problem(span, message);
        }
        reader.finish(&entry);
        skips.push(skip);
    }
    go_together(reader, span.as_ref(), &listed, &skips, targets);
    let tagging = match reader.truth(table, "tag") {
        Some(true) => Tagging::Made,
        Some(false) => Tagging::Left,
        None => tagging(&name, &listed, targets),
    };
    if name == LOCAL && tagging == Tagging::Made {
        let span = reader.span(table, "tag");
        reader.problem(span, "`profile.local` makes no tag: it publishes nothing");
    }
    Profile {
        name,
        targets: listed,
        skips,
        tagging,
    }
}

/// A profile makes the tag when it holds a place that users take releases from: GitHub, a
/// marketplace, a registry of MCP servers, or an index that no install test tries first. Folders,
/// OCI registries and staging indexes alone make none.
fn tagging(name: &str, listed: &[String], targets: &[Target]) -> Tagging {
    let places = |wanted: &str| targets.iter().find(|target| target.name == *wanted);
    let places: Vec<&Target> = listed.iter().filter_map(|name| places(name)).collect();
    let is_staging = |target: &Target| {
        let tests = |other: &&Target| matches!(&other.place, Place::InstallTest { from } if *from == target.name);
        places.iter().any(tests)
    };
    let is_final = |target: &&Target| match &target.place {
        Place::Github { .. }
        | Place::Marketplace { .. }
        | Place::OpenVsx { .. }
        | Place::Mcp { .. } => true,
        Place::Pypi { index, .. } => {
            *index != Index::Named("testpypi".to_owned()) && !is_staging(target)
        }
        Place::Local { .. } | Place::InstallTest { .. } | Place::Oci { .. } => false,
    };
    match name != LOCAL && places.iter().copied().any(|target| is_final(&target)) {
        true => Tagging::Made,
        false => Tagging::Left,
    }
}

/// Install tests have the index that they install from beside them, and no place is there twice.
fn go_together(
    reader: &mut Reader<'_>,
    span: Option<&Range<usize>>,
    listed: &[String],
    skips: &[Skip],
    targets: &[Target],
) {
    let span = span.cloned();
    let skipped = |name: &String| skips.iter().any(|skip| skip.target == *name);
    for target in listed {
        let found = targets.iter().find(|one| one.name == *target);
        if let Some(Place::InstallTest { from }) = found.map(|target| &target.place) {
            let place = targets.iter().find(|one| one.name == *from);
            let place = place.map(|target| &target.place);
            if place.is_some_and(|it| !matches!(it, Place::Pypi { .. } | Place::Local { .. })) {
                let message = format!("`{target}` installs from `{from}`, which is no index");
                reader.problem(span.clone(), message);
            }
        }
        if let Some(Place::InstallTest { from }) = found.map(|target| &target.place)
            && skipped(from)
            && !skipped(target)
        {
            let message = format!(
                "`{target}` installs from `{from}`, which is left out: leave `{target}` out too, with \
                 a reason"
            );
            reader.problem(span.clone(), message);
        }
        let place = found.map(|target| &target.place);
        let twin = listed
            .iter()
            .take_while(|other| *other != target)
            .find(|other| {
                let other = targets.iter().find(|one| one.name == **other);
                let other = other.map(|other| &other.place);
                place
                    .zip(other)
                    .is_some_and(|(one, other)| is_same(one, other))
            });
        if let Some(twin) = twin {
            let message = format!("`{target}` is the same place as `{twin}`");
            reader.problem(span.clone(), message);
        }
        if let Some(Place::InstallTest { from }) = found.map(|target| &target.place)
            && !listed.contains(from)
        {
            let message = format!("`{target}` installs from `{from}`, which is not listed with it");
            reader.problem(span.clone(), message);
        }
    }
}

/// Whether two targets send to the same place. In one repository of a registry the files of a
/// release and its image would take each other's tags.
fn is_same(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (
            Place::Oci { repository, .. },
            Place::Oci {
                repository: other, ..
            },
        ) => repository == other,
        _ => one == other,
    }
}
