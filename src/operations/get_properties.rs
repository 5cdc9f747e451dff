//! Get Blob Properties.

use http::Method;
use url::Url;

use super::{
    Call, Operation, awaitable, call_options,
    encryption::{Encryption, with_customer_key},
    with_conditions, with_lease, write_lease,
};
use crate::{
    error::Result,
    models::{BlobProperties, Conditions, LeaseId},
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
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
}

call_options!(GetProperties);
with_conditions!(GetProperties);
with_lease!(GetProperties);
with_customer_key!(GetProperties);
awaitable!(GetProperties -> BlobProperties);

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

    fn parse(&self, answer: Answer) -> Result<BlobProperties> {
        BlobProperties::from_headers(Self::NAME, &answer.headers)
    }
}
