//! Plans of mirrors of managed disks.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_plan_is_granted_access_only_to_learn_the_sizes() {
    let world = World::new(MIB).await;
    for number in 0..8 {
        world.grow(number);
    }
    let mirror = world.mirror_of(world.source());
    let grants = || world.sim.count(Op::GrantSnapshotAccess);
    let plan = mirror.plan().await.expect("planned");
    assert_eq!((plan.hops.len(), plan.known_bytes(), grants()), (8, None, 0));
    assert!(plan.to_string().contains(": size not known, everything: "), "{plan}");
    let sized = mirror.clone().plan_sizes();
    let plan = sized.plan().await.expect("planned");
    assert!(grants() > 0 && world.disk.most_granted() <= 5, "{}", grants());
    assert_eq!(world.disk.granted(), 0, "all is given back");
    let report = world.run().await.expect("mirrored");
    let moved = |bytes, cleared| (Some(bytes), cleared);
    let planned: Vec<_> = plan.hops.iter().map(|hop| (hop.bytes, hop.cleared)).collect();
    let done: Vec<_> = report.hops.iter().map(|hop| moved(hop.bytes, hop.cleared)).collect();
    assert_eq!(planned, done);
    // One hop more, from what is there; while another run is at work, it waits for the lock.
    world.grow(8);
    let marker = world.backup.container_client().blob_client("disk0.vhd.blobcopy");
    let lease = marker.acquire_lease(Duration::from_secs(60)).await.expect("leased");
    let busy = sized.plan().await.expect_err("locked");
    assert!(matches!(busy, MirrorError::Busy { .. }), "{busy}");
    marker.release_lease(lease.lease_id).await.expect("released");
    let plan = sized.plan().await.expect("planned");
    let report = world.run().await.expect("mirrored");
    assert_eq!(plan.known_bytes(), Some(report.bytes), "{plan}");
    // Nothing to copy: nothing is granted, and nothing is locked.
    let before = grants();
    assert_eq!(sized.plan().await.expect("planned").known_bytes(), Some(0));
    assert_eq!(grants(), before);
    world.expect_equal().await;
}

#[tokio::test(start_paused = true)]
async fn snapshots_that_are_not_mirrored_are_named_with_why() {
    let world = World::new(MIB).await;
    world.grow(0);
    world.disk.full_snapshot("full");
    world.grow(1);
    world.disk.snapshots()[2].set_completion(43.0);
    let plan = world.mirror_of(world.source()).plan().await.expect("planned");
    assert_eq!(plan.hops.len(), 1);
    assert_eq!(world.run().await.expect("mirrored").left, plan.left);
    let left: Vec<_> = plan
        .left
        .iter()
        .map(|left| format!("{}: {}", left.snapshot.id.rsplit('/').next().unwrap(), left.because))
        .collect();
    let full = "full: it is a full snapshot, and only incremental ones are mirrored";
    assert_eq!(left, [full, "disk0-1: it is not complete yet: 43 %"]);
}
