//! Performs one action on the mock's servers. Doing it again does no more. Pure.

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::model::{Action, Identity, Remember, Spec};

use super::server::Server;
use super::store::Servers;

/// Performs it.
///
/// # Errors
/// `NotFound` when there is no such server, `Conflict` when it changed since it was observed.
pub(super) fn perform(
    servers: &mut Servers,
    identity: &Identity,
    action: &Action,
    now: Timestamp,
) -> Result<()> {
    if let Action::Apply {
        spec,
        replicas,
        remember,
        previous,
        expected,
    } = action
    {
        let apply = Apply {
            spec,
            replicas: *replicas,
            remember: *remember,
            previous: previous.as_deref(),
            expected: expected.as_deref(),
        };
        return apply.to(servers, identity, now);
    }
    let Some(server) = servers.servers.get_mut(&key(identity)) else {
        return match action {
            Action::Remove => Ok(()),
            _ => Err(Error::not_found(format!("there is no server {identity}"))
                .hint("mcp-platform list")),
        };
    };
    if server.deleting {
        return match action {
            Action::Remove => Ok(()),
            _ => Err(being_deleted(identity)),
        };
    }
    match action {
        // Done above, and the service's own.
        Action::Apply { .. } | Action::Drain { .. } => {}
        Action::Scale { from, to, remember } => return scale(server, *from, *to, *remember, now),
        Action::Cordon | Action::Uncordon => {
            let draining = *action == Action::Cordon;
            if server.draining != draining {
                server.draining = draining;
                server.recorded(now);
            }
        }
        Action::Restart => {
            server.replaced += 1;
            server.wants(now);
        }
        Action::Kill => {
            server.instances.clear();
            if server.desired == 0 {
                server.companions.clear();
            }
            server.again = Some(now);
            server.dirty = true;
        }
        Action::Remove => remove(server, now),
    }
    Ok(())
}

/// A server's place in the store.
pub(super) fn key(identity: &Identity) -> String {
    identity.to_string()
}

fn being_deleted(identity: &Identity) -> Error {
    Error::conflict(format!("{identity} is being deleted"))
        .hint(format!("mcp-platform delete {}", identity.name))
}

fn remove(server: &mut Server, now: Timestamp) {
    server.deleting = true;
    server.desired = 0;
    server.wants(now);
    server.taken.desired = 0;
    server.again = Some(now);
}

fn scale(
    server: &mut Server,
    from: u32,
    to: u32,
    remember: Remember,
    now: Timestamp,
) -> Result<()> {
    if server.desired == to {
        return Ok(());
    }
    if server.desired != from {
        return Err(Error::conflict(format!(
            "{} has {} instances wanted by now, not {from}",
            server.identity, server.desired
        ))
        .hint("run it again"));
    }
    server.desired = to;
    server.remembered = remembered(server.remembered, remember);
    server.wants(now);
    Ok(())
}

fn remembered(present: Option<u32>, remember: Remember) -> Option<u32> {
    match remember {
        Remember::Keep => present,
        Remember::Set(replicas) => Some(replicas),
        Remember::Forget => None,
    }
}

struct Apply<'a> {
    spec: &'a Spec,
    replicas: u32,
    remember: Remember,
    previous: Option<&'a Spec>,
    expected: Option<&'a str>,
}

impl Apply<'_> {
    fn to(&self, servers: &mut Servers, identity: &Identity, now: Timestamp) -> Result<()> {
        let changed = || {
            Error::conflict(format!(
                "{identity} was changed by somebody else at the same time"
            ))
            .hint("run it again")
        };
        let key = key(identity);
        let incarnation = servers.version + 1;
        match servers.servers.get_mut(&key) {
            None if self.expected.is_some() => Err(changed()),
            None => {
                let mut server = Server::new(identity, incarnation, now);
                self.write(&mut server, now);
                servers.servers.insert(key, server);
                Ok(())
            }
            Some(server) if server.deleting => Err(being_deleted(identity)),
            Some(server) if self.already(server) => Ok(()),
            Some(server) if self.expected != Some(server.token().as_str()) => Err(changed()),
            Some(server) => {
                self.write(server, now);
                Ok(())
            }
        }
    }

    fn already(&self, server: &Server) -> bool {
        server.whole_spec().as_deref() == Some(self.spec)
            && server.desired == self.replicas
            && server.remembered == remembered(server.remembered, self.remember)
    }

    fn write(&self, server: &mut Server, now: Timestamp) {
        server.secrets = self.spec.secrets.to_store();
        server.spec = Some(Box::new(open(self.spec)));
        server.previous_secrets = self
            .previous
            .map(|previous| previous.secrets.to_store())
            .unwrap_or_default();
        server.previous = self.previous.map(|previous| Box::new(open(previous)));
        server.desired = self.replicas;
        server.remembered = remembered(server.remembered, self.remember);
        server.wants(now);
        let message = format!(
            "revision {}, {} wanted",
            self.spec.revision(),
            self.replicas
        );
        let about = server.identity.name.to_string();
        server.event(now, about, "Applied", &message, false);
    }
}

/// A specification without its secrets, which are stored apart.
fn open(spec: &Spec) -> Spec {
    Spec {
        secrets: crate::model::Secrets::default(),
        ..spec.clone()
    }
}
