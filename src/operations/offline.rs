//! What the tests of requests and answers are made with; nothing of it is ever sent.

use http::{HeaderMap, StatusCode};

use crate::{
    auth::credential::Credential,
    clients::{BlobClient, BlobServiceClient},
    pipeline::{options::ClientOptions, response::Answer},
};

/// A blob `con/b` of the account `acct`, at the newest service version.
pub(crate) fn blob() -> BlobClient {
    blob_at("2026-04-06")
}

/// The same at another service version.
pub(crate) fn blob_at(version: &str) -> BlobClient {
    blob_of("https://acct.blob.core.windows.net", version)
}

/// The same blob behind another endpoint.
pub(crate) fn blob_of(endpoint: &str, version: &str) -> BlobClient {
    BlobServiceClient::builder(endpoint.parse().expect("a URL"))
        .credential(Credential::shared_key("acct", "c2VjcmV0").expect("a key"))
        .options(ClientOptions::new().service_version(version.parse().expect("a version")))
        .build()
        .expect("a client")
        .container_client("con")
        .blob_client("b")
}

/// An answer with headers as a raw exchange prints them, one to a line.
pub(crate) fn answer(status: u16, headers: &str, body: &'static str) -> Answer {
    let pair = |line: &str| {
        let (name, value) = line.trim().split_once(": ").expect("name: value");
        (name.parse().expect("a name"), value.parse().expect("a value"))
    };
    let headers: HeaderMap = headers.lines().map(pair).collect();
    let status = StatusCode::from_u16(status).expect("a status");
    let body = bytes::Bytes::from_static(body.as_bytes()).into();
    Answer { status, headers, body, operation: "an operation" }
}

/// The headers of a request, sorted, as text.
pub(crate) fn sent(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let mut sent: Vec<_> =
        headers.iter().map(|(n, v)| (n.as_str(), v.to_str().expect("text"))).collect();
    sent.sort_unstable();
    sent
}
