//! Generating URLs with an account SAS from a client's credential.

use std::{fmt, future::IntoFuture};

use time::OffsetDateTime;

use super::{BlobClient, BlobContainerClient, BlobServiceClient, sas_url};
use crate::{
    auth::{
        credential::Proof,
        sas::{
            AccountSas, AccountSasPermissions, AccountSasResourceTypes, AccountSasServices,
            Complete, SasIpRange, SasProtocol, SasUrl,
        },
    },
    error::{Error, Result},
    models::endpoint::Endpoint,
    operations::operation::Call,
    wire::transport::BoxFuture,
};

/// # Shared access
impl BlobServiceClient {
    /// Generates the service's URL with an account SAS, which grants `permissions` on every
    /// resource of these types in the account until `expiry`.
    ///
    /// Awaiting it gives [`SasUrl`](crate::sas::SasUrl), which makes a client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a client without a shared key: nothing else can sign an account SAS; for
    /// an expiry in the past; and for settings that the service would refuse, such as no
    /// permissions.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::{BlobServiceClient, Credential, sas::AccountSasResourceTypes};
    /// use time::{Duration, OffsetDateTime};
    ///
    /// let types = AccountSasResourceTypes::new().service().container();
    /// let until = OffsetDateTime::now_utc() + Duration::hours(1);
    /// let url = service.account_sas_url("rl".parse()?, types, until).await?;
    ///
    /// let lent = BlobServiceClient::new((&url).into(), Credential::anonymous())?;
    /// # let _ = lent;
    /// # Ok(()) });
    /// ```
    #[doc(alias("GenerateAccountSasUri", "generate_account_sas"))]
    pub fn account_sas_url(
        &self,
        permissions: AccountSasPermissions,
        resource_types: AccountSasResourceTypes,
        expiry: OffsetDateTime,
    ) -> GenerateAccountSasUrl {
        let sas = AccountSas::new(resource_types).permissions(permissions).expires(expiry);
        GenerateAccountSasUrl::new(self.call(), self.endpoint(), sas, expiry)
    }
}

/// # Shared access
impl BlobContainerClient {
    /// Generates this container's URL with an account SAS, which grants `permissions` not only here
    /// but in the whole account; otherwise like [`BlobServiceClient::account_sas_url`].
    ///
    /// Awaiting it gives [`SasUrl`](crate::sas::SasUrl).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::{BlobContainerClient, Credential, sas::AccountSasResourceTypes};
    /// use time::{Duration, OffsetDateTime};
    ///
    /// let types = AccountSasResourceTypes::new().container().object();
    /// let until = OffsetDateTime::now_utc() + Duration::hours(1);
    /// let vhds = service.container_client("vhds");
    /// let url = vhds.account_sas_url("rl".parse()?, types, until).await?;
    ///
    /// let lent = BlobContainerClient::new((&url).into(), Credential::anonymous())?;
    /// # let _ = lent;
    /// # Ok(()) });
    /// ```
    #[doc(alias("GenerateAccountSasUri", "generate_account_sas"))]
    pub fn account_sas_url(
        &self,
        permissions: AccountSasPermissions,
        resource_types: AccountSasResourceTypes,
        expiry: OffsetDateTime,
    ) -> GenerateAccountSasUrl {
        let sas = AccountSas::new(resource_types).permissions(permissions).expires(expiry);
        GenerateAccountSasUrl::new(self.call(), self.endpoint(), sas, expiry)
    }
}

/// # Shared access
impl BlobClient {
    /// Generates this blob's URL with an account SAS, which grants `permissions` not only here but
    /// in the whole account; otherwise like [`BlobServiceClient::account_sas_url`]. The URL of a
    /// client of a snapshot or version names that one, but its SAS is not limited to it.
    ///
    /// To lend one blob, use [`sas_url`](BlobClient::sas_url).
    ///
    /// Awaiting it gives [`SasUrl`](crate::sas::SasUrl).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::sas::AccountSasResourceTypes;
    /// use time::{Duration, OffsetDateTime};
    ///
    /// let types = AccountSasResourceTypes::new().object();
    /// let until = OffsetDateTime::now_utc() + Duration::hours(1);
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let url = notes.account_sas_url("r".parse()?, types, until).await?;
    ///
    /// let copy = service.container_client("backups").blob_client("notes.txt");
    /// copy.copy_from_uri(&url).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("GenerateAccountSasUri", "generate_account_sas"))]
    pub fn account_sas_url(
        &self,
        permissions: AccountSasPermissions,
        resource_types: AccountSasResourceTypes,
        expiry: OffsetDateTime,
    ) -> GenerateAccountSasUrl {
        let sas = AccountSas::new(resource_types).permissions(permissions).expires(expiry);
        GenerateAccountSasUrl::new(self.call(), self.0.endpoint(), sas, expiry)
    }
}

/// Generates a URL with an account SAS: returned by [`BlobServiceClient::account_sas_url`] and the
/// methods of the same name of containers and blobs.
#[must_use = "nothing is made until it is awaited"]
#[derive(Clone)]
pub struct GenerateAccountSasUrl {
    call: Call,
    endpoint: Endpoint,
    sas: AccountSas<Complete>,
    expiry: OffsetDateTime,
    protocol: Option<SasProtocol>,
}

impl GenerateAccountSasUrl {
    fn new(
        call: Call,
        endpoint: &Endpoint,
        sas: AccountSas<Complete>,
        expiry: OffsetDateTime,
    ) -> Self {
        let sas = sas.service_version(call.pipeline.version());
        Self { call, endpoint: endpoint.clone(), sas, expiry, protocol: None }
    }

    fn make(self) -> Result<SasUrl> {
        let url = self.call.url.clone()?;
        let credential = self.call.pipeline.credential();
        let Proof::SharedKey(key) = &credential.0 else {
            let rule = "must be a shared key: nothing else can sign an account SAS";
            return Err(Error::invalid("credential", format!("{credential:?}"), rule));
        };
        let now = self.call.pipeline.clock().now();
        sas_url::check(&self.endpoint, self.protocol, self.expiry, now)?;
        Ok(SasUrl::new(&url, &self.sas.sign(key)?))
    }

    /// The services on which it grants the permissions. By default Blob Storage only.
    pub fn services(mut self, services: AccountSasServices) -> Self {
        self.sas = self.sas.services(services);
        self
    }

    /// When the SAS becomes valid, to the second. By default it is valid at once. Leave it out, or
    /// set it to 15 minutes ago, to allow for clock skew.
    pub fn starts(mut self, at: OffsetDateTime) -> Self {
        self.sas = self.sas.starts(at);
        self
    }

    /// Authorizes only requests from these IP addresses.
    pub fn ip(mut self, addresses: impl Into<SasIpRange>) -> Self {
        self.sas = self.sas.ip(addresses);
        self
    }

    /// Authorizes only requests with this protocol. [`SasProtocol::Https`] requires an https
    /// endpoint: otherwise the URL could not be used.
    pub fn protocol(mut self, protocol: SasProtocol) -> Self {
        self.protocol = Some(protocol);
        self.sas = self.sas.protocol(protocol);
        self
    }

    /// The encryption scope for content written with the SAS (from version 2020-12-06).
    pub fn encryption_scope(mut self, scope: impl Into<String>) -> Self {
        self.sas = self.sas.encryption_scope(scope);
        self
    }
}

impl IntoFuture for GenerateAccountSasUrl {
    type Output = Result<SasUrl>;
    type IntoFuture = BoxFuture<'static, Result<SasUrl>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(std::future::ready(self.make()))
    }
}

impl fmt::Debug for GenerateAccountSasUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenerateAccountSasUrl")
            .field("call", &self.call)
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}
