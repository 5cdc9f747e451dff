//! Which service version brought which header, and which took one away.

use super::Call;
use crate::{
    error::{Error, Result},
    models::{ServiceVersion, headers},
    pipeline::request::Prepared,
};

/// Refuses settings that the call's service version does not know. A service would refuse some of them
/// and pass over others, and a condition that nobody checks is worse than an error.
///
/// From [Versioning for Azure Storage](https://learn.microsoft.com/rest/api/storageservices/version-2019-12-12)
/// and the pages of the operations.
pub(super) fn check(call: &Call, request: &Prepared) -> Result<()> {
    let version = call.pipeline.version();
    if version < ServiceVersion::IMMUTABILITY {
        let brought = [
            (headers::LEASE_DURATION, ServiceVersion::LEASE_DURATIONS, "a lease's duration"),
            (headers::PROPOSED_LEASE_ID, ServiceVersion::LEASE_DURATIONS, "a proposed lease id"),
            (headers::LEASE_BREAK_PERIOD, ServiceVersion::LEASE_DURATIONS, "a break period"),
            (
                headers::BLOB_CONTENT_DISPOSITION,
                ServiceVersion::CONTENT_DISPOSITION,
                "a content disposition",
            ),
            (headers::ACCESS_TIER, ServiceVersion::TIERS, "a tier"),
            (
                headers::REHYDRATE_PRIORITY,
                ServiceVersion::REHYDRATE_PRIORITY,
                "a rehydrate priority",
            ),
            (headers::SEAL_BLOB, ServiceVersion::SEAL, "the sealing of an append blob"),
            (headers::TAGS, ServiceVersion::TAGS, "tags"),
            (headers::IF_TAGS, ServiceVersion::TAGS, "a condition on tags"),
            (headers::SOURCE_IF_TAGS, ServiceVersion::TAGS, "a condition on the source's tags"),
            (
                headers::IMMUTABILITY_POLICY_UNTIL_DATE,
                ServiceVersion::IMMUTABILITY,
                "an immutability policy",
            ),
            (headers::LEGAL_HOLD, ServiceVersion::IMMUTABILITY, "a legal hold"),
        ];
        for (header, since, what) in brought {
            if version < since && request.headers.contains_key(header) {
                return call.since(since, what);
            }
        }
    }
    let dropped = ServiceVersion::ASYNCHRONOUS_COPY;
    if version >= dropped
        && let Some(id) = request.headers.get(headers::SOURCE_LEASE_ID)
    {
        let rule = format!(
            "is taken by service versions before {dropped} only, and this client speaks {version}: since \
             then a copy reads its source whether or not that is leased"
        );
        return Err(Error::invalid("source lease id", id.to_str().unwrap_or_default(), &rule));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, Method};

    use super::*;
    use crate::operations::offline;

    fn checked(version: &str, header: &'static str) -> Result<()> {
        let call = offline::blob_at(version).call();
        let url = "https://a.blob.core.windows.net/c/b".parse().expect("a URL");
        let name = HeaderName::from_static(header);
        let request = Prepared::new(Method::PUT, url).header(name, HeaderValue::from_static("x"));
        check(&call, &request)
    }

    #[test]
    fn each_header_passes_from_its_version_on_and_not_before() {
        for (header, before, since) in [
            ("x-ms-lease-duration", "2011-08-18", "2012-02-12"),
            ("x-ms-proposed-lease-id", "2011-08-18", "2012-02-12"),
            ("x-ms-lease-break-period", "2011-08-18", "2012-02-12"),
            ("x-ms-blob-content-disposition", "2012-02-12", "2013-08-15"),
            ("x-ms-access-tier", "2016-05-31", "2017-04-17"),
            ("x-ms-rehydrate-priority", "2018-11-09", "2019-02-02"),
            ("x-ms-seal-blob", "2019-10-10", "2019-12-12"),
            ("x-ms-tags", "2019-10-10", "2019-12-12"),
            ("x-ms-if-tags", "2019-10-10", "2019-12-12"),
            ("x-ms-source-if-tags", "2019-10-10", "2019-12-12"),
            ("x-ms-immutability-policy-until-date", "2020-04-08", "2020-06-12"),
            ("x-ms-legal-hold", "2020-04-08", "2020-06-12"),
        ] {
            checked(since, header).expect(header);
            let error = checked(before, header).expect_err(header).to_string();
            let told = format!("service version: \"{before}\" must be {since} or later for ");
            assert!(error.starts_with(&told), "{error}");
        }
    }

    #[test]
    fn a_source_lease_passes_before_2012_only() {
        for version in ["2009-09-19", "2011-08-18"] {
            checked(version, "x-ms-source-lease-id").expect(version);
        }
        for version in ["2012-02-12", "2026-04-06"] {
            let error = checked(version, "x-ms-source-lease-id").expect_err(version).to_string();
            assert!(
                error.starts_with("source lease id: ") && error.contains("before 2012-02-12"),
                "{error}"
            );
        }
    }
}
