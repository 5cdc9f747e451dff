//! Create Container.

use crate::{
    error::Result,
    models::{Metadata, PublicAccessType},
    operations::{
        operation::{Operation, builder},
        settings::whole_blob::with_metadata,
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

builder! {
    /// Creates a container.
    ///
    /// Returned by [`BlobContainerClient::create`](crate::BlobContainerClient::create).
    ///
    /// The service answers 409 `ContainerAlreadyExists` if a container with this name exists.
    ///
    /// [Create Container](https://learn.microsoft.com/rest/api/storageservices/create-container)
    CreateContainer of Create -> ()
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Create {
    metadata: Metadata,
    public_access: Option<PublicAccessType>,
}

impl CreateContainer {
    /// Allows reads without a credential. By default the container is private.
    pub fn public_access(mut self, access: PublicAccessType) -> Self {
        self.operation.public_access = Some(access);
        self
    }
}

with_metadata!(CreateContainer, operation);

impl Operation for Create {
    type Output = ();

    const NAME: &'static str = "Create Container";
    const EFFECT: Effect = Effect::Once;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let access = self.public_access.as_ref().map(|access| access.as_str());
        to.put()
            .query("restype", "container")
            .headers(|to| self.metadata.write(to))
            .text(headers::PUBLIC_ACCESS, "public access", access)
            .done()
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}
