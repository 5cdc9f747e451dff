//! Which copy a start adopts after its answer was lost, and what it sends again.

use std::time::Duration;

use blobcopy::{
    BlobServiceClient, Conditions, CopyFromUriOperation, ETag, Error, ErrorCode, RetryOptions,
    SnapshotId,
    transport::{Request, TransportErrorKind},
};
use blobcopy_simulator::Op;

use super::start_once::{MINUTE, World};
use crate::support::script::{Script, Step, answer, properties, refusal, sent, started};

const LIVE: &str = "https://acct.blob.core.windows.net/vhds/disk0.vhd";
const SNAPSHOT: &str =
    "https://acct.blob.core.windows.net/vhds/disk0.vhd?snapshot=2026-01-01T00:00:00.1234567Z";

/// How a copy that must not be adopted has ended.
const ENDINGS: [&str; 2] = ["failed", "aborted"];

impl World {
    /// Starts an incremental copy of `snapshot` that ends as given, in the second in which it
    /// began.
    async fn end_incremental(&self, snapshot: &SnapshotId, ending: &str) -> CopyFromUriOperation {
        if ending == "failed" {
            self.sim.copies().fail_next(0, "500 InternalServerError \"Copy failed.\"");
        }
        let mut copy = self.start_incremental(snapshot).await.expect("started");
        if ending == "aborted" {
            copy.abort().await.expect("aborted");
        }
        assert_eq!(copy.poll().await.expect("there").status.as_str(), ending);
        copy
    }

    /// A client that waits before its second attempt, long enough for much to happen meanwhile.
    fn patient(&self) -> BlobServiceClient {
        let retry = RetryOptions::new().base_delay(Duration::from_secs(10));
        BlobServiceClient::builder_from_connection_string(&self.sim.connection_string())
            .expect("well formed")
            .options(self.sim.client_options().retry(retry))
            .build()
            .expect("a client")
    }
}

#[tokio::test(start_paused = true)]
async fn an_incremental_copy_that_failed_or_was_aborted_before_is_not_adopted() {
    for ending in ENDINGS {
        let world = World::new(MINUTE).await;
        let snapshot = world.snapshot().await;
        let old = world.end_incremental(&snapshot, ending).await;

        world.sim.faults().on(Op::IncrementalCopy).reset().times(1);
        let mut copy = world.start_incremental(&snapshot).await.expect("started again");
        assert_ne!(copy.id(), old.id(), "{ending}");
        copy.wait().await.expect("success");
        assert_eq!(world.started(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_ordinary_copy_of_a_snapshot_that_failed_or_was_aborted_before_is_not_adopted() {
    for ending in ENDINGS {
        let world = World::new(MINUTE).await;
        let snapshot = world.disk().with_snapshot(&world.snapshot().await);
        let copy_to = world.service.container_client("backups").blob_client("restored.vhd");
        if ending == "failed" {
            world.sim.copies().fail_next(0, "500 InternalServerError \"Copy failed.\"");
        }
        let mut old = copy_to.start_copy_from_uri(&snapshot).await.expect("started");
        old.abort().await.expect("over");

        world.sim.faults().on(Op::CopyBlob).reset().times(1);
        let mut copy = copy_to.start_copy_from_uri(&snapshot).await.expect("started again");
        assert_ne!(copy.id(), old.id(), "{ending}");
        assert!(!copy.was_adopted());
        copy.wait().await.expect("success");
    }
}

#[tokio::test(start_paused = true)]
async fn an_adopted_copy_says_so() {
    let world = World::new(MINUTE).await;
    let snapshot = world.snapshot().await;
    world.sim.faults().on(Op::IncrementalCopy).lose_answer().times(1);
    let copy = world.start_incremental(&snapshot).await.expect("found again");
    assert!(copy.was_adopted());
    assert!(!world.service.resume(&copy.token()).expect("of this account").was_adopted());

    world.sim.faults().on(Op::CopyBlob).reset().times(1);
    assert!(!world.start_ordinary().await.expect("started").was_adopted());
    let other = world.service.container_client("backups").blob_client("other.txt");
    world.sim.faults().on(Op::CopyBlob).lose_answer().times(1);
    let copy = other.start_copy_from_uri(&world.notes()).await.expect("found again");
    assert!(copy.was_adopted());
}

/// One start makes at most one incremental copy, even if that one fails.
#[tokio::test(start_paused = true)]
async fn an_incremental_copy_that_failed_since_is_not_started_again() {
    let world = World::new(Duration::from_secs(3)).await;
    let snapshot = world.snapshot().await;
    let service = world.patient();
    let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    world.sim.copies().fail_next(u64::MAX, "500 InternalServerError \"Copy failed.\"");
    world.sim.faults().on(Op::IncrementalCopy).lose_answer().times(1);
    let error = backup.start_copy_incremental(&world.disk(), &snapshot).await.expect_err("lost");
    assert!(matches!(error, Error::Transport { .. }) && error.may_have_been_applied(), "{error:?}");
    assert_eq!(world.started(), 1);
}

/// A failed ordinary copy leaves nothing, and the caller wants a copy.
#[tokio::test(start_paused = true)]
async fn an_ordinary_copy_that_failed_since_is_started_again() {
    let world = World::new(Duration::from_secs(3)).await;
    let copy_to = world.patient().container_client("backups").blob_client("notes.txt");
    world.sim.copies().fail_next(u64::MAX, "500 InternalServerError \"Copy failed.\"");
    world.sim.faults().on(Op::CopyBlob).lose_answer().times(1);
    let mut copy = copy_to.start_copy_from_uri(&world.notes()).await.expect("started again");
    assert!(!copy.was_adopted());
    copy.wait().await.expect("success");
    assert_eq!(world.started(), 2);
}

/// A lost answer.
fn lost() -> Step {
    Step::Fault(TransportErrorKind::Interrupted)
}

/// The result of a check: a copy of `source` that ended in the second in which the test begins.
fn ended(id: &str, status: &str, source: &str, date: &str) -> Step {
    const ENDED: &str = "x-ms-copy-completion-time: Thu, 01 Jan 2026 00:00:00 GMT";
    properties(id, status, &format!("x-ms-copy-source: {source}\n{ENDED}\n{date}"))
}

fn pending(id: &str, source: &str) -> Step {
    properties(id, "pending", &format!("x-ms-copy-source: {source}"))
}

/// Starts a copy of `source` with scripted answers.
async fn start(
    source: &str,
    conditions: Conditions,
    steps: impl IntoIterator<Item = Step>,
) -> (Result<CopyFromUriOperation, Error>, Vec<Request>) {
    let script = Script::new(steps);
    let blob = script.service().container_client("backups").blob_client("disk0.vhd");
    let source: url::Url = source.parse().expect("a URL");
    let copy = blob.start_copy_from_uri(source).conditions(conditions).await;
    (copy, script.seen())
}

#[tokio::test(start_paused = true)]
async fn without_a_date_only_a_success_of_a_source_that_cannot_change_is_adopted() {
    for (source, status, adopted) in [
        (SNAPSHOT, "success", true),
        (SNAPSHOT, "failed", false),
        (SNAPSHOT, "aborted", false),
        (LIVE, "success", false),
        (LIVE, "failed", false),
    ] {
        let steps = [lost(), ended("old", status, source, ""), started("new", "pending")];
        let copy = start(source, Conditions::new(), steps).await.0.expect("a copy");
        assert_eq!(copy.was_adopted(), adopted, "{source} {status}");
        assert_eq!(copy.id().as_str(), if adopted { "old" } else { "new" });
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_after_a_look_holds_only_for_what_was_seen() {
    let others = pending("theirs", "https://acct.blob.core.windows.net/vhds/other");
    for (seen, condition) in [
        (refusal(404, "BlobNotFound"), ("if-none-match", "*")),
        (answer(200, "Content-Length: 5\nETag: \"0x7\""), ("if-match", "\"0x7\"")),
        (others, ("if-match", "\"0x1\"")),
    ] {
        let steps = [lost(), seen, started("ours", "pending")];
        let (copy, requests) = start(LIVE, Conditions::new(), steps).await;
        assert!(!copy.expect("started").was_adopted());
        assert_eq!(sent(requests[0].headers(), condition.0), None);
        assert_eq!(sent(requests[2].headers(), condition.0), Some(condition.1));
    }
}

#[tokio::test(start_paused = true)]
async fn the_callers_own_conditions_are_sent_again_as_they_are() {
    let conditions = Conditions::new().if_none_match(ETag::ANY);
    let seen = answer(200, "Content-Length: 5\nETag: \"0x7\"");
    let steps = [lost(), seen, refusal(412, "ConditionNotMet"), refusal(404, "BlobNotFound")];
    let (copy, requests) = start(LIVE, conditions, steps).await;
    let error = copy.expect_err("the condition is not met");
    assert_eq!(error.code(), Some(&ErrorCode::ConditionNotMet));
    assert!(error.may_have_been_applied());
    assert_eq!(sent(requests[2].headers(), "if-none-match"), Some("*"));
    assert_eq!(sent(requests[2].headers(), "if-match"), None);
}

/// The lost attempt arrives between the check and the next attempt.
#[tokio::test(start_paused = true)]
async fn a_lost_attempt_that_arrives_late_is_adopted() {
    for refused in [
        refusal(412, "ConditionNotMet"),
        refusal(409, "BlobAlreadyExists"),
        refusal(409, "PendingCopyOperation"),
    ] {
        let date = "Date: Thu, 01 Jan 2026 00:00:00 GMT";
        // The dates leave the order open; that the check before did not show the copy does not.
        for found in [pending("ours", LIVE), ended("ours", "success", LIVE, date)] {
            let steps = [lost(), refusal(404, "BlobNotFound"), refused.clone(), found];
            let copy = start(LIVE, Conditions::new(), steps).await.0.expect("found");
            assert!(copy.was_adopted());
            assert_eq!(copy.id().as_str(), "ours");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_others_keep_writing_ends_with_the_lost_answer() {
    let mut steps = vec![lost(), refusal(404, "BlobNotFound")];
    for round in 1..9 {
        let written = answer(200, &format!("Content-Length: 5\nETag: \"0x{round}\""));
        steps.extend([refusal(412, "ConditionNotMet"), written]);
    }
    let (copy, requests) = start(LIVE, Conditions::new(), steps).await;
    let error = copy.expect_err("no end of it");
    // Without the condition, which the caller did not set.
    assert!(matches!(error, Error::Transport { .. }) && error.may_have_been_applied(), "{error:?}");
    assert_eq!(requests.len(), 8, "four attempts, and a look after each");
}

#[tokio::test(start_paused = true)]
async fn a_pending_copy_that_is_over_when_looked_for_makes_room_for_ours() {
    let steps = [
        lost(),
        refusal(404, "BlobNotFound"),
        refusal(409, "PendingCopyOperation"),
        ended("theirs", "aborted", "https://acct.blob.core.windows.net/vhds/other", ""),
        started("ours", "pending"),
    ];
    let copy = start(LIVE, Conditions::new(), steps).await.0.expect("started");
    assert_eq!((copy.id().as_str(), copy.was_adopted()), ("ours", false));
}
