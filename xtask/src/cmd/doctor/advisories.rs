//! What an audit needs: lock files that can be read, and a database for their ecosystems.

use std::collections::BTreeSet;

use super::{broken, good};
use crate::advisory::store::{self, Database};
use crate::config::Config;
use crate::doctor::{Finding, State};
use crate::error::Result;
use crate::exec;
use crate::lockfile::Ecosystem;
use crate::world::World;

/// Looks at every lock file of the repository, and at the database for each ecosystem.
pub fn look(world: &World, config: &Config) -> Vec<Finding> {
    let subject = match exec::audit::inventory(world, config, &[]) {
        Ok(subject) => subject,
        Err(error) => return vec![broken("lock files", &error)],
    };
    let scanned = subject.scanned.iter();
    let ecosystems: BTreeSet<Ecosystem> = scanned.map(|one| one.lock.ecosystem).collect();
    let (read, left_out) = (subject.scanned.len(), subject.skipped.len());
    let count = format!("{read} to be audited, {left_out} left out");
    let mut findings = vec![good("lock files", &count)];
    for ecosystem in ecosystems {
        findings.push(match database(world, config, ecosystem) {
            Ok(found) => good("advisories", &found),
            Err(error) => Finding {
                state: State::Missing,
                verbs: vec!["audit", "release"],
                ..broken("advisories", &error)
            },
        });
    }
    findings
}

fn database(world: &World, config: &Config, ecosystem: Ecosystem) -> Result<String> {
    let folder = store::folder(&world.environment, &world.root)?;
    let database = Database::open_for(&folder, &[ecosystem])?;
    database.require_recent(world.now(), config.audit.max_age)?;
    let provenance = database.index(ecosystem)?.provenance();
    let (records, date) = (provenance.records, &provenance.date);
    Ok(format!("{ecosystem}: {records} records, of {date}"))
}
