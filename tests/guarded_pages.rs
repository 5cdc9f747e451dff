//! Page writes that a sequence number guards against those of an earlier run.

use std::time::Duration;

use blobcopy::{
    BlobServiceClient, ClientOptions, Clock, ErrorCode, GuardedPages, PageBlobClient, RetryOptions,
};
use blobcopy_simulator::{Op, Simulator};
use time::macros::datetime;

use crate::support::script::pass;

/// A disk of two pages, and a client without retries: each failure is one lost attempt.
async fn world() -> (Simulator, PageBlobClient) {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let sim = Simulator::builder().clock(clock).build();
    let options: ClientOptions = sim.client_options().retry(RetryOptions::none());
    let service = BlobServiceClient::builder_from_connection_string(&sim.connection_string());
    let service = service.expect("legal").options(options).build().expect("a client");
    let vhds = service.container_client("vhds");
    vhds.create().await.expect("created");
    let disk = vhds.page_blob_client("disk0.vhd");
    disk.create(1024).await.expect("created");
    (sim, disk)
}

async fn first_byte(disk: &PageBlobClient) -> u8 {
    disk.download().await.expect("opened").bytes().await.expect("read")[0]
}

fn land_late(sim: &Simulator, op: Op) {
    sim.faults().on(op).land_late(Duration::from_secs(60)).times(1);
}

#[tokio::test(start_paused = true)]
async fn a_write_of_an_earlier_run_that_lands_late_is_refused() {
    for op in [Op::PutPage, Op::PutPageFromUrl] {
        let (sim, disk) = world().await;
        let other = disk.with_snapshot(disk.create_snapshot().await.expect("taken").snapshot);
        let number = GuardedPages::number_above(0).expect("a number");
        let first = disk.guard_writes(number).await.expect("raised");
        land_late(&sim, op);
        let lost = match op {
            Op::PutPage => first.upload_pages(0, vec![1; 512]).await,
            _ => first.upload_pages_from_uri(&other, 0..512, 0).await,
        };
        assert!(lost.expect_err("no answer").may_have_been_applied());

        let number = GuardedPages::number_above(first.sequence_number()).expect("a number");
        let second = disk.guard_writes(number).await.expect("raised");
        second.upload_pages(0, vec![2; 512]).await.expect("written");
        pass(Duration::from_secs(120)).await;
        assert_eq!(first_byte(&disk).await, 2, "{op}");
        let late = sim.requests().into_iter().rfind(|request| request.op() == op);
        let late = late.expect("it arrived");
        assert_eq!((late.status(), late.code()), (412, Some("SequenceNumberConditionNotMet")));
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_guard_it_spoils_the_later_write() {
    let (sim, disk) = world().await;
    land_late(&sim, Op::PutPage);
    disk.upload_pages(0, vec![1; 512]).await.expect_err("no answer");
    disk.upload_pages(0, vec![2; 512]).await.expect("written");
    pass(Duration::from_secs(120)).await;
    assert_eq!(first_byte(&disk).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_clear_of_an_earlier_run_that_lands_late_is_refused() {
    let (sim, disk) = world().await;
    let first = disk.guard_writes(5).await.expect("raised");
    land_late(&sim, Op::PutPage);
    first.clear_pages(..1024).await.expect_err("no answer");
    let second = disk.guard_writes(6).await.expect("raised");
    second.upload_pages(0, vec![2; 512]).await.expect("written");
    pass(Duration::from_secs(120)).await;
    assert_eq!(first_byte(&disk).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_raise_that_lands_late_or_twice_changes_nothing() {
    let (sim, disk) = world().await;
    land_late(&sim, Op::SetBlobProperties);
    disk.guard_writes(5).await.expect_err("no answer");
    // The next run knows the number 5 from the notes of the first, and goes above it.
    let second = disk.guard_writes(6).await.expect("raised");
    pass(Duration::from_secs(120)).await;
    second.upload_pages(0, vec![2; 512]).await.expect("the number is still 6");
    disk.guard_writes(6).await.expect("a repeat");

    let error = disk.guard_writes(5).await.expect_err("the number is above").to_string();
    assert!(error.starts_with("sequence number: \"5\" is below"), "{error}");
    second.clear_pages(..512).await.expect("nothing has changed");
}

#[tokio::test(start_paused = true)]
async fn a_leased_blob_is_written_with_its_lease() {
    let (_, disk) = world().await;
    let lease = disk.acquire_infinite_lease().await.expect("leased").lease_id;
    let refused = disk.guard_writes(1).await.expect_err("no lease id");
    assert_eq!(refused.code(), Some(&ErrorCode::LeaseIdMissing));
    let pages = disk.guard_writes(1).lease_id(&lease).await.expect("raised");
    pages.upload_pages(0, vec![2; 512]).await.expect("written");
    pages.clear_pages(..512).await.expect("cleared");
}
