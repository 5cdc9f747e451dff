//! A blob of any type.

use std::{fmt, ops::Deref, sync::Arc};

use url::Url;

use super::{BlockBlobClient, PageBlobClient, service::blob_at};
use crate::{
    auth::credential::Credential,
    copy::{AbortPendingCopy, CopyFromUriOperation, CopySource, StartCopyFromUri},
    error::Result,
    models::{CopyId, SnapshotId, VersionId, address::Endpoint},
    operations::{
        BadName, Call, Target, abort_copy::AbortCopy, create_snapshot::CreateSnapshot,
        delete_blob::DeleteBlob, download::DownloadBlob, exists::Exists,
        get_properties::GetProperties,
    },
    pipeline::{options::ClientOptions, request::Prepared, send::Pipeline},
};

/// One blob, a snapshot or a version of one, whatever its type. Cheap to clone; making one sends
/// nothing.
///
/// ```
/// # blobcopy::simulator::example(async |service| {
/// let notes = service.container_client("vhds").blob_client("notes.txt");
/// println!("{} bytes", notes.get_properties().await?.content_length);
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct BlobClient(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    pipeline: Arc<Pipeline>,
    endpoint: Endpoint,
    container: String,
    name: String,
    snapshot: Option<SnapshotId>,
    version: Option<VersionId>,
    target: Target,
}

impl BlobClient {
    pub(crate) fn of(
        pipeline: Arc<Pipeline>,
        endpoint: Endpoint,
        container: &str,
        name: &str,
    ) -> Self {
        let target = BadName::target(endpoint.blob_url(container, name));
        let (container, name) = (container.to_owned(), name.to_owned());
        let (snapshot, version) = (None, None);
        Self(Arc::new(Parts { pipeline, endpoint, container, name, snapshot, version, target }))
    }

    /// The blob at `url`, such as `https://account.blob.core.windows.net/vhds/disk0.vhd`; its query
    /// may hold a SAS, with [`Credential::anonymous`], and name a snapshot or version.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the URL names no blob, or contradicts the credential.
    ///
    /// ```
    /// use blobcopy::{BlobClient, Credential};
    ///
    /// let url = "https://account.blob.core.windows.net/vhds/disk0.vhd?sv=2026-04-06&sr=b&sp=r&sig=c2VjcmV0";
    /// let disk = BlobClient::new(url.parse()?, Credential::anonymous())?;
    /// assert_eq!(disk.name(), "disk0.vhd");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(url: Url, credential: Credential) -> Result<Self> {
        Self::with_options(url, credential, ClientOptions::new())
    }

    /// The same, with options.
    ///
    /// ```
    /// use blobcopy::{BlobClient, ClientOptions, Credential, RetryOptions};
    ///
    /// let url = "https://account.blob.core.windows.net/public/disk0.vhd".parse()?;
    /// let options = ClientOptions::new().retry(RetryOptions::none());
    /// let disk = BlobClient::with_options(url, Credential::anonymous(), options)?;
    /// # let _ = disk;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_options(url: Url, credential: Credential, options: ClientOptions) -> Result<Self> {
        blob_at(&url, credential, options)
    }

    /// The blob's name, not encoded.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("a folder/100%.vhd");
    /// assert_eq!(blob.name(), "a folder/100%.vhd");
    /// # Ok(()) });
    /// ```
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The name of the blob's container.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("disk0.vhd");
    /// assert_eq!(blob.container_name(), "vhds");
    /// # Ok(()) });
    /// ```
    pub fn container_name(&self) -> &str {
        &self.0.container
    }

    /// The blob's URL, with its snapshot or version and without a SAS; fails for a name that no
    /// container or blob can have.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("a folder/100%.vhd");
    /// assert!(blob.url()?.path().ends_with("/vhds/a%20folder/100%25.vhd"));
    /// # Ok(()) });
    /// ```
    pub fn url(&self) -> Result<Url> {
        Ok(self.0.target.clone()?)
    }

    /// The snapshot that this client reads, if it is one.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("disk0.vhd");
    /// assert!(blob.snapshot().is_none());
    /// # Ok(()) });
    /// ```
    pub fn snapshot(&self) -> Option<&SnapshotId> {
        self.0.snapshot.as_ref()
    }

    /// The version that this client reads, if it is one.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("disk0.vhd");
    /// assert!(blob.version_id().is_none());
    /// # Ok(()) });
    /// ```
    pub fn version_id(&self) -> Option<&VersionId> {
        self.0.version.as_ref()
    }

    /// A client of one snapshot of this blob: read-only, and deleted by itself.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let disk = service.container_client("vhds").blob_client("disk0.vhd");
    /// let taken = disk.create_snapshot().await?;
    /// let content = disk.with_snapshot(&taken.snapshot).download().await?.bytes().await?;
    /// # let _ = content;
    /// # Ok(()) });
    /// ```
    pub fn with_snapshot(&self, snapshot: impl Into<SnapshotId>) -> Self {
        self.at(Some(snapshot.into()), None)
    }

    /// A client of one version of this blob (from version 2019-12-12).
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("disk0.vhd");
    /// let version = "2026-01-01T00:00:00.1234567Z".parse::<blobcopy::VersionId>()?;
    /// assert!(blob.with_version(&version).url()?.query().is_some());
    /// # Ok(()) });
    /// ```
    pub fn with_version(&self, version: impl Into<VersionId>) -> Self {
        self.at(None, Some(version.into()))
    }

    pub(super) fn at(&self, snapshot: Option<SnapshotId>, version: Option<VersionId>) -> Self {
        let mut parts = (*self.0).clone();
        parts.target =
            BadName::target(parts.endpoint.blob_url(&parts.container, &parts.name)).map(|url| {
                let mut request = Prepared::new(http::Method::GET, url);
                if let Some(snapshot) = &snapshot {
                    request = request.query("snapshot", snapshot.as_str());
                }
                if let Some(version) = &version {
                    request = request.query("versionid", version.as_str());
                }
                request.url
            });
        (parts.snapshot, parts.version) = (snapshot, version);
        Self(Arc::new(parts))
    }

    /// The same blob, for what only page blobs can do.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let disk = service.container_client("vhds").blob_client("disk0.vhd").page_blob_client();
    /// disk.clear_pages(0, 512).await?;
    /// # Ok(()) });
    /// ```
    pub fn page_blob_client(&self) -> PageBlobClient {
        PageBlobClient::of(self.clone())
    }

    /// The same blob, for what only block blobs can do.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt").block_blob_client();
    /// notes.upload("new notes").await?;
    /// # Ok(()) });
    /// ```
    pub fn block_blob_client(&self) -> BlockBlobClient {
        BlockBlobClient::of(self.clone())
    }

    /// Reads the blob's properties, its metadata, and what is known of the last copy into it.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let properties = notes.get_properties().await?;
    /// println!("{} bytes, {:?}", properties.content_length, properties.blob_type);
    /// # Ok(()) });
    /// ```
    pub fn get_properties(&self) -> GetProperties {
        GetProperties::new(self.call())
    }

    /// Whether the blob exists.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let vhds = service.container_client("vhds");
    /// assert!(vhds.blob_client("notes.txt").exists().await?);
    /// assert!(!vhds.blob_client("no such blob").exists().await?);
    /// # Ok(()) });
    /// ```
    pub fn exists(&self) -> Exists {
        Exists::blob(self.call())
    }

    /// Starts a copy of a whole blob, snapshot or version into this one; what is there is overwritten.
    ///
    /// The service copies in the background. Small copies within an account are often over with the
    /// answer; others are watched through the [`CopyFromUriOperation`] that this gives.
    ///
    /// A start whose answer is lost is not repeated blindly: if the destination carries a copy of this
    /// source that cannot have ended before the call began, that copy is taken on. Where whole seconds
    /// leave that open, and the source can change, the copy is started again.
    ///
    /// [Copy Blob](https://learn.microsoft.com/rest/api/storageservices/copy-blob)
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a source over 2 KiB, with a password in it, or that cannot be authorized; 409
    /// `PendingCopyOperation` while another copy into this blob is pending; `CannotVerifyCopySource`
    /// when the service cannot read the source.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    ///
    /// let mut copy = backup.start_copy_from_uri(&notes).metadata([("origin", "vhds")]).await?;
    /// copy.wait().await?;
    /// # Ok(()) });
    /// ```
    pub fn start_copy_from_uri(&self, source: impl Into<CopySource>) -> StartCopyFromUri {
        StartCopyFromUri::new(self, source.into())
    }

    /// Takes up a copy into this blob that was started before. Sends nothing.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # let id = blob.start_copy_from_uri(&source).await?.id().clone();
    /// let done = blob.resume_copy(id).wait().await?;
    /// println!("{:?} bytes", done.bytes_copied);
    /// # Ok(()) });
    /// ```
    pub fn resume_copy(&self, id: CopyId) -> CopyFromUriOperation {
        CopyFromUriOperation::resumed(self.clone(), id)
    }

    /// Aborts the pending copy `id`, strictly as the service answers: 409 `NoPendingCopyOperation` for
    /// a copy that has ended, 409 `CopyIdMismatch` while another is pending.
    ///
    /// ```
    /// use blobcopy::ErrorCode;
    ///
    /// # blobcopy::simulator::example(async |service| {
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
    /// # blobcopy::simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # blob.start_copy_from_uri(&source).await?.wait().await?;
    /// let outcome = blob.abort_pending_copy().await?;
    /// assert!(matches!(outcome, AbortOutcome::AlreadyFinished(_)));
    /// # Ok(()) });
    /// ```
    pub fn abort_pending_copy(&self) -> AbortPendingCopy {
        AbortPendingCopy::new(self)
    }

    /// Takes a read-only snapshot.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let taken = disk.create_snapshot().metadata([("why", "nightly")]).await?;
    /// println!("snapshot {}", taken.snapshot);
    /// # Ok(()) });
    /// ```
    pub fn create_snapshot(&self) -> CreateSnapshot {
        CreateSnapshot::new(self.call())
    }

    /// Downloads the content, whole or a range, as a stream.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy::simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let whole = notes.download().await?.bytes().await?;
    ///
    /// let mut pieces = notes.download().range(4..).await?;
    /// let mut length = 0;
    /// while let Some(piece) = pieces.try_next().await? {
    ///     length += piece.len();
    /// }
    /// assert_eq!(length, whole.len() - 4);
    /// # Ok(()) });
    /// ```
    pub fn download(&self) -> DownloadBlob {
        DownloadBlob::new(self.call())
    }

    /// Deletes the blob, or, with a client of a snapshot or version, only that.
    ///
    /// ```
    /// use blobcopy::DeleteSnapshots;
    ///
    /// # blobcopy::simulator::example(async |service| {
    /// let disk = service.container_client("vhds").blob_client("disk0.vhd");
    /// let taken = disk.create_snapshot().await?;
    /// disk.with_snapshot(&taken.snapshot).delete().await?;
    /// disk.delete().snapshots(DeleteSnapshots::Include).await?;
    /// # Ok(()) });
    /// ```
    pub fn delete(&self) -> DeleteBlob {
        DeleteBlob::new(self.call())
    }

    pub(crate) fn call(&self) -> Call {
        let (pipeline, target) = (Arc::clone(&self.0.pipeline), self.0.target.clone());
        Call { pipeline, target, options: Default::default() }
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }
}

impl fmt::Debug for BlobClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { endpoint, container, name, snapshot, version, .. } = self.0.deref();
        write!(f, "BlobClient({}/{container}/{name}", endpoint.url())?;
        if let Some(snapshot) = snapshot {
            write!(f, ", snapshot {snapshot}")?;
        }
        if let Some(version) = version {
            write!(f, ", version {version}")?;
        }
        f.write_str(")")
    }
}
