//! Failed connections, and what the error says about the request.

use std::time::Duration;

use blobcopy::{
    BlobClient, BlobServiceClient, ClientOptions, Credential, Error, RetryOptions,
    transport::{TransportError, TransportErrorKind},
};
use blobcopy_simulator::Simulator;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::script::timed;

fn blob(endpoint: &str, options: ClientOptions) -> BlobClient {
    let service = BlobServiceClient::builder(endpoint.parse().expect("a URL"))
        .credential(Credential::shared_key("acct", "c2VjcmV0").expect("a key"))
        .options(options)
        .build()
        .expect("a client");
    service.container_client("vhds").blob_client("disk0.vhd")
}

/// The error of a call that changes something, and the number of attempts.
async fn fault(blob: &BlobClient) -> (TransportError, u32) {
    let error = blob.create_snapshot().await.expect_err("there is no connection");
    assert!(!error.may_have_been_applied(), "{error:?}");
    match error {
        Error::Transport { fault, attempts, .. } => (fault, attempts),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_final_and_told() {
    let sim =
        Simulator::builder().account("acct", "c2VjcmV0").https().start().await.expect("a port");
    let blob = blob(sim.endpoint("acct").as_str(), ClientOptions::new());
    let (fault, attempts) = fault(&blob).await;
    assert_eq!((fault.kind(), attempts), (TransportErrorKind::Unusable, 1), "{fault}");
    assert!(fault.to_string().contains("certificate"), "{fault}");
}

/// A server that answers each connection's first bytes with these.
async fn server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut hello = [0; 4096];
            if socket.read(&mut hello).await.is_ok() {
                let _ = socket.write_all(answer).await;
            }
        }
    });
    address
}

#[tokio::test]
async fn a_host_that_speaks_no_tls_is_final() {
    let address = server(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    let blob = blob(&format!("https://{address}/acct"), ClientOptions::new());
    let (fault, attempts) = fault(&blob).await;
    assert_eq!((fault.kind(), attempts), (TransportErrorKind::Unusable, 1), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_breaks_off_or_is_declined_is_tried_again() {
    // A fatal TLS alert: internal error.
    for answer in [&b""[..], b"\x15\x03\x03\x00\x02\x02\x50"] {
        let options = ClientOptions::new().retry(RetryOptions::new().max_retries(1));
        let blob = blob(&format!("https://{}/acct", server(answer).await), options);
        let (fault, attempts) = fault(&blob).await;
        assert_eq!((fault.kind(), attempts), (TransportErrorKind::Connect, 2), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_answers_ends_the_time_to_connect_and_not_the_attempt() {
    // The connection is accepted, and the handshake then never proceeds.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("https://{}/acct", listener.local_addr().expect("bound"));
    let seconds = Duration::from_secs;
    let none = || ClientOptions::new().retry(RetryOptions::none());
    for (options, limit) in [
        (none(), seconds(10)),
        (none().connect_timeout(seconds(2)), seconds(2)),
        (none().attempt_timeout(seconds(5)), seconds(5)),
    ] {
        let blob = blob(&endpoint, options);
        let ((fault, _), took) = timed(fault(&blob)).await;
        assert_eq!(fault.kind(), TransportErrorKind::Connect, "{fault}");
        assert!(took <= limit && took >= limit * 8 / 10, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_found_is_tried_again_and_was_not_applied() {
    // No resolver is needed: a label of a host name has at most 63 characters.
    let endpoint = format!("https://{}.example/", "a".repeat(64));
    let options = ClientOptions::new().retry(RetryOptions::new().max_retries(1));
    let (fault, attempts) = fault(&blob(&endpoint, options)).await;
    assert_eq!((fault.kind(), attempts), (TransportErrorKind::Connect, 2), "{fault}");
}
