//! A transport with scripted answers, so that a test controls exactly what the service returns.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use blobcopy::{
    BlobServiceClient, ClientOptions, Clock, Credential,
    transport::{BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use time::macros::datetime;

/// One answer, or the event that replaces it.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    Fault(TransportErrorKind),
    /// No answer, ever.
    Silence,
}

/// `HEAD`-style answer: a status line and headers as in a raw exchange, one per line.
pub(crate) fn answer(status: u16, headers: &str) -> Step {
    let pair = |line: &str| {
        let (name, value) = line.trim().split_once(':').expect("name: value");
        (name.to_owned(), value.trim().to_owned())
    };
    let headers = headers.lines().filter(|line| !line.trim().is_empty()).map(pair).collect();
    Step::Answer { status, headers, body: String::new() }
}

/// Success with a body.
pub(crate) fn answer_with(body: &str) -> Step {
    Step::Answer { status: 200, headers: Vec::new(), body: body.to_owned() }
}

/// An error with its code, as a header.
pub(crate) fn refusal(status: u16, code: &str) -> Step {
    answer(status, &format!("x-ms-error-code: {code}\nx-ms-request-id: r-{status}"))
}

/// The answer of Get Blob Properties for a destination.
pub(crate) fn properties(id: &str, status: &str, more: &str) -> Step {
    answer(
        200,
        &format!(
            "Content-Length: 0
             ETag: \"0x1\"
             x-ms-blob-type: PageBlob
             x-ms-copy-id: {id}
             x-ms-copy-status: {status}
             {more}"
        ),
    )
}

/// The 202 of a start.
pub(crate) fn started(id: &str, status: &str) -> Step {
    answer(202, &format!("ETag: \"0x1\"\nx-ms-copy-id: {id}\nx-ms-copy-status: {status}"))
}

/// Answers in order; the last step is repeated.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    seen: Arc<Mutex<Vec<Request>>>,
    /// The delay of each answer.
    latency: Duration,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = Arc::new(Mutex::new(steps.into_iter().collect()));
        Self { steps, seen: Arc::default(), latency: Duration::ZERO }
    }

    /// The same, with this delay for every answer.
    pub(crate) fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// A client that uses the script, on tokio's clock.
    pub(crate) fn service(&self) -> BlobServiceClient {
        self.service_with(|options| options)
    }

    pub(crate) fn service_with(
        &self,
        options: impl FnOnce(ClientOptions) -> ClientOptions,
    ) -> BlobServiceClient {
        let ours = self.options();
        let endpoint = "https://acct.blob.core.windows.net".parse().expect("a URL");
        BlobServiceClient::builder(endpoint)
            .credential(Credential::shared_key("acct", "c2VjcmV0").expect("a key"))
            .options(options(ours))
            .build()
            .expect("a client")
    }

    /// Options of a client that uses the script, on tokio's clock.
    pub(crate) fn options(&self) -> ClientOptions {
        let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
        ClientOptions::new().transport(self.clone()).clock(clock)
    }

    /// Every request that was sent.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no test panics while it holds it").clone()
    }

    /// The method of every request, as a summary.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.seen().iter().map(|request| request.method().to_string()).collect()
    }

    fn next(&self, request: Request) -> Step {
        self.seen.lock().expect("no test panics while it holds it").push(request);
        let mut steps = self.steps.lock().expect("no test panics while it holds it");
        match steps.len() {
            0 => panic!("a request that the script does not expect"),
            1 => steps[0].clone(),
            _ => steps.pop_front().expect("there are two"),
        }
    }
}

impl Transport for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let step = self.next(request);
        Box::pin(async move {
            if !self.latency.is_zero() {
                pass(self.latency).await;
            }
            match step {
                Step::Fault(kind) => Err(TransportError::with_message(kind, "scripted fault")),
                Step::Silence => std::future::pending().await,
                Step::Answer { status, headers, body } => Ok(Response::new(
                    StatusCode::from_u16(status).expect("a status"),
                    service_headers(&headers),
                    Bytes::from(body),
                )),
            }
        })
    }
}

/// The headers of an answer. Those of the service include its version; those of an intermediary
/// name its server.
fn service_headers(headers: &[(String, String)]) -> HeaderMap {
    let mut all: HeaderMap = headers.iter().map(|(name, value)| header(name, value)).collect();
    if !all.contains_key("server") {
        all.insert("x-ms-version", HeaderValue::from_static("2026-10-06"));
    }
    all
}

fn header(name: &str, value: &str) -> (HeaderName, HeaderValue) {
    (name.parse().expect("a name"), value.parse().expect("a value"))
}

/// The value of a header of a request.
pub(crate) fn sent<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().expect("text"))
}

/// How long a future takes on paused time.
pub(crate) async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let begun = clock.now();
    let output = future.await;
    (output, (clock.now() - begun).unsigned_abs())
}

/// Lets paused time pass, with all background work that falls into it.
#[allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]
pub(crate) async fn pass(time: Duration) {
    let nothing = std::future::pending::<()>();
    assert!(tokio::time::timeout(time, nothing).await.is_err());
}
