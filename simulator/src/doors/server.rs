//! The listener: HTTP/1.1 for any client.

use std::{
    error::Error,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response,
    header::{EXPECT, HOST},
    request::Parts,
};
use http_body_util::BodyExt;
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

use super::{
    shared::Shared,
    watch::{Activity, Watch, Watched},
};
use crate::{
    faults::Delivery,
    handle::{Outcome, Unread},
    wire::{
        clock,
        error::{Code, Refusal},
        payload::Payload,
        route::{Peer, Query},
    },
};

/// The largest body of an operation that takes XML or no body: twice a list of 50,000 blocks.
const LARGEST_DOCUMENT: u64 = 12 << 20;
/// The largest body of Append Block and Put Page, which themselves refuse bodies over their limits.
const LARGEST_PIECE: u64 = 128 << 20;
const LARGEST_BLOCK: u64 = 4000 << 20;
const LARGEST_BLOB: u64 = 5000 << 20;

/// Stops the server when the last clone of its simulator is dropped.
#[derive(Debug)]
pub(crate) struct ServerGuard(JoinHandle<()>);

impl Drop for ServerGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves `listener` in the background.
pub(crate) fn spawn(shared: Arc<Shared>, listener: TcpListener) -> ServerGuard {
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
                // Keep serving if a connection closes before it is accepted, or if too many are
                // open, which passes.
                let Ok((stream, peer)) = accepted else {
                    clock::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                let activity = Activity::new();
                let caller = Caller {
                    peer,
                    beyond,
                    good_host: OnceLock::new(),
                    activity: activity.clone(),
                };
                let task = connections.spawn(connection(shared.clone(), stream, caller));
                watch.add(&activity, task);
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The client of a connection, and what the connection waits for.
#[derive(Debug)]
struct Caller {
    peer: SocketAddr,
    /// Whether other machines can reach the listener.
    beyond: bool,
    /// The host of the first request, if allowed. Nearly all later requests name it too.
    good_host: OnceLock<Box<[u8]>>,
    activity: Activity,
}

impl Caller {
    /// Refuses a request for another host.
    fn means_us(&self, shared: &Shared, head: &Parts) -> Result<(), Refusal> {
        let host = head.headers.get(HOST).map(HeaderValue::as_bytes);
        let in_target = head.uri.authority().is_some();
        if !in_target && host.is_some() && host == self.good_host.get().map(|good| &**good) {
            return Ok(());
        }
        let accounts = shared.accounts.iter().map(|(name, _)| name.as_str());
        shared.hosts.check(head, accounts, self.beyond)?;
        if let Some(host) = host.filter(|_| !in_target) {
            self.good_host.get_or_init(|| host.into());
        }
        Ok(())
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, caller: Caller) {
    let _ = stream.set_nodelay(true);
    #[cfg(feature = "https")]
    let tls = match &shared.tls {
        Some(tls) if is_tls(&stream).await => Some(tls.clone()),
        _ => None,
    };
    let stream = Watched::new(stream, caller.activity.clone());
    #[cfg(feature = "https")]
    if let Some(tls) = tls {
        // A client that does not trust the certificate disconnects.
        if let Ok(stream) = tls.accept(stream).await {
            caller.activity.answered();
            http(&shared, stream, &caller, true).await;
        }
        return;
    }
    http(&shared, stream, &caller, false).await;
}

/// Whether the first byte starts a TLS handshake; no plain request begins with it.
#[cfg(feature = "https")]
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
    // An error here is the client's, or one that a fault rule caused.
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
    let body = receive(shared, &mut parts, body, caller).await?;
    caller.activity.request_is_whole();

    let request = Request::from_parts(parts, body);
    let Outcome { response, delivery } = shared.exchange(request).await;
    let response = match delivery {
        Delivery::Broken => return Err(io::Error::other("broken by a fault")),
        Delivery::CutAfter(bytes) => response.map(|payload| Outgoing::cut(payload, bytes)),
        Delivery::Whole => response.map(Outgoing::whole),
        Delivery::Late(wait) => {
            clock::sleep(wait).await;
            response.map(Outgoing::whole)
        }
    };
    caller.activity.answered();
    Ok(response)
}

/// Reads the body of a request. If the head is reason enough to refuse it, the body is discarded
/// and the request carries the refusal.
async fn receive(
    shared: &Shared,
    head: &mut Parts,
    body: Incoming,
    caller: &Caller,
) -> io::Result<Bytes> {
    let largest = largest_body(head);
    let why = match caller.means_us(shared, head) {
        Err(refusal) => Some(Unread::TurnedAway(refusal)),
        Ok(()) if body.is_end_stream() => return Ok(Bytes::new()),
        Ok(()) => shared.refusal(head).map(Unread::Refused),
    };
    let keep = why.is_none();
    if let Some(why) = why {
        head.extensions.insert(why);
        // A client that waits for `100 Continue` need not send the body at all.
        if head.headers.contains_key(EXPECT) {
            return Ok(Bytes::new());
        }
    }
    let body = read(body, largest, keep).await?;
    Ok(body.unwrap_or_else(|| {
        head.extensions.insert(Unread::TurnedAway(Code::RequestBodyTooLarge.into()));
        Bytes::new()
    }))
}

/// The largest body accepted for a request with this head.
fn largest_body(head: &Parts) -> u64 {
    let Ok(query) = Query::parse(head.uri.query()) else { return LARGEST_DOCUMENT };
    match (query.get("restype"), query.get("comp")) {
        (None, None) if head.method == Method::PUT => LARGEST_BLOB,
        (None, Some("block")) => LARGEST_BLOCK,
        (None, Some("appendblock" | "page")) => LARGEST_PIECE,
        _ => LARGEST_DOCUMENT,
    }
}

/// Reads a body, or discards it; `None` when it is larger than this.
///
/// The body is in memory once. Every piece is copied, because each keeps a whole buffer of its
/// connection alive.
async fn read(
    mut body: impl Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
    largest: u64,
    keep: bool,
) -> io::Result<Option<Bytes>> {
    let announced = body.size_hint().lower();
    let mut left = largest;
    let mut kept = Vec::new();
    // A body that this machine has no memory for is too large, too.
    let room = |kept: &mut Vec<u8>, length: u64| {
        usize::try_from(length).is_ok_and(|length| kept.try_reserve_exact(length).is_ok())
    };
    if announced > largest || (keep && !room(&mut kept, announced)) {
        return Ok(None);
    }
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(io::Error::other)?.into_data() else { continue };
        let Some(rest) = left.checked_sub(piece.len() as u64) else { return Ok(None) };
        left = rest;
        if keep {
            if kept.try_reserve(piece.len()).is_err() {
                return Ok(None);
            }
            kept.extend_from_slice(&piece);
        }
    }
    kept.shrink_to_fit();
    Ok(Some(kept.into()))
}

/// A payload as a hyper body.
struct Outgoing {
    payload: Payload,
    /// What happens after the payload.
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Regular,
    /// The connection breaks once everything written is on its way.
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

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use futures_util::{FutureExt, StreamExt, stream};
    use http_body_util::StreamBody;

    use super::*;

    /// A buffer that counts how many of its kind exist.
    struct Buffer(Vec<u8>, Arc<AtomicUsize>);

    impl AsRef<[u8]> for Buffer {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl Drop for Buffer {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_body_is_in_memory_once_and_holds_on_to_no_buffer() {
        let (buffers, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let pieces = || {
            let (buffers, most) = (buffers.clone(), most.clone());
            stream::iter(0..100).map(move |at| {
                most.fetch_max(buffers.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                let buffer = Buffer(vec![at; 1 << 16], buffers.clone());
                let piece = Bytes::from_owner(buffer).slice(..10);
                Ok::<_, Infallible>(Frame::data(piece))
            })
        };
        let read = |largest, keep| {
            read(StreamBody::new(pieces()), largest, keep).now_or_never().unwrap().unwrap()
        };
        let kept = read(1000, true).unwrap();
        assert_eq!((kept.len(), &kept[989..991]), (1000, &[98, 99][..]));
        assert_eq!(buffers.load(Ordering::Relaxed), 0);
        assert_eq!(most.load(Ordering::Relaxed), 1);
        assert_eq!(read(1000, false).unwrap(), "");
        assert_eq!((read(999, true), read(999, false)), (None, None));
        assert_eq!(buffers.load(Ordering::Relaxed), 0);
    }
}
