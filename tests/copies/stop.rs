//! Aborting copies.

use blobcopy::{AbortOutcome, BlobClient, Error, ErrorCode, transport::TransportErrorKind};

use crate::support::script::{Script, Step, answer, properties, refusal, sent};

fn blob(script: &Script) -> BlobClient {
    script.service().container_client("backups").blob_client("disk0.vhd")
}

async fn aborted(steps: impl IntoIterator<Item = Step>) -> (Result<AbortOutcome, Error>, Script) {
    let script = Script::new(steps);
    let mut copy = blob(&script).resume_copy("ours".parse::<blobcopy::CopyId>().expect("an id"));
    (copy.abort().await, script)
}

#[tokio::test(start_paused = true)]
async fn a_pending_copy_is_aborted_by_its_id() {
    let (outcome, script) = aborted([answer(204, "")]).await;
    assert_eq!(outcome.expect("aborted"), AbortOutcome::Aborted);
    let request = &script.seen()[0];
    assert_eq!(request.url().query(), Some("comp=copy&copyid=ours"));
    assert_eq!(sent(request.headers(), "x-ms-copy-action"), Some("abort"));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_had_ended_tells_how() {
    let steps = [refusal(409, "NoPendingCopyOperation"), properties("ours", "success", "")];
    let AbortOutcome::AlreadyFinished(state) = aborted(steps).await.0.expect("no error") else {
        panic!("it had ended");
    };
    assert_eq!(state.status, blobcopy::CopyStatus::Success);
}

#[tokio::test(start_paused = true)]
async fn an_abort_whose_answer_was_lost_counts_as_done() {
    let lost = Step::Fault(TransportErrorKind::Interrupted);
    let gone = refusal(409, "NoPendingCopyOperation");
    let ended = properties("ours", "aborted", "");
    let (outcome, _) = aborted([lost, gone.clone(), ended.clone()]).await;
    assert_eq!(outcome.expect("aborted"), AbortOutcome::Aborted);
    // Without a lost answer, someone else aborted it.
    let (outcome, _) = aborted([gone, ended]).await;
    assert!(matches!(outcome.expect("no error"), AbortOutcome::AlreadyFinished(_)));
}

#[tokio::test(start_paused = true)]
async fn an_abort_of_which_every_answer_was_lost_is_looked_for() {
    let lost = || vec![Step::Fault(TransportErrorKind::Interrupted); 4];
    let (outcome, script) =
        aborted(lost().into_iter().chain([properties("ours", "aborted", "")])).await;
    assert_eq!(outcome.expect("aborted"), AbortOutcome::Aborted);
    assert_eq!(script.methods(), ["PUT", "PUT", "PUT", "PUT", "HEAD"]);
    let (outcome, _) = aborted(lost().into_iter().chain([properties("ours", "success", "")])).await;
    assert!(matches!(outcome.expect("no error"), AbortOutcome::AlreadyFinished(_)));
    // If the check shows nothing new, or fails too, the outcome stays unknown.
    for look in [properties("ours", "pending", ""), refusal(403, "AuthorizationFailure")] {
        let (outcome, _) = aborted(lost().into_iter().chain([look])).await;
        let error = outcome.expect_err("open");
        assert!(matches!(error, Error::Transport { .. }) && error.may_have_been_applied());
    }
}

#[tokio::test(start_paused = true)]
async fn another_copy_is_not_aborted_in_place_of_ours() {
    let steps = [refusal(409, "CopyIdMismatch"), properties("theirs", "pending", "")];
    let (outcome, script) = aborted(steps).await;
    assert!(matches!(outcome, Err(Error::CopySuperseded { found, .. }) if found == "theirs"));
    assert_eq!(script.methods(), ["PUT", "HEAD"]);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_gone_is_told() {
    let (outcome, _) = aborted([refusal(404, "BlobNotFound")]).await;
    assert!(matches!(outcome, Err(Error::CopyDestinationGone { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn the_strict_abort_answers_as_the_service_does() {
    for code in [ErrorCode::NoPendingCopyOperation, ErrorCode::CopyIdMismatch] {
        let script = Script::new([refusal(409, code.as_str())]);
        let error =
            blob(&script).abort_copy("ours".parse::<blobcopy::CopyId>().expect("an id")).await;
        assert_eq!(error.expect_err("refused").code(), Some(&code));
        assert_eq!(script.methods(), ["PUT"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pending_copy_is_found_and_aborted_with_the_lease() {
    let script = Script::new([properties("theirs", "pending", ""), answer(204, "")]);
    let lease = "11111111-2222-3333-4444-555555555555";
    let abort = blob(&script)
        .abort_pending_copy()
        .lease_id(lease.parse::<blobcopy::LeaseId>().expect("a guid"));
    assert_eq!(abort.await.expect("aborted"), AbortOutcome::Aborted);
    let request = &script.seen()[1];
    assert_eq!(request.url().query(), Some("comp=copy&copyid=theirs"));
    assert_eq!(sent(request.headers(), "x-ms-lease-id"), Some(lease));
}

#[tokio::test(start_paused = true)]
async fn every_request_of_an_abort_carries_what_its_caller_has_set() {
    let script = Script::new([
        properties("ours", "pending", ""),
        refusal(409, "NoPendingCopyOperation"),
        properties("ours", "success", ""),
    ]);
    let abort = blob(&script).abort_pending_copy().client_request_id("call-1");
    abort.server_timeout(std::time::Duration::from_secs(7)).await.expect("had ended");
    assert_eq!(script.methods(), ["HEAD", "PUT", "HEAD"]);
    for request in script.seen() {
        assert_eq!(sent(request.headers(), "x-ms-client-request-id"), Some("call-1"));
        assert!(request.url().query().is_some_and(|query| query.ends_with("timeout=7")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_copy_that_takes_the_place_is_aborted_in_turn() {
    let script = Script::new([
        properties("first", "pending", ""),
        refusal(409, "CopyIdMismatch"),
        properties("second", "pending", ""),
        properties("second", "pending", ""),
        answer(204, ""),
    ]);
    assert_eq!(blob(&script).abort_pending_copy().await.expect("aborted"), AbortOutcome::Aborted);
    let last = script.seen().pop().expect("sent");
    assert_eq!(last.url().query(), Some("comp=copy&copyid=second"));
}

#[tokio::test(start_paused = true)]
async fn a_blob_without_a_copy_has_none_to_abort() {
    let script = Script::new([answer(200, "Content-Length: 0")]);
    let outcome = blob(&script).abort_pending_copy().await;
    assert_eq!(outcome.expect("no error"), AbortOutcome::NothingPending);
    let script = Script::new([properties("theirs", "failed", "")]);
    let outcome = blob(&script).abort_pending_copy().await.expect("no error");
    assert!(matches!(outcome, AbortOutcome::AlreadyFinished(state) if state.copy_id == "theirs"));
}
