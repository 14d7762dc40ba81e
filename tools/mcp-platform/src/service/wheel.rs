//! The wheel of a deployment, found before anything is changed, so that another file under the same
//! name is another revision.

use crate::backend::FoundWheel;
use crate::error::Result;
use crate::model::{Identity, Spec};

use super::{Progress, Service};

impl Service {
    /// The wheel that is meant; none when none is named or the back end runs none.
    ///
    /// # Errors
    /// There is no such file, or more than one.
    pub(super) async fn find_wheel(
        &self,
        identity: &Identity,
        wheel: Option<&String>,
        progress: &dyn Progress,
    ) -> Result<Option<FoundWheel>> {
        let Some(wheel) = wheel else { return Ok(None) };
        let found = self.backend.find_wheel(wheel).await?;
        if let Some(found) = &found {
            let hash = found
                .sha256
                .as_deref()
                .map(|sha256| format!(", sha256 {sha256}"));
            let hash = hash.unwrap_or_else(|| ", from the package index".to_owned());
            progress.note(identity, &format!("wheel {}{hash}", found.wheel));
        }
        Ok(found)
    }
}

/// Names the wheel in a specification.
pub(super) fn put(found: Option<&FoundWheel>, spec: &mut Spec) {
    if let Some(found) = found {
        spec.run.wheel = Some(found.wheel.clone());
        spec.provenance.wheel_sha256.clone_from(&found.sha256);
    }
}
