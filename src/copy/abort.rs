//! Aborting a copy, and finding out whether it was still pending.

use super::{operation::CopyFromUriOperation, status};
use crate::{
    error::{Error, Result},
    models::{CopyState, CopyStatus, ErrorCode, LeaseId, since},
    operations::{
        abort_copy::Abort,
        blob_ref::BlobRef,
        get_copy_properties::GetCopyProperties,
        operation::{Call, call_options},
        settings::access::with_lease,
    },
    pipeline::tries::Tries,
    wire::transport::BoxFuture,
};

/// The outcome of an abort.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)]
#[non_exhaustive]
pub enum AbortOutcome {
    /// The copy was pending and has been aborted. The destination is empty.
    Aborted,
    /// The copy had already ended, in this state.
    AlreadyFinished(CopyState),
    /// The blob carries no copy properties: no copy was ever made into it, or it was written after
    /// the copy. Only [`BlobClient::abort_pending_copy`](crate::BlobClient::abort_pending_copy)
    /// returns this.
    NothingPending,
}

/// # Aborting
impl CopyFromUriOperation {
    /// Aborts the copy. The destination becomes empty; its snapshots remain.
    ///
    /// A copy that had already ended is not an error: the outcome says how it ended.
    ///
    /// # Errors
    ///
    /// `CopySuperseded`, `CopyDestinationGone` or `NoCopyProperties` if the destination no longer
    /// carries this copy; otherwise the error of the request.
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
    #[doc(alias("AbortCopyFromUri", "Abort Copy Blob", "AbortCopyBlob"))]
    pub async fn abort(&mut self) -> Result<AbortOutcome> {
        abort(self).await
    }
}

/// Aborts the pending copy into a blob: returned by
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
    /// How often a newer copy may replace the one being aborted.
    const ROUNDS: usize = 5;

    pub(crate) fn new(blob: &BlobRef) -> Self {
        Self { call: blob.call(), blob: blob.clone(), lease_id: None }
    }

    async fn run(self) -> Result<AbortOutcome> {
        self.call.since(since::ABORT_COPY)?;
        let mut round = 1;
        loop {
            let call = self.call.clone().at_primary();
            let properties = call.run(&GetCopyProperties).await?;
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

/// Aborts one copy. If the service refuses, or may have aborted without responding, the copy is
/// polled to find out what happened.
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
        // A failed poll says nothing about the copy: return the abort's own error.
        Err(Error::Service(_) | Error::Transport { .. } | Error::Timeout { .. })
            if tries.ambiguous =>
        {
            return Err(error);
        }
        Err(ending) => return Err(ending),
    };
    Ok(match state.status {
        // An earlier attempt, whose response was lost, aborted it.
        CopyStatus::Aborted if tries.ambiguous => AbortOutcome::Aborted,
        _ if state.status.is_final() => AbortOutcome::AlreadyFinished(state),
        _ => return Err(error),
    })
}
