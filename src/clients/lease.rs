//! A lease that looks after itself.

use std::{
    fmt, mem,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::watch,
    task::{AbortHandle, JoinHandle},
};

use crate::{
    error::{Error, Result},
    models::LeaseId,
    operations::{
        lease::{AcquireLease, Release, ReleaseLease, Renew, RenewLease},
        operation::Call,
    },
    wire::{clock, transport::BoxFuture},
};

/// A lease on a blob that renews itself in the background, and releases itself when it is dropped:
/// made by [`AcquireLease::guard`](crate::builders::AcquireLease::guard).
///
/// A lease of 15 to 60 seconds is renewed after each third of its time, by a task on the runtime in
/// which it was acquired; one without end needs no renewal. When the lease cannot be kept, because
/// it was broken or no renewal got through in time, [`lost`](Lease::lost) returns.
///
/// Dropping it sends the release in the background and does not wait: if the runtime ends before
/// that, the lease runs to its own end, or, without one, stays until it is broken.
/// [`release`](Lease::release) waits, and returns an error if it failed.
///
/// If the future that acquires it is dropped half-way, the request is finished in the background,
/// and the lease is then released. Where that takes more than 10 seconds, a release is sent after
/// these too.
///
/// While a copy into the blob is pending the service refuses every call on its lease, renewals too;
/// a copy into a leased blob needs a lease without end.
///
/// ```
/// use std::time::Duration;
///
/// # blobcopy_simulator::example(async |service| {
/// let notes = service.container_client("vhds").block_blob_client("notes.txt");
/// let lease = notes.acquire_lease(Duration::from_secs(60)).guard().await?;
/// notes.upload("changed").lease_id(lease.id().clone()).await?;
/// lease.release().await?;
/// # Ok(()) });
/// ```
#[must_use = "the lease is released when it is dropped"]
pub struct Lease {
    call: Call,
    id: LeaseId,
    runtime: Handle,
    keeper: Option<AbortHandle>,
    fate: Arc<OnceLock<Error>>,
    ended: watch::Receiver<bool>,
    released: bool,
}

impl AcquireLease {
    /// Acquires the lease as a [`Lease`] that renews itself, and releases itself when it is
    /// dropped.
    ///
    /// Awaiting it gives [`Lease`](crate::Lease).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let lease = notes.acquire_infinite_lease().guard().await?;
    /// assert!(notes.upload("changed").await.is_err(), "it needs the lease's id");
    /// drop(lease);
    /// # Ok(()) });
    /// ```
    pub fn guard(self) -> GuardLease {
        GuardLease(self)
    }
}

/// Acquires a lease that looks after itself: made by
/// [`AcquireLease::guard`](crate::builders::AcquireLease::guard).
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct GuardLease(AcquireLease);

impl IntoFuture for GuardLease {
    type Output = Result<Lease>;
    type IntoFuture = BoxFuture<'static, Result<Lease>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let runtime = Handle::try_current().map_err(|_| {
                Error::invalid("lease guard", "this thread", "must run within a tokio runtime")
            })?;
            let (call, duration) = (self.0.call.clone(), self.0.operation.duration);
            // What a single call was given is not for the calls that follow.
            let call = Call { options: Default::default(), ..call };
            let begun = clock::instant();
            let id = self.0.claim(true).await?.lease_id;
            let (tell, ended) = watch::channel(false);
            let fate = Arc::new(OnceLock::new());
            let keeper = duration.map(|duration| {
                let keep = keep(call.clone(), id.clone(), duration, begun);
                let fate = Arc::clone(&fate);
                let task: JoinHandle<()> = runtime.spawn(async move {
                    let error = keep.await;
                    tracing::debug!(%error, "the lease is lost");
                    if fate.set(error).is_ok() {
                        tell.send_replace(true);
                    }
                });
                task.abort_handle()
            });
            Ok(Lease { call, id, runtime, keeper, fate, ended, released: false })
        })
    }
}

/// Renews the lease until that is no longer possible, and says why.
async fn keep(
    call: Call,
    id: LeaseId,
    duration: Duration,
    mut held_since: tokio::time::Instant,
) -> Error {
    // The acquisition may have taken longer than the lease lasts, until an attempt was answered:
    // just now.
    let mut least = duration / 3;
    loop {
        clock::sleep((duration / 3).saturating_sub(held_since.elapsed())).await;
        let asked = clock::instant();
        let left = duration.saturating_sub(held_since.elapsed()).max(mem::take(&mut least));
        let renewal = RenewLease::new(call.clone(), Renew::new(id.clone()));
        let error = match clock::within(left, renewal.into_future()).await {
            Some(Ok(_)) => {
                held_since = asked;
                continue;
            }
            Some(Err(error)) => error,
            None => Error::Timeout {
                operation: "Lease Blob",
                url: call.place(),
                limit: left,
                attempts: 1,
                ambiguous: true,
            },
        };
        if !error.is_passing() || held_since.elapsed() >= duration {
            return error;
        }
        // The retries of the call are used up; the lease still holds for a while.
        clock::sleep(PAUSE).await;
    }
}

/// The pause after a renewal that failed in passing.
const PAUSE: Duration = Duration::from_secs(1);

impl Lease {
    /// The lease's id, which every write of the blob must carry.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let lease = notes.acquire_infinite_lease().guard().await?;
    /// notes.set_metadata([("k", "v")]).lease_id(lease.id().clone()).await?;
    /// # Ok(()) });
    /// ```
    pub fn id(&self) -> &LeaseId {
        &self.id
    }

    /// Whether every renewal has worked so far. Sends nothing.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let lease = notes.acquire_infinite_lease().guard().await?;
    /// assert!(lease.is_held());
    /// # Ok(()) });
    /// ```
    pub fn is_held(&self) -> bool {
        self.fate.get().is_none()
    }

    /// Waits until the lease is lost, and returns why: what the service answered to a renewal, or
    /// what kept renewals from getting through. It never returns while the lease is held, nor for
    /// an infinite lease; use it in `select!`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let lease = notes.acquire_lease(Duration::from_secs(15)).guard().await?;
    /// tokio::select! {
    ///     written = notes.upload("changed").lease_id(lease.id().clone()) => { written?; }
    ///     error = lease.lost() => eprintln!("stopped: {error}"),
    /// }
    /// # Ok(()) });
    /// ```
    pub async fn lost(&self) -> &Error {
        let mut ended = self.ended.clone();
        loop {
            if let Some(error) = self.fate.get() {
                return error;
            }
            if ended.changed().await.is_err() && self.fate.get().is_none() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Releases the lease, and waits for the answer.
    ///
    /// # Errors
    ///
    /// 409 `LeaseIdMismatchWithLeaseOperation` when somebody else's lease has followed this one,
    /// `LeaseNotPresentWithLeaseOperation` when there is none; 404 when the blob is gone; else what
    /// the request met.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// notes.acquire_infinite_lease().guard().await?.release().await?;
    /// notes.upload("anyone may write again").await?;
    /// # Ok(()) });
    /// ```
    pub async fn release(mut self) -> Result<()> {
        self.stop();
        let release = ReleaseLease::new(self.call.clone(), Release::new(self.id.clone()));
        let released = release.await;
        // A refusal would only be repeated on drop.
        self.released = released.as_ref().map_or_else(|error| !error.is_retryable(), |()| true);
        released
    }

    fn stop(&self) {
        if let Some(keeper) = &self.keeper {
            keeper.abort();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop();
        if !self.released && self.is_held() {
            let release = ReleaseLease::new(self.call.clone(), Release::new(self.id.clone()));
            self.runtime.spawn(async move {
                if let Err(error) = release.await {
                    tracing::debug!(%error, "the lease was dropped, but not released");
                }
            });
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("id", &self.id)
            .field("is_held", &self.is_held())
            .finish_non_exhaustive()
    }
}
