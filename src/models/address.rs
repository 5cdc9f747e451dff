//! Where accounts, containers and blobs are: URLs taken apart and put together.
//!
//! From [Naming and referencing containers, blobs, and metadata](https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Host, Url};

use super::{SnapshotId, VersionId};
use crate::error::{Error, Result};

/// Everything outside the unreserved characters of RFC 3986, and `/`, which separates.
const ENCODED_IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Ports on which the emulators listen, with the account in the path.
const EMULATOR_PORTS: [u16; 3] = [10000, 10001, 10002];

/// The container that blob URLs may leave out.
const ROOT_CONTAINER: &str = "$root";

/// Names with a meaning of their own, which break the rules for ordinary containers.
const SYSTEM_CONTAINERS: [&str; 4] = [ROOT_CONTAINER, "$logs", "$web", "$blobchangefeed"];

/// An account's blob service: `https://account.blob.core.windows.net`, or, where the account is in
/// the path, `http://127.0.0.1:10000/account`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Without query; its path does not end with `/` unless it is empty.
    url: Url,
    account: Option<String>,
}

impl Endpoint {
    /// Takes an endpoint as a user gives it. What stands in its query, a SAS, is returned apart.
    pub(crate) fn parse(mut url: Url) -> Result<(Self, Option<String>)> {
        check("endpoint", &url)?;
        let query = take_query(&mut url);
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let account = match is_path_style(&url) {
            true => decoded(path.trim_start_matches('/').split('/').next().unwrap_or_default())?,
            false => host_account(&url).unwrap_or_default(),
        };
        let account = Some(account).filter(|account| !account.is_empty());
        Ok((Self { url, account }, query))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The account that the URL names; a custom domain names none.
    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Whether the host is that of `other` but for its first label, which names the account.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        let beyond = |endpoint: &Self| {
            let host = endpoint.url.host_str().unwrap_or_default();
            host.split_once('.').map_or("", |(_, rest)| rest).to_owned()
        };
        beyond(self) == beyond(other)
    }

    /// Where the account can be read from in the other region; none that the URL would tell for a custom
    /// domain, and for a URL that is the secondary's already.
    pub(crate) fn secondary(&self) -> Option<String> {
        let account = self.account()?;
        let url = self.url.as_str();
        let at = match is_path_style(&self.url) {
            true => url.rfind('/')? + 1,
            false => url.find("://")? + 3,
        };
        let (before, rest) = (&url[..at], url[at..].strip_prefix(account)?);
        if rest.starts_with("-secondary") {
            return None;
        }
        let secondary = format!("{before}{account}-secondary{rest}");
        Some(secondary.trim_end_matches('/').to_owned())
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The URL for what concerns the account itself.
    pub(crate) fn service_url(&self) -> Result<Url> {
        self.with_path("")
    }

    /// The URL of a container; refuses a name that no container can have.
    pub(crate) fn container_url(&self, container: &str) -> Result<Url> {
        check_container(container)?;
        self.with_path(container)
    }

    /// The URL of a blob; refuses names that no container or blob can have.
    pub(crate) fn blob_url(&self, container: &str, blob: &str) -> Result<Url> {
        check_container(container)?;
        check_blob(container, blob)?;
        self.with_path(&format!("{container}/{}", utf8_percent_encode(blob, ENCODED_IN_PATH)))
    }

    fn with_path(&self, path: &str) -> Result<Url> {
        let base = self.url.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{path}"))
            .map_err(|_| Error::invalid("blob name", path, "must form a URL"))
    }
}

/// A blob's URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlobUrl {
    pub(crate) endpoint: Endpoint,
    pub(crate) container: String,
    pub(crate) blob: String,
    pub(crate) snapshot: Option<SnapshotId>,
    pub(crate) version: Option<VersionId>,
    /// What else stands in the query, byte for byte: a SAS.
    pub(crate) query: Option<String>,
}

impl BlobUrl {
    /// `/account/container/blob?snapshot=…`, as sources were named before 2012-02-12; in the root
    /// container `/account/blob`.
    pub(crate) fn path(&self, account: &str) -> String {
        let blob = utf8_percent_encode(&self.blob, ENCODED_IN_PATH);
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

    pub(crate) fn parse(what: &'static str, url: &Url) -> Result<Self> {
        check(what, url)?;
        let mut base = url.clone();
        let query = take_query(&mut base);
        let path = url.path().trim_start_matches('/');
        let (account, path) = match is_path_style(url) {
            true => path.split_once('/').unwrap_or((path, "")),
            false => ("", path),
        };
        base.set_path(account);
        let (endpoint, _) = Endpoint::parse(base)?;
        let (container, blob) = path.split_once('/').unwrap_or((ROOT_CONTAINER, path));
        let (container, blob) = (decoded(container)?, decoded(blob)?);
        check_container(&container)?;
        check_blob(&container, &blob)?;
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

/// A container's URL, taken apart: its endpoint, its name, and a SAS.
pub(crate) fn parse_container_url(url: &Url) -> Result<(Endpoint, String, Option<String>)> {
    check("container URL", url)?;
    let mut base = url.clone();
    let query = take_query(&mut base);
    let path = url.path().trim_matches('/');
    let (account, container) = match is_path_style(url) {
        true => path.split_once('/').unwrap_or((path, "")),
        false => ("", path),
    };
    let container = decoded(container)?;
    check_container(&container)?;
    base.set_path(account);
    let (endpoint, _) = Endpoint::parse(base)?;
    Ok((endpoint, container, query))
}

/// Refuses URLs that are not plain http or https.
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

fn take_query(url: &mut Url) -> Option<String> {
    let query = url.query().filter(|query| !query.is_empty()).map(str::to_owned);
    url.set_query(None);
    query
}

/// Whether the account is the first segment of the path, as with the emulators, and not part of
/// the host.
pub(crate) fn is_path_style(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) if name.contains(".blob.") || name.ends_with(".localhost") => {
            false
        }
        Some(Host::Domain(name)) => {
            !name.contains('.') || url.port().is_some_and(|port| EMULATOR_PORTS.contains(&port))
        }
        None => false,
    }
}

/// The account in a host such as `account-secondary.blob.core.windows.net`.
fn host_account(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let label = host.split('.').next()?;
    if !host.contains(".blob.") && !host.ends_with(".localhost") {
        return None;
    }
    let mut account = label;
    for suffix in ["-ipv6", "-dualstack", "-secondary"] {
        account = account.strip_suffix(suffix).unwrap_or(account);
    }
    Some(account.to_owned())
}

fn decoded(text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8().map(Cow::into_owned);
    decoded.map_err(|_| Error::invalid("URL", text, "must be UTF-8 when percent-decoded"))
}

fn check_container(name: &str) -> Result<()> {
    let bytes = name.as_bytes();
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let legal = (3..=63).contains(&name.len())
        && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && !name.contains("--");
    if legal || SYSTEM_CONTAINERS.contains(&name) {
        return Ok(());
    }
    Err(Error::invalid(
        "container name",
        name,
        "must be 3 to 63 lower-case letters, digits and single hyphens, with a letter or digit at \
         either end",
    ))
}

fn check_blob(container: &str, name: &str) -> Result<()> {
    let rule = if name.is_empty() || name.chars().count() > 1024 {
        "must be 1 to 1024 characters"
    } else if name.split('/').any(|segment| matches!(segment, "." | "..")) {
        "must not have a path segment that is . or .., which a URL cannot hold"
    } else if container == ROOT_CONTAINER && name.contains('/') {
        "must not hold a / in the root container"
    } else {
        return Ok(());
    };
    Err(Error::invalid("blob name", name, rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::parse(url.parse().expect("a URL")).expect("an endpoint").0
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
            ("a\\b", "a%5Cb"),
        ];
        let host = endpoint("https://acct.blob.core.windows.net/");
        let path = endpoint("http://127.0.0.1:10000/acct");
        for (name, encoded) in cases {
            let url = host.blob_url("vhds", name).expect(name);
            assert_eq!(url.as_str(), format!("https://acct.blob.core.windows.net/vhds/{encoded}"));
            let url = path.blob_url("vhds", name).expect(name);
            assert_eq!(url.as_str(), format!("http://127.0.0.1:10000/acct/vhds/{encoded}"));
            let back = BlobUrl::parse("url", &url).expect(name);
            assert_eq!((back.container.as_str(), back.blob.as_str()), ("vhds", name));
            assert_eq!(back.endpoint, path);
        }
    }

    #[test]
    fn the_account_is_found_in_host_or_path() {
        let cases = [
            ("https://acct.blob.core.windows.net", Some("acct")),
            ("https://acct-secondary.blob.core.windows.net", Some("acct")),
            ("https://acct-secondary-ipv6.blob.core.windows.net", Some("acct")),
            ("https://acct.blob.storage.azure.net", Some("acct")),
            ("http://127.0.0.1:10000/acct", Some("acct")),
            ("http://[::1]:9/acct/", Some("acct")),
            ("http://azurite:10000/acct", Some("acct")),
            ("http://acct.localhost:10000", Some("acct")),
            ("http://host.docker.internal:10000/acct", Some("acct")),
            ("https://backup.example.com", None),
        ];
        for (url, account) in cases {
            assert_eq!(endpoint(url).account(), account, "{url}");
        }
    }

    #[test]
    fn a_blob_url_is_taken_apart() {
        let url = "https://a.blob.core.windows.net/con/d/e%20f?snapshot=2026-01-01T00%3A00%3A00.1234567Z&sp=r&sig=x%2B";
        let parts = BlobUrl::parse("url", &url.parse().expect("a URL")).expect("a blob");
        assert_eq!((parts.container.as_str(), parts.blob.as_str()), ("con", "d/e f"));
        assert_eq!(parts.snapshot.expect("given"), "2026-01-01T00:00:00.1234567Z");
        assert_eq!(parts.query.as_deref(), Some("sp=r&sig=x%2B"));
    }

    #[test]
    fn the_root_container_may_be_left_out() {
        let url = "https://a.blob.core.windows.net/disk.vhd".parse().expect("a URL");
        let parts = BlobUrl::parse("url", &url).expect("a blob");
        assert_eq!((parts.container.as_str(), parts.blob.as_str()), ("$root", "disk.vhd"));
        let url = parts.endpoint.blob_url("$root", "disk.vhd").expect("legal");
        assert_eq!(url.path(), "/$root/disk.vhd");
    }

    #[test]
    fn illegal_names_are_refused_by_name_and_rule() {
        let endpoint = endpoint("https://a.blob.core.windows.net");
        for name in ["", "ab", "Abc", "a--b", "-abc", "abc-", "a_b", "$other", &"a".repeat(64)] {
            let error = endpoint.container_url(name).expect_err(name).to_string();
            assert!(error.starts_with("container name: ") && error.contains("3 to 63"), "{error}");
        }
        let long = "x".repeat(1025);
        for (container, name) in
            [("abc", ""), ("abc", long.as_str()), ("abc", "a/../b"), ("abc", "."), ("$root", "a/b")]
        {
            let error = endpoint.blob_url(container, name).expect_err(name).to_string();
            assert!(error.starts_with("blob name: "), "{error}");
        }
    }

    #[test]
    fn only_plain_http_urls_are_endpoints_and_passwords_are_not_shown() {
        for (url, rule) in [
            ("ftp://a.blob.core.windows.net", "http or https"),
            ("https://a.blob.core.windows.net/#x", "fragment"),
            ("https://user:SECRET@a.blob.core.windows.net", "user name or password"),
        ] {
            let error = Endpoint::parse(url.parse().expect("a URL")).expect_err(url).to_string();
            assert!(error.contains(rule) && !error.contains("SECRET"), "{error}");
        }
    }
}
