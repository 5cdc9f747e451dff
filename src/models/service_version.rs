//! The version of the REST interface that requests speak.

use std::{fmt, str::FromStr};

use crate::error::{Error, Result};

/// A version of the Blob service, as sent in `x-ms-version`: a date such as `2026-04-06`.
///
/// Versions compare by date. The default, [`ServiceVersion::LATEST`], is the newest that is
/// deployed everywhere. See
/// [Versioning for Azure Storage](https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services).
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
    /// 2026-04-06, the default.
    pub const LATEST: ServiceVersion = ServiceVersion(*b"2026-04-06");

    /// The first version in which a copy goes on in the background and can be watched.
    pub(crate) const ASYNCHRONOUS_COPY: ServiceVersion = ServiceVersion(*b"2012-02-12");
    /// The first version with Incremental Copy Blob.
    pub(crate) const INCREMENTAL_COPY: ServiceVersion = ServiceVersion(*b"2016-05-31");
    /// The first version that tells how page ranges differ from a snapshot's.
    pub(crate) const PAGE_RANGES_DIFF: ServiceVersion = ServiceVersion(*b"2015-07-08");
    /// The first version that takes the earlier snapshot as a URL.
    pub(crate) const PREVIOUS_SNAPSHOT_URL: ServiceVersion = ServiceVersion(*b"2019-07-07");
    /// The first version that takes bearer tokens.
    pub(crate) const BEARER_TOKENS: ServiceVersion = ServiceVersion(*b"2017-11-09");

    /// The date as text.
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
