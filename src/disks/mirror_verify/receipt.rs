//! What a verification has proved, to be used when the source snapshot is gone.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    ContentCrc64, PageBlobClient, Result, SnapshotId, disks::ChainSnapshot, jobs::IdenticalContent,
    wire::redaction::redact,
};

/// Says that a snapshot of a destination had the content of a snapshot of the source, and the
/// CRC-64 of that content.
///
/// [`MirrorVerification::receipts`](super::MirrorVerification::receipts) makes them. One is stored
/// as a line of JSON and contains no secret. When the source snapshot is gone, the copy is checked
/// against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MirrorReceipt {
    /// The URL of the blob of which the copy is a snapshot, without its query.
    pub destination: String,
    /// The copy's id.
    pub snapshot: SnapshotId,
    /// The id of the source snapshot that it equals.
    pub source_snapshot: String,
    /// When that was taken.
    #[serde(with = "time::serde::rfc3339::option")]
    pub time: Option<OffsetDateTime>,
    /// The length of both in bytes.
    pub length: u64,
    /// The CRC-64 of the whole content of both.
    pub crc64: ContentCrc64,
}

impl MirrorReceipt {
    pub(super) fn new(
        destination: &PageBlobClient,
        snapshot: &ChainSnapshot,
        found: &IdenticalContent,
    ) -> Option<Self> {
        Some(Self {
            destination: shown(destination, snapshot).ok()?,
            snapshot: snapshot.snapshot.clone(),
            source_snapshot: snapshot.equals.clone()?,
            time: snapshot.time,
            length: found.length,
            crc64: found.crc64,
        })
    }

    /// Whether the content is that of the receipt.
    pub(super) fn proves(&self, found: &IdenticalContent) -> bool {
        self.length == found.length && self.crc64 == found.crc64
    }
}

fn shown(destination: &PageBlobClient, snapshot: &ChainSnapshot) -> Result<String> {
    let mut url = snapshot.client(destination).url()?;
    url.set_query(None);
    Ok(redact(url.as_str()).into_owned())
}

/// Receipts of earlier verifications, by the snapshot of the destination.
///
/// If there are several for one snapshot, the last one counts.
///
/// ```
/// use blobcopy::disks::{MirrorReceipt, MirrorReceipts};
///
/// let file = r#"{"destination":"https://a.example/backups/disk","snapshot":
///     "2026-01-01T00:00:09.0000000Z","source_snapshot":"2026-01-01T00:00:00.0000000Z",
///     "time":"2026-01-01T00:00:00Z","length":512,"crc64":"iJh5CoYUi64="}"#;
/// let lines = serde_json::Deserializer::from_str(file).into_iter::<MirrorReceipt>();
/// let receipts: MirrorReceipts = lines.collect::<Result<_, _>>()?;
/// assert_eq!(receipts.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MirrorReceipts(HashMap<(String, SnapshotId), MirrorReceipt>);

impl MirrorReceipts {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many snapshots have a receipt.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The receipt of a snapshot for the source snapshot that it equals.
    pub(super) fn of(
        &self,
        destination: &PageBlobClient,
        snapshot: &ChainSnapshot,
    ) -> Option<&MirrorReceipt> {
        let key = (shown(destination, snapshot).ok()?, snapshot.snapshot.clone());
        self.0.get(&key).filter(|receipt| {
            receipt.time.is_some_and(|time| snapshot.is_equal_to(&receipt.source_snapshot, time))
        })
    }
}

impl Extend<MirrorReceipt> for MirrorReceipts {
    fn extend<I: IntoIterator<Item = MirrorReceipt>>(&mut self, receipts: I) {
        let keyed = receipts
            .into_iter()
            .map(|receipt| ((receipt.destination.clone(), receipt.snapshot.clone()), receipt));
        self.0.extend(keyed);
    }
}

impl FromIterator<MirrorReceipt> for MirrorReceipts {
    fn from_iter<I: IntoIterator<Item = MirrorReceipt>>(receipts: I) -> Self {
        let mut all = Self::new();
        all.extend(receipts);
        all
    }
}
