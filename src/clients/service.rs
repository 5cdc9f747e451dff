//! The blob service of an account.

use std::{fmt, sync::Arc};

use time::OffsetDateTime;
use url::Url;

use super::{
    BlobClient, BlobContainerClient,
    builder::{ClientBuilder, Parts},
    settle,
};
use crate::{
    auth::{
        connection_string::ConnectionString,
        credential::{Credential, Proof},
    },
    copy::{CopyFromUriOperation, CopyToken},
    error::{Error, Result},
    models::{ContainerItem, address::BlobUrl, endpoint::Endpoint},
    operations::{
        blob_ref::{BlobRef, Naming},
        get_user_delegation_key::{GetKey, GetUserDelegationKey},
        operation::{BadName, Call},
        paging::Pager,
    },
    pipeline::{budget::Budget, send::Pipeline},
    wire::redaction,
};

/// A client for the blob service of one storage account: start here.
///
/// Cheap to clone. All clients made from it share its credential, options and connections. Making
/// one sends nothing.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// # let connection_string = "UseDevelopmentStorage=true";
/// use blobcopy::BlobServiceClient;
///
/// let service = BlobServiceClient::from_connection_string(connection_string)?;
/// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
/// # let _ = disk;
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct BlobServiceClient {
    pipeline: Arc<Pipeline>,
    endpoint: Endpoint,
}

/// # Making a client
impl BlobServiceClient {
    /// The service at `endpoint`, such as `https://account.blob.core.windows.net`, with default
    /// options. The endpoint's query may hold a SAS, together with [`Credential::anonymous`].
    ///
    /// The account name comes from the key. Without a key it comes from the endpoint: from the host
    /// for an Azure account or `account.localhost`; from the path for an IP address, a host name
    /// without a dot, or an emulator's port. A custom domain names no account: set
    /// [`account_name`](ClientBuilder::account_name) if it is needed.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the endpoint is not an http or https URL, is the URL of a container or
    /// blob, or contradicts the credential: another account, or bearer tokens over http.
    ///
    /// ```
    /// use blobcopy::{BlobServiceClient, Credential};
    ///
    /// let endpoint = "https://account.blob.core.windows.net".parse()?;
    /// let key = Credential::shared_key("account", "c2VjcmV0")?;
    /// let service = BlobServiceClient::new(endpoint, key)?;
    /// # let _ = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(endpoint: Url, credential: Credential) -> Result<Self> {
        Self::builder(endpoint).credential(credential).build()
    }

    /// A builder of a client, for a credential, an account name and options.
    ///
    /// ```
    /// use blobcopy::{BlobServiceClient, Credential};
    ///
    /// let endpoint = "https://account.blob.core.windows.net".parse()?;
    /// let service = BlobServiceClient::builder(endpoint)
    ///     .credential(Credential::sas("sv=2026-04-06&ss=b&srt=sco&sp=rw&sig=c2VjcmV0")?)
    ///     .build()?;
    /// # let _ = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(endpoint: Url) -> ClientBuilder<Self> {
        ClientBuilder::new(endpoint, service_at)
    }

    /// The service that a connection string names, with default options.
    ///
    /// It accepts every form of [Configure Azure Storage connection
    /// strings](https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string):
    /// an account's name with its key or a SAS, explicit endpoints, the emulator. `AccountName`
    /// wins over what an explicit endpoint suggests.
    ///
    /// Tools such as Storage Explorer also export a connection string for one container, with the
    /// container's URL as `BlobEndpoint`. That form is rejected: pass the URL, with its SAS, to
    /// [`BlobContainerClient::new`].
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a part is missing, repeated or malformed, or contradicts another.
    ///
    /// ```
    /// use blobcopy::BlobServiceClient;
    ///
    /// let service = BlobServiceClient::from_connection_string("UseDevelopmentStorage=true")?;
    /// assert_eq!(service.url().as_str(), "http://127.0.0.1:10000/devstoreaccount1");
    ///
    /// let error = BlobServiceClient::from_connection_string("AccountName=a").unwrap_err();
    /// assert!(error.to_string().starts_with("connection string"));
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn from_connection_string(text: &str) -> Result<Self> {
        Self::builder_from_connection_string(text)?.build()
    }

    /// A builder from a connection string, for options.
    ///
    /// # Errors
    ///
    /// As for [`from_connection_string`](Self::from_connection_string).
    ///
    /// ```
    /// use blobcopy::{BlobServiceClient, ClientOptions};
    ///
    /// let emulator = "UseDevelopmentStorage=true";
    /// let service = BlobServiceClient::builder_from_connection_string(emulator)?
    ///     .options(ClientOptions::new().application_id("nightly-backup"))
    ///     .build()?;
    /// # let _ = service;
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn builder_from_connection_string(text: &str) -> Result<ClientBuilder<Self>> {
        let ConnectionString { account, blob_endpoint, blob_secondary, auth } =
            ConnectionString::parse(text)?;
        let builder = Self::builder(blob_endpoint).credential(auth.into());
        Ok(builder.named(account, blob_secondary))
    }
}

/// # The account
impl BlobServiceClient {
    /// The service's endpoint, without a SAS.
    ///
    /// ```
    /// # let service = blobcopy::BlobServiceClient::from_connection_string("UseDevelopmentStorage=true")?;
    /// println!("{}", service.url());
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    #[doc(alias = "Uri")]
    pub fn url(&self) -> &Url {
        self.endpoint.url()
    }

    /// The account's name, if it was given or the endpoint contains it. `None` for a custom domain
    /// without a given name.
    ///
    /// ```
    /// # let service = blobcopy::BlobServiceClient::from_connection_string("UseDevelopmentStorage=true")?;
    /// assert_eq!(service.account_name(), Some("devstoreaccount1"));
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn account_name(&self) -> Option<&str> {
        self.endpoint.account()
    }
}

/// # A budget
impl BlobServiceClient {
    /// The same client, with calls that draw from `budget` instead of the budget of
    /// [`ClientOptions`](crate::ClientOptions::budget). It shares everything else with this one,
    /// and clients made from it draw from the budget too.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::Budget;
    ///
    /// let budget = Budget::new().requests_per_second(1_000);
    /// let service = service.with_budget(&budget);
    /// service.list_containers().collect_all().await?;
    /// assert_eq!(budget.requests(), 1);
    /// # Ok(()) });
    /// ```
    pub fn with_budget(&self, budget: &Budget) -> Self {
        Self { pipeline: self.pipeline.with_budget(budget), endpoint: self.endpoint.clone() }
    }
}

/// # Its containers
impl BlobServiceClient {
    /// A client for a container of this account. The first call checks the name.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let backups = service.container_client("backups");
    /// assert!(backups.exists().await?);
    /// # Ok(()) });
    /// ```
    #[doc(alias("GetBlobContainerClient", "get_container_client", "blob_container_client"))]
    pub fn container_client(&self, name: &str) -> BlobContainerClient {
        BlobContainerClient::of(Arc::clone(&self.pipeline), self.endpoint.clone(), name)
    }

    /// Lists the account's containers, ordered by name: a [`Pager`] of [`ContainerItem`]s.
    ///
    /// [List Containers](https://learn.microsoft.com/rest/api/storageservices/list-containers2)
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let mut containers = service.list_containers().prefix("back");
    /// while let Some(container) = containers.try_next().await? {
    ///     println!("{}", container.name);
    /// }
    /// # Ok(()) });
    /// ```
    #[doc(alias("GetBlobContainers", "List Containers", "ListContainers"))]
    pub fn list_containers(&self) -> Pager<ContainerItem> {
        Pager::containers(self.call())
    }
}

/// # Keys for shared access signatures
impl BlobServiceClient {
    /// Requests a key that can sign SAS for this client's Entra identity from `start` to `expiry`,
    /// both within seven days of now.
    ///
    /// Awaiting it gives [`UserDelegationKey`](crate::sas::UserDelegationKey).
    ///
    /// A [`CopySource`](crate::CopySource) made from a client with bearer tokens does this for you.
    ///
    /// [Get User Delegation Key](https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key)
    /// (from version 2018-11-09)
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a client without bearer tokens; 403 `AuthorizationPermissionMismatch` if
    /// the identity may not request such a key.
    ///
    /// ```
    /// use blobcopy::sas::{BlobSasPermissions, UserDelegationSas};
    /// use time::{Duration, OffsetDateTime};
    ///
    /// # use blobcopy::{AccessToken, BlobServiceClient, Credential, CredentialError, TokenProvider};
    /// # use blobcopy::transport::BoxFuture;
    /// # use blobcopy_simulator::Simulator;
    /// # #[derive(Debug)]
    /// # struct Provider;
    /// # impl TokenProvider for Provider {
    /// #     fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
    /// #         let expiry = OffsetDateTime::now_utc() + Duration::hours(1);
    /// #         Box::pin(async move { Ok(AccessToken::new("t", expiry)) })
    /// #     }
    /// # }
    /// # let sim = Simulator::builder().account("account", "c2VjcmV0").accept_bearer(|_| true).build();
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let service = BlobServiceClient::builder("https://account.blob.core.windows.net".parse()?)
    /// #     .credential(Credential::token(Provider))
    /// #     .options(sim.client_options())
    /// #     .build()?;
    /// let now = OffsetDateTime::now_utc();
    /// let key = service.get_user_delegation_key(now, now + Duration::days(1)).await?;
    /// let sas = UserDelegationSas::blob("vhds", "disk0.vhd")
    ///     .permissions(BlobSasPermissions::new().read())
    ///     .expires(now + Duration::hours(1))
    ///     .sign("account", &key)?;
    /// # let _ = sas;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias("GetUserDelegationKey", "Get User Delegation Key"))]
    pub fn get_user_delegation_key(
        &self,
        start: OffsetDateTime,
        expiry: OffsetDateTime,
    ) -> GetUserDelegationKey {
        let url = Ok(Arc::new(self.endpoint.url().clone()));
        let pipeline = Arc::clone(&self.pipeline);
        let call = Call { pipeline, url, options: Default::default() };
        GetUserDelegationKey::new(call, GetKey::new(start, expiry))
    }
}

/// # Copies started earlier
impl BlobServiceClient {
    /// Resumes watching a copy that was started earlier, here or elsewhere. Sends nothing.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the token's destination is not in this account.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # let token = blob.start_copy_from_uri(&source).await?.token();
    /// let done = service.resume(&token)?.wait().await?;
    /// println!("copied at {:?}", done.completed_on);
    /// # Ok(()) });
    /// ```
    #[doc(alias = "CopyFromUriOperation")]
    pub fn resume(&self, token: &CopyToken) -> Result<CopyFromUriOperation> {
        let Some(destination) = BlobUrl::behind(&self.endpoint, &token.destination) else {
            let rule = format!("is not in the account at {}", self.endpoint.url());
            return Err(Error::invalid("copy token", &token.destination, &rule));
        };
        let BlobUrl { endpoint, container, blob, .. } = destination?;
        let pipeline = Arc::clone(&self.pipeline);
        let blob = BlobClient(BlobRef::new(pipeline, endpoint, &container, &blob, Naming::Stored));
        let copy = blob.resume_copy(token.copy_id.clone());
        Ok(copy.of_snapshot(token.source_snapshot.clone()))
    }
}

impl BlobServiceClient {
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn call(&self) -> Call {
        let url = BadName::url(self.endpoint.service_url());
        let pipeline = Arc::clone(&self.pipeline);
        Call { pipeline, url, options: Default::default() }
    }
}

impl fmt::Debug for BlobServiceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobServiceClient({:?})", redaction::Shown(self.endpoint.url()))
    }
}

/// The service at an endpoint.
fn service_at(parts: Parts) -> Result<BlobServiceClient> {
    let Parts { url, account, secondary, credential, options } = parts;
    let named = account.as_deref();
    let (endpoint, sas) = Endpoint::parse(url, named)?;
    if sas.is_some() && credential.is_token() {
        let rule = "holds a SAS although there is another credential: give only one of them";
        return Err(Error::invalid_secret("URL", rule));
    }
    let credential = settle(&endpoint, sas, credential, &options)?;
    if let Proof::Sas(sas) = &credential.0 {
        endpoint.check_beside(sas.expose())?;
    }
    if let Some(secondary) = &secondary {
        Endpoint::parse(secondary.clone(), named)?;
    }
    let pipeline = super::pipeline(&endpoint, secondary.as_ref(), credential, options)?;
    Ok(BlobServiceClient { pipeline, endpoint })
}
