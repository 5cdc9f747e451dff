//! Whether a destination's snapshots equal the source's.

mod reading;
mod receipt;
mod report;

use std::{collections::HashMap, sync::Arc};

pub use self::{
    receipt::{MirrorReceipt, MirrorReceipts},
    report::{MirrorVerification, SnapshotOutcome, TornHop, VerifiedSnapshot},
};
use super::{
    Chain, ChainSnapshot, MirrorError, MirrorSource, MirrorWarning, SnapshotMirror, SourceSnapshot,
    lineage::Lineage,
    lock::Lock,
    managed::Grants,
    mirror_work::{held, known_disk},
    restore::check_in_flight,
    source::{Opened, SourceKey, snapshots_of},
};
use crate::{
    BlobContainerClient, PageBlobClient, SnapshotId,
    jobs::{Side, Unverifiable, UnverifiableReason, Verdict, verify},
    transport::BoxFuture,
    wire::{clock, redaction::redact},
};

/// Compares a destination's snapshots with the source's: returned by [`SnapshotMirror::verify`].
///
/// Awaiting it gives [`MirrorVerification`].
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct VerifyMirror {
    mirror: SnapshotMirror,
    by_reading: bool,
    scratch: Option<BlobContainerClient>,
    receipts: Arc<MirrorReceipts>,
    newest: Option<usize>,
    only: Vec<SnapshotId>,
    in_flight: usize,
}

/// The snapshots of the source, and how they are opened.
struct Source {
    snapshots: HashMap<SourceKey, SourceSnapshot>,
    access: Access,
}

enum Access {
    Blob(PageBlobClient),
    Managed { grants: Arc<Grants>, lock: Lock },
}

impl VerifyMirror {
    fn new(mirror: &SnapshotMirror) -> Self {
        Self {
            mirror: mirror.clone(),
            by_reading: false,
            scratch: None,
            receipts: Arc::default(),
            newest: None,
            only: Vec::new(),
            in_flight: 16,
        }
    }

    /// Reads both through this client and compares every byte, instead of comparing checksums in
    /// the service. Only ranges that hold data in either are read. At most as many pieces of 4 MiB
    /// are in memory as requests are [in flight](Self::in_flight).
    pub fn by_reading(mut self, by_reading: bool) -> Self {
        self.by_reading = by_reading;
        self
    }

    /// The container of the scratch blobs, by default the destination's: see
    /// [`Verify::scratch`](crate::jobs::Verify::scratch).
    pub fn scratch(mut self, container: &BlobContainerClient) -> Self {
        self.scratch = Some(container.clone());
        self
    }

    /// Receipts of earlier verifications: a copy whose source snapshot is gone is checked against
    /// its receipt.
    pub fn receipts(mut self, receipts: &MirrorReceipts) -> Self {
        self.receipts = Arc::new(receipts.clone());
        self
    }

    /// Verifies only the newest snapshots.
    pub fn newest(mut self, snapshots: usize) -> Self {
        self.newest = Some(snapshots);
        self
    }

    /// Verifies this snapshot of the destination alone, or with others that are given so.
    pub fn snapshot(mut self, snapshot: impl Into<SnapshotId>) -> Self {
        self.only.push(snapshot.into());
        self
    }

    /// How many requests are in flight at a time, 2 to 64, by default 16.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.in_flight = requests;
        self
    }

    async fn run(self) -> Result<MirrorVerification, MirrorError> {
        check_in_flight(self.in_flight)?;
        let start = clock::instant();
        let destination = &self.mirror.destination;
        let url = redact(destination.url()?.as_str()).into_owned();
        let source = self.open().await?;
        let verified = match &source.access {
            Access::Blob(_) => Box::pin(self.verify_all(&source)).await,
            Access::Managed { lock, .. } => held(lock, Box::pin(self.verify_all(&source))).await,
        };
        // After a loss another run may hold the lock, and read by what this one was granted.
        if let Err(lost @ MirrorError::LockLost { .. }) = verified {
            return Err(lost);
        }
        let warnings = source.close().await;
        let (chain, snapshots) = verified?;
        let receipt = |one: &VerifiedSnapshot| match &one.outcome {
            SnapshotOutcome::Identical(found) => {
                MirrorReceipt::new(destination, &one.snapshot, found)
            }
            SnapshotOutcome::AsInReceipt(receipt) => Some(receipt.clone()),
            _ => None,
        };
        let unknown = chain.snapshots.iter().filter(|one| one.equals.is_none());
        Ok(MirrorVerification {
            destination: url,
            receipts: snapshots.iter().filter_map(receipt).collect(),
            unknown: unknown.cloned().collect(),
            torn: torn(&chain),
            snapshots,
            warnings,
            elapsed: clock::instant() - start,
        })
    }

    async fn open(&self) -> Result<Source, MirrorError> {
        match &self.mirror.source {
            MirrorSource::PageBlob(source) => {
                let blob = source.blob().clone();
                Ok(Source::of(snapshots_of(&blob).await?, Access::Blob(blob)))
            }
            MirrorSource::Managed(source) => {
                let destination = &self.mirror.destination;
                let patience = &self.mirror.settings.patience;
                let lock = Lock::take(destination, false, patience).await?;
                let opened = async {
                    let known = known_disk(&Chain::read(destination).await?);
                    let snapshots = Grants::list(source, known.as_deref()).await?.snapshots;
                    Ok((snapshots, Grants::begin(source.clone(), lock.notes()).await?))
                };
                match opened.await {
                    Ok((snapshots, grants)) => {
                        Ok(Source::of(snapshots, Access::Managed { grants, lock }))
                    }
                    Err(error) => {
                        lock.release().await;
                        Err(error)
                    }
                }
            }
        }
    }

    async fn verify_all(
        &self,
        source: &Source,
    ) -> Result<(Chain, Vec<VerifiedSnapshot>), MirrorError> {
        let chain = Chain::read(&self.mirror.destination).await?;
        let chosen = self.choose(&chain)?;
        let mut verified = Vec::with_capacity(chosen.len());
        for snapshot in chosen {
            let copy = snapshot.client(&self.mirror.destination);
            let outcome = match source.open(&snapshot)? {
                Some(opened) => {
                    let outcome = self.compare(source, &opened, &copy).await;
                    opened.close().await;
                    outcome?
                }
                None => SnapshotOutcome::SourceGone,
            };
            let outcome = match outcome {
                SnapshotOutcome::SourceGone => self.by_receipt(&snapshot, &copy).await?,
                outcome => outcome,
            };
            verified.push(VerifiedSnapshot { snapshot, outcome });
        }
        Ok((chain, verified))
    }

    /// The snapshots to verify, the oldest first.
    fn choose(&self, chain: &Chain) -> Result<Vec<ChainSnapshot>, MirrorError> {
        let known = chain.snapshots.iter().filter(|one| one.equals.is_some());
        let mut chosen: Vec<ChainSnapshot> = known.cloned().collect();
        if let Some(missing) =
            self.only.iter().find(|id| !chosen.iter().any(|one| one.snapshot == **id))
        {
            let why = format!("has no snapshot {missing} that a mirror has made");
            return Err(MirrorError::refused(&chain.name, why));
        }
        if !self.only.is_empty() {
            chosen.retain(|one| self.only.contains(&one.snapshot));
        }
        let skipped = chosen.len().saturating_sub(self.newest.unwrap_or(usize::MAX));
        chosen.drain(..skipped);
        Ok(chosen)
    }

    async fn compare(
        &self,
        source: &Source,
        opened: &Opened,
        copy: &PageBlobClient,
    ) -> Result<SnapshotOutcome, MirrorError> {
        source.check()?;
        if self.by_reading {
            return reading::compare(opened, copy, self.in_flight).await;
        }
        let verdict = self.in_service(&opened.blob().await?, copy).await?;
        let lost = Some(UnverifiableReason::NoPermission);
        match &verdict {
            // The access may have ended on the way: it is granted again, once.
            Verdict::Unverifiable(Unverifiable { reason, side: Some(Side::Source), .. })
                if Some(*reason) == lost && matches!(source.access, Access::Managed { .. }) =>
            {
                opened.clone().close().await;
                Ok(self.in_service(&opened.blob().await?, copy).await?.into())
            }
            _ => Ok(verdict.into()),
        }
    }

    async fn in_service(
        &self,
        source: &PageBlobClient,
        copy: &PageBlobClient,
    ) -> Result<Verdict, MirrorError> {
        let verify = verify(source, copy).concurrency(self.in_flight);
        Ok(match &self.scratch {
            Some(scratch) => verify.scratch(scratch).await?.verdict,
            None => verify.await?.verdict,
        })
    }

    /// Checks a copy whose source snapshot is gone.
    async fn by_receipt(
        &self,
        snapshot: &ChainSnapshot,
        copy: &PageBlobClient,
    ) -> Result<SnapshotOutcome, MirrorError> {
        let receipt = self.receipts.of(&self.mirror.destination, snapshot);
        let Some(receipt) = receipt.cloned() else { return Ok(SnapshotOutcome::SourceGone) };
        let found = match self.by_reading {
            true => reading::read(copy, self.in_flight).await?,
            // Compared with itself, its CRC-64 is found.
            false => self.in_service(copy, copy).await?.into(),
        };
        Ok(match found {
            SnapshotOutcome::Identical(found) if receipt.proves(&found) => {
                SnapshotOutcome::AsInReceipt(receipt)
            }
            SnapshotOutcome::Identical(_) => SnapshotOutcome::NotAsInReceipt(receipt),
            SnapshotOutcome::SourceGone => SnapshotOutcome::DestinationGone,
            other => other,
        })
    }
}

impl Source {
    fn of(snapshots: Vec<SourceSnapshot>, access: Access) -> Self {
        let keyed = snapshots.into_iter().map(|one| (one.key(), one));
        Self { snapshots: keyed.collect(), access }
    }

    /// The source snapshot that a copy should equal; `None` if it is gone.
    fn open(&self, copy: &ChainSnapshot) -> Result<Option<Opened>, MirrorError> {
        let found = copy.key().and_then(|key| self.snapshots.get(&key));
        let Some(snapshot) = found else { return Ok(None) };
        Ok(Some(match &self.access {
            Access::Blob(blob) => Opened::of_blob(blob, snapshot)?,
            Access::Managed { grants, .. } => Opened::granted(Arc::clone(grants), snapshot),
        }))
    }

    /// Whether grants may still be noted.
    fn check(&self) -> Result<(), MirrorError> {
        match &self.access {
            Access::Blob(_) => Ok(()),
            Access::Managed { lock, .. } => lock.check(),
        }
    }

    async fn close(self) -> Vec<MirrorWarning> {
        let Access::Managed { grants, lock } = self.access else { return Vec::new() };
        let warnings = grants.end().await;
        lock.release().await;
        warnings
    }
}

/// The hop under way in the metadata of the newest base.
fn torn(chain: &Chain) -> Option<TornHop> {
    let hop = Lineage::read(&chain.base()?.metadata)?.hop?;
    Some(TornHop { to: hop.to.id, time: hop.to.time, done: hop.done })
}

/// # Verifying
impl SnapshotMirror {
    /// Compares each snapshot of the destination with the source snapshot that it equals.
    ///
    /// Awaiting it gives [`MirrorVerification`].
    ///
    /// Each pair is compared by [`verify`](crate::jobs::verify()): by page ranges, and by CRC-64
    /// inside the service. [`by_reading`](VerifyMirror::by_reading) reads both instead. A source
    /// snapshot that is gone is an outcome of its own; with a receipt of an earlier verification,
    /// the copy is checked against that.
    ///
    /// Nothing is changed, and no lock is taken, except of a managed disk: access to its snapshots
    /// is granted and given back.
    ///
    /// # Errors
    ///
    /// Errors of the service that say nothing of the content; [`MirrorError::Refused`] for a
    /// snapshot that the destination does not have; of a managed disk also
    /// [`MirrorError::Busy`]. What differs is in the report.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// # let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// # let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// # disk.create_snapshot().await?;
    /// # SnapshotMirror::new(&disk, &backup).run().await?;
    /// let verified = SnapshotMirror::new(&disk, &backup).verify().await?;
    /// assert!(verified.is_identical(), "{verified}");
    /// for receipt in verified.receipts() {
    ///     println!("{}", serde_json::to_string(receipt)?);
    /// }
    /// # Ok(()) });
    /// ```
    pub fn verify(&self) -> VerifyMirror {
        VerifyMirror::new(self)
    }
}

impl IntoFuture for VerifyMirror {
    type Output = Result<MirrorVerification, MirrorError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
