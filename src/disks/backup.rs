//! What a mirror has made, without its source: thinned out, restored, tried.

use super::{Chain, MirrorError};
use crate::PageBlobClient;

/// The destination of a mirror, without its source.
#[derive(Debug, Clone)]
pub struct DiskBackup {
    pub(crate) destination: PageBlobClient,
}

impl DiskBackup {
    /// The backup in this page blob and its later generations.
    pub fn of(destination: &PageBlobClient) -> Self {
        Self { destination: destination.clone() }
    }

    /// Its snapshots.
    pub async fn chain(&self) -> Result<Chain, MirrorError> {
        Chain::read(&self.destination).await
    }
}
