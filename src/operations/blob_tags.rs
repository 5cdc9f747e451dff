//! Get Blob Tags and Set Blob Tags.

use http::header;

use crate::{
    error::Result,
    models::{
        Conditions, LeaseId, Tags,
        since::{self, Since},
        tags,
    },
    operations::{
        operation::{Operation, builder},
        settings::access::with_lease,
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
};

builder! {
    /// Reads a blob's index tags.
    ///
    /// Returned by [`BlobClient::get_tags`](crate::BlobClient::get_tags).
    ///
    /// [Get Blob Tags](https://learn.microsoft.com/rest/api/storageservices/get-blob-tags)
    /// (from version 2019-12-12)
    GetTags of GetBlobTags -> Tags
}

#[derive(Debug, Clone, Default)]
pub(crate) struct GetBlobTags {
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

builder! {
    /// Replaces a blob's index tags.
    ///
    /// Returned by [`BlobClient::set_tags`](crate::BlobClient::set_tags).
    ///
    /// [Set Blob Tags](https://learn.microsoft.com/rest/api/storageservices/set-blob-tags)
    /// (from version 2019-12-12)
    SetTags of SetBlobTags -> ()
}

#[derive(Debug, Clone)]
pub(crate) struct SetBlobTags {
    tags: Tags,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl SetBlobTags {
    pub(crate) fn new(tags: Tags) -> Self {
        Self { tags, conditions: Conditions::new(), lease_id: None }
    }
}

/// Conditions of both operations: `if_tags` from the start, the others from a later version.
macro_rules! tag_conditions {
    ($builder:ident) => {
        impl $builder {
            /// Conditions on the blob: `if_tags`; the others from version 2026-02-06. If they are
            /// not met, the service answers 412.
            pub fn conditions(mut self, conditions: Conditions) -> Self {
                self.operation.conditions = conditions;
                self
            }
        }
    };
}

tag_conditions!(GetTags);
with_lease!(GetTags, operation);

tag_conditions!(SetTags);
with_lease!(SetTags, operation);

/// What the service version must know if there are conditions other than `if_tags`.
fn newer_conditions(conditions: &Conditions) -> Option<Since> {
    conditions.has_more_than_tags().then_some(since::TAG_CONDITIONS)
}

impl Operation for GetBlobTags {
    type Output = Tags;

    const NAME: &'static str = "Get Blob Tags";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.get()
            .query("comp", "tags")
            .since(newer_conditions(&self.conditions))
            .settings(&self.conditions)
            .settings(&self.lease_id)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<Tags> {
        tags::parse(answer.body.as_bytes()).map_err(|why| answer.unexpected(why))
    }
}

impl Operation for SetBlobTags {
    type Output = ();

    const NAME: &'static str = "Set Blob Tags";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .query("comp", "tags")
            .word(header::CONTENT_TYPE, "application/xml")
            .with(self.tags.xml(), |request, xml| request.body(xml.into()))
            .since(newer_conditions(&self.conditions))
            .settings(&self.conditions)
            .settings(&self.lease_id)
            .done()
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
        let request = blob.set_tags(tags.clone()).prepared().expect("legal");
        assert_eq!(request.url.query(), Some("comp=tags"));
        let body: &'static str = String::from_utf8(request.body.to_vec()).expect("text").leak();
        let read =
            blob.get_tags().operation.parse(offline::answer(200, "", body)).expect("well formed");
        assert_eq!(read, tags);
    }

    #[test]
    fn what_an_older_service_would_overlook_is_refused() {
        let blob = offline::blob_at("2019-07-07");
        let error = blob.get_tags().prepared().expect_err("too old").to_string();
        assert!(error.starts_with("service version: ") && error.contains("2019-12-12"), "{error}");
        let blob = offline::blob_at("2025-11-05");
        let by_tags = blob.get_tags().conditions(Conditions::new().if_tags("\"a\" = 'b'"));
        assert!(by_tags.prepared().is_ok());
        let by_etag = blob.set_tags([("k", "v")]).conditions(Conditions::new().if_match(ETag::ANY));
        let error = by_etag.prepared().expect_err("too old").to_string();
        assert!(error.contains("2026-02-06"), "{error}");
    }
}
