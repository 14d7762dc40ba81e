//! The companions of a server of the mock: there before its instances, gone after them. Pure.

use jiff::Timestamp;

use crate::model::{Fault, Instance as Shown, Phase};

use super::fault::MockFault;
use super::instance::{Instance, Said, Stage};
use super::server::Server;

/// What happens to them at `now`.
pub(super) fn step(server: &mut Server, now: Timestamp, faults: &[MockFault]) {
    let hits: Vec<MockFault> = faults
        .iter()
        .filter_map(|fault| match fault {
            MockFault::Companion(code) => Some(MockFault::Crash(*code)),
            _ => None,
        })
        .collect();
    let mut companions = std::mem::take(&mut server.companions);
    for one in &mut companions {
        if one.due.is_some_and(|due| due <= now) {
            // They have no port that anybody is told.
            let said = one.step(now, &hits, 0);
            say(server, &one.name, said, now);
        }
    }
    companions.retain(|one| one.stage != Stage::Gone);
    let wanted = wanted(server);
    let grace = server.spec.as_ref().map_or(30, |spec| spec.grace_seconds);
    for one in &mut companions {
        let ends = match server.taken.desired {
            // After the server: its instances may still write to them.
            0 => server.instances.is_empty(),
            _ => !wanted.contains(&one.name),
        };
        if ends {
            let said = one.end(now, &hits, grace);
            say(server, &one.name, said, now);
        }
    }
    for name in wanted {
        if companions.iter().all(|one| one.name != name) {
            let said = Said {
                reason: "SuccessfulCreate",
                message: "created".to_owned(),
                warning: false,
                log: None,
            };
            say(server, &name, Some(said), now);
            companions.push(Instance::new(name, String::new(), String::new(), now));
        }
    }
    server.companions = companions;
}

fn wanted(server: &Server) -> Vec<String> {
    if server.taken.desired == 0 {
        return Vec::new();
    }
    let companions = server.spec.iter().flat_map(|spec| &spec.companions);
    companions
        .filter(|companion| companion.enabled)
        .map(|companion| companion.name.clone())
        .collect()
}

fn say(server: &mut Server, name: &str, said: Option<Said>, now: Timestamp) {
    if let Some(said) = said {
        let about = format!("{}-{name}", server.identity.name);
        server.event(now, about, said.reason, &said.message, said.warning);
    }
}

/// What is wrong with those of a server that is to run.
pub(super) fn faults(server: &Server) -> Vec<Fault> {
    let runs = server.desired > 0;
    let all = server.companions.iter().filter(|_| runs);
    all.filter_map(|one| {
        let fault = one.fault.clone()?;
        Some(Fault {
            message: format!("the companion {}: {}", one.name, fault.message),
            ..fault
        })
    })
    .collect()
}

/// Those that still end, as parts of a server that is stopped only when they have.
pub(super) fn ending(server: &Server) -> Vec<Shown> {
    let stopped = server.desired == 0;
    let all = server.companions.iter().filter(|_| stopped);
    all.map(|one| Shown {
        name: format!("{}-{}", server.identity.name, one.name),
        revision: None,
        phase: Phase::Ending,
        ready: false,
        restarts: one.restarts,
        created: Some(one.created),
        fault: None,
    })
    .collect()
}
