//! x
#![allow(dead_code)]

mod error;
mod models;
mod pipeline;
#[cfg(feature = "simulator")]
pub mod simulator;

pub use self::{
    error::{CredentialError, Error, Result, ServiceError},
    models::{
        AccessTier, ArchiveStatus, BlobType, CompletedCopy, CopyId, CopyProgress, CopyState,
        CopyStatus, ETag, EchoedSource, ErrorCode, ImmutabilityPolicyMode, LeaseDuration, LeaseId,
        LeaseState, LeaseStatus, RehydratePriority, SnapshotId, VersionId,
    },
    pipeline::clock::Clock,
};

/// The seam to the network: bring your own HTTP client, or wrap the default one.
pub mod transport {
    pub use crate::pipeline::transport::{
        Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind,
    };
}
