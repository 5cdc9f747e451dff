//! Whether a container or blob is there.

use http::Method;
use url::Url;

use crate::{
    error::Result,
    operations::operation::{Call, Operation, call_options},
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::transport::BoxFuture,
};

/// Asks whether a container or blob exists: made by
/// [`BlobContainerClient::exists`](crate::BlobContainerClient::exists) and
/// [`BlobClient::exists`](crate::BlobClient::exists).
///
/// The service's 404 is the answer no. Any other refusal is an error, and so is a 404 that has none
/// of the service's headers, as a proxy or gateway gives it.
///
/// [Get Container Properties](https://learn.microsoft.com/rest/api/storageservices/get-container-properties),
/// [Get Blob Properties](https://learn.microsoft.com/rest/api/storageservices/get-blob-properties)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct Exists {
    call: Call,
    of_container: bool,
}

impl Exists {
    pub(crate) fn container(call: Call) -> Self {
        Self { call, of_container: true }
    }

    pub(crate) fn blob(call: Call) -> Self {
        Self { call, of_container: false }
    }
}

call_options!(Exists);

impl IntoFuture for Exists {
    type Output = Result<bool>;
    type IntoFuture = BoxFuture<'static, Result<bool>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.call.run(&self).await {
                Ok(()) => Ok(true),
                Err(error) if error.is_not_found() => Ok(false),
                Err(error) => Err(error),
            }
        })
    }
}

impl Operation for Exists {
    type Output = ();

    const NAME: &'static str = "Get Properties";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        let request = Prepared::new(Method::HEAD, url);
        Ok(if self.of_container { request.query("restype", "container") } else { request })
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}
