//! Put Blob, for a block blob: uploads it in one request.

use bytes::Bytes;
use http::header;

use crate::{
    error::Result,
    models::BlobContentInfo,
    operations::{
        operation::{Operation, builder},
        settings::{
            checksum::{Checksum, with_content_crc64, with_content_md5},
            content::Content,
            whole_blob::{WholeBlob, with_blob, with_tier},
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

builder! {
    /// Uploads a block blob in one request. Overwrites an existing blob.
    ///
    /// Returned by [`BlockBlobClient::upload`](crate::BlockBlobClient::upload).
    ///
    /// At most 5000 MiB (before version 2020-04-08: 256 MiB; before 2016-05-31: 64 MiB).
    ///
    /// [Put Blob](https://learn.microsoft.com/rest/api/storageservices/put-blob)
    UploadBlob of PutBlob -> BlobContentInfo
}

#[derive(Debug, Clone, Default)]
pub(crate) struct PutBlob {
    content: Content,
    checksum: Checksum,
    blob: WholeBlob,
}

impl PutBlob {
    pub(crate) fn new(content: Bytes) -> Self {
        Self { content: Content(content), ..Self::default() }
    }
}

with_blob!(UploadBlob);
with_tier!(UploadBlob);
with_content_md5!(UploadBlob);
with_content_crc64!(UploadBlob);

impl Operation for PutBlob {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Put Blob";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .check(self.content.at_most(5000))
            .word(headers::BLOB_TYPE, "BlockBlob")
            .word(header::CONTENT_TYPE, "application/octet-stream")
            .body(self.content.0.clone())
            .settings(&self.checksum)
            .settings(&self.blob)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobContentInfo> {
        Ok(BlobContentInfo::from_headers(&answer.headers))
    }
}
