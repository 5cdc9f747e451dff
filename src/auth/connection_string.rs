//! Connection strings, as the portal shows them.
//!
//! From [Configure Azure Storage connection
//! strings](https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string),
//! and from .NET's behaviour where that page leaves something open.

use url::Url;

use super::{sas::SasToken, shared_key::SharedKey};
use crate::{
    error::{Error, Result},
    models::endpoint,
};

/// The endpoints and the credential of a connection string.
#[derive(Debug)]
pub(crate) struct ConnectionString {
    /// The name of the account, if the string has one or its key needs one.
    pub(crate) account: Option<String>,
    /// The endpoint of the service, without a query and without a trailing slash in its path.
    pub(crate) blob_endpoint: Url,
    /// The secondary endpoint, for reads.
    pub(crate) blob_secondary: Option<Url>,
    /// What authorizes requests.
    pub(crate) auth: ConnectionAuth,
}

/// The credential of a connection string.
#[derive(Debug)]
pub(crate) enum ConnectionAuth {
    Key(SharedKey),
    Sas(SasToken),
    Anonymous,
}

impl ConnectionString {
    /// Parses `key=value` pairs, separated by semicolons.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let parts = Parts::split(text)?;
        if parts.get(USE_DEVELOPMENT_STORAGE).is_some() {
            return development_storage(&parts);
        }
        if let Some(proxy) = parts.get(PROXY) {
            return Err(refused(PROXY, proxy, "needs UseDevelopmentStorage=true"));
        }
        match parts.get(BLOB_ENDPOINT) {
            Some(endpoint) => explicit(&parts, endpoint),
            None => built(&parts),
        }
    }
}

const USE_DEVELOPMENT_STORAGE: &str = "UseDevelopmentStorage";
const PROXY: &str = "DevelopmentStorageProxyUri";
const PROTOCOL: &str = "DefaultEndpointsProtocol";
const SUFFIX: &str = "EndpointSuffix";
const ACCOUNT_NAME: &str = "AccountName";
const ACCOUNT_KEY: &str = "AccountKey";
const ACCOUNT_KEY_NAME: &str = "AccountKeyName";
const SAS: &str = "SharedAccessSignature";
const BLOB_ENDPOINT: &str = "BlobEndpoint";
const BLOB_SECONDARY: &str = "BlobSecondaryEndpoint";

/// Every key. Those of the other services are accepted and ignored.
const KEYS: [&str; 16] = [
    USE_DEVELOPMENT_STORAGE,
    PROXY,
    PROTOCOL,
    SUFFIX,
    ACCOUNT_NAME,
    ACCOUNT_KEY,
    ACCOUNT_KEY_NAME,
    SAS,
    BLOB_ENDPOINT,
    BLOB_SECONDARY,
    "QueueEndpoint",
    "QueueSecondaryEndpoint",
    "TableEndpoint",
    "TableSecondaryEndpoint",
    "FileEndpoint",
    "FileSecondaryEndpoint",
];

/// The pairs of a connection string: each key at most once, in its official spelling.
struct Parts<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Parts<'a> {
    /// Splits at semicolons, and each pair at its first `=`: account keys and signatures contain
    /// more.
    fn split(text: &'a str) -> Result<Self> {
        let mut parts = Self(Vec::new());
        for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(unknown(pair, "has no =; it must be key=value pairs separated by ;"));
            };
            let (key, value) = (key.trim(), value.trim());
            // As in .NET: an unknown key is usually a typo.
            let Some(key) = KEYS.into_iter().find(|known| known.eq_ignore_ascii_case(key)) else {
                return Err(unknown(key, "is not a connection string key"));
            };
            if parts.get(key).is_some() {
                return Err(unknown(key, "appears twice"));
            }
            if value.is_empty() {
                return Err(refused(key, value, "must not be empty"));
            }
            parts.0.push((key, value));
        }
        match parts.0.is_empty() {
            true => Err(Error::invalid("connection string", "", "must not be empty")),
            false => Ok(parts),
        }
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}

/// The emulator: a well-known account on this machine, or at the host of a proxy.
fn development_storage(parts: &Parts<'_>) -> Result<ConnectionString> {
    const ACCOUNT: &str = "devstoreaccount1";
    const KEY: &str =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    const PORT: u16 = 10000;

    for (key, value) in &parts.0 {
        match *key {
            USE_DEVELOPMENT_STORAGE if value.eq_ignore_ascii_case("true") => {}
            USE_DEVELOPMENT_STORAGE => return Err(refused(key, value, "must be true")),
            PROXY => {}
            other => {
                let rule = "must not be combined with UseDevelopmentStorage=true";
                return Err(Error::invalid("connection string", other, rule));
            }
        }
    }
    // Only the scheme and host of the proxy are used; the port is the emulator's.
    let base = match parts.get(PROXY) {
        Some(proxy) => absolute(PROXY, proxy)?,
        None => absolute(PROXY, "http://127.0.0.1")?,
    };
    let at = |account: &str| {
        let (scheme, host) = (base.scheme(), base.host().expect("checked by `absolute`"));
        absolute(PROXY, &format!("{scheme}://{host}:{PORT}/{account}"))
    };
    Ok(ConnectionString {
        account: Some(ACCOUNT.to_owned()),
        blob_endpoint: at(ACCOUNT)?,
        blob_secondary: Some(at(&format!("{ACCOUNT}-secondary"))?),
        auth: ConnectionAuth::Key(SharedKey::new(ACCOUNT, KEY)?),
    })
}

/// Explicit endpoints, with any credential or none.
fn explicit(parts: &Parts<'_>, primary: &str) -> Result<ConnectionString> {
    let name = parts.get(ACCOUNT_NAME);
    if name.is_none() {
        for key in [PROTOCOL, SUFFIX] {
            if let Some(value) = parts.get(key) {
                return Err(refused(key, value, "needs AccountName"));
            }
        }
    }
    let mut blob_endpoint = absolute(BLOB_ENDPOINT, primary)?;
    // .NET appends SharedAccessSignature to the endpoint; some strings have it there already.
    let query = blob_endpoint.query().map(str::to_owned);
    blob_endpoint.set_query(None);
    let blob_secondary = match parts.get(BLOB_SECONDARY) {
        None => None,
        Some(secondary) => {
            let mut url = absolute(BLOB_SECONDARY, secondary)?;
            if url.query().is_some_and(|other| Some(other) != query.as_deref()) {
                let rule = "must have the same SAS as BlobEndpoint, or none";
                return Err(refused(BLOB_SECONDARY, secondary, rule));
            }
            url.set_query(None);
            Some(url)
        }
    };
    let account = match (name, parts.get(ACCOUNT_KEY)) {
        (Some(name), _) => Some(name.to_owned()),
        (None, Some(_)) => endpoint::guess_account(&blob_endpoint)?,
        (None, None) => None,
    };
    let auth = match query {
        None => credential(parts, account.as_deref())?,
        Some(query) => {
            if parts.get(ACCOUNT_KEY).or(parts.get(SAS)).is_some() {
                let rule = "has a query, which must not be combined with another credential";
                return Err(refused(BLOB_ENDPOINT, primary, rule));
            }
            let sas = SasToken::parse(&query);
            ConnectionAuth::Sas(sas.map_err(|_| {
                refused(BLOB_ENDPOINT, primary, "must have no query other than a SAS")
            })?)
        }
    };
    Ok(ConnectionString { account, blob_endpoint, blob_secondary, auth })
}

/// Endpoints built from the account's name.
fn built(parts: &Parts<'_>) -> Result<ConnectionString> {
    if let Some(secondary) = parts.get(BLOB_SECONDARY) {
        return Err(refused(BLOB_SECONDARY, secondary, "needs BlobEndpoint"));
    }
    let Some(name) = parts.get(ACCOUNT_NAME) else {
        let rule = "must have AccountName or BlobEndpoint, or be UseDevelopmentStorage=true";
        return Err(Error::invalid_secret("connection string", rule));
    };
    let auth = credential(parts, Some(name))?;
    let scheme = match parts.get(PROTOCOL) {
        None => "https",
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => "http",
        Some(other) => return Err(refused(PROTOCOL, other, "must be http or https")),
    };
    let suffix = parts.get(SUFFIX).unwrap_or("core.windows.net");
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !suffix.split('.').all(label) {
        return Err(refused(SUFFIX, suffix, "must be a DNS name such as core.windows.net"));
    }
    if !label(name) {
        return Err(refused(ACCOUNT_NAME, name, "must be letters and digits"));
    }
    let at = |account: &str| absolute(ACCOUNT_NAME, &format!("{scheme}://{account}.blob.{suffix}"));
    Ok(ConnectionString {
        account: Some(name.to_owned()),
        blob_endpoint: at(name)?,
        blob_secondary: Some(at(&format!("{name}-secondary"))?),
        auth,
    })
}

fn credential(parts: &Parts<'_>, account: Option<&str>) -> Result<ConnectionAuth> {
    match (parts.get(ACCOUNT_KEY), parts.get(SAS)) {
        (Some(_), Some(_)) => {
            Err(refused_secret(SAS, "must not be combined with AccountKey: set one of them"))
        }
        (Some(key), None) => match account {
            Some(account) => Ok(ConnectionAuth::Key(SharedKey::new(account, key)?)),
            None => Err(refused_secret(ACCOUNT_KEY, "needs AccountName")),
        },
        (None, _) if parts.get(ACCOUNT_KEY_NAME).is_some() => {
            Err(refused_secret(ACCOUNT_KEY_NAME, "needs AccountKey"))
        }
        (None, Some(sas)) => Ok(ConnectionAuth::Sas(SasToken::parse(sas)?)),
        // As in .NET: with a name but no key, the key was usually forgotten.
        (None, None) => match parts.get(ACCOUNT_NAME) {
            Some(name) => {
                let rule = "needs AccountKey or SharedAccessSignature";
                Err(refused(ACCOUNT_NAME, name, rule))
            }
            None => Ok(ConnectionAuth::Anonymous),
        },
    }
}

fn absolute(key: &'static str, text: &str) -> Result<Url> {
    let rule = "must be an absolute http or https URL, without a user and without a fragment";
    let mut url: Url = text.parse().map_err(|_| refused(key, text, rule))?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if !plain || !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(refused(key, text, rule));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn refused(key: &'static str, value: &str, rule: &str) -> Error {
    // A user name and password in a URL are as secret as a signature.
    match key == ACCOUNT_KEY || key == SAS || value.contains('@') {
        true => refused_secret(key, rule),
        false => Error::invalid("connection string", format_args!("{key}={value}"), rule),
    }
}

fn refused_secret(key: &'static str, rule: &str) -> Error {
    Error::invalid_secret("connection string", format!("{key} {rule}"))
}

/// Shows an unknown key, unless it could be a secret that was pasted by mistake.
fn unknown(key: &str, rule: &str) -> Error {
    match key.len() <= 40 && key.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        true => Error::invalid("connection string", key, rule),
        false => Error::invalid_secret("connection string", rule),
    }
}

#[cfg(test)]
#[path = "connection_string_tests.rs"]
mod tests;
