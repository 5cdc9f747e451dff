//! Get Blob Properties.

use http::Method;
use url::Url;

use crate::{
    error::Result,
    models::{BlobProperties, Conditions, LeaseId, content_range},
    operations::{
        operation::{Call, Operation, call_options},
        settings::{
            blob::{with_conditions, with_lease, write_lease},
            encryption::{Encryption, with_customer_key},
        },
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
        tries::Tries,
    },
    wire::transport::BoxFuture,
};

/// Reads a blob's properties: made by
/// [`BlobClient::get_properties`](crate::BlobClient::get_properties).
///
/// [Get Blob Properties](https://learn.microsoft.com/rest/api/storageservices/get-blob-properties)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetProperties {
    call: Call,
    encryption: Encryption,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl GetProperties {
    pub(crate) fn new(call: Call) -> Self {
        let (encryption, conditions) = (Encryption::default(), Conditions::new());
        Self { call, encryption, conditions, lease_id: None }
    }

    /// The same for who reads the content with this key and this lease.
    pub(super) fn read_with(mut self, encryption: Encryption, lease_id: Option<LeaseId>) -> Self {
        (self.encryption, self.lease_id) = (encryption, lease_id);
        self
    }
}

call_options!(GetProperties);
with_conditions!(GetProperties);
with_lease!(GetProperties);
with_customer_key!(GetProperties);

impl IntoFuture for GetProperties {
    type Output = Result<BlobProperties>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let request = self.call.prepare(&self)?;
            let answer = self.call.send(&self, &request, &mut Tries::default()).await?;
            // Without one, a blob would look empty.
            let content_length = content_range::length(&answer.headers)
                .ok_or_else(|| answer.unexpected("the answer does not say how long the blob is"))?;
            Ok(BlobProperties { content_length, ..self.parse(answer)? })
        })
    }
}

impl Operation for GetProperties {
    type Output = BlobProperties;

    const NAME: &'static str = "Get Blob Properties";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        let mut request = Prepared::new(Method::HEAD, url);
        self.conditions.write("conditions", &mut request.headers)?;
        request = self.encryption.write(&self.call, request)?;
        write_lease(request, self.lease_id.as_ref())
    }

    /// Without a length where the answer has none: who watches a copy needs none.
    fn parse(&self, answer: Answer) -> Result<BlobProperties> {
        BlobProperties::from_headers(&answer.headers).map_err(|why| answer.unexpected(why))
    }
}
