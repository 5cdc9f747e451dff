//! The budget that clients draw from: throttled calls wait together, and none of them fails.

#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::time::Duration;

use blobcopy::{BlobServiceClient, Clock, Error, ErrorCode, RetryOptions, jobs::Budget};
use blobcopy_simulator::{Op, Simulator};
use futures_util::future::join_all;
use time::macros::datetime;
use tokio::time::Instant;

use crate::support::script::{Script, Step, answer, properties, refusal, started};

const SECOND: Duration = Duration::from_secs(1);

fn ok() -> Step {
    answer(200, "Content-Length: 5\nx-ms-request-id: r-1")
}

fn busy() -> Step {
    refusal(503, "ServerBusy")
}

fn service(script: &Script, budget: &Budget) -> BlobServiceClient {
    script.service().with_budget(budget)
}

#[tokio::test(start_paused = true)]
async fn a_throttled_attempt_uses_up_no_retry() {
    let throttled = answer(
        409,
        "x-ms-error-code: CannotVerifyCopySource\nx-ms-copy-source-status-code: 429\n\
         x-ms-request-id: r-1",
    );
    let timed_out = refusal(500, "OperationTimedOut");
    for step in [busy(), refusal(429, ""), throttled, timed_out] {
        let script = Script::new(vec![step; 40].into_iter().chain([ok()]));
        let budget = Budget::new();
        let options = |options: blobcopy::ClientOptions| {
            options.retry(RetryOptions::none()).budget(budget.clone())
        };
        let service = script.service_with(options);
        let notes = service.container_client("vhds").blob_client("notes.txt");
        notes.get_properties().await.expect("patient");
        assert_eq!((budget.requests(), budget.throttled()), (41, 40));
    }
}

#[tokio::test(start_paused = true)]
async fn other_troubles_do() {
    let script = Script::new([busy(), busy(), refusal(500, "InternalError")]);
    let budget = Budget::new();
    let notes = service(&script, &budget).container_client("vhds").blob_client("notes.txt");
    let error = notes.get_properties().await.expect_err("an error of the service");
    assert_eq!(error.code(), Some(&ErrorCode::InternalError));
    assert_eq!((script.seen().len(), budget.throttled()), (6, 2));
}

#[tokio::test(start_paused = true)]
async fn patience_has_an_end() {
    let script = Script::new([busy()]);
    let budget = Budget::new().patience(60 * SECOND);
    let notes = service(&script, &budget).container_client("vhds").blob_client("notes.txt");
    let begun = Instant::now();
    let error = notes.get_properties().await.expect_err("busy all the time");
    assert_eq!(error.code(), Some(&ErrorCode::ServerBusy));
    let took = begun.elapsed();
    assert!((60 * SECOND..80 * SECOND).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn too_many_page_ranges_at_once_are_no_throttling_to_be_patient_with() {
    let script = Script::new([refusal(500, "OperationTimedOut")]);
    let budget = Budget::new();
    let disk = service(&script, &budget).container_client("vhds").page_blob_client("disk0.vhd");
    disk.get_page_ranges().collect_all().await.expect_err("too many");
    assert_eq!(script.seen().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_applied_is_not_repeated() {
    let script = Script::new([refusal(500, "OperationTimedOut"), answer(201, "")]);
    let budget = Budget::new();
    let log = service(&script, &budget).container_client("vhds").append_blob_client("log");
    let error = log.append_block("x").await.expect_err("in doubt");
    assert!(error.may_have_been_applied(), "{error}");
    assert_eq!((script.seen().len(), budget.throttled()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_start_is_patient_and_still_looks_before_it_starts_again() {
    let id = "6f3b4b1e-0f6c-4f0f-8f27-4f5d7a8a3a10";
    let none = answer(200, "Content-Length: 5\nETag: \"0x1\"\nx-ms-request-id: r-1");
    // Busy, in doubt, a look, busy, in doubt, a look that finds the copy.
    let source = "x-ms-copy-source: https://acct.blob.core.windows.net/vhds/notes.txt";
    let timed_out = || refusal(500, "OperationTimedOut");
    let mut steps = vec![busy(); 9];
    steps.extend([timed_out(), none.clone()]);
    steps.extend(vec![busy(); 9]);
    steps.extend([timed_out(), none]);
    steps.extend([timed_out(), properties(id, "pending", source)]);
    let script = Script::new(steps);
    let service = service(&script, &Budget::new());
    let notes = service.container_client("vhds").blob_client("notes.txt");
    let backup = service.container_client("backups").blob_client("notes.txt");
    let copy = backup.start_copy_from_uri(&notes).await.expect("found");
    assert!(copy.was_adopted());
    let methods = script.methods();
    let puts = methods.iter().filter(|method| *method == "PUT").count();
    assert_eq!((puts, methods.len()), (21, 24));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_was_started_with_a_budget_polls_with_it() {
    let id = "6f3b4b1e-0f6c-4f0f-8f27-4f5d7a8a3a10";
    let script = Script::new([started(id, "pending"), properties(id, "success", "")]);
    let budget = Budget::new();
    let service = service(&script, &budget);
    let notes = service.container_client("vhds").blob_client("notes.txt");
    let backup = service.container_client("backups").blob_client("notes.txt");
    let mut copy = backup.start_copy_from_uri(&notes).await.expect("started");
    copy.wait().await.expect("copied");
    assert_eq!(budget.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_nothing_changes() {
    let script = Script::new([busy()]);
    let notes = script.service().container_client("vhds").blob_client("notes.txt");
    let Err(Error::Service(error)) = notes.get_properties().await else { panic!("busy") };
    assert_eq!(error.attempts, 4);
}

#[tokio::test(start_paused = true)]
async fn uploads_source_ranges_and_downloads_count_their_bytes() {
    let sim = Simulator::builder().build();
    let budget = Budget::new().bytes_per_second(1 << 20);
    let service = sim.service_client().expect("a client").with_budget(&budget);
    let vhds = service.container_client("vhds");
    vhds.create().await.expect("created");
    let notes = vhds.block_blob_client("notes.txt");
    notes.upload(vec![1; 1 << 20]).await.expect("uploaded");
    assert_eq!(budget.bytes(), 1 << 20);
    let copy = vhds.block_blob_client("copy.txt");
    let id = "AAAA".parse::<blobcopy::BlockId>().expect("an id");
    let staged = copy.stage_block_from_uri(&id, &notes).source_range(0..1 << 19).await;
    staged.expect("staged");
    assert_eq!(budget.bytes(), 3 << 19);
    notes.download().await.expect("downloaded").bytes().await.expect("read");
    assert_eq!(budget.bytes(), 5 << 19);
}

/// 64 workers, a service that throttles at 2,000 requests a second and asks for a pause of a second
/// each time: at least nine tenths of its rate is used, and no call fails.
#[tokio::test(start_paused = true)]
async fn a_throttled_service_is_used_up_and_nothing_fails() {
    let clock = Clock::starting_at(datetime!(2026-01-01 12:00 UTC));
    let sim = Simulator::builder().clock(clock).build();
    let plain = sim.service_client().expect("a client").container_client("vhds");
    plain.create().await.expect("created");
    plain.block_blob_client("notes.txt").upload("some notes").await.expect("uploaded");
    sim.faults().on(Op::GetBlobProperties).throttle(2000);

    let budget = Budget::new();
    let notes = plain.with_budget(&budget).blob_client("notes.txt");
    let begun = Instant::now();
    let worker = async || {
        let mut done = 0_u32;
        while begun.elapsed() < 20 * SECOND {
            notes.get_properties().await.expect("patient");
            tokio::time::sleep(Duration::from_millis(10)).await;
            done += 1;
        }
        done
    };
    let done = join_all((0..64).map(|_| worker())).await;
    let total: u32 = done.iter().sum();
    assert!(total >= 2000 * 20 * 9 / 10, "{total} of 40000");
    let (least, most) = (done.iter().min(), done.iter().max());
    assert!(least.unwrap() * 10 >= most.unwrap() * 8, "{least:?} and {most:?}");
    assert!(budget.throttled() < budget.requests() / 20, "{budget:?}");
}
