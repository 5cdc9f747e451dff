//! Copies into a blob: started, taken up again, aborted.

use super::{AppendBlobClient, BlobClient, BlockBlobClient, PageBlobClient};
use crate::{
    copy::{AbortPendingCopy, CopyFromUriOperation, StartCopyFromUri},
    models::CopyId,
    operations::{
        abort_copy::AbortCopy, copy_from_uri::CopyFromUri, settings::copy_source::CopySource,
    },
};

impl BlobClient {
    /// Starts a copy of a whole blob, snapshot or version into this one; what is there is
    /// overwritten.
    ///
    /// The service copies in the background. Small copies within an account are often over with the
    /// answer; others are watched through the [`CopyFromUriOperation`] that this gives.
    ///
    /// A start whose answer is lost is not repeated blindly: the destination is looked at first. A
    /// copy of this source that is pending, or that succeeded after the call began, is adopted
    /// ([`was_adopted`](CopyFromUriOperation::was_adopted)); one that failed or was aborted never
    /// is. Dates have whole seconds: a copy that ended within the second in which the call began is
    /// started again, unless the source cannot change. Every further attempt carries a condition
    /// that the destination is still as it was seen, unless the caller has set conditions.
    ///
    /// [Copy Blob](https://learn.microsoft.com/rest/api/storageservices/copy-blob)
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a source over 2 KiB, with a password in it, or that cannot be authorized;
    /// 409 `PendingCopyOperation` while another copy into this blob is pending;
    /// `CannotVerifyCopySource` when the service cannot read the source.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    ///
    /// let mut copy = backup.start_copy_from_uri(&notes).metadata([("origin", "vhds")]).await?;
    /// copy.wait().await?;
    /// # Ok(()) });
    /// ```
    pub fn start_copy_from_uri(&self, source: impl Into<CopySource>) -> StartCopyFromUri {
        StartCopyFromUri::new(&self.0, source.into())
    }

    /// Copies a block blob of at most 256 MiB into this one, and waits for its end in one call: the
    /// answer says that the copy is made. What is there is overwritten.
    ///
    /// The service takes nothing on trust here: a source within the same account too must carry a
    /// SAS, be public, or come with a bearer token. A [`CopySource`] made of a client sees to it.
    ///
    /// [Copy Blob From URL](https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url)
    /// (from version 2018-03-28)
    ///
    /// # Errors
    ///
    /// `CannotVerifyCopySource` when the service cannot read the source, and with 409 when it is
    /// longer than 256 MiB.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    /// let copied = backup.copy_from_uri(&notes).metadata([("origin", "vhds")]).await?;
    /// println!("copy {} is made", copied.copy_id);
    /// # Ok(()) });
    /// ```
    pub fn copy_from_uri(&self, source: impl Into<CopySource>) -> CopyFromUri {
        CopyFromUri::new(self.call(), source.into())
    }

    /// Takes up a copy into this blob that was started before. Sends nothing.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # let id = blob.start_copy_from_uri(&source).await?.id().clone();
    /// let done = blob.resume_copy(id).wait().await?;
    /// println!("{:?} bytes", done.bytes_copied);
    /// # Ok(()) });
    /// ```
    pub fn resume_copy(&self, id: CopyId) -> CopyFromUriOperation {
        CopyFromUriOperation::resumed(self.0.clone(), id)
    }

    /// Aborts the pending copy `id`, strictly as the service answers: 409 `NoPendingCopyOperation`
    /// for a copy that has ended, 409 `CopyIdMismatch` while another is pending.
    ///
    /// ```
    /// use blobcopy::ErrorCode;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = blob.start_copy_from_uri(&source).await?;
    /// copy.wait().await?;
    /// let error = blob.abort_copy(copy.id()).await.unwrap_err();
    /// assert_eq!(error.code(), Some(&ErrorCode::NoPendingCopyOperation));
    /// # Ok(()) });
    /// ```
    pub fn abort_copy(&self, id: &CopyId) -> AbortCopy {
        AbortCopy::new(self.call(), id.clone())
    }

    /// Finds the copy that is pending into this blob, and aborts it.
    ///
    /// # Errors
    ///
    /// `NoCopyProperties` for a blob that tells of no copy.
    ///
    /// ```
    /// use blobcopy::AbortOutcome;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # blob.start_copy_from_uri(&source).await?.wait().await?;
    /// let outcome = blob.abort_pending_copy().await?;
    /// assert!(matches!(outcome, AbortOutcome::AlreadyFinished(_)));
    /// # Ok(()) });
    /// ```
    pub fn abort_pending_copy(&self) -> AbortPendingCopy {
        AbortPendingCopy::new(&self.0)
    }
}

impl CopyFromUriOperation {
    /// The destination.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let copy = blob.start_copy_from_uri(&source).await?;
    /// assert_eq!(copy.blob().name(), "notes.txt");
    /// # Ok(()) });
    /// ```
    pub fn blob(&self) -> BlobClient {
        BlobClient(self.destination().clone())
    }
}

impl From<&BlobClient> for CopySource {
    fn from(blob: &BlobClient) -> Self {
        Self::of_blob(&blob.0)
    }
}

macro_rules! source_of {
    ($($client:ident),+) => {
        $(
            impl From<&$client> for CopySource {
                fn from(blob: &$client) -> Self {
                    Self::from(&**blob)
                }
            }
        )+
    };
}
source_of!(AppendBlobClient, BlockBlobClient, PageBlobClient);
