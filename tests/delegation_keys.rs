//! The user delegation keys with which clients with bearer tokens sign source SAS: their requested
//! validity, and when they are kept and dropped.

use std::time::Duration;

use blobcopy::{
    AccessToken, BlobServiceClient, ClientOptions, Clock, CopySource, Credential, CredentialError,
    Error, ErrorCode, TokenProvider, transport::BoxFuture,
};
use blobcopy_simulator::Simulator;
use futures_util::future::join_all;
use time::macros::datetime;

use crate::support::script::{Script, Step, answer, started};

#[derive(Debug)]
struct Provider;

impl TokenProvider for Provider {
    fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async { Ok(AccessToken::new("TOKEN", datetime!(2030-01-01 00:00 UTC))) })
    }
}

fn by_token(account: &str, options: ClientOptions) -> BlobServiceClient {
    let endpoint = format!("https://{account}.blob.core.windows.net").parse().expect("a URL");
    let builder = BlobServiceClient::builder(endpoint).credential(Credential::token(Provider));
    builder.options(options).build().expect("a client")
}

fn of(script: &Script) -> BlobServiceClient {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    by_token("src", ClientOptions::new().transport(script.clone()).clock(clock))
}

/// The answer with a key that starts at `minute` and expires on 8 January.
fn key(minute: u32) -> Step {
    let body = format!(
        "<UserDelegationKey><SignedOid>00000000-0000-0000-0000-00000000000a</SignedOid>\
         <SignedTid>00000000-0000-0000-0000-00000000000b</SignedTid>\
         <SignedStart>2025-12-31T23:{minute:02}:00Z</SignedStart>\
         <SignedExpiry>2026-01-07T23:00:00Z</SignedExpiry><SignedService>b</SignedService>\
         <SignedVersion>2026-04-06</SignedVersion><Value>U0VDUkVU</Value></UserDelegationKey>"
    );
    Step::Answer { status: 200, headers: vec![], body }
}

#[tokio::test(start_paused = true)]
async fn sources_are_signed_although_clocks_differ_by_a_quarter_of_an_hour() {
    for minutes in [-15, 0, 15] {
        let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
        let sim = Simulator::builder()
            .account("src", "c2VjcmV0")
            .account("dst", "c2VjcmV0")
            .accept_bearer(|token| token == "TOKEN")
            .clock(clock.clone())
            .build();
        let options = || ClientOptions::new().transport(sim.transport()).clock(clock.clone());
        let target =
            BlobServiceClient::builder("https://dst.blob.core.windows.net".parse().expect("a URL"))
                .credential(Credential::shared_key("dst", "c2VjcmV0").expect("a key"))
                .options(options())
                .build()
                .expect("a client");
        let (from, to) = (by_token("src", options()), target.container_client("backups"));
        from.container_client("vhds").create().await.expect("created");
        to.create().await.expect("created");
        let notes = from.container_client("vhds").block_blob_client("notes.txt");
        notes.upload("some notes").await.expect("uploaded");

        sim.faults().skew_clock(time::Duration::minutes(minutes));
        let longest = Duration::from_secs((7 * 24 - 1) * 3600);
        let source = CopySource::from(&notes).sas_lifetime(longest);
        let started = to.blob_client("notes.txt").start_copy_from_uri(source).await;
        started.unwrap_or_else(|error| panic!("{minutes} minutes ahead: {error}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_asked_for_from_a_quarter_of_an_hour_ago_for_an_hour_less_than_seven_days() {
    let source = Script::new([key(45)]);
    let notes = of(&source).container_client("vhds").blob_client("notes.txt");
    let target = Script::new([started("id-1", "pending")]);
    let copy = target.service().container_client("vhds").blob_client("copy.txt");
    copy.start_copy_from_uri(&notes).await.expect("started");
    let body = String::from_utf8(source.seen()[0].body().to_vec()).expect("text");
    let period = "<Start>2025-12-31T23:45:00Z</Start><Expiry>2026-01-07T23:00:00Z</Expiry>";
    assert!(body.contains(period), "{body}");

    let seven = CopySource::from(&notes).sas_lifetime(Duration::from_secs(7 * 24 * 3600));
    let error = copy.start_copy_from_uri(seven).await.expect_err("longer than its key").to_string();
    assert!(
        error.starts_with("SAS lifetime: ") && error.contains("6 days and 23 hours"),
        "{error}"
    );
    assert_eq!(source.seen().len(), 1);
}

/// The refusal of a start because of its source.
fn refused(status: u16, source: u16, code: &str) -> Step {
    answer(
        status,
        &format!(
            "x-ms-error-code: CannotVerifyCopySource
             x-ms-copy-source-status-code: {source}
             x-ms-copy-source-error-code: {code}"
        ),
    )
}

#[tokio::test(start_paused = true)]
async fn a_key_that_a_source_refuses_is_dropped() {
    let before_2024 = answer(403, "x-ms-error-code: CannotVerifyCopySource");
    for (refusal, keys) in [
        (refused(403, 403, "AuthenticationFailed"), 2),
        (refused(401, 401, "InvalidAuthenticationInfo"), 2),
        (before_2024, 2),
        (refused(404, 404, "BlobNotFound"), 1),
        (answer(403, "x-ms-error-code: AuthenticationFailed"), 1),
        (answer(412, "x-ms-error-code: ConditionNotMet"), 1),
    ] {
        for incremental in [false, true] {
            let source = Script::new([key(45), key(46)]);
            let target = Script::new([refusal.clone(), started("id-1", "pending")]);
            let from = of(&source).container_client("vhds").page_blob_client("disk0.vhd");
            let to = target.service().container_client("vhds").page_blob_client("copy.vhd");
            let snapshot: blobcopy::SnapshotId =
                "2026-01-01T00:00:00.1234567Z".parse().expect("a snapshot");
            let start = async || match incremental {
                true => to.start_copy_incremental(&from, &snapshot).await,
                false => to.start_copy_from_uri(&from).await,
            };
            start().await.expect_err("refused");
            start().await.expect("started");
            assert_eq!(source.seen().len(), keys, "{refusal:?} {incremental}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_reads_its_source_at_once_drops_a_refused_key_too() {
    let source = Script::new([key(45), key(46)]);
    let done = answer(201, "ETag: \"0x1\"");
    let target = Script::new([refused(403, 403, "AuthenticationFailed"), done]);
    // A version before source bearer tokens.
    let old = |options: ClientOptions| options.service_version("2020-04-08".parse().expect("one"));
    let vhds = target.service_with(old).container_client("vhds");
    let from = of(&source).container_client("vhds").page_blob_client("disk0.vhd");
    let copy = vhds.block_blob_client("copy.txt");
    let error = copy.upload_from_uri(&from).await.expect_err("refused");
    assert_eq!(error.code(), Some(&ErrorCode::CannotVerifyCopySource));
    copy.upload_from_uri(&from).await.expect("written");
    assert_eq!(source.seen().len(), 2);
    vhds.page_blob_client("copy.vhd")
        .upload_pages_from_uri(&from, 0..512, 0)
        .await
        .expect("written");
    assert_eq!(source.seen().len(), 2, "and a key that is taken is kept");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_had_is_asked_for_once_by_many() {
    let source = Script::new([answer(503, "x-ms-error-code: ServerBusy")]);
    let notes = of(&source).container_client("vhds").blob_client("notes.txt");
    let target = Script::new([started("id-1", "pending")]);
    let copy = target.service().container_client("vhds").blob_client("copy.txt");
    let starts = (0..10).map(|_| copy.start_copy_from_uri(&notes).into_future());
    for started in join_all(starts).await {
        let Err(Error::Service(error)) = started else { panic!("{started:?}") };
        assert_eq!(error.operation, "Get User Delegation Key");
    }
    assert_eq!(source.seen().len(), 4, "one call with its three retries");
    copy.start_copy_from_uri(&notes).await.expect_err("busy");
    assert_eq!(source.seen().len(), 8, "and who comes later tries again");
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_leaves_the_key_to_the_others() {
    let source = Script::new([Step::Silence, key(45)]);
    let notes = of(&source).container_client("vhds").blob_client("notes.txt");
    let target = Script::new([started("id-1", "pending")]);
    let copy = target.service().container_client("vhds").blob_client("copy.txt");
    let mut first = Box::pin(copy.start_copy_from_uri(&notes).into_future());
    assert!(futures_util::poll!(first.as_mut()).is_pending());
    let second = copy.start_copy_from_uri(&notes).into_future();
    drop(first);
    second.await.expect("started with a key of its own");
}
