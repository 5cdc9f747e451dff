//! The same model through the transport and through a socket.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::TryStreamExt;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use time::macros::datetime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::kit::{Ask, Kit, plain, sas, source_sas};
use crate::{DEFAULT_ACCOUNT, Op, Simulator};
use blobcopy::{
    Clock,
    transport::{Request, Response, Transport, TransportError, TransportErrorKind},
};

async fn through(ask: Ask<'_>, sim: &Simulator) -> Result<Response, TransportError> {
    let (parts, body) = ask.request().into_parts();
    let url = parts.uri.to_string().parse().unwrap();
    sim.transport().send(Request::new(parts.method, url, parts.headers, body)).await
}

async fn read(response: Response) -> Result<Vec<u8>, TransportError> {
    let pieces: Vec<Bytes> = response.into_parts().2.try_collect().await?;
    Ok(pieces.concat())
}

#[tokio::test(start_paused = true)]
async fn the_transport_needs_no_socket_and_no_real_time() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"0123456789");
    let get = || kit.ask("GET", "/one/a");
    let response = through(get(), &kit.sim).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(read(response).await.unwrap(), b"0123456789");

    let before = kit.sim.clock().now();
    kit.sim.faults().on(Op::GetBlob).stall(Duration::from_secs(3600)).times(1);
    through(get(), &kit.sim).await.unwrap();
    assert!(kit.sim.clock().now() - before >= Duration::from_secs(3600));

    kit.sim.faults().on(Op::GetBlob).lose_answer().times(1);
    let lost = through(get(), &kit.sim).await.unwrap_err();
    assert_eq!(lost.kind(), TransportErrorKind::Interrupted);
    kit.sim.faults().on(Op::GetBlob).truncate_body(4).times(1);
    let cut = through(get(), &kit.sim).await.unwrap();
    assert_eq!(cut.headers()["content-length"], "10");
    assert_eq!(read(cut).await.unwrap_err().kind(), TransportErrorKind::Interrupted);
}

/// The head of a request as sent over a connection.
fn head(request: &http::Request<Bytes>, address: &str) -> String {
    let target = request.uri().path_and_query().unwrap();
    let mut text = format!("{} {target} HTTP/1.1\r\nhost: {address}\r\n", request.method());
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text + "\r\n"
}

/// Sends a request over a new connection and returns everything received.
async fn over_socket(ask: Ask<'_>, address: &str) -> String {
    let request = ask.header("connection", "close").request();
    let text = head(&request, address);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.write_all(request.body()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn the_listener_serves_until_its_simulator_is_dropped() {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let sim = Simulator::builder().clock(clock).start().await.unwrap();
    let kit = Kit::around(sim);
    let endpoint = kit.sim.endpoint("devstoreaccount1");
    let address = endpoint.authority().to_owned();
    assert!(kit.sim.connection_string().contains(&format!("BlobEndpoint={endpoint};")));

    let created = over_socket(kit.ask("PUT", "/one?restype=container"), &address).await;
    assert!(created.starts_with("HTTP/1.1 201 Created\r\n"), "{created}");
    let put = kit.ask("PUT", "/one/a").header("x-ms-blob-type", "BlockBlob").body(b"0123456789");
    assert!(over_socket(put, &address).await.starts_with("HTTP/1.1 201 "));
    let got = over_socket(kit.ask("GET", "/one/a"), &address).await;
    assert!(got.starts_with("HTTP/1.1 200 ") && got.ends_with("\r\n\r\n0123456789"), "{got}");
    let head = over_socket(kit.ask("HEAD", "/one/a"), &address).await;
    assert!(head.contains("content-length: 10\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let missing = over_socket(kit.ask("HEAD", "/one/b"), &address).await;
    assert!(missing.starts_with("HTTP/1.1 404 ") && missing.ends_with("\r\n\r\n"), "{missing}");

    kit.sim.faults().on(Op::DeleteBlob).lose_answer().times(1);
    assert_eq!(over_socket(kit.ask("DELETE", "/one/a"), &address).await, "");
    kit.head("/one/a").expect(404);
    let put = kit.ask("PUT", "/one/a").header("x-ms-blob-type", "BlockBlob").body(b"0123456789");
    over_socket(put, &address).await;
    kit.sim.faults().on(Op::GetBlob).truncate_body(4).times(1);
    let cut = over_socket(kit.ask("GET", "/one/a"), &address).await;
    assert!(cut.contains("content-length: 10\r\n") && cut.ends_with("\r\n\r\n0123"), "{cut}");

    drop(kit);
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_copy_reads_its_source_from_another_simulator() {
    let clock = || Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let other = Kit::around(Simulator::builder().clock(clock()).start().await.unwrap());
    other.container("vhds");
    other.page_blob("/vhds/disk", 1 << 34);
    other.write_pages("/vhds/disk", 7, 2, 9).expect(201);
    other.write_pages("/vhds/disk", 1 << 33, 1, 8).expect(201);
    other.block_blob("/vhds/notes", b"some notes");
    let endpoint = other.sim.endpoint("devstoreaccount1");

    let kit = Kit::around(Simulator::builder().clock(clock()).start().await.unwrap());
    kit.container("one");
    let copy = async |source: &str, to: &str| {
        let ask = kit.ask("PUT", to).header("x-ms-copy-source", &format!("{endpoint}{source}"));
        through(ask, &kit.sim).await.unwrap()
    };
    let refused = copy("/vhds/notes", "/one/notes").await;
    assert_eq!((refused.status().as_u16(), kit.head("/one/notes").status), (401, 404));
    assert_eq!(refused.headers()["x-ms-error-code"], "CannotVerifyCopySource");
    assert_eq!(refused.headers()["x-ms-copy-source-error-code"], "NoAuthenticationInformation");

    let sas = source_sas("/vhds/notes");
    assert_eq!(copy(&format!("/vhds/notes?{sas}"), "/one/notes").await.status(), 202);
    assert_eq!(kit.ask("GET", "/one/notes").send().expect(200).body, b"some notes");
    let sas = source_sas("/vhds/disk");
    assert_eq!(copy(&format!("/vhds/disk?{sas}"), "/one/disk").await.status(), 202);
    assert_eq!(kit.head("/one/disk").header("content-length"), (512_u64 << 34).to_string());
    let ranges = kit.ask("GET", "/one/disk?comp=pagelist").send().expect(200);
    let first = "<PageRange><Start>3584</Start><End>4607</End></PageRange>";
    assert!(ranges.text().contains(first), "{}", ranges.text());
    let range = format!("bytes={0}-{0}", 512_u64 << 33);
    let byte = kit.ask("GET", "/one/disk").header("x-ms-range", &range).send().expect(206);
    assert_eq!(byte.body, [8]);

    // A customer-provided key for the source is sent too.
    let put = other.ask("PUT", "/vhds/secret").header("x-ms-blob-type", "BlockBlob").key(1);
    put.body(b"secret").send().expect(201);
    let source = format!("{endpoint}/vhds/secret?{}", source_sas("/vhds/secret"));
    for (key, status) in [(2, 409), (1, 201)] {
        let ask = kit.ask("PUT", "/one/secret").header("x-ms-blob-type", "BlockBlob");
        let ask = ask.header("x-ms-copy-source", &source).source_key(key);
        assert_eq!(through(ask, &kit.sim).await.unwrap().status(), status);
    }
    assert_eq!(kit.ask("GET", "/one/secret").send().expect(200).body, b"secret");

    drop(other);
    let gone = copy("/vhds/notes", "/one/again").await;
    assert_eq!(gone.headers()["x-ms-error-code"], "CannotVerifyCopySource");
}

/// A simulator that listens, with the container `one`, and its address.
async fn listening() -> (Kit, String) {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let kit = Kit::around(Simulator::builder().clock(clock).start().await.unwrap());
    kit.container("one");
    let endpoint = kit.sim.endpoint("devstoreaccount1");
    let address = endpoint.authority().to_owned();
    (kit, address)
}

/// Reads until `end` arrives.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&read).ends_with(end) {
        let length = stream.read(&mut buffer).await.unwrap();
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn one_connection_takes_requests_in_every_form_one_after_the_other() {
    let (kit, address) = listening().await;
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let sas = sas("/one", "c", "rcw", "2026-12-31T00:00:00Z");
    let head = |target: &str, headers: &str| {
        format!(
            "PUT {target}?{sas} HTTP/1.1\r\nhost: devstoreaccount1.localhost\r\n\
             x-ms-version: 2026-04-06\r\nx-ms-blob-type: BlockBlob\r\n{headers}\r\n"
        )
    };

    // The account is in the host, and the body waits for `100 Continue`.
    let waits = head("/one/a", "content-length: 4\r\nexpect: 100-continue\r\n");
    stream.write_all(waits.as_bytes()).await.unwrap();
    read_until(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
    stream.write_all(b"abcd").await.unwrap();
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 201 "));

    let chunked =
        head("/one/b", "transfer-encoding: chunked\r\n") + "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
    stream.write_all(chunked.as_bytes()).await.unwrap();
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 201 "));
    assert_eq!(kit.ask("GET", "/one/b").send().expect(200).body, b"abcde");

    stream.write_all(head("/one/c", "").as_bytes()).await.unwrap();
    let refused = read_until(&mut stream, "</Error>").await;
    assert!(refused.contains("x-ms-error-code: MissingContentLengthHeader\r\n"), "{refused}");

    // Two requests in one write.
    let twice = head("/one/d", "content-length: 0\r\n").repeat(2);
    stream.write_all(twice.as_bytes()).await.unwrap();
    let mut answers = String::new();
    while answers.matches("HTTP/1.1 201 ").count() < 2 {
        answers += &read_until(&mut stream, "\r\n\r\n").await;
    }

    let large = head("/one/e", "content-length: 5242880001\r\n");
    stream.write_all(large.as_bytes()).await.unwrap();
    let refused = read_until(&mut stream, "</Error>").await;
    assert!(refused.starts_with("HTTP/1.1 413 "), "{refused}");
    assert!(refused.contains("<Code>RequestBodyTooLarge</Code>"), "{refused}");
}

#[tokio::test]
async fn a_body_is_read_as_far_as_its_operation_takes_one() {
    let (kit, address) = listening().await;
    for (target, length) in [
        ("/b?comp=blocklist", 12 << 20),
        ("/b?comp=tags", 12 << 20),
        ("?restype=container&comp=acl", 12 << 20),
        ("?restype=container", 12 << 20),
        ("/b?comp=page", 128 << 20),
        ("/b?comp=appendblock", 128 << 20),
        ("/b?comp=block", 4000_u64 << 20),
        ("/b", 5000 << 20),
    ] {
        let ask = |length: u64| {
            let ask = kit.ask("PUT", &format!("/one{target}"));
            ask.header("content-length", &length.to_string()).header("expect", "100-continue")
        };
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(head(&ask(length + 1).request(), &address).as_bytes()).await.unwrap();
        let refused = read_until(&mut stream, "</Error>").await;
        assert!(refused.starts_with("HTTP/1.1 413 "), "{target}: {refused}");

        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(head(&ask(length).request(), &address).as_bytes()).await.unwrap();
        read_until(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
    }

    // A body without a known length is not read to its end either.
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let ask = kit.ask("PUT", "/one/b?comp=blocklist").header("content-length", "");
    let chunked = head(&ask.request(), &address)
        .replace("content-length: \r\n", "transfer-encoding: chunked\r\n");
    stream.write_all((chunked + "c00001\r\n").as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; (12 << 20) + 1]).await.unwrap();
    let refused = read_until(&mut stream, "</Error>").await;
    assert!(refused.contains("<Code>RequestBodyTooLarge</Code>"), "{refused}");
}

#[tokio::test]
async fn a_body_is_not_read_before_its_request_is_authorized() {
    let (kit, address) = listening().await;
    let put = |body: usize, more: &str| {
        let ask = kit.ask("PUT", "/one/a").header("x-ms-blob-type", "BlockBlob").unsigned();
        let ask = ask.header("content-length", &body.to_string());
        head(&ask.request(), &address).replace("\r\n\r\n", &format!("\r\n{more}\r\n"))
    };
    // Not even requested.
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let waits = put(1 << 30, "expect: 100-continue\r\n");
    stream.write_all(waits.as_bytes()).await.unwrap();
    let refused = read_until(&mut stream, "</Error>").await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");

    // A body sent anyway is discarded, and the connection works for the next request.
    let mut stream = TcpStream::connect(&address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(put(1 << 20, "").as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; 1 << 20]).await.unwrap();
        let refused = read_until(&mut stream, "</Error>").await;
        assert!(refused.contains("x-ms-error-code: NoAuthenticationInformation"), "{refused}");
    }
    assert_eq!(kit.sim.count(Op::PutBlob), 3);

    // Each request of a connection is checked.
    let elsewhere = put(0, "").replace(&address, "evil.example");
    stream.write_all(elsewhere.as_bytes()).await.unwrap();
    let refused = read_until(&mut stream, "</Error>").await;
    assert!(refused.contains("--allow-host evil.example"), "{refused}");

    // A fault strikes it like any other.
    kit.sim.faults().on(Op::PutBlob).answer(503, "ServerBusy").times(1);
    stream.write_all(put(4, "").as_bytes()).await.unwrap();
    stream.write_all(b"body").await.unwrap();
    let refused = read_until(&mut stream, "</Error>").await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    kit.head("/one/a").expect(404);
}

#[tokio::test]
async fn a_half_sent_request_stands_in_nobodys_way_and_changes_nothing() {
    let (kit, address) = listening().await;
    let mut halves = Vec::new();
    let sas = sas("/one", "c", "rcw", "2026-12-31T00:00:00Z");
    let whole = format!(
        "PUT /devstoreaccount1/one/half?{sas} HTTP/1.1\r\nhost: localhost\r\nx-ms-version: \
         2026-04-06\r\n\
         x-ms-blob-type: BlockBlob\r\ncontent-length: 4\r\n\r\nabc"
    );
    for cut in [1, 20, whole.len() - 5, whole.len()] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(&whole.as_bytes()[..cut]).await.unwrap();
        halves.push(stream);
    }
    let head = over_socket(kit.ask("HEAD", "/one/half"), &address).await;
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    drop(halves);
    let head = over_socket(kit.ask("HEAD", "/one/half"), &address).await;
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
}

#[tokio::test]
async fn a_host_that_is_not_its_own_is_refused_with_the_way_to_allow_it() {
    let get = async |sim: &Simulator, host: &str| {
        let endpoint = sim.endpoint(DEFAULT_ACCOUNT);
        let mut stream = TcpStream::connect(endpoint.authority()).await.unwrap();
        let target = "/devstoreaccount1/one?restype=container";
        let head = format!(
            "GET {target} HTTP/1.1\r\nhost: {host}\r\nx-ms-version: 2026-04-06\r\n\
             connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let sim = Simulator::builder().start().await.unwrap();
    for host in ["localhost", "devstoreaccount1.blob.core.windows.net"] {
        let answer = get(&sim, host).await;
        assert!(!answer.contains("--allow-host"), "{answer}");
    }
    for host in ["evil.example", "simulator:10000", "192.168.0.1"] {
        let refused = get(&sim, host).await;
        assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
        assert!(refused.contains("<Code>InvalidHeaderValue</Code>"), "{refused}");
        assert!(refused.contains("<HeaderName>host</HeaderName>"), "{refused}");
        let flag = format!("--allow-host {}", host.split(':').next().unwrap());
        assert!(refused.contains(&flag), "{refused}");
    }
    assert_eq!(sim.requests().len(), 2, "a request for another host is none of its own");

    let builder = Simulator::builder().listen(Ipv4Addr::UNSPECIFIED).allow_host("simulator");
    let sim = builder.start().await.unwrap();
    for (host, status) in [("simulator:10000", 401), ("192.168.0.1", 401), ("evil.example", 400)] {
        let answer = get(&sim, host).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
    }
}

#[tokio::test]
async fn what_is_no_request_ends_its_connection_and_no_other() {
    let (kit, address) = listening().await;
    let headers: String = (0..101).map(|at| format!("x-ms-meta-n{at}: v\r\n")).collect();
    for (request, status) in [
        ("no request\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nbad header\r\n\r\n".to_owned(), 400),
        (format!("GET / HTTP/1.1\r\n{headers}\r\n"), 431),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 16)), 414),
    ] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        // Closed, or reset if more was sent than was read.
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let head = over_socket(kit.ask("HEAD", "/one/missing"), &address).await;
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
}

#[cfg(feature = "https")]
#[tokio::test]
async fn https_and_http_share_a_port() {
    let sim = Simulator::builder().accept_bearer(|_| true).https().start().await.unwrap();
    let kit = Kit::around(sim);
    let endpoint = kit.sim.endpoint("devstoreaccount1");
    assert!(endpoint.as_str().starts_with("https://127.0.0.1:"));
    let address = endpoint.authority();
    let created = over_socket(kit.ask("PUT", "/one?restype=container"), address).await;
    assert!(created.starts_with("HTTP/1.1 201 "), "{created}");

    let certificate = kit.sim.certificate_pem().unwrap().as_bytes();
    let trusting = believing(CertificateDer::from_pem_slice(certificate).ok());
    let ask = |base: &str| {
        let request = trusting.head(format!("{base}/one?restype=container"));
        request.bearer_auth("token").header("x-ms-version", "2026-04-06").send()
    };
    assert_eq!(ask(endpoint.as_str()).await.unwrap().status(), 200);
    let in_the_clear = ask(&endpoint.as_str().replace("https", "http")).await.unwrap();
    assert_eq!(in_the_clear.status(), 403);
    assert!(believing(None).head(endpoint.as_str()).send().await.is_err());
}

/// A client that trusts only this certificate.
#[cfg(feature = "https")]
fn believing(certificate: Option<CertificateDer<'static>>) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificate);
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}
