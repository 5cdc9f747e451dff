//! Delete Container.

use crate::{
    error::Result,
    models::LeaseId,
    operations::{
        operation::{Operation, builder},
        settings::access::with_lease,
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
};

builder! {
    /// Deletes a container and all blobs in it.
    ///
    /// Returned by [`BlobContainerClient::delete`](crate::BlobContainerClient::delete).
    ///
    /// The service deletes in the background. Until it is done, creating a container with the same
    /// name fails with 409 `ContainerBeingDeleted`.
    ///
    /// [Delete Container](https://learn.microsoft.com/rest/api/storageservices/delete-container)
    DeleteContainer of Delete -> ()
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Delete {
    lease_id: Option<LeaseId>,
}

with_lease!(DeleteContainer, operation);

impl Operation for Delete {
    type Output = ();

    const NAME: &'static str = "Delete Container";
    const EFFECT: Effect = Effect::Once;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.delete().query("restype", "container").settings(&self.lease_id).done()
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}
