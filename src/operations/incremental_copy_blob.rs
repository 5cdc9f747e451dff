//! Incremental Copy Blob: the request. The response is that of any start.

use http::HeaderValue;

use super::copy_blob::started;
use crate::{
    error::Result,
    models::{Conditions, CopyState},
    operations::operation::Operation,
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

/// The settings of
/// [Incremental Copy Blob](https://learn.microsoft.com/rest/api/storageservices/incremental-copy-blob).
#[derive(Debug, Clone, Default)]
pub(crate) struct IncrementalCopyBlob {
    /// The value of `x-ms-copy-source`: the URL of a snapshot.
    pub(crate) source: Option<HeaderValue>,
    pub(crate) conditions: Conditions,
}

impl Operation for IncrementalCopyBlob {
    type Output = CopyState;

    const NAME: &'static str = "Incremental Copy Blob";
    const EFFECT: Effect = Effect::Once;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .query("comp", "incrementalcopy")
            .header(headers::COPY_SOURCE, self.source.clone())
            .check(self.conditions.check_write("conditions"))
            .settings(&self.conditions)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<CopyState> {
        started(&answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{models::ETag, operations::offline};

    #[test]
    fn it_sends_the_source_and_conditions_and_nothing_else() {
        let copy = IncrementalCopyBlob {
            source: Some(HeaderValue::from_static("https://a/c/b?snapshot=s&sig=x")),
            conditions: Conditions::new().if_match(ETag::ANY),
        };
        let request = copy.request(&offline::target()).expect("legal");
        assert_eq!(request.method, http::Method::PUT);
        assert_eq!(request.url.query(), Some("comp=incrementalcopy"));
        assert_eq!(request.headers.len(), 3);
        assert_eq!(request.headers["content-length"], "0");
        assert_eq!(request.headers["if-match"], "*");
        assert_eq!(request.headers["x-ms-copy-source"], "https://a/c/b?snapshot=s&sig=x");
    }
}
