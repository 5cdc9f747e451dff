//! Many disks in one run.

use std::{collections::BTreeSet, time::Duration};

use blobcopy::{
    BlobContainerClient, BlobInclude, BlobServiceClient, Clock,
    disks::{FleetEvent, FleetReport, FleetStep, Keep, MirrorFleet, MirrorRoute, SnapshotMirror},
    jobs::Shard,
};
use blobcopy_simulator::{Op, Simulator};
use futures_util::TryStreamExt;
use time::macros::datetime;

/// An account with the containers `vhds` and `backups`.
struct World {
    sim: Simulator,
    service: BlobServiceClient,
}

impl World {
    async fn new() -> Self {
        let sim = Simulator::builder()
            .clock(Clock::starting_at(datetime!(2026-01-01 12:00 UTC)))
            .account("one", "b25l")
            .copy_duration(Duration::ZERO)
            .build();
        let service = sim.service_client().expect("a client");
        let world = Self { sim, service };
        for container in [world.from(), world.to()] {
            container.create().await.expect("created");
        }
        world
    }

    fn from(&self) -> BlobContainerClient {
        self.service.container_client("vhds")
    }

    fn to(&self) -> BlobContainerClient {
        self.service.container_client("backups")
    }

    /// A disk of 1 MiB with so many snapshots, between which it changes.
    async fn disk(&self, name: &str, snapshots: u8) {
        let disk = self.from().page_blob_client(name);
        disk.create(1 << 20).await.expect("created");
        for number in 0..snapshots {
            self.change(name, number).await;
        }
    }

    async fn change(&self, name: &str, number: u8) {
        let disk = self.from().page_blob_client(name);
        let content = vec![number + 1; 512];
        disk.upload_pages(u64::from(number) * 4096, content).await.expect("written");
        disk.create_snapshot().await.expect("taken");
        self.sim.clock().advance(Duration::from_secs(3600));
    }

    fn fleet(&self) -> MirrorFleet {
        MirrorFleet::of_container(&self.from(), "", &self.to(), "")
    }

    /// The contents of all snapshots of a blob, oldest first.
    async fn snapshots(&self, container: &BlobContainerClient, name: &str) -> Vec<Vec<u8>> {
        let blob = container.page_blob_client(name);
        let mut contents = Vec::new();
        for item in blob.list_snapshots().collect_all().await.expect("listed") {
            let snapshot = blob.with_snapshot(&item.snapshot);
            let content = snapshot.download().await.expect("read").bytes().await.expect("read");
            contents.push(content.to_vec());
        }
        contents
    }

    async fn assert_mirrored(&self, name: &str) {
        let source = self.snapshots(&self.from(), name).await;
        assert!(!source.is_empty(), "{name}");
        assert!(self.snapshots(&self.to(), name).await == source, "{name}");
    }
}

/// The last parts of the destinations' names, with whether each failed.
fn names(report: &FleetReport) -> Vec<(&str, bool)> {
    let name = |url: &'_ str| url.rsplit('/').next().map_or(0, |name| url.len() - name.len());
    let disks = report.disks.iter();
    disks
        .map(|disk| (&disk.destination[name(&disk.destination)..], disk.failure.is_some()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_page_blobs_of_a_container_with_snapshots_are_mirrored_once() {
    for route in [MirrorRoute::Incremental, MirrorRoute::Ranges] {
        let world = World::new().await;
        for (name, snapshots) in [("a", 3), ("b", 1), ("c", 0)] {
            world.disk(name, snapshots).await;
        }
        let notes = world.from().block_blob_client("notes");
        notes.upload("some notes").await.expect("uploaded");
        notes.create_snapshot().await.expect("taken");
        let fleet = world.fleet().each(move |mirror| mirror.route(route));

        let plan = fleet.plan().await.expect("a plan");
        assert_eq!((plan.to_copy(), plan.is_ok(), plan.left.len()), (4, true, 1), "{plan}");
        let report = fleet.run().await.expect("a report");
        assert!(report.is_ok(), "{report}");
        assert_eq!(names(&report), [("a", false), ("b", false)]);
        assert_eq!((report.copied(), report.present(), report.left), (4, 0, 1), "{report}");
        assert_eq!(report.bytes(), plan.bytes(), "{report}");
        assert!(report.disks.iter().all(|disk| disk.route == Some(route)));
        for name in ["a", "b"] {
            world.assert_mirrored(name).await;
        }

        world.change("b", 1).await;
        let again = fleet.run().await.expect("a report");
        assert_eq!((again.copied(), again.present(), again.is_ok()), (1, 4, true), "{again}");
        world.assert_mirrored("b").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_mirrors_made_in_the_same_container_is_no_source() {
    for route in [MirrorRoute::Incremental, MirrorRoute::Ranges] {
        let world = World::new().await;
        world.disk("a", 2).await;
        let container = world.from();
        let fleet = MirrorFleet::of_container(&container, "", &container, "copies/")
            .each(move |mirror| mirror.route(route));
        for turn in 0..2 {
            let report = fleet.run().await.expect("a report");
            assert_eq!(names(&report), [("a", false)], "{turn} {report}");
            assert_eq!(report.left, 0, "{turn}");
        }
        let listed = container.list_blobs().collect_all().await.expect("listed");
        let blobs: BTreeSet<_> = listed.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(blobs, BTreeSet::from(["a", "copies/a", "copies/a.blobcopy"]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_lost_its_metadata_is_told_and_is_no_source() {
    let world = World::new().await;
    world.disk("one.vhd", 2).await;
    let fleet = || MirrorFleet::of_container(&world.from(), "", &world.from(), "kept/");
    let by_ranges = |mirror: SnapshotMirror| mirror.route(MirrorRoute::Ranges);
    fleet().each(by_ranges).run().await.expect("mirrored");
    let base = world.from().page_blob_client("kept/one.vhd");
    base.set_metadata([("owner", "me")]).await.expect("set");
    let plan = fleet().plan().await.expect("planned");
    let left: Vec<_> = plan.left.iter().map(|left| left.because.as_str()).collect();
    assert_eq!(left, ["it is the destination of a mirror and has lost its metadata"]);
    let report = fleet().run().await.expect("mirrored");
    assert_eq!((report.disks.len(), report.left), (1, 1), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_stops_no_other_and_is_mended_by_the_next_run() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        world.disk(name, 3).await;
    }
    let rule = world.sim.faults().on(Op::IncrementalCopy).blob("b").after(1);
    rule.answer(403, "AuthorizationPermissionMismatch");
    let fleet = world.fleet().concurrency(2);
    let report = fleet.run().await.expect("a report");
    assert_eq!(names(&report), [("a", false), ("b", true), ("c", false)]);
    assert!(!report.is_ok() && report.may_be_mended(), "{report}");
    let failed = &report.disks[1];
    let failure = failed.failure.as_ref().expect("it failed");
    assert_eq!(failure.code.as_deref(), Some("AuthorizationPermissionMismatch"));
    assert_eq!((failure.step, failed.copied), (FleetStep::Mirror, 1), "{report}");
    assert!(report.to_string().contains("backups/b: "), "{report}");

    world.sim.faults().clear();
    let again = fleet.run().await.expect("a report");
    assert_eq!((again.copied(), again.is_ok()), (2, true), "{again}");
    for name in ["a", "b", "c"] {
        world.assert_mirrored(name).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_of_a_generation_or_marker_is_a_failure_of_that_disk() {
    let world = World::new().await;
    for name in ["a", "a.g2", "a.blobcopy"] {
        world.disk(name, 1).await;
    }
    let report = world.fleet().run().await.expect("a report");
    assert_eq!(names(&report), [("a", false), ("a.blobcopy", true), ("a.g2", true)]);
    assert!(!report.is_ok() && !report.may_be_mended(), "{report}");
    assert!(report.to_string().contains("mirror this disk to another name"), "{report}");
    let pair = |from: &str, to: &str| {
        let (from, to) = (world.from().page_blob_client(from), world.to().page_blob_client(to));
        SnapshotMirror::new(&from, &to)
    };
    let list = MirrorFleet::new([pair("a.g2", "a-g2"), pair("a.blobcopy", "a-blobcopy")]);
    assert!(list.run().await.expect("a report").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_cannot_be_right_is_refused_before_anything_is_done() {
    let world = World::new().await;
    world.disk("a", 1).await;
    let (from, to) = (world.from().page_blob_client("a"), world.to().page_blob_client("a"));
    let twice =
        MirrorFleet::new([SnapshotMirror::new(&from, &to), SnapshotMirror::new(&from, &to)]);
    let itself = MirrorFleet::of_container(&world.from(), "", &world.from(), "");
    let no_rule = world.fleet().keep(&Keep::new());
    world.sim.forget_requests();
    for (fleet, why) in
        [(twice, "of two mirrors"), (itself, "mirrored to itself"), (no_rule, "has no rule")]
    {
        let error = fleet.run().await.expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(world.sim.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_shards_of_a_fleet_mirror_each_disk_once_and_add_up() {
    let world = World::new().await;
    for number in 0..24 {
        world.disk(&format!("disk-{number:02}"), u8::from(number % 4 != 0)).await;
    }
    let mut reports = Vec::new();
    for index in 0..3 {
        let fleet = world.fleet().part_of(Shard::new(index, 3).expect("legal"));
        let report = fleet.run().await.expect("a report");
        assert!((3..=10).contains(&report.disks.len()), "{report}");
        // As a worker writes it.
        let text = serde_json::to_string(&report).expect("JSON");
        reports.push(serde_json::from_str::<FleetReport>(&text).expect("JSON"));
    }
    assert!(FleetReport::merge(reports[1..].to_vec()).is_err());
    let merged = FleetReport::merge(reports).expect("a whole");
    assert_eq!((merged.disks.len(), merged.copied(), merged.left), (18, 18, 6), "{merged}");
    let whole = world.fleet().run().await.expect("a report");
    assert_eq!((whole.copied(), whole.present(), &whole.fleet), (0, 18, &merged.fleet), "{whole}");
    assert_ne!(world.fleet().verify().run().await.expect("a report").fleet, merged.fleet);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_breaks_off_loses_no_disk_that_was_begun() {
    let world = World::new().await;
    world.sim.fill("one", "vhds", 2_500, 1);
    world.disk("a", 2).await;
    world.disk("z", 2).await;
    let refused = || world.sim.faults().on(Op::ListBlobs).container("vhds");
    // The next page, before the mirror lists its disk.
    refused().after(1).times(1).answer(403, "AuthorizationFailure");
    let report = world.fleet().run().await.expect("a report");
    assert_eq!((names(&report), report.copied()), (vec![("a", false)], 2), "{report}");
    let unlisted = report.unlisted.as_ref().expect("it broke off");
    assert_eq!((unlisted.step, report.is_ok()), (FleetStep::List, false), "{report}");
    world.sim.faults().clear();
    refused().after(1).times(1).answer(403, "AuthorizationFailure");
    assert!(world.fleet().plan().await.is_err());

    world.sim.faults().clear();
    refused().answer(403, "AuthorizationFailure");
    assert!(world.fleet().run().await.is_err());
    world.sim.faults().clear();
    let report = world.fleet().run().await.expect("a report");
    assert_eq!((report.copied(), report.present(), report.is_ok()), (2, 2, true), "{report}");
}

#[tokio::test(start_paused = true)]
async fn the_events_of_a_fleet_pair_up_and_a_dropped_run_is_gone_on_with() {
    let world = World::new().await;
    for number in 0..6 {
        world.disk(&format!("disk-{number}"), 2).await;
    }
    let mut begun = world.fleet().concurrency(2).run().events();
    while let Some(event) = begun.try_next().await.expect("an event") {
        if matches!(event, FleetEvent::Finished { .. }) {
            break;
        }
    }
    drop(begun);
    // The leases of the run that was dropped end.
    world.sim.clock().advance(Duration::from_secs(61));

    let (mut started, mut finished, mut most, mut last) = (BTreeSet::new(), 0, 0, None);
    let mut events = world.fleet().concurrency(2).run().events();
    while let Some(event) = events.try_next().await.expect("an event") {
        match &event {
            FleetEvent::Started { disk, .. } => assert!(started.insert(*disk)),
            FleetEvent::Finished { disk, .. } => {
                assert!(started.contains(&disk.expect("it was begun")));
                finished += 1;
            }
            FleetEvent::Disk { disk, .. } => assert!(started.contains(disk)),
            _ => {}
        }
        most = most.max(started.len() - finished);
        last = Some(event);
    }
    assert_eq!((started.len(), finished, most), (6, 6, 2));
    let Some(FleetEvent::Ended(report)) = last else { panic!("{last:?}") };
    assert!(report.is_ok(), "{report}");
    assert_eq!(report.copied() + report.present(), 12, "{report}");
    for number in 0..6 {
        world.assert_mirrored(&format!("disk-{number}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn only_disks_that_were_mirrored_and_found_equal_are_thinned_out() {
    for route in [MirrorRoute::Incremental, MirrorRoute::Ranges] {
        let world = World::new().await;
        for name in ["a", "b", "c"] {
            world.disk(name, 4).await;
        }
        let fleet = world.fleet().each(move |mirror| mirror.route(route));
        assert!(fleet.run().await.expect("a report").is_ok());
        for name in ["a", "b", "c"] {
            world.change(name, 4).await;
        }
        let refused = world.sim.faults().on(Op::SnapshotBlob).container("backups").blob("b");
        refused.answer(403, "AuthorizationFailure");
        let refused = world.sim.faults().on(Op::IncrementalCopy).blob("b");
        refused.answer(403, "AuthorizationFailure");
        let fleet = fleet.verify().keep(&Keep::new().last(2));
        let report = fleet.run().await.expect("a report");
        let told = report.disks.iter().map(|disk| (disk.copied, disk.verified, disk.removed));
        assert_eq!(told.collect::<Vec<_>>(), [(1, 1, 3), (0, 0, 0), (1, 1, 3)], "{report}");
        assert_eq!((report.failed(), report.removed()), (1, 6), "{report}");

        world.sim.faults().clear();
        let report = fleet.max_delete(2).run().await.expect("a report");
        let told = report.disks.iter().map(|disk| (disk.copied, disk.verified, disk.removed));
        assert_eq!(told.collect::<Vec<_>>(), [(0, 1, 0), (1, 1, 2), (0, 1, 0)], "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_copies_are_compared_if_asked_and_those_without_a_source_with_receipts() {
    let world = World::new().await;
    for name in ["a", "b"] {
        world.disk(name, 3).await;
    }
    let verified =
        |report: &FleetReport| report.disks.iter().map(|disk| disk.verified).collect::<Vec<_>>();
    let fleet = world.fleet();
    assert_eq!(verified(&fleet.clone().verify().run().await.expect("a report")), [3, 3]);
    assert_eq!(verified(&fleet.clone().verify().run().await.expect("a report")), [1, 1]);
    let fleet = fleet.verify_all();
    let mut proved = Vec::new();
    let run = fleet.run().on_event(|event| {
        if let FleetEvent::Verified { found, .. } = event {
            proved.extend_from_slice(found.receipts());
        }
    });
    assert_eq!(verified(&run.await.expect("a report")), [3, 3]);
    assert_eq!(proved.len(), 6);

    // The source of `a` prunes its oldest snapshot.
    let disk = world.from().page_blob_client("a");
    let listed = disk.list_snapshots().collect_all().await.expect("listed");
    disk.with_snapshot(&listed[0].snapshot).delete().await.expect("deleted");
    let report = fleet.run().await.expect("a report");
    assert_eq!((verified(&report), report.is_ok()), (vec![2, 3], true), "{report}");
    let report = fleet.receipts(&proved.into_iter().collect()).run().await.expect("a report");
    assert_eq!((verified(&report), report.is_ok()), (vec![3, 3], true), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_differs_is_a_failure_of_its_disk_and_nothing_of_it_is_removed() {
    let world = World::new().await;
    for name in ["a", "b"] {
        world.disk(name, 3).await;
    }
    let fleet = world.fleet().each(|mirror| mirror.route(MirrorRoute::Ranges));
    assert!(fleet.run().await.expect("a report").is_ok());
    // A snapshot of `b` that says that it equals the newest, and does not.
    let spoiled = world.to().page_blob_client("b");
    let newest = spoiled.list_snapshots().include([BlobInclude::Metadata]).collect_all().await;
    let newest = newest.expect("listed").pop().expect("the newest");
    spoiled.upload_pages(0, vec![9; 512]).await.expect("written");
    let snapshot = spoiled.create_snapshot().metadata(newest.properties.metadata.clone());
    snapshot.await.expect("taken");
    spoiled.with_snapshot(&newest.snapshot).delete().await.expect("deleted");

    let report = fleet.verify().keep(&Keep::new().last(1)).run().await.expect("a report");
    let told: Vec<_> = report.disks.iter().map(|disk| (disk.verified, disk.removed)).collect();
    assert_eq!(told, [(1, 2), (0, 0)], "{report}");
    let failure = report.disks[1].failure.as_ref().expect("it differs");
    assert_eq!((failure.step, failure.may_be_mended), (FleetStep::Verify, false), "{report}");
}
