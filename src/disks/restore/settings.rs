//! The settings that a restore and a drill share.

use super::RestoreEvent;
use crate::{BlobContainerClient, Error, Result};

/// Takes the events.
pub(in crate::disks) type OnEvent<'a> = Box<dyn FnMut(&RestoreEvent) + Send + 'a>;

/// How a snapshot is restored and compared.
#[derive(Debug, Clone)]
pub(in crate::disks) struct Settings {
    pub(in crate::disks) by_ranges: bool,
    pub(in crate::disks) scratch: Option<BlobContainerClient>,
    pub(in crate::disks) in_flight: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { by_ranges: false, scratch: None, in_flight: 16 }
    }
}

impl Settings {
    /// Refuses what cannot work, before anything is sent.
    pub(in crate::disks) fn check(&self) -> Result<()> {
        check_in_flight(self.in_flight)
    }
}

/// Refuses a number of requests in flight with which nothing can be compared.
pub(in crate::disks) fn check_in_flight(requests: usize) -> Result<()> {
    match requests {
        2..=64 => Ok(()),
        _ => Err(Error::invalid("in flight", requests, "must be 2 to 64")),
    }
}

/// The methods of a builder with `settings` and `on_event`.
macro_rules! with_settings {
    ($builder:ident) => {
        impl<'a> $builder<'a> {
            /// Whether it is copied by ranges within the account too. By default Copy Blob does
            /// that.
            pub fn by_ranges(mut self, by_ranges: bool) -> Self {
                self.settings.by_ranges = by_ranges;
                self
            }

            /// The container of the scratch blob of the comparison, by default that of the restored
            /// blob.
            pub fn scratch(mut self, container: &crate::BlobContainerClient) -> Self {
                self.settings.scratch = Some(container.clone());
                self
            }

            /// How many requests are in flight at a time, 2 to 64, by default 16.
            pub fn in_flight(mut self, requests: usize) -> Self {
                self.settings.in_flight = requests;
                self
            }

            /// Calls a function with each event, between two steps of the restore: a slow function
            /// slows it down.
            ///
            /// ```
            /// # blobcopy_simulator::example(async |service| {
            /// use blobcopy::disks::{DiskBackup, RestoreEvent, SnapshotMirror};
            ///
            /// # let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
            /// # let backup = service.container_client("backups").page_blob_client("disk0.vhd");
            /// # disk.create_snapshot().await?;
            /// # SnapshotMirror::new(&disk, &backup).run().await?;
            /// let tell = |event: &RestoreEvent| match event {
            ///     RestoreEvent::Progress { fraction, .. } => println!("{fraction:.2} of it"),
            ///     RestoreEvent::Comparing => println!("restored, and compared now"),
            ///     _ => {}
            /// };
            /// let report = DiskBackup::of(&backup).drill().on_event(tell).await?;
            /// assert!(report.is_identical());
            /// # Ok(()) });
            /// ```
            pub fn on_event(
                mut self,
                on_event: impl FnMut(&crate::disks::RestoreEvent) + Send + 'a,
            ) -> Self {
                self.on_event = Some(Box::new(on_event));
                self
            }
        }
    };
}
pub(in crate::disks) use with_settings;
