//! The version of the REST interface that requests speak.

use std::{fmt, str::FromStr};

use crate::error::{Error, Result};

/// A version of the Blob service, as sent in `x-ms-version`: a date such as `2026-10-06`.
///
/// Versions compare by date. The default, [`ServiceVersion::LATEST`], is that of Microsoft's Python
/// and JavaScript SDKs. A service that does not know it refuses every request with 400
/// `InvalidHeaderValue`; set an older one with
/// [`ClientOptions::service_version`](crate::ClientOptions::service_version). Azurite takes any version when it is started with `--skipApiVersionCheck`. See
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
    /// 2026-10-06, the default.
    pub const LATEST: ServiceVersion = ServiceVersion(*b"2026-10-06");

    /// 2009-09-19, the oldest: requests were signed in another way before.
    pub const OLDEST: ServiceVersion = ServiceVersion(*b"2009-09-19");

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

    /// The first version whose SAS can say by what protocol they are used.
    pub(crate) const SAS_PROTOCOLS: ServiceVersion = ServiceVersion(*b"2015-04-05");
    /// The first version with SAS for one snapshot.
    pub(crate) const SAS_OF_SNAPSHOTS: ServiceVersion = ServiceVersion(*b"2018-11-09");

    /// The first version with Copy Blob From URL and Put Block From URL.
    pub(crate) const FROM_URL: ServiceVersion = ServiceVersion(*b"2018-03-28");
    /// The first version with Put Page From URL and Append Block From URL.
    pub(crate) const PAGES_FROM_URL: ServiceVersion = ServiceVersion(*b"2018-11-09");
    /// The first version with Put Blob From URL.
    pub(crate) const BLOB_FROM_URL: ServiceVersion = ServiceVersion(*b"2020-04-08");
    /// The first version that takes customer-provided keys.
    pub(crate) const CUSTOMER_KEYS: ServiceVersion = ServiceVersion(*b"2019-02-02");
    /// The first version that takes a CRC-64 in place of an MD5.
    pub(crate) const CRC64: ServiceVersion = ServiceVersion(*b"2019-02-02");
    /// The first version that knows encryption scopes.
    pub(crate) const ENCRYPTION_SCOPES: ServiceVersion = ServiceVersion(*b"2019-07-07");
    /// The first version that knows tags of blobs.
    pub(crate) const TAGS: ServiceVersion = ServiceVersion(*b"2019-12-12");
    /// The first version that reads a source with a bearer token given for it.
    pub(crate) const SOURCE_AUTHORIZATION: ServiceVersion = ServiceVersion(*b"2020-10-02");
    /// The first version that copies the source's tags when it is asked to.
    pub(crate) const COPY_SOURCE_TAGS: ServiceVersion = ServiceVersion(*b"2021-04-10");
    /// The first version in which Copy Blob From URL takes an encryption scope.
    pub(crate) const COPY_SCOPE: ServiceVersion = ServiceVersion(*b"2020-12-06");
    /// The first version that tells with what intent a file is read.
    pub(crate) const FILE_REQUEST_INTENT: ServiceVersion = ServiceVersion(*b"2025-07-05");
    /// The first version that takes the customer's key of a source.
    pub(crate) const SOURCE_CUSTOMER_KEY: ServiceVersion = ServiceVersion(*b"2026-04-06");

    /// The first version in which a block may have 100 MiB.
    pub(crate) const BLOCKS_OF_100_MIB: ServiceVersion = ServiceVersion(*b"2016-05-31");
    /// The first version in which a block may have 4000 MiB.
    pub(crate) const BLOCKS_OF_4000_MIB: ServiceVersion = ServiceVersion(*b"2020-04-08");

    /// The first version that knows append blobs.
    pub(crate) const APPEND_BLOBS: ServiceVersion = ServiceVersion(*b"2015-02-21");
    /// The first version in which what is appended may have 100 MiB.
    pub(crate) const APPENDS_OF_100_MIB: ServiceVersion = ServiceVersion(*b"2022-11-02");
    /// The first version that gives user delegation keys.
    pub(crate) const USER_DELEGATION: ServiceVersion = ServiceVersion(*b"2018-11-09");
    /// The first version that gives user delegation keys for identities of another tenant.
    pub(crate) const DELEGATED_USER_TENANT: ServiceVersion = ServiceVersion(*b"2026-04-06");
    /// The first version that knows tiers.
    pub(crate) const TIERS: ServiceVersion = ServiceVersion(*b"2017-04-17");
    /// The first version in which the request that writes a block blob can say its tier.
    pub(crate) const TIERS_OF_WRITES: ServiceVersion = ServiceVersion(*b"2018-11-09");
    /// The first version with the tier `Cold`.
    pub(crate) const COLD_TIER: ServiceVersion = ServiceVersion(*b"2021-12-02");
    /// The first version with the tier `Smart`.
    pub(crate) const SMART_TIER: ServiceVersion = ServiceVersion(*b"2026-06-06");
    /// The first version that keeps what is deleted for a while.
    pub(crate) const SOFT_DELETE: ServiceVersion = ServiceVersion(*b"2017-07-29");
    /// The first version that knows versions of blobs.
    pub(crate) const VERSIONS: ServiceVersion = ServiceVersion(*b"2019-12-12");
    /// The first version that lists blobs of which only versions are left, and the service's
    /// containers.
    pub(crate) const DELETED_WITH_VERSIONS: ServiceVersion = ServiceVersion(*b"2020-10-02");
    /// The first version whose lists can start at a name.
    pub(crate) const START_FROM: ServiceVersion = ServiceVersion(*b"2026-02-06");
    /// The first version that brings an archived blob back with priority.
    pub(crate) const REHYDRATE_PRIORITY: ServiceVersion = ServiceVersion(*b"2019-02-02");
    /// The first version that seals append blobs.
    pub(crate) const SEAL: ServiceVersion = ServiceVersion(*b"2019-12-12");
    /// The first version with immutability policies and legal holds.
    pub(crate) const IMMUTABILITY: ServiceVersion = ServiceVersion(*b"2020-06-12");
    /// The first version with leases whose duration and id can be chosen.
    pub(crate) const LEASE_DURATIONS: ServiceVersion = ServiceVersion(*b"2012-02-12");
    /// The first version that keeps a blob's `Content-Disposition`.
    pub(crate) const CONTENT_DISPOSITION: ServiceVersion = ServiceVersion(*b"2013-08-15");
    /// The first version with conditions other than `if_tags` on a blob's tags.
    pub(crate) const TAG_CONDITIONS: ServiceVersion = ServiceVersion(*b"2026-02-06");

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
