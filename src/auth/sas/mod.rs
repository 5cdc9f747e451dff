//! Shared access signatures: URLs that carry their own authorization.
//!
//! | Kind | Signed with | Grants |
//! | --- | --- | --- |
//! | [`ServiceSas`] | the account key | a blob, snapshot, version, container or directory |
//! | [`UserDelegationSas`] | a key that a user or an application was given | the same |
//! | [`AccountSas`] | the account key | types of resource in whole services |
//!
//! Each is a builder that asks for what the service requires before it can be signed, and that
//! refuses, when it is signed, what the service would refuse when it is used. The text that is
//! signed differs between service versions.

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

/// The state of a SAS that still needs its permissions, or a stored access policy that has them.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct NeedsPermissions;

/// The state of a SAS that has its permissions and still needs its expiry.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct NeedsExpiry;

/// The state of a SAS that has its permissions and its expiry, and can be signed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Complete;

/// The state of a service SAS that takes from a stored access policy what it does not say itself,
/// and can be signed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ByPolicy;

/// One blob, snapshot or version that the service is to read as the source of a copy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadOnly<'a> {
    pub(crate) container: &'a str,
    pub(crate) blob: &'a str,
    pub(crate) snapshot: Option<&'a SnapshotId>,
    pub(crate) version_id: Option<&'a VersionId>,
    pub(crate) expiry: OffsetDateTime,
    /// Whether the source is read by https, and the SAS need not be good for more.
    pub(crate) https: bool,
    /// The newest version that the service is known to speak.
    pub(crate) newest: ServiceVersion,
}

impl ReadOnly<'_> {
    /// A SAS signed with the account key.
    pub(crate) fn sign(&self, key: &SharedKey) -> Result<SasToken> {
        service::sign(&self.fields(since::SAS_PROTOCOLS.version()), key)
    }

    /// A SAS signed with a user delegation key of `account`.
    pub(crate) fn sign_as_user(&self, account: &str, key: &UserDelegationKey) -> Result<SasToken> {
        let user = user_delegation::UserFields::default();
        user_delegation::sign(&self.fields(key.oldest_of_sas()), &user, account, key)
    }

    /// No more is granted than the snapshot or the version that is named, where the service version
    /// knows such a SAS. There is no start, so that clocks which differ do no harm. The version is
    /// the oldest that has what the SAS needs, which is at least `oldest`, so that as many services
    /// as possible know it.
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
