//! Requests recorded from other clients, and the service's answers to them.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::kit::{plain, sas, with_blob};

#[test]
fn a_lease_id_is_the_same_in_every_form_of_a_guid() {
    const FORMS: [&str; 4] = [
        "11111111222233334444555555555555",
        "{11111111-2222-3333-4444-555555555555}",
        "(11111111-2222-3333-4444-555555555555)",
        "11111111-2222-3333-4444-555555555555",
    ];
    let kit = with_blob();
    for proposed in FORMS {
        let acquire = kit.ask("PUT", "/src/b?comp=lease").header("x-ms-lease-action", "acquire");
        let acquire = acquire.header("x-ms-lease-duration", "60");
        acquire.header("x-ms-proposed-lease-id", proposed).send().expect(201);
        for given in FORMS {
            let set = kit.ask("PUT", "/src/b?comp=metadata").header("x-ms-lease-id", given);
            set.send().expect(200);
        }
    }
    for none in [
        "1-1111111222233334444555555555555",
        "{11111111-2222-3333-4444-555555555555)",
        "{{11111111-2222-3333-4444-555555555555}}",
    ] {
        let acquire = kit.ask("PUT", "/src/b?comp=lease").header("x-ms-lease-action", "acquire");
        let acquire = acquire.header("x-ms-lease-duration", "60");
        let acquire = acquire.header("x-ms-proposed-lease-id", none).send();
        acquire.refused(400, "InvalidHeaderValue");
    }
    let set = kit.ask("PUT", "/src/b?comp=metadata").header("x-ms-lease-id", "not an id");
    set.send().refused(412, "LeaseIdMismatchWithBlobOperation");
}

#[test]
fn a_range_that_is_none_is_passed_over() {
    let kit = with_blob();
    for range in ["bytes=0--1", "bytes=5-2", "pages=0-1", "bytes=a-b", "bytes=+0-+4", ""] {
        for name in ["range", "x-ms-range"] {
            let whole = kit.ask("GET", "/src/b").header(name, range).send().expect(200);
            assert_eq!(whole.text(), "hello world", "{name}: {range}");
        }
    }
    kit.ask("GET", "/src/b").header("range", "bytes=20-30").send().refused(416, "InvalidRange");
}

#[test]
fn a_read_cannot_ask_for_what_does_not_exist() {
    let kit = with_blob();
    for method in ["GET", "HEAD"] {
        let read = kit.ask(method, "/src/b").header("if-none-match", "*").send();
        read.refused(400, "UnsatisfiableCondition");
    }
}

#[test]
fn only_what_creates_a_blob_answers_that_there_is_one() {
    let kit = with_blob();
    let lease = kit.ask("PUT", "/src/b?comp=lease").header("x-ms-lease-action", "acquire");
    for ask in [
        kit.ask("DELETE", "/src/b"),
        kit.ask("PUT", "/src/b?comp=metadata"),
        kit.ask("PUT", "/src/b?comp=properties"),
        kit.ask("PUT", "/src/b?comp=snapshot"),
        lease.header("x-ms-lease-duration", "-1"),
    ] {
        ask.header("if-none-match", "*").send().refused(412, "ConditionNotMet");
    }
    let put = kit.ask("PUT", "/src/b").header("x-ms-blob-type", "BlockBlob");
    put.header("if-none-match", "*").send().refused(409, "BlobAlreadyExists");
    kit.copy("/src/b", "/src/b")
        .header("if-none-match", "*")
        .send()
        .refused(409, "BlobAlreadyExists");
}

#[test]
fn the_md5_of_a_blob_is_checked_and_comes_before_that_of_the_body() {
    const RIGHT: &str = "XrY7u+Ae7tCTyyK7j1rNww==";
    const WRONG: &str = "AAAAAAAAAAAAAAAAAAAAAA==";
    let kit = with_blob();
    let put = |md5: &str| {
        let put = kit.ask("PUT", "/src/c").header("x-ms-blob-type", "BlockBlob");
        put.header("x-ms-blob-content-md5", md5).body(b"hello world")
    };
    put("no").send().refused(400, "InvalidMd5");
    put(WRONG).send().refused(400, "Md5Mismatch");
    put(RIGHT).header("content-md5", WRONG).send().expect(201);
    let both = put(RIGHT).header("x-ms-content-crc64", "vo7q9sPVKY0=").send();
    both.refused(400, "BothCrc64AndMd5HeaderPresent");
}

#[test]
fn properties_that_are_not_given_are_cleared() {
    let kit = with_blob();
    let set = || kit.ask("PUT", "/src/b?comp=properties");
    let all = set().header("x-ms-blob-content-type", "text/plain");
    all.header("x-ms-blob-content-language", "de").send().expect(200);
    set().header("x-ms-blob-content-language", "en").send().expect(200);
    let head = kit.head("/src/b");
    assert_eq!((head.header("content-type"), head.header("content-language")), ("", "en"));
    set().send().expect(200);
    assert_eq!(kit.head("/src/b").header("content-language"), "");

    kit.page_blob("/src/disk", 4);
    let set = || kit.ask("PUT", "/src/disk?comp=properties");
    set().header("x-ms-blob-content-language", "de").send().expect(200);
    set().header("x-ms-blob-content-length", "1024").send().expect(200);
    set().header("x-ms-sequence-number-action", "increment").send().expect(200);
    assert_eq!(
        kit.head("/src/disk").header("content-language"),
        "de",
        "that was about other things"
    );
}

#[test]
fn a_name_means_the_blob_that_is_stored_under_it() {
    let kit = with_blob();
    kit.block_blob("/src/a%5Cb", b"1");
    assert_eq!(kit.ask("GET", "/src/a/b").send().expect(200).text(), "1");
    assert_eq!(kit.ask("GET", "/src/b...").send().expect(200).text(), "hello world");
    let signed = sas("/src/a/b", "b", "r", "2026-12-31T00:00:00Z");
    kit.ask("GET", &format!("/src/a%5Cb?{signed}")).unsigned().send().expect(200);
    let list = kit.ask("GET", "/src?restype=container&comp=list").send().expect(200);
    assert!(list.text().contains("<Name>a/b</Name>") && list.text().contains("<Name>b</Name>"));
    kit.ask("GET", "/src/...").send().refused(400, "InvalidUri");
    // How the service treats dots at the end of a segment is not known.
    kit.block_blob("/src/x./y", b"2");
    kit.ask("GET", "/src/x/y").send().refused(404, "BlobNotFound");
}

#[test]
fn a_condition_on_what_can_be_no_tag_is_refused() {
    let kit = with_blob();
    let long = "k".repeat(129);
    for clause in ["\"a!\" = '1'", "a = '\u{e4}'", "\"\" = '1'", &format!("{long} = '1'")] {
        let read = kit.ask("GET", "/src/b").header("x-ms-if-tags", clause).send();
        read.refused(400, "InvalidHeaderValue");
    }
    // Even if not evaluated, and with its own name for a source.
    let bad = "\"a!\" = '1'";
    let read = kit.ask("GET", "/src/b").header("if-match", "\"0x1\"");
    read.header("x-ms-if-tags", bad).send().refused(400, "InvalidHeaderValue");
    let put = kit.ask("PUT", "/src/new").header("x-ms-blob-type", "BlockBlob");
    put.header("x-ms-if-tags", bad).send().refused(400, "InvalidHeaderValue");
    let copy = kit.copy("/src/b", "/src/c").header("x-ms-source-if-tags", bad).send();
    assert!(copy.text().contains("<HeaderName>x-ms-source-if-tags</HeaderName>"));
    copy.refused(400, "InvalidHeaderValue");
}

#[test]
fn what_is_not_modelled_is_told_to_those_who_may_ask() {
    let kit = with_blob();
    let stats = kit.ask("GET", "/?restype=service&comp=stats");
    stats.send().refused(501, "NotImplemented");
    let stranger = kit.ask("GET", "/?restype=service&comp=stats").unsigned().send();
    stranger.refused(401, "NoAuthenticationInformation");
}

#[test]
fn a_sas_must_be_written_as_the_service_writes_it() {
    let kit = with_blob();
    let read = |permissions: &str| {
        let sas = sas("/src/b", "b", permissions, "2026-12-31T00:00:00Z");
        kit.ask("GET", &format!("/src/b?{sas}")).unsigned().send()
    };
    read("rw").expect(200);
    for wrong in ["wr", "rr", "rdw"] {
        read(wrong).refused(403, "AuthenticationFailed");
    }
}

#[test]
fn a_sequence_number_does_not_overflow() {
    let kit = with_blob();
    kit.page_blob("/src/disk", 1);
    let set = |action: &str| {
        let set = kit.ask("PUT", "/src/disk?comp=properties");
        set.header("x-ms-sequence-number-action", action)
    };
    let most = i64::MAX.to_string();
    set("update").header("x-ms-blob-sequence-number", &most).send().expect(200);
    set("increment").send().refused(409, "SequenceNumberIncrementTooLarge");
    assert_eq!(kit.head("/src/disk").header("x-ms-blob-sequence-number"), most);
}

#[test]
fn a_carriage_return_in_a_name_survives_its_list() {
    let kit = with_blob();
    kit.block_blob("/src/c%0Dd", b"");
    let list = kit.ask("GET", "/src?restype=container&comp=list").send().expect(200);
    assert!(list.text().contains("<Name>c&#xD;d</Name>"));
}

#[test]
fn names_are_listed_in_the_order_of_utf_16() {
    let kit = plain();
    kit.container("src");
    // U+FFFD, U+10000, U+D7FF, and a slash beside a hyphen.
    for name in ["%EF%BF%BD", "%F0%90%80%80", "%ED%9F%BF", "a/b", "a-b"] {
        kit.block_blob(&format!("/src/{name}"), b"");
    }
    let names = |target: &str| {
        let list = kit.ask("GET", target).send().expect(200);
        let names: Vec<String> = list
            .text()
            .split("<Name>")
            .skip(1)
            .map(|rest| rest.split("</Name>").next().expect("it ends").to_owned())
            .collect();
        names
    };
    let list = "/src?restype=container&comp=list";
    let expected = ["a-b", "a/b", "\u{d7ff}", "\u{10000}", "\u{fffd}"];
    assert_eq!(names(list), expected);
    // Page by page too, each starting where the one before ended.
    let (mut paged, mut marker) = (Vec::new(), String::new());
    loop {
        let page = format!("{list}&maxresults=1&marker={marker}");
        paged.extend(names(&page));
        let page = kit.ask("GET", &page).send();
        let Some((_, rest)) = page.text().split_once("<NextMarker>") else { break };
        let next = rest.split("</NextMarker>").next().expect("it ends");
        marker = utf8_percent_encode(next, NON_ALPHANUMERIC).to_string();
    }
    assert_eq!(paged, expected);
    assert_eq!(
        names(&format!("{list}&delimiter=%F0%90%80%80")),
        expected[..3].iter().chain(&["\u{10000}", "\u{fffd}"]).copied().collect::<Vec<_>>()
    );
}

#[test]
fn blocks_that_were_never_committed_can_be_deleted() {
    let kit = plain();
    kit.container("src");
    kit.ask("PUT", "/src/b?comp=block&blockid=MQ%3D%3D").body(b"abc").send().expect(201);
    kit.head("/src/b").refused(404, "BlobNotFound");
    kit.ask("DELETE", "/src/b").send().expect(202);
    kit.ask("DELETE", "/src/b").send().refused(404, "BlobNotFound");
    let blocks = kit.ask("GET", "/src/b?comp=blocklist&blocklisttype=all").send();
    blocks.refused(404, "BlobNotFound");
}

#[test]
fn an_earlier_snapshot_by_its_url_is_for_managed_disks() {
    let kit = plain();
    kit.container("src");
    kit.page_blob("/src/disk", 1);
    let ranges = kit.ask("GET", "/src/disk?comp=pagelist");
    let ranges =
        ranges.header("x-ms-previous-snapshot-url", "http://127.0.0.1:10000/x/y?snapshot=z");
    ranges.send().refused(400, "UnsupportedHeaderForNonManagedDisksAccount");
}
