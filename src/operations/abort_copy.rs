//! Abort Copy Blob.

use http::{HeaderValue, Method};
use url::Url;

use crate::{
    error::Result,
    models::{CopyId, LeaseId, ServiceVersion},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::blob::{with_lease, write_lease},
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::headers,
};

/// Aborts a pending copy, strictly as the service answers: made by
/// [`BlobClient::abort_copy`](crate::BlobClient::abort_copy).
///
/// [Abort Copy Blob](https://learn.microsoft.com/rest/api/storageservices/abort-copy-blob)
/// (from version 2012-02-12)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct AbortCopy {
    call: Call,
    copy_id: CopyId,
    lease_id: Option<LeaseId>,
}

impl AbortCopy {
    pub(crate) fn new(call: Call, copy_id: CopyId) -> Self {
        Self { call, copy_id, lease_id: None }
    }
}

call_options!(AbortCopy);
with_lease!(AbortCopy);
awaitable!(AbortCopy -> ());

impl Operation for AbortCopy {
    type Output = ();

    const NAME: &'static str = "Abort Copy Blob";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        self.call.since(ServiceVersion::ASYNCHRONOUS_COPY, "the abort of a copy")?;
        let request = Prepared::new(Method::PUT, url)
            .query("comp", "copy")
            .query("copyid", self.copy_id.as_str())
            .header(headers::COPY_ACTION, HeaderValue::from_static("abort"));
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}
