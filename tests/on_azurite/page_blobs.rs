//! Page blobs: creation, writes, clears, listing.

use std::collections::BTreeSet;

use blobcopy::{BlobType, Conditions, ETag, LeaseState, PageBlobClient, PageRange};

use super::{
    fixture::{assert_refused, container, container_of, service_with},
    recording::Recording,
};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    a_new_page_blob_is_of_its_size_and_zero,
    a_page_blob_may_be_empty,
    long_content_is_cut_and_sent_several_at_a_time,
    cleared_pages_are_zero_and_no_longer_listed,
    the_list_can_be_of_a_part,
    conditions_hold_for_pages,
    pages_must_be_within_a_page_blob,
];

const MIB: usize = 1 << 20;

async fn a_new_page_blob_is_of_its_size_and_zero(azurite: &Azurite) {
    let disk = container(azurite, &ACCOUNT).await.page_blob_client("disk");
    let create = disk.create(3 * 512).sequence_number(7).metadata([("origin", "test")]);
    let created = create.await.unwrap();

    let properties = disk.get_properties().await.unwrap();
    assert_eq!(properties.blob_type, Some(BlobType::PageBlob));
    assert_eq!(properties.content_length, 3 * 512);
    assert_eq!(properties.sequence_number, Some(7));
    assert_eq!(properties.metadata.get("origin"), Some("test"));
    assert_eq!(properties.etag, created.etag);
    assert_eq!(properties.last_modified, created.last_modified);
    assert_eq!(properties.lease_state, Some(LeaseState::Available));
    assert_eq!(properties.is_server_encrypted, Some(true));
    assert!(properties.copy.is_none() && !properties.is_incremental_copy);

    assert_eq!(content(&disk).await, [0; 3 * 512]);
    let ranges = disk.get_page_ranges().collect_all().await.unwrap();
    assert!(ranges.ranges.is_empty(), "{ranges:?}");
    assert_eq!((ranges.content_length, ranges.etag), (3 * 512, created.etag));
}

async fn a_page_blob_may_be_empty(azurite: &Azurite) {
    let disk = container(azurite, &ACCOUNT).await.page_blob_client("disk");
    disk.create(0).await.unwrap();
    assert_eq!(disk.get_properties().await.unwrap().content_length, 0);
    assert!(content(&disk).await.is_empty());
}

async fn long_content_is_cut_and_sent_several_at_a_time(azurite: &Azurite) {
    // The length, the number of requests, and how many of them may run at once.
    let cases = [(512, 1, 4), (4 * MIB, 1, 4), (4 * MIB + 512, 2, 4), (9 * MIB + 3 * 512, 3, 2)];
    for (length, requests, at_a_time) in cases {
        let recording = Recording::default();
        let service = service_with(azurite, &ACCOUNT, recording.options());
        let disk = container_of(&service).await.page_blob_client("disk");
        disk.create(length as u64 + 2 * 512).await.unwrap();
        let pages = numbered_pages(length / 512);
        recording.take();
        let upload = disk.upload_pages(512, pages.clone()).concurrency(at_a_time);
        let written = upload.await.unwrap();

        let sent = recording.take();
        let ranges: BTreeSet<_> = sent.iter().map(|e| &e.sent["x-ms-range"]).collect();
        assert_eq!(ranges.len(), requests, "{ranges:?}");
        assert_eq!(recording.most_on_their_way(), requests.min(at_a_time), "{length} bytes");
        // After parallel requests, an ETag is returned only if it is known to be the last one.
        let last = disk.get_properties().await.unwrap().etag;
        assert!(written.etag == last || requests > 1 && written.etag.is_none(), "{written:?}");
        assert_eq!(written.sequence_number, Some(0));
        assert_eq!(written_ranges(&disk).await, [(512, length as u64 + 512)]);

        let all = content(&disk).await;
        assert_eq!(all.len(), length + 2 * 512);
        // Not assert_eq, which would print megabytes.
        assert!(all[512..length + 512] == pages, "{length} bytes come back as others");
        assert!(all[..512].iter().chain(&all[length + 512..]).all(|byte| *byte == 0));
    }
}

/// Pages that all differ.
fn numbered_pages(count: usize) -> Vec<u8> {
    (1..=count).flat_map(|page| (page as u64).to_le_bytes().repeat(512 / 8)).collect()
}

async fn cleared_pages_are_zero_and_no_longer_listed(azurite: &Azurite) {
    let disk = container(azurite, &ACCOUNT).await.page_blob_client("disk");
    disk.create(8 * 512).await.unwrap();
    disk.upload_pages(0, vec![1; 8 * 512]).await.unwrap();
    let before = disk.get_properties().await.unwrap().etag;

    let cleared = disk.clear_pages(2 * 512..5 * 512).await.unwrap();
    assert!(cleared.etag.is_some() && cleared.etag != before, "{cleared:?}");
    assert_eq!(written_ranges(&disk).await, [(0, 1024), (5 * 512, 8 * 512)]);
    let expected = [vec![1; 2 * 512], vec![0; 3 * 512], vec![1; 3 * 512]].concat();
    assert_eq!(content(&disk).await, expected);

    disk.clear_pages(0..8 * 512).await.unwrap();
    assert_eq!(written_ranges(&disk).await, []);
    assert_eq!(content(&disk).await, [0; 8 * 512]);
}

async fn the_list_can_be_of_a_part(azurite: &Azurite) {
    type Pages = &'static [(u64, u64)];

    let disk = container(azurite, &ACCOUNT).await.page_blob_client("disk");
    disk.create(16 * 512).await.unwrap();
    for page in [1, 4, 5, 6, 12] {
        disk.upload_pages(page * 512, vec![1; 512]).await.unwrap();
    }
    // The requested and the returned ranges, in pages; the last is beyond the last written page.
    let cases: [(u64, u64, Pages); 5] = [
        (0, 16, &[(1, 2), (4, 7), (12, 13)]),
        (5, 1, &[(5, 6)]),
        (0, 5, &[(1, 2), (4, 5)]),
        (2, 2, &[]),
        (13, 3, &[]),
    ];
    for (offset, length, expected) in cases {
        let list = disk
            .get_page_ranges()
            .range(offset * 512..(offset + length) * 512)
            .collect_all()
            .await
            .unwrap();
        let expected: Vec<_> = expected.iter().map(|(a, b)| (a * 512, b * 512)).collect();
        assert_eq!(merged(&list.ranges), expected, "{length} from {offset}");
        assert_eq!(list.content_length, 16 * 512);
    }
}

async fn conditions_hold_for_pages(azurite: &Azurite) {
    let disk = container(azurite, &ACCOUNT).await.page_blob_client("disk");
    let old = disk.create(1024).await.unwrap().etag.unwrap();
    let is = |etag: &ETag| Conditions::new().if_match(etag.clone());
    let new = disk.upload_pages(0, vec![1; 512]).conditions(is(&old)).await.unwrap();
    let new = new.etag.unwrap();
    assert_ne!(new, old);

    let unmet = [(412, "ConditionNotMet")];
    assert_refused(disk.upload_pages(0, vec![2; 512]).conditions(is(&old)).await, &unmet);
    assert_refused(disk.clear_pages(0..512).conditions(is(&old)).await, &unmet);
    assert_refused(disk.get_page_ranges().conditions(is(&old)).collect_all().await, &unmet);
    let ranges = disk.get_page_ranges().conditions(is(&new)).collect_all().await.unwrap();
    assert_eq!(ranges.etag, Some(new));

    let must_not_exist = Conditions::new().if_none_match(ETag::ANY);
    // The documentation says 412.
    let exists = [(409, "BlobAlreadyExists"), (412, "ConditionNotMet")];
    assert_refused(disk.create(512).conditions(must_not_exist).await, &exists);
    assert_eq!(content(&disk).await, [[1; 512], [0; 512]].concat());
}

async fn pages_must_be_within_a_page_blob(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let disk = container.page_blob_client("disk");
    disk.create(1024).await.unwrap();
    // Azurite returns the reason phrase as the code.
    let behind = [(416, "InvalidPageRange"), (416, "Requested Range Not Satisfiable")];
    assert_refused(disk.upload_pages(1024, vec![1; 512]).await, &behind);
    assert_refused(disk.clear_pages(1024..1536).await, &behind);

    container.block_blob_client("notes").upload("notes").await.unwrap();
    let notes = container.page_blob_client("notes");
    let no_pages = [(409, "InvalidBlobType")];
    assert_refused(notes.upload_pages(0, vec![1; 512]).await, &no_pages);
    assert_refused(notes.clear_pages(0..512).await, &no_pages);
    assert_refused(notes.get_page_ranges().collect_all().await, &no_pages);

    let missing = container.page_blob_client("missing");
    assert_refused(missing.upload_pages(0, vec![1; 512]).await, &[(404, "BlobNotFound")]);
}

async fn content(disk: &PageBlobClient) -> Vec<u8> {
    disk.download().await.unwrap().bytes().await.unwrap().to_vec()
}

async fn written_ranges(disk: &PageBlobClient) -> Vec<(u64, u64)> {
    merged(&disk.get_page_ranges().collect_all().await.unwrap().ranges)
}

/// Ranges as pairs, with adjacent ones merged: the documentation does not say that the service does
/// so.
fn merged(ranges: &[PageRange]) -> Vec<(u64, u64)> {
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.1 == range.start => last.1 = range.end,
            _ => merged.push((range.start, range.end)),
        }
    }
    merged
}
