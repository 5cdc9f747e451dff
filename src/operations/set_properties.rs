//! Set Blob Properties, for the headers that are stored with a blob.

use crate::{
    error::Result,
    models::{BlobContentInfo, ContentMd5},
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{with_conditions, with_lease},
            stored::with_stored_headers,
            whole_blob::WholeBlob,
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

builder! {
    /// Replaces the headers that are stored with a blob: those that are not set are removed.
    ///
    /// Returned by [`BlobClient::set_properties`](crate::BlobClient::set_properties).
    ///
    /// [Set Blob Properties](https://learn.microsoft.com/rest/api/storageservices/set-blob-properties)
    SetProperties of SetBlobProperties -> BlobContentInfo
}

/// Of the blob's settings, the stored headers, the conditions and the lease are used.
#[derive(Debug, Clone, Default)]
pub(crate) struct SetBlobProperties {
    blob: WholeBlob,
}

with_stored_headers!(SetProperties, "The `Content-Type` to store with the blob.");
with_conditions!(SetProperties, operation.blob.access);
with_lease!(SetProperties, operation.blob.access);

impl SetProperties {
    /// The MD5 to store with the blob. The service does not check it.
    pub fn stored_md5(mut self, md5: impl Into<ContentMd5>) -> Self {
        let md5 = md5.into().to_string();
        self.operation.blob.stored.set(headers::BLOB_CONTENT_MD5, "stored MD5", md5);
        self
    }
}

impl Operation for SetBlobProperties {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Set Blob Properties";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put().query("comp", "properties").settings(&self.blob).done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobContentInfo> {
        Ok(BlobContentInfo::from_headers(&answer.headers))
    }
}

#[cfg(test)]
mod tests {
    use crate::operations::offline;

    #[test]
    fn only_the_headers_that_are_set_are_sent() {
        let blob = offline::blob();
        let request = blob.set_properties().cache_control("no-store").stored_md5([7; 16]);
        let request = request.prepared().expect("legal");
        assert_eq!(
            (request.method.as_str(), request.url.query()),
            ("PUT", Some("comp=properties"))
        );
        let sent = [
            ("content-length", "0"),
            ("x-ms-blob-cache-control", "no-store"),
            ("x-ms-blob-content-md5", "BwcHBwcHBwcHBwcHBwcHBw=="),
        ];
        assert_eq!(offline::sent(&request.headers), sent);
    }
}
