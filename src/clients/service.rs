//! An account's blob service.

use std::{fmt, sync::Arc};

use time::OffsetDateTime;
use url::Url;

use super::{BlobClient, BlobContainerClient, settle};
use crate::{
    auth::{connection_string::ConnectionString, credential::Credential},
    copy::{CopyFromUriOperation, CopyToken},
    error::{Error, Result},
    models::address::{BlobUrl, Endpoint},
    operations::{
        BadName, Call, get_user_delegation_key::GetUserDelegationKey,
        list_containers::ListContainers,
    },
    pipeline::{options::ClientOptions, send::Pipeline},
};

/// The blob service of one storage account: where everything begins.
///
/// Cheap to clone; all clients made from it share its credential, options and connections. Making one
/// sends nothing.
///
/// ```
/// # blobcopy::simulator::example(async |service| {
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

impl BlobServiceClient {
    /// The service that a connection string tells of, with default options.
    ///
    /// Takes every form of
    /// [Configure Azure Storage connection strings](https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string):
    /// an account's name with its key or a SAS, explicit endpoints, the emulator.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when a part is missing, given twice, malformed, or contradicts another.
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

    /// The same, with options still to be set.
    ///
    /// # Errors
    ///
    /// As [`from_connection_string`](Self::from_connection_string).
    ///
    /// ```
    /// use blobcopy::{BlobServiceClient, ClientOptions};
    ///
    /// let service = BlobServiceClient::builder_from_connection_string("UseDevelopmentStorage=true")?
    ///     .options(ClientOptions::new().application_id("nightly-backup"))
    ///     .build()?;
    /// # let _ = service;
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn builder_from_connection_string(text: &str) -> Result<BlobServiceClientBuilder> {
        let ConnectionString { blob_endpoint, blob_secondary, auth, .. } =
            ConnectionString::parse(text)?;
        let builder = Self::builder(blob_endpoint).credential(auth.into());
        Ok(BlobServiceClientBuilder { secondary: blob_secondary, ..builder })
    }

    /// The service at `endpoint`, such as `https://account.blob.core.windows.net`, with default
    /// options. A SAS may stand in the endpoint's query, with [`Credential::anonymous`].
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the endpoint is no http or https URL, or contradicts the credential:
    /// another account, or bearer tokens over http.
    ///
    /// ```
    /// use blobcopy::{BlobServiceClient, Credential};
    ///
    /// let endpoint = "https://account.blob.core.windows.net".parse()?;
    /// let service = BlobServiceClient::new(endpoint, Credential::shared_key("account", "c2VjcmV0")?)?;
    /// # let _ = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(endpoint: Url, credential: Credential) -> Result<Self> {
        Self::builder(endpoint).credential(credential).build()
    }

    /// A client that is still to be given a credential and options.
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
    pub fn builder(endpoint: Url) -> BlobServiceClientBuilder {
        let (credential, options) = (Credential::anonymous(), ClientOptions::new());
        BlobServiceClientBuilder { endpoint, secondary: None, credential, options }
    }

    /// The service's endpoint, without a SAS.
    ///
    /// ```
    /// # let service = blobcopy::BlobServiceClient::from_connection_string("UseDevelopmentStorage=true")?;
    /// println!("{}", service.url());
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn url(&self) -> &Url {
        self.endpoint.url()
    }

    /// A container of this account. The name is checked by the first call that is made with it.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let backups = service.container_client("backups");
    /// assert!(backups.exists().await?);
    /// # Ok(()) });
    /// ```
    pub fn container_client(&self, name: &str) -> BlobContainerClient {
        BlobContainerClient::of(Arc::clone(&self.pipeline), self.endpoint.clone(), name)
    }

    /// Lists the account's containers, in the order of their names.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy::simulator::example(async |service| {
    /// let mut containers = std::pin::pin!(service.list_containers().prefix("back").stream());
    /// while let Some(container) = containers.try_next().await? {
    ///     println!("{}", container.name);
    /// }
    /// # Ok(()) });
    /// ```
    pub fn list_containers(&self) -> ListContainers {
        let target = BadName::target(self.endpoint.service_url());
        let pipeline = Arc::clone(&self.pipeline);
        ListContainers::new(Call { pipeline, target, options: Default::default() })
    }

    /// Asks for a key with which this client's Entra identity may sign SAS from `start` to `expiry`, both
    /// within seven days of now.
    ///
    /// A [`CopySource`](crate::CopySource) made of a client with bearer tokens does this by itself.
    ///
    /// [Get User Delegation Key](https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key)
    /// (from version 2018-11-09)
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a client without bearer tokens; 403 `AuthorizationPermissionMismatch` when the
    /// identity may not ask for such a key.
    ///
    /// ```
    /// use blobcopy::sas::{BlobSasPermissions, UserDelegationSas};
    /// use time::{Duration, OffsetDateTime};
    ///
    /// # use blobcopy::{AccessToken, BlobServiceClient, Credential, CredentialError, TokenProvider};
    /// # use blobcopy::{simulator::Simulator, transport::BoxFuture};
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
    pub fn get_user_delegation_key(
        &self,
        start: OffsetDateTime,
        expiry: OffsetDateTime,
    ) -> GetUserDelegationKey {
        let target = Ok(self.endpoint.url().clone());
        let pipeline = Arc::clone(&self.pipeline);
        let call = Call { pipeline, target, options: Default::default() };
        GetUserDelegationKey::new(call, start, expiry)
    }

    /// Takes up a copy that was started before, here or elsewhere. Sends nothing.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the token's destination is not in this account.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # let token = blob.start_copy_from_uri(&source).await?.token();
    /// let done = service.resume(&token)?.wait().await?;
    /// println!("{:?} bytes", done.bytes_copied);
    /// # Ok(()) });
    /// ```
    pub fn resume(&self, token: &CopyToken) -> Result<CopyFromUriOperation> {
        let BlobUrl { endpoint, container, blob, .. } =
            BlobUrl::parse("copy token", &token.destination)?;
        if endpoint != self.endpoint {
            let rule = format!("is not in the account at {}", self.endpoint.url());
            return Err(Error::invalid("copy token", &token.destination, &rule));
        }
        token.copy_id.check()?;
        let blob = self.container_client(&container).blob_client(&blob);
        Ok(blob.resume_copy(token.copy_id.clone()))
    }
}

impl fmt::Debug for BlobServiceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobServiceClient({})", self.endpoint.url())
    }
}

/// Makes a [`BlobServiceClient`]: by [`BlobServiceClient::builder`].
#[must_use = "it makes a client when it is built"]
#[derive(Debug, Clone)]
pub struct BlobServiceClientBuilder {
    endpoint: Url,
    /// Known from a connection string.
    secondary: Option<Url>,
    credential: Credential,
    options: ClientOptions,
}

impl BlobServiceClientBuilder {
    /// What authorizes the requests; anonymous unless it is set.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// How the requests travel.
    pub fn options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }

    /// The client; fails as [`BlobServiceClient::new`] does, and on options that cannot work.
    pub fn build(self) -> Result<BlobServiceClient> {
        let (endpoint, sas) = Endpoint::parse(self.endpoint)?;
        let credential = settle(&endpoint, sas, self.credential, &self.options)?;
        let secondary = self.secondary.as_ref();
        let pipeline = super::pipeline(&endpoint, secondary, credential, self.options)?;
        Ok(BlobServiceClient { pipeline, endpoint })
    }
}

/// A client of one blob, whose URL is known.
pub(super) fn blob_at(
    url: &Url,
    credential: Credential,
    options: ClientOptions,
) -> Result<BlobClient> {
    let BlobUrl { endpoint, container, blob, snapshot, version, query } =
        BlobUrl::parse("blob URL", url)?;
    let credential = settle(&endpoint, query, credential, &options)?;
    let pipeline = super::pipeline(&endpoint, None, credential, options)?;
    Ok(BlobClient::of(pipeline, endpoint, &container, &blob).at(snapshot, version))
}
