//! The settings that a restore and a drill share.

use crate::BlobContainerClient;

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

/// The methods of a builder with `settings`.
macro_rules! with_settings {
    ($builder:ident) => {
        impl $builder {
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
        }
    };
}
pub(in crate::disks) use with_settings;
