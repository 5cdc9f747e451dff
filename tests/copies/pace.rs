//! When polls are sent.

use std::time::Duration;

use blobcopy::{CopyFromUriOperation, Error};

use crate::support::script::{Script, Step, answer, properties, refusal, started, timed};

fn watched(polls: impl IntoIterator<Item = Step>) -> (CopyFromUriOperation, Script) {
    let script = Script::new(polls);
    let blob = script.service().container_client("backups").blob_client("disk0.vhd");
    (blob.resume_copy("ours".parse::<blobcopy::CopyId>().expect("an id")), script)
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
    assert!((95..=101).contains(&timed(copy.wait().into_future()).await.1.as_millis()));
}

#[tokio::test(start_paused = true)]
async fn waits_are_jittered() {
    let mut took = Vec::new();
    for _ in 0..20 {
        let (mut copy, _) = watched([vec![pending(); 30], vec![success()]].concat());
        took.push(timed(copy.wait().into_future()).await.1);
    }
    took.sort();
    took.dedup();
    assert!(took.len() > 10, "{took:?}");
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
    assert!((40_000..43_000).contains(&polls), "{polls} polls");
}

#[tokio::test(start_paused = true)]
async fn a_fixed_interval_is_kept() {
    let (mut copy, _) = watched([pending(), pending(), pending(), success()]);
    let wait = copy.wait().interval(Duration::from_secs(7)).into_future();
    assert_eq!(timed(wait).await.1, Duration::from_secs(21));
}

#[tokio::test(start_paused = true)]
async fn what_the_service_asks_for_is_honoured() {
    let (mut copy, _) = watched([properties("ours", "pending", "Retry-After: 90"), success()]);
    assert_eq!(timed(copy.wait().into_future()).await.1, Duration::from_secs(90));

    // Longer than a retry would wait: the poll waits this long.
    let busy = answer(503, "x-ms-error-code: ServerBusy\nRetry-After: 300");
    let (mut copy, script) = watched([busy, success()]);
    assert_eq!(timed(copy.wait().into_future()).await.1, Duration::from_secs(300));
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_five_minutes_can_be_asked_for() {
    let five_minutes = Duration::from_secs(300);
    let asks = properties("ours", "pending", "Retry-After: 864000");
    let busy = answer(503, "x-ms-error-code: ServerBusy\nRetry-After: 864000");
    let until = answer(503, "x-ms-version: 1\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT");
    for asking in [asks, busy, until] {
        let (mut copy, script) = watched([asking, success()]);
        let (result, took) = timed(copy.wait().into_future()).await;
        result.expect("success");
        assert_eq!((took, script.seen().len()), (five_minutes, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn one_failure_does_not_end_a_wait_with_a_long_interval() {
    let hour = Duration::from_secs(3600);
    let mut polls = vec![pending()];
    polls.extend(vec![refusal(503, "ServerBusy"); 4]);
    polls.push(success());
    let (mut copy, _) = watched(polls);
    let (result, took) = timed(copy.wait().interval(2 * hour).into_future()).await;
    result.expect("success");
    // The second poll fails after two hours, and the third may come during the same outage.
    assert!((3 * hour..3 * hour + hour / 10).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_ends_an_hour_after_the_first_failure_even_while_it_sleeps() {
    let hour = Duration::from_secs(3600);
    let (mut copy, _) = watched([pending(), refusal(503, "ServerBusy")]);
    let (result, took) = timed(copy.wait().interval(10 * hour).into_future()).await;
    let error = result.expect_err("never answers");
    assert_eq!(error.code().map(|code| code.as_str()), Some("ServerBusy"), "{error:?}");
    assert!((11 * hour..11 * hour + hour / 30).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_an_outage() {
    // Every second poll fails, for far longer than an hour.
    let mut polls = Vec::new();
    for _ in 0..20 {
        polls.push(pending());
        polls.extend(vec![refusal(503, "ServerBusy"); 4]);
    }
    polls.push(success());
    let (mut copy, _) = watched(polls);
    copy.wait().interval(Duration::from_secs(50 * 60)).await.expect("success");
}

#[tokio::test(start_paused = true)]
async fn the_last_look_gets_up_to_five_seconds() {
    let limit = Duration::from_secs(90);
    // Pending at the start and after a minute; ended when the timeout passes.
    let run = async |latency| {
        let script = Script::new([pending(), pending(), success()]).latency(latency);
        let blob = script.service().container_client("backups").blob_client("disk0.vhd");
        let mut copy = blob.resume_copy("ours".parse::<blobcopy::CopyId>().expect("an id"));
        let wait = copy.wait().interval(Duration::from_secs(60)).timeout(limit);
        timed(wait.into_future()).await
    };
    for millis in [30, 1000, 4900] {
        let latency = Duration::from_millis(millis);
        let (result, took) = run(latency).await;
        result.expect("it had ended");
        assert!((limit + latency..limit + latency * 2).contains(&took), "{took:?}");
    }
    let (result, took) = run(Duration::from_secs(6)).await;
    assert!(matches!(result, Err(Error::WaitTimedOut { .. })), "{result:?}");
    assert!((95..=96).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_hangs_until_the_deadline_does_not_take_the_place_of_the_last_look() {
    let (mut copy, script) = watched([pending(), Step::Silence, success()]);
    copy.wait().timeout(Duration::from_secs(20)).await.expect("it had ended");
    assert_eq!(script.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_holds_even_while_a_poll_is_unanswered() {
    let limit = Duration::from_secs(5);
    let (mut copy, _) = watched([pending(), Step::Silence]);
    let (result, took) = timed(copy.wait().timeout(limit).into_future()).await;
    assert!(matches!(result, Err(Error::WaitTimedOut { .. })), "{result:?}");
    assert!((limit..limit + Duration::from_secs(6)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_without_any_answer_says_that_no_poll_got_through() {
    let cause = |error: &Error| std::error::Error::source(error).expect("a cause").to_string();
    let (mut copy, _) = watched([refusal(503, "ServerBusy")]);
    let error = copy.wait().timeout(Duration::from_secs(60)).await.expect_err("no answer");
    let Error::WaitTimedOut { copy_id, last: None, polls_answered: 0, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*copy_id, "ours");
    assert!(error.to_string().contains("no poll got through"), "{error}");
    assert!(error.to_string().contains("copy ours"), "{error}");
    assert!(cause(&error).contains("503 ServerBusy"), "{error:?}");

    let (mut copy, _) = watched([Step::Silence]);
    let error = copy.wait().timeout(Duration::from_secs(60)).await.expect_err("no answer");
    assert!(error.to_string().contains("no poll got through"), "{error}");
    assert!(cause(&error).contains("no response"), "{error:?}");

    // By then the answer to the start is out of date.
    let script = Script::new([started("ours", "pending"), refusal(503, "ServerBusy")]);
    let container = script.service().container_client("vhds");
    let start = container.blob_client("b").start_copy_from_uri(&container.blob_client("a"));
    let mut copy = start.await.expect("started");
    let error = copy.wait().timeout(Duration::from_secs(60)).await.expect_err("no answer");
    let Error::WaitTimedOut { last: Some(_), polls_answered: 0, .. } = &error else {
        panic!("{error:?}");
    };
    let text = error.to_string();
    assert!(text.contains("no poll got through") && text.contains("last known: pending"), "{text}");
    // A fault that a poll was recovering from is reported, too.
    let wait = copy.wait().timeout(Duration::from_millis(10));
    assert!(cause(&wait.await.expect_err("no answer")).contains("503 ServerBusy"));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_counts_the_polls_that_were_answered() {
    let (mut copy, _) = watched([pending()]);
    let error = copy.wait().timeout(Duration::from_millis(450)).await.expect_err("pending");
    let Error::WaitTimedOut { polls_answered: 5 | 6, cause: None, .. } = error else {
        panic!("{error:?}");
    };
}
