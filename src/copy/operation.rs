//! A copy that was started: its state and its end.

use std::{fmt, time::Duration};

use super::status;
use crate::{
    error::{Error, Result},
    models::{
        BlobItem, CompletedCopy, CopyId, CopyProgress, CopyState, CopyStatus, LeaseId, SnapshotId,
        copy_properties::CopyProperties, since,
    },
    operations::{
        blob_ref::BlobRef,
        get_copy_properties::GetCopyProperties,
        operation::{Call, Operation},
    },
    pipeline::{request::CallOptions, retry, tries::Tries},
};

/// A copy that the service is making, like .NET's type of the same name.
///
/// Returned by [`start_copy_incremental`](crate::PageBlobClient::start_copy_incremental) and
/// [`start_copy_from_uri`](crate::BlobClient::start_copy_from_uri). For a copy that was started
/// earlier, it comes from [`resume_copy`](crate::BlobClient::resume_copy),
/// [`resume_pending_copy`](crate::BlobClient::resume_pending_copy) or
/// [`resume`](crate::BlobServiceClient::resume). It watches the destination with Get Blob
/// Properties. Dropping it does not affect the copy.
///
/// How a copy can end, and what [`wait`](Self::wait) returns:
///
/// | What happened | What `wait` returns |
/// | --- | --- |
/// | status `success` | [`CompletedCopy`]; for an incremental copy with its snapshot, or without after a few more polls |
/// | status `failed` | [`Error::CopyFailed`](crate::Error::CopyFailed) |
/// | status `aborted` | [`Error::CopyAborted`](crate::Error::CopyAborted) |
/// | the destination carries another copy | [`Error::CopySuperseded`](crate::Error::CopySuperseded) |
/// | the service says 404 for the destination | [`Error::CopyDestinationGone`](crate::Error::CopyDestinationGone) |
/// | the destination has no copy properties | [`Error::NoCopyProperties`](crate::Error::NoCopyProperties) |
/// | unknown status | not an end: the wait continues until its timeout |
/// | the wait reached its timeout | [`Error::WaitTimedOut`](crate::Error::WaitTimedOut) |
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
    /// The source snapshot, if the start or a token named it.
    source_snapshot: Option<SnapshotId>,
    /// Whether the last state is complete, if it is final: it need not be polled for its snapshot.
    told_all: bool,
    adopted: bool,
    /// Whether this is known to be an incremental copy.
    incremental: bool,
    /// How many polls saw `success` without the snapshot that an incremental copy makes.
    looks_without_snapshot: u32,
    lease_id: Option<LeaseId>,
    options: CallOptions,
}

/// How many more polls an incremental copy gets that has succeeded without naming its snapshot.
const MORE_LOOKS: u32 = 5;

/// # State
impl CopyFromUriOperation {
    /// From the response to a start, which is complete if it says `success`.
    pub(crate) fn ordinary(blob: BlobRef, state: CopyState, lease_id: Option<LeaseId>) -> Self {
        Self { last: Some(state.clone()), lease_id, ..Self::resumed(blob, state.copy_id) }
    }

    /// From the response to a start, which cannot name the new destination snapshot.
    pub(crate) fn incremental(blob: BlobRef, state: CopyState) -> Self {
        let told_all = state.destination_snapshot.is_some();
        let resumed = Self::resumed(blob, state.copy_id.clone());
        Self { last: Some(state), told_all, incremental: true, ..resumed }
    }

    /// A copy known only by its id.
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

    /// Sets the source snapshot.
    pub(crate) fn of_snapshot(mut self, snapshot: Option<SnapshotId>) -> Self {
        self.source_snapshot = snapshot;
        self
    }

    /// The pending copy that `state` describes.
    pub(super) fn found(blob: BlobRef, state: CopyState, incremental: bool) -> Self {
        let resumed = Self::resumed(blob, state.copy_id.clone());
        Self { last: Some(state), incremental, ..resumed }
    }

    /// Sets whether the copy was found after the response to its start was lost.
    pub(super) fn adopted(mut self, adopted: bool) -> Self {
        self.adopted = adopted;
        self
    }

    /// Sets the options of its requests, taken from another builder.
    pub(super) fn with_options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// The target and options of its requests.
    pub(super) fn call(&self) -> Call {
        Call { options: self.options.clone(), ..self.blob.call() }
    }

    /// The copy's id.
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

    /// Whether the response to the start was lost and this copy was found at the destination
    /// instead. Sends nothing.
    ///
    /// Such a copy has the same source and was pending, or succeeded after the call began. If the
    /// order is unclear, a success counts only if the source is a snapshot or version, which cannot
    /// change. It is almost always the caller's own copy. If another client started it from the
    /// same source, the content is the same, but the metadata, tags and tier are the other
    /// client's.
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

    /// The last known status. Sends nothing. `None` for a copy that was resumed by its id and not
    /// polled yet.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # let started = blob.start_copy_from_uri(&source).await?;
    /// let copy = blob.resume_copy(started.id());
    /// assert_eq!(copy.status(), None);
    /// # Ok(()) });
    /// ```
    pub fn status(&self) -> Option<&CopyStatus> {
        self.last.as_ref().map(|state| &state.status)
    }

    /// The last known progress. Sends nothing. `None` after a start until the first poll, because
    /// the response to a start carries no progress. An incremental copy counts the whole blob, not
    /// the difference.
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

    /// Whether the copy is known to have ended, in any way. Sends nothing.
    ///
    /// An incremental copy that has succeeded is not completed until it names its destination
    /// snapshot. If it still names none after a few more polls, it counts as completed without one.
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

    /// Polls once with Get Blob Properties and returns the state. A copy that failed or was aborted
    /// is an `Ok` with that status.
    ///
    /// # Errors
    ///
    /// `CopySuperseded`, `CopyDestinationGone` or `NoCopyProperties` if the destination no longer
    /// carries this copy; otherwise the error of the request.
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

    /// Takes the state of the copy from a listing that includes copies, as if the blob had been
    /// polled. Sends nothing.
    ///
    /// # Errors
    ///
    /// As for [`poll`](Self::poll): `CopySuperseded` or `NoCopyProperties`; and `InvalidInput` if
    /// the item is another blob.
    ///
    /// ```
    /// use blobcopy::BlobInclude;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = blob.start_copy_from_uri(&source).await?;
    /// let backups = service.container_client("backups");
    /// for item in backups.list_blobs().include([BlobInclude::Copy]).collect_all().await? {
    ///     if item.name == copy.blob().name() {
    ///         copy.observe(&item)?;
    ///     }
    /// }
    /// assert!(copy.has_completed());
    /// # Ok(()) });
    /// ```
    pub fn observe(&mut self, item: &BlobItem) -> Result<CopyState> {
        if item.name != self.blob.name() || item.snapshot.is_some() {
            return Err(Error::invalid("item", &item.name, "is not the destination of the copy"));
        }
        self.incremental |= item.properties.is_incremental_copy;
        let copy = item.properties.copy.clone();
        let properties = CopyProperties { copy, is_incremental_copy: self.incremental };
        let state = status::observe(&self.id, &self.call(), Ok(properties))?;
        Ok(self.keep(state))
    }

    /// Polls once; also returns the response's `Retry-After`.
    pub(super) async fn look(
        &mut self,
        tries: &mut Tries,
    ) -> Result<(CopyState, Option<Duration>)> {
        let call = self.call().at_primary();
        call.since(since::ASYNCHRONOUS_COPY)?;
        let operation = GetCopyProperties;
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
        Ok((self.keep(state), asked))
    }

    /// Keeps a state as the last one.
    fn keep(&mut self, state: CopyState) -> CopyState {
        let succeeded = self.incremental && state.status == CopyStatus::Success;
        self.looks_without_snapshot = match succeeded && state.destination_snapshot.is_none() {
            true => self.looks_without_snapshot.saturating_add(1),
            false => 0,
        };
        self.told_all = !(1..=MORE_LOOKS).contains(&self.looks_without_snapshot);
        self.last = Some(state.clone());
        state
    }

    /// Sets the destination's lease id, which an abort needs if the destination is leased. A copy
    /// that was started with a lease already has it.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// # let started = blob.start_copy_from_uri(&source).await?;
    /// let lease: blobcopy::LeaseId = "11111111-2222-3333-4444-555555555555".parse()?;
    /// let copy = blob.resume_copy(started.id()).with_lease(lease);
    /// # let _ = copy;
    /// # Ok(()) });
    /// ```
    pub fn with_lease(mut self, lease: impl Into<LeaseId>) -> Self {
        self.lease_id = Some(lease.into());
        self
    }

    pub(crate) fn lease_id(&self) -> Option<&LeaseId> {
        self.lease_id.as_ref()
    }

    /// How the copy ended, if that is known. Sends nothing.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = blob.start_copy_from_uri(&source).await?;
    /// copy.poll().await?;
    /// assert!(copy.outcome().is_some_and(|end| end.is_ok()));
    /// # Ok(()) });
    /// ```
    pub fn outcome(&self) -> Option<Result<CompletedCopy>> {
        self.last.as_ref().filter(|_| self.told_all).and_then(|state| self.end(state))
    }

    /// The end of the copy by its last `state`; `None` if it has not ended.
    pub(super) fn end(&self, state: &CopyState) -> Option<Result<CompletedCopy>> {
        let end = status::end(state, &self.blob)?;
        Some(end.map(|mut done| {
            done.source_snapshot = self.source_snapshot();
            done
        }))
    }

    /// The source snapshot, if known.
    pub(super) fn source_snapshot(&self) -> Option<SnapshotId> {
        let echoed = || self.last.as_ref()?.source.as_ref()?.snapshot();
        self.source_snapshot.clone().or_else(echoed)
    }

    pub(crate) fn last(&self) -> Option<&CopyState> {
        self.last.as_ref()
    }

    /// How many polls saw an incremental copy succeed without its snapshot.
    pub(super) fn looks_without_snapshot(&self) -> u32 {
        self.looks_without_snapshot
    }

    /// The state of an incremental copy that was seen to succeed, but without its snapshot.
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
