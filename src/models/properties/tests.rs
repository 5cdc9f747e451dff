use http::{HeaderName, HeaderValue};
use time::macros::datetime;

use super::*;
use crate::models::{CopyProgress, CopyStatus, copy_properties::CopyProperties};

/// Headers as a raw exchange prints them.
fn headers(text: &str) -> HeaderMap {
    let pair = |line: &str| {
        let (name, value) = line.trim().split_once(':').expect("name: value");
        let name = HeaderName::try_from(name).expect("a name");
        (name, HeaderValue::from_str(value.trim()).expect("a value"))
    };
    text.trim().lines().map(pair).collect()
}

/// Reads all properties, and makes sure that a poll reads the same of the copy.
fn read(text: &str) -> BlobProperties {
    let headers = headers(text);
    let properties = BlobProperties::from_headers(&headers).expect("readable");
    let polled = CopyProperties::from_headers(&headers);
    assert_eq!(polled.copy, properties.copy, "{text}");
    assert_eq!(polled.is_incremental_copy, properties.is_incremental_copy, "{text}");
    properties
}

const INCREMENTAL_COPY: &str = r#"
    Content-Length: 67108864
    Content-Type: application/octet-stream
    Last-Modified: Thu, 01 Jan 2026 00:00:05 GMT
    ETag: "0x8DE0000000000AA"
    Accept-Ranges: bytes
    x-ms-blob-type: PageBlob
    x-ms-blob-sequence-number: 7
    x-ms-lease-status: unlocked
    x-ms-lease-state: available
    x-ms-copy-id: 1f812371-a41d-49e6-b123-f4b542e851c5
    x-ms-copy-source: https://a.blob.core.windows.net:443/c/b?snapshot=2025-12-31T23%3a59%3a59.1234567Z&sig=SECRET
    x-ms-copy-status: success
    x-ms-copy-progress: 2048/2048
    x-ms-copy-completion-time: Thu, 01 Jan 2026 00:00:05 GMT
    x-ms-copy-status-description:
    x-ms-incremental-copy: true
    x-ms-copy-destination-snapshot: 2026-01-01T00:00:05.7654321Z
    x-ms-server-encrypted: true
    x-ms-meta-owner: team a
    x-ms-meta-empty:
    x-ms-a-header-of-the-future: 42
"#;

#[test]
fn an_incremental_copy_is_read_whole() {
    let properties = read(INCREMENTAL_COPY);
    assert_eq!(properties.content_length, 64 << 20);
    assert_eq!(properties.blob_type, Some(BlobType::PageBlob));
    assert_eq!(properties.sequence_number, Some(7));
    assert_eq!(properties.is_server_encrypted, Some(true));
    assert!(properties.is_incremental_copy);
    assert_eq!(properties.metadata, Metadata::from([("owner", "team a"), ("empty", "")]));

    let copy = properties.copy.expect("a copy");
    assert_eq!(copy.status, CopyStatus::Success);
    assert_eq!(copy.progress, Some(CopyProgress { copied: 2048, total: 2048 }));
    assert_eq!(copy.completed_on, Some(datetime!(2026-01-01 00:00:05 UTC)));
    assert_eq!(copy.description, None);
    assert_eq!(copy.etag, properties.etag);
    assert_eq!(copy.destination_snapshot.expect("given"), "2026-01-01T00:00:05.7654321Z");
    assert!(!format!("{:?}", copy.source).contains("SECRET"));
}

#[test]
fn a_blob_that_was_never_a_destination_tells_of_no_copy() {
    assert_eq!(read("Content-Length: 5\nx-ms-incremental-copy: false").copy, None);
    assert_eq!(read("Content-Length: 5\nx-ms-copy-status: success").copy, None);
    assert_eq!(read("Content-Length: 5\nx-ms-copy-id: 1").copy, None);
}

#[test]
fn unknown_words_survive() {
    let properties = read(
        "x-ms-blob-type: ObjectBlob
         x-ms-copy-id: 1
         x-ms-copy-status: paused
         x-ms-access-tier: Lukewarm
         x-ms-lease-state: napping",
    );
    assert_eq!(properties.blob_type, Some(BlobType::Other("ObjectBlob".into())));
    assert_eq!(properties.access_tier, Some(AccessTier::Other("Lukewarm".into())));
    assert_eq!(properties.lease_state, Some(LeaseState::Other("napping".into())));
    let status = properties.copy.expect("a copy").status;
    assert_eq!(status, CopyStatus::Other("paused".into()));
}

#[test]
fn every_other_property_has_its_place() {
    let properties = read(
        "Content-MD5: v2GerAzfP2jUluqTRBN+iw==
         Content-Encoding: gzip
         Content-Language: de
         Content-Disposition: inline
         Cache-Control: no-cache
         x-ms-creation-time: Thu, 01 Jan 2026 00:00:00 GMT
         x-ms-lease-duration: infinite
         x-ms-blob-committed-block-count: 3
         x-ms-blob-sealed: true
         x-ms-encryption-key-sha256: abc=
         x-ms-encryption-scope: scope1
         x-ms-access-tier-inferred: true
         x-ms-archive-status: rehydrate-pending-to-hot
         x-ms-access-tier-change-time: Thu, 01 Jan 2026 00:00:01 GMT
         x-ms-smart-access-tier: Cool
         x-ms-rehydrate-priority: High
         x-ms-version-id: 2026-01-01T00:00:00.123456Z
         x-ms-is-current-version: true
         x-ms-tag-count: 2
         x-ms-or-policy-id: p1
         x-ms-or-p1_r1: complete
         x-ms-last-access-time: Thu, 01 Jan 2026 00:00:02 GMT
         x-ms-expiry-time: Thu, 01 Jan 2026 00:00:03 GMT
         x-ms-immutability-policy-until-date: Thu, 01 Jan 2026 00:00:04 GMT
         x-ms-immutability-policy-mode: unlocked
         x-ms-legal-hold: false
         x-ms-owner: o
         x-ms-group: g
         x-ms-permissions: rwx
         x-ms-acl: a
         x-ms-resource-type: file",
    );
    let empty = BlobProperties::default();
    assert_eq!(properties.content_md5, "v2GerAzfP2jUluqTRBN+iw==".parse().ok());
    assert_eq!(properties.content_encoding.as_deref(), Some("gzip"));
    assert_eq!(properties.content_language.as_deref(), Some("de"));
    assert_eq!(properties.content_disposition.as_deref(), Some("inline"));
    assert_eq!(properties.cache_control.as_deref(), Some("no-cache"));
    assert_eq!(properties.created_on, Some(datetime!(2026-01-01 00:00:00 UTC)));
    assert_eq!(properties.lease_duration, Some(LeaseDuration::Infinite));
    assert_eq!(properties.committed_block_count, Some(3));
    assert_eq!(properties.is_sealed, Some(true));
    assert_eq!(properties.encryption_key_sha256.as_deref(), Some("abc="));
    assert_eq!(properties.encryption_scope.as_deref(), Some("scope1"));
    assert_eq!(properties.is_access_tier_inferred, Some(true));
    assert_eq!(properties.archive_status, Some(ArchiveStatus::RehydratePendingToHot));
    assert_eq!(properties.access_tier_changed_on, Some(datetime!(2026-01-01 00:00:01 UTC)));
    assert_eq!(properties.smart_access_tier, Some(AccessTier::Cool));
    assert_eq!(properties.rehydrate_priority, Some(RehydratePriority::High));
    assert_eq!(properties.version_id.expect("given"), "2026-01-01T00:00:00.123456Z");
    assert_eq!(properties.is_current_version, Some(true));
    assert_eq!(properties.tag_count, Some(2));
    assert_eq!(properties.replication_policy_id.as_deref(), Some("p1"));
    assert_eq!(properties.replication_status["p1_r1"], "complete");
    assert_eq!(properties.last_accessed_on, Some(datetime!(2026-01-01 00:00:02 UTC)));
    assert_eq!(properties.expires_on, Some(datetime!(2026-01-01 00:00:03 UTC)));
    assert_eq!(properties.immutability_policy_expires_on, Some(datetime!(2026-01-01 00:00:04 UTC)));
    assert_eq!(properties.immutability_policy_mode, Some(ImmutabilityPolicyMode::Unlocked));
    assert_eq!(properties.has_legal_hold, Some(false));
    assert_eq!(properties.owner.as_deref(), Some("o"));
    assert_eq!(properties.group.as_deref(), Some("g"));
    assert_eq!(properties.permissions.as_deref(), Some("rwx"));
    assert_eq!(properties.acl.as_deref(), Some("a"));
    assert_eq!(properties.resource_type.as_deref(), Some("file"));
    assert_eq!(properties.metadata, empty.metadata);
}

#[test]
fn an_optional_header_that_is_malformed_is_absent() {
    let copy = "x-ms-copy-id: 1\nx-ms-copy-status: pending";
    let whole = read(copy);
    for malformed in [
        "ETag: \"\"",
        "ETag: a\"b",
        "Last-Modified: 2026-01-01T00:00:00Z",
        "x-ms-creation-time: yesterday",
        "x-ms-incremental-copy: maybe",
        "x-ms-blob-sequence-number: -1",
        "x-ms-blob-committed-block-count: 99999999999",
        "x-ms-blob-sealed: perhaps",
        "x-ms-server-encrypted: 1",
        "x-ms-access-tier-inferred: yes",
        "x-ms-access-tier-change-time: 2026-01-01",
        "x-ms-is-current-version: no",
        "x-ms-tag-count: many",
        "x-ms-last-access-time: 0",
        "x-ms-expiry-time: never",
        "x-ms-immutability-policy-until-date: 2026-01-01T00:00:00Z",
        "x-ms-legal-hold: on",
        "x-ms-copy-progress: half",
        "x-ms-copy-progress: 1/99999999999999999999",
        "x-ms-copy-completion-time: 2026-01-01T00:00:05.0000000Z",
    ] {
        assert_eq!(read(&format!("{malformed}\n{copy}")), whole, "{malformed}");
    }
}

#[test]
fn a_length_that_cannot_be_read_is_told_with_its_header() {
    let error = BlobProperties::from_headers(&headers("Content-Length: many"));
    let error = error.expect_err("no length").to_string();
    assert!(error.contains("content-length") && error.contains("many"), "{error}");
}

#[test]
fn a_poll_reads_no_header_but_those_of_the_copy() {
    let polled = CopyProperties::from_headers(&headers(
        "Content-Length: many
         x-ms-copy-id: 1
         x-ms-copy-status: pending",
    ));
    let pending = CopyState::new("1".parse().expect("an id"), CopyStatus::Pending);
    assert_eq!(polled.copy, Some(pending));
}

#[test]
fn the_state_of_a_copy_has_what_the_write_of_the_blob_has() {
    let blob = "ETag: \"0x1\"
         Last-Modified: Thu, 01 Jan 2026 00:00:05 GMT
         x-ms-version-id: 2026-01-01T00:00:00.123456Z";
    let copy = read(&format!("{blob}\nx-ms-copy-id: 1\nx-ms-copy-status: success")).copy;
    let copy = copy.expect("a copy");
    assert_eq!(copy.etag.expect("given"), "\"0x1\"");
    assert_eq!(copy.last_modified, Some(datetime!(2026-01-01 00:00:05 UTC)));
    assert_eq!(copy.version_id.expect("given"), "2026-01-01T00:00:00.123456Z");
}
