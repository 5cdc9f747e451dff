//! Server-side copies in Azure Blob Storage: start them, watch them, and know how they really
//! ended.
//!
//! The service does the copying; this crate asks for it correctly, watches it truthfully, and
//! survives what happens on the way. Its shape is that of .NET's
//! `PageBlobClient.StartCopyIncrementalAsync` and its `CopyFromUriOperation`.
//!
//! ```
//! # blobcopy::simulator::example(async |service| {
//! // let service = BlobServiceClient::from_connection_string(&connection_string)?;
//! let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
//! let backup = service.container_client("backups").page_blob_client("disk0.vhd");
//!
//! let snapshot = disk.create_snapshot().await?.snapshot;
//! let mut copy = backup.start_copy_incremental(&disk, &snapshot).await?;
//! let done = copy.wait().on_progress(|state| println!("{state}")).await?;
//!
//! println!("a disk of {} bytes", done.bytes_total.unwrap_or(0));
//! println!("kept as snapshot {}", done.destination_snapshot.unwrap());
//! # Ok(()) });
//! ```
//!
//! # Where to begin
//!
//! - [`BlobServiceClient`] is an account; from it come [`BlobContainerClient`], [`BlobClient`],
//!   [`PageBlobClient`], [`BlockBlobClient`] and [`AppendBlobClient`]. Every operation is a method that returns a builder;
//!   set what you need, then `.await` it.
//! - [`PageBlobClient::start_copy_incremental`] and [`BlobClient::start_copy_from_uri`] start a
//!   copy and give a [`CopyFromUriOperation`], which tells how copies end, and what a caller gets
//!   for each.
//! - [`CopySource`] says how the service is allowed to read the source.
//! - [`Error`] says what went wrong, whether to try again, and whether it may have worked all the
//!   same.
//! - [`ClientOptions`] sets retries, time limits and the [`transport`].
#![cfg_attr(
    feature = "simulator",
    doc = "- [`simulator`] is a model of the service, to test against."
)]
//!
//! # Features
//!
//! - `rustls` (default): TLS by rustls and the platform's certificate verifier.
//! - `native-tls`: TLS by the operating system's library.
//! - `simulator`: a stateful model of the blob service, in process or on a loopback port.
//! - `simulator-https`: the simulator takes https too, with a certificate that it makes itself.
//! - `azure_core`: the credentials of the Azure SDK for Rust authorize clients
#![cfg_attr(feature = "azure_core", doc = "  ([`Credential::from_token_credential`]).")]
#![cfg_attr(not(feature = "azure_core"), doc = "  (`Credential::from_token_credential`).")]

mod auth;
mod clients;
mod copy;
mod error;
mod models;
mod operations;
mod pipeline;
#[cfg(feature = "simulator")]
pub mod simulator;
mod wire;

pub use self::auth::credential::Credential;
pub use self::auth::sas::SasToken;
pub use self::auth::shared_key::SharedKey;
pub use self::auth::token::AccessToken;
pub use self::auth::token::TokenProvider;
pub use self::clients::AppendBlobClient;
pub use self::clients::BlobClient;
pub use self::clients::BlobContainerClient;
pub use self::clients::BlobServiceClient;
pub use self::clients::BlobServiceClientBuilder;
pub use self::clients::BlockBlobClient;
pub use self::clients::Lease;
pub use self::clients::PageBlobClient;
pub use self::copy::AbortOutcome;
pub use self::copy::CopyFromUriOperation;
pub use self::copy::CopySource;
pub use self::copy::CopyToken;
pub use self::error::CredentialError;
pub use self::error::Error;
pub use self::error::Result;
pub use self::error::ServiceError;
pub use self::models::AccessTier;
pub use self::models::ArchiveStatus;
pub use self::models::BlobContentInfo;
pub use self::models::BlobCopyInfo;
pub use self::models::BlobHierarchyItem;
pub use self::models::BlobItem;
pub use self::models::BlobProperties;
pub use self::models::BlobType;
pub use self::models::Block;
pub use self::models::BlockId;
pub use self::models::BlockInfo;
pub use self::models::BlockList;
pub use self::models::BlockListEntry;
pub use self::models::CompletedCopy;
pub use self::models::Conditions;
pub use self::models::ContainerItem;
pub use self::models::CopyId;
pub use self::models::CopyProgress;
pub use self::models::CopySourceUrl;
pub use self::models::CopyState;
pub use self::models::CopyStatus;
pub use self::models::CustomerProvidedKey;
pub use self::models::ETag;
pub use self::models::ErrorCode;
pub use self::models::ImmutabilityPolicyMode;
pub use self::models::LeaseDuration;
pub use self::models::LeaseId;
pub use self::models::LeaseState;
pub use self::models::LeaseStatus;
pub use self::models::Metadata;
pub use self::models::PageInfo;
pub use self::models::PageRange;
pub use self::models::PageRangeItem;
pub use self::models::PublicAccessType;
pub use self::models::RehydratePriority;
pub use self::models::ServiceVersion;
pub use self::models::SnapshotId;
pub use self::models::Tags;
pub use self::models::VersionId;
pub use self::operations::append_block::BlobAppendInfo;
pub use self::operations::create_snapshot::BlobSnapshotInfo;
pub use self::operations::delete_blob::DeleteSnapshots;
pub use self::operations::download::Download;
pub use self::operations::get_container_properties::ContainerProperties;
pub use self::operations::get_page_ranges::PageRanges;
pub use self::operations::get_page_ranges_diff::PageRangesDiff;
pub use self::operations::lease::BlobLease;
pub use self::operations::list_blobs::BlobInclude;
pub use self::operations::list_blobs::BlobPage;
pub use self::operations::list_containers::ContainerPage;
pub use self::operations::set_page_blob_properties::SequenceNumberAction;
pub use self::operations::set_tier::TierChange;
pub use self::pipeline::options::ClientOptions;
pub use self::pipeline::options::RetryOptions;
pub use crate::wire::clock::Clock;

/// Shared access signatures: time-limited permissions in a URL.
///
/// From [Delegate access with a shared access
/// signature](https://learn.microsoft.com/rest/api/storageservices/delegate-access-with-shared-access-signature).
pub mod sas {
    pub use crate::auth::sas::*;
}

/// The builders that the clients' methods return: settings to chain, and then to `.await`.
pub mod builders {
    pub use crate::{
        clients::{GenerateSasUrl, GuardLease},
        copy::{AbortPendingCopy, StartCopyFromUri, StartCopyIncremental, Wait},
        operations::{
            abort_copy::AbortCopy,
            append_block::{AppendBlock, AppendBlockFromUri},
            blob_tags::{GetTags, SetTags},
            clear_pages::ClearPages,
            commit_block_list::CommitBlockList,
            copy_from_uri::CopyFromUri,
            create_append_blob::CreateAppendBlob,
            create_container::CreateContainer,
            create_page_blob::CreatePageBlob,
            create_snapshot::CreateSnapshot,
            delete_blob::DeleteBlob,
            delete_container::DeleteContainer,
            download::DownloadBlob,
            exists::Exists,
            get_block_list::GetBlockList,
            get_container_properties::GetContainerProperties,
            get_page_ranges::GetPageRanges,
            get_page_ranges_diff::{DiffSize, GetPageRangesDiff},
            get_properties::GetProperties,
            get_user_delegation_key::GetUserDelegationKey,
            lease::{AcquireLease, BreakLease, ChangeLease, ReleaseLease, RenewLease},
            list_blobs::{ListBlobs, ListBlobsByHierarchy},
            list_containers::ListContainers,
            set_metadata::SetMetadata,
            set_page_blob_properties::{Resize, SetSequenceNumber},
            set_tier::SetTier,
            stage_block::StageBlock,
            stage_block_from_uri::StageBlockFromUri,
            upload_blob::UploadBlob,
            upload_blob_from_uri::UploadBlobFromUri,
            upload_pages::UploadPages,
            upload_pages_from_uri::UploadPagesFromUri,
        },
    };
}

/// The seam to the network: bring your own HTTP client, or wrap the default one.
pub mod transport {
    pub use crate::wire::transport::{
        Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind,
    };
}

/// The quick start of the README, which compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
