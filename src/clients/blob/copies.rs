//! Copies into a blob: starting, resuming and aborting them.

use super::{AppendBlobClient, BlobClient, BlockBlobClient, PageBlobClient};
use crate::{
    copy::{AbortPendingCopy, CopyFromUriOperation, ResumePendingCopy, StartCopyFromUri},
    models::{CopyId, CopyState},
    operations::{
        abort_copy::{Abort, AbortCopy},
        copy_from_uri::{CopyBlobFromUrl, CopyFromUri},
        settings::copy_source::{CopySource, SourceIdentity},
    },
};

/// # Copies into this blob
impl BlobClient {
    /// Starts a copy of a whole blob, snapshot or version into this blob. Overwrites an existing
    /// blob.
    ///
    /// Awaiting it gives [`CopyFromUriOperation`](crate::CopyFromUriOperation).
    ///
    /// The service copies in the background. A small copy within an account has often ended when
    /// the service responds; otherwise use the operation to wait for the end.
    ///
    /// If the response to a start is lost, the client reads the destination's properties before it
    /// sends the start again. It adopts a copy of this source that is pending, or that succeeded
    /// after the call began ([`was_adopted`](CopyFromUriOperation::was_adopted)), but never one
    /// that failed or was aborted. The service's dates have whole seconds: a copy that ended within
    /// the second in which the call began is started again, unless the source cannot change. Unless
    /// you set conditions on the destination, every later attempt requires that it is unchanged
    /// since it was read.
    ///
    /// [Copy Blob](https://learn.microsoft.com/rest/api/storageservices/copy-blob)
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a source over 2 KiB, with a password in it, or that cannot be authorized,
    /// and for a service version before 2012-02-12; 409 `PendingCopyOperation` while another copy
    /// into this blob is pending; `CannotVerifyCopySource` if the service cannot read the source.
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
    #[doc(alias(
        "StartCopyFromUri",
        "start_copy_from_url",
        "beginCopyFromURL",
        "Copy Blob",
        "CopyBlob"
    ))]
    pub fn start_copy_from_uri(&self, source: impl Into<CopySource>) -> StartCopyFromUri {
        StartCopyFromUri::new(&self.0, source.into())
    }

    /// Copies a block blob of at most 256 MiB into this blob in one synchronous call: the copy is
    /// complete when the service responds. Overwrites an existing blob.
    ///
    /// Awaiting it gives [`BlobCopyInfo`](crate::BlobCopyInfo).
    ///
    /// The source must be authorized, even within the same account: by a SAS or a bearer token, or
    /// by being public. A [`CopySource`] made from a client does that.
    ///
    /// [Copy Blob From URL](https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url)
    /// (from version 2018-03-28)
    ///
    /// Before version 2012-02-12 this sends Copy Blob, which was synchronous then. It copies blobs
    /// of any type and size within the same account, and the source needs no authorization of its
    /// own.
    ///
    /// # Errors
    ///
    /// `CannotVerifyCopySource` if the service cannot read the source, and with 409 if the source
    /// is longer than 256 MiB.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    /// let copied = backup.copy_from_uri(&notes).metadata([("origin", "vhds")]).await?;
    /// println!("made by copy {:?}, ETag {:?}", copied.copy_id, copied.etag);
    /// # Ok(()) });
    /// ```
    #[doc(alias(
        "SyncCopyFromUri",
        "requires_sync",
        "syncCopyFromURL",
        "Copy Blob From URL",
        "CopyBlobFromURL"
    ))]
    pub fn copy_from_uri(&self, source: impl Into<CopySource>) -> CopyFromUri {
        let endpoint = self.0.endpoint().clone();
        CopyFromUri::new(self.call(), CopyBlobFromUrl::new(endpoint, source.into()))
    }

    /// Resumes watching a copy into this blob that was started earlier. Sends nothing.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # let id = blob.start_copy_from_uri(&source).await?.id().clone();
    /// let done = blob.resume_copy(id).wait().await?;
    /// println!("copied at {:?}", done.completed_on);
    /// # Ok(()) });
    /// ```
    #[doc(alias = "CopyFromUriOperation")]
    pub fn resume_copy(&self, id: impl Into<CopyId>) -> CopyFromUriOperation {
        CopyFromUriOperation::resumed(self.0.clone(), id.into())
    }

    /// Finds the pending copy into this blob, to watch it if its id is lost.
    ///
    /// Awaiting it gives a [`CopyFromUriOperation`], or `None` if no copy is pending because the
    /// last one has ended or there was none.
    ///
    /// ```
    /// use std::time::Duration;
    /// use blobcopy_simulator::Simulator;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(async {
    /// let sim = Simulator::builder().copy_duration(Duration::from_secs(60)).build();
    /// let container = sim.service_client()?.container_client("vhds");
    /// container.create().await?;
    /// let notes = container.block_blob_client("notes.txt");
    /// notes.upload("some notes").await?;
    /// let copy = container.blob_client("copy.txt");
    /// let started = copy.start_copy_from_uri(&notes).await?;
    ///
    /// let mut found = copy.resume_pending_copy().await?.expect("it is pending");
    /// assert_eq!(found.id(), started.id());
    /// found.wait().await?;
    /// assert!(copy.resume_pending_copy().await?.is_none());
    /// # Ok::<(), blobcopy::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "CopyFromUriOperation")]
    pub fn resume_pending_copy(&self) -> ResumePendingCopy {
        ResumePendingCopy::new(&self.0)
    }

    /// Whether this blob is the source of a copy, by the URL that the service returned for it.
    /// Sends nothing.
    ///
    /// Account, container, name, snapshot and version are compared, whatever the form of the URL.
    /// `false` if the state names no source.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    /// let state = backup.start_copy_from_uri(&notes).await?.poll().await?;
    /// assert!(notes.is_source_of(&state) && !backup.is_source_of(&state));
    /// # Ok(()) });
    /// ```
    pub fn is_source_of(&self, copy: &CopyState) -> bool {
        let (Ok(own), Some(source)) = (self.0.url(), &copy.source) else { return false };
        Self::is_one_source(own.as_str(), source.expose())
    }

    /// Whether two URLs are of one source, whatever the forms in which they are written.
    pub(crate) fn is_one_source(one: &str, other: &str) -> bool {
        let one = SourceIdentity::of(one);
        one.is_some() && one == SourceIdentity::of(other)
    }

    /// Aborts the pending copy `id`, and returns exactly what the service says: 409
    /// `NoPendingCopyOperation` for a copy that has ended, 409 `CopyIdMismatch` while another copy
    /// is pending.
    ///
    /// Awaiting it gives `()`.
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
    #[doc(alias("AbortCopyFromUri", "Abort Copy Blob", "abort_copy_from_url", "AbortCopyBlob"))]
    pub fn abort_copy(&self, id: impl Into<CopyId>) -> AbortCopy {
        AbortCopy::new(self.call(), Abort::new(id.into()))
    }

    /// Finds the pending copy into this blob and aborts it.
    ///
    /// Awaiting it gives [`AbortOutcome`](crate::AbortOutcome), even if nothing is pending.
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
    #[doc(alias("Abort Copy Blob", "AbortCopyFromUri", "AbortCopyBlob"))]
    pub fn abort_pending_copy(&self) -> AbortPendingCopy {
        AbortPendingCopy::new(&self.0)
    }
}

/// # The destination
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
