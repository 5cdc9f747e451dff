//! Snapshots of the destination that no rule keeps.

use std::time::Duration;

use blobcopy::{
    BlobType,
    disks::{Keep, MirrorError, PruneFate},
};
use blobcopy_simulator::Op;

use super::{ROUTES, World, texts};

/// Thirty snapshots, a day apart.
async fn daily(world: &World) -> Vec<blobcopy::SnapshotId> {
    let mut taken = Vec::new();
    for number in 0..30 {
        world.sim.clock().advance(Duration::from_secs(24 * 3600 - 900));
        taken.push(world.grow(number).await);
    }
    taken
}

#[tokio::test(start_paused = true)]
async fn thirty_days_that_were_caught_up_in_one_are_thinned_by_their_own_times() {
    for route in ROUTES {
        let world = World::new().await;
        let taken = daily(&world).await;
        world.by(route).run().await.expect("mirrored");
        let keep = Keep::new().daily(7).weekly(4);
        let plan = world.kept().plan_prune(&keep).await.expect("planned");
        assert_eq!(plan.snapshots.len(), 30);
        let goes: Vec<_> = plan.goes().cloned().collect();
        assert!(goes.len() > 15 && goes.len() < 23, "{plan}");
        assert_eq!(plan, world.mirror().plan_prune(&keep).await.expect("the same"));
        assert!(plan.to_string().contains("daily snapshot"), "{plan}");
        assert_eq!(world.equals().await, texts(&taken), "a plan changes nothing");

        let report = world.kept().prune(&keep).await.expect("pruned");
        assert_eq!((&report.deleted, report.left), (&goes, 0), "{report}");
        let left = world.equals().await;
        assert_eq!(left.len() as u64, report.kept);
        assert!(left.ends_with(&texts(&taken[23..])), "seven days: {left:?}");
        let source = world.disk().list_snapshots().collect_all().await.expect("listed");
        assert_eq!(source.len(), 30, "the source is not touched");

        // What is kept is kept again, and the next hop is a difference.
        let again = world.kept().prune(&keep).await.expect("pruned");
        assert_eq!(again.deleted, []);
        world.grow(31).await;
        let hops = world.mirror().run().await.expect("mirrored").hops;
        assert_eq!((hops.len(), hops[0].whole), (1, false), "{route}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_max_delete_go_at_a_time_and_the_oldest_first() {
    let world = World::new().await;
    let taken = world.grown(6).await;
    world.mirror().run().await.expect("mirrored");
    let keep = Keep::new().last(1);
    for (deleted, left) in [(2, 3), (2, 1), (1, 0), (0, 0)] {
        let report = world.mirror().prune(&keep).max_delete(2).await.expect("pruned");
        assert_eq!((report.deleted.len(), report.left), (deleted, left), "{report}");
        let equals = world.equals().await;
        assert_eq!(equals, texts(&taken[taken.len() - equals.len()..]));
    }
    assert_eq!(world.equals().await.len(), 1, "never the newest");
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_rules_is_refused_before_anything_is_sent() {
    let world = World::new().await;
    world.sim.forget_requests();
    world.kept().prune(&Keep::new()).await.expect_err("no rule");
    assert_eq!(world.counted(), 0);
    world.kept().plan_prune(&Keep::new()).await.expect_err("no rule");
}

#[tokio::test(start_paused = true)]
async fn a_run_at_work_is_not_disturbed() {
    let world = World::new().await;
    world.grown(3).await;
    world.mirror().run().await.expect("mirrored");
    let marker = world.backup().container_client().blob_client("disk0.vhd.blobcopy");
    let lease = marker.acquire_lease(Duration::from_secs(60)).await.expect("leased");
    let keep = Keep::new().last(1);
    let busy = world.kept().prune(&keep).await.expect_err("at work");
    assert!(matches!(busy, MirrorError::Busy { .. }), "{busy}");
    assert_eq!(world.equals().await.len(), 3);
    // The plan needs no lock.
    assert_eq!(world.kept().plan_prune(&keep).await.expect("planned").goes().count(), 2);
    let report = world.kept().prune(&keep).take_lock().await.expect("the lock is broken");
    assert_eq!(report.deleted.len(), 2);
    drop(lease);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_knows_is_left_alone() {
    let world = World::new().await;
    world.grown(2).await;
    world.by(blobcopy::disks::MirrorRoute::Ranges).run().await.expect("mirrored");
    let foreign = world.backup().create_snapshot().metadata([("mine", "1")]).await.expect("taken");
    let keep = Keep::new().last(1);
    let plan = world.kept().plan_prune(&keep).await.expect("planned");
    let fate = plan.snapshots.iter().find(|one| one.snapshot.snapshot == foreign.snapshot);
    assert_eq!(fate.map(|one| &one.fate), Some(&PruneFate::LeftAlone), "{plan}");
    assert!(plan.to_string().contains("equals no known snapshot"), "{plan}");
    world.kept().prune(&keep).await.expect("pruned");
    let left = world.backup().list_snapshots().collect_all().await.expect("listed");
    assert_eq!(left.len(), 2);
    assert!(left.iter().any(|one| one.snapshot == foreign.snapshot));
}

#[tokio::test(start_paused = true)]
async fn each_delete_carries_the_etag_of_the_list() {
    let world = World::new().await;
    world.grown(3).await;
    world.mirror().run().await.expect("mirrored");
    world.sim.faults().on(Op::DeleteBlob).times(1).answer(412, "ConditionNotMet");
    let report = world.kept().prune(&Keep::new().last(1)).await.expect("pruned");
    assert_eq!((report.deleted.len(), report.changed.len()), (1, 1), "{report}");
    assert!(report.to_string().contains("1 changed meanwhile"), "{report}");
    for request in world.sim.requests().iter().filter(|one| one.op() == Op::DeleteBlob) {
        assert!(request.header("if-match").is_some(), "{request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_older_generation_goes_with_its_last_snapshot() {
    let world = World::new().await;
    world.grown(3).await;
    world.mirror().run().await.expect("mirrored");
    // The source is created anew: the series is broken.
    world.sim.clock().advance(Duration::from_secs(60));
    world.disk().create(16 << 20).await.expect("created anew");
    world.grown(2).await;
    let mirror = || world.mirror().new_generation();
    mirror().run().await.expect("mirrored");
    let chain = world.kept().chain().await.expect("listed");
    assert_eq!((chain.generation, chain.snapshots.len()), (2, 5));

    let keep = Keep::new().last(3);
    let plan = world.kept().plan_prune(&keep).await.expect("planned");
    assert_eq!((plan.goes().count(), plan.bases.len()), (2, 0), "{plan}");
    world.kept().prune(&keep).await.expect("pruned");
    assert!(world.backup().exists().await.expect("looked"), "one snapshot is left");

    let keep = Keep::new().last(2);
    let plan = world.kept().plan_prune(&keep).await.expect("planned");
    assert_eq!(plan.bases, ["disk0.vhd"], "{plan}");
    let report = world.kept().prune(&keep).await.expect("pruned");
    assert_eq!(report.bases, ["disk0.vhd"], "{report}");
    assert!(!world.backup().exists().await.expect("looked"));
    let left: Vec<_> = world.kept().chain().await.expect("listed").snapshots;
    assert!(left.iter().all(|one| one.generation == 2) && left.len() == 2, "{left:?}");

    // The chain goes on where it is.
    world.grow(9).await;
    let hops = mirror().run().await.expect("mirrored").hops;
    assert_eq!((hops.len(), hops[0].whole, hops[0].destination.generation), (1, false, 2));
    let verified = world.mirror().verify().await.expect("verified");
    assert!(verified.is_identical(), "{verified}");
}

#[tokio::test(start_paused = true)]
async fn a_foreign_blob_that_has_the_name_of_a_generation_stays() {
    let world = World::new().await;
    world.grown(2).await;
    world.mirror().run().await.expect("mirrored");
    let foreign = world.backup().container_client().block_blob_client("disk0.vhd.g2");
    foreign.upload("mine").await.expect("uploaded");
    world.kept().prune(&Keep::new().last(1)).await.expect("pruned");
    let found = foreign.get_properties().await.expect("there");
    assert_eq!(found.blob_type, Some(BlobType::BlockBlob));
}

#[tokio::test(start_paused = true)]
async fn a_foreign_blob_between_two_generations_stays() {
    let world = World::new().await;
    world.grown(2).await;
    world.mirror().run().await.expect("mirrored");
    let foreign = world.beside("disk0.vhd.g2");
    foreign.create(512).await.expect("created");
    world.disk().create(16 << 20).await.expect("created anew");
    world.grown(2).await;
    world.mirror().new_generation().run().await.expect("mirrored");
    assert_eq!(world.kept().chain().await.expect("listed").generation, 3);
    let report = world.kept().prune(&Keep::new().last(1)).await.expect("pruned");
    assert_eq!(report.bases, ["disk0.vhd"], "{report}");
    assert!(foreign.exists().await.expect("looked"), "it is no mirror's");
}
