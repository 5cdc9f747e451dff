//! Put Blob From URL: makes a block blob from a URL.

use crate::{
    error::Result,
    models::{BlobContentInfo, ContentMd5, since},
    operations::{
        operation::{Operation, builder},
        settings::{
            checksum::{Checksum, with_content_md5},
            copy_source::CopySource,
            url_source::{UrlSource, from_uri, with_source_customer_key},
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
    /// Makes a block blob from the content of a URL, at most 5000 MiB. Overwrites an existing blob.
    ///
    /// Returned by [`BlockBlobClient::upload_from_uri`](crate::BlockBlobClient::upload_from_uri).
    ///
    /// [Put Blob From URL](https://learn.microsoft.com/rest/api/storageservices/put-blob-from-url)
    /// (from version 2020-04-08)
    UploadBlobFromUri of PutBlobFromUrl
}

#[derive(Debug, Clone)]
pub(crate) struct PutBlobFromUrl {
    source: UrlSource,
    copy_source_properties: Option<bool>,
    checksum: Checksum,
    blob: WholeBlob,
}

impl PutBlobFromUrl {
    pub(crate) fn new(source: CopySource) -> Self {
        Self {
            source: UrlSource::new(source),
            copy_source_properties: None,
            checksum: Checksum::default(),
            blob: WholeBlob::default(),
        }
    }
}

impl UploadBlobFromUri {
    /// Whether to copy the source's properties, such as `Content-Type`, that are not set here. The
    /// service copies them by default.
    pub fn copy_source_properties(mut self, copy: bool) -> Self {
        self.operation.copy_source_properties = Some(copy);
        self
    }

    /// The MD5 to store with the blob. The service does not check it; use
    /// [`source_content_md5`](Self::source_content_md5) for a check.
    pub fn stored_md5(mut self, md5: impl Into<ContentMd5>) -> Self {
        let md5 = md5.into().to_string();
        self.operation.blob.stored.set(headers::BLOB_CONTENT_MD5, "stored MD5", md5);
        self
    }

    /// Copies the source's index tags (from version 2021-04-10). Cannot be combined with
    /// [`tags`](Self::tags). The authorization of the source must allow reading tags: a SAS needs
    /// the permission `t`.
    pub fn copy_source_tags(mut self, copy: bool) -> Self {
        self.operation.blob.tags_of_source = copy;
        self
    }
}

with_blob!(
    UploadBlobFromUri,
    "The `Content-Type` to store with the blob. By default that of the source; with \
     [`copy_source_properties(false)`](Self::copy_source_properties) \
     `application/octet-stream`."
);
with_tier!(UploadBlobFromUri);
with_content_md5!(UploadBlobFromUri);
with_source_customer_key!(UploadBlobFromUri);
from_uri!(UploadBlobFromUri -> BlobContentInfo);

impl Operation for PutBlobFromUrl {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Put Blob From URL";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let properties = self.copy_source_properties.map(headers::flag);
        to.put()
            .since(since::BLOB_FROM_URL)
            .word(headers::BLOB_TYPE, "BlockBlob")
            .header(headers::COPY_SOURCE_BLOB_PROPERTIES, properties)
            .settings(&self.checksum)
            .settings(&self.blob)
            .settings(&self.source)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobContentInfo> {
        Ok(BlobContentInfo::from_headers(&answer.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        models::{AccessTier, Conditions, CustomerProvidedKey},
        operations::offline::{self, sent},
    };

    fn upload(version: &str) -> UploadBlobFromUri {
        let source = "https://example.com/a.iso".parse::<url::Url>().expect("a URL");
        offline::blob_at(version).block_blob_client().upload_from_uri(source)
    }

    #[tokio::test]
    async fn each_setting_is_one_header() {
        let key = CustomerProvidedKey::new([7; 32]);
        let mut upload = upload("2026-04-06")
            .content_type("a/b")
            .content_encoding("gzip")
            .content_language("en")
            .content_disposition("inline")
            .cache_control("no-store")
            .stored_md5([1; 16])
            .copy_source_properties(false)
            .copy_source_tags(true)
            .tier(AccessTier::Hot)
            .customer_key(key.clone())
            .source_customer_key(key.clone())
            .source_conditions(Conditions::new().if_tags("\"a\" = 'b'"));
        upload.operation.source.resolve(&upload.call).await.expect("a source");
        let request = upload.prepared().expect("legal");
        let text = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        let own = ["x-ms-client-request-id", "x-ms-version", "user-agent"];
        let headers: Vec<_> =
            sent(&request.headers).into_iter().filter(|(name, _)| !own.contains(name)).collect();
        let expected = [
            ("content-length", "0"),
            ("x-ms-access-tier", "Hot"),
            ("x-ms-blob-cache-control", "no-store"),
            ("x-ms-blob-content-disposition", "inline"),
            ("x-ms-blob-content-encoding", "gzip"),
            ("x-ms-blob-content-language", "en"),
            ("x-ms-blob-content-md5", "AQEBAQEBAQEBAQEBAQEBAQ=="),
            ("x-ms-blob-content-type", "a/b"),
            ("x-ms-blob-type", "BlockBlob"),
            ("x-ms-copy-source", "https://example.com/a.iso"),
            ("x-ms-copy-source-blob-properties", "false"),
            ("x-ms-copy-source-tag-option", "COPY"),
            ("x-ms-encryption-algorithm", "AES256"),
            ("x-ms-encryption-key", text),
            ("x-ms-encryption-key-sha256", key.sha256()),
            ("x-ms-source-encryption-algorithm", "AES256"),
            ("x-ms-source-encryption-key", text),
            ("x-ms-source-encryption-key-sha256", key.sha256()),
            ("x-ms-source-if-tags", "\"a\" = 'b'"),
        ];
        assert_eq!(headers, expected);
        assert!(!format!("{upload:?} {:?}", request).contains(text));
    }

    #[test]
    fn what_the_service_would_refuse_is_refused() {
        let key = || CustomerProvidedKey::new([7; 32]);
        let http = offline::blob_of("http://acct.blob.core.windows.net", "2026-04-06");
        let open = http.block_blob_client().upload_from_uri(&http);
        for (upload, what, rule) in [
            (upload("2020-02-10"), "service version", "2020-04-08"),
            (upload("2026-02-06").source_customer_key(key()), "service version", "2026-04-06"),
            (open.clone().customer_key(key()), "customer-provided key", "requires https"),
            (open.source_customer_key(key()), "source customer-provided key", "requires https"),
            (
                upload("2026-04-06").customer_key(key()).encryption_scope("s"),
                "encryption scope",
                "must not be combined with a customer-provided key",
            ),
            (upload("2026-04-06").content_type("a\nb"), "content type", "visible ASCII"),
        ] {
            let error = upload.prepared().expect_err(rule).to_string();
            assert!(error.starts_with(what) && error.contains(rule), "{error}");
        }
    }
}
