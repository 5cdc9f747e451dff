//! A blob client and canned responses for tests. Nothing is ever sent.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::{
    auth::credential::Credential,
    clients::{BlobClient, BlobServiceClient},
    pipeline::{options::ClientOptions, request::Target, response::Answer},
    wire::{
        headers::VERSION,
        transport::{
            Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind,
        },
    },
};

/// A blob `con/b` of the account `acct`, at the newest service version.
pub(crate) fn blob() -> BlobClient {
    blob_at(crate::ServiceVersion::LATEST.as_str())
}

/// The same at another service version.
pub(crate) fn blob_at(version: &str) -> BlobClient {
    blob_of("https://acct.blob.core.windows.net", version)
}

/// The same blob behind another endpoint.
pub(crate) fn blob_of(endpoint: &str, version: &str) -> BlobClient {
    let version = version.parse().expect("a version");
    blob_with(endpoint, ClientOptions::new().service_version(version))
}

fn blob_with(endpoint: &str, options: ClientOptions) -> BlobClient {
    BlobServiceClient::builder(endpoint.parse().expect("a URL"))
        .credential(Credential::shared_key("acct", "c2VjcmV0").expect("a key"))
        .options(options)
        .build()
        .expect("a client")
        .container_client("con")
        .blob_client("b")
}

/// Where the requests for that blob go.
pub(crate) fn target() -> Target {
    Target { url: Arc::new(blob().url().expect("legal")), version: crate::ServiceVersion::LATEST }
}

/// A transport that gives prepared responses in order; after the last one every request fails.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    left: Arc<Mutex<VecDeque<Pieces>>>,
    seen: Arc<Mutex<Vec<Request>>>,
}

/// A status, headers, and the pieces of a body.
type Pieces = (u16, HeaderMap, Vec<&'static str>);

impl Answers {
    /// Each response is a status, headers as a raw exchange prints them, and the pieces of a body.
    /// The piece `!` breaks the connection.
    pub(crate) fn new<'a>(
        answers: impl IntoIterator<Item = (u16, &'a str, &'a [&'static str])>,
    ) -> Self {
        let answer = |(status, lines, pieces): (u16, &str, &[&'static str])| {
            let mut headers = headers(lines);
            // Every response of the service has its version.
            headers.insert(VERSION, HeaderValue::from_static("2026-10-06"));
            (status, headers, pieces.to_vec())
        };
        let left = Arc::new(Mutex::new(answers.into_iter().map(answer).collect()));
        Self { left, seen: Arc::default() }
    }

    /// The blob of [`blob`], with these responses.
    pub(crate) fn blob(&self) -> BlobClient {
        let options = ClientOptions::new().transport(self.clone());
        blob_with("https://acct.blob.core.windows.net", options)
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no test panics while it holds it").clone()
    }
}

impl Transport for Answers {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.seen.lock().expect("no test panics while it holds it").push(request);
        let next = self.left.lock().expect("no test panics while it holds it").pop_front();
        Box::pin(async {
            let Some((status, headers, pieces)) = next else {
                let why = "no answer is left";
                return Err(TransportError::with_message(TransportErrorKind::Unusable, why));
            };
            let pieces = pieces.into_iter().map(|piece| match piece {
                "!" => Err(TransportError::interrupted("broken")),
                piece => Ok(Bytes::from_static(piece.as_bytes())),
            });
            let status = StatusCode::from_u16(status).expect("a status");
            Ok(Response { status, headers, body: Body::stream(stream::iter(pieces)) })
        })
    }
}

/// A response with headers as a raw exchange prints them, one per line.
pub(crate) fn answer(status: u16, headers: &str, body: &'static str) -> Answer {
    let status = StatusCode::from_u16(status).expect("a status");
    let body = Bytes::from_static(body.as_bytes()).into();
    let url = Arc::new("https://acct.blob.core.windows.net/con/b".parse().expect("a URL"));
    Answer {
        status,
        headers: self::headers(headers),
        body,
        operation: "an operation",
        url,
        changes: true,
    }
}

fn headers(lines: &str) -> HeaderMap {
    let pair = |line: &str| {
        let (name, value) = line.trim().split_once(": ").expect("name: value");
        (name.parse().expect("a name"), value.parse().expect("a value"))
    };
    lines.lines().map(pair).collect()
}

/// The headers of a request, sorted, as text.
pub(crate) fn sent(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let mut sent: Vec<_> =
        headers.iter().map(|(n, v)| (n.as_str(), v.to_str().expect("text"))).collect();
    sent.sort_unstable();
    sent
}
