//! x
#![allow(dead_code)]

mod auth;
mod error;
mod models;
mod pipeline;

pub use self::{
    error::{CredentialError, Error, Result, ServiceError},
    models::{
        AccessTier, ArchiveStatus, BlobProperties, BlobType, CompletedCopy, Conditions, CopyId,
        CopyProgress, CopyState, CopyStatus, ETag, EchoedSource, ErrorCode, ImmutabilityPolicyMode,
        LeaseDuration, LeaseId, LeaseState, LeaseStatus, Metadata, RehydratePriority,
        ServiceVersion, SnapshotId, Tags, VersionId,
    },
    pipeline::clock::Clock,
};

/// The seam to the network: bring your own HTTP client, or wrap the default one.
pub mod transport {
    pub use crate::pipeline::transport::{
        Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind,
    };
}
