//! Incremental snapshots of managed disks: who lists them and grants access, and what a mirror has
//! been granted.

mod chain;
mod grants;
#[cfg(feature = "resource-manager")]
mod resource_manager;
mod snapshot_list;

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

pub(crate) use self::grants::{Grants, NotedGrants};
pub use self::snapshot_list::DiskSnapshotList;
use crate::{ClientOptions, Credential, Result, transport::BoxFuture, wire::redaction};

/// Lists the snapshots of a managed disk, and grants and revokes access to them.
pub trait GrantAccess: fmt::Debug + Send + Sync + 'static {
    /// All snapshots that may belong to the chain, in any order.
    fn list(&self) -> BoxFuture<'_, Result<Vec<ManagedSnapshot>>>;

    /// Grants reading of the snapshot with this id for so long, and returns the URL with its SAS.
    /// Granting again extends it.
    ///
    /// After an error without a [status](crate::Error::status) the access may be there: it stays
    /// noted, and is given back.
    fn grant<'a>(&'a self, snapshot: &'a str, duration: Duration) -> BoxFuture<'a, Result<Url>>;

    /// Revokes every access to the snapshot, whoever has it.
    fn revoke<'a>(&'a self, snapshot: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// A snapshot of a managed disk, as [`GrantAccess::list`] lists it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ManagedSnapshot {
    /// What [`GrantAccess::grant`] takes: in Azure Resource Manager, the resource id.
    pub id: String,
    /// The unique id of the disk (`creationData.sourceUniqueId`). A disk that was made again under
    /// its name has another.
    pub disk: String,
    /// When the snapshot was taken.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// The size of the disk in bytes, without the footer; `None` if it is not known.
    pub size: Option<u64>,
    /// Whether it is an incremental snapshot. Others are left out of the chain.
    pub is_incremental: bool,
    /// How much of it is there, in percent. It cannot be read before 100.
    pub completion: f64,
    /// Whether somebody has access to it now.
    pub is_granted: bool,
}

redaction::debug_redacted!(ManagedSnapshot {
    id: text,
    disk: text,
    time,
    size,
    is_incremental,
    completion,
    is_granted,
});

/// The incremental snapshots of a managed disk, as the source of a mirror.
#[derive(Clone)]
pub struct ManagedSnapshots {
    pub(crate) access: Arc<dyn GrantAccess>,
    pub(crate) disk: Option<String>,
    pub(crate) duration: Duration,
    pub(crate) take_over: bool,
    pub(crate) credential: Option<Credential>,
    pub(crate) options: ClientOptions,
}

redaction::debug_redacted!(ManagedSnapshots {
    access,
    disk: text,
    duration,
    take_over,
    credential,
    options,
});

impl ManagedSnapshots {
    /// The snapshots that `access` lists. They must be of one disk, unless [`disk`](Self::disk)
    /// says which.
    pub fn new(access: impl GrantAccess) -> Self {
        Self {
            access: Arc::new(access),
            disk: None,
            duration: Duration::from_secs(4 * 3600),
            take_over: false,
            credential: None,
            options: ClientOptions::default(),
        }
    }

    /// The unique id of the disk: snapshots of others are left out.
    pub fn disk(mut self, unique_id: impl Into<String>) -> Self {
        self.disk = Some(unique_id.into());
        self
    }

    /// For how long access is granted at a time, by default 4 hours. It is renewed when needed.
    pub fn grant_for(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// Uses snapshots that somebody else has access to now. At the end that access is revoked too:
    /// the service revokes all access to a snapshot at once. By default they are refused.
    pub fn take_over(mut self, take_over: bool) -> Self {
        self.take_over = take_over;
        self
    }

    /// A credential that is sent beside the SAS, for disks that demand both
    /// (`dataAccessAuthMode: AzureActiveDirectory`).
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// The options of the clients that read the snapshots.
    pub fn options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }
}
