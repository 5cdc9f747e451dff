//! Set Blob Metadata.

use crate::{
    error::Result,
    models::{BlobContentInfo, Metadata},
    operations::{
        operation::{Operation, builder},
        settings::access::{Access, with_access},
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
};

builder! {
    /// Replaces a blob's metadata.
    ///
    /// Returned by [`BlobClient::set_metadata`](crate::BlobClient::set_metadata).
    ///
    /// [Set Blob Metadata](https://learn.microsoft.com/rest/api/storageservices/set-blob-metadata)
    SetMetadata of SetBlobMetadata -> BlobContentInfo
}

#[derive(Debug, Clone)]
pub(crate) struct SetBlobMetadata {
    metadata: Metadata,
    access: Access,
}

impl SetBlobMetadata {
    pub(crate) fn new(metadata: Metadata) -> Self {
        Self { metadata, access: Access::default() }
    }
}

with_access!(SetMetadata, operation.access);

impl Operation for SetBlobMetadata {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Set Blob Metadata";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .query("comp", "metadata")
            .headers(|to| self.metadata.write(to))
            .settings(&self.access)
            .done()
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
        let request = blob.set_metadata([("a", "1"), ("b", "2")]).prepared();
        let request = request.expect("legal");
        assert_eq!((request.method.as_str(), request.url.query()), ("PUT", Some("comp=metadata")));
        assert_eq!(
            (&request.headers["x-ms-meta-a"], &request.headers["x-ms-meta-b"]),
            (&http::HeaderValue::from_static("1"), &http::HeaderValue::from_static("2"),)
        );
    }
}
