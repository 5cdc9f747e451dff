//! Parsing the URLs of containers and blobs.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use super::{
    SnapshotId, VersionId,
    endpoint::Endpoint,
    names::{self, ROOT_CONTAINER},
};
use crate::{
    error::{Error, Result},
    wire::redaction::holds_secret,
};

/// Everything except the unreserved characters of RFC 3986 and the separator `/`.
const ENCODED_IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The parts of a blob's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlobUrl {
    pub(crate) endpoint: Endpoint,
    pub(crate) container: String,
    /// The name as the service stores it, which the URL may spell differently.
    pub(crate) blob: String,
    pub(crate) snapshot: Option<SnapshotId>,
    pub(crate) version: Option<VersionId>,
    /// The rest of the query, byte for byte: a SAS.
    pub(crate) query: Option<String>,
}

impl BlobUrl {
    /// `/account/container/blob?snapshot=…`, as sources were named before 2012-02-12; in the root
    /// container `/account/blob`.
    pub(crate) fn path(&self, account: &str) -> String {
        let blob = encoded(&self.blob);
        let mut path = match self.container.as_str() {
            ROOT_CONTAINER => format!("/{account}/{blob}"),
            container => format!("/{account}/{container}/{blob}"),
        };
        if let Some(snapshot) = &self.snapshot {
            path.push_str("?snapshot=");
            path.push_str(snapshot.as_str());
        }
        path
    }

    /// Parses a blob's URL; `named` is the account that the user named, if any.
    pub(crate) fn parse(what: &'static str, url: &Url, named: Option<&str>) -> Result<Self> {
        check(what, url)?;
        let (endpoint, depth) = Endpoint::within(what, url, named)?;
        let path = beyond(url, depth);
        // A URL may omit the root container. With a SAS of a container, it does not.
        let of_container = |pair: &str| matches!(pair, "sr=c" | "sr=d");
        if !path.contains('/')
            && url.query().is_some_and(|query| query.split('&').any(of_container))
        {
            let rule = "is the URL of a container: use BlobContainerClient::new; a blob in the \
                        root container needs /$root/ before its name";
            return Err(Error::invalid(what, url, rule));
        }
        Self::at(endpoint, path, url)
    }

    /// Parses the URL of a blob behind `endpoint`; `None` if the URL does not begin with it.
    pub(crate) fn behind(endpoint: &Endpoint, url: &Url) -> Option<Result<Self>> {
        let path = endpoint.rest_of(url)?;
        Some(Self::at(endpoint.clone(), path, url))
    }

    fn at(endpoint: Endpoint, path: &str, url: &Url) -> Result<Self> {
        let (container, blob) = path.split_once('/').unwrap_or((ROOT_CONTAINER, path));
        let container = decoded(container)?;
        let named = names::check_container(&container)
            .and_then(|()| names::as_stored(&container, &decoded(blob)?));
        let blob = named.map_err(|error| refused("blob URL", url, error))?;
        let query = take_query(&mut url.clone());
        let mut parts = Self { endpoint, container, blob, snapshot: None, version: None, query };
        parts.take_time_parameters()?;
        Ok(parts)
    }

    fn take_time_parameters(&mut self) -> Result<()> {
        let Some(query) = self.query.take() else { return Ok(()) };
        let mut rest = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name.to_ascii_lowercase().as_str() {
                "snapshot" => self.snapshot = Some(decoded(value)?.parse()?),
                "versionid" => self.version = Some(decoded(value)?.parse()?),
                _ => rest.push(parameter),
            }
        }
        self.query = (!rest.is_empty()).then(|| rest.join("&"));
        Ok(())
    }
}

/// Parses a container's URL into its endpoint, its name and a SAS; `named` is the account that the
/// user named, if any.
pub(crate) fn parse_container_url(
    url: &Url,
    named: Option<&str>,
) -> Result<(Endpoint, String, Option<String>)> {
    const WHAT: &str = "container URL";
    check(WHAT, url)?;
    let (endpoint, depth) = Endpoint::within(WHAT, url, named)?;
    let container = beyond(url, depth).trim_end_matches('/');
    if container.contains('/') {
        let rule = "is the URL of a blob: use BlobClient::new";
        return Err(Error::invalid(WHAT, url, rule));
    }
    let container = decoded(container)?;
    names::check_container(&container).map_err(|error| refused(WHAT, url, error))?;
    Ok((endpoint, container, take_query(&mut url.clone())))
}

/// The error for a name in a URL. A name may be half of a secret that contains a `/`, so it is
/// shown only if the whole URL contains no secret.
fn refused(what: &'static str, url: &Url, error: Error) -> Error {
    match holds_secret(url.as_str()) {
        true => Error::invalid(
            what,
            url,
            "must name a container or blob, and hold no secret outside its query",
        ),
        false => error,
    }
}

/// Rejects URLs that are not plain http or https.
pub(crate) fn check(what: &'static str, url: &Url) -> Result<()> {
    if !url.username().is_empty() || url.password().is_some() {
        let rule = "must not hold a user name or password; give a credential instead";
        return Err(Error::invalid_secret(what, rule));
    }
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Error::invalid(what, url, "must be an http or https URL"));
    }
    if url.fragment().is_some() {
        return Err(Error::invalid(what, url, "must not hold a fragment; encode # as %23"));
    }
    Ok(())
}

pub(super) fn take_query(url: &mut Url) -> Option<String> {
    let query = url.query().filter(|query| !query.is_empty()).map(str::to_owned);
    url.set_query(None);
    query
}

/// A blob's name, encoded for a URL's path.
pub(super) fn encoded(name: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(name, ENCODED_IN_PATH)
}

/// What follows the first `depth` segments of a URL's path.
fn beyond(url: &Url, depth: usize) -> &str {
    let path = url.path().trim_start_matches('/');
    match depth {
        0 => path,
        _ => path.match_indices('/').nth(depth - 1).map_or("", |(at, _)| &path[at + 1..]),
    }
}

fn decoded(text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8().map(Cow::into_owned);
    decoded.map_err(|_| Error::invalid("URL", text, "must be UTF-8 when percent-decoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::parse(url.parse().expect("a URL"), None).expect("an endpoint").0
    }

    fn parse(url: &str) -> Result<BlobUrl> {
        BlobUrl::parse("url", &url.parse().expect("a URL"), None)
    }

    #[test]
    fn a_blob_name_is_encoded_once() {
        let cases = [
            ("a/b.vhd", "a/b.vhd"),
            ("copy of b", "copy%20of%20b"),
            ("100%", "100%25"),
            ("a%20b", "a%2520b"),
            ("a+b", "a%2Bb"),
            ("a#b?c", "a%23b%3Fc"),
            ("disk:0", "disk%3A0"),
            ("größe", "gr%C3%B6%C3%9Fe"),
            ("日", "%E6%97%A5"),
            ("a//b/", "a//b/"),
            ("~-._", "~-._"),
        ];
        let host = endpoint("https://acct.blob.core.windows.net/");
        let path = endpoint("http://127.0.0.1:10000/acct");
        for (name, encoded) in cases {
            let url = host.blob_url("vhds", name).expect(name);
            assert_eq!(url.as_str(), format!("https://acct.blob.core.windows.net/vhds/{encoded}"));
            let url = path.blob_url("vhds", name).expect(name);
            assert_eq!(url.as_str(), format!("http://127.0.0.1:10000/acct/vhds/{encoded}"));
            let back = BlobUrl::parse("url", &url, None).expect(name);
            assert_eq!((back.container.as_str(), back.blob.as_str()), ("vhds", name));
            assert_eq!(back.endpoint, path);
        }
    }

    #[test]
    fn a_blob_url_is_taken_apart() {
        let url = "https://a.blob.core.windows.net/con/d/e%20f?snapshot=2026-01-01T00%3A00%3A00.1234567Z&sp=r&sig=x%2B";
        let parts = parse(url).expect("a blob");
        assert_eq!((parts.container.as_str(), parts.blob.as_str()), ("con", "d/e f"));
        assert_eq!(parts.snapshot.expect("given"), "2026-01-01T00:00:00.1234567Z");
        assert_eq!(parts.query.as_deref(), Some("sp=r&sig=x%2B"));
    }

    #[test]
    fn the_root_container_may_be_left_out() {
        let parts = parse("https://a.blob.core.windows.net/disk.vhd").expect("a blob");
        assert_eq!((parts.container.as_str(), parts.blob.as_str()), ("$root", "disk.vhd"));
        let url = parts.endpoint.blob_url("$root", "disk.vhd").expect("legal");
        assert_eq!(url.path(), "/$root/disk.vhd");
    }

    #[test]
    fn a_url_means_the_blob_that_the_service_means() {
        let host = "https://a.blob.core.windows.net/con";
        for (written, stored) in [
            ("disk.", "disk"),
            ("disk%2E", "disk"),
            ("disk%2e..", "disk"),
            ("a%5Cb", "a/b"),
            ("a%2Fb", "a/b"),
            ("a\\b", "a/b"),
            ("/a//b/", "/a//b/"),
            ("a./b", "a./b"),
            ("a/./b", "a/b"),
            ("x/../a", "a"),
            ("a/...", "a/"),
        ] {
            let parts = parse(&format!("{host}/{written}?sp=r&sig=x")).expect(written);
            assert_eq!(
                (parts.container.as_str(), parts.blob.as_str()),
                ("con", stored),
                "{written}"
            );
        }
        for written in ["...", "%2E%2E%2E", "a%5C..%5Cb", "%5C.", "%FF", ""] {
            parse(&format!("{host}/{written}")).expect_err(written);
        }
    }

    #[test]
    fn what_names_something_else_is_refused_with_the_way_to_it() {
        let container =
            "https://a.blob.core.windows.net/backups?sv=2026-04-06&sr=c&sp=rw&sig=SECRET";
        let error = parse(container).expect_err("a container").to_string();
        assert!(error.contains("BlobContainerClient::new") && !error.contains("SECRET"), "{error}");
        let blob = "https://a.blob.core.windows.net/backups/disk?sr=b&sig=SECRET";
        let error = parse_container_url(&blob.parse().expect("a URL"), None).expect_err("a blob");
        let error = error.to_string();
        assert!(error.contains("BlobClient::new") && !error.contains("SECRET"), "{error}");
        for slash in ["", "/"] {
            let url = format!("https://a.blob.core.windows.net/backups{slash}?sr=c&sig=x");
            let (_, name, sas) =
                parse_container_url(&url.parse().expect("a URL"), None).expect(&url);
            assert_eq!((name.as_str(), sas.as_deref()), ("backups", Some("sr=c&sig=x")));
        }
    }
}
