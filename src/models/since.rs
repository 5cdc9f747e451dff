//! The table of which service version introduced which header, parameter, value or operation.
//!
//! From [Versioning for Azure
//! Storage](https://learn.microsoft.com/rest/api/storageservices/version-2019-12-12) and the pages
//! of the operations.

use std::{borrow::Cow, fmt};

use http::HeaderMap;
use url::{Url, form_urlencoded};

use super::ServiceVersion;
use crate::{
    error::{Error, Result},
    wire::headers,
};

/// Something that a service version introduced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since {
    version: ServiceVersion,
    what: &'static str,
}

macro_rules! since {
    ($($name:ident = $version:literal $what:literal,)+) => {
        $(pub(crate) const $name: Since =
            Since { version: ServiceVersion::of($version), what: $what };)+
    };
}

// Features that a request alone does not show, or that other code compares.
since! {
    ASYNCHRONOUS_COPY = "2012-02-12" "watching a copy",
    BACKGROUND_COPY =
        "2012-02-12" "an asynchronous copy; use copy_from_uri for a synchronous one",
    ABORT_COPY = "2012-02-12" "aborting a copy",
    SAS_VERSIONS = "2012-02-12" "the version of a SAS",
    SAS_RESPONSE_HEADERS = "2013-08-15" "the response headers of a SAS",
    SAS_SERVICE_NAMES = "2015-02-21" "the service in the string to sign of a SAS",
    SAS_OF_DIRECTORIES = "2020-02-10" "a SAS of a directory, and the user ids of a SAS",
    SAS_SCOPES = "2020-12-06" "the encryption scope of a SAS",
    SAS_DELEGATED_USERS = "2025-07-05" "the delegated user of a SAS",
    SAS_REQUIRED_HEADERS = "2026-04-06" "the headers and parameters that a SAS requires",
    ABBREVIATED_LENGTHS = "2015-02-21" "a signature that leaves out a length of 0",
    EMPTY_HEADERS = "2016-05-31" "a signature over empty headers",
    LEASE_DURATIONS = "2012-02-12" "a lease's duration",
    APPEND_BLOBS = "2015-02-21" "an append blob",
    SAS_PROTOCOLS = "2015-04-05" "the protocol and the addresses of a SAS",
    ACCOUNT_SAS = "2015-04-05" "an account SAS",
    INCREMENTAL_COPY = "2016-05-31" "an incremental copy",
    BLOCKS_OF_100_MIB = "2016-05-31" "a block of 100 MiB",
    BEARER_TOKENS = "2017-11-09" "bearer tokens",
    BLOCK_FROM_URL = "2018-03-28" "a block made from a URL",
    TIERS_OF_WRITES = "2018-11-09" "a block blob's tier in the request that writes it",
    PAGES_FROM_URL = "2018-11-09" "pages made from a URL",
    APPEND_FROM_URL = "2018-11-09" "appending from a URL",
    USER_DELEGATION = "2018-11-09" "a user delegation key",
    SAS_OF_SNAPSHOTS = "2018-11-09" "a SAS of a snapshot",
    VERSIONS = "2019-12-12" "a version of a blob",
    TIERS_OF_SNAPSHOTS = "2019-12-12" "the tier of a snapshot",
    BLOB_FROM_URL = "2020-04-08" "a blob made from a URL",
    BLOCKS_OF_4000_MIB = "2020-04-08" "a block of 4000 MiB",
    SOURCE_AUTHORIZATION = "2020-10-02" "a bearer token for the source",
    COPY_SCOPE = "2020-12-06" "an encryption scope of a copy",
    APPENDS_OF_100_MIB = "2022-11-02" "an append of 100 MiB",
    FILE_REQUEST_INTENT = "2025-07-05" "a file request intent",
    TAG_CONDITIONS = "2026-02-06" "conditions on tags other than if_tags",
    DELEGATED_USER_TENANT = "2026-04-06" "the tenant of a delegated user",
}

/// A header or parameter, its value (`""` for any), the version, and what it is. The first row that
/// matches counts.
type Row = (&'static str, &'static str, &'static str, &'static str);

const HEADERS: [Row; 25] = [
    ("x-ms-lease-duration", "", "2012-02-12", "a lease's duration"),
    ("x-ms-proposed-lease-id", "", "2012-02-12", "a proposed lease id"),
    ("x-ms-lease-break-period", "", "2012-02-12", "a break period"),
    ("x-ms-blob-content-disposition", "", "2013-08-15", "a content disposition"),
    ("x-ms-blob-type", "AppendBlob", "2015-02-21", "an append blob"),
    ("x-ms-access-tier", "Smart", "2026-06-06", "the tier Smart"),
    ("x-ms-access-tier", "Cold", "2021-12-02", "the tier Cold"),
    ("x-ms-access-tier", "", "2017-04-17", "a tier"),
    ("x-ms-requires-sync", "", "2018-03-28", "a synchronous copy"),
    ("x-ms-rehydrate-priority", "", "2019-02-02", "a rehydrate priority"),
    ("x-ms-encryption-key", "", "2019-02-02", "a customer-provided key"),
    ("x-ms-content-crc64", "", "2019-02-02", "a CRC-64"),
    ("x-ms-source-content-crc64", "", "2019-02-02", "a CRC-64"),
    ("x-ms-encryption-scope", "", "2019-07-07", "an encryption scope"),
    ("x-ms-previous-snapshot-url", "", "2019-07-07", "the URL of a previous snapshot"),
    ("x-ms-seal-blob", "", "2019-12-12", "sealing an append blob"),
    ("x-ms-tags", "", "2019-12-12", "tags"),
    ("x-ms-if-tags", "", "2019-12-12", "a condition on tags"),
    ("x-ms-source-if-tags", "", "2019-12-12", "a condition on the source's tags"),
    ("x-ms-immutability-policy-until-date", "", "2020-06-12", "an immutability policy"),
    ("x-ms-legal-hold", "", "2020-06-12", "a legal hold"),
    ("x-ms-copy-source-authorization", "", "2020-10-02", SOURCE_AUTHORIZATION.what),
    ("x-ms-copy-source-tag-option", "", "2021-04-10", "copying the source's tags"),
    ("x-ms-file-request-intent", "", "2025-07-05", FILE_REQUEST_INTENT.what),
    ("x-ms-source-encryption-key", "", "2026-04-06", "a customer-provided key of the source"),
];

/// Names are in lower case. `include` can have several values; for a list of containers it has its
/// own rows.
const PARAMETERS: [Row; 20] = [
    ("versionid", "", "2019-12-12", VERSIONS.what),
    ("prevsnapshot", "", "2015-07-08", "page-range diffs"),
    ("startfrom", "", "2026-02-06", "listing from a start name"),
    ("comp", "copy", "2012-02-12", ABORT_COPY.what),
    ("comp", "incrementalcopy", "2016-05-31", INCREMENTAL_COPY.what),
    ("comp", "appendblock", "2015-02-21", APPEND_BLOBS.what),
    ("comp", "tier", "2017-04-17", "a tier"),
    ("comp", "userdelegationkey", "2018-11-09", USER_DELEGATION.what),
    ("comp", "tags", "2019-12-12", "tags"),
    ("include", "copy", "2012-02-12", "listing with include=copy"),
    ("include", "deleted", "2017-07-29", "listing with include=deleted"),
    ("include", "tags", "2019-12-12", "listing with include=tags"),
    ("include", "versions", "2019-12-12", "listing with include=versions"),
    ("include", "immutabilitypolicy", "2020-06-12", "listing with include=immutabilitypolicy"),
    ("include", "legalhold", "2020-06-12", "listing with include=legalhold"),
    ("include", "permissions", "2020-06-12", "listing with include=permissions"),
    ("include", "deletedwithversions", "2020-10-02", "listing with include=deletedwithversions"),
    ("include of containers", "deleted", "2019-12-12", "listing with include=deleted"),
    ("include of containers", "system", "2020-10-02", "listing with include=system"),
    // In the URL of a copy's source.
    ("source versionid", "", "2019-12-12", "a version as the source"),
];

/// The newest version in the tables: it and later ones know everything.
const NEWEST: &str = "2026-06-06";

impl Since {
    pub(crate) const fn version(self) -> ServiceVersion {
        self.version
    }

    /// Whether `version` knows this.
    pub(crate) fn is_known_to(self, version: ServiceVersion) -> bool {
        version >= self.version
    }

    /// Rejects a version that does not know this.
    pub(crate) fn check(self, version: ServiceVersion) -> Result<()> {
        if self.is_known_to(version) {
            return Ok(());
        }
        let rule = format!("must be {} or later for {}", self.version, self.what);
        Err(Error::invalid("service version", version, &rule))
    }
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.version.fmt(f)
    }
}

/// Rejects a request with something that `version` does not know. A service would reject some of it
/// and ignore the rest; an ignored condition, or deleting the blob instead of one version, is worse
/// than an error.
pub(crate) fn check(version: ServiceVersion, url: &Url, headers: &HeaderMap) -> Result<()> {
    if version.as_str() >= NEWEST {
        return Ok(());
    }
    for (name, value) in headers {
        look_up(&HEADERS, name.as_str(), value.to_str().unwrap_or_default(), version)?;
    }
    let is_of_blobs = |(name, value)| name == "restype" && value == "container";
    let include = match pairs(url.query()).any(is_of_blobs) {
        true => "include",
        false => "include of containers",
    };
    for (name, values) in pairs(url.query()) {
        let name = if name == "include" { include } else { name.as_str() };
        for value in values.split(',') {
            look_up(&PARAMETERS, name, value, version)?;
        }
    }
    let source = headers.get(headers::COPY_SOURCE).and_then(|source| source.to_str().ok());
    let query = source.and_then(|source| source.split_once('?')).map(|(_, query)| query);
    for (name, _) in pairs(query) {
        look_up(&PARAMETERS, &format!("source {name}"), "", version)?;
    }
    Ok(())
}

fn look_up(table: &[Row], name: &str, value: &str, version: ServiceVersion) -> Result<()> {
    let fits = |row: &&Row| row.0 == name && (row.1.is_empty() || row.1 == value);
    match table.iter().find(fits) {
        None => Ok(()),
        Some(&(_, _, since, what)) => {
            Since { version: ServiceVersion::of(since), what }.check(version)
        }
    }
}

/// The parameters of a query, with names in lower case.
fn pairs(query: Option<&str>) -> impl Iterator<Item = (String, Cow<'_, str>)> {
    let query = query.unwrap_or_default().as_bytes();
    form_urlencoded::parse(query).map(|(name, value)| (name.to_lowercase(), value))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn passes(
        version: &str,
        url: &str,
        header: Option<(&'static str, &'static str)>,
    ) -> Result<()> {
        let url = format!("https://a.blob.core.windows.net/c{url}").parse().expect("a URL");
        let pair = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let headers = header.into_iter().map(pair).collect();
        check(version.parse().expect("a version"), &url, &headers)
    }

    /// The version before one, as if there had been one each day.
    fn before(version: &str) -> String {
        let (month, day) = version.rsplit_once('-').expect("a date");
        format!("{month}-{:02}", day.parse::<u8>().expect("a day") - 1)
    }

    #[test]
    fn each_header_and_parameter_passes_from_its_version_on_and_not_before() {
        let headers = HEADERS.map(|(name, value, version, what)| {
            ("/b".to_owned(), Some((name, value)), version, what)
        });
        let parameters = PARAMETERS.map(|(name, value, version, what)| {
            let url = match name.strip_prefix("include").map(|of| of.is_empty()) {
                Some(true) => format!("?restype=container&include=metadata%2C{value}"),
                Some(false) => format!("?include={value}"),
                None => format!("/b?{name}={value}"),
            };
            (url, None, version, what)
        });
        let of_source = ("x-ms-copy-source", "https://a.b/c/b?sv=x&versionId=v&sig=s");
        let source = ("/b".to_owned(), Some(of_source), "2019-12-12", "a version as the source");
        let named = parameters.into_iter().filter(|(url, ..)| !url.contains("source "));
        for (url, header, since, what) in headers.into_iter().chain(named).chain([source]) {
            passes(since, &url, header).expect(what);
            let old = before(since);
            let error = passes(&old, &url, header).expect_err(what).to_string();
            let told = format!("service version: \"{old}\" must be {since} or later for {what}");
            assert_eq!(error, told);
            assert!(since <= NEWEST, "{what}");
        }
    }

    #[test]
    fn what_is_as_old_as_the_service_passes() {
        passes("2009-09-19", "/b?snapshot=x", None).expect("a snapshot");
        let list = "?restype=container&comp=list&include=snapshots%2Cuncommittedblobs";
        passes("2009-09-19", list, Some(("x-ms-blob-type", "PageBlob"))).expect("a list");
        let source = ("x-ms-copy-source", "/acct/c/b?snapshot=x");
        passes("2009-09-19", "/b", Some(source)).expect("a source");
    }
}
