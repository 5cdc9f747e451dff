//! Shared access signatures: URLs that carry their own authorization.
//!
//! | Kind | Signed with | Grants |
//! | --- | --- | --- |
//! | [`ServiceSas`] | the account key | a blob, snapshot, version, container or directory |
//!
//! Each is a builder that asks for what the service requires before it can be signed, and that
//! refuses, when it is signed, what the service would refuse when it is used. The text that is
//! signed differs between service versions; the version of a SAS is
//! [`DEFAULT_VERSION`] unless it is set.

mod fields;
mod permissions;
mod service;
mod token;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use time::OffsetDateTime;

use self::fields::{Fields, Resource};
pub use self::{
    fields::{SasIpRange, SasProtocol},
    permissions::{BlobSasPermissions, ContainerSasPermissions, Permissions},
    service::ServiceSas,
    token::SasToken,
};
use super::shared_key::SharedKey;
use crate::{
    error::Result,
    models::{SnapshotId, VersionId},
};

/// The service version of a SAS that sets none.
pub(crate) const DEFAULT_VERSION: &str = "2026-04-06";

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

/// A SAS with which the service may read one blob as the source of a copy.
///
/// It grants no more than the snapshot or the version that is named, where `service_version` knows
/// such a SAS (2018-11-09), and has no start, so that clocks which differ do no harm.
pub(crate) fn read_only(
    key: &SharedKey,
    container: &str,
    blob: &str,
    snapshot: Option<&SnapshotId>,
    version_id: Option<&VersionId>,
    expiry: OffsetDateTime,
    service_version: &str,
) -> Result<SasToken> {
    let (kind, moment) = match (snapshot, version_id) {
        _ if service_version < "2018-11-09" => ("b", ""),
        (Some(snapshot), _) => ("bs", snapshot.as_str()),
        (None, Some(version)) => ("bv", version.as_str()),
        (None, None) => ("b", ""),
    };
    let fields = Fields {
        version: service_version.into(),
        resource: Resource {
            kind,
            container: container.into(),
            path: blob.into(),
            moment: moment.into(),
            depth: None,
        },
        permissions: Cow::Borrowed("r"),
        expiry: fields::timestamp(expiry),
        ..Fields::default()
    };
    service::sign(&fields, key)
}
