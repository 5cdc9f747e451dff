//! Mirrors that are torn anywhere, and run again until all is there.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
    time::Duration,
};

use blobcopy::{
    BlobInclude,
    disks::{HopDone, Keep, MirrorError, MirrorReport},
};
use fastrand::Rng;

use super::{
    disk::Disk,
    door::{Tear, sleep},
    judge,
    truth::{Taken, WINDOW},
    world::{NAME, Way, World},
};
use crate::jobs::seeds::{seeds, tried};

/// How many snapshots a disk has.
const SNAPSHOTS: u32 = 30;

/// More runs than a mirror may need once it is not torn any more.
const MOST_RUNS: u32 = 8;

#[test]
fn incremental_copies_of_a_page_blob_equal_it_wherever_they_are_torn() {
    all(Way::Incremental);
}

#[test]
fn ranges_of_a_page_blob_equal_it_wherever_their_copies_are_torn() {
    all(Way::Ranges);
}

#[test]
fn ranges_of_a_managed_disk_equal_it_wherever_their_copies_are_torn() {
    all(Way::Managed);
}

fn all(way: Way) {
    let mut torn = 0;
    let seeds = seeds("BLOBCOPY_MIRROR_SEEDS", 12);
    for seed in seeds.clone() {
        torn += tried(seed, mirrored(way, seed));
    }
    println!("{torn} tears");
    assert!(seeds.end - seeds.start < 12 || torn >= seeds.end, "only {torn} tears");
}

/// What happens in a world.
struct Script {
    tears: u64,
    /// Whether snapshots of the source are deleted meanwhile.
    is_pruned: bool,
    /// Whether the destination is thinned out meanwhile.
    is_thinned: bool,
    /// The longest time between two snapshots.
    pause: u64,
}

impl Script {
    fn random(rng: &mut Rng) -> Self {
        let tears = if rng.u8(..4) == 0 { 0 } else { rng.u64(1..16) };
        Self {
            tears,
            is_pruned: tears > 0 && rng.u8(..4) == 0,
            is_thinned: rng.u8(..4) == 0,
            pause: [1, 500, 20_000][rng.usize(..3)],
        }
    }
}

/// Mirrors the disk of a seed while it lives. Returns how many tears there were.
async fn mirrored(way: Way, seed: u64) -> u64 {
    let rng = &mut Rng::with_seed(seed);
    let script = Script::random(rng);
    let (world, disk) = World::new(way, rng.u64(..)).await;
    let is_done = Cell::new(false);
    let life = live(disk, &script, Rng::with_seed(rng.u64(..)), &is_done);
    let run = run(&world, &script, rng, &is_done);
    let (disk, hops) = tokio::join!(life, run);

    world.book.settle().await;
    let (mirror, _) = world.mirror(0, None);
    let report = mirror.take_lock().run().await.expect("a report");
    assert_eq!(report.hops, [], "what lands late makes nothing new");
    check_chain(&world, &disk, &script).await;
    check_grants(&world);
    let torn = world.book.torn.load(Ordering::Relaxed);
    if !script.is_pruned {
        check_moved(&world, &disk, &hops, torn);
    }
    torn
}

/// The life of the disk.
async fn live(mut disk: Disk, script: &Script, mut rng: Rng, is_done: &Cell<bool>) -> Disk {
    for _ in 0..SNAPSHOTS {
        disk.change().await;
        disk.snapshot().await;
        if script.is_pruned && rng.u8(..5) == 0 {
            disk.delete_one().await;
        }
        sleep(Duration::from_millis(rng.u64(1..=script.pause))).await;
    }
    is_done.set(true);
    disk
}

/// Runs the mirror until there is nothing more to do. Returns the hops of the runs that ended.
async fn run(world: &World, script: &Script, rng: &mut Rng, is_done: &Cell<bool>) -> Vec<HopDone> {
    let (mut hops, mut tears, mut was_killed, mut calm) = (Vec::new(), script.tears, false, 0);
    loop {
        let was_done = is_done.get();
        let longest = [5, 25, 120, 400][rng.usize(..4)];
        let tear = (tears > 0).then(|| (rng.u64(1..longest), Tear::random(rng)));
        let (mut mirror, door) = world.mirror(rng.u64(..), tear);
        if was_killed {
            mirror = match rng.u8(..3) {
                0 => mirror.wait_for_lock(),
                1 => {
                    sleep(Duration::from_secs(61)).await;
                    mirror
                }
                _ => mirror.take_lock(),
            };
        }
        let mut run = mirror.run().into_future();
        let ended: Option<Result<MirrorReport, MirrorError>> = tokio::select! {
            biased;
            () = door.killed() => None,
            ended = &mut run => Some(ended),
        };
        if door.was_frozen() && ended.is_none() {
            // It goes on beside the next ones, and may be refused anything.
            world.book.alive(tokio::spawn(async move {
                let _ = run.await;
            }));
        }
        let is_torn = door.is_torn();
        tears -= u64::from(is_torn);
        was_killed = ended.is_none();
        match ended {
            None => {}
            Some(Ok(report)) => {
                let is_same = report.hops.is_empty();
                hops.extend(report.hops);
                if script.is_thinned && rng.bool() {
                    let keep = Keep::new().last(rng.u32(1..6));
                    let pruned = world.backup().prune(&keep).await;
                    assert!(pruned.is_ok() || world.is_torn(), "{pruned:?}");
                }
                if is_same && was_done && !is_torn {
                    return hops;
                }
                sleep(Duration::from_millis(rng.u64(..3_000))).await;
            }
            Some(Err(error)) => {
                assert!(world.is_torn() || script.is_pruned, "nothing was torn: {error} {error:?}");
                if is_done.get() && !is_torn {
                    calm += 1;
                }
                assert!(calm < MOST_RUNS, "it does not end: {error} {error:?}");
                was_killed = true;
            }
        }
    }
}

/// Compares each snapshot of the destination with the truth.
async fn check_chain(world: &World, disk: &Disk, script: &Script) {
    let chain = world.backup().chain().await.expect("a chain");
    let listed = world.backups(None).list_blobs().include([BlobInclude::Snapshots]);
    let listed = listed.collect_all().await.expect("listed");
    let there: BTreeSet<_> = listed
        .iter()
        .filter_map(|item| Some((item.name.clone(), item.snapshot.clone()?.to_string())))
        .collect();
    let told: BTreeSet<_> =
        chain.snapshots.iter().map(|it| (it.blob.clone(), it.snapshot.to_string())).collect();
    assert_eq!(there, told, "each snapshot is in the chain");

    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for copy in &chain.snapshots {
        let equals = copy.equals.as_ref().unwrap_or_else(|| panic!("{copy} equals nothing"));
        if let Some(other) = seen.insert(equals.clone(), copy.to_string()) {
            panic!("{equals} is there twice: {other} and {copy}");
        }
        let taken = disk.find(equals, copy.time);
        let taken = taken.unwrap_or_else(|| panic!("{copy} equals {equals}: never taken"));
        assert_eq!(copy.length, taken.content.length, "{copy}");
        let wrong = judge::wrong(&taken.content, &copy.client(&world.destination())).await;
        assert_eq!(wrong, None, "{copy} does not equal {equals}");
    }
    let missing: Vec<&str> = disk
        .taken
        .iter()
        .rev()
        .filter(|taken| !taken.is_gone)
        .take(if script.is_thinned { 1 } else { disk.taken.len() })
        .filter(|taken| !seen.contains_key(&taken.id))
        .map(|taken| taken.id.as_str())
        .collect();
    assert_eq!(missing, [""; 0], "snapshots that are not mirrored");
    assert!(listed.iter().all(|item| item.name.starts_with(NAME)), "nothing else is left there");
}

fn check_grants(world: &World) {
    let Some(disk) = &world.managed else { return };
    assert_eq!(disk.granted(), 0, "access is left");
    assert!(disk.most_granted() <= 5);
    let refused = world.book.refused_grants.load(Ordering::Relaxed);
    assert_eq!(refused, 0, "a sixth was to be granted, or one that is gone");
}

/// Untorn, the bytes moved are those of the differences; torn, at most a window more for each tear:
/// the gigabyte that is written between two notes, wherever it is on the disk.
fn check_moved(world: &World, disk: &Disk, hops: &[HopDone], torn: u64) {
    let mut before: Option<&Taken> = None;
    let (mut sum, mut window) = (0, 0);
    for taken in &disk.taken {
        let earlier = before.filter(|before| is_comparable(world.way, before, taken));
        let bytes = match earlier {
            Some(earlier) => taken.content.written_since(&earlier.content),
            None => taken.content.written(),
        };
        window = window.max(bytes.min(WINDOW));
        sum += bytes;
        before = Some(taken);
        for hop in hops.iter().filter(|hop| hop.source.id == taken.id) {
            assert!(hop.whole == earlier.is_none(), "{}: whole {}", taken.id, hop.whole);
            assert!(hop.resumed || torn > 0 || hop.bytes == bytes, "{hop:?}: not {bytes}");
        }
    }
    let told: u64 = hops.iter().map(|hop| hop.bytes).sum();
    let moved = world.book.moved.load(Ordering::Relaxed);
    if torn == 0 {
        assert_eq!(hops.len(), disk.taken.len());
        assert_eq!(told, sum, "the bytes that are told");
    }
    if world.way != Way::Incremental {
        assert!(moved >= sum, "{moved} bytes moved of {sum}");
        let most = sum + torn * window;
        assert!(moved <= most, "{moved} bytes moved of {sum}: {torn} tears of {window}");
    }
}

/// Whether there is a difference between two snapshots of the source.
fn is_comparable(way: Way, before: &Taken, taken: &Taken) -> bool {
    const BORDER: u64 = (4 << 40) + 512;
    let are_above = [before, taken].map(|taken| taken.content.length > BORDER);
    before.created == taken.created && (way != Way::Managed || are_above[0] == are_above[1])
}
