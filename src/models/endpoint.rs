//! The endpoint of an account's blob service, and the account's name.
//!
//! The only place that decides which account a URL belongs to. The user comes first: an account
//! name, or the account of a key. Then comes the URL:
//!
//! | The URL's host | The account |
//! | --- | --- |
//! | of Azure: `account.blob.core.windows.net` | the first label; another given name is an error |
//! | with `.blob.`, or `account.localhost` | the first label, unless the user gave another name |
//! | an IP address, a name without a dot, a container's host, an emulator's port | the first path segment |
//! | any other: a custom domain, a proxy | the name that the user gave, or unknown |

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::{
    address::{check, encoded, take_query},
    names,
};
use crate::error::{Error, Result};

/// Ports on which the emulators listen, with the account in the path.
const EMULATOR_PORTS: [u16; 3] = [10000, 10001, 10002];

/// The part after the account in the hosts of Azure's clouds.
const AZURE: [&str; 6] = [
    ".blob.core.windows.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.cloudapi.de",
    ".blob.storage.azure.net",
    ".blob.storage.azure.us",
];

/// The names of the host machine in container runtimes.
const HOST_OF_CONTAINERS: [&str; 3] =
    ["host.docker.internal", "gateway.docker.internal", "host.containers.internal"];

const SECONDARY: &str = "-secondary";

/// An account's blob service: `https://account.blob.core.windows.net` or, with the account in the
/// path, `http://127.0.0.1:10000/account`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Without a query; its path does not end with `/` unless it is empty.
    url: Url,
    account: Option<String>,
    named_in: NamedIn,
}

/// Which part of an endpoint's URL names the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NamedIn {
    Host,
    Path,
    Nowhere,
}

impl Endpoint {
    /// Parses an endpoint from a user, with the account if the user named one. The query, a SAS, is
    /// returned separately.
    ///
    /// Rejects the URL of a container or blob: a path that continues after the account. A path that
    /// does not name the account is a prefix of all URLs of the service, as behind a proxy.
    pub(crate) fn parse(mut url: Url, named: Option<&str>) -> Result<(Self, Option<String>)> {
        check("endpoint", &url)?;
        let query = take_query(&mut url);
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let Place { account, mut named_in, mut depth } = locate("endpoint", &url, named)?;
        // A proxy's own path may precede the account.
        if let (NamedIn::Nowhere, Some(at)) = (named_in, place_of(named, &url)) {
            (named_in, depth) = (NamedIn::Path, at + 1);
        }
        if named_in != NamedIn::Nowhere && segments(&url).count() > depth {
            return Err(of_something_inside(&url));
        }
        Ok((Self { url, account, named_in }, query))
    }

    /// Rejects an endpoint with an unexplained path if the SAS is for a container or something
    /// inside one: the path is the URL of that.
    pub(crate) fn check_beside(&self, sas: &str) -> Result<()> {
        let for_one = sas.split('&').any(|pair| pair.starts_with("sr="));
        match self.account.is_none() && for_one && segments(&self.url).next().is_some() {
            true => Err(of_something_inside(&self.url)),
            false => Ok(()),
        }
    }

    /// The endpoint in the URL of a container or blob, and how many path segments belong to it.
    pub(super) fn within(
        what: &'static str,
        url: &Url,
        named: Option<&str>,
    ) -> Result<(Self, usize)> {
        let Place { account, named_in, depth } = locate(what, url, named)?;
        let mut base = url.clone();
        base.set_query(None);
        let path: Vec<&str> = segments(url).take(depth).collect();
        base.set_path(&path.join("/"));
        Ok((Self { url: base, account, named_in }, depth))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The account that the user or the URL names; it may be unknown for a custom domain.
    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Whether both are certainly the same account: the same URL, and no two different account
    /// names.
    pub(crate) fn is_same_account(&self, other: &Self) -> bool {
        let named_twice = self.account.is_some() && other.account.is_some();
        self.url == other.url && (!named_twice || self.account == other.account)
    }

    /// Whether the host names the account, so that the rest of the host identifies the cloud.
    pub(crate) fn names_its_cloud(&self) -> bool {
        self.named_in == NamedIn::Host
    }

    /// Whether the hosts are the same except for the first label, which names the account.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        beyond_label(&self.url) == beyond_label(&other.url)
    }

    /// The path of a URL after the endpoint, if the URL begins with the endpoint.
    pub(super) fn rest_of<'a>(&self, url: &'a Url) -> Option<&'a str> {
        let same = self.url.scheme() == url.scheme()
            && self.url.host() == url.host()
            && self.url.port_or_known_default() == url.port_or_known_default();
        let rest = url.path().strip_prefix(self.url.path().trim_end_matches('/'))?;
        rest.strip_prefix('/').filter(|_| same)
    }

    /// The secondary endpoint; `None` if the URL does not name the account or is already the
    /// secondary's.
    pub(crate) fn secondary(&self) -> Option<String> {
        let account = self.account()?;
        let url = self.url.as_str();
        let at = match self.named_in {
            NamedIn::Path => url.rfind('/')? + 1,
            NamedIn::Host => url.find("://")? + 3,
            NamedIn::Nowhere => return None,
        };
        let (before, rest) = (&url[..at], url[at..].strip_prefix(account)?);
        if rest.starts_with(SECONDARY) {
            return None;
        }
        let secondary = format!("{before}{account}{SECONDARY}{rest}");
        Some(secondary.trim_end_matches('/').to_owned())
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The URL for operations on the account itself.
    pub(crate) fn service_url(&self) -> Result<Url> {
        self.with_path("")
    }

    /// The URL of a container. Rejects an invalid container name.
    pub(crate) fn container_url(&self, container: &str) -> Result<Url> {
        names::check_container(container)?;
        self.with_path(container)
    }

    /// The URL of a blob whose name the user gave. Rejects invalid names, and names that the
    /// service would store under another name.
    pub(crate) fn blob_url(&self, container: &str, blob: &str) -> Result<Url> {
        names::check_container(container)?;
        names::check_given("blob name", container, blob)?;
        self.with_path(&format!("{container}/{}", encoded(blob)))
    }

    /// The URL of a blob whose name came from the service or from a URL.
    pub(crate) fn stored_blob_url(&self, container: &str, blob: &str) -> Result<Url> {
        names::check_container(container)?;
        names::check_listed(blob)?;
        self.with_path(&format!("{container}/{}", encoded(blob)))
    }

    fn with_path(&self, path: &str) -> Result<Url> {
        let base = self.url.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{path}"))
            .map_err(|_| Error::invalid("blob name", path, "must form a URL"))
    }
}

/// The server of a URL, the same for all hosts of an account: primary, secondary, IPv6 and
/// dual-stack. An emulator is the same under all addresses of this machine.
pub(crate) fn server(url: &Url) -> Option<String> {
    let name = url.host_str()?;
    Some(match host(url) {
        HostKind::Azure(account) | HostKind::Label(account) => {
            format!("{account}.{}", beyond_label(url))
        }
        HostKind::Path | HostKind::Custom if is_of_this_machine(url) => "localhost".to_owned(),
        HostKind::Path | HostKind::Custom => name.to_owned(),
    })
}

fn is_of_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether a URL is that of a managed disk or its snapshot, as returned by granting access. Names
/// of storage accounts have no hyphen.
pub(crate) fn is_managed_disk(url: &Url) -> bool {
    let name = url.host_str().unwrap_or_default();
    name.starts_with("md-") && matches!(host(url), HostKind::Azure(_))
}

/// The account of a key for an endpoint without a given account name: the one that the URL names,
/// else the first path segment, else the first label of the host.
pub(crate) fn guess_account(url: &Url) -> Result<Option<String>> {
    let (endpoint, _) = Endpoint::parse(url.clone(), None)?;
    let first = segments(url).next().map(str::to_owned);
    let label = || match url.host() {
        Some(Host::Domain(name)) => Some(name.split_once('.')?.0.to_owned()),
        _ => None,
    };
    let account = endpoint.account.or(first).or_else(label);
    Ok(account.map(|account| without_secondary(&account).to_owned()))
}

/// Where a URL names the account, and how many path segments come before the container.
struct Place {
    account: Option<String>,
    named_in: NamedIn,
    depth: usize,
}

fn locate(what: &'static str, url: &Url, named: Option<&str>) -> Result<Place> {
    let in_host = |account: &str| Place {
        account: Some(account.to_owned()),
        named_in: NamedIn::Host,
        depth: 0,
    };
    let another = |named: &str| {
        let rule = format!("belongs to another account than the given one, {named:?}");
        Err(Error::invalid(what, url, &rule))
    };
    match (host(url), named) {
        (HostKind::Azure(account), Some(named)) if account != named => another(named),
        (HostKind::Azure(account), _) | (HostKind::Label(account), None) => Ok(in_host(account)),
        (HostKind::Label(account), Some(named)) if account == named => Ok(in_host(account)),
        (_, Some(named)) => {
            // In later segments, the same word may be part of a blob's name.
            let (account, depth) = (Some(named.to_owned()), 1);
            match place_of(Some(named), url) {
                Some(0) => Ok(Place { account, named_in: NamedIn::Path, depth }),
                None if has_emulator_port(url) && segments(url).next().is_some() => another(named),
                _ => Ok(Place { account, named_in: NamedIn::Nowhere, depth: 0 }),
            }
        }
        (HostKind::Path, None) => Ok(match segments(url).next() {
            None => Place { account: None, named_in: NamedIn::Nowhere, depth: 0 },
            Some(account) => {
                Place { account: Some(decoded(account)), named_in: NamedIn::Path, depth: 1 }
            }
        }),
        (HostKind::Custom, None) => {
            Ok(Place { account: None, named_in: NamedIn::Nowhere, depth: 0 })
        }
    }
}

/// Which path segment is the account's name, or that of its secondary.
fn place_of(account: Option<&str>, url: &Url) -> Option<usize> {
    let account = account?;
    segments(url).position(|segment| without_secondary(&decoded(segment)) == account)
}

/// What a host reveals about where the account is named.
#[derive(Clone, Copy)]
enum HostKind<'a> {
    /// An Azure host: its first label is certainly the account.
    Azure(&'a str),
    /// The first label is most likely the account.
    Label(&'a str),
    /// The account is in the path.
    Path,
    /// Nothing.
    Custom,
}

fn host(url: &Url) -> HostKind<'_> {
    let name = match url.host() {
        Some(Host::Domain(name)) => name.strip_suffix('.').unwrap_or(name),
        _ => return HostKind::Path,
    };
    let label = name.split('.').next().unwrap_or_default();
    let account = ["-ipv6", "-dualstack", SECONDARY]
        .iter()
        .fold(label, |account, suffix| account.strip_suffix(suffix).unwrap_or(account));
    if AZURE.iter().any(|suffix| name.ends_with(suffix)) && !account.is_empty() {
        HostKind::Azure(account)
    } else if (name.contains(".blob.") || name.ends_with(".localhost")) && !account.is_empty() {
        HostKind::Label(account)
    } else if !name.contains('.') || HOST_OF_CONTAINERS.contains(&name) || has_emulator_port(url) {
        HostKind::Path
    } else {
        HostKind::Custom
    }
}

fn has_emulator_port(url: &Url) -> bool {
    url.port().is_some_and(|port| EMULATOR_PORTS.contains(&port))
}

fn segments(url: &Url) -> impl Iterator<Item = &str> + Clone {
    let path = url.path().trim_matches('/');
    path.split('/').filter(move |_| !path.is_empty())
}

fn beyond_label(url: &Url) -> &str {
    let host = url.host_str().unwrap_or_default();
    host.split_once('.').map_or("", |(_, rest)| rest)
}

fn without_secondary(account: &str) -> &str {
    account.strip_suffix(SECONDARY).unwrap_or(account)
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn of_something_inside(url: &Url) -> Error {
    let mut rule =
        "is the URL of a container or blob: use BlobContainerClient::new or BlobClient::new"
            .to_owned();
    if !matches!(host(url), HostKind::Azure(_)) {
        rule.push_str(
            "; or, if the path belongs to the service, name the account: account_name of the \
             builder, AccountName in a connection string",
        );
    }
    Error::invalid("endpoint", url, &rule)
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
