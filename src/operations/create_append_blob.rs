//! Put Blob, for an append blob: creates it empty.

use crate::{
    error::Result,
    models::BlobContentInfo,
    operations::{
        operation::{Operation, builder},
        settings::whole_blob::{WholeBlob, with_blob},
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

builder! {
    /// Creates an empty append blob. Overwrites an existing blob.
    ///
    /// Returned by [`AppendBlobClient::create`](crate::AppendBlobClient::create).
    ///
    /// [Put Blob](https://learn.microsoft.com/rest/api/storageservices/put-blob)
    /// (append blobs from version 2015-02-21)
    CreateAppendBlob of PutAppendBlob -> BlobContentInfo
}

#[derive(Debug, Clone, Default)]
pub(crate) struct PutAppendBlob {
    blob: WholeBlob,
}

with_blob!(CreateAppendBlob);

impl Operation for PutAppendBlob {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Put Blob";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put().word(headers::BLOB_TYPE, "AppendBlob").settings(&self.blob).done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobContentInfo> {
        Ok(BlobContentInfo::from_headers(&answer.headers))
    }
}

#[cfg(test)]
mod tests {
    use crate::operations::offline;

    #[test]
    fn the_type_of_blob_is_named() {
        let log = offline::blob().append_blob_client();
        let request = log.create().content_type("a/b").prepared();
        let sent = request.expect("legal").headers;
        assert_eq!(
            (&sent["x-ms-blob-type"], &sent["content-length"]),
            (&"AppendBlob".parse().expect("a value"), &"0".parse().expect("a value"))
        );
    }
}
