//! The listener: HTTP/1.1 for anything that speaks it.

use std::{
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::half_sent::{HalfSent, Watch, Watched};
use crate::{
    pipeline::clock,
    simulator::{
        Shared, Simulator,
        error::{Code, Refusal},
        faults::Delivery,
        handle::{Outcome, TurnedAway},
        payload::Payload,
        route::{Peer, Query},
    },
};

/// The largest body of an operation that takes XML or nothing: twice a list of 50,000 blocks.
const LARGEST_DOCUMENT: u64 = 12 << 20;
/// The largest of Append Block and Put Page, which refuse sooner what is too large for them.
const LARGEST_PIECE: u64 = 128 << 20;
const LARGEST_BLOCK: u64 = 4000 << 20;
const LARGEST_BLOB: u64 = 5000 << 20;

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
        shared.listens_at(address);
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
    let watch = Watch::start(Duration::from_secs(1));
    let beyond = listener.local_addr().is_ok_and(|address| !address.ip().is_loopback());
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            accepted = listener.accept() => {
                // A connection that is gone before it is accepted is no reason to stop, nor that
                // there are too many open, which passes.
                let Ok((stream, peer)) = accepted else {
                    clock::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                let half_sent = HalfSent::default();
                let caller = Caller { peer, beyond, half_sent: half_sent.clone() };
                let task = connections.spawn(connection(shared.clone(), stream, caller));
                watch.add(&half_sent, task);
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Who is at the other end of a connection, and whether it is waiting for the rest of a request.
#[derive(Debug)]
struct Caller {
    peer: SocketAddr,
    /// Whether the listener is reached from other machines too.
    beyond: bool,
    half_sent: HalfSent,
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, caller: Caller) {
    let _ = stream.set_nodelay(true);
    #[cfg(feature = "simulator-https")]
    let tls = match &shared.tls {
        Some(tls) if is_tls(&stream).await => Some(tls.clone()),
        _ => None,
    };
    let stream = Watched::new(stream, caller.half_sent.clone());
    #[cfg(feature = "simulator-https")]
    if let Some(tls) = tls {
        // A client that does not trust the certificate goes away by itself.
        if let Ok(stream) = tls.accept(stream).await {
            http(&shared, stream, &caller, true).await;
        }
        return;
    }
    http(&shared, stream, &caller, false).await;
}

/// Whether the first byte is that of a TLS handshake, which no request in the clear begins with.
#[cfg(feature = "simulator-https")]
async fn is_tls(stream: &TcpStream) -> bool {
    const HANDSHAKE: u8 = 22;
    let mut first = [0];
    stream.peek(&mut first).await.is_ok_and(|length| length == 1 && first == [HANDSHAKE])
}

async fn http(
    shared: &Shared,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    caller: &Caller,
    https: bool,
) {
    let service = service_fn(|request| exchange(shared, request, caller, https));
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
    caller: &Caller,
    https: bool,
) -> io::Result<Response<Outgoing>> {
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(Peer { address: caller.peer.ip(), https, in_process: false });
    let body = match receive(shared, &parts, body, caller.beyond).await? {
        Ok(body) => body,
        Err(refusal) => {
            parts.extensions.insert(TurnedAway(refusal));
            Bytes::new()
        }
    };
    caller.half_sent.whole();

    let request = Request::from_parts(parts, body);
    let Outcome { response, delivery } = match request.extensions().get::<TurnedAway>() {
        Some(_) => shared.step(request),
        None => shared.exchange(request).await,
    };
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

/// Reads the body of a request, unless there is a reason to turn it away.
async fn receive(
    shared: &Shared,
    head: &Parts,
    body: Incoming,
    beyond: bool,
) -> io::Result<Result<Bytes, Refusal>> {
    let accounts = shared.accounts.iter().map(|(name, _)| name.as_str());
    if let Err(refusal) = shared.hosts.check(head, accounts, beyond) {
        return Ok(Err(refusal));
    }
    let body = read(body, largest_body(head)).await?;
    Ok(body.ok_or_else(|| Code::RequestBodyTooLarge.into()))
}

/// The largest body that is read of a request with this head.
fn largest_body(head: &Parts) -> u64 {
    let Ok(query) = Query::parse(head.uri.query()) else { return LARGEST_DOCUMENT };
    match (query.get("restype"), query.get("comp")) {
        (None, None) if head.method == Method::PUT => LARGEST_BLOB,
        (None, Some("block")) => LARGEST_BLOCK,
        (None, Some("appendblock" | "page")) => LARGEST_PIECE,
        _ => LARGEST_DOCUMENT,
    }
}

/// Reads a body; `None` when it is larger than this.
async fn read(body: Incoming, largest: u64) -> io::Result<Option<Bytes>> {
    if body.size_hint().lower() > largest {
        return Ok(None);
    }
    if body.is_end_stream() {
        return Ok(Some(Bytes::new()));
    }
    let limit = usize::try_from(largest).unwrap_or(usize::MAX);
    match Limited::new(body, limit).collect().await {
        Ok(read) => Ok(Some(read.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(io::Error::other(error)),
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
