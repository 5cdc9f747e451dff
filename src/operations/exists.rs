//! Whether a container or blob exists.

use crate::{
    error::Result,
    operations::operation::{Operation, builder},
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::transport::BoxFuture,
};

builder! {
    /// Checks whether a container or blob exists.
    ///
    /// Returned by [`BlobContainerClient::exists`](crate::BlobContainerClient::exists) and
    /// [`BlobClient::exists`](crate::BlobClient::exists).
    ///
    /// Awaiting it gives `false` for a 404 of the service. Every other refusal is an error, and so
    /// is a 404 without the service's headers, which comes from a proxy or gateway.
    ///
    /// [Get Container Properties](https://learn.microsoft.com/rest/api/storageservices/get-container-properties),
    /// [Get Blob Properties](https://learn.microsoft.com/rest/api/storageservices/get-blob-properties)
    Exists of Head
}

#[derive(Debug, Clone)]
pub(crate) enum Head {
    Blob,
    Container,
}

impl IntoFuture for Exists {
    type Output = Result<bool>;
    type IntoFuture = BoxFuture<'static, Result<bool>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.call.run(&self.operation).await {
                Ok(()) => Ok(true),
                Err(error) if error.is_not_found() => Ok(false),
                Err(error) => Err(error),
            }
        })
    }
}

impl Operation for Head {
    type Output = ();

    const NAME: &'static str = "Get Properties";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let of_container = matches!(self, Self::Container).then_some("container");
        to.head().query("restype", of_container).done()
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}
