//! A block blob: a file.

use std::{fmt, ops::Deref};

use bytes::Bytes;
use url::Url;

use super::BlobClient;
use crate::{
    auth::credential::Credential,
    error::Result,
    models::{SnapshotId, VersionId},
    operations::upload_blob::UploadBlob,
};

/// One block blob, or a snapshot or version of one. What all blobs can do works on it directly: it is
/// a [`BlobClient`] too.
///
/// ```
/// # blobcopy::simulator::example(async |service| {
/// let notes = service.container_client("vhds").block_blob_client("more.txt");
/// notes.upload("hello").content_type("text/plain").await?;
/// assert_eq!(notes.download().await?.bytes().await?, "hello");
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct BlockBlobClient(BlobClient);

impl BlockBlobClient {
    pub(super) fn of(blob: BlobClient) -> Self {
        Self(blob)
    }

    /// The block blob at `url`; as [`BlobClient::new`].
    ///
    /// ```
    /// use blobcopy::{BlockBlobClient, Credential};
    ///
    /// let url = "https://account.blob.core.windows.net/public/notes.txt".parse()?;
    /// let notes = BlockBlobClient::new(url, Credential::anonymous())?;
    /// assert_eq!(notes.name(), "notes.txt");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(url: Url, credential: Credential) -> Result<Self> {
        BlobClient::new(url, credential).map(Self)
    }

    /// A client of one snapshot of this blob.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let taken = notes.create_snapshot().await?.snapshot;
    /// notes.upload("changed").await?;
    /// let before = notes.with_snapshot(&taken).download().await?.bytes().await?;
    /// assert_ne!(before, "changed");
    /// # Ok(()) });
    /// ```
    pub fn with_snapshot(&self, snapshot: impl Into<SnapshotId>) -> Self {
        Self(self.0.with_snapshot(snapshot))
    }

    /// A client of one version of this blob (from version 2019-12-12).
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let version = "2026-01-01T00:00:00.1234567Z".parse::<blobcopy::VersionId>()?;
    /// assert_eq!(notes.with_version(&version).version_id(), Some(&version));
    /// # Ok(()) });
    /// ```
    pub fn with_version(&self, version: impl Into<VersionId>) -> Self {
        Self(self.0.with_version(version))
    }

    /// Uploads the whole content in one request, at most 5000 MiB. What is there is overwritten.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("more.txt");
    /// notes.upload("hello").metadata([("lang", "en")]).await?;
    /// # Ok(()) });
    /// ```
    pub fn upload(&self, content: impl Into<Bytes>) -> UploadBlob {
        UploadBlob::new(self.call(), content.into())
    }
}

impl Deref for BlockBlobClient {
    type Target = BlobClient;

    fn deref(&self) -> &BlobClient {
        &self.0
    }
}

impl fmt::Debug for BlockBlobClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block{:?}", self.0)
    }
}
