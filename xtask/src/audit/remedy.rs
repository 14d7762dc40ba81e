//! Who would have to let the version in that mends a package, and what a person does for it.

use super::command::{command, is_harmless};
use super::constraint;
use super::examine::Scanned;
use super::report::Fix;
use crate::lockfile::{Bar, Dependency, Lock, Package, Source, Update};

/// Who asks for what in a lock file; made once, however many findings it has.
#[derive(Debug)]
pub struct Remedies<'lock> {
    /// For each package all that ask for it: the project (`None`) first, then other packages.
    askers: Vec<Vec<(Option<&'lock Package>, &'lock Dependency)>>,
    /// For each package whether the project itself asks for it.
    direct: Vec<bool>,
}

impl<'lock> Remedies<'lock> {
    /// Those of a lock file.
    pub fn of(lock: &'lock Lock) -> Remedies<'lock> {
        let mut askers = vec![Vec::new(); lock.packages.len()];
        let mut direct = vec![false; lock.packages.len()];
        for root in &lock.roots {
            if let Some(direct) = direct.get_mut(root.package) {
                *direct = true;
            }
        }
        let roots = lock.roots.iter().map(|root| (None, root));
        let packages = lock.packages.iter().flat_map(|package| {
            let arrows = package.dependencies.iter();
            arrows.map(move |dependency| (Some(package), dependency))
        });
        for (who, dependency) in roots.chain(packages) {
            if let Some(askers) = askers.get_mut(dependency.package) {
                askers.push((who, dependency));
            }
        }
        Remedies { askers, direct }
    }

    /// What a person does to have a package in this version.
    pub fn fix(&self, scanned: &Scanned, index: usize, package: &Package, version: &str) -> Fix {
        let lock = &scanned.lock;
        let mut allowed = None;
        let mut bar = (Bar::None, None);
        for (who, dependency) in self.askers.get(index).into_iter().flatten() {
            let constraint = dependency.constraint.as_deref();
            let lets_in = constraint
                .and_then(|constraint| constraint::allows(lock.ecosystem, constraint, version));
            match (lets_in, constraint) {
                (Some(false), Some(constraint)) => {
                    allowed = Some(false);
                    bar = barred(*who, dependency, constraint);
                    break;
                }
                (Some(true), _) => allowed = Some(true),
                _ => {}
            }
        }
        let (bar, blocked_by) = bar;
        let update = Update {
            file: &scanned.path,
            format: &lock.format,
            package: &package.name,
            from: &package.version,
            to: version,
            bar,
            direct: self.direct.get(index).copied().unwrap_or(false),
        };
        let command = command(scanned.kind, &scanned.path, &update);
        Fix::Version {
            version: version.to_owned(),
            allowed,
            blocked_by,
            command,
        }
    }
}

/// Who keeps a version out. A member of the workspace has its manifest here, as the project has.
fn barred<'lock>(
    who: Option<&'lock Package>,
    dependency: &'lock Dependency,
    constraint: &str,
) -> (Bar<'lock>, Option<String>) {
    let group = dependency.group.as_deref();
    let group = group.filter(|group| is_harmless(group));
    let Some(package) = who else {
        let who = format!("the project: {constraint}");
        return (Bar::Project { group }, Some(who));
    };
    let bar = match package.source {
        Source::Workspace { .. } => Bar::Project { group },
        Source::Registry { .. }
        | Source::Git { .. }
        | Source::Path { .. }
        | Source::Url { .. }
        | Source::Bundled { .. } => match is_harmless(&package.name) {
            true => Bar::Package(&package.name),
            false => Bar::None,
        },
    };
    let who = format!("{} {}: {constraint}", package.name, package.version);
    (bar, Some(who))
}
