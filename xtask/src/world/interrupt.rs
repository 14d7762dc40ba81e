//! Stopping: one flag, and the process groups that end when it is raised.
//!
//! Children run in process groups of their own, so that a SIGINT sent to the tool
//! alone (not only one typed at a terminal) ends them too, and so that their
//! children end with them. The tool itself then returns errors up to `main`, which
//! is what removes temporary folders.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Shared state between the signal handler and everything that waits.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    requested: Arc<AtomicBool>,
    groups: Arc<Mutex<BTreeSet<u32>>>,
}

/// How a process group is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ask: SIGINT.
    Interrupt,
    /// Ask: SIGTERM.
    Terminate,
    /// Force: SIGKILL.
    Kill,
}

impl Interrupt {
    /// Whether the run has been asked to stop.
    pub fn requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Registers a process group (its leader's id) to be ended with the run.
    pub fn register(&self, group: u32) {
        self.groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(group);
        if self.requested() {
            send(group, Signal::Terminate);
        }
    }

    /// Forgets a group that has ended.
    pub fn forget(&self, group: u32) {
        self.groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&group);
    }

    /// Raises the flag and signals every registered group.
    pub fn stop(&self, signal: Signal) {
        self.requested.store(true, Ordering::SeqCst);
        for group in self
            .groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            send(*group, signal);
        }
    }

    /// Starts listening for SIGINT, SIGTERM and SIGHUP: the first one asks the
    /// children to end and forces them two seconds later; a second one forces at once.
    ///
    /// # Errors
    /// The operating system refused the handler.
    #[cfg(unix)]
    pub fn listen(&self) -> std::io::Result<()> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let interrupt = self.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                if interrupt.requested() {
                    interrupt.stop(Signal::Kill);
                    continue;
                }
                interrupt.stop(Signal::Terminate);
                let later = interrupt.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(std::time::Duration::from_secs(2));
                    later.stop(Signal::Kill);
                });
            }
        });
        Ok(())
    }

    /// On systems without Unix signals the console ends the whole tree by itself.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "same signature as on Unix")]
    pub fn listen(&self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Sends a signal to a process group; a group that is gone is not an error.
#[cfg(unix)]
pub fn send(group: u32, signal: Signal) {
    if let Some(group) = process_id(group) {
        // The only expected error is "no such process": it has ended already.
        let _gone = rustix::process::kill_process_group(group, signal.number());
    }
}

/// Sends a signal to one process; one that is gone is not an error.
#[cfg(unix)]
pub fn send_one(process: u32, signal: Signal) {
    if let Some(process) = process_id(process) {
        // The only expected error is "no such process": it has ended already.
        let _gone = rustix::process::kill_process(process, signal.number());
    }
}

#[cfg(unix)]
fn process_id(number: u32) -> Option<rustix::process::Pid> {
    i32::try_from(number)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
}

#[cfg(unix)]
impl Signal {
    fn number(self) -> rustix::process::Signal {
        match self {
            Signal::Interrupt => rustix::process::Signal::INT,
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Kill => rustix::process::Signal::KILL,
        }
    }
}

/// There are no process groups here; the caller kills its own child instead.
#[cfg(not(unix))]
pub fn send(_group: u32, _signal: Signal) {}

/// There are no signals here; the caller kills its own child instead.
#[cfg(not(unix))]
pub fn send_one(_process: u32, _signal: Signal) {}
