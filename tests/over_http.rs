//! The default transport, against a server with scripted answers.

use blobcopy::{
    BlobClient, BlobServiceClient, ClientOptions, Credential, Error, ErrorCode, RetryOptions,
    transport::TransportErrorKind,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, header_exists, method, path, query_param},
};

fn service(address: &str) -> BlobServiceClient {
    let endpoint = format!("http://{address}/acct").parse().expect("a URL");
    BlobServiceClient::builder(endpoint)
        .credential(Credential::shared_key("acct", "c2VjcmV0").expect("a key"))
        .options(ClientOptions::new().application_id("app").retry(RetryOptions::none()))
        .build()
        .expect("a client")
}

fn blob(address: &str) -> BlobClient {
    service(address).container_client("vhds").blob_client("a folder/100%.vhd")
}

#[tokio::test]
async fn a_request_arrives_as_it_was_signed() {
    let server = MockServer::start().await;
    Mock::given(method("PUT"))
        .and(path("/acct/vhds/a%20folder/100%25.vhd"))
        .and(query_param("comp", "snapshot"))
        .and(query_param("timeout", "30"))
        .and(header("content-length", "0"))
        .and(header("x-ms-version", "2026-10-06"))
        .and(header("x-ms-client-request-id", "id-1"))
        .and(header("user-agent", concat!("app blobcopy/", env!("CARGO_PKG_VERSION"))))
        .and(header_exists("x-ms-date"))
        .respond_with(
            ResponseTemplate::new(201)
                .insert_header("x-ms-version", "2026-10-06")
                .insert_header("x-ms-snapshot", "2026-01-01T00:00:00.1234567Z"),
        )
        .expect(1)
        .mount(&server)
        .await;
    let taken = blob(&server.address().to_string())
        .create_snapshot()
        .server_timeout(std::time::Duration::from_secs(30))
        .client_request_id("id-1")
        .await
        .expect("taken");
    assert_eq!(taken.snapshot, "2026-01-01T00:00:00.1234567Z");

    let request = &server.received_requests().await.expect("recorded")[0];
    assert!(
        request.headers["authorization"].to_str().expect("text").starts_with("SharedKey acct:")
    );
    // A header that is signed as absent must be absent.
    for absent in ["content-type", "content-encoding", "date", "range", "if-match"] {
        assert!(!request.headers.contains_key(absent), "{absent}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = MockServer::start().await;
    let elsewhere = format!("http://{}/elsewhere", server.address());
    Mock::given(path("/elsewhere"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&server)
        .await;
    Mock::given(method("HEAD"))
        .respond_with(ResponseTemplate::new(307).insert_header("location", elsewhere.as_str()))
        .expect(1)
        .mount(&server)
        .await;
    let error = blob(&server.address().to_string()).get_properties().await.expect_err("no success");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(307));
}

#[tokio::test]
async fn an_error_body_with_a_byte_order_mark_is_read() {
    let server = MockServer::start().await;
    let body = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Error><Code>BlobNotFound\
                </Code>\
                <Message>The specified blob does not exist.\nRequestId:1\nTime:2026</Message></Error>";
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(404).set_body_string(body))
        .mount(&server)
        .await;
    let blob = blob(&server.address().to_string());
    let error = blob.download().await.expect_err("not there");
    assert_eq!(error.code(), Some(&ErrorCode::BlobNotFound));
    let url = blob.url().expect("legal");
    let told = format!("Get Blob {url}: 404 BlobNotFound: The specified blob does not exist.");
    assert_eq!((error.to_string(), error.url()), (told, Some(url.as_str())));
}

#[tokio::test]
async fn a_closed_port_is_a_connect_fault() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    drop(listener);
    let error = blob(&address).create_snapshot().await.expect_err("no one listens");
    let Error::Transport { fault, .. } = &error else { panic!("{error:?}") };
    assert_eq!(fault.kind(), TransportErrorKind::Connect);
    assert!(error.is_retryable() && !error.may_have_been_applied());
}

/// A server that reads one request, sends these bytes and disconnects.
async fn server(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if socket.read(&mut request).await.is_ok() {
                let _ = socket.write_all(bytes).await;
            }
        }
    });
    address
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_leaves_it_open() {
    for bytes in [&b""[..], b"HTTP/1.1 201 Crea"] {
        let error = blob(&server(bytes).await).create_snapshot().await.expect_err("no answer");
        let Error::Transport { fault, .. } = &error else { panic!("{error:?}") };
        assert_eq!(fault.kind(), TransportErrorKind::Interrupted, "{fault}");
        assert!(error.may_have_been_applied());
    }
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_no_success() {
    let cut = b"HTTP/1.1 200 OK\r\nx-ms-version: 2026-10-06\r\nContent-Length: 100\r\n\
                x-ms-blob-content-length: 512\r\n\r\n<PageList>";
    let disk = blob(&server(cut).await).page_blob_client();
    let error = disk.get_page_ranges().collect_all().await.expect_err("half a list");
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    let download = disk.download().await.expect("the head is whole");
    let error = download.bytes().await.expect_err("half a blob");
    assert!(error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_told() {
    let error =
        blob(&server(b"220 smtp ready\r\n").await).get_properties().await.expect_err("smtp");
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
}

#[tokio::test]
async fn a_sas_is_in_the_url_and_in_no_error() {
    let server = MockServer::start().await;
    Mock::given(method("HEAD"))
        .and(query_param("sig", "SECRET+/="))
        .respond_with(
            ResponseTemplate::new(403).insert_header("x-ms-error-code", "AuthenticationFailed"),
        )
        .expect(1)
        .mount(&server)
        .await;
    let url = format!("http://{}/acct/vhds/disk0.vhd?sp=r&sig=SECRET%2B%2F%3D", server.address());
    let blob =
        BlobClient::new(url.parse().expect("a URL"), Credential::anonymous()).expect("a client");
    let error = blob.get_properties().await.expect_err("refused");
    assert!(!format!("{error} {error:?} {blob:?}").contains("SECRET"));
    let request = &server.received_requests().await.expect("recorded")[0];
    assert!(!request.headers.contains_key("authorization"));

    let closed = "http://127.0.0.1:1/acct/vhds/disk0.vhd?sp=r&sig=SECRET".parse().expect("a URL");
    let options = ClientOptions::new().retry(RetryOptions::none());
    let blob = BlobClient::builder(closed).options(options).build().expect("a client");
    let error = blob.get_properties().await.expect_err("no one listens");
    assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
}
