//! A block blob: a file.

use std::{fmt, ops::Deref};

use bytes::Bytes;
use url::Url;

use super::{BlobClient, blob::blob_at, builder::ClientBuilder};
use crate::{
    auth::credential::Credential,
    error::Result,
    models::{BlockId, BlockListEntry, SnapshotId, VersionId},
    operations::{
        commit_block_list::{CommitBlockList, PutBlockList},
        get_block_list::{GetBlockList, ListBlocks},
        settings::copy_source::CopySource,
        stage_block::{PutBlock, StageBlock},
        stage_block_from_uri::{PutBlockFromUrl, StageBlockFromUri},
        upload_blob::{PutBlob, UploadBlob},
        upload_blob_from_uri::{PutBlobFromUrl, UploadBlobFromUri},
    },
    pipeline::budget::Budget,
};

/// A client for one block blob, or for a snapshot or version of one. It dereferences to
/// [`BlobClient`], so every method of that client works here too.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// let notes = service.container_client("vhds").block_blob_client("more.txt");
/// notes.upload("hello").content_type("text/plain").await?;
/// assert_eq!(notes.download().await?.bytes().await?, "hello");
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct BlockBlobClient(BlobClient);

/// # Making a client
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
        Self::builder(url).credential(credential).build()
    }

    /// A builder of a client for the block blob at `url`; as [`BlobClient::builder`].
    ///
    /// ```
    /// use blobcopy::{ClientOptions, BlockBlobClient};
    ///
    /// let url = "https://account.blob.core.windows.net/public/notes.txt".parse()?;
    /// let options = ClientOptions::new().application_id("nightly-backup");
    /// let blob = BlockBlobClient::builder(url).options(options).build()?;
    /// assert_eq!(blob.name(), "notes.txt");
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
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// notes.with_budget(&budget).upload("hello").await?;
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
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let taken = notes.create_snapshot().await?.snapshot;
    /// notes.upload("changed").await?;
    /// let before = notes.with_snapshot(&taken).download().await?.bytes().await?;
    /// assert_ne!(before, "changed");
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
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let version = "2026-01-01T00:00:00.1234567Z".parse::<blobcopy::VersionId>()?;
    /// assert_eq!(notes.with_version(&version).version_id(), Some(&version));
    /// # Ok(()) });
    /// ```
    #[doc(alias = "WithVersion")]
    pub fn with_version(&self, version: impl Into<VersionId>) -> Self {
        Self(self.0.with_version(version))
    }
}

/// # Whole content
impl BlockBlobClient {
    /// Uploads the whole content in one request, at most 5000 MiB (from version 2020-04-08).
    /// Overwrites an existing blob.
    ///
    /// Awaiting it gives [`BlobContentInfo`](crate::BlobContentInfo).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("more.txt");
    /// notes.upload("hello").metadata([("lang", "en")]).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("upload_blob", "Put Blob", "Upload", "PutBlob"))]
    pub fn upload(&self, content: impl Into<Bytes>) -> UploadBlob {
        UploadBlob::new(self.call(), PutBlob::new(content.into()))
    }

    /// Makes the blob from the content of a URL, at most 5000 MiB: a blob of any type, a file, or
    /// any other URL that the service can read. Overwrites an existing blob.
    ///
    /// Awaiting it gives [`BlobContentInfo`](crate::BlobContentInfo).
    ///
    /// The source must be authorized, even within the same account; a [`CopySource`] made from a
    /// client does that.
    ///
    /// [Put Blob From URL](https://learn.microsoft.com/rest/api/storageservices/put-blob-from-url)
    /// (from version 2020-04-08)
    ///
    /// # Errors
    ///
    /// `CannotVerifyCopySource` if the service cannot read the source; 400 `Md5Mismatch`; 409 if
    /// the source is too long.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").blob_client("disk0.vhd");
    /// let image = service.container_client("backups").block_blob_client("disk0.img");
    /// image.upload_from_uri(&disk).content_type("application/x-raw-disk-image").await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias(
        "SyncUploadFromUri",
        "upload_blob_from_url",
        "Put Blob From URL",
        "PutBlobFromURL"
    ))]
    pub fn upload_from_uri(&self, source: impl Into<CopySource>) -> UploadBlobFromUri {
        UploadBlobFromUri::new(self.call(), PutBlobFromUrl::new(source.into()))
    }
}

/// # Blocks
impl BlockBlobClient {
    /// Uploads an uncommitted block. It becomes part of the blob with
    /// [`commit_block_list`](Self::commit_block_list); the blob need not exist yet. The service
    /// discards uncommitted blocks after a week.
    ///
    /// Awaiting it gives [`BlockInfo`](crate::BlockInfo).
    ///
    /// ```
    /// use blobcopy::BlockId;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("more.txt");
    /// let ids = [BlockId::numbered(0), BlockId::numbered(1)];
    /// notes.stage_block(&ids[0], "one, ").await?;
    /// notes.stage_block(&ids[1], "two").await?;
    /// notes.commit_block_list(&ids).await?;
    /// assert_eq!(notes.download().await?.bytes().await?, "one, two");
    /// # Ok(()) });
    /// ```
    #[doc(alias("StageBlock", "Put Block", "PutBlock"))]
    pub fn stage_block(&self, id: impl Into<BlockId>, content: impl Into<Bytes>) -> StageBlock {
        StageBlock::new(self.call(), PutBlock::new(id.into(), content.into()))
    }

    /// Makes an uncommitted block from the content of a URL, or a range of it. Many such blocks,
    /// committed together, copy a source that is too long for one call.
    ///
    /// Awaiting it gives [`BlockInfo`](crate::BlockInfo).
    ///
    /// [Put Block From URL](https://learn.microsoft.com/rest/api/storageservices/put-block-from-url)
    /// (from version 2018-03-28)
    ///
    /// ```
    /// use blobcopy::BlockId;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").blob_client("disk0.vhd");
    /// let image = service.container_client("backups").block_blob_client("disk0.img");
    /// let id = BlockId::numbered(0);
    /// image.stage_block_from_uri(&id, &disk).source_range(0..512).await?;
    /// image.commit_block_list([id]).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias(
        "StageBlockFromUri",
        "stage_block_from_url",
        "Put Block From URL",
        "PutBlockFromURL"
    ))]
    pub fn stage_block_from_uri(
        &self,
        id: impl Into<BlockId>,
        source: impl Into<CopySource>,
    ) -> StageBlockFromUri {
        StageBlockFromUri::new(self.call(), PutBlockFromUrl::new(id.into(), source.into()))
    }

    /// Makes the blob from these blocks, in this order: uncommitted blocks, or blocks of the blob.
    ///
    /// Awaiting it gives [`BlobContentInfo`](crate::BlobContentInfo).
    ///
    /// # Errors
    ///
    /// 400 `InvalidBlockList` if a block does not exist.
    ///
    /// ```
    /// use blobcopy::{BlockId, BlockListEntry};
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("more.txt");
    /// let (first, second) = (BlockId::numbered(0), BlockId::numbered(1));
    /// notes.stage_block(&first, "one").await?;
    /// notes.commit_block_list([&first]).await?;
    ///
    /// notes.stage_block(&second, "two, ").await?;
    /// let blocks = [BlockListEntry::from(second), BlockListEntry::Committed(first)];
    /// notes.commit_block_list(blocks).await?;
    /// assert_eq!(notes.download().await?.bytes().await?, "two, one");
    /// # Ok(()) });
    /// ```
    #[doc(alias("CommitBlockList", "Put Block List", "PutBlockList"))]
    pub fn commit_block_list<B: Into<BlockListEntry>>(
        &self,
        blocks: impl IntoIterator<Item = B>,
    ) -> CommitBlockList {
        let blocks = blocks.into_iter().map(Into::into).collect();
        CommitBlockList::new(self.call(), PutBlockList::new(blocks))
    }

    /// Lists the blob's committed and uncommitted blocks.
    ///
    /// Awaiting it gives [`BlockList`](crate::BlockList).
    ///
    /// ```
    /// use blobcopy::BlockId;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("more.txt");
    /// notes.stage_block(BlockId::numbered(0), "hello").await?;
    /// let list = notes.get_block_list().await?;
    /// assert_eq!((list.committed.len(), list.uncommitted[0].size), (0, 5));
    /// # Ok(()) });
    /// ```
    #[doc(alias("GetBlockList", "Get Block List"))]
    pub fn get_block_list(&self) -> GetBlockList {
        GetBlockList::new(self.call(), ListBlocks::default())
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
