//! Waiting for the sessions of a server to end by themselves, to a deadline.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::model::{Identity, Sessions, Spec};

use super::{Progress, Service};

/// Between two looks at the page with the number of sessions; there is nothing to watch.
const PAUSE: Duration = Duration::from_millis(250);

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(2);

impl Service {
    /// Waits until no instance says that it has sessions, or `seconds` are over. A server that
    /// cannot be asked is not waited for: its grace period is what its sessions have.
    pub(super) async fn drain(&self, identity: &Identity, seconds: u32, progress: &dyn Progress) {
        let deadline = Instant::now() + Duration::from_secs(u64::from(seconds));
        let mut said = None;
        while Instant::now() < deadline {
            let Some(count) = self.sessions(identity).await else {
                progress.note(
                    identity,
                    "the number of sessions is not known, not waiting for them",
                );
                return;
            };
            if count == 0 {
                return;
            }
            if said != Some(count) {
                progress.note(identity, &format!("waiting for {count} sessions to end"));
                said = Some(count);
            }
            tokio::time::sleep_until(deadline.min(Instant::now() + PAUSE)).await;
        }
        progress.note(
            identity,
            &format!(
                "{} sessions are cut off after {seconds} s",
                said.unwrap_or(0)
            ),
        );
    }

    /// The sum of the sessions of all instances; none when no instance can be asked.
    pub async fn sessions(&self, identity: &Identity) -> Option<u64> {
        let observed = self.backend.observe(identity).await.ok()??;
        let spec: &Spec = observed.spec.as_deref()?;
        let page = spec.sessions.as_ref()?;
        let client = reqwest::Client::builder()
            .timeout(LOOK)
            .no_proxy()
            .build()
            .ok()?;
        let mut sum = None;
        for instance in &observed.instances {
            let counted = self.count(identity, &instance.name, page, &client).await;
            sum = counted.map_or(sum, |counted| Some(sum.unwrap_or(0) + counted));
        }
        sum
    }

    async fn count(
        &self,
        identity: &Identity,
        instance: &str,
        page: &Sessions,
        client: &reqwest::Client,
    ) -> Option<u64> {
        let reach = self.backend.reach(identity, Some(instance)).await.ok()?;
        let url = reach.base.join(&page.path).ok()?;
        let answer: Value = client.get(url).send().await.ok()?.json().await.ok()?;
        answer.pointer(&page.pointer)?.as_u64()
    }
}
