//! A lease that renews and releases itself.

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
        lease::{Acquire, AcquireLease, Release, ReleaseLease, Renew, RenewLease},
        operation::Call,
    },
    wire::{clock, transport::BoxFuture},
};

/// A lease on a blob that renews itself in the background and is released when it is dropped: made
/// by [`AcquireLease::guard`](crate::builders::AcquireLease::guard).
///
/// A lease of 15 to 60 seconds is renewed after each third of its duration, by a task on the
/// runtime in which it was acquired; an infinite lease needs no renewal. If the lease is lost,
/// because it was broken or could not be renewed in time, [`lost`](Lease::lost) returns.
///
/// Dropping it sends the release in the background and does not wait. If the runtime ends first,
/// the lease runs to its end; an infinite lease stays until it is broken.
/// [`release`](Lease::release) waits and returns the error, if any.
///
/// If the future that acquires the lease is dropped before it completes, the request is completed
/// in the background and the lease is then released. If that takes more than 10 seconds, a release
/// is sent after 10 seconds as well.
///
/// While a copy into the blob is pending, the service refuses every call on its lease, even
/// renewals. A copy into a leased blob needs an infinite lease.
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
    /// Acquires the lease as a [`Lease`] that renews itself and is released when it is dropped.
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
    #[doc(alias = "BlobLeaseClient")]
    pub fn guard(self) -> GuardLease {
        GuardLease(Begin::Acquire(self))
    }
}

impl RenewLease {
    /// Renews a lease of this duration, and makes a [`Lease`] of it that goes on renewing it and
    /// releases it when it is dropped: for a program that goes on where another stopped.
    ///
    /// Awaiting it gives [`Lease`](crate::Lease). If it succeeds, nobody has written to the blob
    /// without this lease since it was acquired: an expired lease can be renewed only until the
    /// blob is modified or leased again. If the future fails or is dropped before it completes, the
    /// lease is not released.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a duration that a lease cannot have; 409
    /// `LeaseIdMismatchWithLeaseOperation`, `LeaseNotPresentWithLeaseOperation` or
    /// `LeaseIsBrokenAndCannotBeRenewed` if the lease is gone.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let minute = Duration::from_secs(60);
    /// let id = notes.acquire_lease(minute).guard().await?.into_id();
    /// // Later, perhaps in another program:
    /// let lease = notes.renew_lease(&id).guard(minute).await?;
    /// assert_eq!(lease.id(), &id);
    /// # Ok(()) });
    /// ```
    pub fn guard(self, duration: Duration) -> GuardLease {
        GuardLease(Begin::Renew(self, duration))
    }
}

/// Acquires or renews a lease that renews and releases itself: returned by
/// [`AcquireLease::guard`](crate::builders::AcquireLease::guard) and
/// [`RenewLease::guard`](crate::builders::RenewLease::guard).
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct GuardLease(Begin);

#[derive(Debug, Clone)]
enum Begin {
    Acquire(AcquireLease),
    Renew(RenewLease, Duration),
}

impl Begin {
    fn parts(&self) -> (&Call, Option<Duration>) {
        match self {
            Self::Acquire(acquire) => (&acquire.call, acquire.operation.duration),
            Self::Renew(renew, duration) => (&renew.call, Some(*duration)),
        }
    }

    async fn send(self) -> Result<LeaseId> {
        match self {
            Self::Acquire(acquire) => Ok(acquire.claim(true).await?.lease_id),
            Self::Renew(renew, duration) => {
                Acquire::new(Some(duration)).check()?;
                Ok(renew.await?.lease_id)
            }
        }
    }
}

impl IntoFuture for GuardLease {
    type Output = Result<Lease>;
    type IntoFuture = BoxFuture<'static, Result<Lease>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let runtime = Handle::try_current().map_err(|_| {
                Error::invalid("lease guard", "this thread", "must run within a tokio runtime")
            })?;
            let (call, duration) = self.0.parts();
            // The options of the first call do not apply to the renewals.
            let call = Call { options: Default::default(), ..call.clone() };
            let begun = clock::instant();
            let id = self.0.send().await?;
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

/// Renews the lease until that fails, and returns why.
async fn keep(
    call: Call,
    id: LeaseId,
    duration: Duration,
    mut held_since: tokio::time::Instant,
) -> Error {
    // The lease may have been acquired just now, although the call began longer ago than the lease
    // lasts.
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
        // The call's retries are used up, but the lease is still active for a while.
        clock::sleep(PAUSE).await;
    }
}

/// The pause after a transient failure of a renewal.
const PAUSE: Duration = Duration::from_secs(1);

impl Lease {
    /// The lease's id. Every write of the blob must carry it.
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

    /// Whether the lease is held as far as the client knows: no renewal has failed for good. Sends
    /// nothing.
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

    /// Waits until the lease is lost, and returns the error of the last renewal. It never returns
    /// while the lease is held, nor for an infinite lease; use it in `select!`.
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

    /// Releases the lease, and waits for the response.
    ///
    /// # Errors
    ///
    /// 409 `LeaseIdMismatchWithLeaseOperation` if the blob now has another lease; 409
    /// `LeaseNotPresentWithLeaseOperation` if it has none; 404 if the blob is gone; otherwise the
    /// error of the request.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// notes.acquire_infinite_lease().guard().await?.release().await?;
    /// notes.upload("anyone may write again").await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias = "Release")]
    pub async fn release(mut self) -> Result<()> {
        self.stop();
        let release = ReleaseLease::new(self.call.clone(), Release::new(self.id.clone()));
        let released = release.await;
        // After a refusal, sending the release again on drop is pointless.
        self.released = released.as_ref().map_or_else(|error| !error.is_retryable(), |()| true);
        released
    }

    /// Stops renewing the lease, without releasing it, and returns its id.
    ///
    /// A lease of 15 to 60 seconds then runs out. Whoever knows the id can renew it, even after
    /// that, as long as nobody has written to the blob or leased it: see
    /// [`RenewLease::guard`](crate::builders::RenewLease::guard). Sends nothing.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let id = notes.acquire_infinite_lease().guard().await?.into_id();
    /// notes.upload("changed").lease_id(&id).await?;
    /// notes.release_lease(&id).await?;
    /// # Ok(()) });
    /// ```
    pub fn into_id(mut self) -> LeaseId {
        self.stop();
        self.released = true;
        self.id.clone()
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
