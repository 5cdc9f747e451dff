//! Finding the pending copy into a blob.

use super::operation::CopyFromUriOperation;
use crate::{
    error::Result,
    models::{LeaseId, since},
    operations::{
        blob_ref::BlobRef,
        get_copy_properties::GetCopyProperties,
        operation::{Call, call_options},
        settings::access::with_lease,
    },
    wire::transport::BoxFuture,
};

/// Finds the pending copy into a blob: returned by
/// [`BlobClient::resume_pending_copy`](crate::BlobClient::resume_pending_copy).
///
/// [Get Blob Properties](https://learn.microsoft.com/rest/api/storageservices/get-blob-properties)
/// (with copies from version 2012-02-12)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct ResumePendingCopy {
    call: Call,
    blob: BlobRef,
    lease_id: Option<LeaseId>,
}

impl ResumePendingCopy {
    pub(crate) fn new(blob: &BlobRef) -> Self {
        Self { call: blob.call(), blob: blob.clone(), lease_id: None }
    }

    async fn run(self) -> Result<Option<CopyFromUriOperation>> {
        self.call.since(since::ASYNCHRONOUS_COPY)?;
        let options = self.call.options.clone();
        let call = self.call.at_primary();
        let properties = call.run(&GetCopyProperties).await?;
        let pending = properties.copy.filter(|state| !state.status.is_final());
        let Some(state) = pending else { return Ok(None) };
        let incremental = properties.is_incremental_copy;
        let copy = CopyFromUriOperation::found(self.blob, state, incremental).with_options(options);
        Ok(Some(match self.lease_id {
            Some(lease) => copy.with_lease(lease),
            None => copy,
        }))
    }
}

call_options!(ResumePendingCopy);
with_lease!(ResumePendingCopy);

impl IntoFuture for ResumePendingCopy {
    type Output = Result<Option<CopyFromUriOperation>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
