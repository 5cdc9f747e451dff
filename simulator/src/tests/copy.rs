//! Copy Blob: how it starts, progresses and ends, and who may read its source.

use super::kit::{HOST, OTHER, kit, plain, sas, source_sas};
use crate::{DEFAULT_ACCOUNT, SourceEcho};

#[test]
fn within_an_account_a_copy_is_done_at_once() {
    let kit = plain();
    kit.container("src");
    let put = kit.ask("PUT", "/src/a").header("x-ms-blob-type", "BlockBlob");
    let put = put.header("x-ms-meta-colour", "blue").header("x-ms-blob-content-type", "text/plain");
    put.body(b"hello").send().expect(201);
    let start = kit.copy("/src/a", "/src/b").send().expect(202);
    assert_eq!(start.header("x-ms-copy-status"), "success");
    let copy = kit.ask("GET", "/src/b").send().expect(200);
    assert_eq!(copy.body, b"hello");
    assert_eq!(copy.header("x-ms-meta-colour"), "blue");
    assert_eq!(copy.header("content-type"), "text/plain");
    assert_eq!(copy.header("x-ms-copy-progress"), "5/5");
    assert_eq!(copy.header("x-ms-copy-id"), start.header("x-ms-copy-id"));

    kit.copy("/src/a", "/src/b").header("x-ms-meta-other", "x").send().expect(202);
    let copy = kit.head("/src/b").expect(200);
    assert_eq!((copy.header("x-ms-meta-other"), copy.header("x-ms-meta-colour")), ("x", ""));

    // Any other write removes the copy's record.
    kit.block_blob("/src/b", b"anew");
    assert_eq!(kit.head("/src/b").header("x-ms-copy-id"), "");
}

#[test]
fn a_pending_destination_refuses_every_write() {
    let kit = kit(|builder| builder.copy_rate(1));
    kit.container("src");
    kit.page_blob("/src/a", 2);
    kit.copy("/src/a", "/src/b").send().expect(202);
    const CODE: &str = "PendingCopyOperation";
    kit.write_pages("/src/b", 0, 1, 1).refused(409, CODE);
    kit.ask("PUT", "/src/b?comp=snapshot").send().refused(409, CODE);
    kit.copy("/src/a", "/src/b").send().refused(409, CODE);
    kit.ask("DELETE", "/src/b").send().refused(409, CODE);
    let started = kit.head("/src/b").expect(200).header("etag").to_owned();
    kit.advance(512);
    let half = kit.head("/src/b").expect(200);
    assert_eq!(half.header("x-ms-copy-progress"), "512/1024");
    assert_ne!(half.header("etag"), started);
    kit.advance(512);
    assert_eq!(kit.head("/src/b").header("x-ms-copy-status"), "success");
}

#[test]
fn a_source_that_changes_or_goes_makes_the_copy_fail() {
    for change in ["PUT", "DELETE"] {
        let kit = kit(|builder| builder.copy_rate(1));
        kit.container("src");
        kit.block_blob("/src/a", b"0123456789");
        kit.copy("/src/a", "/src/b").send().expect(202);
        kit.advance(5);
        let ask = kit.ask(change, "/src/a").header("x-ms-blob-type", "BlockBlob");
        assert!(ask.send().status < 300);
        let failed = kit.head("/src/b").expect(200);
        assert_eq!(failed.header("x-ms-copy-status"), "failed");
        assert_eq!(failed.header("content-length"), "0");
        assert!(failed.header("x-ms-copy-status-description").starts_with("404 ResourceNotFound"));
    }
}

#[test]
fn after_two_weeks_a_copy_fails() {
    let kit = kit(|builder| builder.copy_duration(std::time::Duration::from_secs(30 * 86_400)));
    kit.container("src");
    kit.block_blob("/src/a", b"0123456789");
    kit.copy("/src/a", "/src/b").send().expect(202);
    kit.advance(14 * 86_400 - 1);
    assert_eq!(kit.head("/src/b").header("x-ms-copy-status"), "pending");
    kit.advance(60);
    let failed = kit.head("/src/b");
    assert_eq!(failed.header("x-ms-copy-status"), "failed");
    assert!(failed.header("x-ms-copy-status-description").starts_with("500 OperationCancelled"));
    assert_eq!(failed.header("x-ms-copy-completion-time"), "Thu, 15 Jan 2026 00:00:00 GMT");
}

#[test]
fn when_a_copy_ended_does_not_depend_on_when_it_is_asked_for() {
    let days = |days: u64| std::time::Duration::from_secs(days * 86_400);
    // The duration, the byte of ten at which it fails if planned, and how and when it ends.
    for (takes, fails, status, description, progress, end) in [
        (20, None, "failed", "500 OperationCancelled", "7/10", "Thu, 15 Jan 2026 00:00:00 GMT"),
        (10, None, "success", "", "10/10", "Sun, 11 Jan 2026 00:00:00 GMT"),
        (10, Some(3), "failed", "500 Planned", "3/10", "Sun, 04 Jan 2026 00:00:00 GMT"),
        (20, Some(9), "failed", "500 OperationCancelled", "7/10", "Thu, 15 Jan 2026 00:00:00 GMT"),
    ] {
        // Checked every day, and only once, long after the end.
        for asked in [1, 60] {
            let kit = kit(|builder| builder.copy_duration(days(takes)));
            kit.container("src");
            kit.block_blob("/src/a", b"0123456789");
            if let Some(at) = fails {
                kit.sim.copies().fail_next(at, "500 Planned \"So.\"");
            }
            kit.copy("/src/a", "/src/b").send().expect(202);
            for _ in 0..60 / asked {
                kit.advance(asked * 86_400);
                kit.head("/src/b").expect(200);
            }
            let ended = kit.head("/src/b");
            assert_eq!(ended.header("x-ms-copy-status"), status, "{takes} {fails:?} {asked}");
            assert!(ended.header("x-ms-copy-status-description").starts_with(description));
            assert_eq!(ended.header("x-ms-copy-progress"), progress, "{takes} {fails:?} {asked}");
            assert_eq!(ended.header("x-ms-copy-completion-time"), end);
        }
    }
    // A held copy ends after two weeks too.
    let kit = kit(|builder| builder);
    kit.container("src");
    kit.block_blob("/src/a", b"0123456789");
    kit.sim.copies().hold();
    kit.copy("/src/a", "/src/b").send().expect(202);
    kit.advance(60 * 86_400);
    let ended = kit.head("/src/b");
    assert_eq!(ended.header("x-ms-copy-completion-time"), "Thu, 15 Jan 2026 00:00:00 GMT");
}

#[test]
fn an_abort_is_of_the_blob_and_not_of_a_snapshot() {
    let kit = kit(|builder| builder.copy_rate(1));
    kit.container("src");
    kit.block_blob("/src/a", b"0123456789");
    kit.block_blob("/src/b", b"old");
    let snapshot = kit.snapshot("/src/b");
    let id = kit.copy("/src/a", "/src/b").send().expect(202).header("x-ms-copy-id").to_owned();
    let abort = |more: &str| {
        let ask = kit.ask("PUT", &format!("/src/b?comp=copy&copyid={id}{more}"));
        ask.header("x-ms-copy-action", "abort").send()
    };
    abort(&format!("&snapshot={snapshot}")).refused(400, "InvalidOperation");
    assert_eq!(kit.head("/src/b").header("x-ms-copy-status"), "pending");
    abort("").expect(204);
}

#[test]
fn a_source_in_another_account_needs_a_sas_or_to_be_public() {
    let kit = plain();
    kit.container("src");
    kit.block_blob("/src/a", b"hello");
    kit.ask("PUT", "/dst?restype=container").account(OTHER.0).send().expect(201);
    let start = |source: String| {
        let ask = kit.ask("PUT", "/dst/a").account(OTHER.0);
        ask.header("x-ms-copy-source", &source).send()
    };
    let bare = format!("{HOST}/{DEFAULT_ACCOUNT}/src/a");
    start(bare.clone()).refused(401, "CannotVerifyCopySource");
    let late = sas("/src/a", "b", "r", "2025-12-31T00:00:00Z");
    start(format!("{bare}?{late}")).refused(403, "CannotVerifyCopySource");
    let write_only = sas("/src/a", "b", "w", "2026-12-31T00:00:00Z");
    let refused = start(format!("{bare}?{write_only}")).refused(403, "CannotVerifyCopySource");
    let inner = refused.header("x-ms-copy-source-error-code");
    assert_eq!(inner, "AuthorizationPermissionMismatch");

    let started = start(format!("{bare}?{}", source_sas("/src/a"))).expect(202);
    assert_eq!(started.header("x-ms-copy-status"), "pending");
    let done = kit.ask("HEAD", "/dst/a").account(OTHER.0).send().expect(200);
    assert_eq!(done.header("x-ms-copy-status"), "success");
}

#[test]
fn conditions_hold_on_both_sides() {
    let kit = plain();
    kit.container("src");
    kit.block_blob("/src/a", b"a");
    kit.block_blob("/src/b", b"b");
    let copy = |name: &str, value: &str| kit.copy("/src/a", "/src/b").header(name, value).send();
    copy("if-none-match", "*").refused(409, "BlobAlreadyExists");
    copy("if-match", "\"0x0\"").refused(412, "TargetConditionNotMet");
    copy("x-ms-source-if-match", "\"0x0\"").refused(412, "SourceConditionNotMet");
    copy("x-ms-source-if-none-match", "*").refused(412, "SourceConditionNotMet");
    copy("if-unmodified-since", "Thu, 01 Jan 2015 00:00:00 GMT")
        .refused(412, "TargetConditionNotMet");
    copy("if-modified-since", "yesterday").refused(400, "InvalidHeaderValue");
    let two = kit.copy("/src/a", "/src/b").header("if-match", "*").header("if-none-match", "\"1\"");
    two.send().refused(400, "MultipleConditionHeadersNotSupported");
    let etag = kit.head("/src/b").header("etag").to_owned();
    copy("if-match", &etag).expect(202);
    copy("x-ms-source-if-unmodified-since", "Thu, 01 Jan 2026 00:00:00 GMT").expect(202);
}

#[test]
fn a_destination_keeps_its_type() {
    let kit = plain();
    kit.container("src");
    kit.block_blob("/src/a", b"a");
    kit.page_blob("/src/p", 1);
    kit.copy("/src/a", "/src/p").send().refused(409, "InvalidBlobType");
    kit.copy("/src/missing", "/src/p").send().refused(404, "BlobNotFound");
    kit.copy("/src/a", "/missing/b").send().refused(404, "ContainerNotFound");
}

#[test]
fn before_2012_a_copy_is_synchronous_and_named_by_path() {
    let kit = plain();
    kit.container("src");
    kit.block_blob("/src/a", b"hello");
    let start = |version: &str, source: &str| {
        let ask = kit.ask("PUT", "/src/b").header("x-ms-version", version);
        ask.header("x-ms-copy-source", source).send()
    };
    let path = format!("/{DEFAULT_ACCOUNT}/src/a");
    let done = start("2011-08-18", &path).expect(201);
    assert_eq!(done.header("x-ms-copy-id"), "");
    let copy = kit.ask("GET", "/src/b").send().expect(200);
    assert_eq!((copy.body.as_slice(), copy.header("x-ms-copy-status")), (&b"hello"[..], ""));
    start("2011-08-18", &format!("/{}/src/a", OTHER.0))
        .refused(400, "CopyAcrossAccountsNotSupported");
    start("2012-02-12", &path).refused(400, "InvalidHeaderValue");
}

#[test]
fn before_2012_the_source_may_have_to_be_leased() {
    let kit = plain();
    kit.container("src");
    kit.block_blob("/src/a", b"hello");
    let path = format!("/{DEFAULT_ACCOUNT}/src/a");
    let start = |version: &str, source: &str, lease: &str| {
        let ask = kit.ask("PUT", "/src/b").header("x-ms-version", version);
        ask.header("x-ms-copy-source", source).header("x-ms-source-lease-id", lease).send()
    };
    let ours = "11111111-2222-3333-4444-555555555555";
    start("2011-08-18", &path, ours).refused(412, "LeaseNotPresentWithBlobOperation");
    let lease = kit.ask("PUT", "/src/a?comp=lease").header("x-ms-lease-action", "acquire");
    let lease = lease.header("x-ms-lease-duration", "-1").header("x-ms-proposed-lease-id", ours);
    lease.send().expect(201);
    let theirs = "99999999-2222-3333-4444-555555555555";
    start("2011-08-18", &path, theirs).refused(412, "LeaseIdMismatchWithBlobOperation");
    start("2011-08-18", &path, ours).expect(201);
    start("2012-02-12", &format!("{HOST}{path}"), theirs).expect(202);
}

#[test]
fn the_echo_can_be_without_the_sas_or_as_it_was_sent() {
    for (echo, expected) in [
        (SourceEcho::WithoutSas, format!("https://127.0.0.1:10000/{DEFAULT_ACCOUNT}/src/a")),
        (SourceEcho::AsSent, format!("{HOST}/{DEFAULT_ACCOUNT}/src/a?{}", source_sas("/src/a"))),
    ] {
        let kit = kit(|builder| builder.echo_source(echo));
        kit.container("src");
        kit.block_blob("/src/a", b"a");
        let source = format!("/src/a?{}", source_sas("/src/a"));
        kit.copy(&source, "/src/b").send().expect(202);
        assert_eq!(kit.head("/src/b").header("x-ms-copy-source"), expected);
    }
}
