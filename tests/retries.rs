//! Retries: which requests are sent again, when, and which are not.

use std::time::Duration;

use blobcopy::{
    AccessToken, BlobClient, BlobServiceClient, Credential, CredentialError, Error, ErrorCode,
    RetryOptions, TokenProvider,
    transport::{BoxFuture, TransportErrorKind},
};

use crate::support::script::{Script, Step, answer, properties, refusal, sent, timed};

fn blob(script: &Script) -> BlobClient {
    script.service().container_client("vhds").blob_client("notes.txt")
}

fn ok() -> Step {
    answer(200, "Content-Length: 5")
}

fn fault(kind: TransportErrorKind) -> Step {
    Step::Fault(kind)
}

#[tokio::test(start_paused = true)]
async fn a_read_is_sent_again_after_every_passing_trouble() {
    let mut troubles: Vec<Step> =
        [408, 429, 500, 502, 503, 504].map(|status| refusal(status, "")).into();
    for code in ["InternalError", "OperationTimedOut", "ServerBusy"] {
        troubles.push(refusal(409, code));
        troubles.push(answer(
            404,
            &format!(
                "x-ms-error-code: CannotVerifyCopySource\nx-ms-copy-source-error-code: {code}"
            ),
        ));
    }
    use TransportErrorKind::{Connect, Interrupted, Timeout};
    troubles.extend([Connect, Interrupted, Timeout].map(fault));
    troubles.push(Step::Silence);
    for trouble in troubles {
        let script = Script::new([trouble.clone(), ok()]);
        blob(&script).get_properties().await.unwrap_or_else(|error| panic!("{trouble:?}: {error}"));
        assert_eq!(script.seen().len(), 2, "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn these_answers_are_final() {
    for status in [400, 401, 403, 404, 405, 409, 411, 412, 413, 416, 304, 501, 505] {
        let script = Script::new([refusal(status, "")]);
        let error = blob(&script).get_properties().await.expect_err("refused");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert_eq!(script.seen().len(), 1, "{status}");
        assert!(!error.is_retryable(), "{status}");
    }
    let script = Script::new([fault(TransportErrorKind::Unusable)]);
    let error = blob(&script).get_properties().await.expect_err("unusable");
    assert!(!error.is_retryable());
    assert_eq!(script.seen().len(), 1);
}

/// That nothing is sent with the second token says nothing about the first attempt.
#[tokio::test(start_paused = true)]
async fn a_token_that_fails_after_a_lost_answer_hides_it_not() {
    #[derive(Debug, Default)]
    struct Once(std::sync::atomic::AtomicUsize);
    impl TokenProvider for Once {
        fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
            let first = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            let soon = time::macros::datetime!(2026-01-01 00:00:01 UTC);
            let token = AccessToken::new("t", soon);
            let failure = || CredentialError::new("the identity endpoint answered 400");
            Box::pin(async move { first.then_some(token).ok_or_else(failure) })
        }
    }
    for (first, open) in [(fault(TransportErrorKind::Interrupted), true), (refusal(503, ""), false)]
    {
        let script = Script::new([first, ok()]);
        let options = script.options();
        let service = BlobServiceClient::builder(
            "https://acct.blob.core.windows.net".parse().expect("a URL"),
        )
        .credential(Credential::token(Once::default()))
        .options(options.retry(RetryOptions::new().base_delay(Duration::from_secs(5))))
        .build()
        .expect("a client");
        let blob = service.container_client("vhds").block_blob_client("notes.txt");
        let error = blob.upload("notes").await.expect_err("no token");
        assert!(matches!(error, Error::Credential { .. }), "{error:?}");
        assert_eq!(error.may_have_been_applied(), open);
        assert_eq!(script.seen().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed() {
    let script = Script::new([answer(307, "Location: https://evil.example.com/")]);
    let error = blob(&script).get_properties().await.expect_err("no success");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(307));
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn four_attempts_are_made_with_growing_waits() {
    let script = Script::new([refusal(503, "ServerBusy")]);
    let (result, took) = timed(blob(&script).get_properties().into_future()).await;
    let error = result.expect_err("never well");
    let Error::Service(service) = &error else { panic!("{error:?}") };
    assert_eq!((service.attempts, script.seen().len()), (4, 4));
    // 0.8 + 1.6 + 3.2 seconds, give or take a fifth.
    assert!((4480..=6720).contains(&took.as_millis()), "{took:?}");
    assert!(error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_a_fresh_date_and_signature_and_the_same_id() {
    let script = Script::new([refusal(503, ""), refusal(503, ""), ok()]);
    blob(&script).get_properties().await.expect("well in the end");
    let header = |name: &str| -> Vec<String> {
        let seen = script.seen();
        seen.iter().map(|request| sent(request.headers(), name).expect(name).to_owned()).collect()
    };
    let ids = header("x-ms-client-request-id");
    assert!(ids.iter().all(|id| *id == ids[0] && id.len() == 36), "{ids:?}");
    let (dates, signatures) = (header("x-ms-date"), header("authorization"));
    assert_ne!(dates[0], dates[2]);
    assert_ne!(signatures[0], signatures[2]);
}

#[tokio::test(start_paused = true)]
async fn the_service_says_when() {
    for (asks, wait) in [
        ("Retry-After: 7", Duration::from_secs(7)),
        ("Retry-After: Thu, 01 Jan 2026 00:00:09 GMT", Duration::from_secs(9)),
        ("x-ms-retry-after-ms: 2500", Duration::from_millis(2500)),
        ("retry-after-ms: 2500\nRetry-After: 40", Duration::from_millis(2500)),
    ] {
        let script = Script::new([answer(503, asks), ok()]);
        let (result, took) = timed(blob(&script).get_properties().into_future()).await;
        result.expect("well again");
        // A paused runtime's clock has millisecond resolution.
        let (least, most) = (wait - Duration::from_millis(2), wait + Duration::from_millis(2));
        assert!((least..=most).contains(&took), "{asks}: {took:?}");
    }
    let script = Script::new([answer(503, "Retry-After: 3600"), ok()]);
    let error = blob(&script).get_properties().await.expect_err("too long a wait");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_its_time() {
    let limit = Duration::from_secs(10);
    let script = Script::new([Step::Silence]);
    let service =
        script.service_with(|options| options.attempt_timeout(limit).retry(RetryOptions::none()));
    let blob = service.container_client("vhds").block_blob_client("notes.txt");
    let (result, took) = timed(blob.get_properties().into_future()).await;
    let error = result.expect_err("no answer");
    assert!(matches!(error, Error::Timeout { .. }) && !error.may_have_been_applied(), "{error:?}");
    assert_eq!(took, limit);

    // A body takes time to send: a second for every 64 KiB.
    let (result, took) = timed(blob.upload(vec![0; 1 << 20]).into_future()).await;
    assert!(result.expect_err("no answer").may_have_been_applied());
    assert_eq!(took, limit + Duration::from_secs(16));

    // The service takes time to read a source: a second for every MiB.
    let source = || "https://example.com/a.iso".parse::<blobcopy::url::Url>().expect("a URL");
    let id = blobcopy::BlockId::numbered(1);
    let range = blob.stage_block_from_uri(id, source()).source_range(0..64 << 20);
    let (result, took) = timed(range.into_future()).await;
    assert!(result.expect_err("no answer").may_have_been_applied());
    assert_eq!(took, limit + Duration::from_secs(64));
    let whole = blob.upload_from_uri(source()).source_length(256 << 20);
    let (_, took) = timed(whole.into_future()).await;
    assert_eq!(took, limit + Duration::from_secs(256));
}

#[tokio::test(start_paused = true)]
async fn a_sequence_number_is_set_again_after_a_lost_answer_unless_it_would_grow_twice() {
    use blobcopy::SequenceNumberAction::{Increment, Max, Update};
    for (action, requests) in [(Update(7), 2), (Max(7), 2), (Increment, 1)] {
        let lost = Step::Fault(TransportErrorKind::Interrupted);
        let script = Script::new([lost, ok()]);
        let disk = blob(&script).page_blob_client();
        let set = disk.set_sequence_number(action).await;
        assert_eq!((set.is_ok(), script.seen().len()), (requests == 2, requests), "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_must_not_happen_twice_is_sent_again_only_when_it_surely_did_not_happen() {
    use TransportErrorKind::{Connect, Interrupted};
    for (trouble, requests) in [
        (refusal(503, "ServerBusy"), 2),
        (refusal(429, ""), 2),
        (fault(Connect), 2),
        (refusal(500, "InternalError"), 1),
        (refusal(504, ""), 1),
        (fault(Interrupted), 1),
        (Step::Silence, 1),
    ] {
        let taken = answer(201, "x-ms-snapshot: 2026-01-01T00:00:00.1234567Z");
        let script = Script::new([trouble.clone(), taken]);
        let result = blob(&script).create_snapshot().await;
        assert_eq!(script.seen().len(), requests, "{trouble:?}");
        assert_eq!(result.is_ok(), requests == 2, "{trouble:?}");
        if let Err(error) = result {
            assert!(error.may_have_been_applied(), "{error:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_try_is_not_forgotten_by_the_answer_to_the_next() {
    let script =
        Script::new([fault(TransportErrorKind::Interrupted), refusal(412, "ConditionNotMet")]);
    let upload = blob(&script).block_blob_client().upload("x");
    let error = upload.await.expect_err("refused");
    assert_eq!(error.code(), Some(&ErrorCode::ConditionNotMet));
    assert!(error.may_have_been_applied());
    let script = Script::new([refusal(503, ""), refusal(412, "ConditionNotMet")]);
    let upload = blob(&script).block_blob_client().upload("x");
    assert!(!upload.await.expect_err("refused").may_have_been_applied());
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_finds_nothing_after_a_lost_answer_is_done() {
    let lost = fault(TransportErrorKind::Interrupted);
    let script = Script::new([lost, refusal(404, "BlobNotFound")]);
    blob(&script).delete().await.expect("deleted by the first try");
    let script = Script::new([refusal(404, "BlobNotFound")]);
    let error = blob(&script).delete().await.expect_err("there was none");
    assert_eq!(error.code(), Some(&ErrorCode::BlobNotFound));
}

#[tokio::test(start_paused = true)]
async fn success_without_what_must_be_there_is_told() {
    let script = Script::new([answer(201, "")]);
    let error = blob(&script).create_snapshot().await.expect_err("no snapshot id");
    assert!(matches!(error, Error::UnexpectedResponse { .. }), "{error:?}");
    assert!(error.to_string().contains("x-ms-snapshot"), "{error}");
    assert!(error.may_have_been_applied());
}

/// A client that may read from the secondary.
fn twofold(script: &Script) -> BlobClient {
    let service = script.service_with(|options| options.read_from_secondary(true));
    service.container_client("vhds").blob_client("notes.txt")
}

fn hosts(script: &Script) -> Vec<bool> {
    let secondary = |url: &url::Url| url.host_str().is_some_and(|host| host.contains("-secondary"));
    script.seen().iter().map(|request| secondary(request.url())).collect()
}

#[tokio::test(start_paused = true)]
async fn reads_go_to_the_secondary_and_back_when_they_are_allowed_to() {
    let script = Script::new([refusal(503, ""), refusal(503, ""), refusal(503, ""), ok()]);
    twofold(&script).get_properties().await.expect("well in the end");
    assert_eq!(hosts(&script), [false, true, false, true]);
    let signatures = script.seen();
    assert!(signatures.iter().all(|request| sent(request.headers(), "authorization").is_some()));

    let script = Script::new([refusal(503, ""), ok()]);
    blob(&script).get_properties().await.expect("well in the end");
    assert_eq!(hosts(&script), [false, false], "only when it is asked for");
    let script = Script::new([refusal(503, ""), answer(201, "")]);
    twofold(&script).block_blob_client().upload("x").await.expect("written");
    assert_eq!(hosts(&script), [false, false], "writes do not");
}

#[tokio::test(start_paused = true)]
async fn what_the_secondary_does_not_know_is_asked_of_the_primary() {
    for status in [404, 412] {
        let script = Script::new([refusal(503, ""), refusal(status, "BlobNotFound"), ok()]);
        twofold(&script).get_properties().await.expect("it is there");
        assert_eq!(hosts(&script), [false, true, false], "{status}");
        let script = Script::new([refusal(503, ""), refusal(status, ""), refusal(503, ""), ok()]);
        twofold(&script).get_properties().await.expect("it is there");
        assert_eq!(hosts(&script), [false, true, false, false], "{status}: never asked again");
    }
    let script = Script::new([refusal(404, "BlobNotFound")]);
    assert!(!twofold(&script).exists().await.expect("an answer"), "the primary is believed");
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_watched_at_the_primary_only() {
    let state = properties("ours", "success", "");
    let script = Script::new([refusal(503, ""), refusal(503, ""), state]);
    let mut copy = twofold(&script).resume_copy("ours".parse::<blobcopy::CopyId>().expect("an id"));
    copy.poll().await.expect("seen");
    assert_eq!(hosts(&script), [false, false, false]);
}
