//! The guide: from a first copy to backups that can be restored.
//!
//! Every example runs against a [simulator](https://docs.rs/blobcopy-simulator) of the service; lines
//! that only set the stage, such as making the containers, are hidden.
//!
//! 1. [A first copy](first_copy)
//! 2. [How a copy ends](how_a_copy_ends), and what a program does about each ending
//! 3. [Five ways to copy](ways_to_copy): a table of sizes, accounts, authorization and what is kept
//! 4. [Authorize a source](authorize_a_source)
//! 5. [Back up a page blob, and restore it](backup_and_restore)
//! 6. [Which snapshots to keep](snapshots_to_keep), so that a series of incremental copies can go
//!    on
//! 7. [Mirror a disk](mirror_a_disk): its snapshots, managed disks, retention, restores, drills
//! 8. [Restart after a crash](restart_after_a_crash)
//! 9. [Many blobs, huge blobs](many_blobs_huge_blobs)
//! 10. [Test your backup code](test_your_code) under paused time
//! 11. [Coming from another library](coming_from): .NET, Python, `azure_storage_blob`,
//!     `object_store`, call by call
//!
//! The guide is in the documentation alone: there is nothing here to import.

/// A first copy.
///
#[doc = include_str!("first_copy.md")]
pub mod first_copy {}

/// How a copy ends.
///
#[doc = include_str!("how_a_copy_ends.md")]
pub mod how_a_copy_ends {}

/// Five ways to copy.
///
#[doc = include_str!("ways_to_copy.md")]
pub mod ways_to_copy {}

/// Authorize a source.
///
#[doc = include_str!("authorize_a_source.md")]
pub mod authorize_a_source {}

/// Back up a page blob, and restore it.
///
#[doc = include_str!("backup_and_restore.md")]
pub mod backup_and_restore {}

/// Which snapshots to keep.
///
#[doc = include_str!("snapshots_to_keep.md")]
pub mod snapshots_to_keep {}

/// Mirror a disk.
///
#[doc = include_str!("mirror_a_disk.md")]
pub mod mirror_a_disk {}

/// Restart after a crash.
///
#[doc = include_str!("restart_after_a_crash.md")]
pub mod restart_after_a_crash {}

/// Many blobs, huge blobs.
///
#[doc = include_str!("many_blobs_huge_blobs.md")]
pub mod many_blobs_huge_blobs {}

/// Test your backup code.
///
#[doc = include_str!("test_your_code.md")]
pub mod test_your_code {}

/// Coming from another library.
///
#[doc = include_str!("coming_from.md")]
pub mod coming_from {}
