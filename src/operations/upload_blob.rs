//! Put Blob, for a block blob: the whole content in one request.

use bytes::Bytes;
use http::{HeaderValue, Method};
use url::Url;

use crate::{
    error::{Error, Result},
    models::{AccessTier, BlobContentInfo, Conditions, LeaseId, Metadata, Tags},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::{
            blob::{
                with_conditions, with_lease, with_metadata, with_tags, write_lease, write_tags,
                write_tier,
            },
            checksum::{self, Checksum, with_content_crc64, with_content_md5},
            content::Content,
            encryption::{Encryption, with_customer_key, with_encryption_scope},
            stored::{Stored, with_stored_headers},
        },
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::headers,
};

/// Uploads a block blob in one request, or puts it in place of what is there: made by
/// [`BlockBlobClient::upload`](crate::BlockBlobClient::upload).
///
/// At most 5000 MiB (from version 2020-04-08).
///
/// [Put Blob](https://learn.microsoft.com/rest/api/storageservices/put-blob)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct UploadBlob {
    call: Call,
    content: Content,
    checksum: Checksum,
    stored: Stored,
    tier: Option<AccessTier>,
    metadata: Metadata,
    tags: Tags,
    encryption: Encryption,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl UploadBlob {
    /// 5000 MiB, the most that one request may hold (from version 2020-04-08).
    const LONGEST: usize = 5000 << 20;

    pub(crate) fn new(call: Call, content: Bytes) -> Self {
        Self {
            call,
            content: Content(content),
            checksum: Checksum::default(),
            stored: Stored::default(),
            tier: None,
            metadata: Metadata::new(),
            tags: Tags::new(),
            encryption: Encryption::default(),
            conditions: Conditions::new(),
            lease_id: None,
        }
    }

    /// The storage tier (from version 2018-11-09; `Cold` from 2021-12-02, `Smart` from 2026-06-06).
    pub fn tier(mut self, tier: AccessTier) -> Self {
        self.tier = Some(tier);
        self
    }
}

call_options!(UploadBlob);
with_metadata!(UploadBlob);
with_tags!(UploadBlob);
with_stored_headers!(UploadBlob);
with_conditions!(UploadBlob);
with_lease!(UploadBlob);
with_content_md5!(UploadBlob);
with_content_crc64!(UploadBlob);
with_customer_key!(UploadBlob);
with_encryption_scope!(UploadBlob);
awaitable!(UploadBlob -> BlobContentInfo);

impl Operation for UploadBlob {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Put Blob";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        if self.content.len() > Self::LONGEST {
            let rule = "must be at most 5000 MiB";
            return Err(Error::invalid("content length", self.content.len(), rule));
        }
        self.conditions.check_write("conditions")?;
        let mut request = Prepared::new(Method::PUT, url)
            .header(headers::BLOB_TYPE, HeaderValue::from_static("BlockBlob"))
            .header(
                http::header::CONTENT_TYPE,
                HeaderValue::from_static("application/octet-stream"),
            )
            .body(self.content.0.clone());
        request = self.checksum.write(&self.call, request, &checksum::CONTENT)?;
        request = self.stored.write(request)?;
        request = write_tier(request, self.tier.as_ref())?;
        request = write_tags(request, &self.tags)?;
        self.metadata.write(&mut request.headers)?;
        self.conditions.write("conditions", &mut request.headers)?;
        request = self.encryption.write(&self.call, request)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<BlobContentInfo> {
        Ok(BlobContentInfo::from_headers(&answer.headers))
    }
}
