//! When polls are sent.

use std::time::Duration;

use blobcopy::{CopyFromUriOperation, Error};

use crate::support::script::{Script, Step, answer, properties, refusal, timed};

fn watched(polls: impl IntoIterator<Item = Step>) -> (CopyFromUriOperation, Script) {
    let script = Script::new(polls);
    let blob = script.service().container_client("backups").blob_client("disk0.vhd");
    (blob.resume_copy("ours".parse().expect("an id")), script)
}

fn pending() -> Step {
    properties("ours", "pending", "")
}

fn success() -> Step {
    properties("ours", "success", "")
}

#[tokio::test(start_paused = true)]
async fn the_first_look_is_at_once_and_the_second_soon_after() {
    let (mut copy, _) = watched([success()]);
    assert_eq!(timed(copy.wait().into_future()).await.1, Duration::ZERO);
    let (mut copy, _) = watched([pending(), success()]);
    assert_eq!(timed(copy.wait().into_future()).await.1.as_millis(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_long_copy_is_seen_to_end_with_few_polls() {
    // 100 MiB at 1 MiB a second: the rate is seen, and the end foreseen.
    let mut polls = Vec::new();
    let (mut at, mut age) = (0_u64, Duration::ZERO);
    while at < 100 {
        polls.push(properties("ours", "pending", &format!("x-ms-copy-progress: {at}/100")));
        age = (age + (age / 4).max(Duration::from_millis(100))).min(Duration::from_secs(100));
        at = age.as_secs();
    }
    polls.push(success());
    let (mut copy, script) = watched(polls);
    let (_, took) = timed(copy.wait().into_future()).await;
    assert!((95..=115).contains(&took.as_secs()), "{took:?}");
    assert!(script.seen().len() < 50, "{} polls", script.seen().len());
}

#[tokio::test(start_paused = true)]
async fn two_weeks_pass_in_no_time_with_a_poll_every_30_seconds() {
    let two_weeks = Duration::from_secs(14 * 24 * 3600);
    let (mut copy, script) = watched([pending()]);
    let wait = copy.wait().timeout(two_weeks).into_future();
    assert!(
        matches!(timed(wait).await, (Err(Error::WaitTimedOut { .. }), took) if took >= two_weeks)
    );
    let polls = script.seen().len();
    assert!((40_000..41_000).contains(&polls), "{polls} polls");
}

#[tokio::test(start_paused = true)]
async fn a_fixed_interval_is_kept() {
    let (mut copy, _) = watched([pending(), pending(), pending(), success()]);
    let wait = copy.wait().interval(Duration::from_secs(7)).into_future();
    assert_eq!(timed(wait).await.1, Duration::from_secs(21));
}

#[tokio::test(start_paused = true)]
async fn what_the_service_asks_for_is_honoured() {
    let asks = "Content-Length: 0\nx-ms-copy-id: ours\nx-ms-copy-status: pending\nRetry-After: 90";
    let (mut copy, _) = watched([answer(200, asks), success()]);
    assert_eq!(timed(copy.wait().into_future()).await.1, Duration::from_secs(90));

    // More than a retry would wait for: the wait does.
    let busy = answer(503, "x-ms-error-code: ServerBusy\nRetry-After: 300");
    let (mut copy, script) = watched([busy, success()]);
    assert_eq!(timed(copy.wait().into_future()).await.1, Duration::from_secs(300));
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_holds_even_while_a_poll_is_unanswered() {
    let limit = Duration::from_secs(5);
    let (mut copy, _) = watched([pending(), Step::Silence]);
    let (result, took) = timed(copy.wait().timeout(limit).into_future()).await;
    assert!(matches!(result, Err(Error::WaitTimedOut { .. })), "{result:?}");
    assert!((limit..limit + Duration::from_secs(1)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_before_any_answer_is_told_as_such() {
    let (mut copy, _) = watched([refusal(503, "ServerBusy")]);
    let error = copy.wait().timeout(Duration::from_secs(60)).await.expect_err("no answer");
    assert_eq!(error.code().map(|code| code.as_str()), Some("ServerBusy"));
    let (mut copy, _) = watched([Step::Silence]);
    let error = copy.wait().timeout(Duration::from_secs(60)).await.expect_err("no answer");
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}
