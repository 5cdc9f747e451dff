//! Resizing page blobs, and the sequence numbers that order their writes.

use blobcopy::{
    Conditions, PageBlobClient,
    SequenceNumberAction::{Increment, Max, Update},
};

use super::fixture::{assert_refused, container};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    a_disk_that_grows_is_zero_where_it_is_new,
    a_resize_is_a_write,
    each_action_does_to_the_sequence_number_what_it_says,
    pages_are_written_only_at_the_sequence_number_that_was_thought,
    a_copy_brings_size_and_sequence_number,
];

async fn disk(azurite: &Azurite, pages: u64) -> PageBlobClient {
    let disk = container(azurite, &ACCOUNT).await.page_blob_client("disk");
    disk.create(pages * 512).await.unwrap();
    disk
}

async fn content(disk: &PageBlobClient) -> Vec<u8> {
    disk.download().await.unwrap().bytes().await.unwrap().to_vec()
}

async fn a_disk_that_grows_is_zero_where_it_is_new(azurite: &Azurite) {
    let disk = disk(azurite, 1).await;
    let before = disk.upload_pages(0, vec![1; 512]).await.unwrap();
    let grown = disk.resize(3 * 512).await.unwrap();
    assert!(grown.etag.is_some() && grown.etag != before.etag, "{grown:?}");
    assert_eq!(grown.sequence_number, Some(0));
    assert_eq!(content(&disk).await, [vec![1; 512], vec![0; 1024]].concat());
    disk.upload_pages(1024, vec![3; 512]).await.unwrap();

    // Truncated pages do not come back.
    disk.resize(512).await.unwrap();
    assert_eq!(content(&disk).await, [1; 512]);
    let cut = disk.resize(3 * 512).await.unwrap();
    assert_eq!(content(&disk).await, [vec![1; 512], vec![0; 1024]].concat());
    let found = disk.get_properties().await.unwrap();
    assert_eq!((found.content_length, found.etag), (3 * 512, cut.etag));
    let ranges = disk.get_page_ranges().collect_all().await.unwrap().ranges;
    assert_eq!(ranges.iter().map(|range| (range.start, range.end)).collect::<Vec<_>>(), [(0, 512)]);
}

async fn a_resize_is_a_write(azurite: &Azurite) {
    let disk = disk(azurite, 1).await;
    let unmet =
        Conditions::new().if_match("\"0x8D0000000000000\"".parse::<blobcopy::ETag>().unwrap());
    assert_refused(disk.resize(1024).conditions(unmet).await, &[(412, "ConditionNotMet")]);
    let lease = disk.acquire_infinite_lease().await.unwrap().lease_id;
    assert_refused(disk.resize(1024).await, &[(412, "LeaseIdMissing")]);
    assert_eq!(disk.get_properties().await.unwrap().content_length, 512);
    disk.resize(1024).lease_id(lease).await.unwrap();
    assert_eq!(disk.get_properties().await.unwrap().content_length, 1024);

    let container = container(azurite, &ACCOUNT).await;
    let missing = container.page_blob_client("missing").resize(512).await;
    assert_refused(missing, &[(404, "BlobNotFound")]);
    container.block_blob_client("notes").upload("notes").await.unwrap();
    // Azurite has its own code for it.
    let no_disk = [(409, "InvalidBlobType"), (400, "InvalidOperation")];
    assert_refused(container.page_blob_client("notes").resize(512).await, &no_disk);
}

async fn each_action_does_to_the_sequence_number_what_it_says(azurite: &Azurite) {
    let disk = disk(azurite, 1).await;
    let steps =
        [(Increment, 1), (Max(7), 7), (Max(5), 7), (Update(5), 5), (Increment, 6), (Update(0), 0)];
    for (action, expected) in steps {
        let set = disk.set_sequence_number(action).await.unwrap();
        assert_eq!(set.sequence_number, Some(expected), "{action:?}");
        let found = disk.get_properties().await.unwrap();
        assert_eq!(found.sequence_number, Some(expected), "{action:?}");
        assert_eq!((found.etag, found.content_length), (set.etag, 512), "{action:?}");
    }
}

async fn pages_are_written_only_at_the_sequence_number_that_was_thought(azurite: &Azurite) {
    let disk = disk(azurite, 2).await;
    disk.set_sequence_number(Update(5)).await.unwrap();
    let upload = || disk.upload_pages(0, vec![1; 512]);
    let clear = || disk.clear_pages(0..512);

    let unmet = [(412, "SequenceNumberConditionNotMet")];
    assert_refused(upload().if_sequence_number_equal(4).await, &unmet);
    assert_refused(upload().if_sequence_number_at_most(4).await, &unmet);
    assert_refused(upload().if_sequence_number_less_than(5).await, &unmet);
    assert_eq!(content(&disk).await, [0; 1024]);
    upload().if_sequence_number_equal(5).await.unwrap();
    assert_eq!(content(&disk).await[..512], [1; 512]);

    assert_refused(clear().if_sequence_number_equal(6).await, &unmet);
    assert_eq!(content(&disk).await[..512], [1; 512]);
    let cleared = clear().if_sequence_number_at_most(5).if_sequence_number_less_than(6);
    assert_eq!(cleared.await.unwrap().sequence_number, Some(5));
    assert_eq!(content(&disk).await, [0; 1024]);
}

async fn a_copy_brings_size_and_sequence_number(azurite: &Azurite) {
    let disk = disk(azurite, 4).await;
    disk.set_sequence_number(Update(9)).await.unwrap();
    let copy = container(azurite, &ACCOUNT).await.page_blob_client("copy");
    copy.start_copy_from_uri(&disk).await.unwrap().wait().await.unwrap();
    let found = copy.get_properties().await.unwrap();
    assert_eq!((found.content_length, found.sequence_number), (4 * 512, Some(9)));
}
