//! Sources on another server, by raw requests: simulators, and servers with odd answers.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::kit::{Ask, Kit, Reply, sas};
use crate::{DEFAULT_ACCOUNT, Simulator};

/// A simulator on a port, with an empty container.
async fn source() -> Kit {
    let kit = Kit::around(Simulator::builder().start().await.unwrap());
    kit.container("src");
    kit
}

/// A simulator in process, with an empty container and an append blob.
fn target() -> Kit {
    let kit = Kit::around(Simulator::builder().build());
    kit.container("one");
    kit.ask("PUT", "/one/log").header("x-ms-blob-type", "AppendBlob").send().expect(201);
    kit
}

/// The URL of a blob there, with a SAS with these permissions.
fn url(source: &Kit, path: &str, permissions: &str) -> String {
    let sas = sas(path, "b", permissions, "2099-12-31T00:00:00Z");
    format!("{}{path}?{sas}", source.sim.endpoint(DEFAULT_ACCOUNT))
}

/// Sends a request through the transport, which may fetch its source first.
async fn send(kit: &Kit, ask: Ask<'_>) -> Reply {
    let outcome = kit.sim.shared.exchange(ask.request()).await;
    let (parts, payload) = outcome.response.into_parts();
    let body = payload.fold(BytesMut::new(), |mut all, piece| {
        all.extend_from_slice(&piece);
        all
    });
    let (status, headers) = (parts.status.as_u16(), parts.headers);
    Reply { status, headers, body: body.to_vec(), delivery: outcome.delivery }
}

async fn copy(kit: &Kit, source: &str, to: &str, headers: &[(&str, &str)]) -> Reply {
    let ask = kit.ask("PUT", to).header("x-ms-copy-source", source);
    let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
    send(kit, ask).await
}

const SYNC: (&str, &str) = ("x-ms-requires-sync", "true");
const BLOCK_BLOB: (&str, &str) = ("x-ms-blob-type", "BlockBlob");

/// A server that answers each request, from its head, on a new connection.
fn canned(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/any", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head) = (stream.unwrap(), Vec::new());
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or(0) == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            answer(&String::from_utf8_lossy(&head), &mut stream);
        }
    });
    url
}

/// An answer in one piece; then the connection closes.
fn say(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let length = match headers.contains("content-length") {
        true => String::new(),
        false => format!("content-length: {}\r\n", body.len()),
    };
    let answer = format!("HTTP/1.1 {status}\r\n{headers}{length}connection: close\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes());
}

#[tokio::test]
async fn more_than_an_operation_takes_is_not_read() {
    let (source, target) = (source().await, target());
    source.page_blob("/src/vast", (8 << 40) / 512);
    let vast = url(&source, "/src/vast", "r");
    let all = ("x-ms-source-range", "bytes=0-8796093022207");
    for to in ["/one/log?comp=appendblock", "/one/b?comp=block&blockid=QQ=="] {
        copy(&target, &vast, to, &[all]).await.refused(413, "RequestBodyTooLarge");
        copy(&target, &vast, to, &[]).await.refused(413, "RequestBodyTooLarge");
    }
    let put = copy(&target, &vast, "/one/b", &[BLOCK_BLOB]).await;
    put.refused(409, "CannotVerifyCopySource");
    copy(&target, &vast, "/one/b", &[SYNC]).await.refused(409, "CannotVerifyCopySource");
    // As large as allowed, and almost nothing of it is transferred.
    copy(&target, &vast, "/one/vast", &[]).await.expect(202);

    let endless = canned(|head, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        while head.starts_with("GET") && stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
    });
    let to = "/one/log?comp=appendblock";
    copy(&target, &endless, to, &[]).await.refused(413, "RequestBodyTooLarge");
    // It does not support ranges, but returns more than this one.
    let range = ("x-ms-source-range", "bytes=1000000-1000002");
    copy(&target, &endless, to, &[range]).await.expect(201);
    assert_eq!(target.ask("GET", "/one/log").send().text(), "xxx");
}

#[tokio::test]
async fn of_a_server_that_knows_no_ranges_the_range_is_taken() {
    let target = target();
    let ten = canned(|_, stream| say(stream, "200 OK", "", "0123456789"));
    let to = "/one/log?comp=appendblock";
    let append = async |range| copy(&target, &ten, to, &[("x-ms-source-range", range)]).await;
    append("bytes=7-8").await.expect(201);
    append("bytes=9-20").await.expect(201);
    append("bytes=10-20").await.refused(416, "CannotVerifyCopySource");
    assert_eq!(target.ask("GET", "/one/log").send().text(), "789");

    let too_much = canned(|_, stream| say(stream, "206 Partial Content", "", "0123456789"));
    let range = ("x-ms-source-range", "bytes=7-8");
    copy(&target, &too_much, to, &[range]).await.refused(500, "CannotVerifyCopySource");
}

/// A page blob of this length with this list of ranges; every piece gets the same answer.
fn odd_disk(length: &'static str, ranges: &'static str, piece: (&'static str, usize)) -> String {
    canned(move |head, stream| {
        let headers = "x-ms-request-id: 1\r\nx-ms-blob-type: PageBlob\r\netag: \"0x1\"\r\n";
        if head.starts_with("HEAD") {
            say(stream, "200 OK", &format!("{headers}content-length: {length}\r\n"), "");
        } else if head.contains("comp=pagelist") {
            say(stream, "200 OK", headers, &format!("<PageList>{ranges}</PageList>"));
        } else {
            say(stream, piece.0, headers, &"x".repeat(piece.1));
        }
    })
}

#[tokio::test]
async fn a_page_blob_of_another_server_is_not_believed_everything() {
    const RANGE: &str = "<PageRange><Start>512</Start><End>1023</End></PageRange>";
    const PARTIAL: &str = "206 Partial Content";
    let target = target();
    let good = odd_disk("2048", RANGE, (PARTIAL, 512));
    copy(&target, &good, "/one/good", &[]).await.expect(202);
    for (status, length, ranges, piece) in [
        (409, "8796093022720", "", (PARTIAL, 512)),
        (409, "18446744073709551104", "", (PARTIAL, 512)),
        (500, "1000", "", (PARTIAL, 512)),
        (500, "-1", "", (PARTIAL, 512)),
        (500, "2048", "<PageRange><Start>1</Start><End>511</End></PageRange>", (PARTIAL, 512)),
        (500, "2048", "<PageRange><Start>0</Start><End>99</End></PageRange>", (PARTIAL, 100)),
        (500, "2048", "<PageRange><Start>512</Start><End>511</End></PageRange>", (PARTIAL, 512)),
        (
            500,
            "2048",
            "<PageRange><Start>0</Start><End>18446744073709551615</End></PageRange>",
            (PARTIAL, 512),
        ),
        (500, "2048", "<PageRange><Start>512</Start></PageRange>", (PARTIAL, 512)),
        (500, "2048", "no XML <", (PARTIAL, 512)),
        (500, "2048", RANGE, ("200 OK", 2048)),
        (500, "2048", RANGE, ("200 OK", 512)),
        (500, "2048", RANGE, (PARTIAL, 511)),
        (500, "2048", RANGE, (PARTIAL, 0)),
    ] {
        let disk = odd_disk(length, ranges, piece);
        let refused = copy(&target, &disk, "/one/disk", &[]).await;
        assert_eq!(refused.status, status, "{length} {ranges} {piece:?}");
        assert_eq!(refused.header("x-ms-error-code"), "CannotVerifyCopySource");
    }
    target.head("/one/disk").expect(404);
    // Ranges past the end count as empty.
    let past = "<PageRange><Start>512</Start><End>18446744073709551103</End></PageRange>";
    let past = odd_disk("1024", past, (PARTIAL, 512));
    copy(&target, &past, "/one/past", &[]).await.expect(202);
}

#[tokio::test]
async fn the_tags_of_the_source_are_read_where_they_count() {
    let (source, target) = (source().await, target());
    let put = source.ask("PUT", "/src/a").header("x-ms-blob-type", "BlockBlob").body(b"a");
    put.header("x-ms-tags", "of=x%20%2F&to=").send().expect(201);
    let (open, closed) = (url(&source, "/src/a", "rt"), url(&source, "/src/a", "r"));
    const COPY: (&str, &str) = ("x-ms-copy-source-tag-option", "COPY");
    for kind in [BLOCK_BLOB, SYNC] {
        copy(&target, &open, "/one/a", &[kind, COPY]).await.expect(if kind == SYNC {
            202
        } else {
            201
        });
        let tags = target.ask("GET", "/one/a?comp=tags").send().expect(200);
        let expected = "<Tag><Key>of</Key><Value>x /</Value></Tag>";
        assert!(tags.text().contains(expected), "{}", tags.text());
        assert_eq!(tags.text().matches("<Key>").count(), 2);
        let refused = copy(&target, &closed, "/one/b", &[kind, COPY]).await;
        let refused = refused.refused(403, "CannotVerifyCopySource");
        let cause = refused.header("x-ms-copy-source-error-code");
        assert_eq!(cause, "AuthorizationPermissionMismatch");
    }
    // Nobody requests them here.
    copy(&target, &closed, "/one/b", &[BLOCK_BLOB]).await.expect(201);

    let when = |clause| ("x-ms-source-if-tags", clause);
    for (kind, met) in [(BLOCK_BLOB, 201), (("x-ms-meta-any", "copy"), 202)] {
        let met_by = copy(&target, &open, "/one/c", &[kind, when("\"of\" = 'x /'")]).await;
        met_by.expect(met);
        let unmet = copy(&target, &open, "/one/c", &[kind, when("\"of\" = 'y'")]).await;
        let at_once = kind == BLOCK_BLOB;
        unmet.refused(412, if at_once { "CannotVerifyCopySource" } else { "ConditionNotMet" });
        let refused = copy(&target, &closed, "/one/c", &[kind, when("\"of\" = 'x /'")]).await;
        refused.refused(403, "CannotVerifyCopySource");
    }
    let refused = copy(&target, &open, "/one/d", &[SYNC, when("\"of\" = 'x /'")]).await;
    refused.refused(400, "UnsupportedHeader");
}

#[tokio::test]
async fn the_blocks_of_the_source_are_kept() {
    let (source, target) = (source().await, target());
    let mut list = String::new();
    for (id, body) in [("QQ==", "first"), ("Qg==", "second block")] {
        let put = format!("/src/a?comp=block&blockid={}", id.replace('=', "%3D"));
        source.ask("PUT", &put).body(body.as_bytes()).send().expect(201);
        list += &format!("<Latest>{id}</Latest>");
    }
    let list = format!("<BlockList>{list}</BlockList>");
    source.ask("PUT", "/src/a?comp=blocklist").body(list.as_bytes()).send().expect(201);
    let blocks_of = async |kit: &Kit, path: &str| {
        let list = send(kit, kit.ask("GET", &format!("{path}?comp=blocklist"))).await.expect(200);
        list.text().to_owned()
    };
    let expected = blocks_of(&source, "/src/a").await;
    assert!(expected.contains("<Name>Qg==</Name><Size>12</Size>"), "{expected}");
    let from = url(&source, "/src/a", "r");
    copy(&target, &from, "/one/sync", &[SYNC]).await.expect(202);
    copy(&target, &from, "/one/async", &[]).await.expect(202);
    copy(&target, &from, "/one/put", &[BLOCK_BLOB]).await.expect(201);
    for (path, same) in [("/one/sync", true), ("/one/async", true), ("/one/put", false)] {
        assert_eq!(blocks_of(&target, path).await == expected, same, "{path}");
        assert_eq!(target.ask("GET", path).send().text(), "firstsecond block");
    }

    // A server without such a list, and one that returns the list of another state.
    let headers = "x-ms-blob-type: BlockBlob\r\netag: \"0x1\"\r\n";
    let none = canned(move |head, stream| match head.contains("comp=blocklist") {
        true => say(stream, "400 Bad Request", "", "what?"),
        false => say(stream, "200 OK", headers, "text"),
    });
    let other = canned(move |head, stream| match head.contains("comp=blocklist") {
        true => {
            let block = "<Block><Name>QQ==</Name><Size>4</Size></Block>";
            let list = format!("<BlockList><CommittedBlocks>{block}</CommittedBlocks></BlockList>");
            say(stream, "200 OK", "etag: \"0x2\"\r\n", &list);
        }
        false => say(stream, "200 OK", headers, "text"),
    });
    for from in [none, other] {
        copy(&target, &from, "/one/sync", &[SYNC]).await.expect(202);
        assert!(!blocks_of(&target, "/one/sync").await.contains("<Name>"));
        assert_eq!(target.ask("GET", "/one/sync").send().text(), "text");
    }
}

/// A simulator whose copies take a minute.
fn slow_target() -> Kit {
    let minute = Duration::from_secs(60);
    let kit = Kit::around(Simulator::builder().copy_duration(minute).build());
    kit.container("one");
    kit
}

#[tokio::test]
async fn no_copy_succeeds_before_its_source_is_looked_at_once_more() {
    let (source, target) = (source().await, slow_target());
    source.block_blob("/src/a", b"a");
    source.block_blob("/src/b", b"b");
    for name in ["a", "b"] {
        let from = url(&source, &format!("/src/{name}"), "r");
        copy(&target, &from, &format!("/one/{name}"), &[]).await.expect(202);
    }
    target.advance(59);
    send(&target, target.ask("HEAD", "/one/a")).await.expect(200);
    source.block_blob("/src/b", b"another");
    target.advance(60);
    // No request that checks other servers has arrived since they are due.
    assert_eq!(target.sim.copies().pending(), 2);
    assert_eq!(target.head("/one/a").header("x-ms-copy-status"), "pending");
    let status = async |path| {
        let head = send(&target, target.ask("HEAD", path)).await.expect(200);
        head.header("x-ms-copy-status").to_owned()
    };
    assert_eq!(
        (status("/one/a").await, status("/one/b").await),
        ("success".into(), "failed".into())
    );
    assert_eq!(target.sim.copies().pending(), 0);
}

#[tokio::test]
async fn a_copy_that_waits_for_a_look_does_not_run_out_of_time() {
    let (source, target) = (source().await, slow_target());
    source.block_blob("/src/a", b"a");
    copy(&target, &url(&source, "/src/a", "r"), "/one/a", &[]).await.expect(202);
    target.advance(15 * 24 * 60 * 60);
    assert_eq!(target.sim.copies().pending(), 1);
    let head = send(&target, target.ask("HEAD", "/one/a")).await.expect(200);
    assert_eq!(head.header("x-ms-copy-status"), "success");
}

#[tokio::test]
async fn the_sources_of_many_copies_are_looked_at_together() {
    let target = slow_target();
    let together = Arc::new(Barrier::new(2));
    for to in ["/one/a", "/one/b"] {
        let (together, heads) = (together.clone(), AtomicU32::new(0));
        let from = canned(move |head, stream| {
            // The check when the copy is due is answered once both are checked.
            if head.starts_with("HEAD") && heads.fetch_add(1, Ordering::Relaxed) == 1 {
                together.wait();
            }
            say(stream, "200 OK", "etag: \"0x1\"\r\n", "");
        });
        copy(&target, &from, to, &[]).await.expect(202);
    }
    target.advance(61);
    send(&target, target.ask("GET", "?comp=list")).await.expect(200);
    assert_eq!(target.sim.copies().pending(), 0);
    for to in ["/one/a", "/one/b"] {
        assert_eq!(target.head(to).header("x-ms-copy-status"), "success");
    }
}

#[tokio::test]
async fn an_azure_file_is_no_source_and_nothing_is_fetched() {
    let target = target();
    let file = "https://account.file.core.windows.net/share/file?sig=x";
    let intent = ("x-ms-file-request-intent", "backup");
    let asked = canned(|_, stream| say(stream, "200 OK", "", "text"));
    for (from, headers) in [(file, [BLOCK_BLOB].as_slice()), (&asked, &[BLOCK_BLOB, intent])] {
        let refused = copy(&target, from, "/one/a", headers).await.refused(501, "NotImplemented");
        assert!(refused.text().contains("Azure file"), "{}", refused.text());
    }
    copy(&target, file, "/one/a", &[]).await.refused(501, "NotImplemented");
    copy(&target, file, "/one/a", &[SYNC]).await.refused(501, "NotImplemented");
}

#[test]
fn requests_about_paths_are_not_modelled() {
    let kit = target();
    let refused = |ask: Ask<'_>| {
        let refused = ask.send();
        assert_eq!(refused.status, 501);
        refused
    };
    refused(kit.ask("HEAD", "/one/log?action=getAccessControl"));
    for ask in [
        kit.ask("PUT", "/one/new?resource=directory"),
        kit.ask("PUT", "/one/new").header("x-ms-rename-source", "/one/log"),
        kit.ask("PATCH", "/one/log?action=setAccessControl"),
        kit.ask("PATCH", "/one/log"),
    ] {
        let refused = refused(ask).refused(501, "NotImplemented");
        assert!(refused.text().contains("hierarchical namespace"), "{}", refused.text());
    }
    kit.ask("TRACE", "/one/log").send().refused(405, "UnsupportedHttpVerb");
    kit.head("/one/new").expect(404);
}

#[tokio::test(start_paused = true)]
async fn a_slow_source_is_awaited_while_tokios_time_stands_still() {
    let target = target();
    let slow = canned(|_, stream| {
        let (_kept, late) = mpsc::channel::<()>();
        let _ = late.recv_timeout(Duration::from_millis(50));
        say(stream, "200 OK", "", "text");
    });
    copy(&target, &slow, "/one/a", &[BLOCK_BLOB]).await.expect(201);
    assert_eq!(target.ask("GET", "/one/a").send().text(), "text");
}

#[cfg(feature = "https")]
#[tokio::test]
async fn a_token_opens_a_source_over_https() {
    let https = || Simulator::builder().accept_bearer(|token| token == "good").https();
    let source = Kit::around(https().start().await.unwrap());
    let target = Kit::around(https().start().await.unwrap());
    source.container("src");
    source.block_blob("/src/a", b"over TLS");
    target.container("one");
    let from = format!("{}/src/a", source.sim.endpoint(DEFAULT_ACCOUNT));
    assert!(from.starts_with("https://"));
    let with = async |token| {
        let token = ("x-ms-copy-source-authorization", token);
        copy(&target, &from, "/one/a", &[BLOCK_BLOB, token]).await
    };
    with("Bearer bad").await.refused(401, "CannotVerifyCopySource");
    with("Bearer good").await.expect(201);
    assert_eq!(target.ask("GET", "/one/a").send().text(), "over TLS");
}

#[tokio::test]
async fn a_token_for_a_source_never_goes_over_http() {
    let asked = Arc::new(AtomicU32::new(0));
    let seen = asked.clone();
    let open = canned(move |_, stream| {
        seen.fetch_add(1, Ordering::SeqCst);
        say(stream, "200 OK", "x-ms-request-id: 1\r\n", "text");
    });
    let target = target();
    let token = ("x-ms-copy-source-authorization", "Bearer secret");
    for headers in [&[BLOCK_BLOB, token][..], &[SYNC, token]] {
        let refused = copy(&target, &open, "/one/a", headers).await;
        assert!(!refused.text().contains("secret"), "{}", refused.text());
        refused.refused(403, "CannotVerifyCopySource");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing is sent at all");
    copy(&target, &open, "/one/a", &[BLOCK_BLOB]).await.expect(201);
}

#[tokio::test]
async fn no_more_than_64_sources_are_read_at_once() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let source = format!("http://{}/acct/src/a", listener.local_addr().unwrap());
    let target = target();
    let copies = (0..200).map(|at| {
        let (target, source) = (&target, &source);
        async move { copy(target, source, &format!("/one/{at}"), &[BLOCK_BLOB]).await.expect(201) }
    });
    // Answers nobody until no more arrive, and then all that are connected.
    let mut most = 0;
    let serve = async {
        loop {
            let mut open = Vec::new();
            let mut quiet = 0;
            while quiet < 100 {
                tokio::select! {
                    biased;
                    accepted = listener.accept() => {
                        open.push(accepted.unwrap().0);
                        quiet = 0;
                    }
                    () = tokio::task::yield_now() => quiet += u32::from(!open.is_empty()),
                }
            }
            most = most.max(open.len());
            for mut stream in open {
                let _ = stream.read(&mut [0; 4096]).await.unwrap();
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n";
                stream.write_all(format!("{head}text").as_bytes()).await.unwrap();
            }
        }
    };
    tokio::select! {
        () = serve => {}
        _ = futures_util::future::join_all(copies) => {}
    }
    assert_eq!(most, 64);
}

#[tokio::test]
async fn a_refusal_without_a_message_is_told_by_its_reason() {
    let target = target();
    let url = canned(|_, stream| say(stream, "405 Method Not Allowed", "", ""));
    for headers in [&[][..], &[BLOCK_BLOB], &[SYNC]] {
        let refused = copy(&target, &url, "/one/b", headers).await;
        let refused = refused.refused(405, "CannotVerifyCopySource");
        let text = refused.text();
        assert!(text.contains("<Message>Method Not Allowed\n"), "{text}");
        let inner = "<CopySourceErrorMessage>Method Not Allowed</CopySourceErrorMessage>";
        assert!(text.contains(inner), "{text}");
    }
}
