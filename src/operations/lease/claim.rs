//! Acquires a lease, and never leaves one behind whose id nobody knows.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::runtime::Handle;

use super::{BlobLease, ReleaseLease};
use crate::{
    error::Result,
    wire::{clock, transport::BoxFuture},
};

/// How long to wait for an abandoned acquire before releasing its lease for the first time, in case
/// the response is lost. After the acquire has ended the lease is released again: a release that
/// overtook it found no lease.
const GRACE: Duration = Duration::from_secs(10);

/// Acquires a lease, and releases it in the background unless the caller gets it: when the future
/// is dropped early, or fails although the service may have granted the lease.
pub(super) struct Claim {
    acquire: Option<BoxFuture<'static, Result<BlobLease>>>,
    release: Option<ReleaseLease>,
    /// Known from the first poll on. Nothing is sent before.
    runtime: Option<Handle>,
}

impl Claim {
    pub(super) fn new(
        acquire: BoxFuture<'static, Result<BlobLease>>,
        release: ReleaseLease,
    ) -> Self {
        Self { acquire: Some(acquire), release: Some(release), runtime: None }
    }
}

impl Future for Claim {
    type Output = Result<BlobLease>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.runtime.is_none() {
            self.runtime = Handle::try_current().ok();
        }
        let Some(acquire) = &mut self.acquire else { return Poll::Pending };
        let acquired = ready!(acquire.as_mut().poll(context));
        self.acquire = None;
        let unclear = acquired.as_ref().is_err_and(|error| error.may_have_been_applied());
        if let (true, Some(runtime), Some(release)) = (unclear, &self.runtime, &self.release) {
            runtime.spawn(send(release.clone()));
        }
        Poll::Ready(acquired)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let left = (self.acquire.take(), self.release.take(), self.runtime.take());
        let (Some(mut acquire), Some(release), Some(runtime)) = left else { return };
        runtime.spawn(async move {
            let acquired = match clock::within(GRACE, &mut acquire).await {
                Some(acquired) => acquired,
                None => {
                    send(release.clone()).await;
                    acquire.await
                }
            };
            let refused = acquired.is_err_and(|error| !error.may_have_been_applied());
            if !refused {
                send(release).await;
            }
        });
    }
}

async fn send(release: ReleaseLease) {
    if let Err(error) = release.await {
        tracing::debug!(%error, "an abandoned lease was not released");
    }
}
