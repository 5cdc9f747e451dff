//! Page blobs of another account, range by range.

use std::time::Duration;

use blobcopy_simulator::Op;

use super::world::{CUTS, Cut, World, bytes, content, pass};
use crate::{
    Metadata, PageBlobClient, PageRange,
    jobs::{
        Skipped,
        routes::{
            NotCarried, Why,
            mark::Mark,
            pages::{carry, cost},
        },
        task::{Carried, Settings, Task},
    },
};

const NAME: &str = "disk0.vhd";
const MIB: u64 = 1 << 20;
const LENGTH: u64 = 2 * MIB;

fn three_at_once() -> Settings {
    Settings { in_flight: 3, ..Settings::default() }
}

fn pinned() -> Settings {
    Settings { snapshot_sources: false, ..three_at_once() }
}

/// A sparse disk: five ranges, the first written in two parts.
async fn disk() -> World {
    let world = World::new().await;
    let disk = world.from.page_blob_client(NAME);
    disk.create(LENGTH)
        .sequence_number(5)
        .content_type("application/x-vhd")
        .stored_md5([7; 16])
        .metadata([("owner", "team a")])
        .tags([("stage", "golden")])
        .await
        .expect("created");
    for (offset, length) in
        [(4096, 512), (4608, 1024), (8192, 512), (9216, 512), (MIB, 4096), (LENGTH - 512, 512)]
    {
        let content = bytes(offset, usize::try_from(length).expect("small"));
        disk.upload_pages(offset, content).await.expect("written");
    }
    world
}

/// The pieces of that disk, and its data.
const PIECES: u64 = 5;
const DATA: u64 = 1536 + 512 + 512 + 4096 + 512;

async fn run(world: &World, settings: Settings) -> Result<Carried, NotCarried> {
    carry(&world.task(NAME, settings).await).await
}

async fn ranges(disk: &PageBlobClient) -> Vec<PageRange> {
    let mut joined = Vec::<PageRange>::new();
    for range in disk.get_page_ranges().collect_all().await.expect("listed").ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// The copy is whole and its mark is off; no snapshot is left.
async fn is_done(world: &World, context: &str) {
    let (from, to) = (world.from.page_blob_client(NAME), world.to.page_blob_client(NAME));
    let source = from.get_properties().await.expect("there");
    let copy = to.get_properties().await.expect("there");
    assert_eq!(copy.metadata, source.metadata, "{context}");
    assert_eq!(copy.sequence_number, source.sequence_number, "{context}");
    assert_eq!(copy.content_length, source.content_length, "{context}");
    assert_eq!(copy.content_type, source.content_type, "{context}");
    assert_eq!(copy.content_md5, source.content_md5, "{context}");
    assert_eq!(ranges(&to).await, ranges(&from).await, "{context}");
    assert!(content(&world.from, NAME).await == content(&world.to, NAME).await, "{context}");
    assert_eq!(world.snapshots(NAME).await, 0, "{context}");
}

#[tokio::test(start_paused = true)]
async fn only_ranges_with_data_are_copied_from_a_snapshot_that_is_deleted() {
    let world = disk().await;
    let carried = run(&world, three_at_once()).await.expect("carried");
    is_done(&world, "untorn").await;
    // Create, snapshot, ranges, pieces, properties, number, metadata, delete the snapshot.
    assert_eq!(world.sent(), PIECES + 7);
    let tags = world.to.blob_client(NAME).get_tags().await.expect("there");
    assert_eq!(tags.get("stage"), Some("golden"));
    let copy = world.to.blob_client(NAME).get_properties().await.expect("there");
    assert_eq!(carried.destination_etag, copy.etag);
    let proved: u64 = carried.pieces.iter().map(|piece| piece.length).sum();
    assert_eq!((carried.length, carried.bytes, proved), (LENGTH, DATA, DATA));
    assert!(carried.left_behind.is_none() && !carried.is_adopted);
    for request in world.seen(Op::PutPageFromUrl) {
        assert!(request.header("x-ms-if-sequence-number-eq").is_some(), "{request:?}");
        assert!(request.header("x-ms-copy-source").is_some_and(|url| url.contains("snapshot=")));
    }
}

#[tokio::test(start_paused = true)]
async fn adjacent_ranges_are_joined_and_cut_at_4_mib() {
    let world = World::new().await;
    let disk = world.from.page_blob_client(NAME);
    disk.create(16 * MIB).await.expect("created");
    for offset in [512, MIB + 512, 2 * MIB + 512] {
        disk.upload_pages(offset, bytes(offset, 1 << 20)).await.expect("written");
    }
    disk.upload_pages(3 * MIB + 512, bytes(4, 3 << 20)).await.expect("written");
    let carried = run(&world, three_at_once()).await.expect("carried");
    let pieces: Vec<_> = carried.pieces.iter().map(|piece| (piece.offset, piece.length)).collect();
    assert_eq!(pieces, [(512, 4 * MIB), (4 * MIB + 512, 2 * MIB)]);
    is_done(&world, "joined").await;
}

#[tokio::test(start_paused = true)]
async fn the_copy_is_of_the_source_as_it_was_listed() {
    let world = disk().await;
    let before = content(&world.from, NAME).await;
    let (from, task) = (world.from.page_blob_client(NAME), world.task(NAME, three_at_once()).await);
    // The disk is written while it is copied, once its snapshot is taken.
    let stalled = world.sim.faults().on(Op::GetPageRanges);
    let _ = stalled.stall(Duration::from_secs(10)).times(1);
    let (carried, ()) = tokio::join!(carry(&task), async {
        pass(5).await;
        from.upload_pages(MIB, vec![9; 512]).await.expect("written");
        from.clear_pages(8192..8704).await.expect("cleared");
    });
    carried.expect("carried");
    assert!(content(&world.to, NAME).await == before);
    assert_eq!(world.snapshots(NAME).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_pinned_source_that_is_written_meanwhile_has_changed() {
    let world = disk().await;
    let from = world.from.page_blob_client(NAME);
    for op in [Op::GetPageRanges, Op::PutPageFromUrl] {
        let task = world.task(NAME, pinned()).await;
        let stalled = world.sim.faults().on(op);
        let _ = stalled.stall(Duration::from_secs(10)).times(1);
        let (carried, ()) = tokio::join!(carry(&task), async {
            pass(5).await;
            from.upload_pages(MIB, vec![9; 512]).await.expect("written");
        });
        assert_eq!(carried.expect_err("it changed").why, Why::SourceChanged, "{op}");
        let partial = world.to.blob_client(NAME).get_properties().await.expect("there");
        assert!(Mark::is_on(&partial.metadata));
    }
    let carried = run(&world, pinned()).await.expect("carried");
    assert!(!carried.is_adopted, "pages of the source as it was are not trusted");
    is_done(&world, "again").await;
    assert_eq!(world.sim.count(Op::SnapshotBlob), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_cut_off_anywhere_is_gone_on_with() {
    for settings in [three_at_once(), pinned()] {
        let last = PIECES + if settings.snapshot_sources { 7 } else { 5 };
        for cut in CUTS {
            for request in 1..=last {
                let context = format!("{cut:?} at {request} {}", settings.snapshot_sources);
                let world = disk().await;
                world.cut(Some((request, cut)));
                let torn = run(&world, settings.clone()).await;
                if request < last {
                    torn.expect_err(&context);
                }
                world.cut(None);
                let before = world.sim.count(Op::PutPageFromUrl);
                let there = world.to.blob_client(NAME).exists().await.expect("answered");
                let task = world.task(NAME, settings.clone()).await;
                let planned = cost(&task).await.expect(&context);
                world.cut(None);
                let carried = carry(&task).await.expect(&context);
                assert_eq!(world.sent(), planned.requests, "{context}");
                assert_eq!(carried.bytes, planned.bytes, "{context}");
                let written = world.sim.count(Op::PutPageFromUrl) - before;
                assert_eq!((carried.data, carried.adds_up()), (DATA, carried.bytes == DATA));
                if there && carried.is_adopted {
                    assert!(written + before <= PIECES + 3, "{context}: {before} and {written}");
                }
                is_done(&world, &context).await;
                pass(120).await;
                // Nothing refuses a snapshot that is taken late, and nobody knows of it.
                if !(settings.snapshot_sources && (request, cut) == (2, Cut::Late)) {
                    is_done(&world, &format!("{context}, after what was late")).await;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_piece_that_lands_late_spoils_nothing_that_is_written_later() {
    let world = disk().await;
    world.cut(Some((3, Cut::Late)));
    run(&world, pinned()).await.expect_err("cut off");
    world.cut(None);
    run(&world, pinned()).await.expect("carried");
    // The source is as it was, so only the number can refuse the late piece.
    let copy = world.to.page_blob_client(NAME);
    copy.upload_pages(4096, vec![9; 1536]).await.expect("written");
    let before = content(&world.to, NAME).await;
    pass(120).await;
    assert!(content(&world.to, NAME).await == before);
    let late = world.seen(Op::PutPageFromUrl).pop().expect("it came");
    assert_eq!(late.code(), Some("SequenceNumberConditionNotMet"));
}

#[tokio::test(start_paused = true)]
async fn what_must_be_proved_is_written_again() {
    let world = disk().await;
    world.cut(Some((6, Cut::Applied)));
    run(&world, three_at_once()).await.expect_err("cut off");
    world.cut(None);
    let settings = Settings { proved: true, ..three_at_once() };
    let carried = run(&world, settings).await.expect("carried");
    let proved: u64 = carried.pieces.iter().map(|piece| piece.length).sum();
    assert_eq!((proved, carried.data, carried.adds_up()), (DATA, DATA, true));
    is_done(&world, "proved").await;
}

#[tokio::test(start_paused = true)]
async fn a_partial_copy_of_a_source_that_changed_is_started_over() {
    for request in 1..=PIECES + 7 {
        let world = disk().await;
        world.cut(Some((request, Cut::Late)));
        let _ = run(&world, three_at_once()).await;
        world.cut(None);
        let from = world.from.page_blob_client(NAME);
        from.clear_pages(MIB..MIB + 1024).await.expect("cleared");
        from.upload_pages(16 << 10, bytes(3, 4096)).await.expect("written");
        let carried = run(&world, three_at_once()).await.expect("carried");
        assert!(!carried.is_adopted && carried.left_behind.is_none());
        pass(120).await;
        // A snapshot that was taken late is not known to anyone.
        if request != 2 {
            is_done(&world, &format!("late at {request}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_others_is_overwritten() {
    let world = disk().await;
    let there = world.to.page_blob_client(NAME);
    let theirs = || there.create(512).metadata([("theirs", "yes")]);
    let task = world.task(NAME, three_at_once()).await;
    theirs().await.expect("created");
    assert_eq!(carry(&task).await.expect_err("it appeared").why, Why::DestinationChanged);
    let task = world.task(NAME, three_at_once()).await;
    theirs().await.expect("created");
    assert_eq!(carry(&task).await.expect_err("it changed").why, Why::DestinationChanged);
    assert_eq!(there.get_properties().await.expect("there").metadata.get("theirs"), Some("yes"));
    assert_eq!(world.snapshots(NAME).await, 0);

    let block = world.to.block_blob_client(NAME);
    there.delete().await.expect("deleted");
    block.upload("theirs").await.expect("uploaded");
    let error = run(&world, three_at_once()).await.expect_err("of another type");
    assert_eq!(error.why, Why::Skipped(Skipped::OtherType));
    block.delete().await.expect("deleted");
    theirs().await.expect("created");
    run(&world, three_at_once()).await.expect("it is seen now");
    is_done(&world, "over another").await;
}

/// Runs `meanwhile` while the pieces of `task` are written.
async fn meanwhile(
    world: &World,
    task: &Task,
    meanwhile: impl AsyncFnOnce(),
) -> Result<Carried, NotCarried> {
    let stalled = world.sim.faults().on(Op::PutPageFromUrl);
    let _ = stalled.stall(Duration::from_secs(10)).times(1);
    let during = async {
        pass(5).await;
        meanwhile().await;
    };
    tokio::join!(carry(task), during).0
}

#[tokio::test(start_paused = true)]
async fn a_run_that_lost_its_destination_says_so() {
    let world = disk().await;
    let task = world.task(NAME, three_at_once()).await;
    let there = world.to.page_blob_client(NAME);
    // Another run takes the blob over.
    let lost = meanwhile(&world, &task, async || {
        carry(&world.task(NAME, three_at_once()).await).await.expect("carried");
    });
    assert_eq!(lost.await.expect_err("it is the other's").why, Why::DestinationChanged);
    let copy = there.get_properties().await.expect("there");
    assert!(!Mark::is_on(&copy.metadata));
    assert!(content(&world.from, NAME).await == content(&world.to, NAME).await);

    // It is deleted, or created again by somebody else.
    let task = world.task(NAME, three_at_once()).await;
    let gone = meanwhile(&world, &task, async || there.delete().await.expect("deleted"));
    assert_eq!(gone.await.expect_err("deleted").why, Why::DestinationChanged);
    let task = world.task(NAME, three_at_once()).await;
    let new = meanwhile(&world, &task, async || {
        there.create(LENGTH).metadata([("theirs", "yes")]).await.expect("created");
    });
    assert_eq!(new.await.expect_err("another").why, Why::DestinationChanged);
    let theirs = there.get_properties().await.expect("there").metadata;
    assert_eq!(theirs, Metadata::from([("theirs", "yes")]));
    assert_eq!(world.snapshots(NAME).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_gone_is_told() {
    let world = disk().await;
    for settings in [three_at_once(), pinned()] {
        let task = world.task(NAME, settings).await;
        world.from.blob_client(NAME).delete().await.expect("deleted");
        assert_eq!(carry(&task).await.expect_err("gone").why, Why::SourceGone);
        world.from.page_blob_client(NAME).create(512).await.expect("created");
    }
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_no_failures_and_leave_nothing() {
    for op in [
        Op::PutBlob,
        Op::SnapshotBlob,
        Op::PutPageFromUrl,
        Op::SetBlobProperties,
        Op::SetBlobMetadata,
        Op::DeleteBlob,
        Op::GetPageRanges,
    ] {
        let world = disk().await;
        let _ = world.sim.faults().on(op).lose_answer().times(1);
        run(&world, three_at_once()).await.unwrap_or_else(|error| panic!("{op}: {error:?}"));
        is_done(&world, op.name()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_cannot_be_deleted_is_told() {
    let world = disk().await;
    let _ = world.sim.faults().on(Op::DeleteBlob).answer(403, "AuthorizationPermissionMismatch");
    let carried = run(&world, three_at_once()).await.expect("carried");
    let snapshots = world.from.blob_client(NAME).list_snapshots().collect_all().await;
    let [left] = &snapshots.expect("listed")[..] else { panic!("one snapshot") };
    assert_eq!(carried.left_behind.as_ref(), Some(&left.snapshot));

    let world = disk().await;
    let _ = world.sim.faults().on(Op::DeleteBlob).answer(403, "AuthorizationPermissionMismatch");
    let _ = world.sim.faults().on(Op::PutPageFromUrl).answer(403, "AuthorizationFailure");
    let error = run(&world, three_at_once()).await.expect_err("refused");
    assert!(error.why == Why::Failed && error.left_behind.is_some(), "{error:?}");
    // The next run finds it and deletes it.
    world.sim.faults().clear();
    run(&world, three_at_once()).await.expect("carried");
    is_done(&world, "again").await;
}

#[tokio::test(start_paused = true)]
async fn ranges_that_take_too_long_are_asked_for_in_parts() {
    let world = World::new().await;
    let disk = world.from.page_blob_client(NAME);
    disk.create(1 << 40).await.expect("created");
    for start in [0, 300 << 30, (1 << 40) - 512] {
        disk.upload_pages(start, vec![1; 512]).await.expect("written");
    }
    // Each of the attempts at the whole, and at its first quarter.
    let _ = world.sim.faults().on(Op::GetPageRanges).answer(500, "OperationTimedOut").times(8);
    run(&world, three_at_once()).await.expect("carried");
    assert_eq!(ranges(&world.to.page_blob_client(NAME)).await, ranges(&disk).await);
}
