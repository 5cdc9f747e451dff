//! How a [`ResourceManager`] is made.

use std::sync::Arc;

use url::Url;

use super::{ResourceManager, is_dots};
use crate::{
    auth::credential::Credential,
    error::{Error, Result},
    pipeline::{options::ClientOptions, send::Pipeline},
    wire::redaction,
};

/// The endpoint of Resource Manager, and the scopes of its tokens there and in other clouds.
const ENDPOINT: &str = "https://management.azure.com/";
const SCOPE: &str = "https://management.azure.com/.default";
const OTHER_CLOUDS: [(&str, &str); 2] = [
    ("management.usgovcloudapi.net", "https://management.usgovcloudapi.net/.default"),
    ("management.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default"),
];

/// Builds a [`ResourceManager`].
#[must_use = "it makes a ResourceManager when it is built"]
#[derive(Clone)]
pub struct ResourceManagerBuilder {
    subscription: String,
    group: String,
    disk: String,
    endpoint: Option<Url>,
    credential: Credential,
    options: ClientOptions,
}

redaction::debug_redacted!(ResourceManagerBuilder {
    subscription: text,
    group: text,
    disk: text,
    endpoint: text,
    credential,
    options,
});

impl ResourceManagerBuilder {
    pub(super) fn new(subscription: String, group: String, disk: String) -> Self {
        let (credential, options) = (Credential::anonymous(), ClientOptions::new());
        Self { subscription, group, disk, endpoint: None, credential, options }
    }

    /// The credential: one that provides bearer tokens, such as [`Credential::token`]. Tokens are
    /// requested for the scope `https://management.azure.com/.default`, or that of the cloud of the
    /// [endpoint](Self::endpoint). The same credential can be used for clients of storage.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// The options. All count but the service version and the secondary endpoint, which Resource
    /// Manager does not have.
    pub fn options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }

    /// The address of Resource Manager, by default `https://management.azure.com/`: in the clouds
    /// of the US government and of China, `https://management.usgovcloudapi.net/` and
    /// `https://management.chinacloudapi.cn/`.
    pub fn endpoint(mut self, endpoint: Url) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Builds it. Sends nothing.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a credential without bearer tokens, an endpoint that is not https, or a
    /// name that cannot be one.
    pub fn build(self) -> Result<ResourceManager> {
        let Self { subscription, group, disk, endpoint, credential, mut options } = self;
        check("subscription", &subscription)?;
        check("resource group", &group)?;
        let resource = |kind: &str| {
            let provider = format!("providers/Microsoft.Compute/{kind}");
            format!("/subscriptions/{subscription}/resourceGroups/{group}/{provider}/")
        };
        let disk = match disk.starts_with('/') {
            true => check_id(&disk).map(|()| disk)?,
            false => check("disk", &disk).map(|()| format!("{}{disk}", resource("disks")))?,
        };
        let endpoint = match endpoint {
            None => Url::parse(ENDPOINT)
                .map_err(|_| Error::invalid("endpoint", ENDPOINT, "is not a URL"))?,
            Some(endpoint) => endpoint,
        };
        if endpoint.scheme() != "https" || !endpoint.has_host() {
            let rule = "must be https: a bearer token must not be sent unencrypted";
            return Err(Error::invalid("endpoint", &endpoint, rule));
        }
        let plain = endpoint.username().is_empty()
            && endpoint.password().is_none()
            && endpoint.query().is_none()
            && endpoint.fragment().is_none();
        if !plain {
            return Err(Error::invalid(
                "endpoint",
                &endpoint,
                "must be a scheme, a host and a path",
            ));
        }
        let host = endpoint.host_str().unwrap_or_default();
        let scope = OTHER_CLOUDS.iter().find(|(known, _)| *known == host);
        let credential = credential.for_scope(scope.map_or(SCOPE, |(_, scope)| scope))?;
        options.read_from_secondary = false;
        let pipeline = Arc::new(Pipeline::new(credential, options, None)?.of_management());
        let (collection, lost) = (resource("snapshots"), Arc::default());
        Ok(ResourceManager { pipeline, endpoint, collection, disk, lost })
    }
}

/// Refuses what cannot be the name of a subscription, a resource group or a disk.
fn check(what: &'static str, name: &str) -> Result<()> {
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '(' | ')');
    if (1..=90).contains(&name.chars().count()) && name.chars().all(legal) && !is_dots(name) {
        return Ok(());
    }
    let rule = "must be 1 to 90 letters, digits, and the characters - _ . ( )";
    Err(Error::invalid(what, name, rule))
}

/// Refuses what is not the resource id of a disk.
fn check_id(id: &str) -> Result<()> {
    let parts: Vec<&str> = id.trim_matches('/').split('/').collect();
    let is = |at: usize, word: &str| {
        parts.get(at).is_some_and(|part: &&str| part.eq_ignore_ascii_case(word))
    };
    let is_disk = is(0, "subscriptions")
        && is(2, "resourceGroups")
        && is(4, "providers")
        && is(5, "Microsoft.Compute")
        && is(6, "disks");
    if parts.len() == 8 && is_disk && [1, 3, 7].iter().all(|at| check("disk", parts[*at]).is_ok()) {
        return Ok(());
    }
    let rule = "must be a name, or a resource id such as \
                /subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/disks/D";
    Err(Error::invalid("disk", id, rule))
}
