//! A download in progress: resumes where the connection broke.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{DownloadBlob, GetBlob, part, same_state};
use crate::{
    error::{Error, Result},
    models::{BlobProperties, ByteRange, ETag},
    operations::operation::Operation,
    pipeline::{response::Answer, tries::Tries},
    wire::{
        clock,
        excerpt::place,
        transport::{Body, TransportError, TransportErrorKind},
    },
};

/// A download in progress: a `Stream` of [`Bytes`], and the blob's properties.
///
/// It gives exactly [`content_length`](BlobProperties::content_length) bytes or an error. When the
/// connection breaks, it requests the rest with the condition that the ETag is the same, as often
/// in a row as the client's retry options allow; each such request is retried like any other. If
/// the response had no ETag, a break is an error.
#[non_exhaustive]
pub struct Download {
    /// The blob's properties, as Get Blob returns them. `content_length` is the number of bytes of
    /// this download.
    ///
    /// If a proxy removed the length from the response, it is read with Get Blob Properties.
    pub properties: BlobProperties,
    /// The offset of the first byte in the blob.
    pub offset: u64,
    /// The URL, as errors show it.
    place: String,
    content: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
}

impl Download {
    /// Reads `content_length` bytes from `offset` on.
    pub(super) fn new(
        request: DownloadBlob,
        properties: BlobProperties,
        offset: u64,
        answer: Answer,
    ) -> Self {
        let (place, body) = (place(&answer.url), answer.body);
        let reader = Reader {
            request,
            place: place.clone(),
            etag: properties.etag.clone(),
            body: Some(body),
            next: offset,
            end: offset.saturating_add(properties.content_length),
            tries: Tries::default(),
        };
        let content = stream::try_unfold(reader, Reader::piece).boxed();
        Self { properties, offset, place, content }
    }

    /// Reads everything into memory, which is allocated as the bytes arrive. Read a blob that may
    /// not fit as a stream.
    ///
    /// # Errors
    ///
    /// The connection broke more often in a row than the client's retry options allow; the service
    /// refused to send the rest, for example with 412 because the blob was overwritten; memory ran
    /// out.
    #[doc(alias("DownloadContent", "readall"))]
    pub async fn bytes(mut self) -> Result<Bytes> {
        let Some(first) = self.content.try_next().await? else { return Ok(Bytes::new()) };
        let Some(mut piece) = self.content.try_next().await? else { return Ok(first) };
        let mut all = Vec::new();
        append(&mut all, &first).map_err(|why| fault(&self.place, why, 1))?;
        loop {
            append(&mut all, &piece).map_err(|why| fault(&self.place, why, 1))?;
            match self.content.try_next().await? {
                Some(next) => piece = next,
                None => return Ok(all.into()),
            }
        }
    }
}

fn append(all: &mut Vec<u8>, piece: &[u8]) -> Result<(), TransportError> {
    if all.try_reserve(piece.len()).is_err() {
        let why = format!("no memory after {} bytes: read the content as a stream", all.len());
        return Err(TransportError::with_message(TransportErrorKind::Unusable, why));
    }
    all.extend_from_slice(piece);
    Ok(())
}

fn fault(place: &str, fault: TransportError, attempts: u32) -> Error {
    let (operation, url) = (GetBlob::NAME, place.to_owned());
    Error::Transport { operation, url, fault, attempts, ambiguous: false }
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

/// Reads piece by piece, and requests the rest when the connection breaks.
struct Reader {
    request: DownloadBlob,
    /// The URL, as errors show it.
    place: String,
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
                    let again = error.is_retryable() && self.etag.is_some();
                    if !again || !pipeline.back_off(&self.tries).await {
                        return Err(error);
                    }
                }
            }
        }
        self.check_end().await?;
        Ok(None)
    }

    /// The next bytes, at least one.
    async fn read(&mut self) -> Result<Bytes> {
        let limit = self.request.call.pipeline.attempt_timeout();
        let attempts = self.tries.made + 1;
        let mut body = match self.body.take() {
            Some(body) => body,
            None => self.reopen().await?,
        };
        let broken = |why: &str| fault(&self.place, TransportError::interrupted(why), attempts);
        let piece = match clock::within(limit, body.piece()).await {
            Some(Some(Ok(piece))) => piece,
            Some(Some(Err(fault))) => return Err(broken(&fault.to_string())),
            Some(None) => return Err(broken("the response ended early")),
            None => return Err(broken("no data arrived within the attempt timeout")),
        };
        if piece.len() as u64 > self.end - self.next {
            return Err(self.too_long());
        }
        self.body = Some(body);
        Ok(piece)
    }

    /// Requests the missing bytes, on condition that the blob is unchanged.
    async fn reopen(&mut self) -> Result<Body> {
        let mut request = self.request.clone();
        let range = ByteRange { start: self.next, end: Some(self.end) };
        request.operation.range = Some(range);
        request.operation.access.conditions =
            self.etag.as_ref().map_or_else(Default::default, same_state);
        let answer = request.open().await?;
        let rest = part(Some(range.first_and_last()), &answer)?;
        if rest.length != Some(self.end - self.next) {
            return Err(answer.unexpected("the rest has another length"));
        }
        let etag = answer.text(&http::header::ETAG).and_then(|etag| etag.parse::<ETag>().ok());
        if etag != self.etag {
            let why = "the rest is of another state of the blob: its ETag differs";
            return Err(answer.unexpected(why));
        }
        Ok(answer.body)
    }

    /// Refuses a body that continues past its announced length. A break after the last byte is no
    /// error.
    async fn check_end(&mut self) -> Result<()> {
        let Some(mut body) = self.body.take() else { return Ok(()) };
        let limit = self.request.call.pipeline.attempt_timeout();
        match clock::within(limit, body.piece()).await {
            Some(Some(Ok(_))) => Err(self.too_long()),
            _ => Ok(()),
        }
    }

    fn too_long(&self) -> Error {
        let why = "the response is longer than announced";
        self.request.call.unexpected(GetBlob::NAME, why)
    }
}
