//! Containers that an example creates and deletes.

use blobcopy::{BlobContainerClient, Clock};

use crate::account::Result;

/// A container name that is new for each run.
pub(crate) fn unused_name() -> String {
    format!("blobcopy-example-{}", Clock::system().now().unix_timestamp_nanos())
}

/// Creates containers, runs something with them, and deletes them in any case.
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
        // The first error matters most.
        if outcome.is_ok() {
            deleted?;
        }
    }
    outcome
}
