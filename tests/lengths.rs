//! Answers without a length, over real sockets: all bytes, or an error.

use blobcopy::{BlobClient, ClientOptions, Credential, Error, RetryOptions};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nETag: \"0x1\"\r\nx-ms-version: 2026-10-06\r\n\
                       Transfer-Encoding: chunked\r\n\r\n\
                       5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";
const CUT_CHUNKS: &str = "HTTP/1.1 200 OK\r\nETag: \"0x1\"\r\nx-ms-version: 2026-10-06\r\n\
                          Transfer-Encoding: chunked\r\n\r\n\
                          5\r\n01234\r\n0\r\n\r\n";
const CLOSED: &str = "HTTP/1.1 200 OK\r\nETag: \"0x1\"\r\nx-ms-version: 2026-10-06\r\nConnection: close\r\n\r\n0123456789";
const OLD: &str = "HTTP/1.0 200 OK\r\nETag: \"0x1\"\r\nx-ms-version: 2026-10-06\r\n\r\n0123456789";
const CUT: &str = "HTTP/1.1 200 OK\r\nETag: \"0x1\"\r\nx-ms-version: 2026-10-06\r\nConnection: close\r\n\r\n01234";
const TEN: &str =
    "HTTP/1.1 200 OK\r\nETag: \"0x1\"\r\nx-ms-version: 2026-10-06\r\nContent-Length: 10\r\n\r\n";
const NO_LENGTH: &str = "HTTP/1.1 200 OK\r\nETag: \"0x1\"\r\nx-ms-version: 2026-10-06\r\n\r\n";
const REST: &str = "HTTP/1.1 206 Partial Content\r\nETag: \"0x1\"\r\nx-ms-version: 2026-10-06\r\n\
                    Connection: close\r\n\
                    Content-Range: bytes 5-9/10\r\n\r\n56789";
const REFUSED: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

/// A blob whose server gives these answers to a GET, a HEAD and a GET of the rest, and then
/// disconnects.
async fn blob(get: &'static str, head: &'static str, rest: &'static str) -> BlobClient {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let Ok(length) = socket.read(&mut request).await else { continue };
            let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
            let answer = match () {
                () if request.starts_with("head ") => head,
                () if request.contains("x-ms-range: ") => rest,
                () => get,
            };
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    let url = format!("http://{address}/acct/vhds/notes.txt").parse().expect("a URL");
    let options = ClientOptions::new().retry(RetryOptions::new().max_retries(1));
    BlobClient::builder(url).options(options).build().expect("a client")
}

async fn read(blob: &BlobClient) -> Result<Bytes, Error> {
    let download = blob.download().await?;
    let length = download.properties.content_length;
    let bytes = download.bytes().await?;
    assert_eq!(bytes.len() as u64, length);
    Ok(bytes)
}

#[tokio::test]
async fn a_download_without_a_length_is_whole() {
    for get in [CHUNKED, CLOSED, OLD] {
        let read = read(&blob(get, TEN, REFUSED).await).await;
        assert_eq!(read.expect("whole"), "0123456789", "{get}");
    }
}

#[tokio::test]
async fn a_download_without_a_length_that_was_cut_short_is_taken_up_again() {
    for get in [CUT_CHUNKS, CUT] {
        let read = read(&blob(get, TEN, REST).await).await;
        assert_eq!(read.expect("whole"), "0123456789", "{get}");
    }
}

#[tokio::test]
async fn a_download_whose_length_nobody_tells_is_an_error() {
    for get in [CHUNKED, CLOSED, OLD, CUT] {
        let error = read(&blob(get, NO_LENGTH, REFUSED).await).await.expect_err("of no length");
        assert!(matches!(error, Error::UnexpectedResponse { .. }), "{get}: {error:?}");
    }
}

#[tokio::test]
async fn properties_without_a_length_are_an_error() {
    let error = blob(CLOSED, NO_LENGTH, REFUSED).await.get_properties().await;
    let error = error.expect_err("of no length");
    assert!(matches!(error, Error::UnexpectedResponse { .. }), "{error:?}");
    let properties = blob(CLOSED, TEN, REFUSED).await.get_properties().await;
    assert_eq!(properties.expect("of ten bytes").content_length, 10);
}

#[tokio::test]
async fn a_range_that_is_not_honoured_is_an_error() {
    let whole = "HTTP/1.1 200 OK\r\nETag: \"0x1\"\r\nx-ms-version: 2026-10-06\r\nContent-Length: 10\r\n\r\n0123456789";
    for answer in [whole, CHUNKED, REST] {
        let error = blob(REFUSED, TEN, answer).await.download().range(2..4).await;
        let error = error.expect_err("other bytes");
        assert!(matches!(error, Error::UnexpectedResponse { .. }), "{answer}: {error:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_by_the_front_of_its_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let head = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n\
                        <Error><Code>BlobNotFound</Code><Message>Not here.</Message><D>.\r\n";
            let _ = socket.write_all(head.as_bytes()).await;
            // This body never ends.
            let more = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            while socket.write_all(more.as_bytes()).await.is_ok() {}
        }
    });
    let url = format!("http://{address}/acct/vhds/notes.txt").parse().expect("a URL");
    let blob = BlobClient::new(url, Credential::anonymous()).expect("a client");
    let error = blob.download().await.expect_err("refused");
    assert_eq!(error.code(), Some(&blobcopy::ErrorCode::BlobNotFound), "{error:?}");
    assert!(error.to_string().contains("Not here."), "{error}");
}

#[tokio::test]
async fn a_compressed_blob_is_given_as_it_is_stored() {
    // "hello", compressed with gzip.
    const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\
                          \xa6\x10\x36\x05\x00\x00\x00";
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};
    let server = MockServer::start().await;
    let stored = ResponseTemplate::new(200)
        .insert_header("Content-Encoding", "gzip")
        .insert_header("ETag", "\"0x1\"")
        .insert_header("x-ms-version", "2026-10-06")
        .set_body_bytes(GZIP);
    Mock::given(any()).respond_with(stored).mount(&server).await;
    let url = format!("{}/acct/vhds/notes.txt", server.uri()).parse().expect("a URL");
    let blob = BlobClient::new(url, Credential::anonymous()).expect("a client");
    let download = blob.download().await.expect("the head");
    assert_eq!(download.properties.content_encoding.as_deref(), Some("gzip"));
    assert_eq!(download.properties.content_length, GZIP.len() as u64);
    assert_eq!(download.bytes().await.expect("read"), GZIP);
    let request = &server.received_requests().await.expect("recorded")[0];
    assert!(!request.headers.contains_key("accept-encoding"));
}
