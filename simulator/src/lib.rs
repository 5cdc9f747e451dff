//! A local model of Azure Blob Storage, for tests of code that copies blobs. It runs inside the
//! test process or on a port, and needs nothing installed.
//!
//! The simulator follows the service's documented behaviour and keeps state: accounts, containers,
//! blobs, snapshots and pages. It checks signatures, lets copies take time, returns the service's
//! own error codes, and fails on purpose when a test says so.
//!
//! | to do this | use |
//! | --- | --- |
//! | make a simulator and choose how long copies take | [`Simulator::builder`] |
//! | get a `blobcopy` client of it | [`Simulator::service_client`] |
//! | serve programs in any language | [`SimulatorBuilder::start`], or [`Simulator::serve`] |
//! | hold, finish or fail copies | [`Simulator::copies`] |
//! | make managed disks, with snapshots that a SAS opens | [`Simulator::managed_disks`] |
//! | lose answers, delay them, throttle | [`Simulator::faults`] |
//! | see which requests arrived | [`Simulator::requests`] |
//!
//! # Addresses
//!
//! There are two ways in. [`Simulator::transport`] works in process, without a socket.
//! [`SimulatorBuilder::start`] and [`Simulator::serve`] listen on a port, for SDKs of other
//! languages too. An account is at `http://127.0.0.1:port/account/…`,
//! `http://account.localhost:port/…` or, in process, `https://account.blob.core.windows.net/…`.
//!
//! A listener answers to loopback addresses, to `localhost` and the names below it, and to the
//! hosts of its accounts. It refuses every other host name with 400 `InvalidHeaderValue`, unless
//! [`SimulatorBuilder::allow_host`] allows it: otherwise any web page could reach the simulator
//! through a host name that resolves to 127.0.0.1.
//!
//! Requests that the simulator does not model get 501 `NotImplemented`.
//!
//! # Managed disks
//!
//! [`Simulator::managed_disks`] makes managed disks, writes to them and takes snapshots. A snapshot
//! is read by a URL with a SAS, which Resource Manager grants: a page blob that has a footer of 512
//! bytes after the disk. A small stand-in for Resource Manager lists the snapshots and grants and
//! revokes access, at [`ManagedDisks::endpoint`]. A snapshot can be read whole or in ranges, its
//! page ranges can be listed, also those that changed since another snapshot of its disk
//! (`x-ms-previous-snapshot-url`), and it can be the source of Copy Blob and of the writes from a
//! URL. Nothing else is permitted.
//!
//! All of this rests on public documentation, samples and bug reports. Nothing of it was ever tried
//! on the service.
//!
//! # Time
//!
//! In process, the simulator and its clients start at the computer's date and follow tokio's time.
//! With time paused, a test sees a copy of 13 days complete without waiting:
//!
//! ```
//! use std::time::Duration;
//! use blobcopy::CopyStatus;
//! use blobcopy_simulator::Simulator;
//!
//! # /*
//! #[tokio::test(start_paused = true)]
//! # */
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() { a_backup_of_13_days_completes().await.unwrap() }
//! async fn a_backup_of_13_days_completes() -> blobcopy::Result<()> {
//!     let days = |days: u64| Duration::from_secs(days * 24 * 3600);
//!     let sim = Simulator::builder().copy_duration(days(13)).build();
//!     let vhds = sim.service_client()?.container_client("vhds");
//!     vhds.create().await?;
//!     let disk = vhds.page_blob_client("disk0.vhd");
//!     disk.create(1 << 20).await?;
//!     let snapshot = disk.create_snapshot().await?.snapshot;
//!
//!     let begun = sim.clock().now();
//!     let backup = vhds.page_blob_client("backup/disk0.vhd");
//!     let mut copy = backup.start_copy_incremental(&disk, &snapshot).await?;
//!     copy.wait().await?;
//!
//!     assert_eq!(backup.get_properties().await?.copy.unwrap().status, CopyStatus::Success);
//!     assert!(sim.clock().now() - begun >= days(13));
//!     Ok(())
//! }
//! ```
//!
//! The only cost is the polling: one poll every 30 seconds makes 39,000 polls, which take a few
//! seconds in a debug build and less than one in a release build. A longer
//! [`interval`](blobcopy::builders::Wait::interval) brings that down to milliseconds.
//!
//! Any other client that is given [`Simulator::transport`] uses the simulator's clock too, because
//! a [transport](blobcopy::transport::Transport::clock) can bring a clock.
//!
//! A simulator that listens uses the computer's clock, from the call of
//! [`SimulatorBuilder::start`] or [`Simulator::serve`] on. Its callers can be other processes that
//! date their requests by that clock, and a request whose date is 15 minutes off is refused. Paused
//! time would also jump ahead while tasks wait for the network.
//!
//! [`SimulatorBuilder::clock`] replaces either clock. A clock made by
//! [`Clock::starting_at`](blobcopy::Clock::starting_at) begins at a date of your choice, and
//! [`Clock::advance`](blobcopy::Clock::advance) moves it on by hand.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod auth;
mod builder;
mod client;
mod control;
mod doors;
mod faults;
mod handle;
mod model;
mod ops;
mod prepared;
mod simulator;
#[cfg(test)]
mod tests;
mod wire;

/// The library in the version whose types are in this crate's signatures.
#[doc(no_inline)]
pub use blobcopy;

#[doc(hidden)]
pub use self::client::example;
pub use self::{
    builder::{DEFAULT_ACCOUNT, DEFAULT_KEY, SimulatorBuilder},
    control::{Copies, CopyInto, FaultRule, Faults, ManagedDisk, ManagedDisks, ManagedSnapshot},
    doors::transport::SimulatorTransport,
    handle::requests::SeenRequest,
    model::disks::GrantUrl,
    model::settings::{ListedSnapshot, SourceEcho},
    prepared::{Disk, Fill},
    simulator::Simulator,
    wire::op::Op,
};
