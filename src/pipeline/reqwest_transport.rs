//! The default transport: `reqwest`, told to do no more than to send.

use bytes::Bytes;
use futures_util::stream;

use crate::wire::transport::{
    Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind,
};

/// Sends with `reqwest` over a pool of kept connections. Follows no redirects, retries nothing and
/// knows no cookies; decodes nothing; proxies are taken from the environment.
#[derive(Debug, Clone)]
pub(crate) struct ReqwestTransport {
    client: reqwest::Client,
}

impl ReqwestTransport {
    pub(crate) fn new() -> Result<Self, TransportError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            // Another crate in the program may have these on. A blob is given as it is stored.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .build();
        match client {
            Ok(client) => Ok(Self { client }),
            Err(error) => Err(TransportError::new(TransportErrorKind::Unusable, &error)),
        }
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        let answer = self.client.execute(outgoing);
        Box::pin(async move {
            let mut answer = answer.await.map_err(fault)?;
            let status = answer.status();
            let headers = std::mem::take(answer.headers_mut());
            let body = match answer.content_length() {
                Some(0) => Body::from(Bytes::new()),
                _ => Body::stream(stream::try_unfold(answer, async |mut answer| {
                    let piece = answer.chunk().await.map_err(fault)?;
                    Ok(piece.map(|piece| (piece, answer)))
                })),
            };
            Ok(Response { status, headers, body })
        })
    }
}

/// What a `reqwest` error says about the request. Its URL, which may hold a SAS, is left out.
fn fault(error: reqwest::Error) -> TransportError {
    let kind = if error.is_builder() {
        TransportErrorKind::Unusable
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        TransportErrorKind::Interrupted
    };
    TransportError::new(kind, &error.without_url())
}
