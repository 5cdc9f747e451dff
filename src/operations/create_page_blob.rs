//! Put Blob, for a page blob: creates it with a size, filled with zeros.

use http::HeaderValue;

use crate::{
    error::{Error, Result},
    models::{AccessTier, BlobContentInfo, ContentMd5, page},
    operations::{
        operation::{Operation, builder},
        settings::{
            sequence_number,
            whole_blob::{WholeBlob, with_blob},
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

builder! {
    /// Creates a page blob filled with zeros. Overwrites an existing blob.
    ///
    /// Returned by [`PageBlobClient::create`](crate::PageBlobClient::create).
    ///
    /// [Put Blob](https://learn.microsoft.com/rest/api/storageservices/put-blob)
    CreatePageBlob of PutPageBlob -> BlobContentInfo
}

#[derive(Debug, Clone)]
pub(crate) struct PutPageBlob {
    size: u64,
    sequence_number: u64,
    blob: WholeBlob,
}

impl PutPageBlob {
    pub(crate) fn new(size: u64) -> Self {
        Self { size, sequence_number: 0, blob: WholeBlob::default() }
    }
}

impl CreatePageBlob {
    /// The sequence number, 0 to 2^63 - 1: a number of the application that writes can be
    /// conditional on.
    pub fn sequence_number(mut self, number: u64) -> Self {
        self.operation.sequence_number = number;
        self
    }

    /// The MD5 to store with the blob, for content that will be written. The service does not check
    /// it.
    pub fn stored_md5(mut self, md5: impl Into<ContentMd5>) -> Self {
        let md5 = md5.into().to_string();
        self.operation.blob.stored.set(headers::BLOB_CONTENT_MD5, "stored MD5", md5);
        self
    }

    /// The tier of a page blob in a premium account (from version 2017-04-17).
    #[doc(alias("AccessTier", "premium_page_blob_tier"))]
    pub fn tier(mut self, tier: AccessTier) -> Self {
        self.operation.blob.tier = Some(tier);
        self
    }
}

/// Refuses an invalid size of a page blob.
pub(super) fn check_size(size: u64) -> Result<()> {
    if !size.is_multiple_of(page::SIZE) || size > page::LARGEST_BLOB {
        let rule = "must be a multiple of 512 bytes, at most 8 TiB";
        return Err(Error::invalid("page blob size", size, rule));
    }
    Ok(())
}

with_blob!(CreatePageBlob);

impl Operation for PutPageBlob {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Put Blob";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let number = (self.sequence_number != 0).then(|| HeaderValue::from(self.sequence_number));
        to.put()
            .check(check_size(self.size))
            .check(sequence_number::check(self.sequence_number))
            .word(headers::BLOB_TYPE, "PageBlob")
            .header(headers::BLOB_CONTENT_LENGTH, HeaderValue::from(self.size))
            .header(headers::BLOB_SEQUENCE_NUMBER, number)
            .settings(&self.blob)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobContentInfo> {
        Ok(BlobContentInfo::from_headers(&answer.headers))
    }
}
