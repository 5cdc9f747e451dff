//! Bearer tokens: who provides them, and how long they are kept.

use std::{collections::HashMap, fmt, sync::Arc};

use http::{HeaderMap, HeaderValue};
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

use super::challenge;
use crate::{error::CredentialError, wire::transport::BoxFuture};

/// The scope for which tokens are asked.
const SCOPE: &str = "https://storage.azure.com/.default";

/// Tokens are refreshed this long before they expire.
const AHEAD: Duration = Duration::minutes(5);

/// Provides bearer tokens for a scope, from Microsoft Entra ID or wherever they come from.
///
/// It is asked for a token when there is none, and again shortly before the last one expires; not
/// for every request. While it works, requests wait for it; when it fails and the last token is
/// still valid, that one is used.
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
    /// Gets a token for `scope`, which is `https://storage.azure.com/.default`.
    ///
    /// An error that may be gone on the next try is marked with
    /// [`transient`](CredentialError::transient).
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>>;

    /// Gets a token for `scope` of the tenant `tenant`, a GUID or a domain name.
    ///
    /// It is asked for when the service refuses a token with 401 and names the tenant that the storage
    /// account belongs to. The request is then sent once more, and the tenant is kept for further
    /// requests to the same host. The name comes from the answer to the request: give an error for a
    /// tenant to which you would not log in.
    ///
    /// Unless it is implemented, another token is asked of [`token`](TokenProvider::token).
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

/// A bearer token and the time at which it expires.
///
/// Its `Debug` form does not show the token.
#[derive(Clone)]
pub struct AccessToken {
    secret: Zeroizing<String>,
    expires_on: OffsetDateTime,
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

/// A provider and the last tokens that it gave.
pub(crate) struct CachedToken {
    provider: Box<dyn TokenProvider>,
    known: Mutex<Known>,
}

/// What is known of tokens; most often one, of no tenant in particular.
#[derive(Default)]
struct Known {
    tokens: HashMap<Option<Tenant>, Held>,
    /// The tenants that hosts have asked for.
    tenants: HashMap<Box<str>, Tenant>,
}

type Tenant = Arc<str>;

struct Held {
    header: HeaderValue,
    refresh_from: OffsetDateTime,
    expires_on: OffsetDateTime,
}

impl CachedToken {
    pub(crate) fn new(provider: impl TokenProvider) -> Self {
        Self { provider: Box::new(provider), known: Mutex::default() }
    }

    /// The `Authorization` header for a request to `url` made at `now`.
    pub(crate) async fn header(
        &self,
        url: &Url,
        now: OffsetDateTime,
    ) -> Result<HeaderValue, CredentialError> {
        let mut known = self.known.lock().await;
        let tenant = known.tenants.get(host(url)).cloned();
        match known.tokens.get(&tenant) {
            Some(token) if now < token.refresh_from => return Ok(token.header.clone()),
            _ => {}
        }
        match (self.fetch(tenant.as_deref(), now).await, known.tokens.get(&tenant)) {
            (Ok(fresh), _) => {
                let header = fresh.header.clone();
                known.tokens.insert(tenant, fresh);
                Ok(header)
            }
            (Err(_), Some(last)) if now < last.expires_on => Ok(last.header.clone()),
            (Err(error), _) => Err(error),
        }
    }

    /// Does what the 401 with these headers asks for, to a request to `url` with the token `refused`.
    /// Whether there is another token now.
    pub(crate) async fn follow_challenge(
        &self,
        url: &Url,
        headers: &HeaderMap,
        refused: &HeaderValue,
        now: OffsetDateTime,
    ) -> Result<bool, CredentialError> {
        let Some(tenant) = challenge::tenant(headers) else { return Ok(false) };
        let tenant = Tenant::from(tenant);
        let mut known = self.known.lock().await;
        // Another request may have been answered the same.
        let held = known.tokens.get(&Some(Arc::clone(&tenant)));
        let another = held.is_some_and(|held| held.header != *refused && now < held.refresh_from);
        if another {
            known.keep(host(url), tenant);
            return Ok(true);
        }
        let fresh = self.fetch(Some(&tenant), now).await.map_err(|error| {
            error.after(format_args!("the service asks for a token of tenant {tenant}: "))
        })?;
        let another = fresh.header != *refused;
        known.tokens.insert(Some(Arc::clone(&tenant)), fresh);
        known.keep(host(url), tenant);
        Ok(another)
    }

    async fn fetch(
        &self,
        tenant: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Held, CredentialError> {
        let token = match tenant {
            None => self.provider.token(SCOPE).await?,
            Some(tenant) => self.provider.token_of_tenant(SCOPE, tenant).await?,
        };
        if token.expires_on <= now {
            return Err(CredentialError::new("the token that was provided has expired already"));
        }
        let header = Zeroizing::new(format!("Bearer {}", *token.secret));
        let well_formed = token.secret.bytes().all(|byte| byte.is_ascii_graphic());
        let mut header = HeaderValue::from_str(&header)
            .ok()
            .filter(|_| well_formed && !token.secret.is_empty())
            .ok_or_else(|| CredentialError::new("the token provided is not visible ASCII text"))?;
        header.set_sensitive(true);
        // A token that lives for less than twice the usual time ahead is used for half its life.
        let ahead = AHEAD.min((token.expires_on - now) / 2);
        Ok(Held { header, refresh_from: token.expires_on - ahead, expires_on: token.expires_on })
    }
}

impl Known {
    /// Keeps the tenant of a host, and nothing of the one that it had before.
    fn keep(&mut self, host: &str, tenant: Tenant) {
        let before = self.tenants.insert(host.into(), tenant);
        if let Some(before) = before.filter(|before| !self.tenants.values().any(|t| t == before)) {
            self.tokens.remove(&Some(before));
        }
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
