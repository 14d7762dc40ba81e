//! Goes on with what somebody who was ended left off, for a platform that runs for long (`serve`).
//! Without it the next operation on the server does.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::error::Result;
use crate::model::Identity;

use super::engine::Engine;
use super::{foreign, names, observe, work};

/// Between two looks at all servers.
const NET: Duration = Duration::from_secs(10);

/// A server with the change that was left off.
type Left = BTreeSet<(Identity, u64)>;

/// What does so, while it does.
#[derive(Default)]
pub struct Resumer(Mutex<Option<Running>>);

struct Running {
    task: JoinHandle<()>,
    /// Tells the work that it began.
    over: Arc<AtomicBool>,
}

impl Resumer {
    /// Begins, unless it did.
    pub fn begin(&self, engine: &Arc<Engine>) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_none() {
            let over = Arc::new(AtomicBool::new(false));
            let task = tokio::spawn(run(engine.clone(), over.clone()));
            *running = Some(Running { task, over });
        }
    }

    /// Ends; what it has begun is left off at the next step.
    pub fn end(&self) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Running { task, over }) = running.take() {
            task.abort();
            over.store(true, Ordering::SeqCst);
        }
    }
}

impl Drop for Resumer {
    fn drop(&mut self) {
        self.end();
    }
}

async fn run(engine: Arc<Engine>, over: Arc<AtomicBool>) {
    let mut before = Left::new();
    let mut net = tokio::time::interval(NET);
    net.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        net.tick().await;
        // An engine that cannot be asked now is asked again.
        let Ok(left) = left_off(&engine).await else {
            continue;
        };
        // Between a change and the work on it nobody works for a moment: that is not left off.
        for (identity, _) in left.intersection(&before) {
            work::resume(&engine, identity, over.clone());
        }
        before = left;
    }
}

async fn left_off(engine: &Engine) -> Result<Left> {
    let all = engine.containers(&names::of_all()).await?;
    let ours: BTreeSet<Identity> = all
        .iter()
        .filter(|one| observe::is_ours(one))
        .filter_map(|one| foreign::identity_of(engine, one))
        .collect();
    let mut left = Left::new();
    for identity in ours {
        let containers = engine.containers(&names::of_server(&identity)).await?;
        // A record that cannot be read is somebody else's business.
        let observed = observe::observed(engine, &identity, containers).await;
        if let Ok(Some(observed)) = observed
            && observed.abandoned()
        {
            left.insert((identity, observed.generation));
        }
    }
    Ok(left)
}
