//! Where people look at what was published: the page of a target, from what release.toml says of
//! it and from what goes there. Pure; asks nobody, so that a page need not be there yet.

use std::fmt::Write as _;

use super::Item;
use crate::artifact::Manifest;
use crate::config::publish::{GITHUB_API, Place};
use crate::name::normalize;
use crate::product::oci;
use crate::version::tag;

/// A page, or a name where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What it is called: a repository with its tag, an extension, a project.
    pub name: String,
    /// Its address.
    pub address: Option<String>,
}

/// What a page hangs on beside its place.
#[derive(Debug, Clone, Copy)]
pub struct About<'run> {
    /// The release.
    pub manifest: &'run Manifest,
    /// The form of its tag.
    pub tag_pattern: &'run str,
    /// What goes to the place.
    pub items: &'run [Item],
    /// The address of the simple index, where it is known.
    pub simple: Option<&'run str>,
}

/// The page of a place; `None` where nothing is published.
pub fn page(place: &Place, about: About<'_>) -> Option<Page> {
    let version = &about.manifest.version;
    // In three numbers, a pre-release of an extension is not called as the release is.
    let extension = || {
        let (name, rest) = about.items.first()?.key.split_once('@')?;
        Some((name, rest.split('@').next().unwrap_or(rest)))
    };
    Some(match place {
        Place::InstallTest { .. } => return None,
        Place::Local { path } => Page {
            name: path.to_string(),
            address: None,
        },
        Place::Pypi { .. } => {
            let wheel = about.manifest.find(crate::artifact::Kind::Wheel)?;
            let project = normalize(&wheel.name);
            let simple = about.simple.map(|simple| simple.trim_end_matches('/'));
            Page {
                name: format!("{project} {version}"),
                address: simple.map(|simple| project_page(place, simple, &project, version)),
            }
        }
        Place::Github { repository, api } => {
            let tag = tag::name(about.tag_pattern, version);
            Page {
                address: web(api).map(|web| {
                    let tag = encoded(&tag);
                    format!("{web}/{repository}/releases/tag/{tag}")
                }),
                name: format!("{repository} {tag}"),
            }
        }
        Place::Oci { repository, .. } => {
            let tag = oci::tag(version);
            // Of registries only GitHub's shows people something at the name itself.
            let is_shown = repository.starts_with("ghcr.io/");
            Page {
                name: format!("{repository}:{tag}"),
                address: is_shown.then(|| format!("https://{repository}")),
            }
        }
        Place::OpenVsx { url } => {
            let (extension, version) = extension()?;
            let path = extension.replacen('.', "/", 1);
            Page {
                name: format!("{extension} {version}"),
                address: Some(format!("{url}/extension/{path}/{}", encoded(version))),
            }
        }
        Place::Marketplace { url, .. } => {
            let (extension, version) = extension()?;
            Page {
                name: format!("{extension} {version}"),
                address: Some(format!("{url}/items?itemName={}", encoded(extension))),
            }
        }
        Place::Mcp { url, .. } => {
            let (name, version) = about.items.first()?.key.split_once('@')?;
            Page {
                name: format!("{name} {version}"),
                address: Some(format!(
                    "{url}/v0.1/servers/{}/versions/{}",
                    encoded(name),
                    encoded(version)
                )),
            }
        }
    })
}

/// The indexes that twine knows by name show a project beside their simple index; others may not.
fn project_page(place: &Place, simple: &str, project: &str, version: &str) -> String {
    use crate::config::publish::Index;
    let is_known = |name: &str| ["pypi", "testpypi"].contains(&name);
    match (place, simple.strip_suffix("/simple")) {
        (
            Place::Pypi {
                index: Index::Named(name),
                ..
            },
            Some(base),
        ) if is_known(name) => format!("{base}/project/{project}/{}/", encoded(version)),
        _ => format!("{simple}/{project}/"),
    }
}

/// Where people look at what an interface of GitHub is for.
fn web(api: &str) -> Option<&str> {
    match api {
        GITHUB_API => Some("https://github.com"),
        other => other.strip_suffix("/api/v3"),
    }
}

/// A segment of a path or a value of a query: everything but unreserved characters (RFC 3986)
/// is percent-encoded.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{self, Digest, Kind, Source};
    use crate::config;
    use crate::registry::Phase;

    const SETTINGS: &str = "schema = 1\nname = \"demo\"\n[server]\npath = \"server\"\n\
        console-script = \"demo\"\n[prove.stdio]\n[prove.call]\ntool = \"ping\"\n";

    /// The page of a target with these keys, to which an item of this key goes.
    fn check(keys: &str, item: &str, simple: Option<&str>, expected: Option<(&str, Option<&str>)>) {
        check_version("1.0.0", keys, (item, simple), expected);
    }

    fn check_version(
        version: &str,
        keys: &str,
        (item, simple): (&str, Option<&str>),
        expected: Option<(&str, Option<&str>)>,
    ) {
        let text = format!("{SETTINGS}[target.x]\n{keys}\n[profile.p]\ntargets = [\"x\"]\n");
        let config = config::parse(&text, "release.toml").unwrap();
        let source = Source {
            commit: "c".repeat(40),
            dirty: false,
            source_date_epoch: 0,
        };
        let mut manifest = Manifest {
            schema: 1,
            name: "demo".to_owned(),
            version: version.to_owned(),
            source,
            artifacts: Vec::new(),
            proof: None,
        };
        manifest.put(artifact::seal(
            Kind::Wheel,
            ("Demo_Server", "1.0.0"),
            "demo_server-1.0.0-py3-none-any.whl",
            b"wheel",
            std::collections::BTreeMap::default(),
        ));
        let items = [Item {
            key: item.to_owned(),
            sha256: Digest::of(b"x"),
            size: 1,
            phase: Phase::Main,
        }];
        let about = About {
            manifest: &manifest,
            tag_pattern: "v{version}",
            items: &items,
            simple,
        };
        let page = page(&config.publish.target("x").unwrap().place, about);
        let page = page
            .as_ref()
            .map(|page| (page.name.as_str(), page.address.as_deref()));
        assert_eq!(page, expected);
    }

    #[test]
    fn indexes_and_releases_have_their_pages() {
        let named = "kind = \"pypi\"\nrepository = \"pypi\"";
        check(
            named,
            "demo_server-1.0.0-py3-none-any.whl",
            Some("https://index.example/simple/"),
            Some((
                "demo-server 1.0.0",
                Some("https://index.example/project/demo-server/1.0.0/"),
            )),
        );
        check(named, "x", None, Some(("demo-server 1.0.0", None)));
        check(
            "kind = \"pypi\"\nurl = \"https://devpi.example/team/prod\"",
            "x",
            Some("https://devpi.example/team/prod/+simple"),
            Some((
                "demo-server 1.0.0",
                Some("https://devpi.example/team/prod/+simple/demo-server/"),
            )),
        );
        check(
            "kind = \"github\"\nrepository = \"owner/name\"",
            "x",
            None,
            Some((
                "owner/name v1.0.0",
                Some("https://github.com/owner/name/releases/tag/v1.0.0"),
            )),
        );
        check(
            "kind = \"github\"\nrepository = \"a/b\"\napi = \"https://ghe.example/api/v3\"",
            "x",
            None,
            Some((
                "a/b v1.0.0",
                Some("https://ghe.example/a/b/releases/tag/v1.0.0"),
            )),
        );
    }

    #[test]
    fn registries_have_their_pages() {
        check(
            "kind = \"oci\"\nrepository = \"ghcr.io/owner/name\"",
            "x",
            None,
            Some((
                "ghcr.io/owner/name:1.0.0",
                Some("https://ghcr.io/owner/name"),
            )),
        );
        check(
            "kind = \"oci\"\nrepository = \"registry.example/name\"",
            "x",
            None,
            Some(("registry.example/name:1.0.0", None)),
        );
        check(
            "kind = \"open-vsx\"",
            "acme.demo@1.0.0",
            None,
            Some((
                "acme.demo 1.0.0",
                Some("https://open-vsx.org/extension/acme/demo/1.0.0"),
            )),
        );
        check(
            "kind = \"marketplace\"",
            "acme.demo@1.0.0",
            None,
            Some((
                "acme.demo 1.0.0",
                Some("https://marketplace.visualstudio.com/items?itemName=acme.demo"),
            )),
        );
        check(
            "kind = \"mcp\"",
            "io.github.acme/demo@1.0.0",
            None,
            Some((
                "io.github.acme/demo 1.0.0",
                Some(
                    "https://registry.modelcontextprotocol.io/v0.1/servers/\
                     io.github.acme%2Fdemo/versions/1.0.0",
                ),
            )),
        );
        check(
            "kind = \"local\"",
            "x",
            None,
            Some(("target/published", None)),
        );
    }

    #[test]
    fn a_pre_release_is_called_as_each_place_calls_it() {
        let check = |keys: &str, item: &str, name: &str, address: &str| {
            check_version("1.2.0rc1", keys, (item, None), Some((name, Some(address))));
        };
        check(
            "kind = \"github\"\nrepository = \"a/b\"",
            "x",
            "a/b v1.2.0-rc.1",
            "https://github.com/a/b/releases/tag/v1.2.0-rc.1",
        );
        check(
            "kind = \"open-vsx\"",
            "acme.demo@1.1.30001@linux-x64",
            "acme.demo 1.1.30001",
            "https://open-vsx.org/extension/acme/demo/1.1.30001",
        );
    }
}
