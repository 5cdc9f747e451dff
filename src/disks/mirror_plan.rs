//! What a run of a mirror would do.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{BrokenSeries, Chain, MirrorRoute, SourceSnapshot};

/// What a run of a [`SnapshotMirror`](super::SnapshotMirror) would do now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MirrorPlan {
    /// The source: a URL without a query, or a disk's unique id.
    pub source: String,
    /// The destination's URL, without its query.
    pub destination: String,
    /// How it is copied.
    pub route: MirrorRoute,
    /// Why by this route, in words.
    pub because: String,
    /// The generation that the first copy goes to, from 1.
    pub generation: u32,
    /// What is at the destination.
    pub chain: Chain,
    /// What would be copied, oldest first.
    pub hops: Vec<PlannedHop>,
    /// Source snapshots that are neither there nor copied, with why.
    pub left: Vec<LeftSnapshot>,
    /// Why the series cannot go on after these copies. A run then fails with
    /// [`MirrorError::SeriesBroken`](super::MirrorError::SeriesBroken).
    pub broken: Option<BrokenSeries>,
    /// What to look after.
    pub warnings: Vec<MirrorWarning>,
}

/// A copy of one source snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedHop {
    /// The snapshot that the destination equals before it; `None` for the first.
    pub from: Option<SourceSnapshot>,
    /// The snapshot that is copied.
    pub to: SourceSnapshot,
    /// The generation that it goes to, from 1.
    pub generation: u32,
    /// The bytes that are written. `None` if they are not known: of a managed disk to whose
    /// snapshots access would be granted first (see
    /// [`plan_sizes`](super::SnapshotMirror::plan_sizes)), or if the service gives no difference in
    /// time.
    pub bytes: Option<u64>,
    /// The bytes that are cleared; by Incremental Copy Blob, the service says nothing of them.
    pub cleared: u64,
    /// Why everything is copied and not only a difference, if so: the service's code, or that it is
    /// the first copy.
    pub whole: Option<String>,
}

/// A source snapshot that is not copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeftSnapshot {
    /// The snapshot.
    pub snapshot: SourceSnapshot,
    /// Why, in words: such as that it is older than the newest that was copied.
    pub because: String,
}

/// Something to look after, which stops nothing yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "warning", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MirrorWarning {
    /// The source snapshot that the destination's newest equals is gone, so the next hop is not a
    /// difference: everything is copied, or the series is broken.
    LastSourceSnapshotGone {
        /// Its id.
        snapshot: String,
    },
    /// The retention policy for the source would remove the snapshot that the destination's newest
    /// equals, before the next hop: see
    /// [`pruning_source`](super::SnapshotMirror::pruning_source).
    AboutToBePruned {
        /// Its id.
        snapshot: String,
    },
    /// The newest source snapshot that was copied is not at the destination: its copy was deleted
    /// there. It is not copied again, since neither route can go back.
    CopyDeleted {
        /// The source snapshot's id.
        snapshot: String,
    },
    /// The destination has more than one snapshot that equals this one of the source.
    CopiedTwice {
        /// The source snapshot's id.
        snapshot: String,
    },
    /// The source has no snapshots, so nothing is copied.
    NoSourceSnapshots,
    /// A blob is named like a generation of this mirror, but was copied from another source. It is
    /// left alone.
    ForeignGeneration {
        /// The blob's name.
        blob: String,
    },
    /// Somebody has replaced the metadata of the destination, so that it no longer says what it
    /// equals. The mirror goes on from the newest snapshot of the destination.
    MetadataLost {
        /// The id of the source snapshot that this one equals.
        snapshot: String,
    },
    /// Somebody wrote to the destination since its last snapshot. The next hop mends it.
    DestinationWritten {
        /// The bytes that were written or cleared.
        bytes: u64,
    },
    /// The copy of a snapshot by changed ranges lacks these metadata of it: a blob has room for
    /// 8 KiB of metadata, with those of the mirror, and names must be identifiers.
    MetadataLeft {
        /// The source snapshot's id.
        snapshot: String,
        /// The names.
        names: Vec<String>,
    },
    /// A snapshot of the managed disk is not complete yet. It and all later ones are left for the
    /// next run: none could be copied after a later one.
    Incomplete {
        /// Its id.
        snapshot: String,
    },
    /// There are snapshots of another managed disk of the same name. They need another destination,
    /// and [`ManagedSnapshots::disk`](super::ManagedSnapshots::disk).
    OtherDisk {
        /// The other disk's unique id.
        disk: String,
    },
    /// Access to a snapshot could not be given back. The next run tries again.
    GrantLeft {
        /// The snapshot's id.
        snapshot: String,
    },
}

impl MirrorPlan {
    /// The bytes of all hops, as far as they are known.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// disk.upload_pages(0, vec![1; 1024]).await?;
    /// disk.create_snapshot().await?;
    /// let plan = SnapshotMirror::new(&disk, &backup).plan().await.unwrap();
    /// assert!(plan.bytes() >= 1024 && plan.known_bytes() == Some(plan.bytes()));
    /// # Ok(()) });
    /// ```
    pub fn bytes(&self) -> u64 {
        self.hops.iter().filter_map(|hop| hop.bytes).sum()
    }

    /// The bytes of all hops; `None` if those of some hop are not known.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let plan = SnapshotMirror::new(&disk, &backup).plan().await.unwrap();
    /// assert_eq!(plan.known_bytes(), Some(0)); // nothing is to be copied
    /// # Ok(()) });
    /// ```
    pub fn known_bytes(&self) -> Option<u64> {
        self.hops.iter().map(|hop| hop.bytes).sum()
    }
}

impl fmt::Display for MirrorWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LastSourceSnapshotGone { snapshot } => write!(
                f,
                "the source snapshot {snapshot}, which was copied last, is gone: the next copy \
                 cannot be a difference"
            ),
            Self::AboutToBePruned { snapshot } => write!(
                f,
                "the policy for the source removes the snapshot {snapshot}, which the next copy \
                 needs: mirror first"
            ),
            Self::CopyDeleted { snapshot } => write!(
                f,
                "{snapshot} was copied, and its copy was deleted at the destination: it is not \
                 copied again"
            ),
            Self::CopiedTwice { snapshot } => {
                write!(f, "the destination has more than one snapshot that equals {snapshot}")
            }
            Self::NoSourceSnapshots => {
                write!(f, "the source has no snapshots: there is nothing to copy")
            }
            Self::ForeignGeneration { blob } => write!(
                f,
                "{blob} is named like a generation of this mirror, but was copied from another \
                 source: it is left alone"
            ),
            Self::MetadataLost { snapshot } => write!(
                f,
                "the metadata of the destination were replaced: the mirror goes on from its newest \
                 snapshot, which equals {snapshot}"
            ),
            Self::DestinationWritten { bytes } => write!(
                f,
                "{bytes} bytes of the destination were written by somebody else; the next copy \
                 puts them right"
            ),
            Self::MetadataLeft { snapshot, names } => write!(
                f,
                "the copy of {snapshot} lacks metadata for which it has no room, or whose names \
                 are not allowed: {}",
                names.join(", ")
            ),
            Self::Incomplete { snapshot } => write!(
                f,
                "the source snapshot {snapshot} is not complete yet: it and all later ones are \
                 left for the next run"
            ),
            Self::OtherDisk { disk } => write!(
                f,
                "there are snapshots of another disk of this name, with the unique id {disk}: \
                 they are not copied here; mirror them to another destination, by that id"
            ),
            Self::GrantLeft { snapshot } => {
                write!(f, "access to {snapshot} was not given back; the next run tries again")
            }
        }
    }
}

/// A line for each hop, and the sum.
impl fmt::Display for MirrorPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "by {}: {}", self.route, self.because)?;
        for hop in &self.hops {
            match hop.bytes {
                Some(bytes) => write!(f, "{}: {bytes} bytes", hop.to)?,
                None => write!(f, "{}: size not known", hop.to)?,
            }
            match &hop.whole {
                Some(why) => writeln!(f, ", everything: {why}")?,
                None => writeln!(f)?,
            }
        }
        for left in &self.left {
            writeln!(f, "{}: not copied: {}", left.snapshot, left.because)?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        if let Some(broken) = &self.broken {
            return write!(f, "the series is broken: {broken}");
        }
        write!(f, "{} snapshots to copy", self.hops.len())?;
        self.known_bytes().map_or(Ok(()), |bytes| write!(f, ", {bytes} bytes in all"))
    }
}
