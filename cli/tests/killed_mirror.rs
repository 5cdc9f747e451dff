//! `blobcopy mirror`, killed by the system after any request, and run again until it ends.

use std::{process::Command, time::Duration};

use blobcopy::PageBlobClient;
use blobcopy_simulator::{Op, Simulator};

use crate::{
    killed::{Random, has_ended, kills, seed},
    support::{World, finish, spawn},
};

/// The snapshots of each round's disk.
const SNAPSHOTS: usize = 5;

/// The disk's size: two windows of what a hop notes.
const SIZE: u64 = 3 << 29;

const PAGE: u64 = 512;

#[test]
fn a_mirror_whose_processes_are_killed_has_each_snapshot_once() {
    let (kills, seed) = (kills(), seed());
    println!("BLOBCOPY_SEED={seed} kills after the same numbers of requests");
    let mut random = Random(seed);
    let world = World::of(Simulator::builder().copy_duration(Duration::from_millis(20)));
    let (mut killed, mut rounds) = (0, 0);
    while killed < kills {
        let route = if rounds % 2 == 0 { "incremental" } else { "ranges" };
        // Half of them by each route, however many a round takes.
        let most = (kills - killed).min(5);
        killed += round(&world, rounds, route, most, &mut random);
        rounds += 1;
    }
    println!("{killed} processes killed in {rounds} mirrors");
}

/// Mirrors one disk, and kills at most so many of its processes. Returns how many were killed.
fn round(world: &World, number: u32, route: &str, most: u32, random: &mut Random) -> u32 {
    let (from, to) = (format!("from-{number}"), format!("to-{number}"));
    let service = world.service();
    let disk = service.container_client(&from).page_blob_client("disk0.vhd");
    let copy = service.container_client(&to).page_blob_client("disk0.vhd");
    world.runtime.block_on(async {
        service.container_client(&from).create().await.expect("created");
        service.container_client(&to).create().await.expect("created");
        disk.create(SIZE).await.expect("a disk");
        for snapshot in 0..SNAPSHOTS {
            change(&disk, u8::try_from(snapshot).expect("few"), random).await;
            disk.create_snapshot().await.expect("a snapshot");
        }
    });
    let (source, dest) = (format!("{from}/disk0.vhd"), format!("{to}/disk0.vhd"));
    let command = || -> Command {
        world.command(&["mirror", &source, &dest, "--route", route, "--take-lock", "--quiet"])
    };
    let requests = || world.simulator.counts().values().sum::<u64>();
    let mut killed = 0;
    loop {
        let mut child = spawn(command());
        if killed < most {
            let end = requests() + 1 + random.below(40);
            world.until(|| requests() >= end || has_ended(&mut child));
            // The system's SIGKILL, if it has not ended.
            child.kill().expect("it can be killed");
        }
        match finish(child, "") {
            ended if ended.code.is_none() => killed += 1,
            ended => {
                assert_eq!(ended.code, Some(0), "{route}: {ended:#?}");
                break;
            }
        }
    }
    world.runtime.block_on(same(&disk, &copy, route));

    world.simulator.forget_requests();
    let last = finish(spawn(command()), "");
    assert_eq!(last.code, Some(0), "{last:#?}");
    for op in [Op::IncrementalCopy, Op::PutPage, Op::PutPageFromUrl, Op::SnapshotBlob] {
        assert_eq!(world.simulator.count(op), 0, "{op:?}");
    }
    killed
}

/// Writes and clears some pages, in places of both windows.
async fn change(disk: &PageBlobClient, number: u8, random: &mut Random) {
    for _ in 0..6 {
        // Few places, so that some are written again.
        let at = random.below(SIZE / (64 << 20)) * (64 << 20) + random.below(4) * PAGE;
        let length = PAGE * (1 + random.below(4));
        if random.below(3) == 0 {
            disk.clear_pages(at..at + length).await.expect("cleared");
        } else {
            let byte = number * 16 + u8::try_from(random.below(16)).expect("small");
            let content = vec![byte; usize::try_from(length).expect("small")];
            disk.upload_pages(at, content).await.expect("written");
        }
    }
}

/// Fails unless each snapshot has exactly one that holds the same pages with the same bytes.
async fn same(disk: &PageBlobClient, copy: &PageBlobClient, route: &str) {
    let from = disk.list_snapshots().collect_all().await.expect("listed");
    let to = copy.list_snapshots().collect_all().await.expect("listed");
    assert_eq!((from.len(), to.len()), (SNAPSHOTS, SNAPSHOTS), "{route}: each is there once");
    for (from, to) in from.iter().zip(&to) {
        let [source, copied] = [
            content(&disk.with_snapshot(&from.snapshot)).await,
            content(&copy.with_snapshot(&to.snapshot)).await,
        ];
        assert!(source == copied, "{route}: {} is not {}", from.snapshot, to.snapshot);
    }
}

/// Where there is anything but zeros, and what.
pub(crate) async fn content(blob: &PageBlobClient) -> Vec<(u64, Vec<u8>)> {
    let mut pages = Vec::new();
    for range in blob.get_page_ranges().collect_all().await.expect("listed").ranges {
        let read = blob.download().range(range.start..range.end).await.expect("there");
        let bytes = read.bytes().await.expect("read");
        for (at, page) in (range.start..).step_by(512).zip(bytes.chunks(512)) {
            if page.iter().any(|byte| *byte != 0) {
                pages.push((at, page.to_vec()));
            }
        }
    }
    pages
}
