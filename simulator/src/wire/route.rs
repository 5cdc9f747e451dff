//! The account, container and blob that a URL addresses.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr},
};

use http::uri::Authority;
use percent_encoding::percent_decode_str;

use super::{
    error::{Code, Refusal},
    names,
};

/// The public suffix of the real service's hosts.
const SERVICE_SUFFIX: &str = "blob.core.windows.net";
const LOCAL_SUFFIX: &str = "localhost";
/// The suffixes of the hosts of managed disks, which have a dot in their name.
const DISK_SUFFIXES: [&str; 2] = [".blob.storage.azure.net", ".blob.localhost"];
const DISK_PREFIX: &str = "md-";
pub(crate) const SECONDARY: &str = "-secondary";

/// The address in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) account: String,
    /// Whether the URL addresses the read-only secondary.
    pub(crate) secondary: bool,
    pub(crate) container: Option<String>,
    pub(crate) blob: Option<String>,
}

/// The address of a blob.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlobAddress {
    pub(crate) account: String,
    pub(crate) container: String,
    pub(crate) blob: String,
}

impl BlobAddress {
    /// An address on another server, in either style. No account here has such a name.
    pub(crate) fn elsewhere(authority: &Authority, path: &str) -> Self {
        let (container, blob) = (String::new(), path.to_owned());
        let whole = Self { account: String::new(), container, blob };
        let mut at = blob_in(Some(authority), path).unwrap_or(whole);
        at.account = format!("//{}/{}", server(authority), at.account);
        at
    }
}

/// A decoded query, in the order in which it was sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(pub(crate) Vec<(String, String)>);

/// Reads the address in `authority` and `path`: the account is the first label of the host for
/// `account.blob.core.windows.net` and `account.localhost`, else the first segment of the path.
///
/// `knows` returns whether an account exists. `about_container` is whether a path of one segment
/// names a container, not a blob in `$root`.
pub(crate) fn locate(
    knows: impl FnOnce(&str) -> bool,
    authority: Option<&Authority>,
    path: &str,
    about_container: bool,
) -> Result<Route, Refusal> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (name, path) = match authority.and_then(|authority| account_in_host(authority.host())) {
        Some(account) => (Cow::from(account.to_ascii_lowercase()), path),
        None => {
            let (account, rest) = path.split_once('/').unwrap_or((path, ""));
            (decode(account)?.into(), rest)
        }
    };
    let (account, secondary) = match name.strip_suffix(SECONDARY) {
        Some(primary) => (primary, true),
        None => (&*name, false),
    };
    if !knows(account) {
        let message = "The account does not exist in this simulator.";
        return Err(Refusal::from(Code::ResourceNotFound).detail("Reason", message));
    }
    let (container, blob) = match path.split_once('/') {
        _ if path.is_empty() => (None, None),
        Some((container, "")) => (Some(decode(container)?), None),
        Some((container, blob)) => (Some(decode(container)?), Some(names::stored(decode(blob)?))),
        None if about_container => (Some(decode(path)?), None),
        None => (Some("$root".to_owned()), Some(names::stored(decode(path)?))),
    };
    if let Some(container) = &container {
        check_container_name(container)?;
    }
    // A name of dots only leaves nothing to store.
    if blob.as_ref().is_some_and(|blob| blob.is_empty() || blob.chars().count() > 1024) {
        return Err(Code::InvalidUri.into());
    }
    Ok(Route { account: account.to_owned(), secondary, container, blob })
}

/// The blob that a whole URL addresses, whether or not it exists.
pub(crate) fn blob_in(authority: Option<&Authority>, path: &str) -> Option<BlobAddress> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (account, path) = match authority.and_then(|authority| account_in_host(authority.host())) {
        Some(account) => (account, path),
        None => path.split_once('/')?,
    };
    let (container, blob) = path.split_once('/')?;
    let account = account.to_ascii_lowercase();
    Some(BlobAddress {
        account,
        container: decode(container).ok()?,
        blob: names::stored(decode(blob).ok()?),
    })
}

/// The account name in a host-style address.
pub(crate) fn account_in_host(host: &str) -> Option<&str> {
    if let Some(account) = disk_account_in(host) {
        return Some(account);
    }
    let (label, suffix) = host.split_once('.')?;
    let known =
        suffix.eq_ignore_ascii_case(LOCAL_SUFFIX) || suffix.eq_ignore_ascii_case(SERVICE_SUFFIX);
    known.then_some(label)
}

/// The account of managed disks in a host: `md-abc.z01` in `md-abc.z01.blob.storage.azure.net`.
fn disk_account_in(host: &str) -> Option<&str> {
    is_disk_account(host).then_some(())?;
    DISK_SUFFIXES.iter().find_map(|suffix| {
        let (account, end) = host.split_at_checked(host.len().checked_sub(suffix.len())?)?;
        end.eq_ignore_ascii_case(suffix).then_some(account)
    })
}

/// Whether this is, or begins with, the name of an account of managed disks: other names have no
/// hyphen.
pub(crate) fn is_disk_account(name: &str) -> bool {
    name.get(..DISK_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(DISK_PREFIX))
}

/// Whether `other`, the authority of a copy's source, is this service too; the request addressed it
/// as `own`. All names of this machine with the same port are one service, because a simulator
/// answers to any of them.
pub(crate) fn is_same_service(other: &Authority, own: Option<&Authority>) -> bool {
    let host = other.host().to_ascii_lowercase();
    if host.strip_suffix(SERVICE_SUFFIX).is_some_and(|account| account.ends_with('.')) {
        return true;
    }
    if disk_account_in(&host).is_some_and(|_| !is_loopback(&host)) {
        return true;
    }
    let Some(own) = own else { return is_loopback(other.host()) };
    let same_host = other.host().eq_ignore_ascii_case(own.host());
    let both_local = is_loopback(other.host()) && is_loopback(own.host());
    (same_host || both_local) && other.port_u16() == own.port_u16()
}

/// The server of a URL: its port, and its host; this machine has many names.
pub(crate) fn server(authority: &Authority) -> String {
    let host = authority.host().to_ascii_lowercase();
    let host = if is_loopback(&host) { LOCAL_SUFFIX } else { &host };
    format!("{host}:{}", authority.port_u16().unwrap_or_default())
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let name = host.to_ascii_lowercase();
    address.is_ok_and(|address| address.is_loopback())
        || name == LOCAL_SUFFIX
        || name.ends_with(".localhost")
}

/// As in [Naming
/// containers](https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata).
fn check_container_name(name: &str) -> Result<(), Refusal> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let special = matches!(name, "$root" | "$web" | "$logs");
    if !special && !(3..=63).contains(&name.len()) {
        return Err(Code::OutOfRangeInput.into());
    }
    let regular = name.chars().all(|c| letters(c) || c == '-')
        && name.starts_with(letters)
        && name.ends_with(letters)
        && !name.contains("--");
    if special || regular { Ok(()) } else { Err(Code::InvalidResourceName.into()) }
}

fn decode(text: &str) -> Result<String, Refusal> {
    let decoded = percent_decode_str(text).decode_utf8();
    Ok(decoded.map_err(|_| Code::InvalidUri)?.into_owned())
}

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Refusal> {
        let pairs = query.unwrap_or("").split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?))
        });
        decoded.collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Who sent a request, and over which connection; attached to the request on arrival.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    pub(crate) https: bool,
    /// Whether the call was made in process.
    pub(crate) in_process: bool,
}

impl Default for Peer {
    fn default() -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::LOCALHOST), https: false, in_process: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(host: &str, path: &str, about_container: bool) -> Result<Route, Refusal> {
        locate(
            |name| ["one", "two"].contains(&name),
            Some(&host.parse().unwrap()),
            path,
            about_container,
        )
    }

    #[test]
    fn both_styles_lead_to_the_same_blob() {
        let expected = Route {
            account: "one".into(),
            secondary: false,
            container: Some("vhds".into()),
            blob: Some("dir/a b.vhd".into()),
        };
        for (host, path) in [
            ("127.0.0.1:10000", "/one/vhds/dir/a%20b.vhd"),
            ("localhost:10000", "/one/vhds/dir%2Fa%20b.vhd"),
            ("one.localhost:10000", "/vhds/dir/a%20b.vhd"),
            ("ONE.blob.core.windows.net", "/vhds/dir/a%20b.vhd"),
        ] {
            assert_eq!(route(host, path, false).unwrap(), expected, "{host}{path}");
        }
        assert!(route("one-secondary.localhost", "/vhds/b", false).unwrap().secondary);
    }

    #[test]
    fn one_segment_is_a_container_or_a_blob_in_the_root_container() {
        let container = route("two.localhost", "/name", true).unwrap();
        assert_eq!((container.container.as_deref(), container.blob), (Some("name"), None));
        let blob = route("127.0.0.1", "/two/name", false).unwrap();
        assert_eq!(blob.container.as_deref(), Some("$root"));
        assert_eq!(blob.blob.as_deref(), Some("name"));
    }

    #[test]
    fn another_server_is_not_this_service() {
        let same = |other: &str| {
            let own = "127.0.0.1:10000".parse().unwrap();
            is_same_service(&other.parse().unwrap(), Some(&own))
        };
        for own in ["localhost:10000", "one.localhost:10000", "ONE.blob.core.windows.net"] {
            assert!(same(own), "{own}");
        }
        for other in ["evilblob.core.windows.net", "blob.core.windows.net", "127.0.0.1:10001"] {
            assert!(!same(other), "{other}");
        }
    }

    #[test]
    fn what_cannot_exist_is_refused() {
        for (host, path) in [
            ("three.localhost", "/vhds/b"),
            ("127.0.0.1", "/three/vhds/b"),
            ("127.0.0.1", "/one/UPPER/b"),
            ("127.0.0.1", "/one/a--b/b"),
            ("127.0.0.1", "/one/vhds/%FF"),
        ] {
            assert!(route(host, path, false).is_err(), "{host}{path}");
        }
    }
}
