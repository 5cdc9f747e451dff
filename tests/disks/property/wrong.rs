//! A small engine of the test itself, right or deliberately wrong: the judge must tell.

use std::time::Duration;

use blobcopy::{PageBlobClient, PageRange, PageRangeItem, SnapshotId};

use super::{
    disk::Disk,
    judge,
    truth::Taken,
    world::{Way, World},
};
use crate::jobs::seeds::{seeds, tried};

/// The most bytes of one request.
const MOST: u64 = 4 << 20;

/// From where the offset of a piece of a range is counted at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offsets {
    /// From the start of the blob.
    InBlob,
    /// From the start of the range, as if each range were a blob.
    InRange,
}

#[test]
fn the_judge_fails_an_engine_that_counts_offsets_inside_the_range() {
    for seed in seeds("BLOBCOPY_MIRROR_SEEDS", 2) {
        for way in [Way::Ranges, Way::Managed] {
            let right = tried(seed, judged(way, seed, Offsets::InBlob));
            assert_eq!(right, [""; 0], "{way:?}");
            let wrong = tried(seed, judged(way, seed, Offsets::InRange));
            let told = wrong.iter().filter(|wrong| wrong.contains("is not that of write"));
            assert!(told.count() > 10, "{way:?}: {wrong:?}");
        }
    }
}

/// What the judge says of an engine in the world of a seed.
async fn judged(way: Way, seed: u64, offsets: Offsets) -> Vec<String> {
    let (world, mut disk) = World::new(way, seed).await;
    for _ in 0..30 {
        disk.change().await;
        disk.snapshot().await;
    }
    let copies = mirror(&world, &disk, offsets).await;
    let mut wrong = Vec::new();
    for (taken, copy) in disk.taken.iter().zip(&copies) {
        let found = judge::wrong(&taken.content, copy).await;
        wrong.extend(found.map(|found| format!("{}: {found}", taken.id)));
    }
    wrong
}

/// Copies all snapshots, one request at a time.
async fn mirror(world: &World, disk: &Disk, offsets: Offsets) -> Vec<PageBlobClient> {
    let to = world.destination();
    to.create(0).await.expect("created");
    let mut copies = Vec::new();
    let mut before: Option<&Taken> = None;
    for taken in &disk.taken {
        hop(world, before, taken, &to, offsets).await;
        copies.push(to.with_snapshot(to.create_snapshot().await.expect("taken").snapshot));
        before = Some(taken);
    }
    copies
}

async fn hop(
    world: &World,
    before: Option<&Taken>,
    taken: &Taken,
    to: &PageBlobClient,
    offsets: Offsets,
) {
    let from = open(world, taken);
    let items = match before {
        Some(before) => changes(world, before, &from).await,
        None => None,
    };
    let items = match items {
        Some(items) => items,
        None => {
            to.resize(taken.content.length).await.expect("resized");
            to.clear_pages(..taken.content.length).await.expect("cleared");
            let all = from.get_page_ranges().collect_all().await.expect("listed").ranges;
            all.into_iter().map(PageRangeItem::PageRange).collect()
        }
    };
    to.resize(taken.content.length).await.expect("resized");
    for item in items {
        let PageRange { start, end } = item.range();
        if item.is_clear() {
            to.clear_pages(start..end).await.expect("cleared");
            continue;
        }
        let mut at = start;
        while at < end {
            let next = end.min(at + MOST);
            let source = match offsets {
                Offsets::InBlob => at..next,
                Offsets::InRange => at - start..next - start,
            };
            to.upload_pages_from_uri(&from, source, at).await.expect("copied");
            at = next;
        }
    }
}

/// What changed, if the service tells.
async fn changes(
    world: &World,
    before: &Taken,
    from: &PageBlobClient,
) -> Option<Vec<PageRangeItem>> {
    let changes = match world.way {
        Way::Managed => {
            let earlier = granted(world, before);
            from.get_managed_disk_page_ranges_diff(&earlier).collect_all().await
        }
        _ => {
            let earlier: SnapshotId = before.id.parse().expect("an id");
            from.get_page_ranges_diff(earlier).collect_all().await
        }
    };
    Some(changes.ok()?.ranges)
}

fn open(world: &World, taken: &Taken) -> PageBlobClient {
    if world.way == Way::Managed {
        let url = granted(world, taken);
        let builder = PageBlobClient::builder(url).options(world.sim.client_options());
        return builder.build().expect("a client");
    }
    let id: SnapshotId = taken.id.parse().expect("an id");
    world.source(None).page_blob_client(super::world::NAME).with_snapshot(id)
}

/// Access to one snapshot more; that to all but the last few is given back.
fn granted(world: &World, taken: &Taken) -> url::Url {
    let disk = world.managed.as_ref().expect("a managed disk");
    let snapshots = disk.snapshots();
    let at = snapshots.iter().position(|it| it.id() == taken.id).expect("it is there");
    if let Some(old) = at.checked_sub(2) {
        snapshots[old].revoke();
    }
    snapshots[at].grant(Duration::from_secs(3600)).expect("granted")
}
