//! Aborting a copy, and learning whether it was still there to be aborted.

use super::{operation::CopyFromUriOperation, status};
use crate::{
    error::{Error, Result},
    models::{CopyState, CopyStatus, ErrorCode, LeaseId, since},
    operations::blob_ref::BlobRef,
    operations::{
        abort_copy::Abort,
        get_properties::GetBlobProperties,
        operation::{Call, call_options},
        settings::access::with_lease,
    },
    pipeline::tries::Tries,
    wire::transport::BoxFuture,
};

/// How an abort ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)]
#[non_exhaustive]
pub enum AbortOutcome {
    /// The copy was pending, and is aborted. The destination is empty.
    Aborted,
    /// The copy had ended before, in this state.
    AlreadyFinished(CopyState),
    /// No copy into the blob is pending: it was never the destination of one, or was written since.
    NothingPending,
}

/// # Aborting
impl CopyFromUriOperation {
    /// Aborts the copy. The destination is left empty; its snapshots stay.
    ///
    /// A copy that has ended before is no error: the outcome says how.
    ///
    /// # Errors
    ///
    /// `CopySuperseded`, `CopyDestinationGone` and `NoCopyProperties`, when the destination no
    /// longer names this copy; else the error of the request.
    ///
    /// ```
    /// use blobcopy::AbortOutcome;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = blob.start_copy_from_uri(&source).await?;
    /// match copy.abort().await? {
    ///     AbortOutcome::Aborted => println!("aborted"),
    ///     AbortOutcome::AlreadyFinished(state) => println!("had ended: {}", state.status),
    ///     other => println!("{other:?}"),
    /// }
    /// # Ok(()) });
    /// ```
    pub async fn abort(&mut self) -> Result<AbortOutcome> {
        abort(self).await
    }
}

/// Aborts whatever copy into a blob is pending: made by
/// [`BlobClient::abort_pending_copy`](crate::BlobClient::abort_pending_copy).
///
/// [Abort Copy Blob](https://learn.microsoft.com/rest/api/storageservices/abort-copy-blob)
/// (from version 2012-02-12)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct AbortPendingCopy {
    call: Call,
    blob: BlobRef,
    lease_id: Option<LeaseId>,
}

impl AbortPendingCopy {
    /// How often a newer copy may take the place of the one that was to be aborted.
    const ROUNDS: usize = 5;

    pub(crate) fn new(blob: &BlobRef) -> Self {
        Self { call: blob.call(), blob: blob.clone(), lease_id: None }
    }

    async fn run(self) -> Result<AbortOutcome> {
        self.call.since(since::ABORT_COPY)?;
        let mut round = 1;
        loop {
            let call = self.call.clone().at_primary();
            let properties = call.run(&GetBlobProperties::default()).await?;
            let Some(state) = properties.copy else { return Ok(AbortOutcome::NothingPending) };
            if state.status.is_final() {
                return Ok(AbortOutcome::AlreadyFinished(state));
            }
            let mut copy = CopyFromUriOperation::resumed(self.blob.clone(), state.copy_id)
                .with_options(self.call.options.clone());
            if let Some(lease) = &self.lease_id {
                copy = copy.with_lease(lease.clone());
            }
            match abort(&mut copy).await {
                Err(Error::CopySuperseded { .. }) if round < Self::ROUNDS => round += 1,
                outcome => return outcome,
            }
        }
    }
}

call_options!(AbortPendingCopy);
with_lease!(AbortPendingCopy);

impl IntoFuture for AbortPendingCopy {
    type Output = Result<AbortOutcome>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Aborts one copy. What the service refuses is looked into, and so is what it may have done
/// although no answer came.
pub(crate) async fn abort(copy: &mut CopyFromUriOperation) -> Result<AbortOutcome> {
    let call = copy.call();
    let mut operation = Abort::new(copy.id().clone());
    operation.lease_id = copy.lease_id().cloned();
    let mut tries = Tries::default();
    let request = call.prepare(&operation)?;
    let error = match call.send(&operation, &request, &mut tries).await {
        Ok(_) => return Ok(AbortOutcome::Aborted),
        Err(error) => error,
    };
    match error.code() {
        Some(ErrorCode::NoPendingCopyOperation | ErrorCode::CopyIdMismatch) => {}
        _ if status::is_gone(&error) => return Err(status::gone(copy.id(), &call)),
        _ if tries.ambiguous => {}
        _ => return Err(error),
    }
    let state = match copy.poll().await {
        Ok(state) => state,
        // Says nothing of the copy: that the abort may have been applied says more.
        Err(Error::Service(_) | Error::Transport { .. } | Error::Timeout { .. })
            if tries.ambiguous =>
        {
            return Err(error);
        }
        Err(ending) => return Err(ending),
    };
    Ok(match state.status {
        // An earlier try of ours, whose answer was lost, has done it.
        CopyStatus::Aborted if tries.ambiguous => AbortOutcome::Aborted,
        _ if state.status.is_final() => AbortOutcome::AlreadyFinished(state),
        _ => return Err(error),
    })
}
