//! Bearer tokens: who provides them, and how long they are kept.

use std::fmt;

use http::HeaderValue;
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::{error::CredentialError, pipeline::transport::BoxFuture};

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

/// A provider and the last token that it gave.
pub(crate) struct CachedToken {
    provider: Box<dyn TokenProvider>,
    held: Mutex<Option<Held>>,
}

struct Held {
    header: HeaderValue,
    refresh_from: OffsetDateTime,
    expires_on: OffsetDateTime,
}

impl CachedToken {
    pub(crate) fn new(provider: impl TokenProvider) -> Self {
        Self { provider: Box::new(provider), held: Mutex::new(None) }
    }

    /// The `Authorization` header for a request made at `now`.
    pub(crate) async fn header(&self, now: OffsetDateTime) -> Result<HeaderValue, CredentialError> {
        let mut held = self.held.lock().await;
        match &*held {
            Some(token) if now < token.refresh_from => return Ok(token.header.clone()),
            _ => {}
        }
        match (self.fetch(now).await, &*held) {
            (Ok(fresh), _) => Ok(held.insert(fresh).header.clone()),
            (Err(_), Some(last)) if now < last.expires_on => Ok(last.header.clone()),
            (Err(error), _) => Err(error),
        }
    }

    async fn fetch(&self, now: OffsetDateTime) -> Result<Held, CredentialError> {
        let token = self.provider.token(SCOPE).await?;
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

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    /// Gives `t1`, `t2`, … each valid for an hour from `NOW` times its number; fails when told to.
    #[derive(Debug, Default)]
    struct Counting {
        asked: AtomicUsize,
        fails_from: usize,
    }

    #[derive(Debug, Clone)]
    struct Shared(Arc<Counting>);

    impl TokenProvider for Shared {
        fn token<'a>(
            &'a self,
            scope: &'a str,
        ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
            Box::pin(async move {
                assert_eq!(scope, "https://storage.azure.com/.default");
                let number = self.0.asked.fetch_add(1, Ordering::Relaxed) + 1;
                if number >= self.0.fails_from {
                    return Err(CredentialError::new("out of order").transient());
                }
                let hours = i64::try_from(number).expect("small");
                Ok(AccessToken::new(format!("t{number}"), NOW + Duration::hours(hours)))
            })
        }
    }

    fn cached(fails_from: usize) -> (CachedToken, Arc<Counting>) {
        let counting = Arc::new(Counting { fails_from, ..Counting::default() });
        (CachedToken::new(Shared(Arc::clone(&counting))), counting)
    }

    #[tokio::test]
    async fn a_token_is_kept_until_shortly_before_it_expires() {
        let (token, provider) = cached(usize::MAX);
        for (minute, expected) in [(0, "Bearer t1"), (54, "Bearer t1"), (55, "Bearer t2")] {
            let header = token.header(NOW + Duration::minutes(minute)).await.expect("provided");
            assert_eq!(header, expected, "minute {minute}");
            assert!(header.is_sensitive());
        }
        assert_eq!(provider.asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_failed_refresh_falls_back_on_a_token_that_is_still_valid() {
        let (token, _) = cached(2);
        token.header(NOW).await.expect("provided");
        let late = token.header(NOW + Duration::minutes(59)).await.expect("still valid");
        assert_eq!(late, "Bearer t1");
        let error = token.header(NOW + Duration::minutes(60)).await.expect_err("expired");
        assert_eq!(error.to_string(), "out of order");
    }

    #[tokio::test]
    async fn an_expired_or_malformed_token_is_refused_without_showing_it() {
        #[derive(Debug)]
        struct Fixed(&'static str, OffsetDateTime);
        impl TokenProvider for Fixed {
            fn token<'a>(
                &'a self,
                _: &'a str,
            ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
                Box::pin(async { Ok(AccessToken::new(self.0, self.1)) })
            }
        }
        let hour = NOW + Duration::hours(1);
        for (secret, expiry) in [("SECRET", NOW), ("SECRET\n", hour), ("", hour), ("SEC RET", hour)]
        {
            let error = CachedToken::new(Fixed(secret, expiry)).header(NOW).await;
            let error = error.expect_err(secret).to_string();
            assert!(error.contains("token") && !error.contains("SEC"), "{error}");
        }
    }
}
