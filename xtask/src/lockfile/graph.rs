//! What can be reached along the arrows of a lock file.

use super::Package;

/// For each package whether it can be reached from one of the beginnings, these included.
///
/// Walks without recursion, so that a chain of any length is fine; an index outside of the list
/// is passed over.
pub fn reachable(packages: &[Package], from: impl Iterator<Item = usize>) -> Vec<bool> {
    let mut reached = vec![false; packages.len()];
    let mut open: Vec<usize> = from.collect();
    while let Some(index) = open.pop() {
        let Some(seen) = reached.get_mut(index) else {
            continue;
        };
        if std::mem::replace(seen, true) {
            continue;
        }
        if let Some(package) = packages.get(index) {
            open.extend(package.dependencies.iter().map(|arrow| arrow.package));
        }
    }
    reached
}
