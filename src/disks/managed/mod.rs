//! Incremental snapshots of managed disks: who lists them and grants access, and what a mirror has
//! been granted.

mod chain;
mod grants;
mod ids;
mod notes;
#[cfg(feature = "resource-manager")]
mod resource_manager;
mod snapshot_list;

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

pub use self::snapshot_list::DiskSnapshotList;
pub(crate) use self::{grants::Grants, notes::NotedGrants};
use crate::{ClientOptions, Credential, Result, transport::BoxFuture, wire::redaction};

/// Lists the snapshots of a managed disk, and grants and revokes access to them.
///
/// Azure Resource Manager does that with the feature `resource-manager`, and [`DiskSnapshotList`]
/// stands for access that was granted by other means. Implement it for anything else; an error of
/// your own is a [`CredentialError`](crate::CredentialError).
///
/// ```
/// use std::time::Duration;
///
/// use blobcopy::{
///     CredentialError, Result,
///     disks::{GrantAccess, ManagedSnapshot, ManagedSnapshots},
///     transport::BoxFuture,
///     url::Url,
/// };
///
/// /// Asks a service of our own, which may do what we may not.
/// #[derive(Debug)]
/// struct OurVault;
///
/// impl GrantAccess for OurVault {
///     fn list(&self) -> BoxFuture<'_, Result<Vec<ManagedSnapshot>>> {
///         Box::pin(async { Ok(Vec::new()) })
///     }
///
///     fn grant<'a>(&'a self, snapshot: &'a str, _: Duration) -> BoxFuture<'a, Result<Url>> {
///         Box::pin(async move {
///             Err(CredentialError::new(format!("the vault does not know {snapshot}")).into())
///         })
///     }
///
///     fn revoke<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<()>> {
///         Box::pin(async { Ok(()) })
///     }
/// }
///
/// let source = ManagedSnapshots::new(OurVault);
/// # let _ = source;
/// ```
pub trait GrantAccess: fmt::Debug + Send + Sync + 'static {
    /// All snapshots that may belong to the chain, in any order.
    fn list(&self) -> BoxFuture<'_, Result<Vec<ManagedSnapshot>>>;

    /// The snapshot with this id as it is now; `None` if there is none. By default it
    /// [lists](Self::list) all: implement it where one snapshot costs less.
    fn get<'a>(&'a self, snapshot: &'a str) -> BoxFuture<'a, Result<Option<ManagedSnapshot>>> {
        Box::pin(async move {
            let listed = self.list().await?;
            Ok(listed.into_iter().find(|found| found.id.eq_ignore_ascii_case(snapshot)))
        })
    }

    /// Grants reading of the snapshot with this id for so long, and returns the URL with its SAS.
    /// Granting again extends it.
    ///
    /// After an error without a [status](crate::Error::status) the access may be there: it stays
    /// noted, and is given back.
    fn grant<'a>(&'a self, snapshot: &'a str, duration: Duration) -> BoxFuture<'a, Result<Url>>;

    /// Revokes every access to the snapshot, also that of others. If there is none, that is no
    /// error.
    fn revoke<'a>(&'a self, snapshot: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Whether [`grant`](Self::grant) and [`revoke`](Self::revoke) change anything, by default
    /// `true`. `false` where access was granted by other means and stays: then nothing is noted,
    /// and a plan reads sizes without any setting.
    fn grants_access(&self) -> bool {
        true
    }

    /// Whether a request for access to this snapshot may still be granted after a later one was
    /// answered, since its own answer was lost: by default `false`. The snapshot stays noted then
    /// after it was given back, and the next run revokes it once more.
    fn may_grant_late(&self, snapshot: &str) -> bool {
        let _ = snapshot;
        false
    }
}

/// A snapshot of a managed disk, as [`GrantAccess::list`] lists it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ManagedSnapshot {
    /// What [`GrantAccess::grant`] takes: in Azure Resource Manager, the resource id.
    pub id: String,
    /// The unique id of the disk (`creationData.sourceUniqueId`). A disk that was made again under
    /// its name has another. It must not be empty.
    pub disk: String,
    /// When the snapshot was taken.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// The size of the disk in bytes, without the footer; `None` if it is not known.
    pub size: Option<u64>,
    /// Whether it is an incremental snapshot. Others are left out of the chain.
    pub is_incremental: bool,
    /// How much of it is there, in percent. It cannot be read before 100, and the chain ends before
    /// it until then.
    pub completion: f64,
    /// Whether somebody has access to it now.
    pub is_granted: bool,
    /// Whether a bearer token must be sent beside the SAS (`dataAccessAuthMode` is
    /// `AzureActiveDirectory`); `None` if it is not known.
    #[serde(default)]
    pub needs_token: Option<bool>,
}

redaction::debug_redacted!(ManagedSnapshot {
    id: text,
    disk: text,
    time,
    size,
    is_incremental,
    completion,
    is_granted,
    needs_token,
});

/// The incremental snapshots of a managed disk, as the source of a mirror.
///
/// Complete incremental snapshots of one disk count; others are left out. The disk is mirrored as a
/// fixed VHD: its bytes and a footer of 512 bytes. Disks with sectors of 4096 bytes (VHDX) are
/// refused.
///
/// A run grants itself access to two snapshots at a time, renews it before it ends and gives it
/// back. The service allows five of one disk, with those of others. What a run was granted is noted
/// in the marker blob beside the destination before it is granted, so that after a crash the next
/// run gives it back. That run cannot know whether somebody else was granted access to the same
/// snapshot meanwhile: theirs ends too, since the service revokes all access to a snapshot at once.
///
/// It rests on public documents and was never tried on the service.
///
/// ```
/// use blobcopy::disks::{DiskSnapshotList, ManagedSnapshots, SnapshotMirror};
/// # use blobcopy_simulator::Simulator;
///
/// # blobcopy_simulator::example(async |_| {
/// # let sim = Simulator::builder().account("far", "ZmFy").build();
/// # let far = sim.connection_string_of("far").unwrap();
/// # let far = blobcopy::BlobServiceClient::builder_from_connection_string(&far)?;
/// # let service = far.options(sim.client_options()).build()?;
/// # service.container_client("backups").create().await?;
/// # let disk = sim.managed_disks().create("production", "disk0", 1 << 20);
/// # disk.write(0, &[7; 512]);
/// # let url = disk.snapshot("disk0-1").grant(std::time::Duration::from_secs(3600)).unwrap();
/// # let lines = format!(
/// #     r#"{{"snapshot":"disk0-1","created":"2026-01-01T00:00:00Z","disk":"d","url":"{url}"}}"#
/// # );
/// # let options = sim.client_options();
/// // A line for each snapshot, or a ResourceManager, which grants access itself.
/// let list: DiskSnapshotList = lines.parse()?;
/// let source = ManagedSnapshots::new(list).options(options);
/// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
/// let report = SnapshotMirror::new(source, &backup).run().await?;
/// assert_eq!(report.hops.len(), 1);
/// # Ok(()) });
/// ```
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

    /// The unique id of the disk: snapshots of others are left out. Without it, and if a disk was
    /// made again under its name, the one that the destination is the mirror of is taken.
    pub fn disk(mut self, unique_id: impl Into<String>) -> Self {
        self.disk = Some(unique_id.into());
        self
    }

    /// For how long access is granted at a time: 1 second to 60 days, by default 4 hours. It is
    /// renewed when a quarter of it is left, or 10 minutes if that is more.
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

    /// A credential with bearer tokens that are sent beside the SAS, for disks that demand both
    /// (`dataAccessAuthMode: AzureActiveDirectory`): with each snapshot that
    /// [needs one](ManagedSnapshot::needs_token), or of which that is not known. Without it,
    /// snapshots that need one are refused.
    ///
    /// The tokens are for the scope `https://disk.azure.com//.default`, and reach the service that
    /// copies with each request, so the destination's URL must be https.
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
