//! The properties of a blob, read from headers.
//!
//! From [Get Blob
//! Properties](https://learn.microsoft.com/rest/api/storageservices/get-blob-properties).

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::Serialize;
use time::OffsetDateTime;

use super::{
    AccessTier, ArchiveStatus, BlobType, ContentMd5, CopyState, ETag, ImmutabilityPolicyMode,
    LeaseDuration, LeaseState, LeaseStatus, Metadata, RehydratePriority, VersionId,
    copy_properties::CopyHeaders,
};
use crate::{
    error::Result,
    wire::{http_date, malformed::Malformed, redaction},
};

/// The properties of a blob, snapshot or version, as returned by Get Blob Properties and listings.
///
/// A field is `None` or empty if the service did not send it or sent it malformed.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlobProperties {
    /// The ETag, which changes with every write.
    pub etag: Option<ETag>,
    /// When the blob was last modified, to the second.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// When the blob was created (from version 2017-11-09).
    #[serde(with = "time::serde::rfc3339::option")]
    pub created_on: Option<OffsetDateTime>,
    /// The length in bytes. The destination of a pending copy has its full length at once if it is
    /// a page blob, and 0 until the end if it is a block blob. In a listing, 0 also stands for a
    /// missing length, such as that of a blob of which only versions remain.
    pub content_length: u64,
    /// The stored `Content-Type`.
    #[serde(serialize_with = "redaction::serialize")]
    pub content_type: Option<String>,
    /// The stored `Content-Encoding`.
    #[serde(serialize_with = "redaction::serialize")]
    pub content_encoding: Option<String>,
    /// The stored `Content-Language`.
    #[serde(serialize_with = "redaction::serialize")]
    pub content_language: Option<String>,
    /// The stored `Content-Disposition`.
    #[serde(serialize_with = "redaction::serialize")]
    pub content_disposition: Option<String>,
    /// The stored `Cache-Control`.
    #[serde(serialize_with = "redaction::serialize")]
    pub cache_control: Option<String>,
    /// The stored MD5 of the content, if there is one.
    pub content_md5: Option<ContentMd5>,
    /// The blob's metadata; names in lower case.
    pub metadata: Metadata,
    /// The blob type: block, page or append blob.
    pub blob_type: Option<BlobType>,
    /// The last copy into this blob, unless the blob was modified after it.
    pub copy: Option<CopyState>,
    /// Whether the blob is the destination of incremental copies (from version 2016-05-31).
    pub is_incremental_copy: bool,
    /// Whether a lease is active.
    pub lease_status: Option<LeaseStatus>,
    /// The state of the lease (from version 2012-02-12).
    pub lease_state: Option<LeaseState>,
    /// The kind of duration of the active lease (from version 2012-02-12).
    pub lease_duration: Option<LeaseDuration>,
    /// A page blob's sequence number.
    pub sequence_number: Option<u64>,
    /// The number of committed blocks of an append blob.
    pub committed_block_count: Option<u32>,
    /// Whether an append blob is sealed (from version 2019-12-12).
    pub is_sealed: Option<bool>,
    /// Whether the content is encrypted at rest (from version 2015-12-11).
    pub is_server_encrypted: Option<bool>,
    /// The SHA-256, in base64, of the customer-provided key that encrypts the content (from version
    /// 2019-02-02).
    #[serde(serialize_with = "redaction::serialize_hash")]
    pub encryption_key_sha256: Option<String>,
    /// The encryption scope that encrypts the content (from version 2019-07-07).
    #[serde(serialize_with = "redaction::serialize")]
    pub encryption_scope: Option<String>,
    /// The access tier (from version 2017-04-17).
    pub access_tier: Option<AccessTier>,
    /// Whether the tier is inherited from the account and not set on the blob.
    pub is_access_tier_inferred: Option<bool>,
    /// When the tier was last set.
    #[serde(with = "time::serde::rfc3339::option")]
    pub access_tier_changed_on: Option<OffsetDateTime>,
    /// The tier that the service chose for a blob in [`AccessTier::Smart`] (from version
    /// 2026-06-06).
    pub smart_access_tier: Option<AccessTier>,
    /// The rehydration in progress, if any (from version 2017-04-17).
    pub archive_status: Option<ArchiveStatus>,
    /// The priority of the rehydration (from version 2019-12-12).
    pub rehydrate_priority: Option<RehydratePriority>,
    /// The version id, in accounts with blob versioning (from version 2019-12-12).
    pub version_id: Option<VersionId>,
    /// Whether this is the current version (from version 2019-12-12).
    pub is_current_version: Option<bool>,
    /// The number of index tags (from version 2019-12-12).
    pub tag_count: Option<u64>,
    /// The id of the object replication policy, if this blob is a replication destination.
    #[serde(serialize_with = "redaction::serialize")]
    pub replication_policy_id: Option<String>,
    /// The status of object replication from this blob, by `policy_rule`.
    #[serde(serialize_with = "redaction::serialize")]
    pub replication_status: BTreeMap<String, String>,
    /// When the blob was last accessed, if the account tracks it (from version 2020-02-10).
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_accessed_on: Option<OffsetDateTime>,
    /// When the blob expires and is deleted automatically.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_on: Option<OffsetDateTime>,
    /// When the immutability policy ends (from version 2020-06-12).
    #[serde(with = "time::serde::rfc3339::option")]
    pub immutability_policy_expires_on: Option<OffsetDateTime>,
    /// Whether the immutability policy is locked or can still be changed.
    pub immutability_policy_mode: Option<ImmutabilityPolicyMode>,
    /// Whether a legal hold protects the blob from changes and deletion.
    pub has_legal_hold: Option<bool>,
    /// The owner, in accounts with a hierarchical namespace.
    #[serde(serialize_with = "redaction::serialize")]
    pub owner: Option<String>,
    /// The owning group, in accounts with a hierarchical namespace.
    #[serde(serialize_with = "redaction::serialize")]
    pub group: Option<String>,
    /// The permissions, in accounts with a hierarchical namespace.
    #[serde(serialize_with = "redaction::serialize")]
    pub permissions: Option<String>,
    /// The access control list, in accounts with a hierarchical namespace.
    #[serde(serialize_with = "redaction::serialize")]
    pub acl: Option<String>,
    /// `file` or `directory`, in accounts with a hierarchical namespace.
    #[serde(serialize_with = "redaction::serialize")]
    pub resource_type: Option<String>,
}

redaction::debug_redacted!(BlobProperties {
    etag,
    last_modified,
    created_on,
    content_length,
    content_type: text,
    content_encoding: text,
    content_language: text,
    content_disposition: text,
    cache_control: text,
    content_md5,
    metadata,
    blob_type,
    copy,
    is_incremental_copy,
    lease_status,
    lease_state,
    lease_duration,
    sequence_number,
    committed_block_count,
    is_sealed,
    is_server_encrypted,
    encryption_key_sha256: hash,
    encryption_scope: text,
    access_tier,
    is_access_tier_inferred,
    access_tier_changed_on,
    smart_access_tier,
    archive_status,
    rehydrate_priority,
    version_id,
    is_current_version,
    tag_count,
    replication_policy_id: text,
    replication_status: text,
    last_accessed_on,
    expires_on,
    immutability_policy_expires_on,
    immutability_policy_mode,
    has_legal_hold,
    owner: text,
    group: text,
    permissions: text,
    acl: text,
    resource_type: text,
});

impl BlobProperties {
    /// Reads the headers in one pass. A malformed header counts as absent, except the length.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, Malformed> {
        let mut properties = Self::default();
        let mut copy = CopyHeaders::default();
        for (name, value) in headers {
            let Ok(value) = value.to_str() else { continue };
            let name = name.as_str();
            if !value.is_empty() && !copy.read(name, value) {
                properties
                    .read(name, value)
                    .ok_or_else(|| Malformed::new(format!("{name} is {value:?}")))?;
            } else if value.is_empty() {
                properties.metadata.read(name, value);
            }
        }
        properties.copy = copy.into_state().map(|state| CopyState {
            etag: properties.etag.clone(),
            last_modified: properties.last_modified,
            version_id: properties.version_id.clone(),
            ..state
        });
        Ok(properties)
    }

    /// Reads one header; `None` if it is malformed and must not be.
    fn read(&mut self, name: &str, value: &str) -> Option<()> {
        let text = || Some(value.to_owned());
        match name {
            "etag" => self.etag = value.parse().ok(),
            "last-modified" => self.last_modified = http_date::parse(value),
            "x-ms-creation-time" => self.created_on = http_date::parse(value),
            "content-length" => self.content_length = value.parse().ok()?,
            "content-type" => self.content_type = text(),
            "content-encoding" => self.content_encoding = text(),
            "content-language" => self.content_language = text(),
            "content-disposition" => self.content_disposition = text(),
            "cache-control" => self.cache_control = text(),
            "content-md5" => self.content_md5 = value.parse().ok(),
            "x-ms-blob-type" => self.blob_type = Some(value.into()),
            "x-ms-incremental-copy" => self.is_incremental_copy = flag(value).unwrap_or(false),
            "x-ms-lease-status" => self.lease_status = Some(value.into()),
            "x-ms-lease-state" => self.lease_state = Some(value.into()),
            "x-ms-lease-duration" => self.lease_duration = Some(value.into()),
            "x-ms-blob-sequence-number" => self.sequence_number = value.parse().ok(),
            "x-ms-blob-committed-block-count" => self.committed_block_count = value.parse().ok(),
            "x-ms-blob-sealed" => self.is_sealed = flag(value),
            "x-ms-server-encrypted" => self.is_server_encrypted = flag(value),
            "x-ms-encryption-key-sha256" => self.encryption_key_sha256 = text(),
            "x-ms-encryption-scope" => self.encryption_scope = text(),
            "x-ms-access-tier" => self.access_tier = Some(value.into()),
            "x-ms-access-tier-inferred" => self.is_access_tier_inferred = flag(value),
            "x-ms-access-tier-change-time" => {
                self.access_tier_changed_on = http_date::parse(value);
            }
            "x-ms-smart-access-tier" => self.smart_access_tier = Some(value.into()),
            "x-ms-archive-status" => self.archive_status = Some(value.into()),
            "x-ms-rehydrate-priority" => self.rehydrate_priority = Some(value.into()),
            "x-ms-version-id" => self.version_id = VersionId::from_service(value),
            "x-ms-is-current-version" => self.is_current_version = flag(value),
            "x-ms-tag-count" => self.tag_count = value.parse().ok(),
            "x-ms-or-policy-id" => self.replication_policy_id = text(),
            "x-ms-last-access-time" => self.last_accessed_on = http_date::parse(value),
            "x-ms-expiry-time" => self.expires_on = http_date::parse(value),
            "x-ms-immutability-policy-until-date" => {
                self.immutability_policy_expires_on = http_date::parse(value);
            }
            "x-ms-immutability-policy-mode" => self.immutability_policy_mode = Some(value.into()),
            "x-ms-legal-hold" => self.has_legal_hold = flag(value),
            "x-ms-owner" => self.owner = text(),
            "x-ms-group" => self.group = text(),
            "x-ms-permissions" => self.permissions = text(),
            "x-ms-acl" => self.acl = text(),
            "x-ms-resource-type" => self.resource_type = text(),
            _ => self.read_family(name, value),
        }
        Some(())
    }

    /// Reads a header with a known prefix; others are ignored.
    fn read_family(&mut self, name: &str, value: &str) {
        if !self.metadata.read(name, value)
            && let Some(rule) = name.strip_prefix("x-ms-or-")
        {
            self.replication_status.insert(rule.to_owned(), value.to_owned());
        }
    }
}

pub(super) fn flag(value: &str) -> Option<bool> {
    let truth = value.eq_ignore_ascii_case("true");
    (truth || value.eq_ignore_ascii_case("false")).then_some(truth)
}

#[cfg(test)]
mod tests;
