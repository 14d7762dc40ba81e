//! Actions and what they do for a release.

use super::{Deed, Kind, Target};
use crate::workflow::repository::Site;

const PUBLISH: &str = "cargo xtask publish --execute";
const AUDIT: &str = "cargo xtask audit";

const ACTIONS: &[(&str, Kind, &str)] = &[
    (
        "pypa/gh-action-pypi-publish",
        Kind::Publish(Target::Python),
        PUBLISH,
    ),
    (
        "docker/build-push-action",
        Kind::Publish(Target::Container),
        PUBLISH,
    ),
    (
        "haaleo/publish-vscode-extension",
        Kind::Publish(Target::Extension),
        PUBLISH,
    ),
    (
        "lannonbr/vsce-action",
        Kind::Publish(Target::Extension),
        PUBLISH,
    ),
    (
        "softprops/action-gh-release",
        Kind::Publish(Target::GitHub),
        PUBLISH,
    ),
    (
        "ncipollo/release-action",
        Kind::Publish(Target::GitHub),
        PUBLISH,
    ),
    (
        "actions/create-release",
        Kind::Publish(Target::GitHub),
        PUBLISH,
    ),
    ("js-devtools/npm-publish", Kind::Publish(Target::Npm), ""),
    ("pypa/gh-action-pip-audit", Kind::Audit, AUDIT),
    ("google/osv-scanner-action", Kind::Audit, AUDIT),
    ("anchore/sbom-action", Kind::Document, "cargo xtask sbom"),
    (
        "hynek/build-and-inspect-python-package",
        Kind::Build,
        "cargo xtask build",
    ),
];

/// What the action of a step does.
pub(super) fn deed(site: &Site<'_>) -> Option<Deed> {
    let (name, action) = site.action()?;
    let is = |known: &str| {
        name.strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let (_, kind, ours) = ACTIONS.iter().find(|(known, _, _)| is(known))?;
    Some(Deed {
        kind: kind_with_inputs(*kind, site),
        place: action.place,
        shown: crate::printable::line(&action.value, 80),
        ours: (!ours.is_empty()).then_some(ours),
        step: site.index,
    })
}

fn kind_with_inputs(kind: Kind, site: &Site<'_>) -> Kind {
    let input = |name: &str| site.input(name).map_or("", |text| text.value.as_str());
    match kind {
        Kind::Publish(Target::Python) => {
            let address = format!("{} {}", input("repository-url"), input("repository_url"));
            if address.contains("test.pypi") {
                Kind::Stage(Target::Python)
            } else {
                kind
            }
        }
        Kind::Publish(Target::Container) if matches!(input("push"), "" | "false") => Kind::Build,
        Kind::Publish(Target::Container) if is_of_a_commit(input("tags")) => {
            Kind::Stage(Target::Container)
        }
        Kind::Publish(Target::GitHub) if input("draft") == "true" => Kind::Stage(Target::GitHub),
        kind => kind,
    }
}

/// Whether every name of an image is that of one commit or run, which nobody installs by.
fn is_of_a_commit(names: &str) -> bool {
    let mut names = names
        .split([',', '\n'])
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .peekable();
    names.peek().is_some()
        && names.all(|name| {
            ["github.sha", "github.run_id", "GITHUB_SHA"]
                .iter()
                .any(|part| name.contains(part))
        })
}
