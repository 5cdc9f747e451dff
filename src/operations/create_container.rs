//! Create Container.

use http::Method;
use url::Url;

use crate::{
    error::Result,
    models::{Metadata, PublicAccessType},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::blob::with_metadata,
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::headers,
};

/// Creates a container: made by
/// [`BlobContainerClient::create`](crate::BlobContainerClient::create).
///
/// Refused with 409 `ContainerAlreadyExists` if there is one of that name.
///
/// [Create Container](https://learn.microsoft.com/rest/api/storageservices/create-container)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct CreateContainer {
    call: Call,
    metadata: Metadata,
    public_access: Option<PublicAccessType>,
}

impl CreateContainer {
    pub(crate) fn new(call: Call) -> Self {
        Self { call, metadata: Metadata::new(), public_access: None }
    }

    /// Lets anyone read, without a credential. By default no one may.
    pub fn public_access(mut self, access: PublicAccessType) -> Self {
        self.public_access = Some(access);
        self
    }
}

call_options!(CreateContainer);
with_metadata!(CreateContainer);
awaitable!(CreateContainer -> ());

impl Operation for CreateContainer {
    type Output = ();

    const NAME: &'static str = "Create Container";
    const REPEAT: Repeat = Repeat::Never;

    fn request(&self, url: Url) -> Result<Prepared> {
        let mut request = Prepared::new(Method::PUT, url).query("restype", "container");
        self.metadata.write(&mut request.headers)?;
        if let Some(access) = &self.public_access {
            request = request.text(headers::PUBLIC_ACCESS, "public access", access.as_str())?;
        }
        Ok(request)
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}
