//! Authorization with the account key.
//!
//! From [Authorize with Shared
//! Key](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key), the format
//! for the blob service of 2009-09-19 and later.

use std::{borrow::Cow, cmp::Ordering, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Method};
use sha2::Sha256;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    models::since,
};

/// The name of a storage account, and one of its two keys.
///
/// It signs shared access signatures and, as a credential, every request. `Debug` does not show the
/// key. Only the HMAC-SHA256 state of the key is kept, and wiped from memory on drop. The base64
/// text or connection string that the key came from belongs to the caller and is not wiped.
///
/// ```
/// use blobcopy::SharedKey;
///
/// let key = SharedKey::new("myaccount", "c2VjcmV0IGtleQ==")?;
/// assert_eq!(key.account(), "myaccount");
/// assert_eq!(format!("{key:?}"), r#"SharedKey { account: "myaccount", .. }"#);
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedKey {
    account: Box<str>,
    key: SigningKey,
}

impl SharedKey {
    /// The account name and key, as the portal shows them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the account name is not 1 to 63 letters, digits, `-` and `_`, or
    /// the key is empty or not base64.
    ///
    /// ```
    /// use blobcopy::SharedKey;
    ///
    /// let error = SharedKey::new("myaccount", "not base64!").unwrap_err();
    /// assert_eq!(error.to_string(), "account key: (value not shown) must be base64 text");
    /// ```
    pub fn new(account: &str, base64_key: &str) -> Result<Self> {
        check_account(account)?;
        Ok(Self { account: account.into(), key: SigningKey::new("account key", base64_key)? })
    }

    /// The name of the account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The key that signs.
    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// The value of `Authorization` for a request; all other headers must be set.
    pub(crate) fn authorization(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        version: &str,
    ) -> HeaderValue {
        let mut text = Vec::with_capacity(1024);
        string_to_sign(method, url, headers, &self.account, version, &mut text);

        let mut value = Vec::with_capacity(SCHEME.len() + self.account.len() + 1 + SIGNATURE_LEN);
        value.extend_from_slice(SCHEME);
        value.extend_from_slice(self.account.as_bytes());
        value.push(b':');
        value.extend_from_slice(&self.key.sign(&text));
        let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(value))
            .expect("an account name and base64 are legal in a header");
        value.set_sensitive(true);
        value
    }
}

const SCHEME: &[u8] = b"SharedKey ";

/// Refuses an invalid account name.
pub(crate) fn check_account(name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || name.len() > 63 || !name.bytes().all(allowed) {
        let rule = "must be 1 to 63 letters, digits, hyphens or underscores";
        return Err(Error::invalid("account name", name, rule));
    }
    Ok(())
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedKey").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Writes the string to sign of a request: its method, standard headers, `x-ms-` headers and
/// resource.
pub(crate) fn string_to_sign(
    method: &Method,
    url: &Url,
    headers: &HeaderMap,
    account: &str,
    version: &str,
    out: &mut Vec<u8>,
) {
    let mut standard: [&[u8]; STANDARD_HEADERS] = [b""; STANDARD_HEADERS];
    let mut own: Vec<(&[u8], &[u8])> = Vec::with_capacity(16);
    for (name, value) in headers {
        let (name, value) = (name.as_str().as_bytes(), value.as_bytes().trim_ascii());
        if let Some(suffix) = name.strip_prefix(OWN_PREFIX) {
            // Before 2016-05-31 the service leaves empty headers out.
            if !value.is_empty() || version >= since::EMPTY_HEADERS.version().as_str() {
                own.push((suffix, value));
            }
        } else if let Some(place) = standard_place(name) {
            standard[place] = value;
        }
    }
    if standard[CONTENT_LENGTH] == b"0" && version >= since::ABBREVIATED_LENGTHS.version().as_str()
    {
        standard[CONTENT_LENGTH] = b"";
    }
    own.sort_unstable_by(|(a, _), (b, _)| service_order(a, b));
    if own.iter().any(|(suffix, _)| *suffix == b"date") {
        standard[DATE] = b"";
    }

    out.extend_from_slice(method.as_str().as_bytes());
    let mut ended = 0;
    for (place, value) in standard.iter().enumerate() {
        if !value.is_empty() {
            out.extend_from_slice(&LINE_ENDS[ended..=place]);
            out.extend_from_slice(value);
            ended = place + 1;
        }
    }
    out.extend_from_slice(&LINE_ENDS[ended..]);
    for (suffix, value) in &own {
        out.extend_from_slice(OWN_PREFIX);
        out.extend_from_slice(suffix);
        out.push(b':');
        out.extend_from_slice(value);
        out.push(b'\n');
    }
    canonical_resource(url, account, out);
}

const OWN_PREFIX: &[u8] = b"x-ms-";

/// How many standard headers are signed.
const STANDARD_HEADERS: usize = 11;
/// The line ends after the method and the standard headers, most of which are empty.
const LINE_ENDS: [u8; STANDARD_HEADERS + 1] = [b'\n'; STANDARD_HEADERS + 1];
const CONTENT_LENGTH: usize = 2;
const DATE: usize = 5;

/// The line of a standard header in the string to sign.
fn standard_place(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"content-encoding" => 0,
        b"content-language" => 1,
        b"content-length" => CONTENT_LENGTH,
        b"content-md5" => 3,
        b"content-type" => 4,
        b"date" => DATE,
        b"if-modified-since" => 6,
        b"if-match" => 7,
        b"if-none-match" => 8,
        b"if-unmodified-since" => 9,
        b"range" => 10,
        _ => return None,
    })
}

/// Compares header names as the service does: first without hyphens, with punctuation before digits
/// and digits before letters; then by the position of the hyphens.
///
/// For the service's own headers this is byte order; for metadata it can differ. The documentation
/// says "lexicographically"; the official SDKs sort like this.
fn service_order(a: &[u8], b: &[u8]) -> Ordering {
    let Some(at) = a.iter().zip(b).position(|(a, b)| a != b) else {
        return a.len().cmp(&b.len());
    };
    let (first, second) = (WEIGHTS[usize::from(a[at])], WEIGHTS[usize::from(b[at])]);
    if first != 0 && second != 0 {
        return first.cmp(&second);
    }
    let weights = |rest: &[u8]| -> Vec<u8> {
        rest.iter().map(|byte| WEIGHTS[usize::from(*byte)]).filter(|weight| *weight != 0).collect()
    };
    // If the rest is equal, the name whose hyphen comes later is first.
    weights(&a[at..]).cmp(&weights(&b[at..])).then(second.cmp(&first)).then(b[at].cmp(&a[at]))
}

/// The rank of each byte of a header name; 0 for the hyphen and the apostrophe.
const WEIGHTS: [u8; 256] = {
    let mut weights = [0; 256];
    let order = b"!#$%&*.^_`|~+0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rank: u8 = 0;
    while (rank as usize) < order.len() {
        weights[order[rank as usize] as usize] = rank + 1;
        rank += 1;
    }
    weights
};

/// Writes the account, the path as sent, and every query parameter, decoded and sorted by name.
/// Values of a repeated name are joined.
fn canonical_resource(url: &Url, account: &str, out: &mut Vec<u8>) {
    out.push(b'/');
    out.extend_from_slice(account.as_bytes());
    out.extend_from_slice(url.path().as_bytes());
    let mut parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    for pair in url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let plain = !pair.bytes().any(|byte| matches!(byte, b'%' | b'+' | b'A'..=b'Z'));
        if plain {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.push((name.into(), value.into()));
        } else {
            let decoded = form_urlencoded::parse(pair.as_bytes());
            parameters.extend(decoded.map(|(name, value)| (name.to_lowercase().into(), value)));
        }
    }
    parameters.sort_unstable();
    let mut previous = None;
    for (name, value) in &parameters {
        if previous == Some(name) {
            out.push(b',');
        } else {
            out.push(b'\n');
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
        }
        out.extend_from_slice(value.as_bytes());
        previous = Some(name);
    }
}

/// A key ready to sign: the state of HMAC-SHA256 after the key.
#[derive(Clone)]
pub(crate) struct SigningKey(Hmac<Sha256>);

/// The length of a signature in base64.
const SIGNATURE_LEN: usize = 44;

impl SigningKey {
    /// Decodes a key; `what` names it in errors.
    pub(crate) fn new(what: &'static str, base64_key: &str) -> Result<Self> {
        // Allocated once: a buffer that grows would leave copies of the key in memory.
        let mut key = Zeroizing::new(Vec::with_capacity(base64_key.len()));
        STANDARD
            .decode_vec(base64_key, &mut key)
            .map_err(|_| Error::invalid_secret(what, "must be base64 text"))?;
        if key.is_empty() {
            return Err(Error::invalid_secret(what, "must not be empty"));
        }
        Ok(Self(Hmac::new_from_slice(&key).expect("HMAC takes a key of any length")))
    }

    /// The signature of `text`, in base64.
    pub(crate) fn sign(&self, text: &[u8]) -> [u8; SIGNATURE_LEN] {
        let mut mac = self.0.clone();
        mac.update(text);
        let mut signature = [0; SIGNATURE_LEN];
        STANDARD
            .encode_slice(mac.finalize().into_bytes(), &mut signature)
            .expect("32 bytes are 44 digits of base64");
        signature
    }
}

#[cfg(test)]
#[path = "shared_key_tests.rs"]
mod tests;
