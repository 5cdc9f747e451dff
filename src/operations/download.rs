//! Get Blob: the content or a range of it, as a stream that resumes when the connection breaks.

use std::ops::RangeBounds;

use http::{StatusCode, header};

pub use self::reader::Download;
use super::get_properties::{GetBlobProperties, GetProperties};
use crate::{
    error::Result,
    models::{
        BlobProperties, ByteRange, Conditions, ETag,
        content_range::{self, ContentRange},
    },
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{Access, with_conditions, with_lease},
            encryption::with_customer_key,
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
        tries::Tries,
    },
    wire::{headers, transport::BoxFuture},
};

mod reader;

builder! {
    /// Downloads a blob.
    ///
    /// Returned by [`BlobClient::download`](crate::BlobClient::download).
    ///
    /// Awaiting it gives a [`Download`] as soon as the response headers have arrived.
    ///
    /// [Get Blob](https://learn.microsoft.com/rest/api/storageservices/get-blob)
    DownloadBlob of GetBlob
}

#[derive(Debug, Clone, Default)]
pub(crate) struct GetBlob {
    range: Option<ByteRange>,
    access: Access,
}

impl DownloadBlob {
    /// Downloads only this range of bytes: `0..512`, `1024..`, `..=99`. For a range that starts
    /// past the end of the blob, the service answers 416 `InvalidRange`; a range that ends past it
    /// is cut.
    pub fn range(mut self, range: impl RangeBounds<u64>) -> Self {
        self.operation.range = Some(ByteRange::new(range));
        self
    }
}

with_conditions!(DownloadBlob, operation.access);
with_lease!(DownloadBlob, operation.access);
with_customer_key!(DownloadBlob, operation.access.encryption);

impl IntoFuture for DownloadBlob {
    type Output = Result<Download>;
    type IntoFuture = BoxFuture<'static, Result<Download>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self.open().await?;
            let part = part(self.operation.range.map(ByteRange::first_and_last), &answer)?;
            let mut properties = BlobProperties::from_headers(&answer.headers)
                .map_err(|why| answer.unexpected(why))?;
            properties.content_length = match part.length {
                Some(length) => length,
                None => self.whole_length(properties.etag.as_ref()).await?,
            };
            Ok(Download::new(self, properties, part.offset, answer))
        })
    }
}

impl DownloadBlob {
    async fn open(&self) -> Result<Answer> {
        let request = self.call.prepare(&self.operation)?;
        self.call.send(&self.operation, &request, &mut Tries::default()).await
    }

    /// The length of the whole blob, for a response that does not say it. A body that ends with its
    /// connection may be cut short unnoticed; so may a chunked one, by a proxy.
    async fn whole_length(&self, etag: Option<&ETag>) -> Result<u64> {
        let mut access = self.operation.access.clone();
        access.conditions = etag.map_or(access.conditions, same_state);
        let properties =
            GetProperties::new(self.call.clone(), GetBlobProperties { access }).await?;
        Ok(properties.content_length)
    }
}

/// The condition that the blob has not changed.
fn same_state(etag: &ETag) -> Conditions {
    Conditions::new().if_match(etag.clone())
}

/// The part of a blob that a response holds.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    offset: u64,
    /// `None` if only the end of the body shows it.
    length: Option<u64>,
}

/// The part that a response holds. Refuses a response that is not the range in `asked`.
///
/// A proxy may ignore the range or answer with another.
fn part(asked: Option<(u64, Option<u64>)>, answer: &Answer) -> Result<Part> {
    let refused = |got: std::fmt::Arguments<'_>| {
        let asked = match asked {
            None => "the whole blob".to_owned(),
            Some((first, None)) => format!("bytes {first}-"),
            Some((first, Some(last))) => format!("bytes {first}-{last}"),
        };
        Err(answer.unexpected(format_args!("requested {asked}, got {got}")))
    };
    match answer.status {
        StatusCode::OK => {
            let length = content_range::length(&answer.headers).or(answer.body.length());
            let is_whole = match asked {
                None | Some((0, None)) => true,
                Some((0, Some(last))) => {
                    length.is_some_and(|length| last >= length.saturating_sub(1))
                }
                Some(_) => false,
            };
            match is_whole {
                true => Ok(Part { offset: 0, length }),
                false => refused(format_args!("the whole blob")),
            }
        }
        StatusCode::PARTIAL_CONTENT => {
            let text = answer.required(&header::CONTENT_RANGE)?;
            let Some(range) = ContentRange::parse(text) else {
                return refused(format_args!("Content-Range {text:?}"));
            };
            let end = range.total.map(|total| total - 1);
            let (first, last) = match asked {
                None => (0, end),
                Some((first, None)) => (first, end),
                Some((first, Some(last))) => (first, Some(end.map_or(last, |end| end.min(last)))),
            };
            let told = content_range::content_length(&answer.headers);
            if (first, last) != (range.first, Some(range.last)) {
                return refused(format_args!("Content-Range {text:?}"));
            }
            if told.is_some_and(|length| length != range.len()) {
                return refused(format_args!("Content-Range {text:?} of another Content-Length"));
            }
            Ok(Part { offset: range.first, length: Some(range.len()) })
        }
        status => refused(format_args!("status {}", status.as_u16())),
    }
}

impl Operation for GetBlob {
    type Output = Answer;

    const NAME: &'static str = "Get Blob";
    const EFFECT: Effect = Effect::Read;
    const STREAMS: bool = true;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let range = self.range.map(|range| range.header("range")).transpose();
        to.get().try_text(headers::RANGE, "range", range).settings(&self.access).done()
    }

    fn parse(&self, answer: Answer) -> Result<Answer> {
        Ok(answer)
    }
}

#[cfg(test)]
mod tests;
