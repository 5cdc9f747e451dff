//! Put Blob, for a page blob: an empty disk of a given size.

use http::{HeaderValue, Method};
use url::Url;

use crate::{
    error::{Error, Result},
    models::{AccessTier, BlobContentInfo, Conditions, LeaseId, Metadata, Tags, page},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::{
            blob::{
                with_conditions, with_lease, with_metadata, with_tags, write_lease, write_tags,
                write_tier,
            },
            encryption::{Encryption, with_customer_key, with_encryption_scope},
            sequence_number,
            stored::{Stored, with_stored_headers},
        },
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::headers,
};

/// Creates a page blob of zeroes, or puts one in place of what is there: made by
/// [`PageBlobClient::create`](crate::PageBlobClient::create).
///
/// [Put Blob](https://learn.microsoft.com/rest/api/storageservices/put-blob)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct CreatePageBlob {
    call: Call,
    size: u64,
    sequence_number: u64,
    tier: Option<AccessTier>,
    metadata: Metadata,
    stored: Stored,
    tags: Tags,
    encryption: Encryption,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl CreatePageBlob {
    pub(crate) fn new(call: Call, size: u64) -> Self {
        Self {
            call,
            size,
            sequence_number: 0,
            tier: None,
            metadata: Metadata::new(),
            stored: Stored::default(),
            tags: Tags::new(),
            encryption: Encryption::default(),
            conditions: Conditions::new(),
            lease_id: None,
        }
    }

    /// A number of the application's own, 0 to 2^63 - 1, on which writes can be made conditional.
    pub fn sequence_number(mut self, number: u64) -> Self {
        self.sequence_number = number;
        self
    }

    /// The tier of a page blob in a premium account (from version 2017-04-17).
    pub fn tier(mut self, tier: AccessTier) -> Self {
        self.tier = Some(tier);
        self
    }
}

/// Refuses a size that no page blob can have.
pub(super) fn check_size(size: u64) -> Result<()> {
    if !size.is_multiple_of(page::SIZE) || size > page::LARGEST_BLOB {
        let rule = "must be a multiple of 512 bytes, at most 8 TiB";
        return Err(Error::invalid("page blob size", size, rule));
    }
    Ok(())
}

call_options!(CreatePageBlob);
with_metadata!(CreatePageBlob);
with_tags!(CreatePageBlob);
with_stored_headers!(CreatePageBlob);
with_conditions!(CreatePageBlob);
with_lease!(CreatePageBlob);
with_customer_key!(CreatePageBlob);
with_encryption_scope!(CreatePageBlob);
awaitable!(CreatePageBlob -> BlobContentInfo);

impl Operation for CreatePageBlob {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Put Blob";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        check_size(self.size)?;
        sequence_number::check(self.sequence_number)?;
        self.conditions.check_write("conditions")?;
        let mut request = Prepared::new(Method::PUT, url)
            .header(headers::BLOB_TYPE, HeaderValue::from_static("PageBlob"))
            .header(headers::BLOB_CONTENT_LENGTH, HeaderValue::from(self.size));
        if self.sequence_number != 0 {
            let number = HeaderValue::from(self.sequence_number);
            request = request.header(headers::BLOB_SEQUENCE_NUMBER, number);
        }
        request = write_tier(request, self.tier.as_ref())?;
        request = write_tags(request, &self.tags)?;
        request = self.stored.write(request)?;
        self.metadata.write(&mut request.headers)?;
        self.conditions.write("conditions", &mut request.headers)?;
        request = self.encryption.write(&self.call, request)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<BlobContentInfo> {
        Ok(BlobContentInfo::from_headers(&answer.headers))
    }
}
