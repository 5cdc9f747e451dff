//! Uploads and downloads, on the simulator and on virtual time.

use std::time::Duration;

use blobcopy::{
    BlobServiceClient, BlockId, Clock, Conditions, DeleteSnapshots, ETag, Error, ErrorCode,
    PageBlobClient, transport::TransportErrorKind,
};
use blobcopy_simulator::{Op, Simulator};
use bytes::Bytes;
use futures_util::TryStreamExt;
use time::macros::datetime;

use crate::support::script::{Script, Step, answer, sent};

async fn world() -> (Simulator, BlobServiceClient, PageBlobClient) {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let sim = Simulator::builder().clock(clock).build();
    let service = sim.service_client().expect("a client");
    let vhds = service.container_client("vhds");
    vhds.create().await.expect("created");
    (sim, service, vhds.page_blob_client("disk0.vhd"))
}

/// Content in which all pages differ.
fn content(pages: usize) -> Vec<u8> {
    (0..pages).flat_map(|page| page.to_le_bytes().repeat(64)).collect()
}

#[tokio::test(start_paused = true)]
async fn pages_of_any_length_are_written_in_pieces_and_read_back() {
    let (sim, _, disk) = world().await;
    for pages in [1, 8192, 8193, 3 * 8192 + 7] {
        disk.create(64 << 20).await.expect("created");
        sim.forget_requests();
        let content = content(pages);
        disk.upload_pages(512, content.clone()).await.expect("written");
        assert_eq!(sim.count(Op::PutPage), pages.div_ceil(8192) as u64);
        let end = 512 + content.len() as u64;
        let read = disk.download().range(512..end).await.expect("opened").bytes().await;
        assert!(read.expect("read") == content, "{pages} pages differ");
        sim.forget_requests();
    }
}

#[tokio::test(start_paused = true)]
async fn an_etag_is_given_only_where_it_is_the_last_one() {
    let (sim, service, disk) = world().await;
    disk.create(16 << 20).await.expect("created");
    let now = async || disk.get_properties().await.expect("there").etag;
    let one = disk.upload_pages(0, content(1)).await.expect("written");
    assert_eq!(one.etag, now().await);
    let in_turn = disk.upload_pages(0, content(3 * 8192)).concurrency(1).await.expect("written");
    assert_eq!(in_turn.etag, now().await);
    // The others are in flight while the first is sent again.
    sim.faults().on(Op::PutPage).reset().times(1);
    let at_once = disk.upload_pages(0, content(3 * 8192)).await.expect("written");
    assert_eq!((at_once.etag, at_once.content_md5), (None, None));
    assert_eq!(at_once.sequence_number, Some(0));
    let other = service.container_client("vhds").page_blob_client("disk1.vhd");
    other.create(16 << 20).await.expect("created");
    sim.faults().on(Op::PutPageFromUrl).reset().times(1);
    let copied = other.upload_pages_from_uri(&disk, 0..16 << 20, 0).await.expect("copied");
    assert_eq!(copied.etag, None);
}

#[tokio::test(start_paused = true)]
async fn content_that_was_damaged_on_its_way_is_refused() {
    let (_, service, disk) = world().await;
    let notes = service.container_client("vhds").block_blob_client("notes.txt");
    let md5_of_hello = *b"\x5d\x41\x40\x2a\xbc\x4b\x2a\x76\xb9\x71\x9d\x91\x10\x17\xc5\x92";
    notes.upload("hello").content_md5(md5_of_hello).await.expect("as it was");
    let error = notes.upload("hellp").content_md5(md5_of_hello).await.expect_err("damaged");
    assert_eq!(error.code(), Some(&ErrorCode::Md5Mismatch));

    let staged = notes.stage_block(BlockId::numbered(1), content(1)).await.expect("staged");
    let crc64 = staged.content_crc64.expect("told");
    disk.create(1 << 20).await.expect("created");
    disk.upload_pages(512, content(1)).content_crc64(crc64).await.expect("as it was");
    let error = disk.upload_pages(0, vec![1; 512]).content_crc64(crc64).await;
    assert_eq!(error.expect_err("damaged").code(), Some(&ErrorCode::Crc64Mismatch));
}

#[tokio::test(start_paused = true)]
async fn a_piece_that_meets_trouble_is_sent_again() {
    let (sim, _, disk) = world().await;
    disk.create(16 << 20).await.expect("created");
    sim.faults().on(Op::PutPage).reset().times(2);
    sim.faults().on(Op::PutPage).answer(503, "ServerBusy").times(2);
    let content = content(4 * 8192);
    disk.upload_pages(0, content.clone()).await.expect("written");
    let read = disk.download().await.expect("opened").bytes().await.expect("read");
    assert!(read == content);
}

#[tokio::test(start_paused = true)]
async fn cleared_pages_are_zero_and_not_listed() {
    let (_, _, disk) = world().await;
    disk.create(1 << 20).await.expect("created");
    disk.upload_pages(0, vec![1; 4096]).await.expect("written");
    disk.clear_pages(512..1536).await.expect("cleared");
    let listed = disk.get_page_ranges().collect_all().await.expect("listed");
    let ranges: Vec<_> = listed.ranges.iter().map(|range| (range.start, range.end)).collect();
    assert_eq!(ranges, [(0, 512), (1536, 4096)]);
    assert_eq!(listed.content_length, 1 << 20);
    let part = disk.get_page_ranges().range(0..1024).collect_all().await.expect("listed");
    assert_eq!(part.ranges.len(), 1);
    let read = disk.download().range(511..1537).await.expect("opened").bytes().await.expect("read");
    assert_eq!((read[0], read[1], read[1024], read[1025]), (1, 0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_ranges_is_read_page_by_page() {
    let (sim, _, disk) = world().await;
    disk.create(1 << 20).await.expect("created");
    for page in 0..25 {
        disk.upload_pages(page * 1024, vec![1; 512]).await.expect("written");
    }
    let listed = disk.get_page_ranges().page_size(10).collect_all().await.expect("listed");
    let starts: Vec<_> = listed.ranges.iter().map(|range| range.start).collect();
    assert_eq!(starts, (0..25).map(|page| page * 1024).collect::<Vec<_>>());
    assert_eq!(sim.count(Op::GetPageRanges), 3);
}

/// A disk and a snapshot of it, after which pages were written and cleared in turn.
async fn changed_since() -> (Simulator, PageBlobClient, blobcopy::SnapshotId) {
    let (sim, _, disk) = world().await;
    disk.create(1 << 20).await.expect("created");
    disk.upload_pages(0, vec![1; 64 << 10]).await.expect("written");
    let before = disk.create_snapshot().await.expect("taken").snapshot;
    for page in 0..8 {
        disk.upload_pages(page * 4096, vec![2; 1024]).await.expect("written");
        disk.clear_pages(page * 4096 + 2048..page * 4096 + 2560).await.expect("cleared");
    }
    sim.forget_requests();
    (sim, disk, before)
}

#[tokio::test(start_paused = true)]
async fn differences_come_in_order_changed_and_cleared_told_apart() {
    let (sim, disk, before) = changed_since().await;
    let diff = disk.get_page_ranges_diff(&before).page_size(3).collect_all().await.expect("listed");
    assert!(diff.ranges.is_sorted_by_key(|item| item.range().start), "{diff:?}");
    let kinds: Vec<_> = diff.ranges.iter().map(blobcopy::PageRangeItem::is_clear).collect();
    assert_eq!(kinds, [false, true].repeat(8));
    let starts = |ranges: Vec<blobcopy::PageRange>| -> Vec<u64> {
        ranges.iter().map(|range| range.start).collect()
    };
    let every = |offset: u64| (0..8).map(|page| page * 4096 + offset).collect::<Vec<_>>();
    assert_eq!(starts(diff.changed().collect()), every(0));
    assert_eq!(starts(diff.cleared().collect()), every(2048));
    assert_eq!(diff.content_length, 1 << 20);
    assert_eq!(sim.count(Op::GetPageRanges), 6);

    let part =
        disk.get_page_ranges_diff(&before).range(4096..6144).collect_all().await.expect("listed");
    assert_eq!((part.changed().count(), part.cleared().count()), (1, 0));
    let later = disk.create_snapshot().await.expect("taken").snapshot;
    let between = disk.with_snapshot(&later).get_page_ranges_diff(&before);
    let between = between.collect_all().await.expect("listed");
    assert_eq!(between.ranges, diff.ranges);
    let none = disk.get_page_ranges_diff(&later).collect_all().await.expect("listed");
    assert!(none.ranges.is_empty());
    let none = disk.get_page_ranges_diff(before_all()).collect_all().await;
    let error = none.expect_err("no such snapshot");
    assert_eq!(error.code(), Some(&ErrorCode::PreviousSnapshotNotFound));
}

fn before_all() -> blobcopy::SnapshotId {
    "2020-01-01T00:00:00.0000000Z".parse().expect("a snapshot")
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_ranges_asks_for_a_page_when_it_is_needed() {
    let (sim, disk, before) = changed_since().await;
    let mut items = disk.get_page_ranges_diff(&before).page_size(4);
    for _ in 0..4 {
        items.try_next().await.expect("listed").expect("more");
    }
    assert_eq!(sim.count(Op::GetPageRanges), 1);
    items.try_next().await.expect("listed").expect("more");
    assert_eq!(sim.count(Op::GetPageRanges), 2);

    let whole = disk.get_page_ranges().collect_all().await.expect("listed").ranges;
    let streamed = disk.get_page_ranges().page_size(5).try_collect::<Vec<_>>().await;
    assert_eq!(streamed.expect("listed"), whole);

    sim.faults().on(Op::GetPageRanges).answer(404, "BlobNotFound").times(1);
    let mut broken = disk.get_page_ranges();
    broken.try_next().await.expect_err("refused");
    assert!(broken.try_next().await.expect("over").is_none(), "an error ends it");
}

#[tokio::test(start_paused = true)]
async fn the_size_of_a_difference_is_that_of_the_snapshots_of_the_next_incremental_copy() {
    let (_, service, disk) = world().await;
    disk.create(1 << 20).await.expect("created");
    disk.upload_pages(0, vec![1; 64 << 10]).await.expect("written");
    let backups = service.container_client("backups");
    backups.create().await.expect("created");
    let backup = backups.page_blob_client("disk0.vhd");
    let first = disk.create_snapshot().await.expect("taken").snapshot;
    let copy = async |snapshot: &blobcopy::SnapshotId| {
        let copy = backup.start_copy_incremental(&disk, snapshot);
        let done = copy.await.expect("started").wait().await.expect("copied");
        done.destination_snapshot.expect("kept")
    };
    let first_kept = copy(&first).await;

    disk.upload_pages(4096, vec![2; 1536]).await.expect("written");
    disk.clear_pages(0..1024).await.expect("cleared");
    let size = disk.diff_size(&first).await.expect("listed");
    let second = disk.create_snapshot().await.expect("taken").snapshot;
    let second_kept = copy(&second).await;
    let moved = backup.with_snapshot(&second_kept).diff_size(&first_kept);
    assert_eq!((moved.await.expect("listed"), size), (1536, 1536));
}

#[tokio::test(start_paused = true)]
async fn ranges_are_those_of_rust() {
    let (_, service, _) = world().await;
    let notes = service.container_client("vhds").block_blob_client("notes.txt");
    notes.upload("0123456789").content_type("text/plain").await.expect("uploaded");
    let read = async |download: blobcopy::builders::DownloadBlob| {
        let download = download.await.expect("opened");
        let offset = download.offset;
        (offset, download.bytes().await.expect("read"))
    };
    assert_eq!(read(notes.download()).await, (0, Bytes::from("0123456789")));
    assert_eq!(read(notes.download().range(..)).await, (0, Bytes::from("0123456789")));
    assert_eq!(read(notes.download().range(2..5)).await, (2, Bytes::from("234")));
    assert_eq!(read(notes.download().range(2..=5)).await, (2, Bytes::from("2345")));
    assert_eq!(read(notes.download().range(7..)).await, (7, Bytes::from("789")));
    assert_eq!(read(notes.download().range(..3)).await, (0, Bytes::from("012")));
    assert_eq!(read(notes.download().range(7..100)).await, (7, Bytes::from("789")));
    let error = notes.download().range(10..).await.expect_err("behind the end");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(416));
    let download = notes.download().await.expect("opened");
    assert_eq!(download.properties.content_type.as_deref(), Some("text/plain"));
}

#[tokio::test(start_paused = true)]
async fn an_empty_blob_is_read_whole() {
    let (_, service, _) = world().await;
    let empty = service.container_client("vhds").block_blob_client("empty");
    empty.upload("").await.expect("uploaded");
    assert!(empty.download().await.expect("opened").bytes().await.expect("read").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_download_goes_on_where_the_connection_broke() {
    let (sim, _, disk) = world().await;
    disk.create(4 << 20).await.expect("created");
    let content = content(8192);
    disk.upload_pages(0, content.clone()).await.expect("written");
    for breaks in [1, 3, 12] {
        sim.faults().on(Op::GetBlob).truncate_body(300_000).times(breaks);
        let read = disk.download().await.expect("opened").bytes().await.expect("read");
        assert!(read == content, "{breaks} breaks");
    }
}

#[tokio::test(start_paused = true)]
async fn a_download_does_not_go_on_with_another_content() {
    let (sim, service, _) = world().await;
    let notes = service.container_client("vhds").block_blob_client("notes.txt");
    notes.upload(vec![1; 1 << 20]).await.expect("uploaded");
    sim.faults().on(Op::GetBlob).truncate_body(1000).times(1);
    let mut download = notes.download().await.expect("opened");
    download.try_next().await.expect("the first bytes");
    notes.upload(vec![2; 1 << 20]).await.expect("overwritten");
    let error = download.bytes().await.expect_err("changed meanwhile");
    assert_eq!(error.code(), Some(&ErrorCode::ConditionNotMet));
}

#[tokio::test(start_paused = true)]
async fn a_download_that_never_gets_on_ends() {
    let head = "Content-Length: 10\nETag: \"0x1\"";
    let rest = Step::Fault(TransportErrorKind::Interrupted);
    let script = Script::new([answer(200, head), rest]);
    let blob = script.service().container_client("vhds").blob_client("notes.txt");
    let error = blob.download().await.expect("the head").bytes().await.expect_err("no body");
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    let again = &script.seen()[1];
    assert_eq!(sent(again.headers(), "x-ms-range"), Some("bytes=0-9"));
    assert_eq!(sent(again.headers(), "if-match"), Some("\"0x1\""));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_download_is_taken_up_again() {
    let (sim, _, disk) = world().await;
    disk.create(1 << 20).await.expect("created");
    sim.faults().on(Op::GetBlob).stall(Duration::from_secs(500)).times(1);
    disk.download().await.expect("the second try").bytes().await.expect("read");
    assert_eq!(sim.count(Op::GetBlob), 2);
}

#[tokio::test(start_paused = true)]
async fn snapshots_stay_what_they_were_and_are_deleted_with_or_without_the_blob() {
    let (_, _, disk) = world().await;
    disk.create(512).await.expect("created");
    disk.upload_pages(0, vec![1; 512]).await.expect("written");
    let first = disk.create_snapshot().await.expect("taken").snapshot;
    disk.upload_pages(0, vec![2; 512]).await.expect("written");
    disk.create_snapshot().await.expect("taken");
    let kept = disk.with_snapshot(&first).download().await.expect("opened").bytes().await;
    assert_eq!(kept.expect("read"), vec![1; 512]);

    let error = disk.delete().await.expect_err("it has snapshots");
    assert_eq!(error.code(), Some(&ErrorCode::SnapshotsPresent));
    disk.with_snapshot(&first).delete().await.expect("deleted");
    assert!(!disk.with_snapshot(&first).exists().await.expect("answered"));
    disk.delete().snapshots(DeleteSnapshots::Only).await.expect("deleted");
    disk.delete().await.expect("deleted");
    assert!(!disk.exists().await.expect("answered"));
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_is_not_met_is_told() {
    let (_, service, disk) = world().await;
    disk.create(512).await.expect("created");
    let absent = || Conditions::new().if_none_match(ETag::ANY);
    let error = disk.create(512).conditions(absent()).await.expect_err("it exists");
    assert!([409, 412].contains(&error.status().expect("refused").as_u16()), "{error}");
    let etag = disk.get_properties().await.expect("there").etag.expect("given");
    let error =
        disk.get_properties().conditions(Conditions::new().if_none_match(etag.clone())).await;
    assert_eq!(error.expect_err("unchanged").status().map(|status| status.as_u16()), Some(304));
    disk.upload_pages(0, vec![1; 512]).await.expect("written");
    let stale = disk.upload_pages(0, vec![2; 512]).conditions(Conditions::new().if_match(etag));
    assert_eq!(stale.await.expect_err("changed").code(), Some(&ErrorCode::ConditionNotMet));
    let gone = service.container_client("nowhere");
    assert_eq!(
        gone.get_properties().await.expect_err("none").code(),
        Some(&ErrorCode::ContainerNotFound)
    );
}
