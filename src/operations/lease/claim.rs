//! An acquisition that leaves no lease behind that nobody knows of.

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

/// How long an acquisition whose caller has gone may take before its lease is released for the
/// first time: its answer may be lost. When it has ended the lease is released again, since a
/// release that overtakes the acquisition finds no lease, and the lease then stays.
const GRACE: Duration = Duration::from_secs(10);

/// The acquisition of a lease that is released in the background unless the caller gets it: when
/// the future is dropped half-way, or fails in such a way that the service may have granted the
/// lease.
pub(super) struct Claim {
    acquire: Option<BoxFuture<'static, Result<BlobLease>>>,
    release: Option<ReleaseLease>,
    /// Known from the first poll on; nothing is sent before.
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
        tracing::debug!(%error, "a lease that nobody waited for was not released");
    }
}
