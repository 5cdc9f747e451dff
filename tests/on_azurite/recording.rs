//! A transport that records requests and answers, to count and check them.

use std::sync::{Arc, Mutex, PoisonError};

use blobcopy::{
    ClientOptions,
    transport::{BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind},
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::support::web;

/// Sends over HTTP. Clones share the record.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    client: reqwest::Client,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    exchanges: Vec<Exchange>,
    on_their_way: usize,
    most_on_their_way: usize,
}

/// One request and the head of its answer.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) sent: HeaderMap,
    pub(super) status: StatusCode,
    pub(super) received: HeaderMap,
}

impl Recording {
    /// Sends with `client`.
    pub(super) fn over(client: reqwest::Client) -> Self {
        Self { client, seen: Arc::default() }
    }

    /// Client options that use this transport.
    pub(super) fn options(&self) -> ClientOptions {
        ClientOptions::new().transport(self.clone())
    }

    /// The exchanges since the last call.
    pub(super) fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.seen().exchanges)
    }

    /// The most requests that were in flight at the same time.
    pub(super) fn most_on_their_way(&self) -> usize {
        self.seen().most_on_their_way
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(&self, request: Request) -> Result<Response, reqwest::Error> {
        let (method, url, headers, body) = request.into_parts();
        let (sent, asked) = (headers.clone(), url.clone());
        let outgoing = self.client.request(method.clone(), url).headers(headers).body(body);
        let mut answer = outgoing.send().await?;
        let (status, received) = (answer.status(), std::mem::take(answer.headers_mut()));
        let exchange = Exchange { method, url: asked, sent, status, received: received.clone() };
        self.seen().exchanges.push(exchange);
        let body: Bytes = answer.bytes().await?;
        Ok(Response::new(status, received, body))
    }
}

impl Default for Recording {
    fn default() -> Self {
        Self::over(web::client())
    }
}

impl Transport for Recording {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            {
                let mut seen = self.seen();
                seen.on_their_way += 1;
                seen.most_on_their_way = seen.most_on_their_way.max(seen.on_their_way);
            }
            let answer = self.exchange(request).await;
            self.seen().on_their_way -= 1;
            answer.map_err(|error| {
                let error = error.without_url();
                TransportError::new(TransportErrorKind::Interrupted, &error)
            })
        })
    }
}
