//! Containers that an example makes for itself, and leaves nothing of.

use blobcopy::{BlobContainerClient, Clock};

use crate::account::Result;

/// A name for a container that no earlier run has used.
pub(crate) fn unused_name() -> String {
    format!("blobcopy-example-{}", Clock::system().now().unix_timestamp_nanos())
}

/// Creates containers, does something with them, and deletes them whatever came of it.
pub(crate) async fn in_containers<const N: usize>(
    containers: [&BlobContainerClient; N],
    work: impl AsyncFnOnce() -> Result<()>,
) -> Result<()> {
    let mut created = Vec::new();
    let outcome = async {
        for container in containers {
            container.create().await?;
            created.push(container);
        }
        work().await
    }
    .await;
    for container in created {
        let deleted = container.delete().await;
        // What went wrong first is what matters.
        if outcome.is_ok() {
            deleted?;
        }
    }
    outcome
}
