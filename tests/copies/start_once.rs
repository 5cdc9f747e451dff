//! A start whose answer is lost still runs exactly once. On the simulator, which loses the answer
//! after applying the request, or loses the request.

use std::time::Duration;

use blobcopy::{
    BlobClient, BlobServiceClient, Clock, Conditions, CopyFromUriOperation, ETag, Error, ErrorCode,
    PageBlobClient, SnapshotId,
};
use blobcopy_simulator::{Op, Simulator};
use time::macros::datetime;

/// A simulated account with a disk and a file, on virtual time.
pub(super) struct World {
    pub(super) sim: Simulator,
    pub(super) service: BlobServiceClient,
}

impl World {
    /// With copies that take `time`.
    pub(super) async fn new(time: Duration) -> Self {
        let clock = Clock::starting_at(datetime!(2026-01-01 12:00 UTC));
        let sim = Simulator::builder().clock(clock).copy_duration(time).build();
        let service = sim.service_client().expect("a client");
        for name in ["vhds", "backups"] {
            service.container_client(name).create().await.expect("created");
        }
        let world = Self { sim, service };
        world.disk().create(1 << 20).await.expect("created");
        world.write(0).await;
        let notes = world.notes().block_blob_client();
        notes.upload("some notes").await.expect("uploaded");
        world
    }

    pub(super) fn disk(&self) -> PageBlobClient {
        self.service.container_client("vhds").page_blob_client("disk0.vhd")
    }

    pub(super) fn notes(&self) -> BlobClient {
        self.service.container_client("vhds").blob_client("notes.txt")
    }

    pub(super) fn backup(&self) -> PageBlobClient {
        self.service.container_client("backups").page_blob_client("disk0.vhd")
    }

    pub(super) fn copy_of_notes(&self) -> BlobClient {
        self.service.container_client("backups").blob_client("notes.txt")
    }

    async fn write(&self, page: u64) {
        self.disk().upload_pages(page * 512, vec![1; 512]).await.expect("written");
    }

    pub(super) async fn snapshot(&self) -> SnapshotId {
        self.disk().create_snapshot().await.expect("taken").snapshot
    }

    pub(super) async fn start_incremental(
        &self,
        snapshot: &SnapshotId,
    ) -> Result<CopyFromUriOperation, Error> {
        self.backup().start_copy_incremental(&self.disk(), snapshot).await
    }

    pub(super) async fn start_ordinary(&self) -> Result<CopyFromUriOperation, Error> {
        self.copy_of_notes().start_copy_from_uri(&self.notes()).await
    }

    pub(super) fn started(&self) -> u64 {
        self.sim.copies().started()
    }
}

pub(super) const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_an_incremental_start_is_found_again() {
    for time in [Duration::ZERO, Duration::from_millis(300), MINUTE] {
        let world = World::new(time).await;
        let snapshot = world.snapshot().await;
        world.sim.faults().on(Op::IncrementalCopy).lose_answer().times(1);
        let mut copy = world.start_incremental(&snapshot).await.expect("found again");
        let done = copy.wait().await.expect("success");
        assert!(done.destination_snapshot.is_some());
        assert_eq!(world.started(), 1, "{time:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_an_ordinary_start_is_found_again() {
    for time in [Duration::from_secs(3), MINUTE] {
        let world = World::new(time).await;
        world.sim.faults().on(Op::CopyBlob).lose_answer().times(1);
        let mut copy = world.start_ordinary().await.expect("found again");
        copy.wait().await.expect("success");
        assert_eq!(world.started(), 1, "{time:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_lost_and_still_found() {
    let world = World::new(MINUTE).await;
    let snapshot = world.snapshot().await;
    world.sim.faults().on(Op::IncrementalCopy).lose_answer();
    world.sim.faults().on(Op::CopyBlob).lose_answer();
    world.start_incremental(&snapshot).await.expect("found").wait().await.expect("success");
    world.start_ordinary().await.expect("found").wait().await.expect("success");
    assert_eq!(world.started(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_lost_before_it_arrived_is_sent_again() {
    let world = World::new(Duration::ZERO).await;
    let snapshot = world.snapshot().await;
    world.sim.faults().on(Op::IncrementalCopy).reset().times(2);
    world.sim.faults().on(Op::CopyBlob).reset().times(2);
    world.start_incremental(&snapshot).await.expect("started").wait().await.expect("success");
    world.start_ordinary().await.expect("started").wait().await.expect("success");
    assert_eq!(world.started(), 2);
}

#[tokio::test(start_paused = true)]
async fn all_attempts_have_one_client_request_id_and_a_signature_each() {
    let world = World::new(Duration::ZERO).await;
    world.sim.faults().on(Op::CopyBlob).reset().times(2);
    world.start_ordinary().await.expect("started");
    let starts: Vec<_> =
        world.sim.requests().into_iter().filter(|seen| seen.op() == Op::CopyBlob).collect();
    assert_eq!(starts.len(), 3);
    let distinct = |name: &str| {
        let mut values: Vec<_> = starts.iter().map(|seen| seen.header(name)).collect();
        values.dedup();
        values.len()
    };
    assert_eq!(distinct("x-ms-client-request-id"), 1);
    // Dates have whole seconds, and the third attempt comes more than one after the first.
    assert!(distinct("x-ms-date") > 1 && distinct("authorization") > 1);
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_another_source_is_not_taken_on() {
    let world = World::new(MINUTE).await;
    let other = world.service.container_client("vhds").block_blob_client("other.txt");
    other.upload("other notes").await.expect("uploaded");
    let theirs = world.copy_of_notes().start_copy_from_uri(&other).await.expect("started");

    // The first attempt is lost before it arrives; the next finds the rival's pending copy.
    world.sim.faults().on(Op::CopyBlob).reset().times(1);
    let error = world.start_ordinary().await.expect_err("theirs is pending");
    assert_eq!(error.code(), Some(&ErrorCode::PendingCopyOperation));
    assert!(error.may_have_been_applied(), "the lost try is not forgotten");
    let found = world.copy_of_notes().get_properties().await.expect("there").copy;
    assert_eq!(found.expect("a copy").copy_id, *theirs.id());
}

#[tokio::test(start_paused = true)]
async fn an_older_copy_of_the_same_source_is_not_taken_on() {
    for pause in [Duration::ZERO, MINUTE] {
        let world = World::new(Duration::ZERO).await;
        let older = world.start_ordinary().await.expect("started");
        tokio::time::advance(pause).await;

        world.sim.faults().on(Op::CopyBlob).reset().times(1);
        let ours = world.start_ordinary().await.expect("started anew");
        assert_ne!(ours.id(), older.id(), "after {pause:?}");
        assert_eq!(world.started(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_older_copy_of_the_same_snapshot_is_not_taken_on() {
    let world = World::new(Duration::ZERO).await;
    let snapshot = world.snapshot().await;
    world.start_incremental(&snapshot).await.expect("started").wait().await.expect("success");
    tokio::time::advance(MINUTE).await;

    world.sim.faults().on(Op::IncrementalCopy).reset().times(1);
    let error = world.start_incremental(&snapshot).await.expect_err("copied before");
    assert_eq!(error.code(), Some(&ErrorCode::IncrementalCopyOfEarlierSnapshotNotAllowed));
}

#[tokio::test(start_paused = true)]
async fn a_pending_copy_that_the_first_answer_tells_of_is_no_copy_of_ours() {
    let world = World::new(MINUTE).await;
    world.start_ordinary().await.expect("started");
    let error = world.start_ordinary().await.expect_err("one is pending");
    assert_eq!(error.code(), Some(&ErrorCode::PendingCopyOperation));
    assert!(!error.may_have_been_applied());
    assert!(error.to_string().contains("abort_pending_copy"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_start_on_condition_is_found_although_its_repeat_is_refused() {
    let world = World::new(Duration::from_secs(3)).await;
    world.sim.faults().on(Op::CopyBlob).lose_answer().times(1);
    let absent = Conditions::new().if_none_match(ETag::ANY);
    let start = world.copy_of_notes().start_copy_from_uri(&world.notes()).conditions(absent);
    start.await.expect("found again").wait().await.expect("success");
    assert_eq!(world.started(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_is_not_repeated_when_the_destination_cannot_be_looked_at() {
    let world = World::new(MINUTE).await;
    world.sim.faults().on(Op::CopyBlob).lose_answer().times(1);
    world.sim.faults().on(Op::GetBlobProperties).answer(403, "AuthorizationFailure");
    let error = world.start_ordinary().await.expect_err("cannot be known");
    assert!(matches!(error, Error::Transport { .. }) && error.may_have_been_applied(), "{error:?}");
    assert_eq!(world.started(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_surely_was_not_applied_is_repeated_without_a_look() {
    let world = World::new(Duration::ZERO).await;
    world.sim.faults().on(Op::CopyBlob).answer(503, "ServerBusy").times(2);
    world.start_ordinary().await.expect("started");
    assert_eq!(world.sim.count(Op::GetBlobProperties), 0);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_might_have_been_taken_is_not_taken_twice() {
    let world = World::new(Duration::ZERO).await;
    world.sim.faults().on(Op::SnapshotBlob).lose_answer().times(1);
    let error = world.disk().create_snapshot().await.expect_err("no answer");
    assert!(error.may_have_been_applied());
    assert_eq!(world.sim.count(Op::SnapshotBlob), 1);
}
