//! Put Blob, for an append blob: an empty log.

use http::{HeaderValue, Method};
use url::Url;

use crate::{
    error::Result,
    models::{BlobContentInfo, Conditions, LeaseId, Metadata, ServiceVersion, Tags},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::{
            blob::{
                with_conditions, with_lease, with_metadata, with_tags, write_lease, write_tags,
            },
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

/// Creates an empty append blob, or puts one in place of what is there: made by
/// [`AppendBlobClient::create`](crate::AppendBlobClient::create).
///
/// [Put Blob](https://learn.microsoft.com/rest/api/storageservices/put-blob)
/// (append blobs from version 2015-02-21)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct CreateAppendBlob {
    call: Call,
    stored: Stored,
    metadata: Metadata,
    tags: Tags,
    encryption: Encryption,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl CreateAppendBlob {
    pub(crate) fn new(call: Call) -> Self {
        Self {
            call,
            stored: Stored::default(),
            metadata: Metadata::new(),
            tags: Tags::new(),
            encryption: Encryption::default(),
            conditions: Conditions::new(),
            lease_id: None,
        }
    }
}

call_options!(CreateAppendBlob);
with_metadata!(CreateAppendBlob);
with_tags!(CreateAppendBlob);
with_stored_headers!(CreateAppendBlob);
with_conditions!(CreateAppendBlob);
with_lease!(CreateAppendBlob);
with_customer_key!(CreateAppendBlob);
with_encryption_scope!(CreateAppendBlob);
awaitable!(CreateAppendBlob -> BlobContentInfo);

impl Operation for CreateAppendBlob {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Put Blob";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        self.call.since(ServiceVersion::APPEND_BLOBS, "an append blob")?;
        self.conditions.check_write("conditions")?;
        let mut request = Prepared::new(Method::PUT, url)
            .header(headers::BLOB_TYPE, HeaderValue::from_static("AppendBlob"));
        request = self.stored.write(request)?;
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

#[cfg(test)]
mod tests {
    use crate::operations::{offline, operation::Operation};

    #[test]
    fn the_type_of_blob_is_named() {
        let log = offline::blob().append_blob_client();
        let request = log.create().content_type("a/b").request(log.url().expect("legal"));
        let sent = request.expect("legal").headers;
        assert_eq!(
            (&sent["x-ms-blob-type"], &sent["content-length"]),
            (&"AppendBlob".parse().expect("a value"), &"0".parse().expect("a value"))
        );
    }
}
