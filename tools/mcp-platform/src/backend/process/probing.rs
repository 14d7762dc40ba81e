//! Watches one instance from outside: whether it lives, whether it takes sessions.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Cause, Fault, Probe, Spec};
use crate::world::now;

use super::keeper::Keeper;
use super::look::{listens, well};

/// Ready for so long, it counts as healed.
pub const STABLE: Duration = Duration::from_secs(10);
/// The first looks follow each other as fast as this.
const FIRST: Duration = Duration::from_millis(100);

/// One page that is looked at.
struct Page<'a> {
    probe: Option<&'a Probe>,
    failures: u32,
    next: Instant,
}

impl Page<'_> {
    fn period(&self) -> Duration {
        Duration::from_secs(
            self.probe
                .map_or(2, |probe| u64::from(probe.period_seconds.max(1))),
        )
    }

    fn limit(&self) -> u32 {
        self.probe.map_or(3, |probe| probe.failures.max(1))
    }

    fn initial(&self) -> Duration {
        Duration::from_secs(
            self.probe
                .map_or(0, |probe| u64::from(probe.initial_seconds)),
        )
    }

    async fn look(&self, port: u16) -> Result<(), String> {
        match self.probe {
            Some(probe) => well(port, &probe.path).await,
            None => listens(port).await,
        }
    }
}

/// Looks again and again, and says what it sees; returns, with the reason, when the instance does
/// not live any more by its health page. `settled` says whether it was started the first time.
pub async fn watch(
    keeper: &Keeper,
    instance: &str,
    spec: &Spec,
    port: u16,
    settled: bool,
) -> String {
    let begun = Instant::now();
    let mut health = Page {
        probe: spec.health.as_ref(),
        failures: 0,
        next: begun,
    };
    health.next += health.period().max(health.initial());
    let probe = spec.ready.as_ref().or(spec.health.as_ref());
    let mut ready = Page {
        probe,
        failures: 0,
        next: begun,
    };
    let mut since: Option<Instant> = None;
    loop {
        tokio::time::sleep_until(ready.next.min(health.next)).await;
        if ready.next <= Instant::now() {
            let seen = ready.look(port).await;
            judge_ready(
                keeper, instance, &mut ready, &mut since, seen, begun, settled,
            );
        }
        if health.probe.is_none() {
            health.next = ready.next;
        } else if health.next <= Instant::now() {
            let seen = health.look(port).await;
            health.next = Instant::now() + health.period();
            match seen {
                Ok(()) => health.failures = 0,
                Err(why) => {
                    health.failures += 1;
                    keeper.warn(instance, "Unhealthy", &why);
                    if health.failures >= health.limit() {
                        return why;
                    }
                }
            }
        }
    }
}

fn judge_ready(
    keeper: &Keeper,
    instance: &str,
    ready: &mut Page<'_>,
    since: &mut Option<Instant>,
    seen: Result<(), String>,
    begun: Instant,
    settled: bool,
) {
    match seen {
        Ok(()) => {
            ready.failures = 0;
            let first = since.is_none();
            let since = *since.get_or_insert_with(Instant::now);
            let healed = settled || since.elapsed() >= STABLE;
            keeper.instance(instance, |state| {
                state.ready = true;
                let probe = state
                    .fault
                    .as_ref()
                    .is_some_and(|fault| fault.cause == Cause::Probe);
                if healed || probe {
                    state.fault = None;
                }
            });
            if first {
                keeper.note(instance, "Ready", "takes sessions");
            }
            let healing = if healed { ready.period() } else { STABLE };
            ready.next = Instant::now() + ready.period().min(healing);
        }
        Err(why) => {
            ready.failures += 1;
            let grown = begun.elapsed() / 10;
            ready.next = Instant::now() + ready.period().min(grown.max(FIRST));
            let was = since.is_some();
            let patience = ready.initial() + ready.period() * ready.limit();
            let lost = was && ready.failures >= ready.limit();
            let late = !was && begun.elapsed() >= patience;
            if was {
                ready.next = Instant::now() + ready.period();
            }
            if lost {
                *since = None;
                keeper.warn(instance, "Unready", &why);
            }
            keeper.instance(instance, |state| {
                if lost {
                    state.ready = false;
                }
                if (lost || late) && state.fault.is_none() {
                    state.fault = Some(Fault {
                        cause: Cause::Probe,
                        message: why,
                        since: Some(now()),
                    });
                }
            });
        }
    }
}
