//! A URL with a SAS.

use std::fmt;

use url::Url;
use zeroize::Zeroizing;

use super::SasToken;
use crate::wire::redaction::redact;

/// The URL of a container, blob, snapshot or version with a SAS that authorizes it.
///
/// [`BlobClient::sas_url`](crate::BlobClient::sas_url) makes it. Anyone who has it can do what the
/// SAS permits until it expires, so `Debug` shows `sig=REDACTED`; only [`expose`](SasUrl::expose)
/// and the conversion to a [`Url`] give the whole text. Its text is wiped from memory on drop; a
/// [`Url`] made from it is not.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// use blobcopy::sas::BlobSasPermissions;
/// use time::{Duration, OffsetDateTime};
///
/// let notes = service.container_client("vhds").blob_client("notes.txt");
/// let until = OffsetDateTime::now_utc() + Duration::hours(1);
/// let url = notes.sas_url(BlobSasPermissions::new().read(), until).await?;
/// assert!(format!("{url:?}").ends_with("&sig=REDACTED\")"));
/// println!("curl '{}'", url.expose());
/// # Ok(()) });
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SasUrl(Zeroizing<String>);

impl SasUrl {
    pub(crate) fn new(url: &Url, sas: &SasToken) -> Self {
        let separator = if url.query().is_some() { "&" } else { "?" };
        Self(Zeroizing::new([url.as_str(), separator, sas.expose()].concat()))
    }

    /// The whole URL, with the signature: a secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Includes the signature, which the `Debug` of [`Url`] shows.
impl From<&SasUrl> for Url {
    fn from(url: &SasUrl) -> Self {
        Self::parse(url.expose()).expect("it is made of a URL and a query")
    }
}

impl fmt::Debug for SasUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SasUrl").field(&redact(&self.0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sas_stands_behind_the_query_and_its_signature_is_not_shown() {
        let sas = SasToken::parse("sr=b&sig=SECRET%2B%3D").expect("well formed");
        for (url, expected) in [
            ("https://a.example/c/b", "https://a.example/c/b?sr=b&sig="),
            ("https://a.example/c/b?snapshot=x", "https://a.example/c/b?snapshot=x&sr=b&sig="),
        ] {
            let url = SasUrl::new(&url.parse().expect("a URL"), &sas);
            assert_eq!(url.expose(), format!("{expected}SECRET%2B%3D"));
            assert_eq!(format!("{url:?}"), format!("SasUrl(\"{expected}REDACTED\")"));
            assert_eq!(Url::from(&url).as_str(), url.expose());
        }
    }
}
