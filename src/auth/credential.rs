//! Credentials: what authorizes requests.

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
/// Cheap to clone. `Debug` never shows a secret.
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
    /// Bearer tokens, with a SAS if requests need both.
    Token(Arc<CachedToken>, Option<Arc<SasToken>>),
    Anonymous,
}

impl Credential {
    /// The name of the account and one of its keys, in base64. Signs every request.
    ///
    /// From [Authorize with Shared
    /// Key](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key). An
    /// empty or invalid name, and a key that is not base64, are errors.
    pub fn shared_key(account: &str, base64_key: &str) -> Result<Self> {
        Ok(Self(Proof::SharedKey(Arc::new(SharedKey::new(account, base64_key)?))))
    }

    /// A shared access signature (SAS), with or without the leading `?`. It is added to the URL of
    /// every request, byte for byte.
    ///
    /// From [Delegate access with a shared access
    /// signature](https://learn.microsoft.com/rest/api/storageservices/delegate-access-with-shared-access-signature).
    /// A SAS without `sig` is an error.
    pub fn sas(token: &str) -> Result<Self> {
        Ok(Self(Proof::Sas(Arc::new(SasToken::parse(token)?))))
    }

    /// Bearer tokens from Microsoft Entra ID. They are cached, refreshed before they expire, and
    /// sent over https only. When the service refuses a token and names the tenant that it expects,
    /// the client requests a token for that tenant and sends the request again, once.
    ///
    /// From [Authorize with Microsoft Entra
    /// ID](https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory).
    pub fn token(provider: impl TokenProvider) -> Self {
        Self(Proof::Token(Arc::new(CachedToken::new(provider)), None))
    }

    /// No credential: for public containers and blobs.
    pub fn anonymous() -> Self {
        Self(Proof::Anonymous)
    }

    /// Bearer tokens, and a SAS that is sent with each token.
    pub(crate) fn token_beside(token: Arc<CachedToken>, sas: &str) -> Result<Self> {
        Ok(Self(Proof::Token(token, Some(Arc::new(SasToken::parse(sas)?)))))
    }

    /// The same bearer tokens for a scope that the URL does not decide.
    #[cfg(feature = "resource-manager")]
    pub(crate) fn for_scope(self, scope: &'static str) -> Result<Self> {
        match self.0 {
            Proof::Token(token, None) => {
                Ok(Self(Proof::Token(Arc::new(token.for_scope(scope)), None)))
            }
            _ => Err(crate::Error::invalid(
                "credential",
                format!("{self:?}"),
                "must be one that provides bearer tokens",
            )),
        }
    }

    /// The account of the credential, if it has one.
    pub(crate) fn account(&self) -> Option<&str> {
        match &self.0 {
            Proof::SharedKey(key) => Some(key.account()),
            Proof::Sas(_) | Proof::Token(..) | Proof::Anonymous => None,
        }
    }

    pub(crate) fn is_token(&self) -> bool {
        matches!(self.0, Proof::Token(..))
    }

    /// The kind of credential, for the advice in errors.
    pub(crate) fn kind(&self) -> ProofKind {
        match &self.0 {
            Proof::SharedKey(_) => ProofKind::SharedKey,
            Proof::Sas(_) => ProofKind::Sas,
            Proof::Token(..) => ProofKind::Token,
            Proof::Anonymous => ProofKind::Nothing,
        }
    }

    /// The validity of its SAS, as far as the SAS says it.
    pub(crate) fn validity(&self) -> Validity {
        match &self.0 {
            Proof::Sas(sas) | Proof::Token(_, Some(sas)) => validity(sas.expose()),
            Proof::SharedKey(_) | Proof::Token(_, None) | Proof::Anonymous => Validity::default(),
        }
    }

    /// Whether it is a SAS of one blob, snapshot or version: it lists nothing.
    pub(crate) fn is_sas_of_one_blob(&self) -> bool {
        let (Proof::Sas(sas) | Proof::Token(_, Some(sas))) = &self.0 else { return false };
        sas.expose().split('&').any(|pair| matches!(pair, "sr=b" | "sr=bs" | "sr=bv"))
    }

    /// Authorizes `request`, which must not change afterwards.
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
                    let rule = "bearer tokens are sent over https only";
                    return Err(CredentialError::new(rule));
                }
                // Boxed, so that futures of requests signed by key stay small.
                let value = Box::pin(token.header(&request.url, now)).await?;
                request.headers.insert(AUTHORIZATION, value);
                if let Some(sas) = sas {
                    add_to_query(&mut request.url, sas);
                }
            }
        }
        Ok(())
    }

    /// The `Authorization` header of a request, if it holds a token.
    pub(crate) fn token_in(&self, request: &Request) -> Option<HeaderValue> {
        match self.is_token() {
            true => request.headers.get(AUTHORIZATION).cloned(),
            false => None,
        }
    }

    /// Follows the challenge in the `headers` of a 401, for a request to `url` with the token
    /// `refused`. Returns whether there is another token now.
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

/// Appends a SAS to the query, byte for byte.
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
