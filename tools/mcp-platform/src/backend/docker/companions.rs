//! The services that belong to a server: made with it, ended with it, their volumes kept until it is
//! deleted.

use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::model::{Companion, label};

use super::engine::Engine;
use super::record::{Record, name_of, role};
use super::state::{Seen, text};
use super::{act, body, converge::Life, names, pull};

/// Brings the companions to what is wanted: none while the server is stopped.
///
/// # Errors
/// One cannot be made or ended.
pub async fn converge(engine: &Engine, record: &Record) -> Result<()> {
    let identity = &record.spec.identity;
    let there = engine.containers(&names::of_server(identity)).await?;
    let there: Vec<Seen> = there
        .into_iter()
        .filter(|one| role(one) == Some(names::COMPANION))
        .map(|container| Seen {
            container,
            look: None,
            end: None,
        })
        .collect();
    let wanted: Vec<&Companion> = record
        .spec
        .companions
        .iter()
        .filter(|companion| companion.enabled && record.replicas > 0)
        .collect();
    for one in &there {
        let name = name_of(&one.container);
        let keep = wanted.iter().any(|companion| {
            names::companion(identity, &companion.name) == name
                && text(&one.container, label::REVISION) == Some(revision(record, companion))
                && one.present().life != Life::HalfMade
        });
        if !keep {
            act::end(engine, &name, record.spec.grace_seconds).await?;
        }
    }
    for companion in wanted {
        let name = names::companion(identity, &companion.name);
        match engine.container(&name).await? {
            None => create(engine, record, companion).await?,
            Some(container) => {
                let seen = Seen {
                    container,
                    look: None,
                    end: None,
                };
                if seen.present().life == Life::Down {
                    act::start(engine, &name).await?;
                }
            }
        }
    }
    Ok(())
}

async fn create(engine: &Engine, record: &Record, companion: &Companion) -> Result<()> {
    let spec = &record.spec;
    let name = names::companion(&spec.identity, &companion.name);
    pull::ensure(engine, &companion.image).await?;
    if let Some(volume) = &companion.volume {
        let volume = names::companion_volume(&spec.identity, &companion.name, &volume.name);
        act::ensure_volume(engine, spec, &volume).await?;
    }
    let body = body::companion(record, companion, &revision(record, companion));
    act::make(engine, &name, body).await?;
    if let Some(volume) = &companion.volume {
        let volume = names::companion_volume(&spec.identity, &companion.name, &volume.name);
        act::hand_over(engine, spec, &volume, &companion.user.to_string()).await?;
    }
    act::start(engine, &name).await?;
    Ok(())
}

/// A word for what makes a companion what it is. Its secrets come in by the keys only: they are made
/// once and stay.
fn revision(record: &Record, companion: &Companion) -> String {
    let text = serde_json::to_vec(&(&record.spec.template, companion)).unwrap_or_default();
    let digest = Sha256::digest(&text);
    digest.iter().take(5).map(|b| format!("{b:02x}")).collect()
}
