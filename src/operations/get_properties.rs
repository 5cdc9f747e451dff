//! Get Blob Properties.

use crate::{
    error::Result,
    models::{BlobProperties, content_range},
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{Access, with_conditions, with_lease},
            encryption::with_customer_key,
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
        tries::Tries,
    },
    wire::transport::BoxFuture,
};

builder! {
    /// Reads a blob's properties.
    ///
    /// Returned by [`BlobClient::get_properties`](crate::BlobClient::get_properties).
    ///
    /// [Get Blob Properties](https://learn.microsoft.com/rest/api/storageservices/get-blob-properties)
    GetProperties of GetBlobProperties
}

#[derive(Debug, Clone, Default)]
pub(crate) struct GetBlobProperties {
    pub(super) access: Access,
}

with_conditions!(GetProperties, operation.access);
with_lease!(GetProperties, operation.access);
with_customer_key!(GetProperties, operation.access.encryption);

impl IntoFuture for GetProperties {
    type Output = Result<BlobProperties>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { call, operation } = self;
            let request = call.prepare(&operation)?;
            let answer = call.send(&operation, &request, &mut Tries::default()).await?;
            // Without a length, the blob would look empty.
            let content_length = content_range::length(&answer.headers).ok_or_else(|| {
                answer.unexpected("the response does not say how long the blob is")
            })?;
            Ok(BlobProperties { content_length, ..operation.parse(answer)? })
        })
    }
}

impl Operation for GetBlobProperties {
    type Output = BlobProperties;

    const NAME: &'static str = "Get Blob Properties";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.head().settings(&self.access).done()
    }

    /// Accepts a response without a length: watching a copy does not need it.
    fn parse(&self, answer: Answer) -> Result<BlobProperties> {
        BlobProperties::from_headers(&answer.headers).map_err(|why| answer.unexpected(why))
    }
}
