//! Delete Blob.

use http::{HeaderValue, Method};
use url::Url;

use crate::{
    error::{Error, Result},
    models::{Conditions, ErrorCode, LeaseId},
    operations::{
        operation::{Call, Operation, call_options},
        settings::blob::{with_conditions, with_lease, write_lease},
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::{headers, transport::BoxFuture},
};

/// What becomes of a blob's snapshots when the blob is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeleteSnapshots {
    /// They are deleted with the blob.
    Include,
    /// Only they are deleted; the blob stays.
    Only,
}

/// Deletes a blob, its snapshots, or one snapshot: made by
/// [`BlobClient::delete`](crate::BlobClient::delete).
///
/// A blob with snapshots is refused with 409 `SnapshotsPresent` unless
/// [`snapshots`](DeleteBlob::snapshots) says what becomes of them. A repeat that finds nothing, after
/// a try whose answer was lost, counts as done.
///
/// [Delete Blob](https://learn.microsoft.com/rest/api/storageservices/delete-blob)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct DeleteBlob {
    call: Call,
    snapshots: Option<DeleteSnapshots>,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl DeleteBlob {
    pub(crate) fn new(call: Call) -> Self {
        Self { call, snapshots: None, conditions: Conditions::new(), lease_id: None }
    }

    /// Deletes the snapshots too, or only them. Not for a client of a single snapshot.
    pub fn snapshots(mut self, snapshots: DeleteSnapshots) -> Self {
        self.snapshots = Some(snapshots);
        self
    }
}

call_options!(DeleteBlob);
with_conditions!(DeleteBlob);
with_lease!(DeleteBlob);

impl IntoFuture for DeleteBlob {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'static, Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.call.run_to_end(&self, is_gone).await })
    }
}

fn is_gone(error: &Error) -> bool {
    matches!(error.code(), Some(ErrorCode::BlobNotFound | ErrorCode::ResourceNotFound))
}

impl Operation for DeleteBlob {
    type Output = ();

    const NAME: &'static str = "Delete Blob";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        self.conditions.check_write("conditions")?;
        let one = url.query().is_some_and(|query| query.contains("snapshot="));
        let mut request = Prepared::new(Method::DELETE, url);
        if let Some(snapshots) = self.snapshots {
            if one {
                let rule = "must not be set to delete a single snapshot";
                return Err(Error::invalid("snapshots", format!("{snapshots:?}"), rule));
            }
            let word = match snapshots {
                DeleteSnapshots::Include => "include",
                DeleteSnapshots::Only => "only",
            };
            request = request.header(headers::DELETE_SNAPSHOTS, HeaderValue::from_static(word));
        }
        self.conditions.write("conditions", &mut request.headers)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}
