//! Every way in which a copy can end, and the result for the caller.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use blobcopy::{
    BlobClient, CompletedCopy, CopyFromUriOperation, CopyState, CopyStatus, Error,
    transport::TransportErrorKind,
};
use futures_util::StreamExt;
use time::macros::datetime;

use crate::support::script::{Script, Step, answer, properties, refusal, started, timed};

const DONE: &str = "x-ms-copy-progress: 2048/2048
    x-ms-copy-completion-time: Thu, 01 Jan 2026 00:00:05 GMT";

/// The destination of the copies here.
const PLACE: &str = "https://acct.blob.core.windows.net/backups/disk0.vhd";

/// A copy that is being waited for; every step is the answer to one poll.
fn watched(polls: impl IntoIterator<Item = Step>) -> (CopyFromUriOperation, Script) {
    let script = Script::new(polls);
    (blob(&script).resume_copy("ours".parse::<blobcopy::CopyId>().expect("an id")), script)
}

fn blob(script: &Script) -> BlobClient {
    script.service().container_client("backups").blob_client("disk0.vhd")
}

async fn waited(polls: impl IntoIterator<Item = Step>) -> Result<CompletedCopy, Error> {
    watched(polls).0.wait().await
}

#[tokio::test(start_paused = true)]
async fn success_is_a_completed_copy_with_all_that_the_service_says() {
    let more = format!(
        "{DONE}
         x-ms-incremental-copy: true
         x-ms-copy-destination-snapshot: 2026-01-01T00:00:05.7654321Z
         x-ms-version-id: 2026-01-01T00:00:05.1111111Z
         Last-Modified: Thu, 01 Jan 2026 00:00:05 GMT"
    );
    let pending = properties("ours", "pending", "x-ms-copy-progress: 0/2048");
    let done = waited([pending, properties("ours", "success", &more)]).await.expect("success");
    assert_eq!(done.copy_id, "ours");
    assert_eq!(done.progress.expect("given").to_string(), "2048/2048");
    assert_eq!(done.destination_snapshot.expect("given"), "2026-01-01T00:00:05.7654321Z");
    assert_eq!(done.version_id.expect("given"), "2026-01-01T00:00:05.1111111Z");
    assert_eq!(done.completed_on, Some(datetime!(2026-01-01 00:00:05 UTC)));
    assert_eq!(done.last_modified, Some(datetime!(2026-01-01 00:00:05 UTC)));
    assert_eq!(done.etag.expect("given"), "\"0x1\"");
}

#[tokio::test(start_paused = true)]
async fn failed_is_an_error_with_the_services_description() {
    let more = "x-ms-copy-progress: 0/2048
        x-ms-copy-status-description: 500 InternalServerError \"Copy failed.\"";
    let error = waited([properties("ours", "failed", more)]).await.expect_err("failed");
    let Error::CopyFailed { copy_id, destination, description, progress, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((copy_id.as_str(), destination.as_str()), ("ours", PLACE));
    assert_eq!(description.as_deref(), Some("500 InternalServerError \"Copy failed.\""));
    assert_eq!(progress.map(|progress| progress.to_string()).as_deref(), Some("0/2048"));
    assert!(error.to_string().contains("Copy failed."), "{error}");
}

#[tokio::test(start_paused = true)]
async fn aborted_is_an_error() {
    let polls = [properties("ours", "aborted", "x-ms-copy-progress: 0/2048")];
    let error = waited(polls).await.expect_err("aborted");
    assert!(
        matches!(&error, Error::CopyAborted { copy_id, destination, progress: Some(_), .. }
            if *copy_id == "ours" && destination == PLACE),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn another_copys_id_means_superseded_even_if_it_succeeded() {
    let error = waited([properties("theirs", "success", DONE)]).await.expect_err("superseded");
    assert!(matches!(
        error,
        Error::CopySuperseded { copy_id, destination, found, .. }
            if copy_id == "ours" && destination == PLACE && found == "theirs"
    ));
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_missing_is_gone() {
    for code in ["BlobNotFound", "ContainerNotFound", ""] {
        let pending = properties("ours", "pending", "");
        let error = waited([pending, refusal(404, code)]).await.expect_err("gone");
        assert!(
            matches!(&error, Error::CopyDestinationGone { copy_id, destination, .. }
                if *copy_id == "ours" && destination == PLACE),
            "{error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_without_copy_properties_is_neither_success_nor_pending() {
    let plain = "Content-Length: 2048\nx-ms-blob-type: PageBlob\nx-ms-incremental-copy: false";
    let error = waited([answer(200, plain)]).await.expect_err("unknown");
    assert!(
        matches!(&error, Error::NoCopyProperties { copy_id, destination, .. }
            if *copy_id == "ours" && destination == PLACE),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_word_that_is_not_known_is_no_end() {
    let polls = [
        properties("ours", "paused", ""),
        properties("ours", "paused", ""),
        properties("ours", "success", DONE),
    ];
    let (mut copy, script) = watched(polls);
    copy.wait().await.expect("success in the end");
    assert_eq!(script.seen().len(), 3);

    let (mut copy, _) = watched([properties("ours", "paused", "")]);
    let error = copy.wait().timeout(Duration::from_secs(60)).await.expect_err("no end");
    let Error::WaitTimedOut { last, .. } = error else { panic!("{error:?}") };
    assert_eq!(last.expect("seen").status, CopyStatus::Other("paused".into()));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_times_out_can_be_taken_up_again() {
    let mut polls = vec![properties("ours", "pending", "x-ms-copy-progress: 512/2048"); 3];
    polls.push(properties("ours", "success", DONE));
    let (mut copy, _) = watched(polls);

    let limit = Duration::from_millis(150);
    let (result, took) = timed(copy.wait().timeout(limit).into_future()).await;
    let error = result.expect_err("too short");
    assert!(!error.is_retryable() && !error.may_have_been_applied());
    let Error::WaitTimedOut { copy_id, destination, last, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((copy_id.as_str(), destination.as_str()), ("ours", PLACE));
    let last = last.as_ref().expect("seen");
    assert_eq!(last.progress.map(|progress| progress.copied), Some(512));
    assert!(error.to_string().contains("512/2048"), "{error}");
    assert!((limit..limit * 2).contains(&took), "{took:?}");

    assert!(copy.wait().await.expect("goes on").progress.is_some());
}

#[tokio::test(start_paused = true)]
async fn polls_that_fail_in_passing_are_ridden_out() {
    let mut polls = vec![properties("ours", "pending", "")];
    polls.extend([refusal(503, "ServerBusy"), refusal(500, "InternalError")]);
    polls.extend(vec![Step::Fault(TransportErrorKind::Connect); 20]);
    polls.push(properties("ours", "success", DONE));
    waited(polls).await.expect("success after all");
}

#[tokio::test(start_paused = true)]
async fn the_last_fault_is_kept_and_shown() {
    let polls = [properties("ours", "pending", ""), refusal(503, "ServerBusy")];
    let (mut copy, _) = watched(polls);
    let error = copy.wait().timeout(Duration::from_secs(300)).await.expect_err("never answers");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(matches!(error, Error::WaitTimedOut { .. }), "{error:?}");
    assert!(cause.contains("503 ServerBusy"), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn without_a_timeout_an_outage_of_an_hour_is_the_end() {
    let polls = [properties("ours", "pending", ""), Step::Fault(TransportErrorKind::Connect)];
    let (result, took) = timed(watched(polls).0.wait().into_future()).await;
    let error = result.expect_err("never answers");
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    let hour = Duration::from_secs(3600);
    assert!((hour..hour + Duration::from_secs(120)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn no_wait_lasts_for_ever() {
    let (mut copy, _) = watched([properties("ours", "pending", "")]);
    let (result, took) = timed(copy.wait().into_future()).await;
    assert!(matches!(result, Err(Error::WaitTimedOut { .. })), "{result:?}");
    let day = Duration::from_secs(24 * 3600);
    assert!((15 * day..15 * day + day).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_will_not_pass_ends_the_wait() {
    let error = waited([refusal(403, "AuthenticationFailed")]).await.expect_err("refused");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(403));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_already_says_success_needs_no_poll() {
    let script = Script::new([started("ours", "success")]);
    let source = script.service().container_client("vhds").blob_client("notes.txt");
    let mut copy = blob(&script).start_copy_from_uri(&source).await.expect("started");
    assert!(copy.has_completed());
    let done = copy.wait().await.expect("success");
    assert_eq!((done.copy_id.as_str(), done.progress), ("ours", None));
    assert_eq!(script.methods(), ["PUT"]);
}

#[tokio::test(start_paused = true)]
async fn an_incremental_start_is_polled_at_least_once_for_its_snapshot() {
    let more = "x-ms-copy-destination-snapshot: 2026-01-01T00:00:05.7654321Z";
    let script = Script::new([started("ours", "success"), properties("ours", "success", more)]);
    let vhds = script.service().container_client("vhds");
    let snapshot: blobcopy::SnapshotId = "2026-01-01T00:00:00.1234567Z".parse().expect("an id");
    let backup = vhds.page_blob_client("backup.vhd");
    let start = backup.start_copy_incremental(&vhds.page_blob_client("disk0.vhd"), &snapshot);
    let mut copy = start.await.expect("started");
    assert!(!copy.has_completed());
    assert!(copy.wait().await.expect("success").destination_snapshot.is_some());
    assert_eq!(script.methods(), ["PUT", "HEAD"]);
}

#[tokio::test(start_paused = true)]
async fn a_poll_reports_and_does_not_judge() {
    let polls = ["pending", "failed", "aborted"].map(|status| properties("ours", status, ""));
    let (mut copy, _) = watched(polls);
    assert_eq!((copy.status(), copy.has_completed()), (None, false));
    for (status, completed) in
        [(CopyStatus::Pending, false), (CopyStatus::Failed, true), (CopyStatus::Aborted, true)]
    {
        let state = copy.poll().await.expect("a report");
        assert_eq!((&state.status, copy.has_completed()), (&status, completed));
        assert_eq!(copy.status(), Some(&status));
    }
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_after_each_poll() {
    let polls = [(0, "pending"), (1024, "pending"), (2048, "success")].map(|(copied, status)| {
        properties("ours", status, &format!("x-ms-copy-progress: {copied}/2048"))
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let (mut copy, _) = watched(polls);
    let tell = |state: &CopyState| told.lock().expect("one thread").push(state.to_string());
    copy.wait().on_progress(tell).await.expect("success");
    let expected = ["pending at 0/2048", "pending at 1024/2048", "success at 2048/2048"];
    assert_eq!(*told.lock().expect("one thread"), expected);
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_of_the_poll_at_the_deadline_too() {
    let counted =
        |copied: u64| properties("ours", "pending", &format!("x-ms-copy-progress: {copied}/2048"));
    for limit in [Duration::from_millis(1), Duration::from_secs(10)] {
        let (mut copy, script) = watched((0..2048).map(counted));
        let mut told = 0;
        let wait = copy.wait().interval(Duration::from_secs(3)).timeout(limit);
        let error = wait.on_progress(|_| told += 1).await.expect_err("pending");
        assert_eq!(told, script.seen().len(), "{limit:?}");
        let Error::WaitTimedOut { last, polls_answered, .. } = error else { panic!("{error:?}") };
        assert_eq!(polls_answered, told as u64);
        let copied = last.and_then(|last| last.progress).map(|progress| progress.copied);
        assert_eq!(copied, Some(polls_answered - 1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_holds_a_copy_up_is_told_while_it_waits_and_at_its_timeout() {
    const TROUBLE: &str = "403 AuthenticationFailed \"Copy failed when reading the source.\"";
    let more = format!("x-ms-copy-progress: 0/2048\nx-ms-copy-status-description: {TROUBLE}");
    let (mut copy, _) = watched([properties("ours", "pending", &more)]);
    let mut told = Vec::new();
    let wait = copy.wait().timeout(Duration::from_secs(60));
    let wait = wait.on_progress(|state| told.push(state.held_up_by().map(str::to_owned)));
    let error = wait.await.expect_err("pending");
    assert!(told.len() > 1 && told.iter().all(|told| told.as_deref() == Some(TROUBLE)), "{told:?}");
    let text = error.to_string();
    assert!(text.contains(TROUBLE) && text.contains("cannot continue on its own"), "{text}");
    assert!(!text.contains("continues and"), "{text}");
    let Error::WaitTimedOut { last: Some(last), .. } = error else { panic!("{error:?}") };
    assert_eq!(last.description.as_deref(), Some(TROUBLE));
}

#[tokio::test(start_paused = true)]
async fn a_malformed_header_does_not_end_a_wait() {
    for malformed in [
        "Last-Modified: 2026-01-01T00:00:00Z",
        "x-ms-copy-completion-time: 2026-01-01T00:00:05Z",
        "x-ms-copy-progress: half",
        "x-ms-creation-time: soon",
        "x-ms-incremental-copy: maybe",
    ] {
        let polls = ["pending", "success"].map(|status| properties("ours", status, malformed));
        waited(polls).await.expect(malformed);
    }
    let etag = "ETag: \"\"\nx-ms-version: 1\nx-ms-copy-id: ours\nx-ms-copy-status: success";
    assert_eq!(waited([answer(200, etag)]).await.expect("success").etag, None);
}

/// The last answers of an incremental copy, while it does not name its snapshot.
fn bare() -> Step {
    properties("ours", "success", "x-ms-incremental-copy: true")
}

#[tokio::test(start_paused = true)]
async fn an_incremental_success_without_its_snapshot_is_looked_at_again() {
    let more = "x-ms-incremental-copy: true
        x-ms-copy-destination-snapshot: 2026-01-01T00:00:05.7654321Z";
    let (mut copy, script) = watched([bare(), bare(), properties("ours", "success", more)]);
    let mut told = 0;
    let done = copy.wait().on_progress(|_| told += 1).await.expect("success");
    assert!(done.destination_snapshot.is_some());
    assert_eq!((script.seen().len(), told), (3, 1));

    let (copy, _) = watched([bare(), bare(), properties("ours", "success", more)]);
    let states: Vec<_> = copy.progress_stream().collect().await;
    let [Ok(state)] = &states[..] else { panic!("{states:?}") };
    assert!(state.destination_snapshot.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_incremental_success_that_never_names_its_snapshot_is_returned_as_it_is() {
    let (mut copy, script) = watched([bare()]);
    let (result, took) = timed(copy.wait().into_future()).await;
    assert_eq!(result.expect("success").destination_snapshot, None);
    assert_eq!(script.seen().len(), 6);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(copy.has_completed());

    let (mut copy, script) = watched([bare()]);
    while !copy.has_completed() {
        copy.poll().await.expect("a report");
    }
    assert_eq!(script.seen().len(), 6);

    // It has succeeded, whatever comes after.
    for after in [
        refusal(404, "BlobNotFound"),
        refusal(403, "AuthenticationFailed"),
        properties("theirs", "pending", ""),
        Step::Fault(TransportErrorKind::Connect),
    ] {
        let (mut copy, _) = watched([bare(), after.clone()]);
        assert!(copy.wait().await.is_ok(), "{after:?}");
        let (mut copy, _) = watched([bare(), after.clone()]);
        assert!(copy.wait().timeout(Duration::from_millis(50)).await.is_ok(), "{after:?}");
    }
    // An ordinary copy creates no snapshot.
    let (mut copy, script) = watched([properties("ours", "success", "")]);
    copy.wait().await.expect("success");
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_with_the_end() {
    let (copy, _) = watched([properties("ours", "pending", ""), properties("ours", "success", "")]);
    let states: Vec<_> = copy.progress_stream().collect().await;
    let words: Vec<_> =
        states.iter().map(|state| state.as_ref().expect("ok").status.as_str()).collect();
    assert_eq!(words, ["pending", "success"]);

    for (status, end) in [("failed", "failed"), ("aborted", "was aborted")] {
        let (copy, _) =
            watched([properties("ours", "pending", ""), properties("ours", status, "")]);
        let mut states: Vec<_> = copy.progress_stream().collect().await;
        let last = states.pop().expect("an end").expect_err("no success").to_string();
        assert!(states.len() == 1 && last.contains(end), "{last}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_enough_to_take_a_copy_up_again_and_holds_no_secret() {
    let script = Script::new([started("ours", "pending"), properties("ours", "success", DONE)]);
    let service = script.service();
    let source = "https://other.blob.core.windows.net/c/b?sp=r&sig=SECRET".parse::<url::Url>();
    let destination = service.container_client("backups").blob_client("a folder/disk 0%.vhd");
    let copy = destination.start_copy_from_uri(source.expect("a URL")).await.expect("started");

    let stored = serde_json::to_string(&copy.token()).expect("serializes");
    assert_eq!(
        stored,
        r#"{"destination":"https://acct.blob.core.windows.net/backups/a%20folder/disk%200%25.vhd","copy_id":"ours"}"#
    );
    let token = serde_json::from_str(&stored).expect("reads back");
    let mut again = service.resume(&token).expect("of this account");
    assert_eq!(again.blob().name(), "a folder/disk 0%.vhd");
    assert!(again.wait().await.expect("success").progress.is_some());

    let elsewhere = blobcopy::BlobServiceClient::new(
        "https://other.blob.core.windows.net".parse().expect("a URL"),
        blobcopy::Credential::anonymous(),
    );
    let error = elsewhere.expect("a client").resume(&token).expect_err("another account");
    assert!(error.to_string().starts_with("copy token: "), "{error}");
}
