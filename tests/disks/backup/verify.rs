//! A destination's snapshots beside the source's.
#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use blobcopy::{
    BlobClient,
    disks::{
        GrantAccess, ManagedSnapshot, ManagedSnapshots, MirrorError, MirrorReceipt, MirrorReceipts,
        MirrorRoute, SnapshotMirror, SnapshotOutcome,
    },
    jobs::Differences,
    transport::BoxFuture,
    url::Url,
};
use blobcopy_simulator::{ManagedDisk, Op};

use super::{ROUTES, World};

fn different(outcome: &SnapshotOutcome) -> &Differences {
    match outcome {
        SnapshotOutcome::Different(found) => found,
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_snapshot_is_proved_in_the_service_or_by_reading() {
    for route in ROUTES {
        let world = World::new().await;
        world.grown(4).await;
        world.by(route).run().await.expect("mirrored");
        world.sim.forget_requests();
        let verified = world.mirror().verify().await.expect("verified");
        assert!(verified.is_identical(), "{verified}");
        assert_eq!((verified.snapshots.len(), &verified.torn), (4, &None));
        assert_eq!(world.sent(Op::GetBlob), 0, "nothing is downloaded");
        let read = world.mirror().verify().by_reading(true).await.expect("verified");
        assert_eq!(read.receipts(), verified.receipts(), "the same checksums");
        assert!(world.sent(Op::GetBlob) > 0);
        assert!(read.to_string().ends_with("4 of 4 snapshots are proved"), "{read}");
        let json = serde_json::to_string(&read).expect("JSON");
        assert_eq!(serde_json::from_str::<_>(&json).ok(), Some(read));
    }
}

#[tokio::test(start_paused = true)]
async fn one_wrong_page_is_found_at_its_place() {
    let world = World::new().await;
    let taken = world.grown(2).await;
    world.by(MirrorRoute::Ranges).run().await.expect("mirrored");
    // A mirror that wrote a wrong page: its snapshot has the lineage of the second.
    let chain = world.kept().chain().await.expect("listed");
    let metadata = chain.snapshots[1].client(&world.backup());
    let metadata = metadata.get_properties().await.expect("there").metadata;
    world.backup().upload_pages(9 << 20, vec![1; 512]).await.expect("written");
    chain.snapshots[1].client(&world.backup()).delete().await.expect("deleted");
    let bad = world.backup().create_snapshot().metadata(metadata).await.expect("taken").snapshot;
    for by_reading in [false, true] {
        let verified = world.mirror().verify().by_reading(by_reading).await.expect("verified");
        assert!(!verified.is_identical() && verified.has_differences());
        let [good, wrong] = &verified.snapshots[..] else { panic!("{verified}") };
        assert!(good.is_identical(), "{verified}");
        assert_eq!(wrong.snapshot.snapshot, bad);
        assert_eq!(different(&wrong.outcome).ranges[0].to_string(), "9437184..9437696");
        assert_eq!(verified.receipts().len(), 1);
        assert_eq!(verified.receipts()[0].source_snapshot, taken[0].to_string());
        let newest = world.mirror().verify().newest(1).by_reading(by_reading);
        assert!(!newest.await.expect("verified").is_identical());
        let first = world.mirror().verify().snapshot(&chain.snapshots[0].snapshot);
        let first = first.by_reading(by_reading).await.expect("verified");
        assert!(first.is_identical() && first.snapshots.len() == 1, "{first}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_gone_is_an_outcome_of_its_own_and_a_receipt_proves_the_copy() {
    let world = World::new().await;
    let taken = world.grown(3).await;
    world.mirror().run().await.expect("mirrored");
    let proved = world.mirror().verify().await.expect("verified");
    let lines: Vec<String> =
        proved.receipts().iter().map(|one| serde_json::to_string(one).expect("JSON")).collect();
    world.disk().with_snapshot(&taken[0]).delete().await.expect("deleted");

    let verified = world.mirror().verify().await.expect("verified");
    assert_eq!(verified.snapshots[0].outcome, SnapshotOutcome::SourceGone);
    assert!(!verified.is_identical() && verified.snapshots[1].is_identical(), "{verified}");
    assert!(!verified.has_differences(), "nothing is known to be wrong");

    let read = |line: &String| serde_json::from_str::<MirrorReceipt>(line).expect("a receipt");
    let receipts: MirrorReceipts = lines.iter().map(read).collect();
    for by_reading in [false, true] {
        let verify = world.mirror().verify().receipts(&receipts).by_reading(by_reading);
        let verified = verify.await.expect("verified");
        assert!(verified.is_identical(), "{verified}");
        assert!(matches!(verified.snapshots[0].outcome, SnapshotOutcome::AsInReceipt(_)));
        assert_eq!(verified.receipts(), proved.receipts(), "they can be stored again");
    }
    let mut wrong = read(&lines[0]);
    wrong.crc64 = read(&lines[1]).crc64;
    let wrong: MirrorReceipts = [wrong].into_iter().collect();
    let verified = world.mirror().verify().receipts(&wrong).await.expect("verified");
    assert!(matches!(verified.snapshots[0].outcome, SnapshotOutcome::NotAsInReceipt(_)));
    assert!(!verified.is_identical() && verified.has_differences(), "{verified}");

    // The whole source is gone.
    let all = blobcopy::DeleteSnapshots::Include;
    world.disk().delete().snapshots(all).await.expect("deleted");
    let verified = world.mirror().verify().await.expect("verified");
    let gone = |one: &blobcopy::disks::VerifiedSnapshot| one.outcome == SnapshotOutcome::SourceGone;
    assert!(verified.snapshots.iter().all(gone), "{verified}");
    let receipts = world.mirror().verify().receipts(&receipts).await.expect("verified");
    assert!(receipts.is_identical(), "{receipts}");
}

#[tokio::test(start_paused = true)]
async fn nothing_proves_nothing_and_a_snapshot_that_is_not_there_is_refused() {
    let world = World::new().await;
    let taken = world.grown(1).await;
    assert!(!world.mirror().verify().await.expect("verified").is_identical());
    world.mirror().run().await.expect("mirrored");
    let missing = world.mirror().verify().snapshot(&taken[0]).await.expect_err("not there");
    assert!(missing.to_string().contains("has no snapshot"), "{missing}");
}

#[tokio::test(start_paused = true)]
async fn a_torn_hop_is_said_beside_what_is_proved() {
    let world = World::new().await;
    world.grown(1).await;
    world.by(MirrorRoute::Ranges).run().await.expect("mirrored");
    let second = world.grow(7).await;
    world.sim.faults().on(Op::PutPageFromUrl).answer(403, "AuthorizationFailure");
    world.by(MirrorRoute::Ranges).run().await.expect_err("torn");
    world.sim.faults().clear();
    let verified = world.mirror().verify().await.expect("verified");
    assert!(verified.is_identical(), "the first snapshot is whole: {verified}");
    let torn = verified.torn.as_ref().expect("torn");
    assert_eq!(torn.to, second.to_string());
    assert!(verified.to_string().contains("the next run goes on"), "{verified}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_never_counts_as_proof() {
    let world = World::new().await;
    world.grown(1).await;
    world.mirror().run().await.expect("mirrored");
    world.sim.faults().on(Op::PutBlockFromUrl).answer(403, "AuthorizationPermissionMismatch");
    let verified = world.mirror().verify().await.expect("verified");
    assert!(matches!(verified.snapshots[0].outcome, SnapshotOutcome::Unverifiable(_)));
    assert!(!verified.is_identical() && !verified.has_differences(), "{verified}");
    world.sim.faults().clear();
    // With a scratch container elsewhere.
    let scratch = world.near.container_client("vhds");
    let verified = world.mirror().verify().scratch(&scratch).await.expect("verified");
    assert!(verified.is_identical(), "{verified}");
}

#[tokio::test(start_paused = true)]
async fn a_managed_disk_is_verified_with_access_that_is_given_back() {
    let world = World::new().await;
    let disk = world.sim.managed_disks().create("group", "data", 4 << 20);
    for number in 0..3_u8 {
        disk.write(u64::from(number) << 20, &[number + 1; 512]);
        world.sim.clock().advance(Duration::from_secs(900));
        disk.snapshot(&format!("s{number}"));
    }
    let access = Granting(disk.clone());
    let managed = ManagedSnapshots::new(access).options(world.sim.client_options());
    let mirror = SnapshotMirror::new(managed, &world.backup());
    mirror.run().await.expect("mirrored");
    for by_reading in [false, true] {
        let verified = mirror.verify().by_reading(by_reading).await.expect("verified");
        assert!(verified.is_identical() && verified.snapshots.len() == 3, "{verified}");
        assert_eq!((disk.granted(), &verified.warnings), (0, &Vec::new()));
    }
    assert!(disk.most_granted() <= 5);
    let held = world.backup().container_client().blob_client("disk0.vhd.blobcopy");
    let lease = held.acquire_lease(Duration::from_secs(60)).await.expect("leased");
    let busy = mirror.verify().await.expect_err("grants are noted under the lock");
    assert!(matches!(busy, MirrorError::Busy { .. }), "{busy}");
    // That the mirror may break a lock is for its runs alone.
    let busy = mirror.clone().take_lock().verify().await.expect_err("the other run is alive");
    assert!(matches!(busy, MirrorError::Busy { .. }), "{busy}");
    drop(lease);
}

#[tokio::test(start_paused = true)]
async fn after_the_lock_is_lost_nothing_is_given_back() {
    let world = World::new().await;
    let disk = world.sim.managed_disks().create("group", "data", 4 << 20);
    disk.write(0, &[1; 512]);
    disk.snapshot("s0");
    let managed = ManagedSnapshots::new(Granting(disk.clone()));
    let managed = managed.options(world.sim.client_options());
    SnapshotMirror::new(managed, &world.backup()).run().await.expect("mirrored");
    assert_eq!(disk.granted(), 0);
    // Another run takes the lock while this one is granted access.
    let marker = world.backup().container_client().blob_client("disk0.vhd.blobcopy");
    let (granting, taken) = (Granting(disk.clone()), Arc::default());
    let robbed = Robbed { granting, marker, taken: Arc::clone(&taken) };
    let managed = ManagedSnapshots::new(robbed).options(world.sim.client_options());
    let mirror = SnapshotMirror::new(managed, &world.backup());
    let lost = mirror.verify().await.expect_err("the lock is lost");
    assert!(matches!(lost, MirrorError::LockLost { .. }), "{lost}");
    assert!(taken.load(Relaxed), "the access was granted");
    assert_eq!(disk.granted(), 1, "the other run reads by this access");

    // The same in a run that copies.
    disk.write(512, &[2; 512]);
    disk.snapshot("s1");
    taken.store(false, Relaxed);
    let lost = mirror.run().await.expect_err("the lock is lost");
    assert!(matches!(lost, MirrorError::LockLost { .. }), "{lost}");
    assert!(taken.load(Relaxed), "the access was granted");
    assert_eq!(disk.granted(), 1, "the other run reads by this access");
}

/// Loses the lock in the middle of a grant.
#[derive(Debug)]
struct Robbed {
    granting: Granting,
    marker: BlobClient,
    taken: Arc<AtomicBool>,
}

impl GrantAccess for Robbed {
    fn list(&self) -> BoxFuture<'_, blobcopy::Result<Vec<ManagedSnapshot>>> {
        self.granting.list()
    }

    fn grant<'a>(&'a self, id: &'a str, time: Duration) -> BoxFuture<'a, blobcopy::Result<Url>> {
        Box::pin(async move {
            let url = self.granting.grant(id, time).await?;
            self.marker.break_lease().period(Duration::ZERO).await?;
            self.taken.store(true, Relaxed);
            // The lock is renewed meanwhile, which fails.
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(url)
        })
    }

    fn revoke<'a>(&'a self, id: &'a str) -> BoxFuture<'a, blobcopy::Result<()>> {
        self.granting.revoke(id)
    }
}

/// Grants access at the simulator itself.
#[derive(Debug)]
struct Granting(ManagedDisk);

impl Granting {
    fn find(&self, id: &str) -> Option<blobcopy_simulator::ManagedSnapshot> {
        self.0.snapshots().into_iter().find(|one| one.id() == id)
    }
}

impl GrantAccess for Granting {
    fn list(&self) -> BoxFuture<'_, blobcopy::Result<Vec<ManagedSnapshot>>> {
        let listed = self.0.snapshots().into_iter().map(|one| ManagedSnapshot {
            id: one.id(),
            disk: self.0.unique_id(),
            time: one.created().expect("taken"),
            size: one.size(),
            is_incremental: true,
            completion: 100.0,
            is_granted: one.is_granted(),
            needs_token: None,
        });
        let listed = listed.collect();
        Box::pin(async { Ok(listed) })
    }

    fn grant<'a>(&'a self, id: &'a str, time: Duration) -> BoxFuture<'a, blobcopy::Result<Url>> {
        let url = self.find(id).and_then(|one| one.grant(time)).expect("granted");
        Box::pin(async { Ok(url) })
    }

    fn revoke<'a>(&'a self, id: &'a str) -> BoxFuture<'a, blobcopy::Result<()>> {
        if let Some(snapshot) = self.find(id) {
            snapshot.revoke();
        }
        Box::pin(async { Ok(()) })
    }
}
