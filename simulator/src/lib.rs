//! The blob service, in process: for tests of code that copies blobs, with nothing to install.
//!
//! A stateful model of the service's documented behaviour. It keeps accounts, containers, blobs,
//! snapshots and pages, checks signatures, lets copies take their time, answers with the service's
//! own error codes, and misbehaves when a test asks it to.
//!
//! It has two doors. [`Simulator::transport`] is called in process, with no socket.
//! [`SimulatorBuilder::start`] and [`Simulator::serve`] listen on a port, for other languages' SDKs too. Accounts are addressed as
//! `http://127.0.0.1:port/account/…`, `http://account.localhost:port/…` or, in process,
//! `https://account.blob.core.windows.net/…`.
//!
//! A listener answers to loopback addresses, `localhost` and the names below it, and the hosts of
//! its accounts. Any other name is refused with 400 `InvalidHeaderValue`, so that no page on the
//! web can reach it under a name of its own, unless [`SimulatorBuilder::allow_host`] allows it.
//!
//! What it does not model is answered with 501.
//!
//! # Time
//!
//! In process the simulator begins at the computer's date and follows tokio's time, and so do its
//! clients. A test that pauses time waits for nothing, and watches a copy of 13 days to its end:
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
//! What it takes are the polls: one every 30 seconds is 39,000 of them, a few seconds of a debug
//! build and less than one of a release build. A longer
//! [`interval`](blobcopy::builders::Wait::interval) makes it milliseconds.
//!
//! Clients made otherwise go by the simulator's clock too, if they are given
//! [`Simulator::transport`]: a [transport](blobcopy::transport::Transport::clock) may bring a clock.
//!
//! A simulator that listens stays on the computer's clock, from [`SimulatorBuilder::start`] or
//! [`Simulator::serve`] on. Its callers may be other processes, which date their requests by that
//! clock, and requests are refused if they are 15 minutes off. Besides, paused time leaps on
//! whenever all tasks wait, and those that wait for the network do.
//!
//! [`SimulatorBuilder::clock`] overrides both: with [`Clock::starting_at`] a test begins at a date of
//! its choice, and [`Clock::advance`] turns the clock on by hand.

mod auth;
mod builder;
mod client;
mod control;
mod doors;
mod faults;
mod handle;
mod model;
mod ops;
mod simulator;
#[cfg(test)]
mod tests;
mod wire;

#[doc(hidden)]
pub use self::client::example;
pub use self::{
    builder::{DEFAULT_ACCOUNT, DEFAULT_KEY, SimulatorBuilder},
    control::{Copies, CopyInto, FaultRule, Faults},
    doors::transport::SimulatorTransport,
    handle::requests::SeenRequest,
    model::settings::{ListedSnapshot, SourceEcho},
    simulator::Simulator,
    wire::op::Op,
};
