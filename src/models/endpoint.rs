//! Where an account's blob service is, and which account it is.
//!
//! The one place that says which account a URL is of. What the user says comes first: an account
//! name, or the account of a key. Then comes the URL, as far as it can be read:
//!
//! | The URL's host | The account |
//! | --- | --- |
//! | of Azure: `account.blob.core.windows.net` | the first label; a user who says another is refused |
//! | with `.blob.`, or `account.localhost` | the first label, unless the user says another |
//! | an IP address, a name without a dot, a container runtime's name for its host, an emulator's port | the first segment of the path |
//! | any other: a custom domain, a proxy | what the user says, or unknown |

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::{
    address::{check, encoded, take_query},
    names,
};
use crate::error::{Error, Result};

/// Ports on which the emulators listen, with the account in the path.
const EMULATOR_PORTS: [u16; 3] = [10000, 10001, 10002];

/// What follows the account in the hosts of Azure's clouds.
const AZURE: [&str; 6] = [
    ".blob.core.windows.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.cloudapi.de",
    ".blob.storage.azure.net",
    ".blob.storage.azure.us",
];

/// The names that container runtimes give to the machine they run on.
const HOST_OF_CONTAINERS: [&str; 3] =
    ["host.docker.internal", "gateway.docker.internal", "host.containers.internal"];

const SECONDARY: &str = "-secondary";

/// An account's blob service: `https://account.blob.core.windows.net`, or, where the account is in
/// the path, `http://127.0.0.1:10000/account`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Without query; its path does not end with `/` unless it is empty.
    url: Url,
    account: Option<String>,
    named_in: NamedIn,
}

/// What part of an endpoint's URL names the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NamedIn {
    Host,
    Path,
    Nowhere,
}

impl Endpoint {
    /// Takes an endpoint as a user gives it, with the account if the user names one. What stands in
    /// its query, a SAS, is returned apart.
    ///
    /// Refuses the URL of a container or blob, as which a path is read that goes on behind the
    /// account. A path that does not name the account is the beginning of all URLs of the service,
    /// as behind a proxy.
    pub(crate) fn parse(mut url: Url, named: Option<&str>) -> Result<(Self, Option<String>)> {
        check("endpoint", &url)?;
        let query = take_query(&mut url);
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let Place { account, mut named_in, mut depth } = locate("endpoint", &url, named)?;
        // A service's own path may go before the account.
        if let (NamedIn::Nowhere, Some(at)) = (named_in, place_of(named, &url)) {
            (named_in, depth) = (NamedIn::Path, at + 1);
        }
        if named_in != NamedIn::Nowhere && segments(&url).count() > depth {
            return Err(of_something_inside(&url));
        }
        Ok((Self { url, account, named_in }, query))
    }

    /// Refuses an endpoint with a path of which nobody says what it is, beside a SAS for a
    /// container or for something inside one: it is that one's URL.
    pub(crate) fn check_beside(&self, sas: &str) -> Result<()> {
        let for_one = sas.split('&').any(|pair| pair.starts_with("sr="));
        match self.account.is_none() && for_one && segments(&self.url).next().is_some() {
            true => Err(of_something_inside(&self.url)),
            false => Ok(()),
        }
    }

    /// The endpoint in the URL of a container or blob, and how many segments of its path belong to
    /// it.
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

    /// The account that the user or the URL names; of a custom domain it may not be known.
    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Whether both are for certain the same account: one address, of which nobody says that it is
    /// of two accounts.
    pub(crate) fn is_same_account(&self, other: &Self) -> bool {
        let named_twice = self.account.is_some() && other.account.is_some();
        self.url == other.url && (!named_twice || self.account == other.account)
    }

    /// Whether the account is in the host, and so the rest of the host says in which cloud it is.
    pub(crate) fn names_its_cloud(&self) -> bool {
        self.named_in == NamedIn::Host
    }

    /// Whether the host is that of `other` but for its first label, which names the account.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        beyond_label(&self.url) == beyond_label(&other.url)
    }

    /// What follows the endpoint in the path of a URL, if the URL begins with the endpoint.
    pub(super) fn rest_of<'a>(&self, url: &'a Url) -> Option<&'a str> {
        let same = self.url.scheme() == url.scheme()
            && self.url.host() == url.host()
            && self.url.port_or_known_default() == url.port_or_known_default();
        let rest = url.path().strip_prefix(self.url.path().trim_end_matches('/'))?;
        rest.strip_prefix('/').filter(|_| same)
    }

    /// Where the account can be read from in the other region; unknown where the URL does not name
    /// the account, and for a URL that is the secondary's already.
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

    /// The URL for what concerns the account itself.
    pub(crate) fn service_url(&self) -> Result<Url> {
        self.with_path("")
    }

    /// The URL of a container; refuses a name that no container can have.
    pub(crate) fn container_url(&self, container: &str) -> Result<Url> {
        names::check_container(container)?;
        self.with_path(container)
    }

    /// The URL of a blob whose name is given as text; refuses names that no container or blob can
    /// have, or that the service stores as another name.
    pub(crate) fn blob_url(&self, container: &str, blob: &str) -> Result<Url> {
        names::check_container(container)?;
        names::check_given("blob name", container, blob)?;
        self.with_path(&format!("{container}/{}", encoded(blob)))
    }

    /// The URL of a blob whose name the service has told, or means by another URL.
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

/// Which server a URL is of, by all names that one account has: through its secondary, and by what
/// protocol it is reached.
pub(crate) fn server(url: &Url) -> Option<String> {
    let name = url.host_str()?;
    Some(match host(url) {
        HostKind::Azure(account) | HostKind::Label(account) => {
            format!("{account}.{}", beyond_label(url))
        }
        HostKind::Path | HostKind::Custom => name.to_owned(),
    })
}

/// Whether a URL is that of a managed disk or of its snapshot, as a grant of access gives it. Names
/// of storage accounts have no hyphen.
pub(crate) fn is_managed_disk(url: &Url) -> bool {
    let name = url.host_str().unwrap_or_default();
    name.starts_with("md-") && matches!(host(url), HostKind::Azure(_))
}

/// The account that a key is of, for an endpoint with which the user names none: as the URL names
/// it, or else the first segment of the path, or the first label of the host.
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

/// Where in a URL the account is named: how many segments of the path come before the container.
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
        let rule = format!("is of another account than the one that is given, {named:?}");
        Err(Error::invalid(what, url, &rule))
    };
    match (host(url), named) {
        (HostKind::Azure(account), Some(named)) if account != named => another(named),
        (HostKind::Azure(account), _) | (HostKind::Label(account), None) => Ok(in_host(account)),
        (HostKind::Label(account), Some(named)) if account == named => Ok(in_host(account)),
        (_, Some(named)) => {
            // Further on, the same word may be part of a blob's name.
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

/// Which segment of the path is the account's name, or that of its secondary.
fn place_of(account: Option<&str>, url: &Url) -> Option<usize> {
    let account = account?;
    segments(url).position(|segment| without_secondary(&decoded(segment)) == account)
}

/// What a host says of where the account is.
#[derive(Clone, Copy)]
enum HostKind<'a> {
    /// Azure's own: its first label is the account for certain.
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
            "; or, if the path is the service's own, name the account: account_name of the builder, \
             AccountName in a connection string",
        );
    }
    Error::invalid("endpoint", url, &rule)
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
