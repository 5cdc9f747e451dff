//! Behaviour recorded from the live service that differs between versions.

use super::kit::{HOST, kit, plain, source_sas, with_blob};
use crate::{DEFAULT_ACCOUNT, SourceEcho};

#[test]
fn writes_tell_the_checksums_that_real_accounts_tell() {
    const MD5: &str = "XrY7u+Ae7tCTyyK7j1rNww==";
    const CRC: &str = "vo7q9sPVKY0=";
    let kit = with_blob();
    let put =
        || kit.ask("PUT", "/src/b").header("x-ms-blob-type", "BlockBlob").body(b"hello world");
    let told = |reply: super::kit::Reply| {
        let reply = reply.expect(201);
        (reply.header("content-md5").to_owned(), reply.header("x-ms-content-crc64").to_owned())
    };
    let both = || (MD5.to_owned(), CRC.to_owned());
    assert_eq!(told(put().send()), both());
    assert_eq!(told(put().header("content-md5", MD5).send()), both());
    assert_eq!(told(put().header("x-ms-version", "2018-11-09").send()), (MD5.into(), "".into()));

    let block = || kit.ask("PUT", "/src/c?comp=block&blockid=MQ%3D%3D").body(b"hello world");
    assert_eq!(told(block().send()), ("".into(), CRC.into()));
    assert_eq!(told(block().header("content-md5", MD5).send()), (MD5.into(), "".into()));
    let newest = |ask: super::kit::Ask<'_>| ask.header("x-ms-version", "2026-10-06").send();
    assert_eq!(told(newest(block().header("content-md5", MD5))), both());

    let list = || {
        let list = b"<BlockList><Latest>MQ==</Latest></BlockList>";
        kit.ask("PUT", "/src/c?comp=blocklist").body(list)
    };
    let md5 = crate::ops::checksums::md5(b"<BlockList><Latest>MQ==</Latest></BlockList>");
    let (told_md5, told_crc) = told(list().header("content-md5", &md5).send());
    assert_eq!((told_md5.as_str(), told_crc.is_empty()), ("", false), "the list's own checksum");
}

#[test]
fn what_writes_no_content_encrypts_none() {
    let kit = plain();
    kit.container("src");
    kit.page_blob("/src/disk", 4);
    let snapshot = kit.ask("PUT", "/src/disk?comp=snapshot").send().expect(201);
    assert_eq!(snapshot.header("x-ms-request-server-encrypted"), "false");
    let clear = kit.ask("PUT", "/src/disk?comp=page").header("x-ms-page-write", "clear");
    let clear = clear.header("x-ms-range", "bytes=0-511").send().expect(201);
    assert_eq!(clear.header("x-ms-request-server-encrypted"), "");
    let write = kit.write_pages("/src/disk", 0, 1, 1).expect(201);
    assert_eq!(write.header("x-ms-request-server-encrypted"), "true");
}

#[test]
fn what_a_version_does_not_know_is_not_told() {
    let kit = with_blob();
    let list = |version: &str| {
        let list = kit.ask("GET", "/src?restype=container&comp=list&include=uncommittedblobs");
        list.header("x-ms-version", version).send().expect(200).text().to_owned()
    };
    assert!(
        !list("2019-02-02").contains("OrMetadata") && list("2019-12-12").contains("OrMetadata")
    );

    let tier = |name: &str| {
        let set = kit.ask("PUT", "/src/b?comp=tier").header("x-ms-access-tier", name);
        set.send()
    };
    tier("Archive").expect(200);
    tier("Cool").expect(202);
    let head = |version: &str| kit.ask("HEAD", "/src/b").header("x-ms-version", version).send();
    assert_eq!(head("2019-02-02").header("x-ms-archive-status"), "rehydrate-pending-to-cool");
    assert_eq!(head("2019-02-02").header("x-ms-rehydrate-priority"), "");
    assert_eq!(head("2019-12-12").header("x-ms-rehydrate-priority"), "Standard");
}

#[test]
fn an_uncommitted_blob_has_an_inferred_tier_and_no_length() {
    let kit = plain();
    kit.container("src");
    kit.ask("PUT", "/src/b?comp=block&blockid=MQ%3D%3D").body(b"abc").send().expect(201);
    let list = kit.ask("GET", "/src?restype=container&comp=list&include=uncommittedblobs");
    let list = list.send().expect(200);
    assert!(list.text().contains("<AccessTier>Hot</AccessTier><AccessTierInferred>true"));
    assert!(list.text().contains("<ServerEncrypted>false</ServerEncrypted>"));
    let blocks = kit.ask("GET", "/src/b?comp=blocklist&blocklisttype=all").send().expect(200);
    assert_eq!(blocks.header("x-ms-blob-content-length"), "");
}

#[test]
fn a_tier_that_was_chosen_is_not_copied() {
    let kit = plain();
    kit.container("src");
    let disk = kit.ask("PUT", "/src/disk").header("x-ms-blob-type", "PageBlob");
    let disk = disk.header("x-ms-blob-content-length", "1024").header("x-ms-access-tier", "P30");
    disk.send().expect(201);
    kit.copy("/src/disk", "/src/copy").send().expect(202);
    let copy = kit.head("/src/copy").expect(200);
    assert_eq!(copy.header("x-ms-access-tier"), "P10");
    assert_eq!(copy.header("x-ms-access-tier-inferred"), "true");
    assert_eq!(copy.header("x-ms-access-tier-change-time"), "");
    let disk = kit.head("/src/disk").expect(200);
    assert_eq!(disk.header("x-ms-access-tier"), "P30");
    assert_eq!(disk.header("x-ms-access-tier-change-time"), "", "never told of a page blob");

    kit.block_blob("/src/b", b"x");
    let wrong = kit.copy("/src/b", "/src/c").header("x-ms-access-tier", "P20").send();
    assert!(wrong.text().contains("<HeaderName>x-ms-access-tier</HeaderName><HeaderValue>P20<"));
    wrong.refused(400, "InvalidHeaderValue");
}

#[test]
fn a_difference_tells_what_was_written_and_cleared_since() {
    let kit = plain();
    kit.container("src");
    kit.page_blob("/src/disk", 4);
    let empty = kit.snapshot("/src/disk");
    kit.write_pages("/src/disk", 0, 3, 1).expect(201);
    let clear = kit.ask("PUT", "/src/disk?comp=page").header("x-ms-page-write", "clear");
    clear.header("x-ms-range", "bytes=512-1023").send().expect(201);
    let diff = kit.ask("GET", &format!("/src/disk?comp=pagelist&prevsnapshot={empty}")).send();
    assert!(diff.expect(200).text().ends_with(
        "<PageList><PageRange><Start>0</Start><End>511</End></PageRange>\
         <ClearRange><Start>512</Start><End>1023</End></ClearRange>\
         <PageRange><Start>1024</Start><End>1535</End></PageRange></PageList>"
    ));
    let ranges = kit.ask("GET", "/src/disk?comp=pagelist").send().expect(200);
    assert!(!ranges.text().contains("ClearRange"));
}

#[test]
fn a_list_of_ranges_goes_on_at_an_opaque_marker() {
    let kit = plain();
    kit.container("src");
    kit.page_blob("/src/disk", 8);
    for page in [0, 2, 4] {
        kit.write_pages("/src/disk", page, 1, 1).expect(201);
    }
    let first = kit.ask("GET", "/src/disk?comp=pagelist&maxresults=2").send().expect(200);
    let (_, rest) = first.text().split_once("<NextMarker>").expect("there is more");
    let (marker, _) = rest.split_once("</NextMarker>").expect("it ends");
    assert!(marker.starts_with("2!"), "{marker}");
    let marker = marker.replace('!', "%21").replace('=', "%3D");
    let next = format!("/src/disk?comp=pagelist&maxresults=2&marker={marker}");
    let next = kit.ask("GET", &next).send().expect(200);
    assert!(next.text().contains("<Start>2048</Start>") && !next.text().contains("NextMarker"));
    let made_up = kit.ask("GET", "/src/disk?comp=pagelist&marker=1024").send();
    made_up.refused(400, "InvalidQueryParameterValue");
}

#[test]
fn the_lease_holder_may_write_what_must_not_exist() {
    let kit = with_blob();
    let lease = "11111111-2222-3333-4444-555555555555";
    let acquire = kit.ask("PUT", "/src/b?comp=lease").header("x-ms-lease-action", "acquire");
    let acquire = acquire.header("x-ms-lease-duration", "-1");
    acquire.header("x-ms-proposed-lease-id", lease).send().expect(201);
    let put = || {
        let put = kit.ask("PUT", "/src/b").header("x-ms-blob-type", "BlockBlob");
        put.header("if-none-match", "*").body(b"again")
    };
    put().send().refused(409, "BlobAlreadyExists");
    put().header("x-ms-lease-id", lease).send().expect(201);
}

#[test]
fn a_snapshot_that_is_no_time_is_refused_without_a_code_to_head() {
    let kit = with_blob();
    let head = kit.ask("HEAD", "/src/b?snapshot=1").send().expect(400);
    assert_eq!((head.header("x-ms-error-code"), head.header("x-ms-version")), ("", ""));
    let get = kit.ask("GET", "/src/b?snapshot=1").send();
    get.refused(400, "InvalidQueryParameterValue");
}

#[test]
fn a_policy_that_says_nothing_comes_back_as_its_id() {
    let kit = with_blob();
    let acl = "<SignedIdentifiers><SignedIdentifier><Id>empty</Id><AccessPolicy />\
               </SignedIdentifier></SignedIdentifiers>";
    let path = "/src?restype=container&comp=acl";
    kit.ask("PUT", path).body(acl.as_bytes()).send().expect(200);
    let kept = kit.ask("GET", path).send().expect(200);
    assert!(kept.text().contains("<SignedIdentifier><Id>empty</Id></SignedIdentifier>"));
}

#[test]
fn unmet_conditions_on_a_source_are_told_by_each_operation_in_its_way() {
    const LONG_AGO: &str = "Thu, 01 Jan 2015 00:00:00 GMT";
    const TOMORROW: &str = "Fri, 02 Jan 2026 00:00:00 GMT";
    let kit = with_blob();
    let etag = kit.head("/src/b").header("etag").to_owned();
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}/src/b?{}", source_sas("/src/b"));
    let block = || {
        let block = kit.ask("PUT", "/src/c?comp=block&blockid=MQ%3D%3D");
        block.header("x-ms-copy-source", &source)
    };
    let put = || {
        let put = kit.ask("PUT", "/src/c").header("x-ms-blob-type", "BlockBlob");
        put.header("x-ms-copy-source", &source)
    };
    let verify = "CannotVerifyCopySource";
    block().header("x-ms-source-if-match", "\"0x1\"").send().refused(412, verify);
    block().header("x-ms-source-if-unmodified-since", LONG_AGO).send().refused(412, verify);
    for unchanged in [
        block().header("x-ms-source-if-none-match", &etag),
        block().header("x-ms-source-if-modified-since", TOMORROW),
    ] {
        let reply = unchanged.send();
        assert!(reply.body.is_empty());
        assert_eq!(reply.header("x-ms-copy-source-error-code"), "ConditionNotMet");
        reply.refused(304, verify);
    }
    put().header("x-ms-source-if-match", "\"0x1\"").send().refused(412, "SourceConditionNotMet");
    put().header("x-ms-source-if-unmodified-since", LONG_AGO).send().refused(412, verify);
    let copy = || kit.copy("/src/b", "/src/c");
    let unmet = "SourceConditionNotMet";
    copy().header("x-ms-source-if-match", "\"0x1\"").send().refused(412, unmet);
    copy().header("x-ms-source-if-modified-since", TOMORROW).send().refused(412, unmet);
    copy().header("x-ms-source-if-tags", "a = '1'").send().refused(412, "ConditionNotMet");
}

#[test]
fn what_a_source_answered_is_told_from_2024_08_04_on() {
    let kit = with_blob();
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}/src/none?{}", source_sas("/src/none"));
    let copy = |operation: &str, version: &str| {
        let copy = kit.ask("PUT", operation).header("x-ms-copy-source", &source);
        let copy = copy.header("x-ms-version", version).header("x-ms-page-write", "update");
        let copy = copy.header("x-ms-range", "bytes=0-511");
        copy.header("x-ms-source-range", "bytes=0-511").send().expect(404)
    };
    let old = copy("/src/c", "2023-11-03");
    assert_eq!(old.header("x-ms-copy-source-error-code"), "");
    assert!(!old.text().contains("CopySourceErrorCode"));
    assert!(old.text().contains("<Message>The specified blob does not exist."));
    let new = copy("/src/c", "2024-08-04");
    assert_eq!(new.header("x-ms-copy-source-error-code"), "BlobNotFound");
    assert!(new.text().contains("<CopySourceErrorCode>BlobNotFound</CopySourceErrorCode>"));
    let page = copy("/src/c?comp=page", "2024-08-04");
    assert!(page.text().contains("<Message>Could not verify the copy source within the specified"));
}

#[test]
fn a_source_of_the_own_account_is_missing_plainly() {
    let kit = with_blob();
    let plain = kit.copy("/src/none", "/src/c").send();
    assert_eq!(plain.header("x-ms-copy-source-status-code"), "");
    plain.refused(404, "BlobNotFound");
    let path = format!("/src/none?{}", source_sas("/src/none"));
    kit.copy(&path, "/src/c").send().refused(404, "CannotVerifyCopySource");
}

#[test]
fn a_bearer_token_reads_private_sources_of_its_account_for_some_operations() {
    let kit = kit(|builder| builder.accept_bearer(|token| token == "t"));
    kit.container("src");
    kit.block_blob("/src/b", &[1; 512]);
    kit.page_blob("/src/disk", 1);
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}/src/b");
    let ask = |path: &str| {
        let ask = kit.ask("PUT", path).header("x-ms-copy-source", &source);
        let ask = ask.header("x-ms-page-write", "update").header("x-ms-range", "bytes=0-511");
        ask.header("x-ms-source-range", "bytes=0-511").over_https()
    };
    let bearer =
        |ask: super::kit::Ask<'_>| ask.unsigned().header("authorization", "Bearer t").send();
    bearer(ask("/src/disk?comp=page")).expect(201);
    bearer(ask("/src/c").header("x-ms-requires-sync", "true")).expect(202);
    let denied = "CannotVerifyCopySource";
    ask("/src/disk?comp=page").send().refused(401, denied);
    bearer(ask("/src/d?comp=block&blockid=MQ%3D%3D")).refused(401, denied);
    let older = ask("/src/disk?comp=page").header("x-ms-version", "2025-11-05");
    bearer(older).refused(401, denied);
}

#[test]
fn the_echoed_source_depends_on_the_version() {
    let kit = with_blob();
    let sas = source_sas("/src/b");
    let unsigned = sas.split_once("&sig=").expect("signed").0.to_owned();
    let echoed = |version: &str| {
        let copy = kit.copy(&format!("/src/b?{sas}"), "/src/c").header("x-ms-version", version);
        copy.send().expect(202);
        kit.head("/src/c").header("x-ms-copy-source").to_owned()
    };
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}/src/b");
    assert_eq!(echoed("2020-12-06"), format!("{source}?{sas}"));
    assert_eq!(echoed("2021-04-10"), format!("{source}?{unsigned}"));
    let rewritten = source.replace("http:", "https:");
    let lower = unsigned.replace("%3A", "%3a");
    assert_eq!(echoed("2026-02-06"), format!("{rewritten}?{lower}"));

    let kit = super::kit::kit(|builder| builder.echo_source(SourceEcho::WithoutSas));
    kit.container("src");
    kit.block_blob("/src/b", b"x");
    kit.copy(&format!("/src/b?{sas}"), "/src/c").send().expect(202);
    assert_eq!(kit.head("/src/c").header("x-ms-copy-source"), rewritten);
}

#[test]
fn an_abort_of_what_is_no_copy_id_is_refused_first() {
    let kit = with_blob();
    let abort = |id: &str| {
        let abort = kit.ask("PUT", &format!("/src/none?comp=copy&copyid={id}"));
        abort.header("x-ms-copy-action", "abort").send()
    };
    abort("mine").refused(400, "InvalidQueryParameterValue");
    abort("1f812371-a41d-49e6-b123-f4b542e851c5").refused(404, "BlobNotFound");
}

#[test]
fn an_anonymous_read_without_a_version_finds_nothing() {
    let kit = with_blob();
    let with_version = kit.ask("GET", "/src/b").unsigned().send();
    with_version.refused(401, "NoAuthenticationInformation");
    let mut request = kit.ask("GET", "/src/b").unsigned().request();
    request.headers_mut().remove("x-ms-version");
    let outcome = kit.sim.shared.clone().step(request);
    assert_eq!(outcome.response.status(), 404);
    assert_eq!(outcome.response.headers()["x-ms-error-code"], "ResourceNotFound");
}

#[test]
fn refusals_of_a_sas_tell_what_they_tell_in_their_version() {
    let kit = with_blob();
    let expired = super::kit::sas("/src/b", "b", "r", "2025-12-31T00:00:00Z");
    let refused = kit.ask("GET", &format!("/src/b?{expired}")).unsigned();
    let refused = refused.header("x-ms-client-request-id", "mine").send();
    assert_eq!(
        (refused.header("x-ms-version"), refused.header("x-ms-client-request-id")),
        ("", "")
    );
    refused.refused(403, "AuthenticationFailed");
}

#[test]
fn what_is_checked_by_an_md5_has_both_checksums_in_the_newest_version() {
    let kit = with_blob();
    kit.page_blob("/src/disk", 4);
    kit.write_pages("/src/disk", 0, 1, 1).expect(201);
    let (md5, crc) = (crate::ops::checksums::md5(&[1; 512]), "xMWZ8JhHXD8=");
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}/src/disk?{}", source_sas("/src/disk"));
    let told = |ask: super::kit::Ask<'_>, version: &str| {
        let reply = ask.header("x-ms-version", version).send().expect(201);
        (reply.header("content-md5").to_owned(), reply.header("x-ms-content-crc64").to_owned())
    };
    let from_url = |path: &str| {
        let put = kit.ask("PUT", path).header("x-ms-copy-source", &source);
        let put = put.header("x-ms-page-write", "update").header("x-ms-range", "bytes=512-1023");
        let put = put.header("x-ms-source-range", "bytes=0-511");
        put.header("x-ms-source-content-md5", &md5)
    };
    let both = (md5.clone(), crc.to_owned());
    for (version, expected) in [("2026-06-06", (md5.clone(), String::new())), ("2026-10-06", both)]
    {
        let pages = kit.ask("PUT", "/src/disk?comp=page").header("x-ms-page-write", "update");
        let pages = pages.header("x-ms-range", "bytes=512-1023").header("content-md5", &md5);
        assert_eq!(told(pages.body(&[1; 512]), version), expected);
        for path in ["/src/disk?comp=page", "/src/c?comp=block&blockid=MQ%3D%3D"] {
            assert_eq!(told(from_url(path), version), expected, "{path}");
        }
        let put = kit.ask("PUT", "/src/whole").header("x-ms-blob-type", "BlockBlob");
        let told = told(put.header("x-ms-copy-source", &source), version);
        assert_eq!(told.1.is_empty(), expected.1.is_empty(), "of a whole blob: {told:?}");
    }
}

#[test]
fn only_head_tells_the_tier() {
    let kit = with_blob();
    assert_eq!(kit.head("/src/b").header("x-ms-access-tier"), "Hot");
    let get = kit.ask("GET", "/src/b").send().expect(200);
    for name in ["x-ms-access-tier", "x-ms-access-tier-inferred", "x-ms-access-tier-change-time"] {
        assert_eq!(get.header(name), "");
    }
}

#[test]
fn a_page_of_a_difference_counts_what_was_cleared_too() {
    let kit = plain();
    kit.container("src");
    kit.page_blob("/src/disk", 4);
    kit.write_pages("/src/disk", 0, 1, 1).expect(201);
    let earlier = kit.snapshot("/src/disk");
    let clear = kit.ask("PUT", "/src/disk?comp=page").header("x-ms-page-write", "clear");
    clear.header("x-ms-range", "bytes=0-511").send().expect(201);
    kit.write_pages("/src/disk", 2, 1, 1).expect(201);
    let diff = format!("/src/disk?comp=pagelist&prevsnapshot={earlier}");
    let page = kit.ask("GET", &format!("{diff}&maxresults=1")).send().expect(200);
    assert!(page.text().contains("<ClearRange>") && !page.text().contains("<PageRange>"));
    assert!(page.text().contains("<NextMarker>"));
    let past = kit.ask("GET", &diff).header("x-ms-range", "bytes=2048-2559").send();
    past.refused(416, "InvalidRange");
}
