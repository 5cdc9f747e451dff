//! The real windows of a copy by changed ranges, whose ends are noted: the most that a torn run
//! writes again.

use blobcopy::{PageBlobClient, PageRange, disks::MirrorRoute};
use blobcopy_simulator::Op;

use super::world::World;

const KIB: u64 = 1 << 10;
const GIB: u64 = 1 << 30;

/// The most requests between two notes.
const MOST_REQUESTS: u64 = 4096;

/// The distance of the changes: the first window ends at 2 GiB.
const APART: u64 = 512 * KIB;

/// A disk of 3 GiB with a mirrored snapshot, and another with changes on both sides of the first
/// window's end and across it. How many requests they take.
async fn changed() -> (World, u64) {
    let world = World::new().await;
    let disk = world.disk();
    disk.resize(3 * GIB).await.expect("resized");
    disk.upload_pages(2 * GIB - 8 * KIB, vec![9; 32 << 10]).await.expect("written");
    world.grow(0).await;
    world.mirror().route(MirrorRoute::Ranges).run().await.expect("mirrored");
    let places = 3 * GIB / APART;
    for place in 1..places {
        let content = vec![u8::try_from(place % 250 + 1).expect("small"); 512];
        disk.upload_pages(place * APART, content).await.expect("written");
    }
    // Across the end of the window: written, cleared, written.
    disk.upload_pages(2 * GIB - 2 * KIB, vec![3; 3 << 10]).await.expect("written");
    disk.clear_pages(2 * GIB + KIB..2 * GIB + 2 * KIB).await.expect("cleared");
    disk.upload_pages(2 * GIB + 2 * KIB, vec![4; 512]).await.expect("written");
    disk.create_snapshot().await.expect("taken");
    (world, places - 1 + 2)
}

/// The ranges of a blob that hold data, joined.
async fn ranges(blob: &PageBlobClient) -> Vec<PageRange> {
    let mut joined: Vec<PageRange> = Vec::new();
    for range in blob.get_page_ranges().collect_all().await.expect("listed").ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// The newest copy has the ranges of its source, and the content of those near the border, and of
/// some others.
async fn is_equal(world: &World) {
    let chain = world.mirror().chain().await.expect("listed");
    let newest = chain.newest().expect("a copy");
    let id: blobcopy::SnapshotId = newest.equals.clone().expect("known").parse().expect("an id");
    let (source, copy) = (world.disk().with_snapshot(&id), newest.client(&world.backup()));
    let all = ranges(&source).await;
    assert!(ranges(&copy).await == all, "other ranges");
    for (number, range) in all.into_iter().enumerate() {
        if number % 100 == 0 || range.start.abs_diff(2 * GIB) < 4 * APART {
            let read = async |blob: &PageBlobClient| {
                let part = blob.download().range(range).await.expect("opened");
                part.bytes().await.expect("read")
            };
            assert!(read(&source).await == read(&copy).await, "{range:?} differs");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_torn_after_a_windows_note_writes_nothing_of_that_window_again() {
    let (world, requests) = changed().await;
    world.sim.forget_requests();
    let dead = world.sim.faults().on(Op::PutPageFromUrl).account("far").after(MOST_REQUESTS);
    drop(dead.reset());
    let torn = world.impatient().take_lock().in_flight(8).run().await;
    torn.expect_err("torn");
    world.sim.faults().clear();
    let noted = world.backup().get_properties().await.expect("there").metadata;
    let done: u64 = noted.get("blobcopy_mirror_done").expect("noted").parse().expect("a number");
    assert!((2 * GIB - 2 * KIB..=2 * GIB + APART).contains(&done), "{done}");
    world.sim.forget_requests();

    let report = world.mirror().take_lock().run().await.expect("it goes on");
    assert!(report.hops[0].resumed);
    let starts = world.sim.requests().into_iter().filter_map(|request| {
        let range = request.header("x-ms-range").filter(|_| request.op() == Op::PutPageFromUrl)?;
        range.strip_prefix("bytes=")?.split('-').next()?.parse::<u64>().ok()
    });
    let starts: Vec<u64> = starts.collect();
    assert!(starts.iter().all(|start| *start >= done), "{:?} before {done}", starts.iter().min());
    let again = u64::try_from(starts.len()).expect("few") + MOST_REQUESTS;
    assert!((requests - 1..=requests).contains(&again), "{again} of {requests}");
    is_equal(&world).await;
}
