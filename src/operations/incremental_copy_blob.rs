//! Incremental Copy Blob: the request; the answer is that of any start.

use http::{HeaderValue, Method};
use url::Url;

use super::copy_blob::started;
use crate::{
    error::Result,
    models::{Conditions, CopyState},
    operations::operation::Operation,
    pipeline::{
        request::{Prepared, Repeat},
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
    const REPEAT: Repeat = Repeat::Reconcile;

    fn request(&self, url: Url) -> Result<Prepared> {
        self.conditions.check_write("conditions")?;
        let mut request = Prepared::new(Method::PUT, url).query("comp", "incrementalcopy");
        if let Some(source) = &self.source {
            request = request.header(headers::COPY_SOURCE, source.clone());
        }
        self.conditions.write("conditions", &mut request.headers)?;
        Ok(request)
    }

    fn parse(&self, answer: Answer) -> Result<CopyState> {
        started(&answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ETag;

    #[test]
    fn it_sends_the_source_and_conditions_and_nothing_else() {
        let copy = IncrementalCopyBlob {
            source: Some(HeaderValue::from_static("https://a/c/b?snapshot=s&sig=x")),
            conditions: Conditions::new().if_match(ETag::ANY),
        };
        let url = "https://a.blob.core.windows.net/c/b".parse().expect("a URL");
        let request = copy.request(url).expect("legal");
        assert_eq!(request.method, Method::PUT);
        assert_eq!(request.url.query(), Some("comp=incrementalcopy"));
        assert_eq!(request.headers.len(), 3);
        assert_eq!(request.headers["content-length"], "0");
        assert_eq!(request.headers["if-match"], "*");
        assert_eq!(request.headers["x-ms-copy-source"], "https://a/c/b?snapshot=s&sig=x");
    }
}
