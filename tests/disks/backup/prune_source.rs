//! Snapshots of the source that no rule keeps.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use blobcopy::{
    Clock, PageBlobClient,
    disks::{Keep, MirrorError, MirrorRoute, SourceFate, SourceSnapshot},
    transport::{BoxFuture, Request, Response, Transport, TransportError},
};
use blobcopy_simulator::SimulatorTransport;

use super::{ROUTES, World, texts};

#[tokio::test(start_paused = true)]
async fn only_what_was_copied_and_is_not_needed_goes() {
    for route in ROUTES {
        let world = World::new().await;
        let taken = world.grown(4).await;
        world.by(route).run().await.expect("mirrored");
        let later = [world.grow(5).await, world.grow(6).await];
        let keep = Keep::new().last(1);
        let prune = || world.mirror().prune_source(&keep);
        let plan = prune().plan().await.expect("planned");
        let fates: Vec<&SourceFate> = plan.snapshots.iter().map(|one| &one.fate).collect();
        use SourceFate::{Goes, NextNeedsIt, NotCopiedYet};
        assert_eq!(fates, [&Goes, &Goes, &Goes, &NextNeedsIt, &NotCopiedYet, &NotCopiedYet]);
        assert!(plan.to_string().contains("the next difference is taken from it"), "{plan}");

        let report = prune().max_delete(2).await.expect("pruned");
        assert_eq!((report.deleted.len(), report.left, report.kept), (2, 1, 3), "{report}");
        let report = prune().await.expect("pruned");
        assert_eq!(report.deleted[0].id, taken[2].to_string());
        assert_eq!(world.equals().await, texts(&taken), "the destination is not touched");

        // The next hops are differences.
        let hops = world.mirror().run().await.expect("mirrored").hops;
        assert_eq!(hops.iter().map(|hop| hop.whole).collect::<Vec<_>>(), [false, false]);
        let report = prune().await.expect("pruned");
        let deleted: Vec<_> = report.deleted.iter().map(|one| one.id.clone()).collect();
        assert_eq!(deleted, [taken[3].to_string(), later[0].to_string()]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_destination_does_not_have_stays_unless_that_is_wanted() {
    let world = World::new().await;
    let taken = world.grown(3).await;
    let keep = Keep::new().last(1);
    let prune = || world.mirror().prune_source(&keep);
    world.mirror().run().await.expect("mirrored");
    world.mirror().prune(&keep).await.expect("pruned");
    let plan = prune().plan().await.expect("planned");
    assert_eq!(plan.snapshots[0].fate, SourceFate::Absent, "{plan}");
    assert_eq!(prune().await.expect("pruned").deleted, []);
    let report = prune().also_absent().await.expect("pruned");
    assert_eq!(report.deleted.len(), 2, "{report}");
    let left = world.disk().list_snapshots().collect_all().await.expect("listed");
    assert_eq!(left[0].snapshot, taken[2]);
}

#[tokio::test(start_paused = true)]
async fn a_managed_disks_snapshots_are_never_deleted() {
    let world = World::new().await;
    let line = r#"{"snapshot":"a","created":"2026-01-01T00:00:00Z","disk":"d","url":"https://md-x.z01.blob.storage.azure.net/a/abcd?sig=x"}"#;
    let list: blobcopy::disks::DiskSnapshotList = line.parse().expect("a list");
    let managed = blobcopy::disks::ManagedSnapshots::new(list);
    let mirror = blobcopy::disks::SnapshotMirror::new(managed, &world.backup());
    let keep = Keep::new().last(1);
    world.sim.forget_requests();
    let refused = mirror.prune_source(&keep).await.expect_err("managed");
    assert!(matches!(refused, MirrorError::Refused { .. }), "{refused}");
    mirror.prune_source(&keep).plan().await.expect_err("managed");
    assert_eq!(world.counted(), 0);
}

/// A connection on which somebody deletes a blob before the first Delete Blob of the program.
#[derive(Debug, Clone)]
struct Raced {
    inner: SimulatorTransport,
    deleted: PageBlobClient,
    is_due: Arc<AtomicBool>,
}

impl Transport for Raced {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            if request.method() == "DELETE" && self.is_due.swap(false, Relaxed) {
                self.deleted.delete().await.expect("deleted");
            }
            self.inner.send(request).await
        })
    }

    fn clock(&self) -> Option<Clock> {
        self.inner.clock()
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_stays_whose_copy_is_deleted_meanwhile() {
    for route in ROUTES {
        let world = World::new().await;
        let taken = world.grown(4).await;
        world.by(route).run().await.expect("mirrored");
        let copies = world.kept().chain().await.expect("listed").snapshots;
        let deleted = copies[1].client(&world.backup());
        let is_due = Arc::new(AtomicBool::new(true));
        let way = Raced { inner: world.sim.transport(), deleted, is_due };
        let report = world.through(way).prune_source(&Keep::new().last(1)).await.expect("pruned");
        let ids = |of: &[SourceSnapshot]| of.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&report.deleted), texts(&[taken[0].clone(), taken[2].clone()]), "{route}");
        assert_eq!(ids(&report.changed), texts(&taken[1..2]));
        assert!(world.disk().with_snapshot(&taken[1]).exists().await.expect("asked"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_another_source_in_the_chain_proves_nothing() {
    let world = World::new().await;
    world.grown(3).await;
    world.by(MirrorRoute::Ranges).run().await.expect("mirrored");
    let copies = world.kept().chain().await.expect("listed").snapshots;
    let copy = copies[0].client(&world.backup());
    let mut metadata = copy.get_properties().await.expect("there").metadata;
    copy.delete().await.expect("deleted");
    // It names the same id and time, as those of two disks may be.
    metadata.insert("blobcopy_mirror_source", "http://127.0.0.1:10000/near/vhds/other.vhd");
    world.backup().create_snapshot().metadata(metadata).await.expect("taken");
    let prune = || world.mirror().prune_source(&Keep::new().last(1));
    for error in [prune().plan().await.expect_err("refused"), prune().await.expect_err("refused")] {
        assert!(matches!(error, MirrorError::Refused { .. }), "{error}");
        assert!(error.to_string().contains("copies of this source"), "{error}");
    }
    let left = world.disk().list_snapshots().collect_all().await.expect("listed");
    assert_eq!(left.len(), 3);
}
