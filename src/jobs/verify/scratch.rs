//! The scratch blob, whose blocks are staged and never committed.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use futures_util::TryStreamExt;

use super::outcome::ScratchLeft;
use crate::{
    BlobContainerClient, BlobInclude, BlobItem, BlockBlobClient, BlockId, Error, ErrorCode, Result,
};

/// How the name of every scratch blob begins.
const PREFIX: &str = ".blobcopy-verify-";

/// A blob that never exists: a name for which the service keeps uncommitted blocks.
#[derive(Debug)]
pub(super) struct Scratch {
    blob: BlockBlobClient,
    /// Ids that no request in flight uses. Staging a block again replaces it, so a few ids do.
    free: Mutex<Vec<BlockId>>,
    used: AtomicU32,
    /// Whether there may be blocks.
    holds_blocks: AtomicBool,
}

impl Scratch {
    /// Chooses a name of which the service knows nothing, neither a blob nor blocks.
    pub(super) async fn open(container: &BlobContainerClient) -> Result<Self> {
        // Random names are free; only a service that says so of every name makes it try again.
        const MOST_NAMES: u32 = 5;
        for _ in 0..MOST_NAMES {
            let name = format!("{PREFIX}{:032x}", fastrand::u128(..));
            let blob = container.block_blob_client(&name);
            // All pieces go to this one blob, and the service limits the requests to a blob.
            let blob = match container.budget() {
                Some(account) => blob.with_budget(&account.for_one_blob()),
                None => blob,
            };
            if blob.exists().await? {
                continue;
            }
            match blob.get_block_list().await {
                Ok(_) => {}
                Err(error) if is_absent(&error) => return Ok(Self::new(blob)),
                Err(error) => return Err(error),
            }
        }
        let why = "blobs with random names exist, so none can be used for blocks";
        Err(Error::unexpected("Get Blob Properties", &container.url()?, false, why))
    }

    fn new(blob: BlockBlobClient) -> Self {
        let (free, used) = (Mutex::default(), AtomicU32::new(0));
        Self { blob, free, used, holds_blocks: AtomicBool::new(false) }
    }

    pub(super) fn blob(&self) -> &BlockBlobClient {
        &self.blob
    }

    /// A block id that no other request uses until the slot is dropped.
    pub(super) fn slot(&self) -> Slot<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let new = || BlockId::numbered(self.used.fetch_add(1, Ordering::Relaxed));
        Slot { id: free.unwrap_or_else(new), may_hold: true, scratch: self }
    }

    /// Removes the blocks. Says so if that fails.
    pub(super) async fn remove(&self) -> Option<ScratchLeft> {
        if !self.holds_blocks.swap(false, Ordering::Relaxed) {
            return None;
        }
        let error = remove(&self.blob).await.err()?;
        let url = self.blob.url().map(String::from).unwrap_or_default();
        Some(ScratchLeft { url, message: error.to_string() })
    }
}

/// A dropped verification removes its blocks in the background, if it can.
impl Drop for Scratch {
    fn drop(&mut self) {
        if !*self.holds_blocks.get_mut() {
            return;
        }
        let blob = self.blob.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = remove(&blob).await {
                    tracing::debug!(%error, "the scratch blob of a verification is left");
                }
            });
        }
    }
}

/// A block id that is in use.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    scratch: &'a Scratch,
    pub(super) id: BlockId,
    may_hold: bool,
}

impl Slot<'_> {
    /// Notes that the service surely has no such block, since it refused the request.
    pub(super) fn refused(&mut self, error: &Error) {
        self.may_hold = error.may_have_been_applied();
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.scratch.holds_blocks.fetch_or(self.may_hold, Ordering::Relaxed);
        let mut free = self.scratch.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(self.id.clone());
    }
}

/// Deletes the uncommitted blocks of a blob that does not exist.
async fn remove(blob: &BlockBlobClient) -> Result<()> {
    match blob.delete().await {
        // Nothing is known of a blob. Are there still blocks?
        Err(error) if is_absent(&error) => match blob.get_block_list().await {
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(error),
        },
        other => other,
    }
}

fn is_absent(error: &Error) -> bool {
    error.code() == Some(&ErrorCode::BlobNotFound)
}

/// Removes the scratch blobs that interrupted verifications left in a container, and returns their
/// names.
///
/// [`verify`](super::verify) removes its scratch blob at the end. If the program is killed before
/// that, the blob's blocks stay for up to a week and count as stored data. They are found by the
/// blob's name, which begins with `.blobcopy-verify-`. A blob that exists, because somebody
/// committed one of that name, is not removed. A verification that is still running is not
/// disturbed.
///
/// It lists the container from that prefix on, and sends two requests for each scratch blob. The
/// credential needs the permissions list, read and delete.
///
/// # Errors
///
/// The first error of a request; scratch blobs that were removed before stay removed.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// use blobcopy::jobs::remove_scratch;
///
/// let backups = service.container_client("backups");
/// assert!(remove_scratch(&backups).await?.is_empty());
/// # Ok(()) });
/// ```
pub async fn remove_scratch(container: &BlobContainerClient) -> Result<Vec<String>> {
    let list = container.list_blobs().prefix(PREFIX).include([BlobInclude::UncommittedBlobs]);
    let found: Vec<BlobItem> = list.try_collect().await?;
    let mut removed = Vec::new();
    // A blob that exists has an ETag.
    for item in found.into_iter().filter(|item| item.properties.etag.is_none()) {
        let blob = container.blob_client_of(&item).block_blob_client();
        match blob.get_block_list().await {
            Ok(list) if list.committed.is_empty() && !list.uncommitted.is_empty() => {
                remove(&blob).await?;
                removed.push(item.name);
            }
            Ok(_) => {}
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}
