//! Server-side copies in Azure Blob Storage: start them, watch them, and learn how they really
//! ended.
//!
//! The service moves the bytes; this crate starts the copy, watches it, and reports how it ended.
//! It is modelled on .NET's `PageBlobClient.StartCopyIncrementalAsync` and `CopyFromUriOperation`.
//!
//! ```
//! # blobcopy_simulator::example(async |service| {
//! // let service = BlobServiceClient::from_connection_string(&connection_string)?;
//! let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
//! let backup = service.container_client("backups").page_blob_client("disk0.vhd");
//!
//! let snapshot = disk.create_snapshot().await?.snapshot;
//! let mut copy = backup.start_copy_incremental(&disk, &snapshot).await?;
//! let done = copy.wait().on_progress(|state| println!("{state}")).await?;
//!
//! println!("copied snapshot {:?}", done.source_snapshot);
//! println!("kept as snapshot {}", done.destination_snapshot.unwrap());
//! # Ok(()) });
//! ```
//!
//! # Where to begin
//!
#![cfg_attr(
    any(doc, doctest),
    doc = "- The [guide](guide) goes from a first copy to backups that can be restored."
)]
//! - [`BlobServiceClient`] represents an account and creates the other clients:
//!   [`BlobContainerClient`], [`BlobClient`], [`PageBlobClient`], [`BlockBlobClient`] and
//!   [`AppendBlobClient`]. Every operation is a method that returns a builder: chain the optional
//!   settings, then `.await` it.
//! - [`PageBlobClient::start_copy_incremental`] and [`BlobClient::start_copy_from_uri`] start a
//!   copy and return a [`CopyFromUriOperation`]; its page lists how a copy can end.
//! - [`CopySource`] names the source of a copy and authorizes the service to read it.
//! - [`Pager`] is what listings and page ranges return: a stream of items across all pages.
//! - [`Error`] says what went wrong, whether a retry can help, and whether the call may have been
//!   applied anyway.
//! - [`ClientOptions`] sets retries, time limits and the [`transport`].
//! - [`blobcopy-simulator`](https://docs.rs/blobcopy-simulator) is a local model of the service for
//!   your tests.
//!
//! # Features
//!
//! - `rustls` (default): TLS by rustls with ring and the platform's certificate verifier.
//! - `aws-lc`: TLS by rustls with AWS-LC instead of ring. It adds post-quantum key exchange, and
//!   FIPS 140-3 if the program enables the feature `fips` of rustls. Its C code takes minutes to
//!   build.
//! - `native-tls`: TLS by the operating system's library. Disable the default features: if both are
//!   enabled, rustls is used.
//! - `azure_core`: the credentials of the Azure SDK for Rust authorize clients
#![cfg_attr(feature = "azure_core", doc = "  ([`Credential::from_token_credential`]).")]
#![cfg_attr(not(feature = "azure_core"), doc = "  (`Credential::from_token_credential`).")]
//! - `resource-manager`: Azure Resource Manager lists the snapshots of managed disks and grants
//!   access to them
#![cfg_attr(feature = "resource-manager", doc = "  ([`ResourceManager`]).")]
#![cfg_attr(not(feature = "resource-manager"), doc = "  (`ResourceManager`).")]
//!
//! This crate never installs a process-wide rustls cryptography provider. If the program has
//! installed one (`CryptoProvider::install_default`), it is used instead of ring or AWS-LC.
//!
//! `rustls` and `aws-lc` enable the feature `rustls-no-provider` of `reqwest`. A program that
//! builds its own `reqwest` clients must install a provider or enable a TLS feature of `reqwest`,
//! such as the default one; otherwise `reqwest` panics when it builds a client.

#![cfg_attr(docsrs, feature(doc_cfg))]

// Before `clients`, so that the page of `CopyFromUriOperation` begins with its own methods.
mod copy;

mod auth;
mod clients;
pub mod disks;
mod error;
pub mod jobs;
mod models;
mod operations;
mod pipeline;
mod wire;

pub use self::{
    auth::{
        credential::Credential,
        sas::SasToken,
        shared_key::SharedKey,
        token::{AccessToken, TokenProvider},
    },
    clients::{
        AppendBlobClient, BlobClient, BlobContainerClient, BlobServiceClient, BlockBlobClient,
        ClientBuilder, GuardedPages, Lease, PageBlobClient,
    },
    copy::{AbortOutcome, CopyFromUriOperation, CopyToken, ProgressStream},
    error::{CredentialError, Error, Result, ServiceError},
    models::{
        AccessTier, ArchiveStatus, BlobContentInfo, BlobCopyInfo, BlobHierarchyItem, BlobItem,
        BlobProperties, BlobType, Block, BlockId, BlockInfo, BlockList, BlockListEntry,
        CompletedCopy, Conditions, ContainerItem, ContentCrc64, ContentMd5, CopyId, CopyProgress,
        CopySourceUrl, CopyState, CopyStatus, CustomerProvidedKey, ETag, ErrorCode,
        ImmutabilityPolicyMode, LeaseDuration, LeaseId, LeaseState, LeaseStatus, Metadata,
        PageInfo, PageRange, PageRangeItem, PublicAccessType, RehydratePriority, ServiceVersion,
        SnapshotId, Tags, VersionId,
    },
    operations::{
        append_block::BlobAppendInfo,
        create_snapshot::BlobSnapshotInfo,
        delete_blob::DeleteSnapshots,
        download::Download,
        get_container_properties::ContainerProperties,
        get_page_ranges::PageRanges,
        lease::BlobLease,
        list_blobs::{BlobInclude, BlobPage},
        list_containers::{ContainerInclude, ContainerPage},
        list_snapshots::BlobSnapshotItem,
        paging::{Pager, PagerItem, Pages},
        set_page_blob_properties::SequenceNumberAction,
        set_tier::TierChange,
        settings::copy_source::CopySource,
    },
    pipeline::options::{ClientOptions, RetryOptions},
    wire::clock::Clock,
};

/// Crates whose types are in this crate's signatures, in the version that it uses.
///
/// Take them from here, or depend on the same major version.
#[doc(no_inline)]
pub use {bytes, futures_core, http, time, url};

#[cfg(feature = "resource-manager")]
pub use self::clients::{ResourceManager, ResourceManagerBuilder};

/// The crate whose credentials [`Credential::from_token_credential`] takes, in the version that
/// this crate uses.
#[cfg(feature = "azure_core")]
#[doc(no_inline)]
pub use azure_core;

/// Shared access signatures: time-limited permissions in a URL.
///
/// From [Delegate access with a shared access
/// signature](https://learn.microsoft.com/rest/api/storageservices/delegate-access-with-shared-access-signature).
pub mod sas {
    pub use crate::auth::sas::*;
}

/// The builders that the clients' methods return: chain settings, then `.await`.
pub mod builders {
    pub use crate::{
        clients::{GenerateAccountSasUrl, GenerateSasUrl, GuardLease, GuardWrites},
        copy::{AbortPendingCopy, ResumePendingCopy, StartCopyFromUri, StartCopyIncremental, Wait},
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
            get_page_ranges_diff::DiffSize,
            get_properties::GetProperties,
            get_user_delegation_key::GetUserDelegationKey,
            lease::{AcquireLease, BreakLease, ChangeLease, ReleaseLease, RenewLease},
            set_metadata::SetMetadata,
            set_page_blob_properties::{Resize, SetSequenceNumber},
            set_properties::SetProperties,
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

/// The connection to the network: bring your own HTTP client, or wrap the default one.
pub mod transport {
    pub use crate::wire::transport::{
        Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind,
    };
}

#[cfg(any(doc, doctest))]
pub mod guide;

/// The quick start of the README, which compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
