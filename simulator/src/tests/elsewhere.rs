//! Copies from one simulator to another, on another port, with this crate's own clients.

use super::kit::{Kit, source_sas};
use blobcopy::{
    BlobContainerClient, BlobServiceClient, ClientOptions, CopyStatus, Error, ErrorCode,
    PageBlobClient, PublicAccessType, RetryOptions, SnapshotId,
};

use crate::{DEFAULT_ACCOUNT, Op, Simulator};

const PAGE: usize = 512;

fn client(sim: &Simulator) -> BlobServiceClient {
    let builder = BlobServiceClient::builder_from_connection_string(&sim.connection_string());
    let options = ClientOptions::new().retry(RetryOptions::none());
    builder.unwrap().options(options).build().unwrap()
}

/// A simulator with a disk of 256 pages, sixteen of them written, and one with a container for
/// copies.
struct Two {
    source: Simulator,
    vhds: BlobContainerClient,
    disk: PageBlobClient,
    target: Simulator,
    backups: BlobContainerClient,
    backup: PageBlobClient,
}

async fn two() -> Two {
    let source = Simulator::builder().start().await.unwrap();
    let vhds = client(&source).container_client("vhds");
    vhds.create().await.unwrap();
    let disk = vhds.page_blob_client("disk");
    disk.create(256 * PAGE as u64).await.unwrap();
    disk.upload_pages(0, vec![1; 16 * PAGE]).await.unwrap();

    let target = Simulator::builder().start().await.unwrap();
    let backups = client(&target).container_client("backups");
    backups.create().await.unwrap();
    let backup = backups.page_blob_client("disk");
    Two { source, vhds, disk, target, backups, backup }
}

async fn snapshot(disk: &PageBlobClient) -> SnapshotId {
    disk.create_snapshot().await.unwrap().snapshot
}

async fn content(blob: &PageBlobClient) -> Vec<u8> {
    blob.download().await.unwrap().bytes().await.unwrap().to_vec()
}

/// The codes of a refusal: its own, and that of the source's server.
#[track_caller]
fn codes(refused: Result<impl Sized, Error>) -> (u16, String, Option<(u16, String)>) {
    let Err(Error::Service(error)) = refused else { panic!("not refused by the service") };
    let source = error.source_status.map(|status| status.as_u16());
    let source = source.zip(error.source_code.map(|code| code.to_string()));
    (error.status.as_u16(), error.code.to_string(), source)
}

fn only(status: u16, code: ErrorCode) -> (u16, String, Option<(u16, String)>) {
    (status, code.to_string(), None)
}

fn unreadable(status: u16, code: &str) -> (u16, String, Option<(u16, String)>) {
    (status, ErrorCode::CannotVerifyCopySource.to_string(), Some((status, code.to_owned())))
}

#[tokio::test]
async fn the_first_incremental_copy_moves_what_is_written_and_the_second_what_changed() {
    let Two { source, disk, target: _target, backup, .. } = two().await;
    let first = snapshot(&disk).await;
    let copied = backup.start_copy_incremental(&disk, &first).await.unwrap().wait().await.unwrap();
    let kept_first = copied.destination_snapshot.unwrap();

    disk.upload_pages(100 * 512, vec![2; 3 * PAGE]).await.unwrap();
    disk.upload_pages(4 * 512, vec![3; PAGE]).await.unwrap();
    disk.clear_pages(0..1024).await.unwrap();
    disk.resize(200 * 512).await.unwrap();
    let second = snapshot(&disk).await;
    source.forget_requests();
    let copied = backup.start_copy_incremental(&disk, &second).await.unwrap().wait().await.unwrap();
    let kept_second = copied.destination_snapshot.unwrap();
    // Nothing else was transferred.
    let reads = source.requests();
    let reads = reads.iter().filter(|read| read.op() == Op::GetBlob);
    let ranges: Vec<_> = reads.map(|read| read.header("range").unwrap()).collect();
    assert_eq!(ranges, ["bytes=2048-2559", "bytes=51200-52735"]);

    for (theirs, ours) in [(&first, &kept_first), (&second, &kept_second)] {
        let (theirs, ours) = (disk.with_snapshot(theirs), backup.with_snapshot(ours));
        assert!(content(&theirs).await == content(&ours).await);
    }
    let changes = backup
        .with_snapshot(&kept_second)
        .get_page_ranges_diff(&kept_first)
        .collect_all()
        .await
        .unwrap();
    let here = |snapshot| disk.with_snapshot(snapshot);
    assert_eq!(
        changes.ranges,
        here(&second).get_page_ranges_diff(&first).collect_all().await.unwrap().ranges
    );
}

#[tokio::test]
async fn a_destination_is_tied_to_its_source_and_to_the_order_of_snapshots() {
    let Two { source: _source, vhds, disk, target: _target, backups, backup } = two().await;
    let (early, first) = (snapshot(&disk).await, snapshot(&disk).await);
    backup.start_copy_incremental(&disk, &first).await.unwrap().wait().await.unwrap();
    let start = async |snapshot| codes(backup.start_copy_incremental(&disk, snapshot).await);
    const EARLIER: ErrorCode = ErrorCode::IncrementalCopyOfEarlierSnapshotNotAllowed;
    assert_eq!(start(&early).await, only(409, EARLIER));
    assert_eq!(start(&first).await, only(409, EARLIER));

    // With the same name here, and with another name there.
    let twin = backups.page_blob_client("twin");
    twin.create(512).await.unwrap();
    let other = vhds.page_blob_client("other");
    other.create(512).await.unwrap();
    for another in [twin, other] {
        let snapshot = snapshot(&another).await;
        let refused = backup.start_copy_incremental(&another, &snapshot).await;
        assert_eq!(codes(refused), only(409, ErrorCode::IncrementalCopyBlobMismatch));
    }

    let second = snapshot(&disk).await;
    disk.with_snapshot(&first).delete().await.unwrap();
    const GONE: ErrorCode = ErrorCode::IncrementalCopyBlobPreviousSnapshotDoesNotExist;
    assert_eq!(start(&second).await, only(409, GONE));
}

#[tokio::test]
async fn a_source_made_anew_is_another_source() {
    let Two { source: _source, disk, target: _target, backup, .. } = two().await;
    let first = snapshot(&disk).await;
    backup.start_copy_incremental(&disk, &first).await.unwrap().wait().await.unwrap();
    disk.create(256 * 512).await.unwrap();
    let second = snapshot(&disk).await;
    let refused = backup.start_copy_incremental(&disk, &second).await;
    assert_eq!(codes(refused), only(409, ErrorCode::BlobOverwritten));
}

#[tokio::test]
async fn the_source_of_an_incremental_copy_must_be_open_to_the_other_simulator() {
    let Two { source, vhds, disk, target, backups, backup } = two().await;
    let first = snapshot(&disk).await;
    let url = |sas: &str| -> url::Url {
        format!("{}/vhds/disk?{sas}", source.endpoint(DEFAULT_ACCOUNT)).parse().unwrap()
    };
    let start = async |url, snapshot: &SnapshotId| {
        codes(backup.start_copy_incremental(url, snapshot).await)
    };
    let (good, bad) = (url(&source_sas("/vhds/disk")), url(&source_sas("/vhds/other")));
    assert_eq!(start(url(""), &first).await, unreadable(401, "NoAuthenticationInformation"));
    assert_eq!(start(bad, &first).await, unreadable(403, "AuthenticationFailed"));
    let missing = "2020-01-01T00:00:00.0000000Z".parse().unwrap();
    assert_eq!(start(good.clone(), &missing).await, unreadable(404, "BlobNotFound"));

    // A public container needs no SAS, neither for the content nor for the changes.
    let open = client(&source).container_client("open");
    open.create().public_access(PublicAccessType::Blob).await.unwrap();
    let public = open.page_blob_client("disk");
    public.create(512).await.unwrap();
    let copy = backups.page_blob_client("public");
    for _ in 0..2 {
        let (url, snapshot) = (public.url().unwrap(), snapshot(&public).await);
        copy.start_copy_incremental(url, &snapshot).await.unwrap().wait().await.unwrap();
    }

    let notes = vhds.block_blob_client("notes");
    notes.upload("some notes").await.unwrap();
    let text = notes.create_snapshot().await.unwrap().snapshot;
    let refused = backup.start_copy_incremental(&notes, &text).await;
    assert_eq!(codes(refused), only(409, ErrorCode::InvalidSourceBlobType));

    let foreign = wiremock::MockServer::start().await;
    let elsewhere: url::Url = format!("{}/vhds/disk", foreign.uri()).parse().unwrap();
    assert_eq!(start(elsewhere, &first).await, only(409, ErrorCode::InvalidSourceBlobUrl));

    drop(source);
    assert_eq!(start(good, &first).await, only(500, ErrorCode::CannotVerifyCopySource));
    assert_eq!(target.copies().started(), 2);
    assert!(!backup.exists().await.unwrap());
}

#[tokio::test]
async fn a_copy_fails_when_its_source_changes_or_goes_before_its_end() {
    let Two { source, disk, target, backups, backup, .. } = two().await;
    let status = async |blob: &PageBlobClient| {
        let copy = blob.get_properties().await.unwrap().copy.unwrap();
        (copy.status, copy.description)
    };
    let description = "404 ResourceNotFound \"Copy failed when reading the source.\"";
    let failed = (CopyStatus::Failed, Some(description.to_owned()));
    target.copies().hold();

    let first = snapshot(&disk).await;
    backup.start_copy_incremental(&disk, &first).await.unwrap();
    disk.upload_pages(0, vec![5; PAGE]).await.unwrap(); // of no consequence to the snapshot
    assert_eq!(status(&backup).await, (CopyStatus::Pending, None));
    disk.with_snapshot(&first).delete().await.unwrap();
    assert_eq!(status(&backup).await, failed);

    let [asked, due] = ["asked", "due"].map(|name| backups.page_blob_client(name));
    asked.start_copy_from_uri(&disk).await.unwrap();
    assert_eq!(status(&asked).await, (CopyStatus::Pending, None));
    disk.upload_pages(0, vec![6; PAGE]).await.unwrap();
    assert_eq!(status(&asked).await, failed);

    // Nobody requests this one before it would have ended.
    due.start_copy_from_uri(&disk).await.unwrap();
    drop(source);
    target.copies().into_blob("backups", "due").release();
    assert!(asked.exists().await.unwrap());
    assert_eq!(target.copies().pending(), 0);
    assert_eq!(status(&due).await, failed);
}

#[tokio::test]
async fn of_a_range_of_the_source_no_more_is_read() {
    let source = Simulator::builder().start().await.unwrap();
    let kit = Kit::around(source);
    kit.container("vhds");
    kit.block_blob("/vhds/notes", b"0123456789");
    let notes = client(&kit.sim).container_client("vhds").blob_client("notes");
    let target = Simulator::builder().start().await.unwrap();
    let here = client(&target).container_client("one");
    here.create().await.unwrap();

    kit.sim.forget_requests();
    let log = here.append_blob_client("log");
    log.create().await.unwrap();
    log.append_block_from_uri(&notes).source_range(7..9).await.unwrap();
    assert_eq!(log.download().await.unwrap().bytes().await.unwrap(), "78");
    let seen = kit.sim.requests();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].op(), seen[0].header("range")), (Op::GetBlob, Some("bytes=7-8")));

    let refused = log.append_block_from_uri(&notes).source_range(10..12).await;
    assert_eq!(codes(refused), unreadable(416, "InvalidRange"));
}
