//! What to store of a copy, to watch it again from another process.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::models::CopyId;

/// Names a copy for later: its destination and its id, and no secret.
///
/// Store it, and hand it to [`BlobServiceClient::resume`](crate::BlobServiceClient::resume). That of a copy
/// without an id, which was over when it was made, cannot be resumed or read back.
///
/// ```
/// # blobcopy::simulator::example(async |service| {
/// # let backups = service.container_client("backups");
/// # let source = service.container_client("vhds").blob_client("notes.txt");
/// let copy = backups.blob_client("notes.txt").start_copy_from_uri(&source).await?;
/// let stored = serde_json::to_string(&copy.token())?;
///
/// // Later, elsewhere:
/// let done = service.resume(&serde_json::from_str(&stored)?)?.wait().await?;
/// assert_eq!(done.copy_id, *copy.id());
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CopyToken {
    /// The destination's URL, without its query.
    pub destination: Url,
    /// Which copy.
    pub copy_id: CopyId,
}

impl CopyToken {
    /// A token from its parts; a query, which might hold a SAS, is dropped from the URL.
    pub fn new(mut destination: Url, copy_id: CopyId) -> Self {
        destination.set_query(None);
        Self { destination, copy_id }
    }
}
