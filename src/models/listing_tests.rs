use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::models::{
    AccessTier, ArchiveStatus, BlobType, ImmutabilityPolicyMode, LeaseDuration, LeaseState,
    LeaseStatus, RehydratePriority,
};

/// A page of a flat list with these entries.
fn flat(entries: &str) -> String {
    format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
         <EnumerationResults ServiceEndpoint=\"https://acct.blob.core.windows.net/\" \
         ContainerName=\"c\"><Prefix/><Marker/><MaxResults>2</MaxResults><Delimiter/>\
         <Blobs>{entries}</Blobs><NextMarker/></EnumerationResults>"
    )
}

/// The blobs of a page.
fn blobs(body: &str) -> Vec<BlobItem> {
    parse(body.as_bytes()).expect(body).items
}

fn one(entry: &str) -> BlobItem {
    blobs(&flat(entry)).remove(0)
}

const EVERYTHING: &str = "<Blob><Name>disk0.vhd</Name><Deleted>true</Deleted>\
    <Snapshot>2026-01-01T00:00:00.1234567Z</Snapshot>\
    <VersionId>2026-01-02T00:00:00.1234567Z</VersionId><IsCurrentVersion>true</IsCurrentVersion>\
    <Properties><Creation-Time>Thu, 01 Jan 2026 00:00:00 GMT</Creation-Time>\
    <Last-Modified>Thu, 01 Jan 2026 00:00:01 GMT</Last-Modified><Etag>0x8DE0000000000AA</Etag>\
    <Content-Length>1073741824</Content-Length>\
    <Content-Type>application/octet-stream</Content-Type><Content-Encoding>gzip</Content-Encoding>\
    <Content-Language>en</Content-Language><Content-CRC64 />\
    <Content-MD5>v2GerAzfP2jUluqTRBN+iw==</Content-MD5>\
    <Content-Disposition>inline</Content-Disposition><Cache-Control>no-cache</Cache-Control>\
    <x-ms-blob-sequence-number>7</x-ms-blob-sequence-number><BlobType>PageBlob</BlobType>\
    <LeaseStatus>locked</LeaseStatus><LeaseState>leased</LeaseState>\
    <LeaseDuration>infinite</LeaseDuration><CopyId>1f812371-a41d-49e6-b123-f4b542e851c5</CopyId>\
    <CopyStatus>success</CopyStatus>\
    <CopySource>https://acct.blob.core.windows.net/vhds/disk0.vhd?snapshot=x&amp;sig=SECRET\
    </CopySource>\
    <CopyProgress>512/512</CopyProgress>\
    <CopyCompletionTime>Thu, 01 Jan 2026 00:00:02 GMT</CopyCompletionTime>\
    <CopyStatusDescription>none</CopyStatusDescription><ServerEncrypted>true</ServerEncrypted>\
    <IncrementalCopy>true</IncrementalCopy>\
    <DestinationSnapshot>2026-01-01T00:00:03.1234567Z</DestinationSnapshot>\
    <DeletedTime>Fri, 02 Jan 2026 00:00:00 GMT</DeletedTime>\
    <RemainingRetentionDays>7</RemainingRetentionDays><AccessTier>P30</AccessTier>\
    <AccessTierInferred>true</AccessTierInferred>\
    <ArchiveStatus>rehydrate-pending-to-cold</ArchiveStatus>\
    <SmartAccessTier>Cool</SmartAccessTier>\
    <AccessTierChangeTime>Thu, 01 Jan 2026 00:00:04 GMT</AccessTierChangeTime>\
    <CustomerProvidedKeySha256>c2hh</CustomerProvidedKeySha256>\
    <EncryptionScope>scope1</EncryptionScope><TagCount>2</TagCount>\
    <Expiry-Time>Thu, 01 Jan 2026 00:00:05 GMT</Expiry-Time><Sealed>false</Sealed>\
    <RehydratePriority>High</RehydratePriority>\
    <LastAccessTime>Thu, 01 Jan 2026 00:00:06 GMT</LastAccessTime>\
    <ImmutabilityPolicyUntilDate>Thu, 01 Jan 2026 00:00:07 GMT</ImmutabilityPolicyUntilDate>\
    <ImmutabilityPolicyMode>unlocked</ImmutabilityPolicyMode><LegalHold>true</LegalHold>\
    <Owner>o</Owner><Group>g</Group><Permissions>rwxr-x---</Permissions><Acl>user::rwx</Acl>\
    <ResourceType>file</ResourceType><Novelty>1</Novelty></Properties>\
    <Metadata Encrypted=\"true\"><owner>team a</owner><empty/>\
    <x-ms-invalid-name>1bad</x-ms-invalid-name>\
    <x-ms-invalid-name>a-b</x-ms-invalid-name></Metadata>\
    <Tags><TagSet><Tag><Key>stage</Key><Value>back up</Value></Tag>\
    <Tag><Key>disk</Key><Value/></Tag></TagSet></Tags>\
    <OrMetadata><or-policy_rule>complete</or-policy_rule></OrMetadata>\
    <HasVersionsOnly>true</HasVersionsOnly><Novelty><Name>no</Name></Novelty></Blob>";

#[test]
fn every_element_of_a_blob_is_read() {
    let second =
        |second: i64| Some(datetime!(2026-01-01 00:00 UTC) + time::Duration::seconds(second));
    let etag = "\"0x8DE0000000000AA\"".parse().ok();
    let version_id = VersionId::from_service("2026-01-02T00:00:00.1234567Z");
    let mut copy = CopyState::new(
        CopyId::from_service("1f812371-a41d-49e6-b123-f4b542e851c5").expect("an id"),
        CopyStatus::Success,
    );
    copy.progress = Some(CopyProgress { copied: 512, total: 512 });
    copy.description = Some("none".to_owned());
    copy.completed_on = second(2);
    copy.destination_snapshot = SnapshotId::from_service("2026-01-01T00:00:03.1234567Z");
    copy.source = Some(CopySourceUrl::new(
        "https://acct.blob.core.windows.net/vhds/disk0.vhd?snapshot=x&sig=SECRET",
    ));
    copy.etag = etag.clone();
    copy.last_modified = second(1);
    copy.version_id = version_id.clone();
    let text = |text: &str| Some(text.to_owned());

    let properties = BlobProperties {
        etag,
        last_modified: second(1),
        created_on: second(0),
        content_length: 1 << 30,
        content_type: text("application/octet-stream"),
        content_encoding: text("gzip"),
        content_language: text("en"),
        content_disposition: text("inline"),
        cache_control: text("no-cache"),
        content_md5: "v2GerAzfP2jUluqTRBN+iw==".parse().ok(),
        metadata: Metadata::from([("owner", "team a"), ("empty", "")]),
        blob_type: Some(BlobType::PageBlob),
        copy: Some(copy),
        is_incremental_copy: true,
        lease_status: Some(LeaseStatus::Locked),
        lease_state: Some(LeaseState::Leased),
        lease_duration: Some(LeaseDuration::Infinite),
        sequence_number: Some(7),
        is_sealed: Some(false),
        is_server_encrypted: Some(true),
        encryption_key_sha256: text("c2hh"),
        encryption_scope: text("scope1"),
        access_tier: Some(AccessTier::P30),
        is_access_tier_inferred: Some(true),
        access_tier_changed_on: second(4),
        smart_access_tier: Some(AccessTier::Cool),
        archive_status: Some(ArchiveStatus::RehydratePendingToCold),
        rehydrate_priority: Some(RehydratePriority::High),
        version_id,
        is_current_version: Some(true),
        tag_count: Some(2),
        replication_status: [("policy_rule".to_owned(), "complete".to_owned())].into(),
        last_accessed_on: second(6),
        expires_on: second(5),
        immutability_policy_expires_on: second(7),
        immutability_policy_mode: Some(ImmutabilityPolicyMode::Unlocked),
        has_legal_hold: Some(true),
        owner: text("o"),
        group: text("g"),
        permissions: text("rwxr-x---"),
        acl: text("user::rwx"),
        resource_type: text("file"),
        ..BlobProperties::default()
    };

    let expected = BlobItem {
        name: "disk0.vhd".to_owned(),
        snapshot: SnapshotId::from_service("2026-01-01T00:00:00.1234567Z"),
        properties,
        tags: Tags::from([("stage", "back up"), ("disk", "")]),
        is_deleted: true,
        deleted_on: Some(datetime!(2026-01-02 00:00 UTC)),
        remaining_retention_days: Some(7),
        has_versions_only: true,
        has_encrypted_metadata: true,
        invalid_metadata_names: vec!["1bad".to_owned(), "a-b".to_owned()],
    };
    let blob = one(EVERYTHING);
    assert_eq!(blob, expected);
    assert!(!format!("{blob:?}").contains("SECRET"));
    // Values from a list can be written back.
    blob.properties.metadata.write(&mut http::HeaderMap::new()).expect("legal");
}

#[test]
fn the_services_own_word_for_the_destination_snapshot_is_known_too() {
    let blob = one("<Blob><Properties><CopyId>i</CopyId><CopyStatus>success</CopyStatus>\
        <CopyDestinationSnapshot>2026-01-01T00:00:03.1234567Z</CopyDestinationSnapshot>\
        </Properties></Blob>");
    let copy = blob.properties.copy.expect("a copy");
    let snapshot = copy.destination_snapshot.expect("a snapshot");
    assert_eq!(snapshot, "2026-01-01T00:00:03.1234567Z");
}

#[test]
fn what_did_not_come_is_absent() {
    let blob = one("<Blob><Name>uncommitted</Name><Properties><Etag/><Last-Modified/>\
        <Content-Length/><Content-Type></Content-Type><LeaseStatus/><CopyId/><TagCount/>\
        <IncrementalCopy/></Properties><Metadata/><Tags/><Deleted/></Blob>");
    assert_eq!(blob, BlobItem { name: "uncommitted".to_owned(), ..BlobItem::default() });
    // An id without a status, or a status without an id, is not a copy.
    for half in ["<CopyId>i</CopyId>", "<CopyStatus>success</CopyStatus>"] {
        let blob = one(&format!("<Blob><Properties>{half}</Properties></Blob>"));
        assert_eq!(blob.properties.copy, None);
    }
}

#[test]
fn a_name_is_decoded_only_where_it_says_so() {
    let cases = [
        ("<Name>a%20b</Name>", "a%20b"),
        ("<Name Encoded=\"false\">a%20b</Name>", "a%20b"),
        ("<Name Encoded=\"true\">a%EF%BF%BFb%2Fc%25</Name>", "a\u{ffff}b/c%"),
        ("<Name Encoded='true'>%C3%A9</Name>", "é"),
        ("<Name Encoded=\"true\">%FF</Name>", "\u{fffd}"),
        ("<Name> a&amp;&lt;é&#x9;</Name>", " a&<é\t"),
        ("<Name other=\"1\" Encoded=\"true\">%41</Name>", "A"),
    ];
    for (element, expected) in cases {
        assert_eq!(one(&format!("<Blob>{element}</Blob>")).name, expected, "{element}");
    }
}

#[test]
fn a_hierarchy_keeps_the_order_of_blobs_and_prefixes() {
    let body = "<EnumerationResults ServiceEndpoint=\"https://acct.blob.core.windows.net/\" \
        ContainerName=\"c\"><Prefix Encoded=\"true\">a%EF%BF%BF</Prefix><Marker>m</Marker>\
        <MaxResults>4</MaxResults><Delimiter>/</Delimiter><Blobs>\
        <Blob><Name>a</Name></Blob>\
        <BlobPrefix><Name>a/</Name></BlobPrefix>\
        <Blob><Name>ab</Name></Blob>\
        <BlobPrefix><Properties><Etag>x</Etag></Properties><Name Encoded=\"true\">b%2F</Name>\
        </BlobPrefix>\
        </Blobs><NextMarker>2!76!MDAwMDE0</NextMarker></EnumerationResults>";
    let list = parse(body.as_bytes()).expect("well formed");
    let names: Vec<String> = list
        .items
        .iter()
        .map(|item| match item {
            BlobHierarchyItem::Blob(blob) => blob.name.clone(),
            BlobHierarchyItem::Prefix(prefix) => format!("prefix {prefix}"),
        })
        .collect();
    assert_eq!(names, ["a", "prefix a/", "ab", "prefix b/"]);
    assert_eq!(list.next_marker.as_deref(), Some("2!76!MDAwMDE0"));
    let asked = (list.prefix.as_deref(), list.marker.as_deref(), list.delimiter.as_deref());
    assert_eq!(asked, (Some("a\u{ffff}"), Some("m"), Some("/")));
    assert_eq!(list.max_results, Some(4));
}

#[test]
fn an_empty_container_has_no_blobs() {
    for body in [
        "<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>",
        "<EnumerationResults ContainerName='c'><Blobs></Blobs></EnumerationResults>",
        "<EnumerationResults/>",
    ] {
        let list = parse::<BlobHierarchyItem>(body.as_bytes()).expect(body);
        assert_eq!(list, BlobList::default(), "{body}");
    }
}

#[test]
fn a_page_of_more_entries_than_the_service_sends_is_refused() {
    let prefix = "<BlobPrefix><Name>a/</Name></BlobPrefix>";
    let page = |blobs: usize, prefixes: usize| {
        flat(&format!("{}{}", "<Blob/>".repeat(blobs), prefix.repeat(prefixes)))
    };
    let full = parse::<BlobHierarchyItem>(page(4000, 1000).as_bytes()).expect("a full page");
    assert_eq!(full.items.len(), 5000);
    for body in [page(5001, 0), page(4000, 1001), page(2_000_000, 0)] {
        let error = parse::<BlobHierarchyItem>(body.as_bytes()).expect_err("too many").to_string();
        assert_eq!(error, "it has more than 5000 entries");
    }
}

#[test]
fn an_optional_value_that_is_malformed_is_absent_and_spoils_nothing_else() {
    let blob = |inner: &str| {
        one(&format!(
            "<Blob><Name>b</Name>{inner}<Properties><CopyId>1</CopyId>\
             <CopyStatus>pending</CopyStatus></Properties></Blob>"
        ))
    };
    let whole = blob("");
    assert!(whole.properties.copy.is_some());
    assert_eq!(blob("<IsCurrentVersion>maybe</IsCurrentVersion>"), whole);
    assert_eq!(blob("<Deleted>perhaps</Deleted>"), whole);
    for element in [
        "<Creation-Time>2026-01-01T00:00:00Z</Creation-Time>",
        "<Last-Modified>2026-01-01</Last-Modified>",
        "<Etag>a\"b</Etag>",
        "<Etag>\"\"</Etag>",
        "<x-ms-blob-sequence-number>-1</x-ms-blob-sequence-number>",
        "<CopyProgress>half</CopyProgress>",
        "<CopyCompletionTime>2026-01-01T00:00:00Z</CopyCompletionTime>",
        "<IncrementalCopy>maybe</IncrementalCopy>",
        "<ServerEncrypted>maybe</ServerEncrypted>",
        "<AccessTierChangeTime>0</AccessTierChangeTime>",
        "<TagCount>many</TagCount>",
        "<DeletedTime>soon</DeletedTime>",
        "<RemainingRetentionDays>0.5</RemainingRetentionDays>",
    ] {
        assert_eq!(blob(&format!("<Properties>{element}</Properties>")), whole, "{element}");
    }
}

#[test]
fn a_length_that_cannot_be_read_is_named() {
    let body = flat("<Blob><Properties><Content-Length>-1</Content-Length></Properties></Blob>");
    let error = parse::<BlobItem>(body.as_bytes()).expect_err("no length").to_string();
    assert_eq!(error, "Content-Length is \"-1\"");
}

#[test]
fn a_list_that_was_cut_short_is_an_error_wherever_it_was_cut() {
    let body = flat(EVERYTHING);
    let whole = body.trim_end().len();
    for end in 0..whole {
        assert!(parse::<BlobItem>(&body.as_bytes()[..end]).is_err(), "cut at {end} of {whole}");
    }
    assert_eq!(blobs(&body).len(), 1);
}

#[test]
fn unknown_words_survive() {
    let blob = one("<Blob><Properties><BlobType>CubeBlob</BlobType>\
        <AccessTier>Lukewarm</AccessTier></Properties></Blob>");
    assert_eq!(blob.properties.blob_type, Some(BlobType::Other("CubeBlob".to_owned())));
    assert_eq!(blob.properties.access_tier, Some(AccessTier::Other("Lukewarm".to_owned())));
}

proptest! {
    #[test]
    fn garbage_never_panics(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse::<BlobHierarchyItem>(&body);
    }

    #[test]
    fn a_damaged_list_never_panics(
        damage in proptest::collection::vec((0..5000_usize, any::<u8>()), 1..8),
    ) {
        let mut body = flat(EVERYTHING).into_bytes();
        for (at, byte) in damage {
            let at = at % body.len();
            body[at] = byte;
        }
        let _ = parse::<BlobHierarchyItem>(&body);
    }

    #[test]
    fn a_name_is_read_as_it_was_written(name in "[ -~éß漢\u{1f4be}]{1,40}") {
        let escaped = quick_xml::escape::escape(name.as_str());
        let blob = one(&format!("<Blob><Name>{escaped}</Name></Blob>"));
        prop_assert_eq!(blob.name, name);
    }
}
