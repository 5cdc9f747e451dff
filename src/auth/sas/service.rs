//! The service SAS: for one blob, snapshot, version, container or directory, signed with the
//! account key.
//!
//! From [Create a service
//! SAS](https://learn.microsoft.com/rest/api/storageservices/create-service-sas).

use std::marker::PhantomData;

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    BlobSasPermissions, ByPolicy, Complete, ContainerSasPermissions, NeedsExpiry, NeedsPermissions,
    Permissions, SasToken, UserDelegationKey,
    fields::{Fields, Resource, common_setters, response_setters, timestamp},
    token::Query,
    user_delegation::{self, UserFields},
};
use crate::{
    auth::shared_key::SharedKey,
    error::{Error, Result},
    models::{SnapshotId, VersionId, since},
};

/// A service SAS: for one blob, snapshot, version, container or directory, signed with the account
/// key.
///
/// Set the permissions and then the expiry, or a stored access policy, then sign: the compiler
/// holds this order.
///
/// ```
/// use blobcopy::{SharedKey, sas::{BlobSasPermissions, SasProtocol, ServiceSas}};
/// use time::macros::datetime;
///
/// let key = SharedKey::new("myaccount", "c2VjcmV0IGtleQ==")?;
/// let sas = ServiceSas::blob("vhds", "disk0.vhd")
///     .permissions(BlobSasPermissions::new().read())
///     .expires(datetime!(2026-01-02 00:00 UTC))
///     .protocol(SasProtocol::Https)
///     .sign(&key)?;
/// assert!(sas.expose().starts_with(
///     "sv=2026-10-06&sr=b&se=2026-01-02T00%3A00%3A00Z&sp=r&spr=https&sig="
/// ));
/// # Ok::<(), blobcopy::Error>(())
/// ```
///
/// A SAS without an expiry does not compile:
///
/// ```compile_fail
/// # use blobcopy::{SharedKey, sas::{BlobSasPermissions, ServiceSas}};
/// # let key = SharedKey::new("myaccount", "c2VjcmV0IGtleQ==").unwrap();
/// ServiceSas::blob("vhds", "disk0.vhd").permissions(BlobSasPermissions::new().read()).sign(&key);
/// ```
///
/// Nor does one with neither permissions nor a stored access policy:
///
/// ```compile_fail
/// # use blobcopy::{SharedKey, sas::ServiceSas};
/// # let key = SharedKey::new("myaccount", "c2VjcmV0IGtleQ==").unwrap();
/// # let midnight = time::macros::datetime!(2026-01-02 00:00 UTC);
/// ServiceSas::blob("vhds", "disk0.vhd").expires(midnight).sign(&key);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a SAS is made when it is signed"]
pub struct ServiceSas<P, S = NeedsPermissions> {
    fields: Fields<'static>,
    state: PhantomData<(P, S)>,
}

impl ServiceSas<BlobSasPermissions> {
    /// For a blob. It is also valid for the snapshots of the blob.
    pub fn blob(container: impl Into<String>, blob: impl Into<String>) -> Self {
        Self::of(Resource::blob(container.into(), blob.into()))
    }

    /// For one snapshot of a blob, but not the blob itself (from version 2018-11-09). The URL needs
    /// `snapshot=` too.
    pub fn snapshot(
        container: impl Into<String>,
        blob: impl Into<String>,
        snapshot: impl Into<SnapshotId>,
    ) -> Self {
        Self::of(Resource::snapshot(container.into(), blob.into(), &snapshot.into()))
    }

    /// For one version of a blob, but not the blob itself (from version 2018-11-09). The URL needs
    /// `versionid=` too.
    pub fn version(
        container: impl Into<String>,
        blob: impl Into<String>,
        version: impl Into<VersionId>,
    ) -> Self {
        Self::of(Resource::version(container.into(), blob.into(), &version.into()))
    }
}

impl ServiceSas<ContainerSasPermissions> {
    /// For a container and every blob in it.
    pub fn container(container: impl Into<String>) -> Self {
        Self::of(Resource::container(container.into()))
    }

    /// For a directory and everything below it, in an account with a hierarchical namespace (from
    /// version 2020-02-10).
    pub fn directory(container: impl Into<String>, directory: impl Into<String>) -> Self {
        Self::of(Resource::directory(container.into(), &directory.into()))
    }
}

impl<P: Permissions> ServiceSas<P> {
    fn of(resource: Resource<'static>) -> Self {
        Self { fields: Fields { resource, ..Fields::default() }, state: PhantomData }
    }

    /// The same, with a name as the service stores it.
    pub(crate) fn with_stored_name(mut self) -> Self {
        self.fields.resource.stored = true;
        self
    }

    /// Sets what the SAS permits.
    pub fn permissions(mut self, permissions: P) -> ServiceSas<P, NeedsExpiry> {
        self.fields.permissions = permissions.to_string().into();
        ServiceSas { fields: self.fields, state: PhantomData }
    }

    /// Uses the permissions, start and expiry of a stored access policy of the container, which can
    /// be changed or removed later.
    ///
    /// Set here what the policy leaves open, and nothing else: the service refuses a field that
    /// both set.
    ///
    /// ```
    /// use blobcopy::{SharedKey, sas::ServiceSas};
    ///
    /// let key = SharedKey::new("myaccount", "c2VjcmV0IGtleQ==")?;
    /// let sas = ServiceSas::container("vhds").stored_policy("nightly-backup").sign(&key)?;
    /// assert!(sas.expose().starts_with("sv=2026-10-06&sr=c&si=nightly-backup&sig="));
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn stored_policy(mut self, id: impl Into<String>) -> ServiceSas<P, ByPolicy> {
        self.fields.policy = id.into().into();
        ServiceSas { fields: self.fields, state: PhantomData }
    }
}

impl<P> ServiceSas<P, NeedsExpiry> {
    /// Sets when the SAS expires, cut to whole seconds.
    pub fn expires(mut self, at: OffsetDateTime) -> ServiceSas<P, Complete> {
        self.fields.expiry = timestamp(at);
        ServiceSas { fields: self.fields, state: PhantomData }
    }
}

impl<P: Permissions> ServiceSas<P, ByPolicy> {
    /// Sets what the SAS permits, if the stored access policy does not.
    pub fn permissions(mut self, permissions: P) -> Self {
        self.fields.permissions = permissions.to_string().into();
        self
    }

    /// Sets when the SAS expires, if the stored access policy does not.
    pub fn expires(mut self, at: OffsetDateTime) -> Self {
        self.fields.expiry = timestamp(at);
        self
    }

    /// Signs the SAS with the account key.
    ///
    /// # Errors
    ///
    /// As for a SAS without a policy; also if the policy's id is empty or longer than 64
    /// characters.
    pub fn sign(self, key: &SharedKey) -> Result<SasToken> {
        let policy = &self.fields.policy;
        if policy.is_empty() || policy.chars().count() > 64 || policy.contains(char::is_control) {
            let rule = "must be 1 to 64 characters, without control characters";
            return Err(Error::invalid("stored access policy", policy, rule));
        }
        self.fields.check(P::LETTERS)?;
        sign(&self.fields, key)
    }
}

impl<P: Permissions> ServiceSas<P, Complete> {
    /// Signs the SAS with the account key.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the service would refuse the SAS: it has no permission, it
    /// expires before it starts, the service rejects the name or stores another, or its service
    /// version does not know one of its fields.
    pub fn sign(self, key: &SharedKey) -> Result<SasToken> {
        self.check()?;
        sign(&self.fields, key)
    }

    /// Refuses what the service would refuse when the SAS is used.
    fn check(&self) -> Result<()> {
        self.fields.check(P::LETTERS)?;
        self.fields.check_resource()?;
        within_an_hour(&self.fields, None)
    }

    /// The same for a SAS that is signed at `now`: the start of one without a start.
    pub(crate) fn check_at(&self, now: OffsetDateTime) -> Result<()> {
        self.check()?;
        within_an_hour(&self.fields, Some(now))
    }

    /// Signs the same SAS with a user delegation key.
    pub(crate) fn sign_as_user(self, account: &str, key: &UserDelegationKey) -> Result<SasToken> {
        self.check()?;
        user_delegation::sign(&self.fields, &UserFields::default(), account, key)
    }
}

impl<P, S> ServiceSas<P, S> {
    common_setters!();
    response_setters!();
}

/// Before version 2012-02-12 a SAS without a stored access policy is valid for an hour at most.
fn within_an_hour(fields: &Fields<'_>, now: Option<OffsetDateTime>) -> Result<()> {
    if since::SAS_VERSIONS.is_known_to(fields.version) {
        return Ok(());
    }
    let read = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    match (read(&fields.start).or(now), read(&fields.expiry)) {
        (Some(start), Some(expiry)) if expiry - start > Duration::HOUR => {
            let rule = "must be within an hour of its start before service version 2012-02-12";
            Err(Error::invalid("expiry of a SAS", &fields.expiry, rule))
        }
        _ => Ok(()),
    }
}

/// Signs checked fields.
pub(super) fn sign(fields: &Fields<'_>, key: &SharedKey) -> Result<SasToken> {
    fields.check_dates()?;
    fields.check_resource()?;
    let signature = key.signing_key().sign(string_to_sign(fields, key.account()).as_bytes());
    let mut query = Query::new();
    fields.push_to(&mut query);
    Ok(query.finish(&signature))
}

/// The string to sign: its fields and their order depend on the service version.
pub(super) fn string_to_sign(fields: &Fields<'_>, account: &str) -> String {
    let resource = fields.canonical_resource(account);
    let ip = fields.ip_text();
    let protocol = fields.protocol.map_or("", |protocol| protocol.as_str());
    let version = fields.version.as_str();

    let mut lines: Vec<&str> = Vec::with_capacity(16);
    lines.extend([&*fields.permissions, &fields.start, &fields.expiry, &resource, &fields.policy]);
    if since::SAS_PROTOCOLS.is_known_to(fields.version) {
        lines.extend([&*ip, protocol]);
    }
    if since::SAS_VERSIONS.is_known_to(fields.version) {
        lines.push(version);
    }
    if since::SAS_OF_SNAPSHOTS.is_known_to(fields.version) {
        lines.extend([fields.resource.kind, &fields.resource.moment]);
    }
    if since::SAS_SCOPES.is_known_to(fields.version) {
        lines.push(&fields.encryption_scope);
    }
    if since::SAS_RESPONSE_HEADERS.is_known_to(fields.version) {
        lines.extend(fields.response_headers.iter().map(|value| &**value));
    }
    lines.join("\n")
}

#[cfg(test)]
impl<P, S> ServiceSas<P, S> {
    pub(super) fn fields(&self) -> &Fields<'static> {
        &self.fields
    }
}
