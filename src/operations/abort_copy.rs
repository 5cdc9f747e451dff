//! Abort Copy Blob.

use crate::{
    error::Result,
    models::{CopyId, LeaseId},
    operations::{
        operation::{Operation, builder},
        settings::access::with_lease,
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

builder! {
    /// Aborts a pending copy; the service refuses a copy that has ended or has another id.
    ///
    /// Returned by [`BlobClient::abort_copy`](crate::BlobClient::abort_copy).
    ///
    /// [Abort Copy Blob](https://learn.microsoft.com/rest/api/storageservices/abort-copy-blob)
    /// (from version 2012-02-12)
    AbortCopy of Abort -> ()
}

#[derive(Debug, Clone)]
pub(crate) struct Abort {
    copy_id: CopyId,
    pub(crate) lease_id: Option<LeaseId>,
}

impl Abort {
    pub(crate) fn new(copy_id: CopyId) -> Self {
        Self { copy_id, lease_id: None }
    }
}

with_lease!(AbortCopy, operation);

impl Operation for Abort {
    type Output = ();

    const NAME: &'static str = "Abort Copy Blob";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .query("comp", "copy")
            .query("copyid", self.copy_id.as_str())
            .word(headers::COPY_ACTION, "abort")
            .settings(&self.lease_id)
            .done()
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}
