//! The same model through the transport and through a socket.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use time::macros::datetime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::kit::{Ask, Kit, plain, source_sas};
use crate::{
    Clock,
    simulator::{Op, Simulator},
    transport::{Request, Response, Transport, TransportError, TransportErrorKind},
};

async fn through(ask: Ask<'_>, sim: &Simulator) -> Result<Response, TransportError> {
    let (parts, body) = ask.request().into_parts();
    let url = parts.uri.to_string().parse().unwrap();
    sim.transport().send(Request { method: parts.method, url, headers: parts.headers, body }).await
}

async fn read(response: Response) -> Result<Vec<u8>, TransportError> {
    let pieces: Vec<Bytes> = response.body.try_collect().await?;
    Ok(pieces.concat())
}

#[tokio::test(start_paused = true)]
async fn the_transport_needs_no_socket_and_no_real_time() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"0123456789");
    let get = || kit.ask("GET", "/one/a");
    let response = through(get(), &kit.sim).await.unwrap();
    assert_eq!(response.status, 200);
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
    assert_eq!(cut.headers["content-length"], "10");
    assert_eq!(read(cut).await.unwrap_err().kind(), TransportErrorKind::Interrupted);
}

/// Sends a request over a connection of its own and returns all that comes back.
async fn over_socket(ask: Ask<'_>, address: &str) -> String {
    let request = ask.header("connection", "close").request();
    let mut text = format!(
        "{} {} HTTP/1.1\r\nhost: {address}\r\n",
        request.method(),
        request.uri().path_and_query().unwrap()
    );
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text.push_str("\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.write_all(request.body()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
#[allow(clippy::disallowed_methods)]
async fn the_listener_serves_until_its_simulator_is_dropped() {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let sim = Simulator::builder().clock(clock).start().await.unwrap();
    let kit = Kit::around(sim);
    let endpoint = kit.sim.endpoint("devstoreaccount1");
    let address = endpoint.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
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
        tokio::time::sleep(Duration::from_millis(1)).await;
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
    assert_eq!((refused.status.as_u16(), kit.head("/one/notes").status), (401, 404));
    assert_eq!(refused.headers["x-ms-error-code"], "CannotVerifyCopySource");
    assert_eq!(refused.headers["x-ms-copy-source-error-code"], "NoAuthenticationInformation");

    let sas = source_sas("/vhds/notes");
    assert_eq!(copy(&format!("/vhds/notes?{sas}"), "/one/notes").await.status, 202);
    assert_eq!(kit.ask("GET", "/one/notes").send().expect(200).body, b"some notes");
    let sas = source_sas("/vhds/disk");
    assert_eq!(copy(&format!("/vhds/disk?{sas}"), "/one/disk").await.status, 202);
    assert_eq!(kit.head("/one/disk").header("content-length"), (512_u64 << 34).to_string());
    let ranges = kit.ask("GET", "/one/disk?comp=pagelist").send().expect(200);
    let first = "<PageRange><Start>3584</Start><End>4607</End></PageRange>";
    assert!(ranges.text().contains(first), "{}", ranges.text());
    let range = format!("bytes={0}-{0}", 512_u64 << 33);
    let byte = kit.ask("GET", "/one/disk").header("x-ms-range", &range).send().expect(206);
    assert_eq!(byte.body, [8]);

    drop(other);
    let gone = copy("/vhds/notes", "/one/again").await;
    assert_eq!(gone.headers["x-ms-error-code"], "CannotVerifyCopySource");
}
