//! A copy that was started, and how to learn what became of it.

use std::{fmt, time::Duration};

use super::status;
use crate::{
    error::Result,
    models::{
        CompletedCopy, CopyId, CopyProgress, CopyState, CopyStatus, LeaseId, SnapshotId, since,
    },
    operations::blob_ref::BlobRef,
    operations::{
        get_properties::GetBlobProperties,
        operation::{Call, Operation},
    },
    pipeline::{request::CallOptions, retry, tries::Tries},
};

/// A copy that the service carries out, as .NET's type of the same name.
///
/// Made by [`start_copy_incremental`](crate::PageBlobClient::start_copy_incremental) and
/// [`start_copy_from_uri`](crate::BlobClient::start_copy_from_uri), or for a copy that is known by its
/// id by [`resume_copy`](crate::BlobClient::resume_copy) and
/// [`resume`](crate::BlobServiceClient::resume). It watches the destination with Get Blob Properties.
/// Dropping it does nothing to the copy.
///
/// How a copy ends, and what [`wait`](Self::wait) makes of it:
///
/// | What happened | What the caller gets |
/// | --- | --- |
/// | status `success` | [`CompletedCopy`]; of an incremental copy with its snapshot, or after a few more polls without |
/// | status `failed` | [`Error::CopyFailed`](crate::Error::CopyFailed) |
/// | status `aborted` | [`Error::CopyAborted`](crate::Error::CopyAborted) |
/// | the destination carries another copy | [`Error::CopySuperseded`](crate::Error::CopySuperseded) |
/// | the destination is gone, by the service's own 404 | [`Error::CopyDestinationGone`](crate::Error::CopyDestinationGone) |
/// | the destination carries no copy | [`Error::NoCopyProperties`](crate::Error::NoCopyProperties) |
/// | a status that is not known | no end: the wait goes on until its timeout |
/// | the wait's timeout passed | [`Error::WaitTimedOut`](crate::Error::WaitTimedOut) |
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
/// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
///
/// let snapshot = disk.create_snapshot().await?.snapshot;
/// let mut copy = backup.start_copy_incremental(&disk, &snapshot).await?;
/// let done = copy.wait().await?;
/// assert!(done.destination_snapshot.is_some());
/// # Ok(()) });
/// ```
pub struct CopyFromUriOperation {
    blob: BlobRef,
    id: CopyId,
    last: Option<CopyState>,
    /// The snapshot that it copies, where the start or a token says so.
    source_snapshot: Option<SnapshotId>,
    /// Whether the last state is all that there is to learn, if it is final.
    told_all: bool,
    adopted: bool,
    /// Whether it is an incremental copy, as far as is known.
    incremental: bool,
    /// How many looks have seen it succeed without the snapshot that an incremental copy makes.
    looks_without_snapshot: u32,
    lease_id: Option<LeaseId>,
    options: CallOptions,
}

/// How many more looks an incremental copy gets that has succeeded without naming its snapshot.
const MORE_LOOKS: u32 = 5;

/// # What is known of it
impl CopyFromUriOperation {
    /// The copy of a start's answer, which says all when it says `success`.
    pub(crate) fn ordinary(blob: BlobRef, state: CopyState, lease_id: Option<LeaseId>) -> Self {
        Self { last: Some(state.clone()), lease_id, ..Self::resumed(blob, state.copy_id) }
    }

    /// The copy of a start's answer, which cannot name the destination's new snapshot.
    pub(crate) fn incremental(blob: BlobRef, state: CopyState) -> Self {
        let told_all = state.destination_snapshot.is_some();
        let resumed = Self::resumed(blob, state.copy_id.clone());
        Self { last: Some(state), told_all, incremental: true, ..resumed }
    }

    /// A copy of which only the id is known.
    pub(crate) fn resumed(blob: BlobRef, id: CopyId) -> Self {
        let options = CallOptions::default();
        Self {
            blob,
            id,
            last: None,
            source_snapshot: None,
            told_all: true,
            adopted: false,
            incremental: false,
            looks_without_snapshot: 0,
            lease_id: None,
            options,
        }
    }

    /// The same copy, of this snapshot of its source.
    pub(crate) fn of_snapshot(mut self, snapshot: Option<SnapshotId>) -> Self {
        self.source_snapshot = snapshot;
        self
    }

    /// The pending copy of which `state` tells.
    pub(super) fn found(blob: BlobRef, state: CopyState, incremental: bool) -> Self {
        let resumed = Self::resumed(blob, state.copy_id.clone());
        Self { last: Some(state), incremental, ..resumed }
    }

    /// The same copy, found again after the answer to its start was lost, or not.
    pub(super) fn adopted(mut self, adopted: bool) -> Self {
        self.adopted = adopted;
        self
    }

    /// The same copy, whose requests carry what the caller of another builder has set.
    pub(super) fn with_options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Where its requests go, and with what options.
    pub(super) fn call(&self) -> Call {
        Call { options: self.options.clone(), ..self.blob.call() }
    }

    /// Which copy it is.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let copy = blob.start_copy_from_uri(&source).await?;
    /// println!("started copy {}", copy.id());
    /// # Ok(()) });
    /// ```
    pub fn id(&self) -> &CopyId {
        &self.id
    }

    /// The destination.
    pub(crate) fn destination(&self) -> &BlobRef {
        &self.blob
    }

    /// Whether the answer to the start was lost, and this copy was found at the destination
    /// instead. Sends nothing.
    ///
    /// It is a copy of the same source that was pending, or that succeeded after the call began;
    /// where it is unclear which came first, only a success of a snapshot or version counts.
    /// Almost always it is the caller's own. It can be one that another client started from the
    /// same source: the content is then the same, but metadata, tags and tier are as that client
    /// set them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use blobcopy_simulator::{Op, Simulator};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(async {
    /// let sim = Simulator::builder().copy_duration(Duration::from_secs(60)).build();
    /// let container = sim.service_client()?.container_client("vhds");
    /// container.create().await?;
    /// let notes = container.block_blob_client("notes.txt");
    /// notes.upload("some notes").await?;
    ///
    /// sim.faults().on(Op::CopyBlob).lose_answer().times(1);
    /// let copy = container.blob_client("copy.txt").start_copy_from_uri(&notes).await?;
    /// assert!(copy.was_adopted());
    /// assert_eq!(sim.copies().started(), 1);
    /// # Ok::<(), blobcopy::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn was_adopted(&self) -> bool {
        self.adopted
    }

    /// Where the copy stood when last seen. Sends nothing; `None` for a copy that was resumed and
    /// not yet polled.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # let started = blob.start_copy_from_uri(&source).await?;
    /// let copy = blob.resume_copy(started.id().clone());
    /// assert_eq!(copy.status(), None);
    /// # Ok(()) });
    /// ```
    pub fn status(&self) -> Option<&CopyStatus> {
        self.last.as_ref().map(|state| &state.status)
    }

    /// How far the copy had come when last seen. Sends nothing; `None` until the first poll, since
    /// the answer to a start does not say. An incremental copy counts the whole blob, not the
    /// difference.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = blob.start_copy_from_uri(&source).await?;
    /// copy.poll().await?;
    /// assert_eq!(copy.progress().map(|progress| progress.fraction()), Some(1.0));
    /// # Ok(()) });
    /// ```
    pub fn progress(&self) -> Option<CopyProgress> {
        self.last.as_ref().and_then(|state| state.progress)
    }

    /// Whether the copy has been seen to have ended, in whatever way. Sends nothing.
    ///
    /// An incremental copy that has succeeded but does not name its destination snapshot yet has
    /// not completed; after a few more polls it has all the same.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = blob.start_copy_from_uri(&source).await?;
    /// while !copy.has_completed() {
    ///     copy.poll().await?;
    /// }
    /// # Ok(()) });
    /// ```
    pub fn has_completed(&self) -> bool {
        self.told_all && self.status().is_some_and(CopyStatus::is_final)
    }

    /// Polls once, with one Get Blob Properties. A copy that has failed or was aborted is an `Ok` with
    /// that status.
    ///
    /// # Errors
    ///
    /// `CopySuperseded`, `CopyDestinationGone` and `NoCopyProperties`, when the destination no
    /// longer names this copy; else the error of the request.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = blob.start_copy_from_uri(&source).await?;
    /// let state = copy.poll().await?;
    /// println!("{}: {:?}", state.status, state.progress);
    /// # Ok(()) });
    /// ```
    #[doc(alias = "UpdateStatus")]
    pub async fn poll(&mut self) -> Result<CopyState> {
        self.look(&mut Tries::default()).await.map(|(state, _)| state)
    }

    /// Looks once; also returns the `Retry-After` of the answer.
    pub(super) async fn look(
        &mut self,
        tries: &mut Tries,
    ) -> Result<(CopyState, Option<Duration>)> {
        let call = self.call().at_primary();
        call.since(since::ASYNCHRONOUS_COPY)?;
        let operation = GetBlobProperties::default();
        let request = call.prepare(&operation)?;
        let mut asked = None;
        let properties = match call.send(&operation, &request, tries).await {
            Ok(answer) => {
                asked = retry::retry_after(&answer.headers, call.pipeline.clock().now());
                let properties = operation.parse(answer)?;
                self.incremental |= properties.is_incremental_copy;
                Ok(properties)
            }
            Err(error) => Err(error),
        };
        let state = status::observe(&self.id, &call, properties)?;
        let succeeded = self.incremental && state.status == CopyStatus::Success;
        self.looks_without_snapshot = match succeeded && state.destination_snapshot.is_none() {
            true => self.looks_without_snapshot.saturating_add(1),
            false => 0,
        };
        self.told_all = !(1..=MORE_LOOKS).contains(&self.looks_without_snapshot);
        self.last = Some(state.clone());
        Ok((state, asked))
    }

    /// The id of the destination's lease, which an abort needs when the destination is leased. A
    /// copy that was started with a lease knows it already.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # let started = blob.start_copy_from_uri(&source).await?;
    /// let lease = "11111111-2222-3333-4444-555555555555".parse()?;
    /// let copy = blob.resume_copy(started.id().clone()).with_lease(lease);
    /// # let _ = copy;
    /// # Ok(()) });
    /// ```
    pub fn with_lease(mut self, lease: LeaseId) -> Self {
        self.lease_id = Some(lease);
        self
    }

    pub(crate) fn lease_id(&self) -> Option<&LeaseId> {
        self.lease_id.as_ref()
    }

    /// How the copy ended, if it has been seen to.
    pub(crate) fn outcome(&self) -> Option<Result<CompletedCopy>> {
        self.last.as_ref().filter(|_| self.told_all).and_then(|state| self.end(state))
    }

    /// The end of the copy, whose last state is `state`; `None` while it has not ended.
    pub(super) fn end(&self, state: &CopyState) -> Option<Result<CompletedCopy>> {
        let end = status::end(state, &self.blob)?;
        Some(end.map(|mut done| {
            done.source_snapshot = self.source_snapshot();
            done
        }))
    }

    /// The snapshot of the source that is copied, as far as is known.
    pub(super) fn source_snapshot(&self) -> Option<SnapshotId> {
        let echoed = || self.last.as_ref()?.source.as_ref()?.snapshot();
        self.source_snapshot.clone().or_else(echoed)
    }

    pub(crate) fn last(&self) -> Option<&CopyState> {
        self.last.as_ref()
    }

    /// How often an incremental copy was seen to have succeeded, but not the snapshot that it made.
    pub(super) fn looks_without_snapshot(&self) -> u32 {
        self.looks_without_snapshot
    }

    /// The state of an incremental copy that was seen to succeed, but not with its snapshot.
    pub(super) fn success_without_snapshot(&self) -> Option<&CopyState> {
        self.last().filter(|_| self.looks_without_snapshot > 0)
    }
}

impl fmt::Debug for CopyFromUriOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyFromUriOperation")
            .field("id", &self.id)
            .field("blob", &self.blob)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}
