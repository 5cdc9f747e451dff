//! The service version of requests.

use std::{fmt, str::FromStr};

use crate::error::{Error, Result};

/// A version of the Blob service, as sent in `x-ms-version`: a date such as `2026-10-06`.
///
/// Versions compare by date. The default, [`ServiceVersion::LATEST`], is the one that Microsoft's
/// Python and JavaScript SDKs use. A service that does not know it responds to every request with
/// 400 `InvalidHeaderValue`; then set an older one with
/// [`ClientOptions::service_version`](crate::ClientOptions::service_version). Azurite accepts any
/// version if it is started with `--skipApiVersionCheck`. See [Versioning for Azure
/// Storage](https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services).
///
/// ```
/// use blobcopy::ServiceVersion;
///
/// let version: ServiceVersion = "2021-12-02".parse()?;
/// assert!(version < ServiceVersion::LATEST);
/// assert!("latest".parse::<ServiceVersion>().is_err());
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceVersion([u8; 10]);

impl ServiceVersion {
    /// 2026-10-06, the default.
    pub const LATEST: ServiceVersion = ServiceVersion(*b"2026-10-06");

    /// 2009-09-19, the oldest supported version: before it, requests were signed differently.
    pub const OLDEST: ServiceVersion = ServiceVersion(*b"2009-09-19");

    /// A version known at compile time.
    pub(super) const fn of(date: &'static str) -> Self {
        match date.as_bytes().first_chunk() {
            Some(date) => Self(*date),
            None => panic!("it is not a date"),
        }
    }

    /// The version as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Default for ServiceVersion {
    fn default() -> Self {
        Self::LATEST
    }
}

impl FromStr for ServiceVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let shape = |(at, byte): (usize, u8)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        match <[u8; 10]>::try_from(text.as_bytes()) {
            Ok(date) if date.into_iter().enumerate().all(shape) => Ok(Self(date)),
            _ => Err(Error::invalid("service version", text, "must be a date, YYYY-MM-DD")),
        }
    }
}

impl fmt::Display for ServiceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ServiceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceVersion({self})")
    }
}
