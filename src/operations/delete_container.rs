//! Delete Container.

use http::Method;
use url::Url;

use crate::{
    error::Result,
    models::LeaseId,
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::blob::{with_lease, write_lease},
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
};

/// Deletes a container with all its blobs: made by
/// [`BlobContainerClient::delete`](crate::BlobContainerClient::delete).
///
/// The service may take a while; until then the name cannot be used again (409
/// `ContainerBeingDeleted`).
///
/// [Delete Container](https://learn.microsoft.com/rest/api/storageservices/delete-container)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct DeleteContainer {
    call: Call,
    lease_id: Option<LeaseId>,
}

impl DeleteContainer {
    pub(crate) fn new(call: Call) -> Self {
        Self { call, lease_id: None }
    }
}

call_options!(DeleteContainer);
with_lease!(DeleteContainer);
awaitable!(DeleteContainer -> ());

impl Operation for DeleteContainer {
    type Output = ();

    const NAME: &'static str = "Delete Container";
    const REPEAT: Repeat = Repeat::Never;

    fn request(&self, url: Url) -> Result<Prepared> {
        let request = Prepared::new(Method::DELETE, url).query("restype", "container");
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}
