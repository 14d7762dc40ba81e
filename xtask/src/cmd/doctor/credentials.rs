//! What every target of a profile says about who would publish. Publishes nothing.

use super::{broken, good};
use crate::artifact::Source;
use crate::config::Config;
use crate::dist::{self, Release};
use crate::doctor::{Finding, State};
use crate::error::Result;
use crate::exec::publish;
use crate::registry::{self, Opening, Statement};
use crate::world::World;

/// One finding for each statement of each target.
///
/// # Errors
/// The profile is not known.
pub fn look(world: &World, config: &Config, profile: &str) -> Result<Vec<Finding>> {
    let profile = publish::profile(config, profile)?;
    // Credentials can be looked at before there is a release.
    let release = match dist::manifest(world)?.map(|manifest| Release::load(world, manifest)) {
        Some(Ok(release)) => release,
        _ => nothing(config),
    };
    let mut findings = Vec::new();
    for name in &profile.targets {
        let Some(target) = config.publish.target(name) else {
            continue;
        };
        if let Some(skip) = profile.skips.iter().find(|skip| skip.target == *name) {
            let found = format!("left out by release.toml: {}", skip.reason);
            findings.push(Finding {
                state: State::Warning,
                ..good(name, &found)
            });
            continue;
        }
        let opening = Opening {
            world,
            config,
            release: &release,
            target,
        };
        let statements = registry::open(opening).and_then(|place| match place {
            Some(place) => place.identity(),
            None => Ok(vec![Statement::good(
                "identity",
                "a test needs no credential",
            )]),
        });
        world.check_interrupted()?;
        match statements {
            Ok(statements) => {
                findings.extend(
                    statements
                        .into_iter()
                        .map(|statement| finding(name, statement)),
                );
            }
            Err(error) => findings.push(Finding {
                verbs: vec!["publish"],
                ..broken(name, &error)
            }),
        }
    }
    Ok(findings)
}

fn nothing(config: &Config) -> Release {
    let source = Source {
        commit: "0".repeat(40),
        dirty: false,
        source_date_epoch: 0,
    };
    Release::empty(&config.name, "0", source)
}

fn finding(target: &str, statement: Statement) -> Finding {
    Finding {
        state: match statement.sound {
            true => State::Good,
            false => State::Missing,
        },
        verbs: match statement.sound {
            true => Vec::new(),
            false => vec!["publish"],
        },
        remedy: statement.remedy,
        ..good(target, &format!("{}: {}", statement.about, statement.found))
    }
}
