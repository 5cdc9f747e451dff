//! Snapshot Blob.

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    error::Result,
    models::{BlobContentInfo, ETag, Metadata, SnapshotId, VersionId},
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{Access, with_access},
            whole_blob::with_metadata,
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{headers, redaction},
};

/// The result of taking a snapshot.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlobSnapshotInfo {
    /// The id of the snapshot: when it was taken, as the service writes it.
    pub snapshot: SnapshotId,
    /// The snapshot's ETag.
    pub etag: Option<ETag>,
    /// When the blob was last written.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The version id of the blob, in accounts with blob versioning.
    pub version_id: Option<VersionId>,
    /// Whether the service encrypted the snapshot's metadata (from version 2019-02-02).
    pub is_server_encrypted: Option<bool>,
    /// The SHA-256, in base64, of the customer-provided key that encrypts the metadata (from
    /// version 2019-02-02).
    #[serde(serialize_with = "redaction::serialize_hash")]
    pub encryption_key_sha256: Option<String>,
}

redaction::debug_redacted!(BlobSnapshotInfo {
    snapshot,
    etag,
    last_modified,
    version_id,
    is_server_encrypted,
    encryption_key_sha256: hash,
});

builder! {
    /// Takes a read-only snapshot of a blob.
    ///
    /// Returned by [`BlobClient::create_snapshot`](crate::BlobClient::create_snapshot).
    ///
    /// A second attempt would take another snapshot, so this is retried only if the first attempt
    /// certainly took none.
    ///
    /// [Snapshot Blob](https://learn.microsoft.com/rest/api/storageservices/snapshot-blob)
    CreateSnapshot of SnapshotBlob -> BlobSnapshotInfo
}

#[derive(Debug, Clone, Default)]
pub(crate) struct SnapshotBlob {
    metadata: Metadata,
    access: Access,
}

with_metadata!(CreateSnapshot, operation);
with_access!(CreateSnapshot, operation.access);

impl Operation for SnapshotBlob {
    type Output = BlobSnapshotInfo;

    const NAME: &'static str = "Snapshot Blob";
    const EFFECT: Effect = Effect::Once;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .query("comp", "snapshot")
            .headers(|to| self.metadata.write(to))
            .settings(&self.access)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobSnapshotInfo> {
        let snapshot = SnapshotId::from_service(answer.required(&headers::SNAPSHOT)?)
            .ok_or_else(|| answer.unexpected("the snapshot id is empty"))?;
        let written = BlobContentInfo::from_headers(&answer.headers);
        Ok(BlobSnapshotInfo {
            snapshot,
            etag: written.etag,
            last_modified: written.last_modified,
            version_id: written.version_id,
            is_server_encrypted: written.is_server_encrypted,
            encryption_key_sha256: written.encryption_key_sha256,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::offline;

    #[test]
    fn the_answer_tells_the_snapshot_and_how_it_is_encrypted() {
        let answer = offline::answer(
            201,
            "x-ms-snapshot: 2026-01-01T00:00:00.1234567Z
             x-ms-request-server-encrypted: true
             x-ms-encryption-key-sha256: c2hh
             x-ms-version-id: 2026-01-01T00:00:00.7654321Z
             etag: \"0x1\"
             last-modified: Thu, 01 Jan 2026 00:00:00 GMT",
            "",
        );
        let created = offline::blob().create_snapshot().operation.parse(answer).expect("complete");
        assert_eq!(created.snapshot, "2026-01-01T00:00:00.1234567Z");
        assert_eq!(created.etag.as_ref().map(ETag::as_str), Some("\"0x1\""));
        assert!(created.last_modified.is_some() && created.version_id.is_some());
        assert_eq!(created.is_server_encrypted, Some(true));
        assert_eq!(created.encryption_key_sha256.as_deref(), Some("c2hh"));
    }
}
