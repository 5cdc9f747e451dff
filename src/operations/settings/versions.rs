//! Which service version brought which header, parameter or word, and which took one away.

use std::borrow::Cow;

use http::Method;
use url::form_urlencoded;

use crate::{
    error::{Error, Result},
    models::ServiceVersion,
    operations::operation::Call,
    pipeline::request::Prepared,
    wire::headers,
};

/// Refuses settings that the call's service version does not know. A service would refuse some of
/// them and pass over others, and a condition that nobody checks, or a version that is not the one
/// which is deleted, is worse than an error.
///
/// From [Versioning for Azure
/// Storage](https://learn.microsoft.com/rest/api/storageservices/version-2019-12-12) and the pages
/// of the operations.
pub(crate) fn check(call: &Call, request: &Prepared) -> Result<()> {
    let version = call.pipeline.version();
    if version < ServiceVersion::IMMUTABILITY {
        check_headers(call, request)?;
    }
    if version < ServiceVersion::START_FROM {
        check_query(call, request)?;
    }
    if request.method == Method::PUT {
        check_tier(call, request)?;
        check_source_lease(version, request)?;
    }
    Ok(())
}

fn check_headers(call: &Call, request: &Prepared) -> Result<()> {
    use ServiceVersion as V;
    let brought = [
        (headers::LEASE_DURATION, V::LEASE_DURATIONS, "a lease's duration"),
        (headers::PROPOSED_LEASE_ID, V::LEASE_DURATIONS, "a proposed lease id"),
        (headers::LEASE_BREAK_PERIOD, V::LEASE_DURATIONS, "a break period"),
        (headers::BLOB_CONTENT_DISPOSITION, V::CONTENT_DISPOSITION, "a content disposition"),
        (headers::REHYDRATE_PRIORITY, V::REHYDRATE_PRIORITY, "a rehydrate priority"),
        (headers::SEAL_BLOB, V::SEAL, "the sealing of an append blob"),
        (headers::TAGS, V::TAGS, "tags"),
        (headers::IF_TAGS, V::TAGS, "a condition on tags"),
        (headers::SOURCE_IF_TAGS, V::TAGS, "a condition on the source's tags"),
        (headers::IMMUTABILITY_POLICY_UNTIL_DATE, V::IMMUTABILITY, "an immutability policy"),
        (headers::LEGAL_HOLD, V::IMMUTABILITY, "a legal hold"),
    ];
    for (header, since, what) in brought {
        if request.headers.contains_key(header) {
            call.since(since, what)?;
        }
    }
    let source = request.headers.get(headers::COPY_SOURCE).and_then(|url| url.to_str().ok());
    let query = source.and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
    match pairs(query).any(|(name, _)| name == "versionid") {
        true => call.since(ServiceVersion::VERSIONS, "a version as the source"),
        false => Ok(()),
    }
}

fn check_query(call: &Call, request: &Prepared) -> Result<()> {
    let query = request.url.query().unwrap_or_default();
    let has = |wanted: (&str, &str)| pairs(query).any(|(n, v)| (&*n, &*v) == wanted);
    for (name, value) in pairs(query) {
        match &*name {
            "versionid" => call.since(ServiceVersion::VERSIONS, "a version of a blob")?,
            "snapshot" if has(("comp", "tier")) => {
                call.since(ServiceVersion::VERSIONS, "the tier of a snapshot")?;
            }
            "startfrom" => {
                call.since(ServiceVersion::START_FROM, "a list that starts at a name")?
            }
            "include" => {
                let of_blobs = has(("restype", "container"));
                for word in value.split(',') {
                    if let Some(since) = include_since(word, of_blobs) {
                        call.since(since, &format!("a list with {word}"))?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The version that brought a word of `include`, in a list of blobs or of containers.
fn include_since(word: &str, of_blobs: bool) -> Option<ServiceVersion> {
    Some(match (word, of_blobs) {
        ("copy", _) => ServiceVersion::ASYNCHRONOUS_COPY,
        ("deleted", true) => ServiceVersion::SOFT_DELETE,
        ("deleted", false) | ("tags" | "versions", _) => ServiceVersion::VERSIONS,
        ("immutabilitypolicy" | "legalhold" | "permissions", _) => ServiceVersion::IMMUTABILITY,
        ("deletedwithversions" | "system", _) => ServiceVersion::DELETED_WITH_VERSIONS,
        _ => return None,
    })
}

fn check_tier(call: &Call, request: &Prepared) -> Result<()> {
    let Some(tier) = request.headers.get(headers::ACCESS_TIER) else { return Ok(()) };
    let sets_it = pairs(request.url.query().unwrap_or_default()).any(|(name, _)| name == "comp");
    let (since, what) = match tier.as_bytes() {
        b"Smart" => (ServiceVersion::SMART_TIER, "the tier Smart"),
        b"Cold" => (ServiceVersion::COLD_TIER, "the tier Cold"),
        b"Hot" | b"Cool" | b"Archive" if !sets_it => {
            (ServiceVersion::TIERS_OF_WRITES, "a block blob's tier in the request that writes it")
        }
        _ => (ServiceVersion::TIERS, "a tier"),
    };
    call.since(since, what)
}

fn check_source_lease(version: ServiceVersion, request: &Prepared) -> Result<()> {
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

/// The parameters of a query, their names in lower case.
fn pairs(query: &str) -> impl Iterator<Item = (String, Cow<'_, str>)> {
    form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.to_lowercase(), value))
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
    fn each_tier_passes_from_its_version_on_and_not_before() {
        let tier = |version: &str, tier: &'static str, query: &str| {
            let url = format!("https://a.blob.core.windows.net/c/b{query}").parse().expect("a URL");
            let tier = HeaderValue::from_static(tier);
            let request = Prepared::new(Method::PUT, url).header(headers::ACCESS_TIER, tier);
            check(&offline::blob_at(version).call(), &request)
        };
        for (word, query, before, since) in [
            ("P10", "", "2016-05-31", "2017-04-17"),
            ("Cool", "?comp=tier", "2016-05-31", "2017-04-17"),
            ("Cool", "", "2018-03-28", "2018-11-09"),
            ("Archive", "", "2018-03-28", "2018-11-09"),
            ("Cold", "?comp=tier", "2021-10-04", "2021-12-02"),
            ("Cold", "", "2021-10-04", "2021-12-02"),
            ("Smart", "", "2026-04-06", "2026-06-06"),
        ] {
            tier(since, word, query).expect(word);
            let error = tier(before, word, query).expect_err(word).to_string();
            assert!(error.contains(&format!("must be {since} or later for ")), "{error}");
        }
    }

    #[test]
    fn each_parameter_passes_from_its_version_on_and_not_before() {
        let asked = |version: &str, query: &str| {
            let url = format!("https://a.blob.core.windows.net/c{query}").parse().expect("a URL");
            check(&offline::blob_at(version).call(), &Prepared::new(Method::GET, url))
        };
        const LIST: &str = "?restype=container&comp=list&include=metadata%2C";
        for (query, before, since) in [
            (
                "/b?versionid=2026-01-01T00%3A00%3A00.0000000Z".to_owned(),
                "2019-10-10",
                "2019-12-12",
            ),
            ("/b?snapshot=x&comp=tier".to_owned(), "2019-10-10", "2019-12-12"),
            ("?restype=container&comp=list&startFrom=a".to_owned(), "2025-11-05", "2026-02-06"),
            (format!("{LIST}copy"), "2011-08-18", "2012-02-12"),
            (format!("{LIST}deleted"), "2017-04-17", "2017-07-29"),
            (format!("{LIST}tags"), "2019-10-10", "2019-12-12"),
            (format!("{LIST}versions"), "2019-10-10", "2019-12-12"),
            (format!("{LIST}legalhold"), "2020-04-08", "2020-06-12"),
            (format!("{LIST}deletedwithversions"), "2020-08-04", "2020-10-02"),
            ("?comp=list&include=deleted".to_owned(), "2019-10-10", "2019-12-12"),
            ("?comp=list&include=system".to_owned(), "2020-08-04", "2020-10-02"),
        ] {
            asked(since, &query).expect(&query);
            let error = asked(before, &query).expect_err(&query).to_string();
            assert!(error.contains(&format!("must be {since} or later for ")), "{error}");
        }
        asked("2009-09-19", "/b?snapshot=x").expect("as old as the service");
        asked("2009-09-19", &format!("{LIST}snapshots%2Cuncommittedblobs")).expect("as old");
    }

    #[test]
    fn a_version_is_no_source_before_there_were_any() {
        let copied = |version: &str| {
            let url = "https://a.blob.core.windows.net/c/b".parse().expect("a URL");
            let source = HeaderValue::from_static("https://a.b/c/b?sv=x&versionid=v&sig=s");
            let request = Prepared::new(Method::PUT, url).header(headers::COPY_SOURCE, source);
            check(&offline::blob_at(version).call(), &request)
        };
        copied("2019-12-12").expect("known");
        let error = copied("2019-10-10").expect_err("not known").to_string();
        assert!(error.contains("2019-12-12 or later for a version as the source"), "{error}");
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
