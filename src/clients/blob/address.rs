//! A blob client's address: how to make the client, its names, and other clients of the same blob.

use url::Url;

use super::{AppendBlobClient, BlobClient, BlockBlobClient, PageBlobClient};
use crate::{
    auth::credential::Credential,
    clients::{
        BlobContainerClient,
        builder::{ClientBuilder, Parts},
        pipeline, settle,
    },
    error::Result,
    models::{SnapshotId, VersionId, address::BlobUrl},
    operations::blob_ref::{BlobRef, Naming},
    pipeline::budget::Budget,
};

/// # Making a client
impl BlobClient {
    /// The blob at `url`, such as `https://account.blob.core.windows.net/vhds/disk0.vhd`. Its query
    /// may hold a SAS, together with [`Credential::anonymous`], and may name a snapshot or version.
    ///
    /// Managed disks can require a SAS and bearer tokens: give the URL with its SAS and a token
    /// credential, and every request carries both. For the hosts of managed disks
    /// (`md-….blob.storage.azure.net`), tokens are requested for the scope
    /// `https://disk.azure.com//.default`.
    ///
    /// The client uses the name that the service stores: a `\` in the URL becomes `/`, and dots at
    /// the end are removed. For most hosts it is known whether the path begins with the account.
    /// For others, such as a proxy, it does if the first segment is the account of the key; if that
    /// is wrong, make the client from a [`BlobServiceClient`](crate::BlobServiceClient) with the
    /// right endpoint.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the URL names no blob or contradicts the credential.
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
        Self::builder(url).credential(credential).build()
    }

    /// A builder of a client for the blob at `url`, for a credential, an account name and options.
    ///
    /// ```
    /// use blobcopy::{BlobClient, ClientOptions, RetryOptions};
    ///
    /// let url = "https://account.blob.core.windows.net/public/disk0.vhd".parse()?;
    /// let options = ClientOptions::new().retry(RetryOptions::none());
    /// let disk = BlobClient::builder(url).options(options).build()?;
    /// # let _ = disk;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(url: Url) -> ClientBuilder<Self> {
        ClientBuilder::new(url, blob_at)
    }
}

/// # Names
impl BlobClient {
    /// The blob's name, not percent-encoded.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("a folder/100%.vhd");
    /// assert_eq!(blob.name(), "a folder/100%.vhd");
    /// # Ok(()) });
    /// ```
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The name of the blob's container.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("disk0.vhd");
    /// assert_eq!(blob.container_name(), "vhds");
    /// # Ok(()) });
    /// ```
    #[doc(alias = "BlobContainerName")]
    pub fn container_name(&self) -> &str {
        self.0.container_name()
    }

    /// The blob's URL, with its snapshot or version and without a SAS.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the name of the container or blob is not valid.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("a folder/100%.vhd");
    /// assert!(blob.url()?.path().ends_with("/vhds/a%20folder/100%25.vhd"));
    /// # Ok(()) });
    /// ```
    #[doc(alias = "Uri")]
    pub fn url(&self) -> Result<Url> {
        self.0.url()
    }

    /// The snapshot that this client addresses, if any.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("disk0.vhd");
    /// assert!(blob.snapshot().is_none());
    /// # Ok(()) });
    /// ```
    pub fn snapshot(&self) -> Option<&SnapshotId> {
        self.0.snapshot()
    }

    /// The version that this client addresses, if any.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("disk0.vhd");
    /// assert!(blob.version_id().is_none());
    /// # Ok(()) });
    /// ```
    pub fn version_id(&self) -> Option<&VersionId> {
        self.0.version_id()
    }
}

/// # Other clients of the blob
impl BlobClient {
    /// The same client, with calls that draw from `budget` instead of the budget of
    /// [`ClientOptions`](crate::ClientOptions::budget). It shares everything else with this one,
    /// and clients made from it draw from the budget too.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::Budget;
    ///
    /// let budget = Budget::new().requests_per_second(1_000);
    /// let notes = service.container_client("vhds").blob_client("notes.txt").with_budget(&budget);
    /// notes.get_properties().await?;
    /// assert_eq!(budget.requests(), 1);
    /// # Ok(()) });
    /// ```
    pub fn with_budget(&self, budget: &Budget) -> Self {
        Self(self.0.with_budget(budget))
    }

    /// A client of one snapshot of this blob. A snapshot is read-only and can be deleted
    /// separately.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").blob_client("disk0.vhd");
    /// let taken = disk.create_snapshot().await?;
    /// let content = disk.with_snapshot(&taken.snapshot).download().await?.bytes().await?;
    /// # let _ = content;
    /// # Ok(()) });
    /// ```
    #[doc(alias = "WithSnapshot")]
    pub fn with_snapshot(&self, snapshot: impl Into<SnapshotId>) -> Self {
        Self(self.0.at(Some(snapshot.into()), None))
    }

    /// A client of one version of this blob (from version 2019-12-12).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("disk0.vhd");
    /// let version = "2026-01-01T00:00:00.1234567Z".parse::<blobcopy::VersionId>()?;
    /// assert!(blob.with_version(&version).url()?.query().is_some());
    /// # Ok(()) });
    /// ```
    #[doc(alias = "WithVersion")]
    pub fn with_version(&self, version: impl Into<VersionId>) -> Self {
        Self(self.0.at(None, Some(version.into())))
    }

    /// A client of the container that holds this blob, with the same credential and options.
    ///
    /// A SAS for the blob alone does not authorize calls on its container.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// assert_eq!(notes.container_client().name(), "vhds");
    /// # Ok(()) });
    /// ```
    #[doc(alias("GetParentBlobContainerClient", "Parent"))]
    pub fn container_client(&self) -> BlobContainerClient {
        let pipeline = self.0.call().pipeline;
        BlobContainerClient::of(pipeline, self.0.endpoint().clone(), self.0.container_name())
    }

    /// A client of the same blob with the operations of page blobs.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").blob_client("disk0.vhd").page_blob_client();
    /// disk.clear_pages(0..512).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias = "GetPageBlobClient")]
    pub fn page_blob_client(&self) -> PageBlobClient {
        PageBlobClient::of(self.clone())
    }

    /// A client of the same blob with the operations of block blobs.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt").block_blob_client();
    /// notes.upload("new notes").await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias = "GetBlockBlobClient")]
    pub fn block_blob_client(&self) -> BlockBlobClient {
        BlockBlobClient::of(self.clone())
    }

    /// A client of the same blob with the operations of append blobs.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let log = service.container_client("vhds").blob_client("copies.log").append_blob_client();
    /// log.create().await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias = "GetAppendBlobClient")]
    pub fn append_blob_client(&self) -> AppendBlobClient {
        AppendBlobClient::of(self.clone())
    }
}

/// The blob at a URL.
pub(in crate::clients) fn blob_at(parts: Parts) -> Result<BlobClient> {
    let Parts { url, account, credential, options, .. } = parts;
    let BlobUrl { endpoint, container, blob, snapshot, version, query } =
        BlobUrl::parse("blob URL", &url, account.as_deref())?;
    let credential = settle(&endpoint, query, credential, &options)?;
    let pipeline = pipeline(&endpoint, None, credential, options)?;
    let blob = BlobRef::new(pipeline, endpoint, &container, &blob, Naming::Stored);
    Ok(BlobClient(blob.at(snapshot, version)))
}
