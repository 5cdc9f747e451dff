//! Leases, and the guard that renews one.

// On paused time: no test sleeps.
#![allow(clippy::disallowed_methods)]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use blobcopy::{
    BlobClient, BlobServiceClient, Clock, ErrorCode, LeaseState,
    transport::{BoxFuture, Request, Response, Transport, TransportError},
};
use blobcopy_simulator::{Op, Simulator};
use time::macros::datetime;

use crate::support::script::{Script, answer, pass};

async fn world() -> (Simulator, BlobClient) {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let sim = Simulator::builder().clock(clock).build();
    let vhds = sim.service_client().expect("a client").container_client("vhds");
    vhds.create().await.expect("created");
    let notes = vhds.block_blob_client("notes.txt");
    notes.upload("some notes").await.expect("uploaded");
    (sim, vhds.blob_client("notes.txt"))
}

async fn state(blob: &BlobClient) -> LeaseState {
    blob.get_properties().await.expect("there").lease_state.expect("told")
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_lease_keeps_others_from_writing() {
    let (_, blob) = world().await;
    let lease = blob.acquire_lease(MINUTE).await.expect("acquired").lease_id;
    let error = blob.delete().await.expect_err("leased");
    assert_eq!(error.code(), Some(&ErrorCode::LeaseIdMissing));
    let error = blob.acquire_lease(MINUTE).await.expect_err("leased");
    assert_eq!(error.code(), Some(&ErrorCode::LeaseAlreadyPresent));
    blob.renew_lease(&lease).await.expect("renewed");
    let other =
        "11111111-2222-3333-4444-555555555555".parse::<blobcopy::LeaseId>().expect("a GUID");
    let changed = blob.change_lease(&lease, other).await.expect("changed").lease_id;
    let left = blob.break_lease().period(Duration::from_secs(5)).await.expect("broken");
    assert_eq!(left, Duration::from_secs(5));
    assert_eq!(state(&blob).await, LeaseState::Breaking);
    blob.release_lease(&changed).await.expect("released");
    blob.delete().await.expect("deleted");
}

#[tokio::test(start_paused = true)]
async fn a_guard_keeps_its_lease_and_releases_it() {
    let (_, blob) = world().await;
    let lease = blob.acquire_lease(Duration::from_secs(15)).guard().await.expect("acquired");
    pass(Duration::from_secs(3600)).await;
    assert!(lease.is_held());
    assert_eq!(state(&blob).await, LeaseState::Leased);
    lease.release().await.expect("released");
    assert_eq!(state(&blob).await, LeaseState::Available);
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_is_dropped_releases_its_lease() {
    let (_, blob) = world().await;
    for acquire in [blob.acquire_infinite_lease(), blob.acquire_lease(MINUTE)] {
        let lease = acquire.guard().await.expect("acquired");
        assert_eq!(state(&blob).await, LeaseState::Leased);
        drop(lease);
        pass(Duration::from_millis(1)).await;
        assert_eq!(state(&blob).await, LeaseState::Available);
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_tells_when_its_lease_is_lost() {
    let (_, blob) = world().await;
    let lease = blob.acquire_lease(Duration::from_secs(30)).guard().await.expect("acquired");
    let early = tokio::time::timeout(MINUTE, lease.lost()).await;
    assert!(early.is_err(), "it is held");
    blob.break_lease().period(Duration::ZERO).await.expect("broken");
    let error = lease.lost().await;
    assert_eq!(error.code(), Some(&ErrorCode::LeaseIsBrokenAndCannotBeRenewed), "{error}");
    assert!(!lease.is_held());
    assert_eq!(lease.lost().await.code(), error.code(), "told as often as it is asked");
}

#[tokio::test(start_paused = true)]
async fn renewals_ride_out_trouble_while_the_lease_holds() {
    let (sim, blob) = world().await;
    let lease = blob.acquire_lease(MINUTE).guard().await.expect("acquired");
    sim.faults().on(Op::LeaseBlob).answer(503, "ServerBusy").times(6);
    pass(MINUTE * 10).await;
    assert!(lease.is_held());
    sim.faults().on(Op::LeaseBlob).answer(503, "ServerBusy");
    let begun = tokio::time::Instant::now();
    lease.lost().await;
    assert!(begun.elapsed() <= MINUTE * 2, "{:?}", begun.elapsed());
}

/// Drops the future after a second.
async fn give_up<T>(future: impl Future<Output = T>) {
    let second = Duration::from_secs(1);
    assert!(tokio::time::timeout(second, future).await.is_err(), "it ended");
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_acquisition_is_dropped_half_way_is_released() {
    // The answer comes soon, late, or never.
    for stall in [3, 300, 1_000_000].map(Duration::from_secs) {
        for guarded in [true, false] {
            let (sim, blob) = world().await;
            sim.faults().on(Op::LeaseBlob).stall(stall).times(1);
            match guarded {
                true => give_up(blob.acquire_infinite_lease().guard().into_future()).await,
                false => give_up(blob.acquire_infinite_lease().into_future()).await,
            }
            assert_eq!(state(&blob).await, LeaseState::Leased);
            pass(Duration::from_secs(11)).await;
            assert_eq!(state(&blob).await, LeaseState::Available, "{stall:?}, {guarded}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_dropped_before_it_was_asked_for_is_not_acquired() {
    let (sim, blob) = world().await;
    drop(blob.acquire_infinite_lease().guard().into_future());
    drop(blob.acquire_infinite_lease().into_future());
    pass(MINUTE).await;
    assert_eq!(sim.count(Op::LeaseBlob), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lease_under_an_id_that_the_caller_knows_is_left_to_the_caller() {
    let (sim, blob) = world().await;
    let id: blobcopy::LeaseId = "11111111-2222-3333-4444-555555555555".parse().expect("a GUID");
    sim.faults().on(Op::LeaseBlob).stall(MINUTE).times(1);
    give_up(blob.acquire_infinite_lease().proposed_id(id.clone()).into_future()).await;
    pass(MINUTE).await;
    assert_eq!(state(&blob).await, LeaseState::Leased);
    // The guard's lease ends with the guard, even if the caller chose its id.
    sim.faults().on(Op::LeaseBlob).stall(MINUTE).times(1);
    give_up(blob.acquire_infinite_lease().proposed_id(id).guard().into_future()).await;
    pass(MINUTE).await;
    assert_eq!(state(&blob).await, LeaseState::Available);
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_answers_are_all_lost_is_released() {
    for guarded in [true, false] {
        let (sim, blob) = world().await;
        sim.faults().on(Op::LeaseBlob).lose_answer().times(4);
        let error = match guarded {
            true => blob.acquire_infinite_lease().guard().await.map(drop),
            false => blob.acquire_infinite_lease().await.map(drop),
        };
        assert!(error.expect_err("no answer").may_have_been_applied());
        pass(Duration::from_secs(1)).await;
        assert_eq!(state(&blob).await, LeaseState::Available);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_followed_by_the_same_lease() {
    let (sim, blob) = world().await;
    sim.faults().on(Op::LeaseBlob).lose_answer().times(1);
    let lease = blob.acquire_infinite_lease().await.expect("acquired in the second try").lease_id;
    blob.release_lease(&lease).await.expect("it is ours");
}

#[tokio::test(start_paused = true)]
async fn a_builder_that_is_used_twice_acquires_two_leases() {
    let (_, blob) = world().await;
    let acquire = blob.acquire_infinite_lease();
    acquire.clone().await.expect("acquired");
    let error = acquire.await.expect_err("another has it");
    assert_eq!(error.code(), Some(&ErrorCode::LeaseAlreadyPresent));
}

/// Sends each request in its own task, so that a request still arrives after its sender is gone;
/// the first one only after `delay`. A proxy behaves like this.
#[derive(Debug)]
struct SlowProxy {
    sim: Simulator,
    delay: Duration,
    sent: AtomicUsize,
}

impl Transport for SlowProxy {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let first = self.sent.fetch_add(1, Ordering::Relaxed) == 0;
        let (transport, delay) = (self.sim.transport(), self.delay);
        let passed_on = tokio::spawn(async move {
            if first {
                tokio::time::sleep(delay).await;
            }
            transport.send(request).await
        });
        Box::pin(async { passed_on.await.expect("no panic") })
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_granted_long_after_its_acquisition_was_dropped_is_released() {
    for delay in [5, 30, 90].map(Duration::from_secs) {
        let (sim, blob) = world().await;
        let proxy = SlowProxy { sim: sim.clone(), delay, sent: AtomicUsize::new(0) };
        let behind = BlobServiceClient::builder_from_connection_string(&sim.connection_string())
            .expect("an account")
            .options(sim.client_options().transport(proxy))
            .build()
            .expect("a client");
        let behind = behind.container_client("vhds").blob_client("notes.txt");
        give_up(behind.acquire_infinite_lease().guard().into_future()).await;
        pass(delay - Duration::from_secs(1) + Duration::from_millis(1)).await;
        assert!(sim.count(Op::LeaseBlob) > 0, "{delay:?}");
        pass(MINUTE).await;
        assert_eq!(state(&blob).await, LeaseState::Available, "{delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_gateway_answers_to_a_renewal_does_not_end_the_lease() {
    let lease = "x-ms-lease-id: 11111111-2222-3333-4444-555555555555";
    let leased = answer(200, lease);
    for status in [403, 404, 200] {
        let gateway = answer(status, "Server: nginx\nContent-Type: text/html");
        let script = Script::new([leased.clone(), gateway, leased.clone()]);
        let blob = script.service().container_client("vhds").blob_client("notes.txt");
        let guard = blob.acquire_lease(MINUTE).guard().await.expect("acquired");
        pass(MINUTE * 2).await;
        assert!(guard.is_held(), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_keeps_a_lease_that_took_long_to_acquire() {
    let busy = answer(503, "x-ms-error-code: ServerBusy\nRetry-After: 20");
    let leased = answer(200, "x-ms-lease-id: 11111111-2222-3333-4444-555555555555");
    let script = Script::new([busy, leased]).latency(Duration::from_millis(100));
    let blob = script.service().container_client("vhds").blob_client("notes.txt");
    let lease = blob.acquire_lease(Duration::from_secs(15)).guard().await.expect("acquired");
    pass(MINUTE).await;
    assert!(lease.is_held());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ran_out_is_renewed_unless_somebody_has_written() {
    let (_, blob) = world().await;
    let id = blob.acquire_lease(MINUTE).guard().await.expect("acquired").into_id();
    pass(Duration::from_secs(50)).await;
    assert_eq!(state(&blob).await, LeaseState::Leased, "it is not released");
    pass(Duration::from_secs(3600)).await;
    assert_eq!(state(&blob).await, LeaseState::Expired, "it is not renewed");

    let lease = blob.renew_lease(&id).guard(MINUTE).await.expect("renewed");
    pass(Duration::from_secs(3600)).await;
    assert!(lease.is_held() && state(&blob).await == LeaseState::Leased);
    drop(lease);
    pass(Duration::from_secs(1)).await;
    assert_eq!(state(&blob).await, LeaseState::Available);

    let id = blob.acquire_lease(MINUTE).guard().await.expect("acquired").into_id();
    pass(MINUTE).await;
    blob.set_metadata([("k", "v")]).await.expect("it ran out");
    let error = blob.renew_lease(&id).guard(MINUTE).await.expect_err("written");
    assert_eq!(error.code(), Some(&ErrorCode::LeaseNotPresentWithLeaseOperation));
    let error = blob.renew_lease(&id).guard(MINUTE * 2).await.expect_err("too long");
    assert!(error.to_string().starts_with("lease duration: "), "{error}");
}
