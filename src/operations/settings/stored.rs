//! Headers that the service stores with a blob and returns with its content.

use std::fmt;

use http::HeaderName;

use crate::{
    pipeline::request::{Prepared, Settings},
    wire::redaction,
};

/// Each header: its name, its name in errors, its value.
#[derive(Clone, Default)]
pub(crate) struct Stored(Vec<(HeaderName, &'static str, String)>);

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, _, value)| (name.as_str(), redaction::Shown(value)));
        f.debug_map().entries(shown).finish()
    }
}

impl Stored {
    /// Sets a header; replaces an earlier value.
    pub(crate) fn set(&mut self, name: HeaderName, what: &'static str, value: impl Into<String>) {
        self.0.retain(|(other, ..)| *other != name);
        self.0.push((name, what, value.into()));
    }
}

impl Settings for Stored {
    fn write(&self, request: Prepared) -> Prepared {
        let add = |request: Prepared, (name, what, value): &(HeaderName, &'static str, String)| {
            request.text(name.clone(), what, value.as_str())
        };
        self.0.iter().fold(request, add)
    }
}

/// The stored headers for a builder.
macro_rules! with_stored_headers {
    ($builder:ident) => {
        crate::operations::settings::stored::with_stored_headers!(
            $builder,
            "The `Content-Type` to store with the blob. By default `application/octet-stream`."
        );
    };
    ($builder:ident, $content_type:literal) => {
        impl $builder {
            #[doc = $content_type]
            pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
                let name = crate::wire::headers::BLOB_CONTENT_TYPE;
                self.operation.blob.stored.set(name, "content type", media_type);
                self
            }

            /// The `Content-Encoding` to store with the blob.
            pub fn content_encoding(mut self, encoding: impl Into<String>) -> Self {
                let name = crate::wire::headers::BLOB_CONTENT_ENCODING;
                self.operation.blob.stored.set(name, "content encoding", encoding);
                self
            }

            /// The `Content-Language` to store with the blob.
            pub fn content_language(mut self, language: impl Into<String>) -> Self {
                let name = crate::wire::headers::BLOB_CONTENT_LANGUAGE;
                self.operation.blob.stored.set(name, "content language", language);
                self
            }

            /// The `Content-Disposition` to store with the blob (from version 2013-08-15).
            pub fn content_disposition(mut self, disposition: impl Into<String>) -> Self {
                let name = crate::wire::headers::BLOB_CONTENT_DISPOSITION;
                self.operation.blob.stored.set(name, "content disposition", disposition);
                self
            }

            /// The `Cache-Control` to store with the blob.
            pub fn cache_control(mut self, directives: impl Into<String>) -> Self {
                let name = crate::wire::headers::BLOB_CACHE_CONTROL;
                self.operation.blob.stored.set(name, "cache control", directives);
                self
            }
        }
    };
}
pub(crate) use with_stored_headers;

#[cfg(test)]
mod tests {
    use crate::operations::offline::{self, sent};

    #[test]
    fn the_last_word_counts_and_each_header_has_its_name() {
        let blob = offline::blob();
        let upload = blob
            .block_blob_client()
            .upload("x")
            .content_type("a/b")
            .content_type("text/x")
            .content_encoding("gzip")
            .content_language("en")
            .content_disposition("inline")
            .cache_control("no-store");
        let request = upload.prepared().expect("legal");
        let stored: Vec<_> = sent(&request.headers)
            .into_iter()
            .filter(|(name, _)| name.starts_with("x-ms-blob-c"))
            .collect();
        assert_eq!(
            stored,
            [
                ("x-ms-blob-cache-control", "no-store"),
                ("x-ms-blob-content-disposition", "inline"),
                ("x-ms-blob-content-encoding", "gzip"),
                ("x-ms-blob-content-language", "en"),
                ("x-ms-blob-content-type", "text/x"),
            ]
        );
    }
}
