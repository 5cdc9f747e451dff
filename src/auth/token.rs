//! Bearer tokens and their providers.

use std::fmt;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::{error::CredentialError, wire::transport::BoxFuture};

/// Provides bearer tokens for a scope, usually from Microsoft Entra ID.
///
/// The client caches one token per scope, and calls the provider only if there is none or the token
/// expires within 5 minutes. One call serves all requests: those without a valid token wait for its
/// result, the others use the token they have. The call runs in its own task, so dropping a request
/// does not cancel it. After 30 seconds it fails with a [`transient`](CredentialError::transient)
/// error. A failed refresh is tried again after 30 seconds, or sooner if the token is valid for
/// less than 10 minutes.
///
/// ```
/// use blobcopy::{AccessToken, Credential, CredentialError, TokenProvider, transport::BoxFuture};
/// use time::{Duration, OffsetDateTime};
///
/// #[derive(Debug)]
/// struct FromEnvironment;
///
/// impl TokenProvider for FromEnvironment {
///     fn token<'a>(
///         &'a self,
///         _scope: &'a str,
///     ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
///         Box::pin(async {
///             let token = std::env::var("STORAGE_TOKEN")
///                 .map_err(|_| CredentialError::new("STORAGE_TOKEN is not set"))?;
///             Ok(AccessToken::new(token, OffsetDateTime::now_utc() + Duration::hours(1)))
///         })
///     }
/// }
///
/// let credential = Credential::token(FromEnvironment);
/// # let _ = credential;
/// ```
pub trait TokenProvider: fmt::Debug + Send + Sync + 'static {
    /// Gets a token for `scope`: `https://storage.azure.com/.default`, or
    /// `https://disk.azure.com//.default` for the URL of a managed disk.
    ///
    /// Mark an error that may pass with [`transient`](CredentialError::transient); the request is
    /// then retried.
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>>;

    /// Gets a token for `scope` from the tenant `tenant`, a GUID or a domain name.
    ///
    /// Called when the service refuses a token with 401 and names the tenant of the storage
    /// account. The request is then sent again, once, and later requests to the same host use this
    /// tenant. The name comes from the response: return an error for a tenant that you do not
    /// trust.
    ///
    /// The default implementation calls [`token`](TokenProvider::token).
    ///
    /// ```
    /// use blobcopy::{AccessToken, CredentialError, TokenProvider, transport::BoxFuture};
    ///
    /// #[derive(Debug)]
    /// struct Login {
    ///     home: String,
    /// }
    ///
    /// impl TokenProvider for Login {
    ///     fn token<'a>(
    ///         &'a self,
    ///         scope: &'a str,
    ///     ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
    ///         self.token_of_tenant(scope, &self.home)
    ///     }
    ///
    ///     fn token_of_tenant<'a>(
    ///         &'a self,
    ///         _scope: &'a str,
    ///         tenant: &'a str,
    ///     ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
    ///         Box::pin(async move {
    ///             // ask https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token
    /// #           let _ = tenant;
    /// #           Err(CredentialError::new("not asked here"))
    ///         })
    ///     }
    /// }
    /// ```
    fn token_of_tenant<'a>(
        &'a self,
        scope: &'a str,
        tenant: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        let _ = tenant;
        self.token(scope)
    }
}

/// A bearer token and its expiry.
///
/// `Debug` does not show the token.
#[derive(Clone)]
pub struct AccessToken {
    pub(super) secret: Zeroizing<String>,
    pub(super) expires_on: OffsetDateTime,
}

impl AccessToken {
    /// A token, without the word `Bearer`, and its expiry.
    pub fn new(secret: impl Into<String>, expires_on: OffsetDateTime) -> Self {
        Self { secret: Zeroizing::new(secret.into()), expires_on }
    }

    /// When it expires.
    pub fn expires_on(&self) -> OffsetDateTime {
        self.expires_on
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("expires_on", &self.expires_on).finish_non_exhaustive()
    }
}
