//! A writable page blob out of a snapshot.

use std::time::Duration;

use blobcopy::{
    PageBlobClient,
    disks::{MirrorError, MirrorRoute, RestoreEvent, RestorePoint, RestoreRoute},
    jobs::Verdict,
};
use blobcopy_simulator::Op;

use super::{ROUTES, World};
use crate::disks::world::content;

/// Where a restore goes: beside the backup, or to the other account.
fn targets(world: &World) -> [(PageBlobClient, RestoreRoute); 2] {
    let near = world.near.container_client("vhds").page_blob_client("restored.vhd");
    [(world.beside("restored.vhd"), RestoreRoute::CopyBlob), (near, RestoreRoute::Ranges)]
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_restored_to_a_blob_that_can_be_written() {
    for route in ROUTES {
        let world = World::new().await;
        let metadata = [("owner", "me")];
        world.disk().set_metadata(metadata).await.expect("set");
        let taken = world.grown(3).await;
        world.by(route).run().await.expect("mirrored");
        for (target, way) in targets(&world) {
            let report = world.kept().restore(RestorePoint::Newest, &target).await;
            let report = report.expect("restored");
            assert_eq!((report.route, report.length), (way, 16 << 20), "{report}");
            let requests = world.sim.requests();
            let starts = requests.iter().filter(|request| request.op() == Op::CopyBlob);
            for start in starts {
                assert_eq!(start.header("if-none-match"), Some("*"), "{start:?}");
            }
            assert!(report.is_identical() && !report.resumed, "{report}");
            assert_eq!(report.snapshot.equals.as_deref(), Some(taken[2].as_str()));
            let source = content(&world.disk().with_snapshot(&taken[2])).await;
            assert!(content(&target).await == source, "{route} {way}");
            let found = target.get_properties().await.expect("there");
            let Some(Verdict::Identical(proved)) = &report.verdict else { panic!("{report}") };
            assert_eq!(Some(&proved.destination_etag), found.etag.as_ref(), "{route} {way}");
            let names: Vec<&str> = found.metadata.iter().map(|(name, _)| name).collect();
            assert!(names.iter().all(|name| !name.starts_with("blobcopy")), "{names:?}");
            assert!(!found.is_incremental_copy);
            target.upload_pages(0, vec![9; 512]).await.expect("it can be written");
            target.create_snapshot().await.expect("taken");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_tells_how_far_it_has_come() {
    let world = World::of(|builder| builder.copy_duration(Duration::from_secs(600))).await;
    world.grown(2).await;
    world.mirror().run().await.expect("mirrored");
    for (target, way) in targets(&world) {
        let mut told = Vec::new();
        let tell = |event: &RestoreEvent| told.push(event.clone());
        let restore = world.kept().restore(RestorePoint::Newest, &target).on_event(tell);
        let report = restore.await.expect("restored");
        let (first, last) = (told.first().expect("the first"), told.last().expect("the last"));
        let RestoreEvent::Started { snapshot, target, length } = first else { panic!("{first:?}") };
        assert_eq!((snapshot, target), (&report.snapshot, &report.target));
        assert_eq!(*length, report.length);
        assert_eq!(last, &RestoreEvent::Comparing, "{told:?}");
        let fractions = told.iter().filter_map(|event| match event {
            RestoreEvent::Progress { fraction, .. } => Some(*fraction),
            _ => None,
        });
        let fractions: Vec<f64> = fractions.collect();
        assert!(fractions.is_sorted(), "{way}: {fractions:?}");
        if way == RestoreRoute::CopyBlob {
            assert!(fractions.iter().any(|at| (0.1..0.9).contains(at)), "{fractions:?}");
        }
    }
    let foreign = world.beside("foreign.vhd");
    foreign.create(512).await.expect("created");
    let mut told = 0;
    let restore = world.kept().restore(RestorePoint::Newest, &foreign).on_event(|_| told += 1);
    restore.await.expect_err("it exists");
    assert_eq!(told, 0, "nothing was begun");
    let mut told = Vec::new();
    let drill = world.kept().drill().on_event(|event| told.push(event.clone()));
    assert!(drill.await.expect("tried").is_identical());
    assert!(matches!(told[0], RestoreEvent::Started { .. }), "{told:?}");
    assert_eq!(told.last(), Some(&RestoreEvent::Comparing));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_chosen_by_its_id_or_by_the_time_of_its_source() {
    let world = World::new().await;
    let taken = world.grown(3).await;
    world.mirror().run().await.expect("mirrored");
    let chain = world.kept().chain().await.expect("listed");
    let middle = &chain.snapshots[1];
    let time = middle.time.expect("dated");
    let points = [
        RestorePoint::from(&middle.snapshot),
        RestorePoint::from(&taken[1]),
        RestorePoint::from(time),
        RestorePoint::from(time + Duration::from_secs(1)),
    ];
    for (at, point) in points.into_iter().enumerate() {
        let target = world.beside(&format!("restored{at}"));
        let report = world.mirror().restore(point, &target).await.expect("restored");
        assert_eq!(&report.snapshot, middle);
    }
    let early = RestorePoint::from(time - Duration::from_secs(24 * 3600));
    let none = world.kept().restore(early, &world.beside("none")).await.expect_err("none");
    assert!(none.to_string().contains("or before"), "{none}");
    assert!(!world.beside("none").exists().await.expect("looked"));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_exists_is_refused_unless_it_may_be_overwritten() {
    let world = World::new().await;
    world.grown(2).await;
    world.mirror().run().await.expect("mirrored");
    for (target, way) in targets(&world) {
        target.create(512).await.expect("created");
        target.upload_pages(0, vec![3; 512]).await.expect("written");
        let refused = world.kept().restore(RestorePoint::Newest, &target).await;
        let refused = refused.expect_err("it exists");
        assert!(matches!(refused, MirrorError::Refused { .. }), "{refused}");
        assert_eq!(content(&target).await, [3; 512], "{way}");
        let restore = world.kept().restore(RestorePoint::Newest, &target).overwrite(true);
        assert!(restore.await.expect("restored").is_identical());
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_equals_the_snapshot_is_restored_already() {
    let world = World::new().await;
    world.disk().set_metadata([("owner", "me")]).await.expect("set");
    world.grown(2).await;
    world.mirror().run().await.expect("mirrored");
    for (target, way) in targets(&world) {
        let restore = || world.kept().restore(RestorePoint::Newest, &target);
        let _ = restore().await.expect("restored");
        let etag = target.get_properties().await.expect("there").etag;
        let again = restore().await.expect("it is there");
        assert!(again.is_identical() && again.resumed && again.bytes == 0, "{way}: {again}");
        assert_eq!(target.get_properties().await.expect("there").etag, etag);
        let refused = restore().verify(false).await.expect_err("not compared").to_string();
        assert!(refused.contains("restored before"), "{refused}");
        target.upload_pages(0, vec![9; 512]).await.expect("written");
        let refused = restore().await.expect_err("it differs").to_string();
        assert!(refused.contains("exists: "), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_mirrors_own_blobs_are_refused_always() {
    for route in ROUTES {
        let world = World::new().await;
        world.grown(2).await;
        world.by(route).run().await.expect("mirrored");
        let snapshot = world.kept().chain().await.expect("listed").snapshots[0].clone();
        let before = world.disk().get_properties().await.expect("there").etag;
        let own = [
            world.backup(),
            world.beside("disk0.vhd.g2"),
            world.beside("disk0.vhd.blobcopy"),
            snapshot.client(&world.backup()),
            world.disk(),
        ];
        for target in own {
            for backup in [world.kept(), world.mirror().backup()] {
                let restore = backup.restore(RestorePoint::Newest, &target).overwrite(true);
                let refused = restore.await.expect_err("its own");
                assert!(matches!(refused, MirrorError::Refused { .. }), "{refused}");
            }
            let restore = world.mirror().restore(RestorePoint::Newest, &target).overwrite(true);
            restore.await.expect_err("its own");
        }
        assert_eq!(world.disk().get_properties().await.expect("there").etag, before);
        assert_eq!(world.equals().await.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_destination_of_another_mirror_is_refused() {
    for route in ROUTES {
        let world = World::new().await;
        world.grown(1).await;
        world.mirror().run().await.expect("mirrored");
        let other = world.beside("other.vhd");
        let mirror = blobcopy::disks::SnapshotMirror::new(&world.disk(), &other);
        mirror.route(route).run().await.expect("mirrored");
        let restore = world.kept().restore(RestorePoint::Newest, &other).overwrite(true);
        let refused = restore.await.expect_err("a mirror's").to_string();
        assert!(refused.contains("destination of a mirror"), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_differs_is_reported_and_stays_marked() {
    let world = World::new().await;
    world.grown(1).await;
    world.by(MirrorRoute::Ranges).run().await.expect("mirrored");
    let target = world.beside("restored.vhd");
    // Written by somebody else before it is checked: the first comparison fails.
    world.sim.faults().on(Op::PutBlockFromUrl).answer(403, "AuthorizationFailure");
    world.sim.faults().on(Op::SetBlobMetadata).answer(403, "AuthorizationFailure");
    let restore = || world.kept().restore(RestorePoint::Newest, &target);
    restore().await.expect_err("the mark cannot be taken off");
    world.sim.faults().clear();
    target.upload_pages(1 << 20, vec![1; 512]).await.expect("written");
    let report = restore().await.expect("compared");
    assert!(report.resumed && !report.is_identical(), "{report}");
    assert!(matches!(report.verdict, Some(Verdict::Different(_))), "{report}");
    let marked = target.get_properties().await.expect("there").metadata;
    assert!(marked.get("blobcopy_restored_from").is_some(), "{marked:?}");
    let report = restore().overwrite(true).await.expect("restored");
    assert!(report.is_identical() && !report.resumed, "{report}");
}

#[tokio::test(start_paused = true)]
async fn the_check_can_be_left_out() {
    let world = World::new().await;
    world.grown(1).await;
    world.mirror().run().await.expect("mirrored");
    let target = world.beside("restored.vhd");
    let restore = world.kept().restore(RestorePoint::Newest, &target).verify(false);
    let report = restore.await.expect("restored");
    assert_eq!((&report.verdict, report.is_identical()), (&None, false));
    assert!(report.to_string().ends_with("not verified"), "{report}");
    assert_eq!(world.sent(Op::PutBlockFromUrl), 0);
}

#[tokio::test(start_paused = true)]
async fn the_mirrors_own_blobs_are_known_under_another_address_too() {
    let world = World::new().await;
    world.grown(1).await;
    world.by(MirrorRoute::Ranges).run().await.expect("mirrored");
    // The destination has its lineage; of the marker only its ETag and date can tell.
    let text = world.sim.connection_string_of("far").expect("an account");
    let key = text.split("AccountKey=").nth(1).and_then(|rest| rest.split(';').next());
    let path_style: blobcopy::url::Url = "http://127.0.0.1/far".parse().expect("a URL");
    let credential = blobcopy::Credential::shared_key("far", key.expect("a key"));
    let other = blobcopy::BlobServiceClient::builder(path_style)
        .credential(credential.expect("a key"))
        .options(world.sim.client_options())
        .build()
        .expect("a client");
    let backups = other.container_client("backups");
    assert!(!backups.is_same_account(&world.backup().container_client()));
    let marker = backups.page_blob_client("disk0.vhd.blobcopy");
    assert!(marker.exists().await.expect("the same account"));
    for target in [marker, backups.page_blob_client("disk0.vhd")] {
        let restore = world.kept().restore(RestorePoint::Newest, &target).overwrite(true);
        let refused = restore.await.expect_err("its own");
        assert!(matches!(refused, MirrorError::Refused { .. }), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_source_is_known_under_another_address_too() {
    for route in ROUTES {
        let world = World::new().await;
        world.grown(1).await;
        world.by(route).run().await.expect("mirrored");
        let text = world.sim.connection_string_of("near").expect("an account");
        let key = text.split("AccountKey=").nth(1).and_then(|rest| rest.split(';').next());
        let path_style: blobcopy::url::Url = "http://127.0.0.1/near".parse().expect("a URL");
        let credential = blobcopy::Credential::shared_key("near", key.expect("a key"));
        let other = blobcopy::BlobServiceClient::builder(path_style)
            .credential(credential.expect("a key"))
            .options(world.sim.client_options())
            .build()
            .expect("a client");
        let source = other.container_client("vhds").page_blob_client("disk0.vhd");
        let restore = world.mirror().restore(RestorePoint::Newest, &source).overwrite(true);
        let refused = restore.await.expect_err("its own source").to_string();
        assert!(refused.contains("is the source or destination of the mirror"), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_that_another_mirror_keeps_for_itself_are_refused() {
    let world = World::new().await;
    world.grown(1).await;
    for name in ["disk0.vhd", "other.vhd"] {
        let to = world.beside(name);
        blobcopy::disks::SnapshotMirror::new(&world.disk(), &to).run().await.expect("mirrored");
    }
    for name in ["other.vhd.g2", "other.vhd.g17", "other.vhd.blobcopy"] {
        let restore = world.kept().restore(RestorePoint::Newest, &world.beside(name));
        let refused = restore.overwrite(true).await.expect_err("of the other mirror").to_string();
        assert!(refused.contains("keeps this name"), "{refused}");
    }
    // What is no mirror's may be named so.
    let free = world.beside("free.g2");
    let report = world.kept().restore(RestorePoint::Newest, &free).await.expect("restored");
    assert!(report.is_identical(), "{report}");
}
