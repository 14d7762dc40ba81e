//! Performs an action: changes the record while nobody else can, and sees to it that a supervisor
//! takes the change up.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::error::{Error, Kind, Result};
use crate::model::{Action, Identity, Remember, Spec};
use crate::world::{now, random};

use super::folder::{self, Folder};
use super::record::{self, Record, Wheel};
use super::state::Ask;
use super::{Surroundings, control, environment, members, missing};

/// How long a supervisor may take to take up a change; it starts within milliseconds on a machine
/// that is not overloaded.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at a server that is being removed.
const LOOK: Duration = Duration::from_millis(50);

/// Performs it.
///
/// # Errors
/// `NotFound`, `Conflict` when the server changed since it was observed, or what the system says.
pub async fn perform(
    surroundings: &Surroundings,
    identity: &Identity,
    action: &Action,
) -> Result<()> {
    let folder = surroundings.root.server(identity);
    if let Action::Apply {
        spec,
        replicas,
        remember,
        previous,
        expected,
    } = action
    {
        let wheel = match (&spec.run.wheel, &spec.provenance.wheel_sha256) {
            (None, _) => None,
            // Looked for already; the file may be gone once its environment is made.
            (Some(path), Some(sha256)) => Some(Wheel::File {
                path: path.clone(),
                sha256: sha256.clone(),
            }),
            (Some(wheel), None) => Some(environment::resolve(wheel, &surroundings.working)?),
        };
        gone(&folder, identity).await?;
        let apply = Apply {
            spec,
            replicas: *replicas,
            remember: *remember,
            previous: previous.as_deref(),
            expected: expected.as_deref(),
            wheel,
        };
        folder.make()?;
        return change(surroundings, &folder, |record| apply.to(record, identity)).await;
    }
    if !folder.record().exists() {
        return match action {
            Action::Remove => Ok(()),
            _ => Err(missing(identity)),
        };
    }
    match action {
        // Done above, and the service's own.
        Action::Apply { .. } | Action::Drain { .. } => Ok(()),
        Action::Scale { from, to, remember } => {
            let scale = |record| scale(record, identity, *from, *to, *remember);
            change(surroundings, &folder, scale).await
        }
        Action::Cordon => {
            let cordon = |record| cordon(record, identity, true);
            change(surroundings, &folder, cordon).await
        }
        Action::Uncordon => {
            let uncordon = |record| cordon(record, identity, false);
            change(surroundings, &folder, uncordon).await
        }
        Action::Restart => change(surroundings, &folder, |record| restart(record, identity)).await,
        Action::Kill => kill(&folder).await,
        Action::Remove => remove(surroundings, &folder).await,
    }
}

async fn remove(surroundings: &Surroundings, folder: &Folder) -> Result<()> {
    let edit = |record: Option<Record>| match record {
        None => Ok(Edit::Nothing),
        Some(record) if record.removing => Ok(Edit::Same(record)),
        Some(record) => Ok(Edit::To(Record {
            removing: true,
            ..record
        })),
    };
    let mut removed = change(surroundings, folder, edit).await;
    let full = |result: &Result<()>| {
        result
            .as_ref()
            .is_err_and(|error| error.kind == Kind::Unavailable)
    };
    // A supervisor that does not answer is as unavailable; then its logs are still wanted.
    if full(&removed) && full(&folder::room(&folder.0)) {
        folder.make_room();
        removed = change(surroundings, folder, edit).await;
    }
    match removed {
        // It went while the supervisor was asked.
        Err(_) if !folder.record().exists() => Ok(()),
        other => other,
    }
}

/// What becomes of the record.
enum Edit {
    /// There is none, and none is made.
    Nothing,
    /// It stays.
    Same(Record),
    /// It becomes this.
    To(Record),
}

/// Changes the record under the lock. The supervisor has taken it up when this returns.
async fn change(
    surroundings: &Surroundings,
    folder: &Folder,
    edit: impl FnOnce(Option<Record>) -> Result<Edit>,
) -> Result<()> {
    let waiting = folder.clone();
    let lock = tokio::task::spawn_blocking(move || waiting.lock_change())
        .await
        .map_err(|error| Error::internal(format!("waiting for a lock: {error}")))??;
    let present = record::read(folder)?;
    let edited = match edit(present) {
        Ok(edited) => edited,
        Err(error) => {
            abandon(folder);
            return Err(error);
        }
    };
    let record = match edited {
        Edit::Nothing => return Ok(()),
        Edit::Same(record) => record,
        Edit::To(mut record) => {
            record.changes += 1;
            record.changed = now();
            record::write(folder, &record).inspect_err(|_| abandon(folder))?;
            record
        }
    };
    let kept = keep(surroundings, folder, &record).await;
    drop(lock);
    kept
}

/// Sees to it that a server has the supervisor that it needs.
///
/// # Errors
/// It does not start.
pub async fn revive(surroundings: &Surroundings, folder: &Folder) -> Result<()> {
    change(surroundings, folder, |record| {
        Ok(record.map_or(Edit::Nothing, Edit::Same))
    })
    .await
}

/// A folder that was made for a server that then did not come about.
fn abandon(folder: &Folder) {
    if !folder.record().exists() {
        let _ = std::fs::remove_dir_all(&folder.0);
        if let Some(namespace) = folder.0.parent() {
            let _ = std::fs::remove_dir(namespace);
        }
    }
}

/// Waits until a server of that name that is being removed is gone.
async fn gone(folder: &Folder, identity: &Identity) -> Result<()> {
    let Ok(Some(record)) = record::read(folder) else {
        return Ok(());
    };
    if !record.removing {
        return Ok(());
    }
    let spec = &record.spec;
    let patience = u64::from(spec.grace_seconds) + u64::from(spec.drain_seconds);
    let until = Instant::now() + Duration::from_secs(patience) + PATIENCE;
    while folder.record().exists() && Instant::now() < until && folder.supervised() {
        tokio::time::sleep(LOOK).await;
    }
    if folder.record().exists() {
        return Err(being_removed(identity));
    }
    Ok(())
}

fn being_removed(identity: &Identity) -> Error {
    Error::conflict(format!("{identity} is being removed"))
        .hint(format!("mcp-platform delete {}", identity.name))
}

struct Apply<'a> {
    spec: &'a Spec,
    replicas: u32,
    remember: Remember,
    previous: Option<&'a Spec>,
    expected: Option<&'a str>,
    wheel: Option<Wheel>,
}

impl Apply<'_> {
    fn to(self, present: Option<Record>, identity: &Identity) -> Result<Edit> {
        let changed = || {
            Error::conflict(format!(
                "{identity} was changed by somebody else at the same time"
            ))
            .hint("run it again")
        };
        match (present, self.expected) {
            (None, None) => Ok(Edit::To(self.create())),
            (None, Some(_)) => Err(changed()),
            (Some(present), _) if present.removing => Err(being_removed(identity)),
            (Some(present), expected) if self.already(&present) => {
                // The same once more, by whoever: nothing to do.
                let _ = expected;
                Ok(Edit::Same(present))
            }
            (Some(_), None) => Err(changed()),
            (Some(present), Some(expected)) if present.token() != expected => Err(changed()),
            (Some(present), Some(_)) => Ok(Edit::To(self.over(present))),
        }
    }

    fn already(&self, present: &Record) -> bool {
        present.spec == *self.spec
            && present.replicas == self.replicas
            && present.wheel == self.wheel
            && present.remembered == remembered(present.remembered, self.remember)
    }

    fn create(self) -> Record {
        Record {
            schema: 1,
            incarnation: random().chars().take(16).collect(),
            changes: 0,
            generation: 1,
            spec: self.spec.clone(),
            previous: self.previous.cloned(),
            replicas: self.replicas,
            remembered: remembered(None, self.remember),
            replaced: 0,
            draining: false,
            removing: false,
            wheel: self.wheel,
            previous_wheel: None,
            created: now(),
            changed: now(),
        }
    }

    fn over(self, present: Record) -> Record {
        // The wheel of what is gone back to is the one that it ran with, whatever lies in its place now.
        let back = present
            .previous
            .as_ref()
            .is_some_and(|previous| previous.revision() == self.spec.revision());
        let wheel = if back {
            present.previous_wheel.clone()
        } else {
            self.wheel
        };
        let previous_wheel = match self.previous {
            Some(previous) if previous.revision() == present.spec.revision() => {
                present.wheel.clone()
            }
            Some(_) => present.previous_wheel.clone(),
            None => None,
        };
        Record {
            generation: present.generation + 1,
            spec: self.spec.clone(),
            previous: self.previous.cloned(),
            replicas: self.replicas,
            remembered: remembered(present.remembered, self.remember),
            wheel,
            previous_wheel,
            ..present
        }
    }
}

fn remembered(present: Option<u32>, remember: Remember) -> Option<u32> {
    match remember {
        Remember::Keep => present,
        Remember::Set(replicas) => Some(replicas),
        Remember::Forget => None,
    }
}

fn scale(
    present: Option<Record>,
    identity: &Identity,
    from: u32,
    to: u32,
    remember: Remember,
) -> Result<Edit> {
    let record = present.ok_or_else(|| missing(identity))?;
    if record.removing {
        return Err(being_removed(identity));
    }
    if record.replicas == to {
        return Ok(Edit::Same(record));
    }
    if record.replicas != from {
        return Err(Error::conflict(format!(
            "{identity} has {} instances wanted by now, not {from}",
            record.replicas
        ))
        .hint("run it again"));
    }
    Ok(Edit::To(Record {
        generation: record.generation + 1,
        replicas: to,
        remembered: remembered(record.remembered, remember),
        ..record
    }))
}

fn cordon(present: Option<Record>, identity: &Identity, draining: bool) -> Result<Edit> {
    let record = present.ok_or_else(|| missing(identity))?;
    if record.removing {
        return Err(being_removed(identity));
    }
    if record.draining == draining {
        return Ok(Edit::Same(record));
    }
    Ok(Edit::To(Record { draining, ..record }))
}

fn restart(present: Option<Record>, identity: &Identity) -> Result<Edit> {
    let record = present.ok_or_else(|| missing(identity))?;
    if record.removing {
        return Err(being_removed(identity));
    }
    Ok(Edit::To(Record {
        generation: record.generation + 1,
        replaced: record.replaced + 1,
        ..record
    }))
}

/// Ends the processes at once, by the supervisor or, when it is gone, by their mark.
async fn kill(folder: &Folder) -> Result<()> {
    if control::ask(folder, Ask::Kill).await?.is_some() {
        return Ok(());
    }
    if let Some(record) = record::read(folder)? {
        let left = members::members(&format!("{}.", record.incarnation), None);
        members::signal(&left, nix::sys::signal::Signal::SIGKILL);
    }
    Ok(())
}

/// Sees to it that a supervisor has taken up the record; starts one when there is none and one is
/// needed.
async fn keep(surroundings: &Surroundings, folder: &Folder, record: &Record) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut child: Option<Child> = None;
    loop {
        match control::ask(folder, Ask::Changed).await {
            Ok(Some(answer)) if answer.changes >= record.changes => return Ok(()),
            Ok(Some(_)) => {}
            Ok(None) if !needed(folder, record) => return Ok(()),
            Ok(None) => {
                let over = match &mut child {
                    None => true,
                    Some(child) => matches!(child.try_wait(), Ok(Some(_))),
                };
                if over && child.is_some() && Instant::now() + PATIENCE / 2 > until {
                    return Err(died(folder));
                }
                if over {
                    child = Some(launch(surroundings, folder)?);
                }
            }
            Err(error) if Instant::now() >= until => return Err(error),
            Err(_) => {}
        }
        if Instant::now() >= until {
            return Err(died(folder));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether there is anything to supervise.
pub fn needed(folder: &Folder, record: &Record) -> bool {
    if !folder.record().exists() {
        return false;
    }
    record.replicas > 0
        || record.removing
        || !members::members(&format!("{}.", record.incarnation), None).is_empty()
}

fn launch(surroundings: &Surroundings, folder: &Folder) -> Result<Child> {
    let path = folder.supervisor_log();
    let log = folder::append(&path).map_err(|error| folder::failed(&path, &error))?;
    Command::new(&surroundings.program)
        .arg("supervise")
        .arg(&folder.0)
        .env_clear()
        .envs(&surroundings.environment)
        .current_dir(&surroundings.root.0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|error| {
            Error::internal(format!(
                "cannot start {}: {error}",
                surroundings.program.display()
            ))
        })
}

fn died(folder: &Folder) -> Error {
    let text = folder::read(&folder.supervisor_log())
        .ok()
        .flatten()
        .unwrap_or_default();
    let last: Vec<&str> = text.lines().rev().take(3).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Error::internal(format!(
        "the supervisor of {} did not start: {}",
        folder.0.display(),
        last.join(" | ")
    ))
    .hint(format!("see {}", folder.supervisor_log().display()))
}
