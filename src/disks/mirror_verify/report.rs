//! What a verification of a mirror found.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::MirrorReceipt;
use crate::{
    disks::{ChainSnapshot, MirrorWarning},
    jobs::{Differences, IdenticalContent, Side, Verdict},
    wire::redaction::redact,
};

/// What a [`VerifyMirror`](super::VerifyMirror) found.
///
/// `Display` has a line for each snapshot, the oldest first.
#[must_use = "snapshots that differ are reported here"]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MirrorVerification {
    /// The destination's URL, without its query.
    pub destination: String,
    /// What was verified, the oldest first.
    pub snapshots: Vec<VerifiedSnapshot>,
    /// The snapshots of the destination that no mirror has made: they are not compared.
    pub unknown: Vec<ChainSnapshot>,
    /// The hop that was torn and has no snapshot yet, if there is one: the next run goes on with
    /// it. It spoils no snapshot.
    pub torn: Option<TornHop>,
    /// What to look after: access to snapshots of a managed disk that could not be given back.
    pub warnings: Vec<MirrorWarning>,
    /// What the receipts are made of.
    pub(super) receipts: Vec<MirrorReceipt>,
    /// How long it took.
    pub elapsed: Duration,
}

/// What was found of one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VerifiedSnapshot {
    /// The snapshot of the destination, with the id and time of the one that it should equal.
    pub snapshot: ChainSnapshot,
    /// What the comparison found.
    pub outcome: SnapshotOutcome,
}

/// Whether a snapshot of the destination equals one of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SnapshotOutcome {
    /// Both have the same content.
    Identical(IdenticalContent),
    /// The source snapshot is gone, and the copy has the content of the receipt.
    AsInReceipt(MirrorReceipt),
    /// They differ.
    Different(Differences),
    /// The source snapshot is gone, and the copy has other content than the receipt.
    NotAsInReceipt(MirrorReceipt),
    /// The source snapshot is gone, and there is no receipt: nothing can be said.
    SourceGone,
    /// The snapshot of the destination was deleted meanwhile.
    DestinationGone,
    /// One of them was written meanwhile.
    Changed(Side),
    /// The service cannot read one of them, or cannot write the scratch blob: why, in words.
    Unverifiable(String),
}

/// A hop by ranges that was torn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TornHop {
    /// The source snapshot that it goes to.
    pub to: String,
    /// When that was taken.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// All before this offset is done.
    pub done: u64,
}

impl From<Verdict> for SnapshotOutcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Identical(found) => Self::Identical(found),
            Verdict::Different(found) => Self::Different(found),
            Verdict::SourceGone => Self::SourceGone,
            Verdict::DestinationGone => Self::DestinationGone,
            Verdict::Changed(side) => Self::Changed(side),
            Verdict::Unverifiable(why) => Self::Unverifiable(why.to_string()),
        }
    }
}

impl MirrorVerification {
    /// Whether every snapshot that was verified is proved to have the right content, and there is
    /// at least one. A copy whose source snapshot is gone is proved by a receipt alone.
    ///
    /// It asks for proof of all; [`has_differences`](Self::has_differences) asks whether a copy is
    /// wrong. Between them are the copies of which nothing can be said.
    pub fn is_identical(&self) -> bool {
        !self.snapshots.is_empty() && self.snapshots.iter().all(VerifiedSnapshot::is_identical)
    }

    /// Whether a copy is known to be wrong: it differs from its source snapshot or its receipt.
    ///
    /// That a source snapshot is gone is no difference: with retention at the source it is so of
    /// all old ones.
    pub fn has_differences(&self) -> bool {
        self.snapshots.iter().any(VerifiedSnapshot::is_different)
    }

    /// A receipt for each snapshot that is proved to have the right content. Store them as lines of
    /// JSON, to verify the copies when their sources are gone.
    pub fn receipts(&self) -> &[MirrorReceipt] {
        &self.receipts
    }
}

impl VerifiedSnapshot {
    /// Whether the copy is proved to have the right content.
    pub fn is_identical(&self) -> bool {
        use SnapshotOutcome::{AsInReceipt, Identical};
        matches!(self.outcome, Identical(_) | AsInReceipt(_))
    }

    /// Whether the copy is known to be wrong: see [`MirrorVerification::has_differences`].
    pub fn is_different(&self) -> bool {
        use SnapshotOutcome::{Different, NotAsInReceipt};
        matches!(self.outcome, Different(_) | NotAsInReceipt(_))
    }
}

impl fmt::Display for SnapshotOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identical(found) => {
                write!(f, "identical: {} bytes, CRC-64 {}", found.length, found.crc64)
            }
            Self::AsInReceipt(receipt) => {
                write!(f, "as in its receipt: {} bytes, CRC-64 {}", receipt.length, receipt.crc64)
            }
            Self::Different(found) => found.fmt(f),
            Self::NotAsInReceipt(_) => f.write_str("differs from its receipt"),
            Self::SourceGone => f.write_str("the source snapshot is gone"),
            Self::DestinationGone => f.write_str("was deleted during the verification"),
            Self::Changed(side) => write!(f, "the {side} was modified during the verification"),
            Self::Unverifiable(why) => f.write_str(&redact(why)),
        }
    }
}

impl fmt::Display for VerifiedSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.snapshot.to_string();
        write!(f, "{}: {}", redact(&name), self.outcome)
    }
}

impl fmt::Display for TornHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the copy of {} stopped after {} bytes of the disk", self.to, self.done)
    }
}

impl fmt::Display for MirrorVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.snapshots {
            writeln!(f, "{one}")?;
        }
        for one in &self.unknown {
            writeln!(f, "{}: not made by a mirror, not compared", redact(&one.to_string()))?;
        }
        if let Some(torn) = &self.torn {
            writeln!(f, "{torn}; the next run goes on")?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        let proved = self.snapshots.iter().filter(|one| one.is_identical()).count();
        write!(f, "{proved} of {} snapshots are proved", self.snapshots.len())
    }
}
