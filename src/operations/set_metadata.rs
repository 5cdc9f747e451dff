//! Set Blob Metadata.

use http::Method;
use url::Url;

use crate::{
    error::Result,
    models::{BlobContentInfo, Conditions, LeaseId, Metadata},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::{
            blob::{with_conditions, with_lease, write_lease},
            encryption::{Encryption, with_customer_key, with_encryption_scope},
        },
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
};

/// Replaces a blob's metadata: made by
/// [`BlobClient::set_metadata`](crate::BlobClient::set_metadata).
///
/// [Set Blob Metadata](https://learn.microsoft.com/rest/api/storageservices/set-blob-metadata)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct SetMetadata {
    call: Call,
    metadata: Metadata,
    encryption: Encryption,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl SetMetadata {
    pub(crate) fn new(call: Call, metadata: Metadata) -> Self {
        let (encryption, conditions) = (Encryption::default(), Conditions::new());
        Self { call, metadata, encryption, conditions, lease_id: None }
    }
}

call_options!(SetMetadata);
with_conditions!(SetMetadata);
with_lease!(SetMetadata);
with_customer_key!(SetMetadata);
with_encryption_scope!(SetMetadata);
awaitable!(SetMetadata -> BlobContentInfo);

impl Operation for SetMetadata {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Set Blob Metadata";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        self.conditions.check_write("conditions")?;
        let mut request = Prepared::new(Method::PUT, url).query("comp", "metadata");
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
    use crate::operations::offline;

    #[test]
    fn each_pair_is_one_header() {
        let blob = offline::blob();
        let request = blob.call().prepare(&blob.set_metadata([("a", "1"), ("b", "2")]));
        let request = request.expect("legal");
        assert_eq!((request.method.as_str(), request.url.query()), ("PUT", Some("comp=metadata")));
        assert_eq!(
            (&request.headers["x-ms-meta-a"], &request.headers["x-ms-meta-b"]),
            (&http::HeaderValue::from_static("1"), &http::HeaderValue::from_static("2"),)
        );
    }
}
