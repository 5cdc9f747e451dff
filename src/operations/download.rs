//! Get Blob: the content, whole or a range, as a stream that survives broken connections.

use std::{
    fmt,
    ops::{Bound, RangeBounds},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{Method, StatusCode, header};
use url::Url;

use super::{
    Call, Operation, call_options,
    encryption::{Encryption, with_customer_key},
    with_conditions, with_lease, write_lease,
};
use crate::{
    error::{Error, Result},
    models::{BlobProperties, Conditions, ETag, LeaseId, headers},
    pipeline::{
        clock,
        request::{Prepared, Repeat},
        response::Answer,
        send::Tries,
    },
    wire::transport::{Body, BoxFuture},
};

/// Downloads a blob: made by [`BlobClient::download`](crate::BlobClient::download).
///
/// Awaited, it gives a [`Download`] as soon as the head of the answer is there.
///
/// [Get Blob](https://learn.microsoft.com/rest/api/storageservices/get-blob)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct DownloadBlob {
    call: Call,
    /// First byte, and last byte if there is one.
    range: Option<(u64, Option<u64>)>,
    encryption: Encryption,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl DownloadBlob {
    pub(crate) fn new(call: Call) -> Self {
        let (encryption, conditions) = (Encryption::default(), Conditions::new());
        Self { call, range: None, encryption, conditions, lease_id: None }
    }

    /// Only these bytes: `0..512`, `1024..`, `..=99`. A range that begins behind the blob's end is
    /// answered with 416 `InvalidRange`; one that reaches beyond it is cut.
    pub fn range(mut self, range: impl RangeBounds<u64>) -> Self {
        let first = match range.start_bound() {
            Bound::Included(first) => *first,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        // An empty range keeps its last byte before its first, and is refused with the call.
        let (first, last) = match range.end_bound() {
            Bound::Included(last) => (first, Some(*last)),
            Bound::Excluded(0) => (1, Some(0)),
            Bound::Excluded(end) => (first, Some(end - 1)),
            Bound::Unbounded => (first, None),
        };
        self.range = Some((first, last));
        self
    }
}

call_options!(DownloadBlob);
with_conditions!(DownloadBlob);
with_lease!(DownloadBlob);
with_customer_key!(DownloadBlob);

impl IntoFuture for DownloadBlob {
    type Output = Result<Download>;
    type IntoFuture = BoxFuture<'static, Result<Download>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self.open().await?;
            let properties = BlobProperties::from_headers(Self::NAME, &answer.headers)?;
            let (offset, length) = (answer_offset(&answer)?, properties.content_length);
            let reader = Reader {
                etag: properties.etag.clone(),
                body: Some(answer.body),
                next: offset,
                end: offset + length,
                tries: Tries::default(),
                request: self,
            };
            let content = stream::try_unfold(reader, Reader::piece).boxed();
            Ok(Download { properties, offset, content })
        })
    }
}

impl DownloadBlob {
    async fn open(&self) -> Result<Answer> {
        let request = self.call.prepare(self)?;
        self.call.send(self, &request, &mut Tries::default()).await
    }
}

/// Where in the blob the answer begins: `Content-Range: bytes 512-1023/2048`, or its first byte.
fn answer_offset(answer: &Answer) -> Result<u64> {
    if answer.status != StatusCode::PARTIAL_CONTENT {
        return Ok(0);
    }
    let range = answer.required(&header::CONTENT_RANGE)?;
    let first = range.strip_prefix("bytes ").and_then(|range| range.split('-').next());
    first.and_then(|first| first.parse().ok()).ok_or_else(|| {
        Error::unexpected(DownloadBlob::NAME, format_args!("Content-Range is {range:?}"))
    })
}

impl Operation for DownloadBlob {
    type Output = Answer;

    const NAME: &'static str = "Get Blob";
    const REPEAT: Repeat = Repeat::Safe;
    const STREAMS: bool = true;

    fn request(&self, url: Url) -> Result<Prepared> {
        let mut request = Prepared::new(Method::GET, url);
        if let Some((first, last)) = self.range {
            let range = match last {
                Some(last) if last < first => {
                    return Err(Error::invalid("range", "an empty range", "must hold a byte"));
                }
                Some(last) => format!("bytes={first}-{last}"),
                None => format!("bytes={first}-"),
            };
            request = request.text(headers::RANGE, "range", &range)?;
        }
        self.conditions.write("conditions", &mut request.headers)?;
        request = self.encryption.write(&self.call, request)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<Answer> {
        Ok(answer)
    }
}

/// A blob's content on its way: a `Stream` of [`Bytes`], and the blob's properties.
///
/// When the connection breaks, the rest is asked for again, on condition that the blob is still the
/// same; as often in a row as the client's retry options allow.
pub struct Download {
    /// The blob's properties, as Get Blob gives them; `content_length` is that of what is downloaded.
    pub properties: BlobProperties,
    /// Where in the blob the content begins.
    pub offset: u64,
    content: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
}

impl Download {
    /// Reads all of it into memory.
    ///
    /// # Errors
    ///
    /// A connection that broke more often in a row than the client's retry options allow; what the service
    /// refuses when the rest is asked for, such as 412 when the blob was written meanwhile.
    pub async fn bytes(mut self) -> Result<Bytes> {
        let Some(first) = self.content.try_next().await? else { return Ok(Bytes::new()) };
        let length = usize::try_from(self.properties.content_length).unwrap_or(usize::MAX);
        if first.len() >= length {
            return Ok(first);
        }
        let mut all = BytesMut::with_capacity(length);
        all.extend_from_slice(&first);
        while let Some(piece) = self.content.try_next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

impl Stream for Download {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.content.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("properties", &self.properties)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// Reads on, piece by piece, and opens the rest anew when the connection breaks.
struct Reader {
    request: DownloadBlob,
    etag: Option<ETag>,
    body: Option<Body>,
    next: u64,
    end: u64,
    /// The breaks since the last piece.
    tries: Tries,
}

impl Reader {
    async fn piece(mut self) -> Result<Option<(Bytes, Self)>> {
        while self.next < self.end {
            match self.read().await {
                Ok(piece) => {
                    self.next += piece.len() as u64;
                    self.tries = Tries::default();
                    return Ok(Some((piece, self)));
                }
                Err(error) => {
                    self.body = None;
                    self.tries.made += 1;
                    let pipeline = &self.request.call.pipeline;
                    if !error.is_retryable() || !pipeline.back_off(&self.tries).await {
                        return Err(error);
                    }
                }
            }
        }
        Ok(None)
    }

    /// The next bytes, of which there is at least one.
    async fn read(&mut self) -> Result<Bytes> {
        let limit = self.request.call.pipeline.attempt_timeout();
        let broken = |why: &str| Error::Transport {
            operation: DownloadBlob::NAME,
            fault: crate::wire::transport::TransportError::interrupted(why),
            attempts: 1,
            ambiguous: false,
        };
        let mut body = match self.body.take() {
            Some(body) => body,
            None => reopen(self.request.clone(), &self.etag, self.next, self.end).await?,
        };
        loop {
            let piece = match clock::within(limit, body.next()).await {
                Some(Some(Ok(piece))) => piece,
                Some(Some(Err(fault))) => return Err(broken(&fault.to_string())),
                Some(None) => return Err(broken("the answer ended before its last byte")),
                None => return Err(broken("no byte came within the time of an attempt")),
            };
            let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
            if piece.len() > left {
                return Err(Error::unexpected(DownloadBlob::NAME, "more bytes than announced"));
            }
            if !piece.is_empty() {
                self.body = Some(body);
                return Ok(piece);
            }
        }
    }
}

/// Asks for what is still missing, of the same state of the blob.
async fn reopen(
    mut request: DownloadBlob,
    etag: &Option<ETag>,
    next: u64,
    end: u64,
) -> Result<Body> {
    request.range = Some((next, Some(end - 1)));
    if let Some(etag) = etag {
        request.conditions = Conditions::new().if_match(etag.clone());
    }
    let answer = request.open().await?;
    match answer_offset(&answer)? {
        offset if offset == next => Ok(answer.body),
        offset => {
            let why = format_args!("asked for byte {next}, got byte {offset}");
            Err(Error::unexpected(DownloadBlob::NAME, why))
        }
    }
}
