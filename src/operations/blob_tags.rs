//! Get Blob Tags and Set Blob Tags.

use http::{HeaderValue, Method, header};
use url::Url;

use crate::{
    error::Result,
    models::{Conditions, LeaseId, ServiceVersion, Tags, tags},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::blob::{with_lease, write_lease},
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
};

/// Reads a blob's index tags: made by [`BlobClient::get_tags`](crate::BlobClient::get_tags).
///
/// [Get Blob Tags](https://learn.microsoft.com/rest/api/storageservices/get-blob-tags)
/// (from version 2019-12-12)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetTags {
    call: Call,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

/// Replaces a blob's index tags: made by [`BlobClient::set_tags`](crate::BlobClient::set_tags).
///
/// [Set Blob Tags](https://learn.microsoft.com/rest/api/storageservices/set-blob-tags)
/// (from version 2019-12-12)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct SetTags {
    call: Call,
    tags: Tags,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl GetTags {
    pub(crate) fn new(call: Call) -> Self {
        Self { call, conditions: Conditions::new(), lease_id: None }
    }
}

impl SetTags {
    pub(crate) fn new(call: Call, tags: Tags) -> Self {
        Self { call, tags, conditions: Conditions::new(), lease_id: None }
    }
}

/// The one condition that both have taken from the beginning, and those that came later.
macro_rules! tag_conditions {
    ($builder:ident) => {
        impl $builder {
            /// Conditions on the blob: `if_tags`, and the others from version 2026-02-06. Not
            /// met: 412.
            pub fn conditions(mut self, conditions: Conditions) -> Self {
                self.conditions = conditions;
                self
            }
        }
    };
}

call_options!(GetTags);
tag_conditions!(GetTags);
with_lease!(GetTags);
awaitable!(GetTags -> Tags);

call_options!(SetTags);
tag_conditions!(SetTags);
with_lease!(SetTags);
awaitable!(SetTags -> ());

fn check(call: &Call, conditions: &Conditions) -> Result<()> {
    call.since(ServiceVersion::TAGS, "tags")?;
    if conditions.has_more_than_tags() {
        call.since(ServiceVersion::TAG_CONDITIONS, "conditions on tags other than if_tags")?;
    }
    Ok(())
}

impl Operation for GetTags {
    type Output = Tags;

    const NAME: &'static str = "Get Blob Tags";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        check(&self.call, &self.conditions)?;
        let mut request = Prepared::new(Method::GET, url).query("comp", "tags");
        self.conditions.write("conditions", &mut request.headers)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<Tags> {
        tags::parse(answer.body.as_bytes()).map_err(|why| answer.unexpected(why))
    }
}

impl Operation for SetTags {
    type Output = ();

    const NAME: &'static str = "Set Blob Tags";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        check(&self.call, &self.conditions)?;
        let mut request = Prepared::new(Method::PUT, url)
            .query("comp", "tags")
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"))
            .body(self.tags.xml()?.into());
        self.conditions.write("conditions", &mut request.headers)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{models::ETag, operations::offline};

    #[test]
    fn tags_go_there_and_back() {
        let blob = offline::blob();
        let tags = Tags::from([("a b", "<1> & 2"), ("empty", "")]);
        let request = blob.call().prepare(&blob.set_tags(tags.clone())).expect("legal");
        assert_eq!(request.url.query(), Some("comp=tags"));
        let body: &'static str = String::from_utf8(request.body.to_vec()).expect("text").leak();
        let read = blob.get_tags().parse(offline::answer(200, "", body)).expect("well formed");
        assert_eq!(read, tags);
    }

    #[test]
    fn what_an_older_service_would_overlook_is_refused() {
        let blob = offline::blob_at("2019-07-07");
        let error = blob.call().prepare(&blob.get_tags()).expect_err("too old").to_string();
        assert!(error.starts_with("service version: ") && error.contains("2019-12-12"), "{error}");
        let blob = offline::blob_at("2025-11-05");
        let by_tags = blob.get_tags().conditions(Conditions::new().if_tags("\"a\" = 'b'"));
        assert!(blob.call().prepare(&by_tags).is_ok());
        let by_etag = blob.set_tags([("k", "v")]).conditions(Conditions::new().if_match(ETag::ANY));
        let error = blob.call().prepare(&by_etag).expect_err("too old").to_string();
        assert!(error.contains("2026-02-06"), "{error}");
    }
}
