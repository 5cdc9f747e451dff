//! Why a mirror, restore or prune did not do what it should.

use std::fmt;

use crate::{Error, ErrorCode, wire::redaction::redact};

/// Why a call of [`disks`](crate::disks) failed.
///
/// No form of it holds a key, a token or a signature.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// Another run holds the lock of this destination. Nothing was changed.
    #[error("{destination}: another run is at work: it holds the lease on {marker}")]
    #[non_exhaustive]
    Busy {
        /// The destination's URL, without its query.
        destination: String,
        /// The marker blob's name.
        marker: String,
    },

    /// The lock was lost while the run worked: it was broken, or could not be renewed in time. The
    /// next run goes on.
    #[error("{destination}: the lock was lost; the next run goes on: {cause}")]
    #[non_exhaustive]
    LockLost {
        /// The destination's URL, without its query.
        destination: String,
        /// Why.
        cause: Error,
    },

    /// The series of incremental copies into this destination cannot go on. A new generation can:
    /// see [`SnapshotMirror::new_generation`](super::SnapshotMirror::new_generation).
    #[error("{destination}: the series of incremental copies is broken: {reason}")]
    #[non_exhaustive]
    SeriesBroken {
        /// The destination's URL, without its query.
        destination: String,
        /// Why.
        reason: BrokenSeries,
    },

    /// The source or destination cannot be used for this: the message says why and what to do.
    /// Nothing was changed by this call, unless somebody changed source or destination while a run
    /// worked: what it copied before stays.
    #[error("{subject}: {why}")]
    #[non_exhaustive]
    Refused {
        /// The blob or snapshot, without its query.
        subject: String,
        /// Why, and what to do.
        why: String,
    },

    /// It cannot be done now: others use what it needs, or change it meanwhile. The message says
    /// what. Another run can do it, without anything being mended first.
    #[error("{subject}: {why}")]
    #[non_exhaustive]
    NotNow {
        /// The blob or snapshot, without its query.
        subject: String,
        /// Why, and what to wait for.
        why: String,
    },

    /// The blob has as many snapshots as the service allows: in a premium account 100. Delete some
    /// of them, such as by [`SnapshotMirror::prune`](super::SnapshotMirror::prune), and run the
    /// mirror again: it goes on.
    #[error("{blob}: has as many snapshots as the service allows: prune it first: {cause}")]
    #[non_exhaustive]
    TooManySnapshots {
        /// The name of the destination's blob.
        blob: String,
        /// The service's refusal.
        cause: Error,
    },

    /// A call to the service failed.
    #[error(transparent)]
    Call(#[from] Error),
}

impl MirrorError {
    /// A refusal before anything is changed.
    pub(crate) fn refused(subject: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Refused { subject: shown(subject), why: shown(why) }
    }

    /// What cannot be done now, and can be by another run.
    pub(crate) fn not_now(subject: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::NotNow { subject: shown(subject), why: shown(why) }
    }

    /// What it means that the service takes no snapshot of this blob.
    pub(crate) fn of_snapshot(blob: &str, cause: Error) -> Self {
        match cause.code() {
            Some(ErrorCode::SnapshotCountExceeded) => {
                Self::TooManySnapshots { blob: shown(blob), cause }
            }
            Some(ErrorCode::SnapshotOperationRateExceeded) => {
                let why = "its snapshots follow each other faster than the service allows";
                Self::not_now(blob, format_args!("{why}: {cause}"))
            }
            _ => cause.into(),
        }
    }

    /// The end of tries that all failed since somebody else changes `subject` meanwhile. `last` is
    /// the error of the last one.
    pub(crate) fn kept_changing(subject: &str, why: &str, last: Option<Error>) -> Self {
        match last {
            Some(error) if error.is_passing() => error.into(),
            Some(error) => Self::not_now(subject, format_args!("{why}: {error}")),
            None => Self::not_now(subject, why),
        }
    }

    /// Whether the same call may succeed later without anything being mended: another run is at
    /// work, the lock was lost, others use or change what is needed, or the service was busy or
    /// could not be reached.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("no such disk");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let error = SnapshotMirror::new(&disk, &backup).run().await.unwrap_err();
    /// assert!(!error.is_passing()); // somebody must correct the name
    /// # Ok(()) });
    /// ```
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::LockLost { .. } | Self::NotNow { .. } => true,
            Self::Call(error) => error.is_passing(),
            Self::SeriesBroken { .. } | Self::Refused { .. } | Self::TooManySnapshots { .. } => {
                false
            }
        }
    }

    /// The error of the call that failed, if one did.
    pub fn as_call(&self) -> Option<&Error> {
        match self {
            Self::Call(error)
            | Self::LockLost { cause: error, .. }
            | Self::TooManySnapshots { cause: error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Text without secrets.
fn shown(text: impl fmt::Display) -> String {
    redact(&text.to_string()).into_owned()
}

/// Why a series of incremental copies cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BrokenSeries {
    /// The source was created anew since the last copy: by Put Blob or Copy Blob.
    SourceRecreated,
    /// The source snapshot that was copied last, from which the next difference would be taken, no
    /// longer exists.
    LastSnapshotGone,
}

impl fmt::Display for BrokenSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SourceRecreated => "the source was created anew since the last copy",
            Self::LastSnapshotGone => "the source snapshot that was copied last no longer exists",
        })
    }
}
