//! Keys that encrypt content.
//!
//! From [Provide an encryption key on a
//! request](https://learn.microsoft.com/azure/storage/blobs/encryption-customer-provided-keys) and
//! [Encryption scopes for Blob storage](https://learn.microsoft.com/azure/storage/blobs/encryption-scope-overview).

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    wire::headers,
};

/// A customer-provided AES-256 key, with which the service encrypts content that is written and
/// decrypts content that is read (from version 2019-02-02).
///
/// The service does not store the key: reading the content requires the same key. It is sent over
/// https only, and no form of this type shows it. All clones share one copy in memory, which is
/// wiped when the last clone is dropped. The caller's own copy, and the headers of requests that
/// carried the key, are not wiped.
///
/// ```
/// use blobcopy::CustomerProvidedKey;
///
/// let key = CustomerProvidedKey::new([7; 32]);
/// assert_eq!(key.sha256(), "S7Bvjk46dxXSAdVz0KpCN2LlXavWGiwCJ4+lbMbSlOA=");
/// assert!(!format!("{key:?}").contains("BwcHBwcH"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerProvidedKey {
    /// On the heap, so that moves and clones leave no copies.
    key: Arc<Zeroizing<[u8; 32]>>,
    sha256: String,
}

impl CustomerProvidedKey {
    /// Makes a key from its 256 bits.
    pub fn new(key: [u8; 32]) -> Self {
        Self::of(&Zeroizing::new(key))
    }

    fn of(bytes: &[u8; 32]) -> Self {
        let mut key = Arc::new(Zeroizing::new([0; 32]));
        // There is no other reference yet.
        if let Some(key) = Arc::get_mut(&mut key) {
            key.copy_from_slice(bytes);
        }
        let sha256 = STANDARD.encode(Sha256::digest(bytes));
        Self { key, sha256 }
    }

    /// Makes a key from base64.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the text is not 32 bytes in base64.
    ///
    /// ```
    /// use blobcopy::CustomerProvidedKey;
    ///
    /// let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    /// assert_eq!(CustomerProvidedKey::from_base64(key)?, CustomerProvidedKey::new([7; 32]));
    /// assert!(CustomerProvidedKey::from_base64("c2hvcnQ=").is_err());
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn from_base64(text: &str) -> Result<Self> {
        // Allocated at full size: a buffer that grows leaves copies.
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
        let decoded = STANDARD.decode_vec(text, &mut bytes);
        let rule = "must be 32 bytes in base64: an AES-256 key";
        match (decoded, <&[u8; 32]>::try_from(bytes.as_slice())) {
            (Ok(()), Ok(key)) => Ok(Self::of(key)),
            _ => Err(Error::invalid_secret("customer-provided key", rule)),
        }
    }

    /// The SHA-256 of the key, in base64. The service identifies the key by it.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Writes the three headers for the request's own blob.
    pub(crate) fn write(&self, to: &mut HeaderMap) -> Result<()> {
        self.write_as(&OWN, to)
    }

    /// Writes the three headers for the source.
    pub(crate) fn write_source(&self, to: &mut HeaderMap) -> Result<()> {
        self.write_as(&SOURCE, to)
    }

    fn write_as(&self, names: &Names, to: &mut HeaderMap) -> Result<()> {
        let text = Zeroizing::new(STANDARD.encode(self.key.as_slice()));
        let mut key = HeaderValue::from_str(&text).map_err(|_| {
            Error::invalid_secret("customer-provided key", "must be text that a header can hold")
        })?;
        key.set_sensitive(true);
        to.insert(&names.key, key);
        let hash = headers::value(&self.sha256)
            .map_err(|why| why.at("customer-provided key", &self.sha256))?;
        to.insert(&names.sha256, hash);
        to.insert(&names.algorithm, HeaderValue::from_static("AES256"));
        Ok(())
    }
}

impl fmt::Debug for CustomerProvidedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerProvidedKey").field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

struct Names {
    key: HeaderName,
    sha256: HeaderName,
    algorithm: HeaderName,
}

static OWN: Names = Names {
    key: HeaderName::from_static("x-ms-encryption-key"),
    sha256: headers::ENCRYPTION_KEY_SHA256,
    algorithm: HeaderName::from_static("x-ms-encryption-algorithm"),
};

static SOURCE: Names = Names {
    key: HeaderName::from_static("x-ms-source-encryption-key"),
    sha256: HeaderName::from_static("x-ms-source-encryption-key-sha256"),
    algorithm: HeaderName::from_static("x-ms-source-encryption-algorithm"),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_three_headers_on_either_side() {
        let key = CustomerProvidedKey::new([7; 32]);
        let mut headers = HeaderMap::new();
        key.write(&mut headers).expect("legal");
        key.write_source(&mut headers).expect("legal");
        assert_eq!(headers.len(), 6);
        for prefix in ["x-ms-", "x-ms-source-"] {
            let text = &headers[format!("{prefix}encryption-key")];
            assert_eq!(text, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
            assert!(text.is_sensitive());
            assert_eq!(headers[format!("{prefix}encryption-key-sha256")], key.sha256());
            assert_eq!(headers[format!("{prefix}encryption-algorithm")], "AES256");
        }
    }

    #[test]
    fn all_clones_share_one_copy_in_memory() {
        let key = CustomerProvidedKey::new([7; 32]);
        assert!(Arc::ptr_eq(&key.key, &key.clone().key));
    }

    #[test]
    fn only_256_bits_are_a_key() {
        for text in ["", "c2hvcnQ=", "not base64: SECRET", &STANDARD.encode([1; 33])] {
            let error = CustomerProvidedKey::from_base64(text).expect_err(text).to_string();
            assert!(error.starts_with("customer-provided key: (value not shown) must be 32"));
            assert!(!error.contains("SECRET"), "{error}");
        }
    }
}
