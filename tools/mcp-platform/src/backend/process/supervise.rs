//! The supervisor: one detached process a server. It keeps as many instances as are wanted, and
//! is gone once none is wanted and none is left. It decides nothing of its own: what is wanted is in
//! the record, how to get there is what `converge` says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::model::{Cause, Fault, Phase};
use crate::world::{World, now};

use super::command::passed;
use super::control::{Question, listen};
use super::converge::{Seen, Step, Wanted, converge};
use super::folder::{self, Folder, Root};
use super::instance::{Life, Order};
use super::keeper::Keeper;
use super::record::{self, Record};
use super::state::{Answer, Ask, InstanceState};
use super::{environment, front, members, orphans};

/// A net below the socket: a change whose author was killed before telling is found by then.
const NET: Duration = Duration::from_secs(1);
/// A look at a lock may stand in the way for a moment.
const TRIES: u32 = 50;

/// Its only option.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The server's folder
    pub folder: PathBuf,
}

/// Supervises the server of a folder; returns when there is nothing left to supervise, or when
/// another supervisor does.
///
/// # Errors
/// A file cannot be read or written.
pub async fn run(arguments: &Arguments, world: &World) -> Result<()> {
    // Our own session: a closed terminal and its Ctrl-C are none of our business.
    let _ = nix::unistd::setsid();
    // Whatever the instances leave behind comes to us and not to the system.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    let folder = Folder(arguments.folder.clone());
    let Some(_lock) = become_the_one(&folder).await? else {
        return Ok(());
    };
    let Some(record) = record::read(&folder)? else {
        return Ok(());
    };
    let root = Root(above(above(&folder.0)).to_owned());
    let keeper = Keeper::new(
        folder,
        root,
        record.spec.identity.name.to_string(),
        world.program.clone(),
        passed(&world.environment),
    );
    let terminated = signal(SignalKind::terminate())
        .map_err(|error| Error::internal(format!("cannot listen to signals: {error}")))?;
    let questions = listen(&keeper.folder)?;
    orphans::adopt(&keeper, &record);
    Supervisor {
        serial: 0,
        orders: BTreeMap::new(),
        front: None,
        stored: Answer::default(),
        record,
        keeper,
    }
    .serve(questions, terminated)
    .await
}

fn above(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

async fn become_the_one(folder: &Folder) -> Result<Option<std::fs::File>> {
    for _ in 0..TRIES {
        if let Some(lock) = folder.try_lock_supervisor()? {
            return Ok(Some(lock));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(None)
}

struct Supervisor {
    keeper: Arc<Keeper>,
    record: Record,
    serial: u64,
    orders: BTreeMap<String, watch::Sender<Order>>,
    front: Option<JoinHandle<()>>,
    stored: Answer,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Over,
}

impl Supervisor {
    async fn serve(
        mut self,
        mut questions: mpsc::Receiver<Question>,
        mut terminated: unix::Signal,
    ) -> Result<()> {
        let mut net = tokio::time::interval(NET);
        self.keeper.note(
            &self.keeper.name,
            "Supervised",
            &format!("by process {}", std::process::id()),
        );
        self.take_up();
        loop {
            self.step();
            if self.over().await? == Next::Over {
                return Ok(());
            }
            tokio::select! {
                Some(question) = questions.recv() => self.answer(question),
                () = self.keeper.touched.notified() => {}
                _ = net.tick() => self.look_around(),
                _ = terminated.recv() => return self.shut_down().await,
            }
        }
    }

    fn answer(&mut self, (ask, answer): Question) {
        match ask {
            Ask::State => {}
            Ask::Changed => {
                self.reread();
                self.step();
            }
            Ask::Kill => {
                for order in self.orders.values() {
                    order.send_modify(|order| order.kills += 1);
                }
                // Those of a supervisor before us take no orders.
                let known = self.keeper.answer().instances;
                for (name, instance) in known {
                    if !self.orders.contains_key(&name) {
                        members::signal(&instance.members(), Signal::SIGKILL);
                    }
                }
            }
        }
        // Whoever asked may be gone.
        let _ = answer.send(self.keeper.answer());
    }

    fn look_around(&mut self) {
        self.reread();
        let known = self.keeper.answer();
        let leaders: Vec<i32> = known
            .instances
            .values()
            .filter_map(|instance| instance.pid)
            .collect();
        members::reap(&leaders);
        self.open_front();
    }

    fn reread(&mut self) {
        match record::read(&self.keeper.folder) {
            Ok(Some(record)) if record.changes == self.record.changes => {}
            Ok(Some(record)) => {
                self.record = record;
                self.take_up();
            }
            // Somebody took the folder away; then nothing shall run either.
            Ok(None) => {
                self.record.removing = true;
                self.record.replicas = 0;
            }
            Err(error) => self.fault(Cause::Configuration, error.message),
        }
    }

    fn take_up(&mut self) {
        self.keeper
            .cordon(self.record.draining || self.record.removing);
        let record = &self.record;
        self.keeper.change(|answer| {
            answer.pid = std::process::id();
            answer.incarnation.clone_from(&record.incarnation);
            answer.changes = record.changes;
            answer.generation = record.generation;
            answer.draining = Some(record.draining || record.removing);
            answer.faults.clear();
        });
        self.open_front();
    }

    /// Says what is wrong with the whole; since when, stays for as long as it is the same.
    fn fault(&self, cause: Cause, message: String) {
        self.keeper.change(|answer| {
            if answer.faults.iter().all(|fault| fault.message != message) {
                let since = Some(now());
                answer.faults = vec![Fault {
                    cause,
                    message,
                    since,
                }];
            }
        });
    }

    /// The steps that are due, and the state on disk.
    fn step(&mut self) {
        let known = self.keeper.answer();
        let mut instances: Vec<&InstanceState> = known.instances.values().collect();
        instances.sort_by_key(|instance| instance.serial);
        let seen: Vec<Seen> = instances
            .into_iter()
            .map(|instance| Seen {
                name: instance.name.clone(),
                stamp: instance.stamp.clone(),
                ready: instance.ready,
                ending: self
                    .orders
                    .get(&instance.name)
                    .is_none_or(|order| order.borrow().end),
            })
            .collect();
        self.orders
            .retain(|name, _| known.instances.contains_key(name));
        let wanted = Wanted {
            stamp: self.record.stamp(),
            count: if self.record.removing {
                0
            } else {
                self.record.replicas as usize
            },
            statefulness: self.record.spec.statefulness,
        };
        for step in converge(&wanted, &seen) {
            match step {
                Step::Start => self.start(),
                Step::End(name) => self.end(&name),
            }
        }
        self.store();
    }

    fn start(&mut self) {
        self.serial += 1;
        let word: String = crate::world::random().chars().take(5).collect();
        let name = format!("{}-{word}", self.keeper.name);
        let mark = format!("{}.{}.", self.record.incarnation, word);
        let state = InstanceState {
            name: name.clone(),
            serial: self.serial,
            stamp: self.record.stamp(),
            revision: self.record.spec.revision(),
            phase: Phase::Pending,
            ready: false,
            restarts: 0,
            created: now(),
            fault: None,
            port: None,
            pid: None,
            mark: mark.clone(),
        };
        let (order, orders) = watch::channel(Order::default());
        self.orders.insert(name.clone(), order);
        self.keeper
            .note(&name, "Created", &format!("of revision {}", state.revision));
        self.keeper.change(|answer| {
            answer.instances.insert(name.clone(), state);
        });
        let life = Life {
            keeper: self.keeper.clone(),
            name,
            mark,
            spec: Arc::new(self.record.spec.clone()),
            wheel: self.record.wheel.clone(),
            orders,
        };
        tokio::spawn(life.live());
    }

    fn end(&self, name: &str) {
        if let Some(order) = self.orders.get(name) {
            order.send_modify(|order| order.end = true);
        }
        self.keeper.note(name, "Ending", "is not wanted any more");
        self.keeper.instance(name, |state| {
            state.phase = Phase::Ending;
            state.ready = false;
        });
    }

    /// What is left for the time after us; written only when it differs.
    fn store(&mut self) {
        let known = Answer {
            sessions: 0,
            ..self.keeper.answer()
        };
        if known == self.stored || !self.keeper.folder.record().exists() {
            return;
        }
        let text = serde_json::to_vec(&known).unwrap_or_default();
        // On a full disk the server runs on; the socket still tells the truth.
        if folder::write(&self.keeper.folder.state(), &text).is_ok() {
            self.stored = known;
        }
    }

    /// Makes the server reachable, at the port that it had before.
    fn open_front(&mut self) {
        if self.front.is_some() || self.record.replicas == 0 || self.record.removing {
            return;
        }
        match listener(&self.keeper) {
            Ok((listener, port)) => {
                self.front = Some(tokio::spawn(self.keeper.front.clone().serve(listener)));
                self.keeper.change(|answer| {
                    answer.port = Some(port);
                    answer.faults.clear();
                });
            }
            Err(error) => self.fault(Cause::Unschedulable, error.message),
        }
    }

    /// Whether there is nothing left to do. It is decided while nobody can change what is wanted.
    async fn over(&mut self) -> Result<Next> {
        let wanted = self.record.replicas > 0 && !self.record.removing;
        if wanted || !self.keeper.answer().instances.is_empty() {
            return Ok(Next::GoOn);
        }
        let folder = self.keeper.folder.clone();
        if !folder.0.exists() {
            return Ok(Next::Over);
        }
        let Some(_change) = folder.try_lock_change()? else {
            return Ok(Next::GoOn);
        };
        let before = self.record.changes;
        self.reread();
        if self.record.changes != before {
            return Ok(Next::GoOn);
        }
        if !self.record.removing {
            self.keeper
                .note(&self.keeper.name, "Stopped", "no instance is left");
            self.store();
            let _ = std::fs::remove_file(folder.0.join(Folder::SOCKET));
            return Ok(Next::Over);
        }
        match remove(&folder) {
            Ok(()) => {
                let _ = environment::sweep(&self.keeper.root).await;
                // Not empty when there are other servers.
                let _ = std::fs::remove_dir(above(&folder.0));
                Ok(Next::Over)
            }
            Err(error) => {
                self.fault(Cause::Volume, error.message);
                Ok(Next::GoOn)
            }
        }
    }

    /// The machine goes down, or somebody wants us gone: the instances end, what is wanted stays.
    async fn shut_down(mut self) -> Result<()> {
        self.keeper.warn(
            &self.keeper.name,
            "ShutDown",
            "the supervisor was told to end",
        );
        self.record.replicas = 0;
        self.step();
        while !self.keeper.answer().instances.is_empty() {
            self.keeper.touched.notified().await;
            self.store();
        }
        self.store();
        Ok(())
    }
}

/// Removes the folder; the record goes last, so that a half removed server is still known as one,
/// and with it the locks, so that nobody else begins to supervise it.
fn remove(folder: &Folder) -> Result<()> {
    let entries =
        std::fs::read_dir(&folder.0).map_err(|error| folder::failed(&folder.0, &error))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let last = path == folder.record() || path.extension().is_some_and(|kind| kind == "lock");
        if last {
            continue;
        }
        let removed = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(folder::failed(&path, &error));
            }
            _ => {}
        }
    }
    std::fs::remove_dir_all(&folder.0).map_err(|error| folder::failed(&folder.0, &error))
}

/// The listener at the server's port: the one that it had, else a free one that no other server has.
fn listener(keeper: &Keeper) -> Result<(tokio::net::TcpListener, u16)> {
    let path = keeper.folder.port();
    let stored = folder::read(&path)?.and_then(|text| text.trim().parse::<u16>().ok());
    if let Some(port) = stored {
        let listener = front::listen(port).map_err(|error| {
            Error::unavailable(format!(
                "port {port}, at which clients know the server, is taken: {error}"
            ))
        })?;
        return Ok((listener, port));
    }
    let reserved: Vec<u16> = keeper
        .root
        .servers(None)?
        .iter()
        .filter_map(|identity| {
            folder::read(&keeper.root.server(identity).port())
                .ok()??
                .trim()
                .parse()
                .ok()
        })
        .collect();
    for _ in 0..TRIES {
        let listener = front::listen(0)
            .map_err(|error| Error::unavailable(format!("no free port: {error}")))?;
        let port = listener.local_addr().map_or(0, |address| address.port());
        if port != 0 && !reserved.contains(&port) {
            folder::write(&path, format!("{port}\n").as_bytes())?;
            return Ok((listener, port));
        }
    }
    Err(Error::unavailable(
        "no port is free that is not another server's",
    ))
}
