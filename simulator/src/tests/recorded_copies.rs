//! Behaviour of copies recorded from the live service: while pending, and at their end.

use super::kit::{HOST, Kit, kit, plain, sas, source_sas};
use crate::{DEFAULT_ACCOUNT, handle::outside};

const DISK: &str = "/src/disk";
const BACKUP: &str = "/dst/disk";

fn with_disk(kit: Kit) -> Kit {
    kit.container("src");
    kit.container("dst");
    kit.page_blob(DISK, 8);
    kit.write_pages(DISK, 0, 2, 1).expect(201);
    kit
}

#[test]
fn the_etag_of_a_pending_incremental_copy_is_that_of_its_start() {
    let kit = with_disk(kit(|builder| builder.copy_rate(512)));
    let snapshot = kit.snapshot(DISK);
    let start = kit.incremental(DISK, &snapshot, BACKUP).send().expect(202);
    kit.advance(1);
    let pending = kit.head(BACKUP);
    assert_eq!(pending.header("x-ms-copy-status"), "pending");
    assert_eq!(pending.header("x-ms-copy-progress"), "0/4096");
    assert_eq!(pending.header("etag"), start.header("etag"));
    kit.advance(1);
    let done = kit.head(BACKUP);
    assert_eq!(done.header("x-ms-copy-progress"), "4096/4096");
    assert_ne!(done.header("etag"), start.header("etag"));
    assert_eq!(done.header("last-modified"), done.header("x-ms-copy-completion-time"));
}

#[test]
fn an_increment_that_brings_nothing_is_accepted_and_changes_no_etag() {
    let kit = plain();
    kit.container("src");
    kit.container("dst");
    kit.page_blob(DISK, 1);
    let created = |path: &str| kit.head(path).header("x-ms-creation-time").to_owned();
    let mut first_created = None;
    for _ in 0..2 {
        let snapshot = kit.snapshot(DISK);
        let start = kit.incremental(DISK, &snapshot, BACKUP).send().expect(202);
        assert_eq!(start.header("x-ms-copy-status"), "pending");
        let done = kit.head(BACKUP);
        assert_eq!(done.header("x-ms-copy-status"), "success");
        assert_eq!(done.header("x-ms-copy-progress"), "512/512");
        assert_eq!(done.header("etag"), start.header("etag"));
        let first = first_created.get_or_insert_with(|| created(BACKUP)).clone();
        assert_eq!(created(BACKUP), first);
        let kept = done.header("x-ms-copy-destination-snapshot");
        assert_eq!(created(&format!("{BACKUP}?snapshot={kept}")), first);
        kit.advance(60);
    }
}

#[test]
fn the_base_of_incremental_copies_takes_tags() {
    let kit = with_disk(plain());
    let snapshot = kit.snapshot(DISK);
    kit.incremental(DISK, &snapshot, BACKUP).send().expect(202);
    let tags = b"<Tags><TagSet><Tag><Key>of</Key><Value>disk</Value></Tag></TagSet></Tags>";
    kit.ask("PUT", &format!("{BACKUP}?comp=tags")).body(tags).send().expect(204);
    let refused = kit.ask("PUT", &format!("{BACKUP}?comp=metadata")).send();
    refused.refused(409, "OperationNotAllowedOnIncrementalCopyBlob");
}

#[test]
fn a_container_can_be_deleted_while_a_copy_into_it_is_pending() {
    let kit = with_disk(kit(|builder| builder.copy_rate(1)));
    kit.copy(DISK, BACKUP).send().expect(202);
    kit.ask("DELETE", "/dst?restype=container").send().expect(202);
    kit.advance(1 << 20);
    kit.head(BACKUP).expect(404);
    kit.head(DISK).expect(200);
}

#[test]
fn an_aborted_copy_keeps_its_headers_and_has_no_range() {
    let kit = with_disk(kit(|builder| builder.copy_rate(1)));
    let put = kit.ask("PUT", "/src/notes").header("x-ms-blob-type", "BlockBlob");
    put.header("x-ms-blob-content-type", "text/plain").body(b"notes").send().expect(201);
    let start = kit.copy("/src/notes", "/dst/notes").send().expect(202);
    let abort = format!("/dst/notes?comp=copy&copyid={}", start.header("x-ms-copy-id"));
    kit.advance(1);
    let abort = kit.ask("PUT", &abort).header("x-ms-copy-action", "abort").send();
    abort.expect(204);
    let aborted = kit.head("/dst/notes");
    assert_eq!(aborted.header("content-type"), "text/plain");
    assert_eq!(aborted.header("x-ms-copy-progress"), "0/5");
    assert_ne!(aborted.header("etag"), start.header("etag"));
    let range = kit.ask("GET", "/dst/notes").header("x-ms-range", "bytes=0-4").send();
    assert_eq!(range.header("content-range"), "bytes */0");
    range.refused(416, "InvalidRange");
    assert!(kit.ask("GET", "/dst/notes").send().expect(200).body.is_empty());
}

#[test]
fn a_source_that_is_no_blob_account_is_refused_and_not_asked() {
    let kit = with_disk(plain());
    let snapshot = "snapshot=2026-01-01T00:00:00.0000000Z";
    let start = |host: &str| {
        let start = kit.ask("PUT", &format!("{BACKUP}?comp=incrementalcopy"));
        start.header("x-ms-copy-source", &format!("https://{host}/src/disk?{snapshot}"))
    };
    start("example.com").send().refused(409, "InvalidSourceBlobUrl");
    let fetched = |host: &str| {
        let request = start(host).request();
        let _time = kit.enter();
        let now = kit.sim.clock().now();
        outside::wanted(&mut kit.sim.shared.service(), &request, now).is_some()
    };
    assert!(!fetched("example.com"));
    for host in ["acct.blob.storage.azure.net", "127.0.0.1:10001", "simulator:10000"] {
        assert!(fetched(host), "{host}");
    }
}

#[test]
fn the_source_is_looked_at_before_the_destination() {
    let kit = with_disk(plain());
    let snapshot = kit.snapshot(DISK);
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}{DISK}?snapshot={snapshot}");
    let start = |source: &str| {
        let start = kit.ask("PUT", &format!("{BACKUP}?comp=incrementalcopy"));
        start.header("x-ms-copy-source", source).header("if-match", "\"0x1\"").send()
    };
    let denied = start(&source);
    assert_eq!(denied.header("x-ms-copy-source-error-code"), "NoAuthenticationInformation");
    denied.refused(401, "CannotVerifyCopySource");
    start(&format!("{source}&{}", source_sas(DISK))).refused(412, "ConditionNotMet");
}

#[test]
fn an_empty_append_blob_is_sealed_by_its_copy() {
    let kit = with_disk(plain());
    kit.ask("PUT", "/src/log").header("x-ms-blob-type", "AppendBlob").send().expect(201);
    let copy = kit.copy("/src/log", "/dst/log").header("x-ms-seal-blob", "true").send();
    assert_eq!(copy.expect(202).header("x-ms-copy-status"), "success");
    let sealed = kit.head("/dst/log");
    assert_eq!(sealed.header("x-ms-copy-progress"), "0/0");
    assert_eq!(sealed.header("x-ms-blob-sealed"), "true");
}

#[test]
fn etags_may_come_without_quotes_and_garbage_matches_nothing() {
    let kit = with_disk(plain());
    let etag = kit.head(DISK).header("etag").trim_matches('"').to_owned();
    let set =
        |etag: &str| kit.ask("PUT", &format!("{DISK}?comp=metadata")).header("if-match", etag);
    set("garbage").send().refused(412, "ConditionNotMet");
    set(&etag).send().expect(200);
}

#[test]
fn slashes_at_the_front_of_a_name_and_in_it_are_kept() {
    let kit = with_disk(plain());
    kit.block_blob("/src//a//b", b"1");
    kit.head("/src/a//b").expect(404);
    let list = kit.ask("GET", "/src?restype=container&comp=list").send().expect(200);
    assert!(list.text().contains("<Name>/a//b</Name>"));
}

#[test]
fn a_managed_disk_is_no_source_of_an_incremental_copy() {
    let kit = with_disk(plain());
    let snapshot = "snapshot=2026-01-01T00:00:00.0000000Z";
    for host in ["md-abc.z01.blob.storage.azure.net", "md-hdd-abc.blob.core.windows.net"] {
        let source = format!("https://{host}/x/abcd?{snapshot}&sig=x");
        let start = || {
            let start = kit.ask("PUT", &format!("{BACKUP}?comp=incrementalcopy"));
            start.header("x-ms-copy-source", &source)
        };
        let request = start().request();
        let time = kit.enter();
        let now = kit.sim.clock().now();
        assert!(outside::wanted(&mut kit.sim.shared.service(), &request, now).is_none(), "{host}");
        drop(time);
        start().send().refused(500, "InternalError");
    }
}

#[test]
fn an_abort_takes_the_copy_id_in_every_form_of_a_guid() {
    let kit = with_disk(kit(|builder| builder.copy_rate(1)));
    kit.block_blob("/src/b", b"hello world");
    for form in [
        |id: &str| id.to_uppercase(),
        |id: &str| id.replace('-', ""),
        |id: &str| format!("%7B{id}%7D"),
    ] {
        let start = kit.copy("/src/b", "/dst/b").send().expect(202);
        let id = form(start.header("x-ms-copy-id"));
        let abort = kit.ask("PUT", &format!("/dst/b?comp=copy&copyid={id}"));
        abort.header("x-ms-copy-action", "abort").send().expect(204);
    }
}

#[test]
fn an_abort_counts_as_a_change_of_the_tier() {
    let kit = with_disk(kit(|builder| builder.copy_rate(1)));
    kit.block_blob("/src/b", b"hello world");
    let copy = kit.copy("/src/b", "/dst/b").header("x-ms-access-tier", "Cool");
    let start = copy.send().expect(202);
    let before = kit.head("/dst/b");
    kit.advance(5);
    let abort = format!("/dst/b?comp=copy&copyid={}", start.header("x-ms-copy-id"));
    kit.ask("PUT", &abort).header("x-ms-copy-action", "abort").send().expect(204);
    let after = kit.head("/dst/b");
    assert_eq!(after.header("x-ms-access-tier"), "Cool");
    for name in ["etag", "last-modified", "x-ms-access-tier-change-time"] {
        assert_ne!(after.header(name), before.header(name), "{name}");
    }
}

#[test]
fn the_source_of_an_incremental_copy_is_opened_by_a_sas_of_its_container_too() {
    let kit = with_disk(plain());
    let snapshot = kit.snapshot(DISK);
    let sas = sas("/src", "c", "r", "2026-12-31T00:00:00Z");
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}{DISK}?snapshot={snapshot}&{sas}");
    let start = kit.ask("PUT", &format!("{BACKUP}?comp=incrementalcopy"));
    start.header("x-ms-copy-source", &source).send().expect(202);
}
