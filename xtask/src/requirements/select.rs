//! Which locked packages are installed, and under which marker. Pure.
//!
//! A lock of version 2.1 says so for each group. For older ones the graph is walked from the
//! project's dependencies, as Poetry's export plug-in 1.10 does (its `walker.py`), because the
//! order of that walk shows in the markers.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use super::dependency::{self, Dependency};
use super::origin::{Kind, Origin};
use super::project::{MAIN, Project};
use crate::lockfile::poetry::{Lock, Package};
use crate::marker::{Algebra, Fault, Marker, Outcome, python_condition};
use crate::name::normalize;
use crate::pep440::{self, Constraint, Context, Invalid, Range, regions};

/// A package that is installed.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Its place in [`Lock::packages`].
    pub package: usize,
    /// The extras of it that are asked for, sorted.
    pub extras: Vec<String>,
    /// The environments that it is installed in.
    pub marker: Marker,
}

/// The Pythons that a package supports.
///
/// # Errors
/// The lock file's text for it cannot be read.
pub fn python_of(package: &Package) -> Result<Constraint, Invalid> {
    pep440::parse(&package.python_versions, Context::Marker)
}

/// The marker of a package's Pythons.
fn python_marker(algebra: &Algebra, python: &Constraint) -> Outcome<Marker> {
    algebra.parse(&python_condition(python))
}

/// Selects from a lock that has groups and markers.
///
/// # Errors
/// A marker that cannot be read; the message names the package.
pub fn from_markers(
    algebra: &Algebra,
    lock: &Lock,
    project: &Project,
    groups: &[String],
    extras: &[String],
) -> Outcome<Vec<Selected>> {
    let project_python = python_marker(algebra, &project.python)?;
    let mut selected: Vec<Selected> = Vec::new();
    for (index, package) in lock.packages.iter().enumerate() {
        let found = marker_in(algebra, package, groups, extras, &project_python);
        let marker = found.map_err(|fault| in_package(package, &fault))?;
        selected.extend(marker.map(|marker| Selected {
            package: index,
            extras: Vec::new(),
            marker,
        }));
    }
    Ok(selected)
}

fn in_package(package: &Package, fault: &Fault) -> Fault {
    Invalid(format!(
        "package {} (line {}): {fault}",
        package.name, package.line
    ))
    .into()
}

/// The marker under which these groups and extras bring a package, if they do.
fn marker_in(
    algebra: &Algebra,
    package: &Package,
    groups: &[String],
    extras: &[String],
    project_python: &Marker,
) -> Outcome<Option<Marker>> {
    // `main` first, the others by name: the order in which their markers are united.
    let wanted: BTreeSet<(bool, &String)> =
        groups.iter().map(|group| (group != MAIN, group)).collect();
    let mut united: Option<Marker> = None;
    for (_, group) in wanted {
        // A group that is named twice counts as it is named last.
        let Some(place) = package.groups.iter().rposition(|name| name == group) else {
            continue;
        };
        let marker = algebra.parse(&package.markers[place])?;
        let sofar = united.unwrap_or_else(Marker::empty);
        united = Some(algebra.unite(&sofar, &marker)?);
    }
    let Some(united) = united else {
        return Ok(None);
    };
    let marker = algebra.with_extras(&united, extras)?;
    if marker.is_empty() {
        return Ok(None);
    }
    let marker = algebra.intersect(project_python, &marker)?;
    let own = python_of(package)?;
    if own.is_any() {
        return Ok(Some(marker));
    }
    let own = python_marker(algebra, &own)?;
    algebra.intersect(&marker, &own).map(Some)
}

/// A locked package with what the walk needs of it.
struct Node<'lock> {
    package: &'lock Package,
    python: Constraint,
    origin: Option<Origin>,
    /// Read when the walk comes by, because most packages belong to groups not asked for.
    needs: OnceCell<Needs>,
}

/// What a package depends on.
#[derive(Debug)]
struct Needs {
    requires: Vec<Dependency>,
    extras: Vec<(String, Vec<Dependency>)>,
}

struct Graph<'lock> {
    algebra: &'lock Algebra,
    /// Where the lock file's relative paths start.
    folder: &'lock str,
    nodes: Vec<Node<'lock>>,
    /// The places of all packages of a name, higher versions first.
    by_name: HashMap<&'lock str, Vec<usize>>,
    regions: RefCell<HashMap<String, Rc<[Marker]>>>,
}

/// Selects from a lock of before 2.1 by walking it.
///
/// # Errors
/// A marker or version that cannot be read, or a dependency for which nothing is locked.
pub fn by_walking(
    algebra: &Algebra,
    lock: &Lock,
    project: &Project,
    groups: &[String],
    extras: &[String],
    folder: &str,
) -> Outcome<Vec<Selected>> {
    let graph = Graph::new(algebra, lock, folder)?;
    let project_python = python_marker(algebra, &project.python)?;
    let by_extras = graph.brought_by(lock, extras);
    let mut queue = Vec::new();
    let groups = project
        .groups
        .iter()
        .filter(|group| groups.contains(&group.name));
    for dependency in groups.flat_map(|group| &group.dependencies) {
        let mut dependency = dependency.clone();
        let marker = algebra.intersect(&dependency.marker, &project_python)?;
        dependency.set_marker(algebra, marker)?;
        let Some(found) = graph.first_match(&dependency) else {
            continue;
        };
        if !found.optional || by_extras.contains(&found.name) {
            queue.push(dependency);
        }
    }
    graph.walk(queue, &project.name)
}

impl<'lock> Graph<'lock> {
    fn new(
        algebra: &'lock Algebra,
        lock: &'lock Lock,
        folder: &'lock str,
    ) -> Outcome<Graph<'lock>> {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut nodes = Vec::with_capacity(lock.packages.len());
        for (index, package) in lock.packages.iter().enumerate() {
            by_name.entry(&package.name).or_default().push(index);
            let python = python_of(package).map_err(|cause| in_package(package, &cause.into()))?;
            nodes.push(Node {
                package,
                python,
                origin: dependency::locked_origin(package.source.as_ref(), folder),
                needs: OnceCell::new(),
            });
        }
        for places in by_name.values_mut() {
            places.sort_by(|&one, &other| {
                lock.packages[other]
                    .version
                    .cmp(&lock.packages[one].version)
            });
        }
        Ok(Graph {
            algebra,
            folder,
            nodes,
            by_name,
            regions: RefCell::default(),
        })
    }

    fn named(&self, name: &str) -> &[usize] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// The first package in file order that fits, pre-releases only when nothing else does.
    fn first_match(&self, dependency: &Dependency) -> Option<&'lock Package> {
        let mut places = self.named(&dependency.name).to_vec();
        places.sort_unstable();
        let fits = |place: &usize| {
            let package = self.nodes[*place].package;
            dependency
                .constraint
                .allows(&package.version)
                .then_some(package)
        };
        let is_direct = |package: &Package| {
            let kind = package.source.as_ref().map(|source| source.kind.as_str());
            matches!(kind, Some("git" | "directory" | "file" | "url"))
        };
        let wants_all = dependency.allows_prereleases == Some(true);
        let (plain, early): (Vec<&Package>, Vec<&Package>) = places
            .iter()
            .filter_map(fits)
            .partition(|package| wants_all || is_direct(package) || !package.version.is_unstable());
        let early = early
            .first()
            .filter(|_| dependency.allows_prereleases.is_none());
        plain.first().or(early).copied()
    }

    /// The names of all packages that these extras bring, directly or not.
    fn brought_by(&self, lock: &Lock, extras: &[String]) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let wanted = lock
            .extras
            .iter()
            .filter(|(extra, _)| extras.contains(extra));
        let mut stack: Vec<String> = wanted
            .flat_map(|(_, packages)| packages.iter().map(|name| normalize(name)))
            .collect();
        while let Some(name) = stack.pop() {
            let places = self.named(&name);
            // Where a name has several versions, the last of the file speaks for it.
            let Some(&place) = places.iter().max() else {
                continue;
            };
            if names.insert(name) {
                let dependencies = &self.nodes[place].package.dependencies;
                stack.extend(dependencies.iter().map(|(name, _)| normalize(name)));
            }
        }
        names
    }

    fn walk(&self, queue: Vec<Dependency>, root: &str) -> Outcome<Vec<Selected>> {
        let mut selected: Vec<Selected> = Vec::new();
        let mut visited: HashMap<(String, Marker), Vec<Dependency>> = HashMap::new();
        let mut queue = VecDeque::from(queue);
        while let Some(dependency) = queue.pop_front() {
            if dependency.name == root {
                continue;
            }
            let key = (dependency.name.clone(), dependency.marker.clone());
            let seen = visited.entry(key).or_default();
            if seen.iter().any(|one| one.is_same(&dependency)) {
                continue;
            }
            seen.push(dependency.clone());
            let place = self.choose(&dependency, &selected)?;
            let node = &self.nodes[place];
            let own = python_marker(self.algebra, &node.python)?;
            let marker = self.algebra.intersect(&own, &dependency.marker)?;
            let needs = self.needs(node)?;
            for require in &needs.requires {
                if require.optional && !needs.extra_brings(&dependency.extras, require) {
                    continue;
                }
                self.push_regions(&mut queue, require, &marker)?;
            }
            let known = selected
                .iter_mut()
                .find(|one| one.package == place && one.extras == dependency.extras);
            match known {
                Some(known) => known.marker = self.algebra.unite(&known.marker, &marker)?,
                None => selected.push(Selected {
                    package: place,
                    extras: dependency.extras.clone(),
                    marker,
                }),
            }
        }
        Ok(selected)
    }

    /// What a package depends on, read once.
    fn needs<'node>(&self, node: &'node Node<'lock>) -> Outcome<&'node Needs> {
        if let Some(known) = node.needs.get() {
            return Ok(known);
        }
        let read = self.read_needs(node);
        let needs = read.map_err(|fault| in_package(node.package, &fault))?;
        Ok(node.needs.get_or_init(|| needs))
    }

    fn read_needs(&self, node: &Node<'lock>) -> Outcome<Needs> {
        // Paths inside a package that is itself a folder start there.
        let folder = match &node.origin {
            Some(origin) if origin.kind == Kind::Directory => origin.location.as_str(),
            _ => self.folder,
        };
        let mut requires = Vec::new();
        for (name, spec) in &node.package.dependencies {
            requires.push(dependency::from_table(self.algebra, name, spec, folder)?);
        }
        let mut extras = Vec::new();
        for (extra, list) in &node.package.extras {
            let brought = list
                .iter()
                .map(|text| dependency::from_locked_extra(self.algebra, text, folder))
                .collect::<Outcome<Vec<_>>>()?;
            extras.push((extra.clone(), brought));
        }
        Ok(Needs { requires, extras })
    }

    /// Queues a package's dependency once for each range of Pythons that its candidates know.
    fn push_regions(
        &self,
        queue: &mut VecDeque<Dependency>,
        require: &Dependency,
        marker: &Marker,
    ) -> Outcome<()> {
        let base = self.algebra.intersect(&require.marker, marker)?;
        let base = self.algebra.without_extras(&base)?;
        if base.is_empty() {
            return Ok(());
        }
        for region in self.region_markers(&require.name)?.iter() {
            let marker = self.algebra.intersect(region, &base)?;
            if !marker.is_empty() {
                let mut require = require.clone();
                require.set_marker(self.algebra, marker)?;
                queue.push_back(require);
            }
        }
        Ok(())
    }

    /// The ranges of Pythons between which the packages of this name differ.
    fn region_markers(&self, name: &str) -> Outcome<Rc<[Marker]>> {
        if let Some(known) = self.regions.borrow().get(name) {
            return Ok(known.clone());
        }
        let pythons = self
            .named(name)
            .iter()
            .map(|&place| &self.nodes[place].python);
        let markers: Rc<[Marker]> = regions(pythons)
            .iter()
            .map(|region| self.region_marker(region))
            .collect::<Outcome<_>>()?;
        let mut known = self.regions.borrow_mut();
        Ok(known.entry(name.to_owned()).or_insert(markers).clone())
    }

    fn region_marker(&self, region: &Range) -> Outcome<Marker> {
        let bound = |version: &pep440::Version, operator: &str| {
            let name = match version.precision() {
                3.. => "python_full_version",
                _ => "python_version",
            };
            self.algebra
                .comparison(name, &format!("{operator} {version}"))
        };
        let mut marker = Marker::any();
        if let Some(min) = &region.min {
            let low = bound(min, if region.include_min { ">=" } else { ">" })?;
            marker = self.algebra.intersect(&marker, &low)?;
        }
        if let Some(max) = &region.max {
            let high = bound(max, if region.include_max { "<=" } else { "<" })?;
            marker = self.algebra.intersect(&marker, &high)?;
        }
        Ok(marker)
    }

    /// The locked package for a dependency. One that was chosen before for an overlapping
    /// environment must be chosen again.
    fn choose(&self, dependency: &Dependency, selected: &[Selected]) -> Outcome<usize> {
        let candidates = self.named(&dependency.name);
        let mut chosen: Vec<usize> = Vec::new();
        for &place in candidates {
            let decided = selected
                .iter()
                .find(|one| one.package == place && one.extras.is_empty());
            if let Some(decided) = decided {
                let overlap = self
                    .algebra
                    .intersect(&decided.marker, &dependency.marker)?;
                if !overlap.is_empty() {
                    chosen.push(place);
                }
            }
        }
        if chosen.len() > 1 {
            return Err(self.nothing_fits(dependency, &chosen).into());
        }
        candidates
            .iter()
            .copied()
            .filter(|&place| self.fits(place, dependency))
            .find(|place| chosen.is_empty() || chosen.contains(place))
            .ok_or_else(|| self.nothing_fits(dependency, &chosen).into())
    }

    fn nothing_fits(&self, dependency: &Dependency, chosen: &[usize]) -> Invalid {
        let versions = |places: &[usize]| -> Vec<String> {
            let version = |place: &usize| self.nodes[*place].package.version.to_string();
            places.iter().map(version).collect()
        };
        let wanted = format!("`{} {}`", dependency.name, dependency.constraint);
        let locked = versions(self.named(&dependency.name)).join(", ");
        Invalid(if locked.is_empty() {
            format!("nothing satisfies {wanted}: no version of it is locked")
        } else if chosen.is_empty() {
            format!("nothing satisfies {wanted}: locked is {locked}")
        } else {
            format!(
                "{wanted} contradicts {}, which another dependency chose for some of the same \
                 environments; a lock file of before 2.1 does not say which is meant",
                versions(chosen).join(", ")
            )
        })
    }

    fn fits(&self, place: usize, dependency: &Dependency) -> bool {
        let node = &self.nodes[place];
        node.python.allows_all(&dependency.python)
            && dependency.constraint.allows(&node.package.version)
            && (dependency.origin.is_none()
                || Origin::same(dependency.origin.as_ref(), node.origin.as_ref()))
    }
}

impl Needs {
    fn extra_brings(&self, asked: &[String], require: &Dependency) -> bool {
        self.extras
            .iter()
            .filter(|(extra, _)| asked.contains(extra))
            .any(|(_, brought)| brought.iter().any(|one| one.is_same(require)))
    }
}
