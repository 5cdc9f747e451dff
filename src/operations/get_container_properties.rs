//! Get Container Properties.

use http::HeaderMap;
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    error::Result,
    models::{ETag, LeaseDuration, LeaseId, LeaseState, LeaseStatus, Metadata, PublicAccessType},
    operations::{
        operation::{Operation, builder},
        settings::access::with_lease,
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::http_date,
};

/// Properties of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ContainerProperties {
    /// The container's ETag. Changes to its metadata or access policies change it; writes of blobs
    /// do not.
    pub etag: Option<ETag>,
    /// When its metadata or access policies last changed.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The container's metadata. Names are in lower case.
    pub metadata: Metadata,
    /// What can be read without a credential; `None` for a private container.
    pub public_access: Option<PublicAccessType>,
    /// Whether the container is locked by a lease.
    pub lease_status: Option<LeaseStatus>,
    /// The state of the lease.
    pub lease_state: Option<LeaseState>,
    /// Whether the lease is fixed or infinite.
    pub lease_duration: Option<LeaseDuration>,
}

impl ContainerProperties {
    fn from_headers(headers: &HeaderMap) -> Self {
        let mut properties = Self::default();
        for (name, value) in headers {
            let Ok(value) = value.to_str() else { continue };
            match name.as_str() {
                "etag" => properties.etag = value.parse().ok(),
                "last-modified" => properties.last_modified = http_date::parse(value),
                "x-ms-blob-public-access" => properties.public_access = Some(value.into()),
                "x-ms-lease-status" => properties.lease_status = Some(value.into()),
                "x-ms-lease-state" => properties.lease_state = Some(value.into()),
                "x-ms-lease-duration" => properties.lease_duration = Some(value.into()),
                other => {
                    properties.metadata.read(other, value);
                }
            }
        }
        properties
    }
}

builder! {
    /// Reads a container's properties.
    ///
    /// Returned by
    /// [`BlobContainerClient::get_properties`](crate::BlobContainerClient::get_properties).
    ///
    /// [Get Container Properties](https://learn.microsoft.com/rest/api/storageservices/get-container-properties)
    GetContainerProperties of GetContainer -> ContainerProperties
}

#[derive(Debug, Clone, Default)]
pub(crate) struct GetContainer {
    lease_id: Option<LeaseId>,
}

with_lease!(GetContainerProperties, operation);

impl Operation for GetContainer {
    type Output = ContainerProperties;

    const NAME: &'static str = "Get Container Properties";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.head().query("restype", "container").settings(&self.lease_id).done()
    }

    fn parse(&self, answer: Answer) -> Result<ContainerProperties> {
        Ok(ContainerProperties::from_headers(&answer.headers))
    }
}
