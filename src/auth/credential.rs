//! What proves to the service who is asking.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use time::OffsetDateTime;
use url::Url;
use zeroize::Zeroizing;

use super::{
    connection_string::ConnectionAuth,
    sas::{SasToken, validity},
    shared_key::SharedKey,
    token::TokenProvider,
    token_cache::CachedToken,
};
use crate::{
    error::{CredentialError, ProofKind, Result, Validity},
    models::ServiceVersion,
    wire::transport::Request,
};

/// What authorizes a client's requests.
///
/// Cheap to clone. No form of it shows a secret.
///
/// ```
/// use blobcopy::Credential;
///
/// let by_key = Credential::shared_key("account", "c2VjcmV0")?;
/// let by_sas = Credential::sas("sv=2026-04-06&sp=r&sr=b&sig=c2VjcmV0")?;
/// assert!(!format!("{by_key:?} {by_sas:?}").contains("c2VjcmV0"));
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Clone)]
pub struct Credential(pub(crate) Proof);

#[derive(Clone)]
pub(crate) enum Proof {
    SharedKey(Arc<SharedKey>),
    Sas(Arc<SasToken>),
    /// Bearer tokens, and the SAS that goes with them where both are demanded.
    Token(Arc<CachedToken>, Option<Arc<SasToken>>),
    Anonymous,
}

impl Credential {
    /// The account's name and one of its keys, in base64. Signs every request.
    ///
    /// From [Authorize with Shared
    /// Key](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key). Fails
    /// when the name is empty or the key is not base64.
    pub fn shared_key(account: &str, base64_key: &str) -> Result<Self> {
        Ok(Self(Proof::SharedKey(Arc::new(SharedKey::new(account, base64_key)?))))
    }

    /// A shared access signature, with or without the leading `?`. It is added to every request's
    /// URL exactly as it is.
    ///
    /// From [Delegate access with a shared access
    /// signature](https://learn.microsoft.com/rest/api/storageservices/delegate-access-with-shared-access-signature).
    /// Fails when there is no `sig` in it.
    pub fn sas(token: &str) -> Result<Self> {
        Ok(Self(Proof::Sas(Arc::new(SasToken::parse(token)?))))
    }

    /// Bearer tokens from Microsoft Entra ID. They are cached, refreshed before they expire, and
    /// sent over https only. When the service refuses one and names the tenant of which it wants
    /// one, the provider is asked for that, and the request is sent once more.
    ///
    /// From [Authorize with Microsoft Entra
    /// ID](https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory).
    pub fn token(provider: impl TokenProvider) -> Self {
        Self(Proof::Token(Arc::new(CachedToken::new(provider)), None))
    }

    /// No credential: for containers and blobs that anyone may read.
    pub fn anonymous() -> Self {
        Self(Proof::Anonymous)
    }

    /// Bearer tokens, and a SAS that is sent with each of them.
    pub(crate) fn token_beside(token: Arc<CachedToken>, sas: &str) -> Result<Self> {
        Ok(Self(Proof::Token(token, Some(Arc::new(SasToken::parse(sas)?)))))
    }

    /// The account that the credential is of, where it says so.
    pub(crate) fn account(&self) -> Option<&str> {
        match &self.0 {
            Proof::SharedKey(key) => Some(key.account()),
            Proof::Sas(_) | Proof::Token(..) | Proof::Anonymous => None,
        }
    }

    pub(crate) fn is_token(&self) -> bool {
        matches!(self.0, Proof::Token(..))
    }

    /// What it is, for the advice on a refusal.
    pub(crate) fn kind(&self) -> ProofKind {
        match &self.0 {
            Proof::SharedKey(_) => ProofKind::SharedKey,
            Proof::Sas(_) => ProofKind::Sas,
            Proof::Token(..) => ProofKind::Token,
            Proof::Anonymous => ProofKind::Nothing,
        }
    }

    /// From when to when its SAS is valid, if it has one that says so.
    pub(crate) fn validity(&self) -> Validity {
        match &self.0 {
            Proof::Sas(sas) | Proof::Token(_, Some(sas)) => validity(sas.expose()),
            Proof::SharedKey(_) | Proof::Token(_, None) | Proof::Anonymous => Validity::default(),
        }
    }

    /// Adds what authorizes `request`, which must not be changed afterwards.
    pub(crate) async fn authorize(
        &self,
        request: &mut Request,
        version: ServiceVersion,
        now: OffsetDateTime,
    ) -> Result<(), CredentialError> {
        match &self.0 {
            Proof::Anonymous => {}
            Proof::SharedKey(key) => {
                let Request { method, url, headers, .. } = &*request;
                let value = key.authorization(method, url, headers, version.as_str());
                request.headers.insert(AUTHORIZATION, value);
            }
            Proof::Sas(sas) => add_to_query(&mut request.url, sas),
            Proof::Token(token, sas) => {
                if request.url.scheme() != "https" {
                    let rule = "a bearer token travels over https only";
                    return Err(CredentialError::new(rule));
                }
                // In a box, so that requests signed by key need not keep room for it.
                let value = Box::pin(token.header(&request.url, now)).await?;
                request.headers.insert(AUTHORIZATION, value);
                if let Some(sas) = sas {
                    add_to_query(&mut request.url, sas);
                }
            }
        }
        Ok(())
    }

    /// The token that was added to a request, if it is a token.
    pub(crate) fn token_in(&self, request: &Request) -> Option<HeaderValue> {
        match self.is_token() {
            true => request.headers.get(AUTHORIZATION).cloned(),
            false => None,
        }
    }

    /// Whether the 401 with these headers, to a request to `url` with the token `refused`, has been
    /// followed to another token.
    pub(crate) async fn follow_challenge(
        &self,
        url: &Url,
        headers: &HeaderMap,
        refused: &HeaderValue,
        now: OffsetDateTime,
    ) -> Result<bool, CredentialError> {
        match &self.0 {
            Proof::Token(token, _) => token.follow_challenge(url, headers, refused, now).await,
            Proof::SharedKey(_) | Proof::Sas(_) | Proof::Anonymous => Ok(false),
        }
    }
}

/// Adds a SAS behind what the query holds, byte for byte.
fn add_to_query(url: &mut Url, sas: &SasToken) {
    let query = Zeroizing::new(match url.query() {
        Some(query) if !query.is_empty() => [query, "&", sas.expose()].concat(),
        _ => sas.expose().to_owned(),
    });
    url.set_query(Some(&query));
}

impl From<ConnectionAuth> for Credential {
    fn from(auth: ConnectionAuth) -> Self {
        Self(match auth {
            ConnectionAuth::Key(key) => Proof::SharedKey(Arc::new(key)),
            ConnectionAuth::Sas(sas) => Proof::Sas(Arc::new(sas)),
            ConnectionAuth::Anonymous => Proof::Anonymous,
        })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Proof::SharedKey(key) => write!(f, "Credential::shared_key({:?}, ..)", key.account()),
            Proof::Sas(sas) => write!(f, "Credential::sas({sas:?})"),
            Proof::Token(..) => f.write_str("Credential::token(..)"),
            Proof::Anonymous => f.write_str("Credential::anonymous()"),
        }
    }
}
