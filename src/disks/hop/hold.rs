//! The lease on the base, for the hops of one run: nobody else can write to it meanwhile.
//!
//! Its id is noted in the metadata before it is acquired. So a run knows the lease of one that died
//! from a lease of somebody else, and need not wait until it runs out.
//!
//! A run that is torn leaves its lease: it is not released, and runs out within a minute. The
//! service renews such a lease only as long as nobody has written to the blob or leased it. So the
//! next run learns whether what is noted as done still is.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{MirrorError, torn::is_changed};
use crate::{
    BlobProperties, Conditions, ETag, Error, ErrorCode, Lease, LeaseId, LeaseState, PageBlobClient,
    disks::lineage::Lineage,
};

/// How long a run that dies keeps others out.
const HELD: Duration = Duration::from_secs(60);

/// The lease that a run has, or will have, on the base.
///
/// Dropping it leaves the lease to run out; [`release`](Self::release) is for a base that is
/// sealed.
#[derive(Debug)]
pub(crate) struct Hold(Mutex<State>);

#[derive(Debug)]
struct State {
    id: LeaseId,
    lease: Option<Lease>,
}

impl Hold {
    /// A lease with a new id. Sends nothing.
    pub(crate) fn new() -> Result<Self, Error> {
        let digits = format!("{:032x}", fastrand::u128(..));
        let ends = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
        let parts = ends.map(|(start, end)| digits.get(start..end).unwrap_or_default());
        let id = parts.join("-").parse()?;
        Ok(Self(Mutex::new(State { id, lease: None })))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id to note.
    pub(super) fn id(&self) -> LeaseId {
        self.state().id.clone()
    }

    /// The id for requests, once the lease is acquired.
    pub(super) fn held(&self) -> Option<LeaseId> {
        let state = self.state();
        state.lease.is_some().then(|| state.id.clone())
    }

    fn keep(&self, lease: Lease) {
        let mut state = self.state();
        (state.id, state.lease) = (lease.id().clone(), Some(lease));
    }

    /// Takes over the lease of a torn run. Returns whether that could be done: then nobody else can
    /// have written to the base since that run had its lease.
    pub(super) async fn take_over(
        &self,
        base: &PageBlobClient,
        lineage: &Lineage,
    ) -> Result<bool, MirrorError> {
        if self.held().is_some() {
            return Ok(true);
        }
        let Some(noted) = &lineage.lease else { return Ok(false) };
        match base.renew_lease(noted).guard(HELD).await {
            Ok(lease) => {
                self.keep(lease);
                Ok(true)
            }
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the lease of a run before, if it has one still and is not taken over.
    pub(super) async fn make_way(
        &self,
        base: &PageBlobClient,
        seen: &BlobProperties,
        lineage: &Lineage,
    ) -> Result<(), MirrorError> {
        let is_leased = self.held().is_none()
            && matches!(seen.lease_state, Some(LeaseState::Leased | LeaseState::Breaking));
        match &lineage.lease {
            _ if !is_leased => Ok(()),
            None => Err(of_another(base)),
            // Of a run that died, or whose release did not arrive.
            Some(noted) => match base.release_lease(noted).await {
                Err(error) if error.code() == Some(&MISMATCH) => Err(of_another(base)),
                Err(error) if !is_gone(&error) => Err(error.into()),
                _ => Ok(()),
            },
        }
    }

    /// Acquires the lease, if nobody has written to the base since it had this ETag. Otherwise the
    /// error inside says that it has changed, or is leased by another.
    pub(super) async fn acquire(
        &self,
        base: &PageBlobClient,
        etag: Option<&ETag>,
    ) -> Result<Result<(), Error>, MirrorError> {
        if self.held().is_some() {
            return Ok(Ok(()));
        }
        // If it lands late, the ETag is another, and nobody is kept out by a run that is over.
        let unchanged = Conditions::new().if_match(etag.cloned().unwrap_or(ETag::ANY));
        let acquire = base.acquire_lease(HELD).proposed_id(self.id()).conditions(unchanged);
        match acquire.guard().await {
            Ok(lease) => {
                self.keep(lease);
                Ok(Ok(()))
            }
            Err(error)
                if is_changed(&error) || error.code() == Some(&ErrorCode::LeaseAlreadyPresent) =>
            {
                Ok(Err(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Releases the lease, when the last hop is sealed. An error is no matter: it then runs out.
    pub(crate) async fn release(&self) {
        let lease = self.state().lease.take();
        if let Some(lease) = lease
            && let Err(error) = lease.release().await
        {
            tracing::debug!(%error, "the lease on the base was not released, and runs out");
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let lease = self.state().lease.take();
        lease.map(Lease::into_id);
    }
}

const MISMATCH: ErrorCode = ErrorCode::LeaseIdMismatchWithLeaseOperation;

/// Whether a lease is not there any more, or is another's.
fn is_gone(error: &Error) -> bool {
    use ErrorCode::{
        LeaseIdMismatchWithLeaseOperation, LeaseIsBreakingAndCannotBeChanged,
        LeaseIsBrokenAndCannotBeRenewed, LeaseNotPresentWithLeaseOperation,
    };
    matches!(
        error.code(),
        Some(
            LeaseIdMismatchWithLeaseOperation
                | LeaseIsBreakingAndCannotBeChanged
                | LeaseIsBrokenAndCannotBeRenewed
                | LeaseNotPresentWithLeaseOperation
        )
    )
}

/// Whether the service refuses a request since this run's lease is over, or not there yet.
pub(super) fn is_refused(error: &Error) -> bool {
    use ErrorCode::{
        LeaseIdMismatchWithBlobOperation, LeaseIdMissing, LeaseLost,
        LeaseNotPresentWithBlobOperation,
    };
    error.status().is_some_and(|status| status == 412)
        && matches!(
            error.code(),
            Some(
                LeaseIdMismatchWithBlobOperation
                    | LeaseIdMissing
                    | LeaseLost
                    | LeaseNotPresentWithBlobOperation
            )
        )
}

fn of_another(base: &PageBlobClient) -> MirrorError {
    MirrorError::not_now(
        base.name(),
        "somebody else holds a lease on it: wait for that, or release it",
    )
}

/// The lease was broken, or could not be renewed in time.
pub(super) fn lost(base: &PageBlobClient, cause: &Error) -> MirrorError {
    let why = format!(
        "its lease was broken, or could not be renewed in time, so the copy has stopped; the next \
         run goes on: {cause}"
    );
    MirrorError::not_now(base.name(), why)
}
