//! The transport: a request goes in, a response comes out.

use std::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::{
    excerpt::{LONGEST_MESSAGE, shown},
    redaction::{Redacted, redact},
};
use crate::wire::clock::Clock;

/// A boxed future, as returned by [`Transport::send`] and by every operation.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends HTTP requests: the crate's only way to the network.
///
/// Implement it to use another HTTP client, or to wrap a transport; a wrapper should pass on
/// [`clock`](Transport::clock). The pipeline calls [`send`](Transport::send) once per attempt, with
/// a signed request. Send method, URL and headers exactly as they are: the signature covers them.
/// Do not retry, follow redirects or decompress: a blob must arrive as it is stored.
///
/// ```
/// use blobcopy::{
///     Clock,
///     transport::{BoxFuture, Request, Response, Transport, TransportError},
/// };
///
/// /// Counts what passes through to another transport.
/// #[derive(Debug)]
/// struct Counting<T> {
///     inner: T,
///     sent: std::sync::atomic::AtomicUsize,
/// }
///
/// impl<T: Transport> Transport for Counting<T> {
///     fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
///         self.sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
///         self.inner.send(request)
///     }
///
///     fn clock(&self) -> Option<Clock> {
///         self.inner.clock()
///     }
/// }
/// ```
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` and resolves when the response headers have arrived.
    ///
    /// Dropping the future cancels the request.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;

    /// The clock of the service, if it is not the system clock. By default `None`.
    ///
    /// A client uses it unless [`ClientOptions::clock`](crate::ClientOptions::clock) is set. A
    /// service refuses requests by its own clock, and that of a simulator may be days ahead.
    fn clock(&self) -> Option<Clock> {
        None
    }
}

/// A signed HTTP request for a [`Transport`].
///
/// `Debug` shows neither the `Authorization` header nor the signature of a SAS.
///
/// ```
/// use blobcopy::{http::Method, transport::Request};
///
/// let url = "https://account.blob.core.windows.net/vhds/disk0.vhd".parse()?;
/// let request = Request::new(Method::HEAD, url, Default::default(), Default::default());
/// assert_eq!(request.url().path(), "/vhds/disk0.vhd");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// A request, to test a [`Transport`] with.
    pub fn new(method: Method, url: Url, headers: HeaderMap, body: Bytes) -> Self {
        Self { method, url, headers, body }
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The whole URL, with its SAS if a SAS authorizes the request.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Every header to send. `Content-Length` is present whenever the method may carry a body.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// The body; empty for most operations.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Method, URL, headers and body.
    pub fn into_parts(self) -> (Method, Url, HeaderMap, Bytes) {
        (self.method, self.url, self.headers, self.body)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &redact(self.url.as_str()))
            .field("headers", &Redacted(&self.headers))
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// An HTTP response of a [`Transport`].
///
/// ```
/// use blobcopy::{
///     bytes::Bytes,
///     http::{HeaderMap, StatusCode},
///     transport::Response,
/// };
///
/// let body = Bytes::from_static(b"not here");
/// let response = Response::new(StatusCode::NOT_FOUND, HeaderMap::new(), body);
/// assert_eq!(response.status(), 404);
/// ```
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl Response {
    /// A response of a status, every header that came, and a body: bytes or a [`Body::stream`].
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Body>) -> Self {
        Self { status, headers, body: body.into() }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Every header of the response.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// Status, headers and body.
    pub fn into_parts(self) -> (StatusCode, HeaderMap, Body) {
        (self.status, self.headers, self.body)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &Redacted(&self.headers))
            .field("body", &self.body)
            .finish()
    }
}

/// The body of a [`Response`]: bytes in memory, or a stream of bytes.
pub struct Body(Inner);

enum Inner {
    Full(Bytes),
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>),
}

impl Body {
    /// A body that is read from a stream, piece by piece.
    ///
    /// ```
    /// use blobcopy::transport::Body;
    /// use bytes::Bytes;
    ///
    /// let pieces = vec![Ok(Bytes::from_static(b"a")), Ok(Bytes::from_static(b"b"))];
    /// let body = Body::stream(futures_util::stream::iter(pieces));
    /// # let _ = body;
    /// ```
    pub fn stream(
        stream: impl Stream<Item = Result<Bytes, TransportError>> + Send + 'static,
    ) -> Self {
        Self(Inner::Stream(Box::pin(stream)))
    }

    /// The bytes in memory; empty for a stream.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Inner::Full(bytes) => bytes,
            Inner::Stream(_) => &[],
        }
    }

    /// The length, if the bytes are in memory.
    pub(crate) fn length(&self) -> Option<u64> {
        match &self.0 {
            Inner::Full(bytes) => Some(bytes.len() as u64),
            Inner::Stream(_) => None,
        }
    }

    /// The next bytes, at least one; `None` at the end.
    pub(crate) async fn piece(&mut self) -> Option<Result<Bytes, TransportError>> {
        loop {
            match std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await {
                Some(Ok(piece)) if piece.is_empty() => {}
                next => return next,
            }
        }
    }

    /// Reads the body to its end; fails as soon as it exceeds `limit` bytes.
    pub(crate) async fn collect(mut self, limit: usize) -> Result<Bytes, TransportError> {
        if let Inner::Full(bytes) = self.0 {
            return Ok(bytes);
        }
        let mut all = BytesMut::new();
        while let Some(piece) = self.piece().await {
            let piece = piece?;
            if piece.len() > limit - all.len() {
                let why = format!("the response body is longer than {limit} bytes");
                return Err(TransportError::interrupted(why));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    /// The first bytes of the body, at most `limit`: what arrived before it ended or broke.
    pub(crate) async fn front(mut self, limit: usize) -> Bytes {
        let mut front = BytesMut::new();
        while let Some(Ok(piece)) = self.piece().await {
            let room = limit - front.len();
            front.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.len() >= room {
                break;
            }
        }
        front.freeze()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Full(bytes))
    }
}

impl Stream for Body {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            Inner::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Full(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Inner::Stream(stream) => stream.as_mut().poll_next(cx),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Full(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Inner::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}

/// Why there is no complete response.
///
/// It holds only text: the messages of the causes, with secrets redacted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    kind: TransportErrorKind,
    message: Box<str>,
}

/// The kind of a transport error, which decides whether the request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection could be made, so the service has not seen the request: the host name was not
    /// found, the connection was refused, or connecting took too long. Always safe to retry.
    Connect,
    /// The connection broke or the response was cut short after the request may have been sent. The
    /// service may have applied it. Retried if the operation allows.
    Interrupted,
    /// The transport's own time limit expired after the request may have been sent. The service may
    /// have applied it. Retried if the operation allows.
    Timeout,
    /// The request can never be sent: the host's certificate is not trusted, the host does not
    /// speak TLS, or the URL is unusable. Never retried.
    Unusable,
}

impl TransportError {
    /// An error of `kind`, with the messages of `cause` and its sources.
    ///
    /// ```
    /// use blobcopy::transport::{TransportError, TransportErrorKind};
    ///
    /// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    /// let error = TransportError::new(TransportErrorKind::Connect, &refused);
    /// assert_eq!(error.kind(), TransportErrorKind::Connect);
    /// assert_eq!(error.to_string(), "connection refused");
    /// ```
    pub fn new(kind: TransportErrorKind, cause: &(dyn StdError + 'static)) -> Self {
        let mut message = cause.to_string();
        let mut below = cause.source();
        while let Some(error) = below {
            let text = error.to_string();
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            below = error.source();
        }
        Self::with_message(kind, message)
    }

    /// An error of `kind` with a message.
    ///
    /// ```
    /// use blobcopy::transport::{TransportError, TransportErrorKind};
    ///
    /// let error = TransportError::with_message(TransportErrorKind::Connect, "no route");
    /// assert_eq!(error.to_string(), "no route");
    /// ```
    pub fn with_message(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: shown(&message.into(), LONGEST_MESSAGE).into() }
    }

    pub(crate) fn interrupted(message: impl Into<String>) -> Self {
        Self::with_message(TransportErrorKind::Interrupted, message)
    }

    /// The kind of the error.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};

    use super::*;

    fn body(pieces: &[&'static str], then: Option<TransportError>) -> Body {
        let pieces: Vec<_> =
            pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        Body::stream(stream::iter(pieces.into_iter().chain(then.map(Err))))
    }

    #[test]
    fn a_body_is_held_whole_or_not_at_all() {
        let collect = |body: Body| body.collect(4).now_or_never().expect("at hand");
        assert_eq!(collect(body(&["ab", "", "cd"], None)), Ok(Bytes::from_static(b"abcd")));
        let long = collect(body(&["ab", "cd", "e"], None)).expect_err("too long").to_string();
        assert!(long.contains("longer than 4 bytes"), "{long}");
        let broken = Some(TransportError::interrupted("broken"));
        assert!(collect(body(&["ab"], broken)).is_err());
    }

    #[test]
    fn of_a_body_that_is_long_or_broken_the_front_can_be_had() {
        let front = |body: Body| body.front(4).now_or_never().expect("at hand");
        assert_eq!(front(body(&["ab"], None)), "ab");
        assert_eq!(front(body(&["ab", "cdef", "g"], None)), "abcd");
        assert_eq!(front(body(&["ab"], Some(TransportError::interrupted("broken")))), "ab");
        assert_eq!(front(Body::from(Bytes::from_static(b"abcdef"))), "abcd");
        let endless = Body::stream(stream::repeat_with(|| Ok(Bytes::from_static(b"abc"))));
        assert_eq!(front(endless), "abca");
    }

    #[test]
    fn the_message_of_a_fault_is_of_bounded_length() {
        let fault = TransportError::interrupted("x".repeat(1 << 20));
        assert_eq!(fault.to_string().len(), LONGEST_MESSAGE);
    }
}
