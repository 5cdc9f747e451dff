//! Incremental copies: what they copy, and every rule for them.

use super::kit::{HOST, Kit, kit, plain, source_sas};
use crate::{DEFAULT_ACCOUNT, Op};

/// A disk of 256 pages, sixteen of them written, and a container for its backups.
fn with_disk(kit: Kit) -> Kit {
    kit.container("vhds");
    kit.container("backups");
    kit.page_blob("/vhds/disk", 256);
    kit.write_pages("/vhds/disk", 0, 16, 1).expect(201);
    kit
}

const DISK: &str = "/vhds/disk";
const BACKUP: &str = "/backups/disk";

#[test]
fn the_first_copy_moves_what_is_written_and_the_second_what_changed() {
    let kit = with_disk(plain());
    let first = kit.snapshot(DISK);
    let start = kit.incremental(DISK, &first, BACKUP).send().expect(202);
    assert_eq!(start.header("x-ms-copy-status"), "pending");

    let done = kit.head(BACKUP).expect(200);
    assert_eq!(done.header("x-ms-copy-status"), "success");
    assert_eq!(done.header("x-ms-copy-id"), start.header("x-ms-copy-id"));
    assert_eq!(done.header("x-ms-copy-progress"), "131072/131072", "of the whole length");
    assert_eq!(done.header("x-ms-incremental-copy"), "true");
    assert_eq!(done.header("content-length"), "131072");
    assert_ne!(done.header("etag"), start.header("etag"));
    let kept_first = done.header("x-ms-copy-destination-snapshot").to_owned();

    kit.advance(60);
    kit.write_pages(DISK, 100, 3, 2).expect(201);
    let clear = kit.ask("PUT", "/vhds/disk?comp=page").header("x-ms-page-write", "clear");
    clear.header("x-ms-range", "bytes=0-1023").send().expect(201);
    let second = kit.snapshot(DISK);
    kit.incremental(DISK, &second, BACKUP).send().expect(202);
    let done = kit.head(BACKUP).expect(200);
    assert_eq!(done.header("x-ms-copy-progress"), "131072/131072");
    let kept_second = done.header("x-ms-copy-destination-snapshot").to_owned();
    assert!(kept_second > kept_first);

    for (ours, theirs) in [(&first, &kept_first), (&second, &kept_second)] {
        let source = kit.ask("GET", &format!("{DISK}?snapshot={ours}")).send().expect(200);
        let copy = kit.ask("GET", &format!("{BACKUP}?snapshot={theirs}")).send().expect(200);
        assert_eq!(source.body.len(), 131_072);
        assert!(source.body == copy.body);
    }
    let diff = format!("{BACKUP}?comp=pagelist&snapshot={kept_second}&prevsnapshot={kept_first}");
    let diff = kit.ask("GET", &diff).send().expect(200);
    assert!(diff.text().ends_with(
        "<PageList><ClearRange><Start>0</Start><End>1023</End></ClearRange>\
         <PageRange><Start>51200</Start><End>52735</End></PageRange></PageList>"
    ));
    let snapshot = kit.head(&format!("{BACKUP}?snapshot={kept_first}")).expect(200);
    assert_eq!(snapshot.header("x-ms-copy-destination-snapshot"), kept_first);
    assert_eq!(snapshot.header("x-ms-incremental-copy"), "true");
    assert_eq!(kit.sim.copies().started(), 2);
    assert_eq!(kit.sim.count(Op::IncrementalCopy), 2);
}

#[test]
fn while_it_is_pending_the_destination_shows_its_length_and_no_end() {
    let kit = with_disk(kit(|builder| builder.copy_rate(1024)));
    let snapshot = kit.snapshot(DISK);
    kit.incremental(DISK, &snapshot, BACKUP).send().expect(202);
    kit.advance(2);
    let pending = kit.head(BACKUP).expect(200);
    assert_eq!(pending.header("x-ms-copy-status"), "pending");
    assert_eq!(pending.header("x-ms-copy-progress"), "0/131072");
    assert_eq!(pending.header("content-length"), "131072");
    assert_eq!(pending.header("x-ms-incremental-copy"), "true");
    assert_eq!(pending.header("x-ms-copy-completion-time"), "");
    assert_eq!(pending.header("x-ms-copy-destination-snapshot"), "");

    kit.incremental(DISK, &snapshot, BACKUP).send().refused(409, "PendingCopyOperation");
    kit.ask("DELETE", BACKUP).send().refused(409, "PendingCopyOperation");
    kit.advance(10);
    let done = kit.head(BACKUP).expect(200);
    assert_eq!(done.header("x-ms-copy-completion-time"), "Thu, 01 Jan 2026 00:00:08 GMT");
}

#[test]
fn the_source_must_be_a_snapshot_of_a_page_blob_of_the_service() {
    let kit = with_disk(plain());
    kit.block_blob("/vhds/text", b"text");
    let text = kit.snapshot("/vhds/text");
    kit.incremental("/vhds/text", &text, BACKUP).send().refused(409, "InvalidSourceBlobType");
    kit.incremental(DISK, "", BACKUP).send().refused(409, "IncrementalCopySourceMustBeSnapshot");

    let start = |source: &str| {
        let ask = kit.ask("PUT", &format!("{BACKUP}?comp=incrementalcopy"));
        ask.header("x-ms-copy-source", source).send()
    };
    start("https://example.com/vhds/disk?snapshot=x").refused(409, "InvalidSourceBlobUrl");
    start("not a url").refused(400, "InvalidHeaderValue");
    start(&format!("{HOST}/{}", "x".repeat(2048))).refused(400, "InvalidHeaderValue");
    assert_eq!(kit.head(BACKUP).status, 404);
    assert_eq!(kit.sim.copies().started(), 0);
}

#[test]
fn the_key_of_the_request_does_not_open_the_source() {
    let kit = with_disk(plain());
    let snapshot = kit.snapshot(DISK);
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}{DISK}?snapshot={snapshot}");
    let ask = || kit.ask("PUT", &format!("{BACKUP}?comp=incrementalcopy"));
    let refused = ask().header("x-ms-copy-source", &source).send();
    let refused = refused.refused(401, "CannotVerifyCopySource");
    assert_eq!(refused.header("x-ms-copy-source-status-code"), "401");
    assert_eq!(refused.header("x-ms-copy-source-error-code"), "NoAuthenticationInformation");

    // A public container needs no SAS.
    let public =
        kit.ask("PUT", "/open?restype=container").header("x-ms-blob-public-access", "blob");
    public.send().expect(201);
    kit.page_blob("/open/disk", 8);
    let snapshot = kit.snapshot("/open/disk");
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}/open/disk?snapshot={snapshot}");
    ask().header("x-ms-copy-source", &source).send().expect(202);
}

#[test]
fn a_missing_snapshot_is_told_three_times() {
    let kit = with_disk(plain());
    let missing = kit.incremental(DISK, "2020-01-01T00:00:00.0000000Z", BACKUP).send();
    let missing = missing.refused(404, "CannotVerifyCopySource");
    assert_eq!(missing.header("x-ms-copy-source-status-code"), "404");
    assert_eq!(missing.header("x-ms-copy-source-error-code"), "BlobNotFound");
    assert!(missing.text().contains(
        "<CopySourceStatusCode>404</CopySourceStatusCode>\
         <CopySourceErrorCode>BlobNotFound</CopySourceErrorCode><CopySourceErrorMessage>"
    ));
}

#[test]
fn snapshots_are_copied_in_the_order_in_which_they_were_taken() {
    let kit = with_disk(plain());
    let (early, late) = (kit.snapshot(DISK), kit.snapshot(DISK));
    kit.incremental(DISK, &late, BACKUP).send().expect(202);
    kit.head(BACKUP).expect(200);
    const CODE: &str = "IncrementalCopyOfEarlierSnapshotNotAllowed";
    kit.incremental(DISK, &early, BACKUP).send().refused(409, CODE);
    kit.incremental(DISK, &late, BACKUP).send().refused(409, CODE);
    let old = kit.incremental(DISK, &early, BACKUP).header("x-ms-version", "2021-12-02").send();
    old.refused(409, "IncrementalCopyOfEarlierVersionSnapshotNotAllowed");
}

#[test]
fn a_destination_is_tied_to_its_source_for_ever() {
    let kit = with_disk(plain());
    let first = kit.snapshot(DISK);
    kit.incremental(DISK, &first, BACKUP).send().expect(202);
    kit.head(BACKUP).expect(200);

    kit.page_blob("/vhds/other", 8);
    let other = kit.snapshot("/vhds/other");
    kit.incremental("/vhds/other", &other, BACKUP)
        .send()
        .refused(409, "IncrementalCopyBlobMismatch");

    kit.page_blob("/backups/plain", 8);
    let onto_plain = kit.incremental(DISK, &first, "/backups/plain").send();
    onto_plain.refused(409, "IncrementalCopyBlobMismatch");
    kit.block_blob("/backups/text", b"text");
    kit.incremental(DISK, &first, "/backups/text").send().refused(409, "InvalidBlobType");

    // A replaced source is another blob, although it has the same name.
    kit.page_blob(DISK, 256);
    let recreated = kit.snapshot(DISK);
    kit.incremental(DISK, &recreated, BACKUP).send().refused(409, "BlobOverwritten");
}

#[test]
fn the_snapshot_copied_last_must_still_be_there() {
    let kit = with_disk(plain());
    let first = kit.snapshot(DISK);
    kit.incremental(DISK, &first, BACKUP).send().expect(202);
    kit.head(BACKUP).expect(200);
    kit.ask("DELETE", &format!("{DISK}?snapshot={first}")).send().expect(202);
    let second = kit.snapshot(DISK);
    let refused = kit.incremental(DISK, &second, BACKUP).send();
    refused.refused(409, "IncrementalCopyBlobPreviousSnapshotDoesNotExist");
}

#[test]
fn the_base_blob_allows_properties_incremental_copies_and_deletion_only() {
    let kit = with_disk(plain());
    let first = kit.snapshot(DISK);
    kit.incremental(DISK, &first, BACKUP).send().expect(202);
    let done = kit.head(BACKUP).expect(200);
    const CODE: &str = "OperationNotAllowedOnIncrementalCopyBlob";

    kit.ask("GET", BACKUP).send().refused(409, CODE);
    kit.ask("GET", &format!("{BACKUP}?comp=pagelist")).send().refused(409, CODE);
    kit.write_pages(BACKUP, 0, 1, 1).refused(409, CODE);
    kit.ask("PUT", &format!("{BACKUP}?comp=snapshot")).send().refused(409, CODE);
    kit.copy(DISK, BACKUP).send().refused(409, CODE);
    let put = kit.ask("PUT", BACKUP).header("x-ms-blob-type", "PageBlob");
    put.header("x-ms-blob-content-length", "512").send().refused(409, CODE);
    const AS_SOURCE: &str = "CopySourceCannotBeIncrementalCopyBlob";
    kit.copy(BACKUP, "/vhds/restored").send().refused(409, AS_SOURCE);

    // Its snapshots are ordinary ones.
    let snapshot = done.header("x-ms-copy-destination-snapshot");
    kit.copy(&format!("{BACKUP}?snapshot={snapshot}"), "/vhds/restored").send().expect(202);
    let (restored, original) =
        (kit.ask("GET", "/vhds/restored").send(), kit.ask("GET", DISK).send());
    assert!(restored.body == original.body);
    kit.ask("DELETE", BACKUP).send().refused(409, "SnapshotsPresent");
    kit.ask("DELETE", BACKUP).header("x-ms-delete-snapshots", "include").send().expect(202);
    kit.head(BACKUP).expect(404);
}

#[test]
fn what_other_writes_take_is_refused() {
    let kit = with_disk(plain());
    let snapshot = kit.snapshot(DISK);
    for (name, value) in [
        ("x-ms-lease-id", "11111111-2222-3333-4444-555555555555"),
        ("x-ms-meta-a", "b"),
        ("x-ms-access-tier", "P4"),
        ("x-ms-source-if-match", "*"),
        ("x-ms-rehydrate-priority", "High"),
        ("x-ms-seal-blob", "true"),
        ("x-ms-copy-source-tag-option", "COPY"),
        ("x-ms-requires-sync", "true"),
    ] {
        let start = kit.incremental(DISK, &snapshot, BACKUP).header(name, value).send();
        let refused = start.refused(400, "UnsupportedHeader");
        assert!(refused.text().contains(&format!("<HeaderName>{name}</HeaderName>")));
    }
    let start = kit.incremental(DISK, &snapshot, BACKUP).header("if-match", "\"0x1\"").send();
    start.refused(412, "ConditionNotMet");
}

#[test]
fn an_aborted_copy_can_be_made_again() {
    let kit = with_disk(kit(|builder| builder.copy_rate(1024)));
    let snapshot = kit.snapshot(DISK);
    let start = kit.incremental(DISK, &snapshot, BACKUP).send().expect(202);
    let id = start.header("x-ms-copy-id");
    kit.advance(1);
    let abort = |id: &str| {
        let ask = kit.ask("PUT", &format!("{BACKUP}?comp=copy&copyid={id}"));
        ask.header("x-ms-copy-action", "abort").send()
    };
    abort("1f812371-a41d-49e6-b123-f4b542e851c5").refused(409, "CopyIdMismatch");
    abort(id).expect(204);
    abort(id).refused(409, "NoPendingCopyOperation");
    let aborted = kit.head(BACKUP).expect(200);
    assert_eq!(aborted.header("x-ms-copy-status"), "aborted");
    assert_eq!(aborted.header("x-ms-copy-progress"), "0/131072");
    assert_eq!(aborted.header("content-length"), "0");
    assert_ne!(aborted.header("x-ms-copy-completion-time"), "");

    kit.incremental(DISK, &snapshot, BACKUP).send().expect(202);
    kit.advance(8);
    assert_eq!(kit.head(BACKUP).header("x-ms-copy-status"), "success");
}

#[test]
fn what_is_echoed_is_not_what_was_sent() {
    let kit = with_disk(plain());
    let snapshot = kit.snapshot(DISK);
    let source = format!(
        "http://{DEFAULT_ACCOUNT}.blob.core.windows.net/vhds/%64isk?snapshot={}&{}",
        snapshot.replace(':', "%3A"),
        source_sas(DISK)
    );
    let ask = kit.ask("PUT", &format!("{BACKUP}?comp=incrementalcopy"));
    ask.header("x-ms-copy-source", &source).send().expect(202);
    let shown = kit.head(BACKUP).header("x-ms-copy-source").to_owned();
    let host = format!("https://{DEFAULT_ACCOUNT}.blob.core.windows.net:443/vhds/%64isk?snapshot=");
    assert!(shown.starts_with(&host), "{shown}");
    assert!(shown.contains("%3a") && shown.contains("&sp=r&se="), "{shown}");
    assert!(!shown.contains("sig="), "{shown}");
}
