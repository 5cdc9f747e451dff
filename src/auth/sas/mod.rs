//! Shared access signatures: URLs that carry their own authorization.
//!
//! | Kind | Signed with | Grants |
//! | --- | --- | --- |
//! | [`ServiceSas`] | the account key | a blob, snapshot, version, container or directory |
//! | [`UserDelegationSas`] | a key that a user or an application was given | the same |
//! | [`AccountSas`] | the account key | types of resource in whole services |
//!
//! Each is a builder whose types require what the service requires. Signing refuses what the
//! service would refuse when the SAS is used. The string to sign depends on the service version.

mod account;
mod fields;
mod permissions;
mod sas_url;
mod service;
mod token;
mod user_delegation;
mod validity;

#[cfg(test)]
mod python_sdk_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod user_delegation_tests;

use std::borrow::Cow;

use time::OffsetDateTime;

use self::fields::{Fields, Resource};
pub(crate) use self::validity::validity;
pub use self::{
    account::AccountSas,
    fields::{SasIpRange, SasProtocol},
    permissions::{
        AccountSasPermissions, AccountSasResourceTypes, AccountSasServices, BlobSasPermissions,
        ContainerSasPermissions, Permissions,
    },
    sas_url::SasUrl,
    service::ServiceSas,
    token::SasToken,
    user_delegation::{UserDelegationKey, UserDelegationSas},
};
use super::shared_key::SharedKey;
use crate::{
    error::Result,
    models::{ServiceVersion, SnapshotId, VersionId, since},
};

/// A SAS that needs permissions, or a stored access policy.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct NeedsPermissions;

/// A SAS that has permissions and needs an expiry.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct NeedsExpiry;

/// A SAS that has permissions and an expiry, and can be signed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Complete;

/// A service SAS with a stored access policy, which can be signed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ByPolicy;

/// A read-only SAS for one blob, snapshot or version: the source of a copy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadOnly<'a> {
    pub(crate) container: &'a str,
    pub(crate) blob: &'a str,
    pub(crate) snapshot: Option<&'a SnapshotId>,
    pub(crate) version_id: Option<&'a VersionId>,
    pub(crate) expiry: OffsetDateTime,
    /// Whether the source is read over https, so that the SAS can be https-only.
    pub(crate) https: bool,
    /// The newest service version that the service is known to support.
    pub(crate) newest: ServiceVersion,
}

impl ReadOnly<'_> {
    /// Signs with the account key.
    pub(crate) fn sign(&self, key: &SharedKey) -> Result<SasToken> {
        service::sign(&self.fields(since::SAS_PROTOCOLS.version()), key)
    }

    /// Signs with a user delegation key of `account`.
    pub(crate) fn sign_as_user(&self, account: &str, key: &UserDelegationKey) -> Result<SasToken> {
        let user = user_delegation::UserFields::default();
        user_delegation::sign(&self.fields(key.oldest_of_sas()), &user, account, key)
    }

    /// Grants only the named snapshot or version, if the service version knows such a SAS. Has no
    /// start time, because of clock skew. Uses the oldest version, from `oldest` on, that knows the
    /// fields of the SAS, so that as many services as possible accept it.
    fn fields(&self, oldest: ServiceVersion) -> Fields<'_> {
        let (kind, moment, needs) = match (self.snapshot, self.version_id) {
            _ if self.newest < since::SAS_OF_SNAPSHOTS.version() => ("b", "", oldest),
            (Some(snapshot), _) => ("bs", snapshot.as_str(), since::SAS_OF_SNAPSHOTS.version()),
            (None, Some(version)) => ("bv", version.as_str(), since::VERSIONS.version()),
            (None, None) => ("b", "", oldest),
        };
        let version = needs.max(oldest).min(self.newest);
        let https = self.https && version >= since::SAS_PROTOCOLS.version();
        Fields {
            version,
            resource: Resource {
                kind,
                container: self.container.into(),
                path: self.blob.into(),
                moment: moment.into(),
                depth: None,
                stored: true,
            },
            permissions: Cow::Borrowed("r"),
            expiry: fields::timestamp(self.expiry),
            protocol: https.then_some(SasProtocol::Https),
            ..Fields::default()
        }
    }
}
