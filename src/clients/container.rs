//! A container.

use std::{fmt, sync::Arc};

use url::Url;

use super::{
    AppendBlobClient, BlobClient, BlockBlobClient, PageBlobClient,
    builder::{ClientBuilder, Parts},
    settle,
};
use crate::{
    auth::credential::Credential,
    error::Result,
    models::{BlobItem, address, endpoint::Endpoint},
    operations::{
        blob_ref::{BlobRef, Naming},
        create_container::{Create, CreateContainer},
        delete_container::{Delete, DeleteContainer},
        exists::{Exists, Head},
        get_container_properties::{GetContainer, GetContainerProperties},
        operation::{BadName, Call, NamedUrl},
        paging::Pager,
    },
    pipeline::{budget::Budget, send::Pipeline},
    wire::redaction,
};

/// A client for one container. Cheap to clone; making one sends nothing.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// let vhds = service.container_client("vhds");
/// let disk = vhds.page_blob_client("disk0.vhd");
/// # let _ = disk;
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct BlobContainerClient {
    pipeline: Arc<Pipeline>,
    endpoint: Endpoint,
    name: Arc<str>,
    named: NamedUrl,
}

/// # Making a client
impl BlobContainerClient {
    pub(crate) fn of(pipeline: Arc<Pipeline>, endpoint: Endpoint, name: &str) -> Self {
        let named = BadName::url(endpoint.container_url(name));
        Self { pipeline, endpoint, name: name.into(), named }
    }

    /// The container at `url`, such as `https://account.blob.core.windows.net/backups`. Its query
    /// may hold a SAS, together with [`Credential::anonymous`] or bearer tokens.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the URL names no container or contradicts the credential.
    ///
    /// ```
    /// use blobcopy::{BlobContainerClient, Credential};
    ///
    /// let url = "https://account.blob.core.windows.net/backups?sv=2026-04-06&sr=c&sp=rw&sig=c2VjcmV0";
    /// let backups = BlobContainerClient::new(url.parse()?, Credential::anonymous())?;
    /// assert_eq!(backups.name(), "backups");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(url: Url, credential: Credential) -> Result<Self> {
        Self::builder(url).credential(credential).build()
    }

    /// A builder of a client for the container at `url`, for a credential, an account name and
    /// options.
    ///
    /// ```
    /// use blobcopy::{BlobContainerClient, ClientOptions};
    ///
    /// let url = "https://account.blob.core.windows.net/public".parse()?;
    /// let options = ClientOptions::new().application_id("nightly-backup");
    /// let public = BlobContainerClient::builder(url).options(options).build()?;
    /// # let _ = public;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(url: Url) -> ClientBuilder<Self> {
        ClientBuilder::new(url, container_at)
    }
}

/// # Names
impl BlobContainerClient {
    /// The container's name.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// assert_eq!(service.container_client("vhds").name(), "vhds");
    /// # Ok(()) });
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The container's URL, without a SAS.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the name is not a valid container name.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// assert!(service.container_client("vhds").url()?.path().ends_with("/vhds"));
    /// assert!(service.container_client("No Such Name").url().is_err());
    /// # Ok(()) });
    /// ```
    #[doc(alias = "Uri")]
    pub fn url(&self) -> Result<Url> {
        Ok(self.named.clone().map(Arc::unwrap_or_clone)?)
    }

    /// Whether both containers are certainly in the same account: their endpoints have the same
    /// URL. `false` if one of them is reached by another address, such as a custom domain.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// assert!(vhds.is_same_account(&backups));
    /// # Ok(()) });
    /// ```
    pub fn is_same_account(&self, other: &Self) -> bool {
        self.endpoint.is_same_account(&other.endpoint)
    }
}

/// # A budget
impl BlobContainerClient {
    /// The same client, with calls that draw from `budget` instead of the budget of
    /// [`ClientOptions`](crate::ClientOptions::budget). It shares everything else with this one,
    /// and clients made from it draw from the budget too.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::Budget;
    ///
    /// let budget = Budget::new().requests_per_second(1_000);
    /// let vhds = service.container_client("vhds").with_budget(&budget);
    /// vhds.list_blobs().collect_all().await?;
    /// assert_eq!(budget.requests(), 1);
    /// # Ok(()) });
    /// ```
    pub fn with_budget(&self, budget: &Budget) -> Self {
        Self { pipeline: self.pipeline.with_budget(budget), ..self.clone() }
    }

    /// The budget that calls draw from, if there is one.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::Budget;
    ///
    /// let vhds = service.container_client("vhds");
    /// assert!(vhds.budget().is_none());
    /// assert!(vhds.with_budget(&Budget::new()).budget().is_some());
    /// # Ok(()) });
    /// ```
    pub fn budget(&self) -> Option<&Budget> {
        self.pipeline.budget()
    }

    /// Whether it has a SAS of one blob, with which it cannot list.
    pub(crate) fn has_sas_of_one_blob(&self) -> bool {
        self.pipeline.credential().is_sas_of_one_blob()
    }
}

/// # Its blobs
impl BlobContainerClient {
    /// A client for a blob of any type in this container.
    ///
    /// The first call checks the name. It rejects a name that the service would store under another
    /// name: a `\` becomes `/`, and a dot at the end of the name or of a path segment is removed.
    /// For the blobs of a listing, use [`blob_client_of`](Self::blob_client_of).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// assert!(notes.exists().await?);
    /// # Ok(()) });
    /// ```
    #[doc(alias("GetBlobClient", "get_blob_client"))]
    pub fn blob_client(&self, name: &str) -> BlobClient {
        self.named(name, Naming::Given)
    }

    /// A client for a blob, snapshot or version that a listing of this container returned. It uses
    /// the listed name exactly, whatever its characters. The current version is the blob itself.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let vhds = service.container_client("vhds");
    /// let mut blobs = vhds.list_blobs();
    /// while let Some(item) = blobs.try_next().await? {
    ///     let properties = vhds.blob_client_of(&item).get_properties().await?;
    ///     println!("{}: {} bytes", item.name, properties.content_length);
    /// }
    /// # Ok(()) });
    /// ```
    pub fn blob_client_of(&self, item: &BlobItem) -> BlobClient {
        let blob = self.named(&item.name, Naming::Stored);
        let properties = &item.properties;
        let version = match properties.is_current_version {
            Some(true) => None,
            _ => properties.version_id.clone(),
        };
        match &item.snapshot {
            Some(snapshot) => blob.with_snapshot(snapshot),
            None => BlobClient(blob.0.at(None, version)),
        }
    }

    fn named(&self, name: &str, naming: Naming) -> BlobClient {
        let (pipeline, endpoint) = (Arc::clone(&self.pipeline), self.endpoint.clone());
        BlobClient(BlobRef::new(pipeline, endpoint, &self.name, name, naming))
    }

    /// A client for a page blob in this container.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let written = disk.get_page_ranges().collect_all().await?;
    /// println!("{} ranges", written.ranges.len());
    /// # Ok(()) });
    /// ```
    #[doc(alias = "GetPageBlobClient")]
    pub fn page_blob_client(&self, name: &str) -> PageBlobClient {
        self.blob_client(name).page_blob_client()
    }

    /// A client for a block blob in this container.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("backups").block_blob_client("notes.txt");
    /// notes.upload("hello").await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias = "GetBlockBlobClient")]
    pub fn block_blob_client(&self, name: &str) -> BlockBlobClient {
        self.blob_client(name).block_blob_client()
    }

    /// A client for an append blob in this container.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let log = service.container_client("backups").append_blob_client("copies.log");
    /// log.create().await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias = "GetAppendBlobClient")]
    pub fn append_blob_client(&self, name: &str) -> AppendBlobClient {
        self.blob_client(name).append_blob_client()
    }

    /// Lists the container's blobs, ordered by name: a [`Pager`] of [`BlobItem`]s.
    ///
    /// [List Blobs](https://learn.microsoft.com/rest/api/storageservices/list-blobs)
    ///
    /// ```
    /// use blobcopy::BlobInclude;
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let vhds = service.container_client("vhds");
    /// let mut blobs = vhds.list_blobs().prefix("disk").include([BlobInclude::Copy]);
    /// while let Some(blob) = blobs.try_next().await? {
    ///     println!("{}: {:?}", blob.name, blob.properties.copy);
    /// }
    /// # Ok(()) });
    /// ```
    #[doc(alias("GetBlobs", "List Blobs", "GetBlobsByHierarchy", "ListBlobs"))]
    pub fn list_blobs(&self) -> Pager<BlobItem> {
        Pager::blobs(self.call())
    }
}

/// # The container itself
impl BlobContainerClient {
    /// Creates the container.
    ///
    /// Awaiting it gives `()`.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let archive = service.container_client("archive");
    /// archive.create().metadata([("owner", "team-a")]).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("create_container", "Create Container", "CreateIfNotExists", "CreateContainer"))]
    pub fn create(&self) -> CreateContainer {
        CreateContainer::new(self.call(), Create::default())
    }

    /// Deletes the container and all its blobs.
    ///
    /// Awaiting it gives `()`.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// service.container_client("backups").delete().await?;
    /// assert!(!service.container_client("backups").exists().await?);
    /// # Ok(()) });
    /// ```
    #[doc(alias("delete_container", "Delete Container", "DeleteContainer"))]
    pub fn delete(&self) -> DeleteContainer {
        DeleteContainer::new(self.call(), Delete::default())
    }

    /// Whether the container exists.
    ///
    /// Awaiting it gives a `bool`.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// assert!(service.container_client("vhds").exists().await?);
    /// assert!(!service.container_client("nowhere").exists().await?);
    /// # Ok(()) });
    /// ```
    #[doc(alias = "Exists")]
    pub fn exists(&self) -> Exists {
        Exists::new(self.call(), Head::Container)
    }

    /// Reads the container's properties and metadata.
    ///
    /// Awaiting it gives [`ContainerProperties`](crate::ContainerProperties).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let properties = service.container_client("vhds").get_properties().await?;
    /// println!("{:?}", properties.last_modified);
    /// # Ok(()) });
    /// ```
    #[doc(alias(
        "GetProperties",
        "get_container_properties",
        "Get Container Properties",
        "GetContainerProperties"
    ))]
    pub fn get_properties(&self) -> GetContainerProperties {
        GetContainerProperties::new(self.call(), GetContainer::default())
    }

    /// Whether `other` is for the same container and shares this client's credential, options and
    /// connections, so that one can stand in for the other. Sends nothing.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let vhds = service.container_client("vhds");
    /// assert!(vhds.shares_with(&service.container_client("vhds")));
    /// assert!(!vhds.shares_with(&service.container_client("backups")));
    /// # Ok(()) });
    /// ```
    pub fn shares_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pipeline, &other.pipeline) && self.name == other.name
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn call(&self) -> Call {
        let (pipeline, url) = (Arc::clone(&self.pipeline), self.named.clone());
        Call { pipeline, url, options: Default::default() }
    }
}

impl fmt::Debug for BlobContainerClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = format!("{}/{}", self.endpoint.url().as_str().trim_end_matches('/'), self.name);
        write!(f, "BlobContainerClient({})", redaction::redact(&place))
    }
}

/// The container at a URL.
fn container_at(parts: Parts) -> Result<BlobContainerClient> {
    let Parts { url, account, credential, options, .. } = parts;
    let (endpoint, name, sas) = address::parse_container_url(&url, account.as_deref())?;
    let credential = settle(&endpoint, sas, credential, &options)?;
    let pipeline = super::pipeline(&endpoint, None, credential, options)?;
    Ok(BlobContainerClient::of(pipeline, endpoint, &name))
}
