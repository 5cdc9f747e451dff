//! Delete Blob.

use http::HeaderValue;

use crate::{
    error::{Error, Result},
    models::ErrorCode,
    operations::{
        operation::{Operation, builder},
        settings::access::{Access, with_conditions, with_lease},
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{headers, transport::BoxFuture},
};

/// What to do with a blob's snapshots when the blob is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeleteSnapshots {
    /// Deletes the blob and its snapshots.
    Include,
    /// Deletes only the snapshots; the blob stays.
    Only,
}

builder! {
    /// Deletes a blob, its snapshots, or one snapshot.
    ///
    /// Returned by [`BlobClient::delete`](crate::BlobClient::delete).
    ///
    /// The service answers 409 `SnapshotsPresent` for a blob with snapshots unless
    /// [`snapshots`](DeleteBlob::snapshots) is set. If a response is lost and the retry finds no
    /// blob, the blob counts as deleted.
    ///
    /// [Delete Blob](https://learn.microsoft.com/rest/api/storageservices/delete-blob)
    DeleteBlob of Delete
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Delete {
    snapshots: Option<DeleteSnapshots>,
    access: Access,
}

impl Delete {
    /// Refuses the setting `snapshots` for a single snapshot.
    fn check(&self, to: &Target) -> Result<()> {
        match self.snapshots {
            Some(snapshots) if to.url.query().is_some_and(|query| query.contains("snapshot=")) => {
                let rule = "must not be set to delete a single snapshot";
                Err(Error::invalid("snapshots", format!("{snapshots:?}"), rule))
            }
            _ => Ok(()),
        }
    }
}

impl DeleteBlob {
    /// Deletes the snapshots too, or only them. A client of a single snapshot must not set it.
    #[doc(alias("DeleteSnapshotsOption", "delete_snapshots"))]
    pub fn snapshots(mut self, snapshots: DeleteSnapshots) -> Self {
        self.operation.snapshots = Some(snapshots);
        self
    }
}

with_conditions!(DeleteBlob, operation.access);
with_lease!(DeleteBlob, operation.access);

impl IntoFuture for DeleteBlob {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'static, Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.call.run_to_end(&self.operation, is_gone).await })
    }
}

fn is_gone(error: &Error) -> bool {
    matches!(error.code(), Some(ErrorCode::BlobNotFound | ErrorCode::ResourceNotFound))
}

impl Operation for Delete {
    type Output = ();

    const NAME: &'static str = "Delete Blob";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let word = self.snapshots.map(|snapshots| match snapshots {
            DeleteSnapshots::Include => HeaderValue::from_static("include"),
            DeleteSnapshots::Only => HeaderValue::from_static("only"),
        });
        to.delete()
            .check(self.check(to))
            .header(headers::DELETE_SNAPSHOTS, word)
            .settings(&self.access)
            .done()
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}
