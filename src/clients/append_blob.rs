//! An append blob: a log.

use std::{fmt, ops::Deref};

use bytes::Bytes;
use url::Url;

use super::{BlobClient, blob::blob_at, builder::ClientBuilder};
use crate::{
    auth::credential::Credential,
    error::Result,
    models::{SnapshotId, VersionId},
    operations::{
        append_block::{Append, AppendBlock, AppendBlockFromUri, AppendFromUrl},
        create_append_blob::{CreateAppendBlob, PutAppendBlob},
        settings::copy_source::CopySource,
    },
    pipeline::budget::Budget,
};

/// A client for one append blob. It dereferences to [`BlobClient`], so every method of that client
/// works here too.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// let log = service.container_client("vhds").append_blob_client("copies.log");
/// log.create().content_type("text/plain").await?;
/// assert_eq!(log.get_properties().await?.content_length, 0);
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct AppendBlobClient(BlobClient);

/// # Making a client
impl AppendBlobClient {
    pub(super) fn of(blob: BlobClient) -> Self {
        Self(blob)
    }

    /// The append blob at `url`; as [`BlobClient::new`].
    ///
    /// ```
    /// use blobcopy::{AppendBlobClient, Credential};
    ///
    /// let url = "https://account.blob.core.windows.net/public/copies.log".parse()?;
    /// let log = AppendBlobClient::new(url, Credential::anonymous())?;
    /// assert_eq!(log.name(), "copies.log");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(url: Url, credential: Credential) -> Result<Self> {
        Self::builder(url).credential(credential).build()
    }

    /// A builder of a client for the append blob at `url`; as [`BlobClient::builder`].
    ///
    /// ```
    /// use blobcopy::{ClientOptions, AppendBlobClient};
    ///
    /// let url = "https://account.blob.core.windows.net/public/copies.log".parse()?;
    /// let options = ClientOptions::new().application_id("nightly-backup");
    /// let blob = AppendBlobClient::builder(url).options(options).build()?;
    /// assert_eq!(blob.name(), "copies.log");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(url: Url) -> ClientBuilder<Self> {
        ClientBuilder::new(url, |parts| blob_at(parts).map(Self))
    }

    /// The same client, with calls that draw from `budget`; as [`BlobClient::with_budget`].
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::Budget;
    ///
    /// let budget = Budget::new().requests_per_second(1_000);
    /// let log = service.container_client("vhds").append_blob_client("copies.log");
    /// log.with_budget(&budget).create().await?;
    /// assert_eq!(budget.requests(), 1);
    /// # Ok(()) });
    /// ```
    pub fn with_budget(&self, budget: &Budget) -> Self {
        Self(self.0.with_budget(budget))
    }

    /// A client of one snapshot of this blob.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let log = service.container_client("vhds").append_blob_client("copies.log");
    /// log.create().await?;
    /// let taken = log.create_snapshot().await?.snapshot;
    /// log.append_block("started").await?;
    /// let before = log.with_snapshot(&taken).download().await?.bytes().await?;
    /// assert!(before.is_empty());
    /// # Ok(()) });
    /// ```
    #[doc(alias = "WithSnapshot")]
    pub fn with_snapshot(&self, snapshot: impl Into<SnapshotId>) -> Self {
        Self(self.0.with_snapshot(snapshot))
    }

    /// A client of one version of this blob (from version 2019-12-12).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let log = service.container_client("vhds").append_blob_client("copies.log");
    /// let version = "2026-01-01T00:00:00.1234567Z".parse::<blobcopy::VersionId>()?;
    /// assert_eq!(log.with_version(&version).version_id(), Some(&version));
    /// # Ok(()) });
    /// ```
    #[doc(alias = "WithVersion")]
    pub fn with_version(&self, version: impl Into<VersionId>) -> Self {
        Self(self.0.with_version(version))
    }
}

/// # Creating and appending
impl AppendBlobClient {
    /// Creates an empty blob. Overwrites an existing blob.
    ///
    /// Awaiting it gives [`BlobContentInfo`](crate::BlobContentInfo).
    ///
    /// ```
    /// use blobcopy::{Conditions, ETag};
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let log = service.container_client("vhds").append_blob_client("copies.log");
    /// log.create().conditions(Conditions::new().if_none_match(ETag::ANY)).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("create_append_blob", "Create", "Put Blob", "PutBlob"))]
    pub fn create(&self) -> CreateAppendBlob {
        CreateAppendBlob::new(self.call(), PutAppendBlob::default())
    }

    /// Appends a block, at most 100 MiB (before version 2022-11-02: 4 MiB).
    ///
    /// Awaiting it gives [`BlobAppendInfo`](crate::BlobAppendInfo).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let log = service.container_client("vhds").append_blob_client("copies.log");
    /// log.create().await?;
    /// let appended = log.append_block("started\n").await?;
    /// assert_eq!(appended.offset, Some(0));
    /// # Ok(()) });
    /// ```
    #[doc(alias("AppendBlock", "Append Block"))]
    pub fn append_block(&self, content: impl Into<Bytes>) -> AppendBlock {
        AppendBlock::new(self.call(), Append::new(content.into()))
    }

    /// Appends the content of a URL, or a range of it, within the same limits.
    ///
    /// Awaiting it gives [`BlobAppendInfo`](crate::BlobAppendInfo).
    ///
    /// The source must be authorized, even within the same account; a [`CopySource`] made from a
    /// client does that.
    ///
    /// [Append Block From URL](https://learn.microsoft.com/rest/api/storageservices/append-block-from-url)
    /// (from version 2018-11-09)
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let log = service.container_client("vhds").append_blob_client("copies.log");
    /// log.create().await?;
    /// log.append_block_from_uri(&notes).source_range(0..4).if_length(0).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias(
        "AppendBlockFromUri",
        "append_block_from_url",
        "Append Block From URL",
        "AppendBlockFromURL"
    ))]
    pub fn append_block_from_uri(&self, source: impl Into<CopySource>) -> AppendBlockFromUri {
        AppendBlockFromUri::new(self.call(), AppendFromUrl::new(source.into()))
    }
}

impl Deref for AppendBlobClient {
    type Target = BlobClient;

    fn deref(&self) -> &BlobClient {
        &self.0
    }
}

impl fmt::Debug for AppendBlobClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Append{:?}", self.0)
    }
}
