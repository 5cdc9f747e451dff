//! Generating URLs with a SAS from a client's credential.

use std::{fmt, future::IntoFuture};

use time::OffsetDateTime;

use super::{BlobClient, BlobContainerClient};
use crate::{
    auth::{
        credential::Proof,
        sas::{
            BlobSasPermissions, Complete, ContainerSasPermissions, Permissions, SasIpRange,
            SasProtocol, SasUrl, ServiceSas,
        },
    },
    error::{Error, Result},
    models::endpoint::Endpoint,
    operations::{
        operation::{Call, call_options},
        settings::delegation,
    },
    wire::transport::BoxFuture,
};

/// # Shared access
impl BlobClient {
    /// Generates a URL that grants `permissions` on this blob until `expiry`. For a client of a
    /// snapshot or version, it grants them on that alone.
    ///
    /// Awaiting it gives [`SasUrl`](crate::sas::SasUrl).
    ///
    /// A client with a shared key signs the SAS and sends nothing. A client with bearer tokens
    /// signs it with a [user delegation key](crate::BlobServiceClient::get_user_delegation_key),
    /// which it requests once and keeps. Such a URL is valid for less than seven days and grants
    /// only what the client's identity may do. For a SAS under a stored access policy, see
    /// [`ServiceSas::stored_policy`].
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a client with a SAS or without a credential, which cannot sign; for an
    /// expiry in the past or, with bearer tokens, more than 6 days and 23 hours away; and for
    /// settings that the service would refuse, such as no permissions.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::{BlobClient, Credential, sas::BlobSasPermissions};
    /// use time::{Duration, OffsetDateTime};
    ///
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let until = OffsetDateTime::now_utc() + Duration::hours(1);
    /// let url = notes.sas_url(BlobSasPermissions::new().read(), until).await?;
    ///
    /// // As a source, or as a client of its own.
    /// let copy = service.container_client("backups").blob_client("notes.txt");
    /// copy.copy_from_uri(&url).await?;
    /// let lent = BlobClient::new((&url).into(), Credential::anonymous())?;
    /// # let _ = lent;
    /// # Ok(()) });
    /// ```
    #[doc(alias("GenerateSasUri", "generate_blob_sas", "generate_container_sas"))]
    pub fn sas_url(
        &self,
        permissions: BlobSasPermissions,
        expiry: OffsetDateTime,
    ) -> GenerateSasUrl<BlobSasPermissions> {
        let (container, blob) = (self.container_name(), self.name());
        let sas = match (self.snapshot(), self.version_id()) {
            (Some(snapshot), _) => ServiceSas::snapshot(container, blob, snapshot),
            (None, Some(version)) => ServiceSas::version(container, blob, version),
            (None, None) => ServiceSas::blob(container, blob),
        };
        // The client's name is the name in its requests.
        let sas = sas.with_stored_name().permissions(permissions).expires(expiry);
        GenerateSasUrl::new(self.call(), self.0.endpoint(), sas, expiry)
    }
}

/// # Shared access
impl BlobContainerClient {
    /// Generates a URL that grants `permissions` on every blob of this container until `expiry`;
    /// otherwise like [`BlobClient::sas_url`].
    ///
    /// Awaiting it gives [`SasUrl`](crate::sas::SasUrl).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::{BlobContainerClient, Credential, sas::ContainerSasPermissions};
    /// use time::{Duration, OffsetDateTime};
    ///
    /// let may = ContainerSasPermissions::new().read().list();
    /// let until = OffsetDateTime::now_utc() + Duration::hours(1);
    /// let url = service.container_client("vhds").sas_url(may, until).await?;
    ///
    /// let lent = BlobContainerClient::new((&url).into(), Credential::anonymous())?;
    /// # let _ = lent;
    /// # Ok(()) });
    /// ```
    #[doc(alias("GenerateSasUri", "generate_blob_sas", "generate_container_sas"))]
    pub fn sas_url(
        &self,
        permissions: ContainerSasPermissions,
        expiry: OffsetDateTime,
    ) -> GenerateSasUrl<ContainerSasPermissions> {
        let sas = ServiceSas::container(self.name()).permissions(permissions).expires(expiry);
        GenerateSasUrl::new(self.call(), self.endpoint(), sas, expiry)
    }
}

/// Generates a URL with a SAS: returned by [`BlobClient::sas_url`] and
/// [`BlobContainerClient::sas_url`].
///
/// The server timeout and the request id apply to the request for a user delegation key, if one is
/// sent.
#[must_use = "nothing is made until it is awaited"]
#[derive(Clone)]
pub struct GenerateSasUrl<P> {
    call: Call,
    endpoint: Endpoint,
    sas: ServiceSas<P, Complete>,
    expiry: OffsetDateTime,
    protocol: Option<SasProtocol>,
}

impl<P: Permissions> GenerateSasUrl<P> {
    fn new(
        call: Call,
        endpoint: &Endpoint,
        sas: ServiceSas<P, Complete>,
        expiry: OffsetDateTime,
    ) -> Self {
        let sas = sas.service_version(call.pipeline.version());
        Self { call, endpoint: endpoint.clone(), sas, expiry, protocol: None }
    }

    fn check(&self) -> Result<()> {
        let credential = self.call.pipeline.credential();
        if matches!(credential.0, Proof::Sas(_) | Proof::Anonymous) {
            let rule = "must be a shared key or bearer tokens: nothing else can sign a SAS";
            return Err(Error::invalid("credential", format!("{credential:?}"), rule));
        }
        let now = self.call.pipeline.clock().now();
        check(&self.endpoint, self.protocol, self.expiry, now)?;
        self.sas.check_at(now)
    }

    async fn make(self) -> Result<SasUrl> {
        let url = self.call.url.clone()?;
        // Report errors before a key is requested.
        self.check()?;
        let Self { call, endpoint, sas, expiry, .. } = self;
        let sas = match &call.pipeline.credential().0 {
            Proof::SharedKey(key) => sas.sign(key)?,
            _ => {
                let (account, key) = delegation::key(&call, &endpoint, expiry).await?;
                sas.sign_as_user(account, &key)?
            }
        };
        Ok(SasUrl::new(&url, &sas))
    }
}

/// Refuses a SAS that could not be used.
pub(super) fn check(
    endpoint: &Endpoint,
    protocol: Option<SasProtocol>,
    expiry: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<()> {
    if protocol == Some(SasProtocol::Https) && !endpoint.is_https() {
        let rule = "must be https for a SAS that may be used over https only";
        return Err(Error::invalid("endpoint", endpoint.url(), rule));
    }
    if expiry <= now {
        return Err(Error::invalid("expiry of a SAS", expiry, "must be in the future"));
    }
    Ok(())
}

/// Settings of the SAS itself.
macro_rules! settings {
    ($($(#[$doc:meta])* $setter:ident($argument:ty),)+) => {
        impl<P> GenerateSasUrl<P> {
            $(
                $(#[$doc])*
                pub fn $setter(mut self, value: $argument) -> Self {
                    self.sas = self.sas.$setter(value);
                    self
                }
            )+
        }
    };
}

settings! {
    /// When the SAS becomes valid, to the second. By default it is valid at once. Leave it out, or
    /// set it to 15 minutes ago, to allow for clock skew.
    starts(OffsetDateTime),
    /// Authorizes only requests from these IP addresses (from version 2015-04-05).
    ip(impl Into<SasIpRange>),
    /// The encryption scope for content written with the SAS (from version 2020-12-06).
    encryption_scope(impl Into<String>),
    /// The `Cache-Control` of responses to requests with the SAS (from version 2013-08-15).
    cache_control(impl Into<String>),
    /// The `Content-Disposition` of responses to requests with the SAS (from version 2013-08-15).
    content_disposition(impl Into<String>),
    /// The `Content-Encoding` of responses to requests with the SAS (from version 2013-08-15).
    content_encoding(impl Into<String>),
    /// The `Content-Language` of responses to requests with the SAS (from version 2013-08-15).
    content_language(impl Into<String>),
    /// The `Content-Type` of responses to requests with the SAS (from version 2013-08-15).
    content_type(impl Into<String>),
}

impl<P> GenerateSasUrl<P> {
    /// Authorizes only requests with this protocol (from version 2015-04-05).
    /// [`SasProtocol::Https`] requires an https endpoint: otherwise the URL could not be used.
    pub fn protocol(mut self, protocol: SasProtocol) -> Self {
        self.protocol = Some(protocol);
        self.sas = self.sas.protocol(protocol);
        self
    }
}

call_options!(GenerateSasUrl<P>);

impl<P: Permissions + Send + Sync + 'static> IntoFuture for GenerateSasUrl<P> {
    type Output = Result<SasUrl>;
    type IntoFuture = BoxFuture<'static, Result<SasUrl>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

impl<P> fmt::Debug for GenerateSasUrl<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenerateSasUrl")
            .field("call", &self.call)
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}
