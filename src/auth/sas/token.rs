//! A signed SAS.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    wire::redaction::redact_query,
};

/// A shared access signature: the query string that authorizes a URL.
///
/// Anyone who has it can do what it permits until it expires, so `Debug` shows `sig=REDACTED`; only
/// [`expose`](SasToken::expose) gives the whole text. Its text is wiped from memory on drop; the
/// text that it was parsed from, and the URLs of requests and copy sources that carried it, are
/// not.
///
/// ```
/// use blobcopy::SasToken;
///
/// let sas = SasToken::parse("?sv=2026-04-06&sr=c&sp=r&sig=c2VjcmV0")?;
/// assert_eq!(format!("{sas:?}"), r#"SasToken("sv=2026-04-06&sr=c&sp=r&sig=REDACTED")"#);
/// assert_eq!(sas.expose(), "sv=2026-04-06&sr=c&sp=r&sig=c2VjcmV0");
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SasToken(Zeroizing<String>);

impl SasToken {
    /// Parses a SAS that was signed elsewhere, with or without the leading `?`.
    ///
    /// Keeps the rest byte for byte, since the signature covers it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) if it has no `sig` or more than one,
    /// contains characters that a query cannot (white space, `#`, non-ASCII), or is a whole URL.
    ///
    /// ```
    /// use blobcopy::SasToken;
    ///
    /// assert!(SasToken::parse("sv=2026-04-06&sr=c&sp=r").is_err());
    /// assert!(SasToken::parse("https://a.blob.core.windows.net/c?sp=r&sig=c2VjcmV0").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        let refused = |rule: &str| Err(Error::invalid_secret("SAS token", rule));
        let query = text.strip_prefix('?').unwrap_or(text);
        if query.starts_with("https://") || query.starts_with("http://") {
            return refused("must be only what follows the ? of the URL");
        }
        if !query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return refused("must be visible ASCII characters, without white space and without #");
        }
        let mut signatures = query.split('&').filter_map(|pair| pair.strip_prefix("sig="));
        match (signatures.next(), signatures.next()) {
            (None | Some(""), _) => refused("must contain the signature, sig="),
            (Some(_), Some(_)) => refused("must contain one signature, sig=, not several"),
            (Some(_), None) => Ok(Self(Zeroizing::new(query.to_owned()))),
        }
    }

    /// The whole query string, without `?` but with the signature: a secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SasToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SasToken").field(&redact_query(&self.0)).finish()
    }
}

/// Builds a query string.
pub(super) struct Query(Zeroizing<String>);

impl Query {
    pub(super) fn new() -> Self {
        // Large enough for most SAS, so that the finished text is the only copy in memory.
        Self(Zeroizing::new(String::with_capacity(640)))
    }

    /// Adds a parameter, unless its value is empty.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.push_encoded(name, utf8_percent_encode(value, RESERVED));
        }
    }

    /// Adds a parameter with a percent-encoded value.
    pub(super) fn push_encoded<'a>(
        &mut self,
        name: &str,
        value: impl IntoIterator<Item = &'a str>,
    ) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(value);
    }

    /// Ends the query with the signature.
    pub(super) fn finish(mut self, signature: &[u8]) -> SasToken {
        let signature = percent_encoding::percent_encode(signature, RESERVED);
        self.push_encoded("sig", signature);
        SasToken(self.0)
    }
}

/// Everything but the unreserved characters of URLs.
pub(super) const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_the_user_is_taken_as_it_is_or_refused() {
        for given in ["sv=1&sig=a%2Bb%3D", "?sv=1&sig=a%2Bb%3D", "sig=a&x='()'"] {
            let token = SasToken::parse(given).expect(given);
            assert_eq!(token.expose(), given.trim_start_matches('?'));
        }
        let cases = [
            ("", "must contain the signature"),
            ("?", "must contain the signature"),
            ("sv=1&sp=r", "must contain the signature"),
            ("sv=1&sig=", "must contain the signature"),
            ("sv=1&xsig=SECRET", "must contain the signature"),
            ("sig=SECRET&sig=SECRET", "must contain one signature"),
            ("sig=SECRET\n", "must be visible ASCII"),
            ("sig=SECRET#", "must be visible ASCII"),
            ("sig=SECRETé", "must be visible ASCII"),
            (" sig=SECRET", "must be visible ASCII"),
            ("https://a.blob.core.windows.net/c?sig=SECRET", "must be only what follows"),
        ];
        for (given, expected) in cases {
            let error = SasToken::parse(given).expect_err(given).to_string();
            assert!(error.starts_with("SAS token: ") && error.contains(expected), "{error}");
            assert!(!error.contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn a_signature_is_not_shown() {
        let token = SasToken::parse("?sv=1&sig=SECRET&sp=r").expect("well formed");
        assert_eq!(format!("{token:?}"), r#"SasToken("sv=1&sig=REDACTED&sp=r")"#);
    }
}
