//! The in-process transport.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;

use blobcopy::{
    Clock,
    transport::{
        Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind,
    },
};

use super::shared::Shared;
use crate::{
    faults::Delivery,
    handle::Outcome,
    wire::{clock, payload::Payload, route::Peer},
};

/// A transport that calls a simulator in process, without a socket.
///
/// Made by [`Simulator::transport`](crate::Simulator::transport).
#[derive(Debug, Clone)]
pub struct SimulatorTransport(Arc<Shared>);

impl SimulatorTransport {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

impl Transport for SimulatorTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let request = enter(request)?;
            let Outcome { response, delivery } = self.0.exchange(request).await;
            match delivery {
                Delivery::Whole => {}
                Delivery::Late(wait) => clock::sleep(wait).await,
                Delivery::Broken => {
                    let message = "the connection was broken, as the test asked";
                    return Err(interrupted(message));
                }
                Delivery::CutAfter(_) => {}
            }
            let (parts, payload) = response.into_parts();
            let body = leave(payload, delivery);
            Ok(Response::new(parts.status, parts.headers, body))
        })
    }

    /// The simulator's.
    fn clock(&self) -> Option<Clock> {
        Some(self.0.clock.clone())
    }
}

fn enter(request: Request) -> Result<http::Request<Bytes>, TransportError> {
    let unusable = |error: http::Error| TransportError::new(TransportErrorKind::Unusable, &error);
    let (method, url, headers, body) = request.into_parts();
    let https = url.scheme() == "https";
    let mut entering = http::Request::builder()
        .method(method)
        .uri(url.as_str().split('#').next().unwrap_or(""))
        .extension(Peer { https, in_process: true, ..Peer::default() })
        .body(body)
        .map_err(unusable)?;
    *entering.headers_mut() = headers;
    Ok(entering)
}

/// The body as the caller reads it.
fn leave(payload: Payload, delivery: Delivery) -> Body {
    match (payload, delivery) {
        (Payload::Bytes(mut pieces), Delivery::Whole | Delivery::Late(_)) if pieces.len() < 2 => {
            pieces.pop_front().unwrap_or_default().into()
        }
        (payload, Delivery::CutAfter(bytes)) => {
            let pieces = payload.cut_after(bytes).map(Ok);
            let message = "the connection was broken in the middle of the body, as the test asked";
            let cut = std::iter::once(Err(interrupted(message)));
            Body::stream(stream::iter(pieces.chain(cut)))
        }
        (payload, _) => Body::stream(stream::iter(payload.map(Ok))),
    }
}

fn interrupted(message: &str) -> TransportError {
    TransportError::with_message(TransportErrorKind::Interrupted, message)
}
