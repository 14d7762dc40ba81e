//! The image of a deployment, found before anything is changed.

use crate::error::Result;
use crate::image::{Found, find};
use crate::model::{Identity, ImageReference};
use crate::template::Template;

use super::{Progress, Service, UpdateRequest};

impl Service {
    /// The image that a deployment takes; none on back ends that run none.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn find_image(
        &self,
        identity: &Identity,
        template: &Template,
        given: Option<&ImageReference>,
        progress: &dyn Progress,
    ) -> Result<Option<Found>> {
        let Some(settings) = self.backend.images() else {
            return Ok(None);
        };
        let say = |line: &str| progress.note(identity, line);
        let present = self.backend.observe(identity).await?;
        let present = present.and_then(|observed| observed.spec);
        let find = find(
            &*self.backend,
            settings,
            &template.image,
            given,
            present.as_deref(),
            &say,
        );
        find.await
    }

    /// The image that an update names; none when it names none, and the present one stays.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn find_new_image(
        &self,
        identity: &Identity,
        update: &UpdateRequest,
        progress: &dyn Progress,
    ) -> Result<Option<Found>> {
        let (Some(image), Some(spec)) = (&update.image, self.found(identity).await?.spec) else {
            return Ok(None);
        };
        let template = self.catalogue.get(&spec.template)?;
        self.find_image(identity, template, Some(image), progress)
            .await
    }
}
