//! The order of the targets: what can be undone comes first, and what needs something comes after
//! it. Pure.

use crate::config::publish::{Place, Profile, Publish, Takes, Target};
use crate::registry::Phase;

/// The rank of tags that move; only the end of the draft comes later.
pub(super) const MOVING: u8 = 7;

/// What a step needs to know of the others.
pub(super) struct Around<'plan> {
    /// The targets that are not left out.
    pub places: &'plan [(String, Place)],
    /// The names of the indexes that install tests are made from.
    pub staging: &'plan [&'plan str],
}

/// The names of the indexes that install tests are made from. An index stays the staging one
/// while its test is left out.
pub(super) fn staging<'config>(
    publish: &'config Publish,
    profile: &'config Profile,
) -> Vec<&'config str> {
    let listed = profile.targets.iter();
    let from = listed.filter_map(|name| match &publish.target(name)?.place {
        Place::InstallTest { from } => Some(from.as_str()),
        _ => None,
    });
    from.collect()
}

/// Where a step stands in the order.
pub(super) struct Order {
    pub rank: u8,
    pub after: Vec<String>,
    pub because: &'static str,
}

/// Where the step of a target stands.
pub(super) fn order(target: &Target, phase: Phase, around: &Around<'_>) -> Order {
    let Around { places, staging } = *around;
    let staging = |name: &str| staging.contains(&name);
    let of_kind = |wanted: fn(&Place) -> bool| -> Vec<String> {
        let found = places.iter().filter(|(_, place)| wanted(place));
        found.map(|(name, _)| name.clone()).collect()
    };
    let tests = of_kind(|place| matches!(place, Place::InstallTest { .. }));
    let (rank, after, because) = match (&target.place, phase) {
        (Place::Github { .. }, Phase::Last) => {
            (8, Vec::new(), "the very last act: seen by everybody")
        }
        (_, Phase::Last) => (
            MOVING,
            Vec::new(),
            "last: what makes it the current release",
        ),
        (Place::Local { .. }, _) => (0, Vec::new(), "needs nothing"),
        (Place::Github { .. }, _) => (0, Vec::new(), "a draft, seen by nobody yet"),
        (Place::Pypi { .. }, _) if staging(&target.name) => {
            (1, Vec::new(), "staging: tried before anything final")
        }
        (Place::InstallTest { from }, _) => {
            (2, vec![from.clone()], "what users would install, tried")
        }
        (Place::Pypi { .. }, _) => (3, tests, "final: a file name is used once"),
        (Place::Oci { .. }, _) => (4, tests, "final: the version's tag is set once"),
        (Place::Marketplace { .. } | Place::OpenVsx { .. }, _) => {
            (5, tests, "final: a version is published once")
        }
        (Place::Mcp { .. }, _) => {
            // It looks into both for what says that they are of this server.
            let named = |place: &Place| match place {
                Place::Pypi { .. } => true,
                Place::Oci { takes, .. } => *takes == Takes::Image,
                _ => false,
            };
            let mut after = of_kind(named);
            after.retain(|name| !staging(name));
            after.extend(tests);
            (6, after, "names the packages, so that they must be there")
        }
    };
    Order {
        rank,
        after,
        because,
    }
}
