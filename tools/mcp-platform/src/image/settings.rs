//! What of the surroundings the search for images needs.

use std::path::PathBuf;

use crate::world::World;

use super::DockerConfig;

/// Where images come from on this installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where relative archives are, and where builds run.
    pub folder: PathBuf,
    /// `MCP_IMAGE_REGISTRY`: the registry of references that name none, perhaps with a path.
    pub registry: Option<String>,
    /// `MCP_INSECURE_REGISTRIES`: those that may be asked over plain HTTP, besides loopback.
    pub insecure: Vec<String>,
    /// Docker's own configuration, which says who we are at registries.
    pub docker_config: DockerConfig,
}

impl Settings {
    /// Reads them.
    pub fn of(world: &World) -> Settings {
        let insecure = world.variable("MCP_INSECURE_REGISTRIES").unwrap_or("");
        Settings {
            folder: world.folder.clone(),
            registry: world
                .variable("MCP_IMAGE_REGISTRY")
                .map(|text| text.trim_end_matches('/').to_owned()),
            insecure: insecure
                .split([',', ' '])
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
            docker_config: DockerConfig::of(world),
        }
    }

    /// Whether a registry may be asked over plain HTTP.
    pub fn is_plain(&self, registry: &str) -> bool {
        let host = match registry.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or(rest),
            None => registry.split(':').next().unwrap_or(registry),
        };
        let loopback = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        loopback || self.insecure.iter().any(|one| one == registry)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn only_loopback_and_what_is_named_is_plain() {
        let settings = Settings {
            folder: PathBuf::new(),
            registry: None,
            insecure: vec!["inside.example:5000".to_owned()],
            docker_config: DockerConfig {
                file: PathBuf::new(),
                environment: BTreeMap::new(),
            },
        };
        for (registry, plain) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("[::1]:5000", true),
            ("inside.example:5000", true),
            ("inside.example", false),
            ("localhost.example", false),
            ("10.0.0.1:5000", false),
        ] {
            assert_eq!(settings.is_plain(registry), plain, "{registry}");
        }
    }
}
