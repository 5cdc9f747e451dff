//! A service with prescribed answers, up to the test's limits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use blobcopy::transport::{
    Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{
    answers::{Answer, Delivery, Step},
    documents,
};

/// Answers in turn; all clones share the record of requests.
#[derive(Debug, Clone)]
pub(super) struct Service {
    steps: Arc<[Step]>,
    requests: Arc<AtomicUsize>,
    bytes: Arc<AtomicUsize>,
    most: usize,
}

impl Service {
    /// A service that answers at most `most` requests of a call, and then none.
    pub(super) fn new(steps: Vec<Step>, most: usize) -> Self {
        Self { steps: steps.into(), requests: Arc::default(), bytes: Arc::default(), most }
    }

    /// How many requests were sent, and how many bytes were answered.
    pub(super) fn seen(&self) -> (usize, usize) {
        (self.requests.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// Whether more requests were sent than allowed.
    pub(super) fn is_exhausted(&self) -> bool {
        self.seen().0 > self.most
    }

    fn answer(&self, answer: &Answer, request: &Request, number: usize) -> Response {
        let body = documents::bytes(&answer.content, answer.marker, request, number);
        let mut headers = HeaderMap::new();
        let mut size = body.len();
        for (name, value) in &answer.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name.as_str()), HeaderValue::from_bytes(value))
            {
                size += value.len();
                headers.append(name, value);
            }
        }
        self.bytes.fetch_add(size, Ordering::Relaxed);
        let status = StatusCode::from_u16(answer.status).expect("a status");
        Response::new(status, headers, delivered(Bytes::from(body), answer.delivery))
    }
}

impl Transport for Service {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            a_moment().await;
            if number >= self.most {
                return std::future::pending().await;
            }
            match &self.steps[number % self.steps.len()] {
                Step::Answer(answer) => Ok(self.answer(answer, &request, number)),
                Step::Fault(kind) => Err(TransportError::with_message(*kind, "a fault")),
                Step::Silence => std::future::pending().await,
            }
        })
    }
}

/// Time passes with every request, so that endless calls are detected.
#[allow(clippy::disallowed_methods, reason = "the time is that of the test")]
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

fn delivered(body: Bytes, delivery: Delivery) -> Body {
    /// More pieces than this add nothing to the test.
    const MOST: usize = 20_000;
    match delivery {
        Delivery::Whole => Body::from(body),
        Delivery::Pieces(size) => Body::stream(pieces(body, size).take(MOST)),
        Delivery::BreaksAfter(length) => {
            let fault = TransportErrorKind::Interrupted;
            let fault = stream::iter([Err(TransportError::with_message(fault, "broken"))]);
            Body::stream(pieces(body.slice(..length.min(body.len())), 100).chain(fault))
        }
        Delivery::StallsAfter(length) => {
            let pieces = pieces(body.slice(..length.min(body.len())), 100);
            Body::stream(pieces.chain(stream::pending()))
        }
    }
}

fn pieces(body: Bytes, size: usize) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
    let starts = (0..body.len()).step_by(size);
    stream::iter(starts.map(move |start| Ok(body.slice(start..body.len().min(start + size)))))
}
