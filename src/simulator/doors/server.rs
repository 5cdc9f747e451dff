//! The listener: HTTP/1.1 for anything that speaks it.

use std::{
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::{
    pipeline::clock,
    simulator::{
        Shared, Simulator, faults::Delivery, handle::Outcome, payload::Payload, route::Peer,
    },
};

/// The largest body that is read: that of the largest Put Blob.
const LARGEST_BODY: u64 = 5000 << 20;

/// Stops the server when the last clone of its simulator goes.
#[derive(Debug)]
pub(crate) struct ServerGuard(JoinHandle<()>);

impl Drop for ServerGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves `listener` in the background.
pub(crate) fn spawn(sim: &Simulator, listener: TcpListener) -> ServerGuard {
    let shared = sim.shared.clone();
    if let Ok(address) = listener.local_addr() {
        let _ = shared.served_at.set(address);
    }
    let serving = async move { serve(&shared, listener, std::future::pending()).await };
    ServerGuard(tokio::spawn(serving))
}

/// Serves `listener` until `shutdown` resolves.
pub(crate) async fn serve(
    shared: &Arc<Shared>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) {
    let mut shutdown = pin!(shutdown);
    // Dropped at the end, which closes every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            accepted = listener.accept() => {
                // A connection that is gone before it is accepted is no reason to stop.
                let Ok((stream, peer)) = accepted else { continue };
                connections.spawn(connection(shared.clone(), stream, peer));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| exchange(&shared, request, peer));
    // An error here is the client's, or the one that a fault asked for.
    let _ = http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Answers one request; an error breaks the connection.
async fn exchange(
    shared: &Shared,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> io::Result<Response<Outgoing>> {
    let (parts, body) = request.into_parts();
    if body.size_hint().lower() > LARGEST_BODY {
        let mut refused = Response::new(Outgoing::whole(Payload::empty()));
        *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(refused);
    }
    let body = match body.is_end_stream() {
        true => Bytes::new(),
        false => body.collect().await.map_err(io::Error::other)?.to_bytes(),
    };
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(Peer { address: peer.ip(), ..Peer::default() });

    let Outcome { response, delivery } = shared.exchange(request).await;
    match delivery {
        Delivery::Broken => Err(io::Error::other("broken by a fault")),
        Delivery::CutAfter(bytes) => Ok(response.map(|payload| Outgoing::cut(payload, bytes))),
        Delivery::Whole => Ok(response.map(Outgoing::whole)),
        Delivery::Late(wait) => {
            clock::sleep(wait).await;
            Ok(response.map(Outgoing::whole))
        }
    }
}

/// A payload as hyper sends it.
struct Outgoing {
    payload: Payload,
    /// What happens after the payload.
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Regular,
    /// The connection breaks, once what was written is on its way.
    Flush,
    Break,
}

impl Outgoing {
    fn whole(payload: Payload) -> Self {
        Self { payload, end: End::Regular }
    }

    fn cut(payload: Payload, after: u64) -> Self {
        Self { payload: payload.cut_after(after), end: End::Flush }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(piece) = self.payload.next() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match self.end {
            End::Regular => Poll::Ready(None),
            End::Flush => {
                self.end = End::Break;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            End::Break => Poll::Ready(Some(Err(io::Error::other("broken by a fault")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.end == End::Regular && self.payload.remaining() == 0
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            End::Regular => SizeHint::with_exact(self.payload.remaining()),
            End::Flush | End::Break => SizeHint::default(),
        }
    }
}
