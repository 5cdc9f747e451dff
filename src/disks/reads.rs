//! Notes of the snapshots that are being read: a prune leaves these.

use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::time::Instant;

use super::ChainSnapshot;
use crate::{
    BlobInclude, BlockBlobClient, Conditions, ETag, ErrorCode, Lease, LeaseState, PageBlobClient,
    Result, wire::clock,
};

/// A note that a snapshot of a destination is being read: an empty block blob beside it, whose
/// metadata name the snapshot, with a lease that is renewed in the background.
///
/// Without a lease the note is void. So it ends by itself with a program that is killed, and no
/// clocks are compared. Dropping it releases the lease; the next prune removes the blob.
#[derive(Debug)]
pub(crate) struct ReadNote {
    blob: BlockBlobClient,
    lease: Lease,
}

/// The metadata that names the snapshot.
const NAME: &str = "blobcopy_reads";

/// How long the note of a reader that dies holds.
const HELD: Duration = Duration::from_secs(60);

/// How often a note is written that prunes remove before it has its lease.
const TRIES: u32 = 5;

/// How old a list of notes may be when a snapshot is deleted.
const FRESH: Duration = Duration::from_secs(1);

/// How the names of notes begin.
fn prefix(destination: &PageBlobClient) -> String {
    format!("{}.blobcopy-read-", destination.name())
}

impl ReadNote {
    /// The most characters that the name of a note has more than that of its destination.
    pub(crate) const MORE: usize = ".blobcopy-read-".len() + 16;

    /// Notes that a snapshot is being read. `None` if the destination may not be written to.
    pub(crate) async fn leave(
        destination: &PageBlobClient,
        snapshot: &ChainSnapshot,
    ) -> Option<Self> {
        match Self::write(destination, snapshot).await {
            Ok(note) => note,
            Err(error) => {
                tracing::debug!(%error, "no prune knows that the snapshot is read");
                None
            }
        }
    }

    async fn write(destination: &PageBlobClient, snapshot: &ChainSnapshot) -> Result<Option<Self>> {
        let name = format!("{}{:016x}", prefix(destination), fastrand::u64(..));
        let blob = destination.container_client().block_blob_client(&name);
        let of = format!("{} {}", snapshot.generation, snapshot.snapshot);
        for _ in 0..TRIES {
            blob.upload("").metadata([(NAME, of.as_str())]).await?;
            match blob.acquire_lease(HELD).guard().await {
                Ok(lease) => return Ok(Some(Self { blob, lease })),
                Err(error) if error.code() == Some(&ErrorCode::BlobNotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Removes the note. An error is no matter: without its lease it is void.
    pub(crate) async fn remove(self) {
        let Self { blob, lease } = self;
        let removed = match lease.release().await {
            Ok(()) => blob.delete().await,
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            tracing::debug!(%error, "the note of a reader is left for the next prune");
        }
    }
}

/// The notes beside a destination.
#[derive(Debug)]
pub(crate) struct Reads {
    destination: PageBlobClient,
    /// The generations and ids of the snapshots that are being read.
    held: Vec<(u32, String)>,
    /// The notes of readers that have died.
    void: Vec<(String, ETag)>,
    listed: Instant,
}

impl Reads {
    /// Lists the notes: one request.
    pub(crate) async fn list(destination: &PageBlobClient) -> Result<Self> {
        let listed = clock::instant();
        let prefix = prefix(destination);
        let container = destination.container_client();
        let mut items = container.list_blobs().prefix(&prefix).include([BlobInclude::Metadata]);
        let (mut held, mut void) = (Vec::new(), Vec::new());
        while let Some(item) = items.try_next().await? {
            let Some(of) = item.properties.metadata.get(NAME).and_then(read) else { continue };
            if item.is_deleted || item.snapshot.is_some() {
                continue;
            }
            match item.properties.lease_state {
                Some(LeaseState::Leased | LeaseState::Breaking) => held.push(of),
                _ => void.extend(item.properties.etag.map(|etag| (item.name, etag))),
            }
        }
        Ok(Self { destination: destination.clone(), held, void, listed })
    }

    /// Lists them again, if that was not just now.
    pub(crate) async fn refresh(&mut self) -> Result<()> {
        if clock::instant().duration_since(self.listed) > FRESH {
            *self = Self::list(&self.destination).await?;
        }
        Ok(())
    }

    /// Whether this snapshot is being read.
    pub(crate) fn holds(&self, snapshot: &ChainSnapshot) -> bool {
        let is_it = |(generation, id): &(u32, String)| {
            *generation == snapshot.generation && id == snapshot.snapshot.as_str()
        };
        self.held.iter().any(is_it)
    }

    /// Removes the notes that are void. Errors are no matter.
    pub(crate) async fn clean(&self) {
        for (name, etag) in &self.void {
            let blob = self.destination.container_client().block_blob_client(name);
            // One that has its lease by now is kept by it.
            let same = Conditions::new().if_match(etag.clone());
            if let Err(error) = blob.delete().conditions(same).await {
                tracing::debug!(%error, "a void note is left");
            }
        }
    }
}

/// The generation and the id of a note's snapshot.
fn read(text: &str) -> Option<(u32, String)> {
    let (generation, id) = text.split_once(' ')?;
    Some((generation.parse().ok()?, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{super::Chain, *};

    #[test]
    fn a_note_names_a_generation_and_a_snapshot() {
        assert_eq!(read("2 2026-01-01"), Some((2, "2026-01-01".to_owned())));
        for bad in ["", "2", "x 2026", "-1 a"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(Chain::generation_of("disk", "disk.blobcopy-read-00"), None);
    }
}
