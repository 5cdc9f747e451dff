//! Snapshots: creation, reads, deletion.

use blobcopy::{
    BlobClient, Conditions, Credential, DeleteSnapshots, ETag, PageBlobClient, SnapshotId,
};

use super::fixture::{assert_refused, container};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    a_snapshot_keeps_what_was_there,
    a_disk_goes_back_to_a_snapshot_and_keeps_the_later_ones,
    a_snapshot_may_have_metadata_of_its_own,
    a_snapshot_is_taken_on_conditions,
    a_blob_with_snapshots_is_deleted_only_with_their_leave,
    snapshots_can_be_deleted_and_the_blob_kept,
    one_snapshot_can_be_deleted_alone,
];

const GONE: &[(u16, &str)] = &[(404, "BlobNotFound")];

async fn a_snapshot_keeps_what_was_there(azurite: &Azurite) {
    let disk = container(azurite, &ACCOUNT).await.page_blob_client("a disk");
    disk.create(2 * 512).metadata([("state", "old")]).await.unwrap();
    let old = disk.upload_pages(0, vec![1; 512]).await.unwrap();
    let taken = disk.create_snapshot().await.unwrap();
    assert_eq!(taken.etag, old.etag);
    disk.upload_pages(0, vec![2; 2 * 512]).await.unwrap();

    let snapshot = disk.with_snapshot(&taken.snapshot);
    assert_eq!(snapshot.snapshot(), Some(&taken.snapshot));
    let content = snapshot.download().await.unwrap().bytes().await.unwrap();
    assert_eq!(content, [[1; 512], [0; 512]].concat());
    let part = snapshot.download().range(510..514).await.unwrap().bytes().await.unwrap();
    assert_eq!(part, &[1, 1, 0, 0][..]);
    let ranges = snapshot.get_page_ranges().collect_all().await.unwrap().ranges;
    assert_eq!(ranges.iter().map(|r| (r.start, r.end)).collect::<Vec<_>>(), [(0, 512)]);
    let properties = snapshot.get_properties().await.unwrap();
    assert_eq!((properties.etag, properties.metadata.get("state")), (old.etag, Some("old")));

    let ranges = disk.get_page_ranges().collect_all().await.unwrap().ranges;
    assert_eq!(ranges.iter().map(blobcopy::PageRange::len).sum::<u64>(), 2 * 512);
    // The URL of a snapshot addresses it.
    let key = Credential::shared_key(ACCOUNT.name, ACCOUNT.key).unwrap();
    let again = PageBlobClient::new(snapshot.url().unwrap(), key).unwrap();
    assert_eq!(again.snapshot(), Some(&taken.snapshot));
    assert_eq!(again.download().await.unwrap().bytes().await.unwrap(), content);
}

async fn a_disk_goes_back_to_a_snapshot_and_keeps_the_later_ones(azurite: &Azurite) {
    let disk = container(azurite, &ACCOUNT).await.page_blob_client("a disk");
    disk.create(2 * 512).metadata([("state", "old")]).await.unwrap();
    disk.upload_pages(0, vec![1; 512]).await.unwrap();
    let old = disk.create_snapshot().await.unwrap().snapshot;
    disk.upload_pages(512, vec![2; 512]).await.unwrap();
    disk.set_metadata([("state", "new")]).await.unwrap();
    let new = disk.create_snapshot().await.unwrap().snapshot;

    for (snapshot, state, content) in
        [(&old, "old", [[1; 512], [0; 512]].concat()), (&new, "new", [[1; 512], [2; 512]].concat())]
    {
        let promoted = disk.start_copy_from_uri(&disk.with_snapshot(snapshot)).await;
        promoted.unwrap().wait().await.unwrap();
        assert_eq!(disk.download().await.unwrap().bytes().await.unwrap(), content, "{state}");
        let properties = disk.get_properties().await.unwrap();
        assert_eq!(properties.metadata.get("state"), Some(state));
        for snapshot in [&old, &new] {
            assert!(disk.with_snapshot(snapshot).exists().await.unwrap(), "{snapshot}");
        }
    }
    // It is an ordinary page blob.
    disk.resize(3 * 512).await.unwrap();
    disk.upload_pages(1024, vec![3; 512]).await.unwrap();
}

async fn a_snapshot_may_have_metadata_of_its_own(azurite: &Azurite) {
    let blob = container(azurite, &ACCOUNT).await.block_blob_client("blob");
    blob.upload("content").metadata([("kept", "from the blob")]).await.unwrap();
    let own = blob.create_snapshot().metadata([("why", "nightly")]).await.unwrap();
    let properties = blob.with_snapshot(&own.snapshot).get_properties().await.unwrap();
    let metadata: Vec<_> = properties.metadata.iter().collect();
    assert_eq!(metadata, [("why", "nightly")]);
}

async fn a_snapshot_is_taken_on_conditions(azurite: &Azurite) {
    let blob = container(azurite, &ACCOUNT).await.block_blob_client("blob");
    let etag = blob.upload("content").await.unwrap().etag.unwrap();
    let other: ETag = "\"0x8D0000000000000\"".parse().unwrap();
    let is = |etag: &ETag| Conditions::new().if_match(etag.clone());
    assert_refused(
        blob.create_snapshot().conditions(is(&other)).await,
        &[(412, "ConditionNotMet")],
    );
    blob.create_snapshot().conditions(is(&etag)).await.unwrap();
}

async fn a_blob_with_snapshots_is_deleted_only_with_their_leave(azurite: &Azurite) {
    let blob = container(azurite, &ACCOUNT).await.blob_client("a blob");
    let snapshots = snapshotted(&blob).await;

    assert_refused(blob.delete().await, &[(409, "SnapshotsPresent")]);
    assert!(blob.exists().await.unwrap());
    blob.delete().snapshots(DeleteSnapshots::Include).await.unwrap();
    assert_refused(blob.get_properties().await, GONE);
    for snapshot in &snapshots {
        assert_refused(blob.with_snapshot(snapshot).get_properties().await, GONE);
    }
}

async fn snapshots_can_be_deleted_and_the_blob_kept(azurite: &Azurite) {
    let blob = container(azurite, &ACCOUNT).await.blob_client("a blob");
    let snapshots = snapshotted(&blob).await;

    blob.delete().snapshots(DeleteSnapshots::Only).await.unwrap();
    assert_eq!(blob.download().await.unwrap().bytes().await.unwrap(), "state 2");
    for snapshot in &snapshots {
        assert!(!blob.with_snapshot(snapshot).exists().await.unwrap(), "{snapshot}");
    }
    blob.delete().await.unwrap();
    assert!(!blob.exists().await.unwrap());
}

async fn one_snapshot_can_be_deleted_alone(azurite: &Azurite) {
    let blob = container(azurite, &ACCOUNT).await.blob_client("a blob");
    let [first, second] = snapshotted(&blob).await;

    blob.with_snapshot(&first).delete().await.unwrap();
    assert_refused(blob.with_snapshot(&first).download().await, GONE);
    assert_refused(blob.with_snapshot(&first).delete().await, GONE);
    let left = blob.with_snapshot(&second).download().await.unwrap();
    assert_eq!(left.bytes().await.unwrap(), "state 1");
    assert_eq!(blob.download().await.unwrap().bytes().await.unwrap(), "state 2");
}

/// Writes the blob three times, with a snapshot of each state except the last.
async fn snapshotted(blob: &BlobClient) -> [SnapshotId; 2] {
    let blob = blob.block_blob_client();
    blob.upload("state 0").await.unwrap();
    let first = blob.create_snapshot().await.unwrap().snapshot;
    blob.upload("state 1").await.unwrap();
    let second = blob.create_snapshot().await.unwrap().snapshot;
    blob.upload("state 2").await.unwrap();
    assert!(first < second, "{first} {second}");
    [first, second]
}
