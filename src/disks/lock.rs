//! The lock of a destination: a lease on a marker blob beside it.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{
    MirrorError,
    hop::{HeldLock, is_changed},
    managed::NotedGrants,
};
use crate::{
    BlockBlobClient, Conditions, ETag, Error, ErrorCode, Lease, LeaseId, PageBlobClient, Result,
    transport::BoxFuture,
    wire::{clock, redaction::redact},
};

/// The lock of a destination, held by this run.
///
/// It is a lease of 60 seconds on the block blob `<destination>.blobcopy`, renewed in the
/// background. Dropping it releases the lease in the background; the blob stays.
#[derive(Debug)]
pub(crate) struct Lock {
    held: Arc<Held>,
    marker: Arc<Marker>,
}

/// The lease of a lock.
#[derive(Debug)]
struct Held {
    destination: String,
    lease: Lease,
}

/// How long a run that dies holds the lock.
const HELD: Duration = Duration::from_secs(60);

/// The pause between two looks at a lock that another run holds.
const PAUSE: Duration = Duration::from_secs(5);

/// How often a wait is told.
const TELL: Duration = Duration::from_secs(60);

/// How often a request that met a change under way is sent again.
const TRIES: usize = 5;

impl Lock {
    /// The end of the marker's name.
    pub(crate) const SUFFIX: &'static str = ".blobcopy";

    /// Takes the lock of `destination`: the mirror's, not a later generation.
    ///
    /// If another run holds it: with `take_lock` its lease is broken, otherwise it is waited for as
    /// `patience` says, and in the end this is [`MirrorError::Busy`].
    pub(crate) async fn take(
        destination: &PageBlobClient,
        take_lock: bool,
        patience: &Patience,
    ) -> Result<Self, MirrorError> {
        let tell = |wait: LockWait| patience.tell(&wait);
        let may_begin = || std::future::ready(Ok(()));
        Self::take_for(destination, take_lock, patience, may_begin, tell).await
    }

    /// The same. If there is no marker, it is created after `may_begin` has agreed. A wait is told
    /// to `tell`, when it begins and once a minute.
    pub(crate) async fn take_for<F>(
        destination: &PageBlobClient,
        take_lock: bool,
        patience: &Patience,
        may_begin: impl Fn() -> F,
        tell: impl Fn(LockWait),
    ) -> Result<Self, MirrorError>
    where
        F: Future<Output = Result<(), MirrorError>>,
    {
        let began = clock::instant();
        let mut told: Option<Duration> = None;
        loop {
            let (destination, marker) =
                match Self::try_take_for(destination, take_lock, may_begin()).await {
                    Err(MirrorError::Busy { destination, marker }) => (destination, marker),
                    taken => return taken,
                };
            let waited = clock::instant().duration_since(began);
            let Some(left) = patience.after(waited) else {
                return Err(MirrorError::Busy { destination, marker });
            };
            if told.is_none_or(|last| waited - last >= TELL) {
                told = Some(waited);
                tell(LockWait { destination, marker, waited });
            }
            clock::sleep(left.min(PAUSE)).await;
        }
    }

    /// Takes the lock if nobody holds it, or breaks it first.
    async fn try_take_for(
        destination: &PageBlobClient,
        take_lock: bool,
        may_begin: impl Future<Output = Result<(), MirrorError>>,
    ) -> Result<Self, MirrorError> {
        let mut may_begin = Some(may_begin);
        let name = format!("{}{}", destination.name(), Self::SUFFIX);
        let blob = destination.container_client().block_blob_client(&name);
        let url = redact(destination.url()?.as_str()).into_owned();
        let mut may_break = take_lock;
        for _ in 0..TRIES {
            let error = match blob.acquire_lease(HELD).guard().await {
                Ok(lease) => {
                    let marker = Marker { blob, lease: lease.id().clone(), seen: Mutex::default() };
                    let held = Arc::new(Held { destination: url, lease });
                    return Ok(Self { held, marker: Arc::new(marker) });
                }
                Err(error) => error,
            };
            match error.code() {
                Some(ErrorCode::BlobNotFound) => {
                    if let Some(may_begin) = may_begin.take() {
                        may_begin.await?;
                    }
                    create(&blob).await?;
                }
                Some(
                    ErrorCode::LeaseAlreadyPresent | ErrorCode::LeaseIsBreakingAndCannotBeAcquired,
                ) => {
                    if !may_break {
                        return Err(MirrorError::Busy { destination: url, marker: name });
                    }
                    may_break = false;
                    break_lease(&blob).await?;
                }
                _ => return Err(error.into()),
            }
        }
        Err(MirrorError::Busy { destination: url, marker: name })
    }

    /// Whether the lock is still held, as far as is known. Sends nothing.
    pub(crate) fn check(&self) -> Result<(), MirrorError> {
        self.held.check()
    }

    /// The same, for work that looks at it before each step.
    pub(crate) fn held(&self) -> Arc<dyn HeldLock> {
        Arc::clone(&self.held) as Arc<dyn HeldLock>
    }

    /// Returns when the lock is lost: race the work with it.
    pub(crate) async fn lost(&self) -> MirrorError {
        self.held.loss(self.held.lease.lost().await)
    }

    /// Where grants are noted.
    pub(crate) fn notes(&self) -> Arc<dyn NotedGrants> {
        Arc::clone(&self.marker) as Arc<dyn NotedGrants>
    }

    /// Releases the lock. An error is no matter: the lease then runs out.
    pub(crate) async fn release(self) {
        let released = match Arc::into_inner(self.held) {
            Some(held) => held.lease.release().await,
            // A step that was given up still looks at it.
            None => self.marker.blob.release_lease(self.marker.lease.clone()).await,
        };
        if let Err(error) = released {
            tracing::debug!(%error, "the lock was not released, and runs out");
        }
    }
}

impl Held {
    fn loss(&self, cause: &Error) -> MirrorError {
        MirrorError::LockLost { destination: self.destination.clone(), cause: cause.clone() }
    }
}

impl HeldLock for Held {
    fn check(&self) -> Result<(), MirrorError> {
        match self.lease.lost().now_or_never() {
            None => Ok(()),
            Some(cause) => Err(self.loss(cause)),
        }
    }
}

/// A wait for the lock that another run holds.
///
/// `Display` is a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LockWait {
    /// The destination's URL, without its query.
    pub destination: String,
    /// The name of the marker blob, on which the other run holds a lease.
    pub marker: String,
    /// How long it has waited so far.
    pub waited: Duration,
}

impl fmt::Display for LockWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { marker, waited, .. } = self;
        write!(f, "another run holds the lease on {}: waiting for it", redact(marker))?;
        match waited.as_secs() {
            0 => Ok(()),
            seconds @ 1..60 => write!(f, " for {seconds} s"),
            seconds => write!(f, " for {} min", seconds / 60),
        }
    }
}

/// How long a lock that another run holds is waited for, and who is told.
#[derive(Clone, Default)]
pub(crate) struct Patience {
    /// `None`: it is not waited for.
    limit: Option<Duration>,
    tell: Option<OnLockWait>,
}

type OnLockWait = Arc<dyn Fn(&LockWait) + Send + Sync>;

impl Patience {
    /// Waits without a limit.
    pub(crate) fn endless(self) -> Self {
        Self { limit: Some(Duration::MAX), ..self }
    }

    /// Waits at most so long.
    pub(crate) fn at_most(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    pub(crate) fn telling(self, tell: impl Fn(&LockWait) + Send + Sync + 'static) -> Self {
        Self { tell: Some(Arc::new(tell)), ..self }
    }

    /// How long it still waits; `None` if no longer.
    fn after(&self, waited: Duration) -> Option<Duration> {
        self.limit?.checked_sub(waited).filter(|left| !left.is_zero())
    }

    fn tell(&self, wait: &LockWait) {
        if let Some(tell) = &self.tell {
            tell(wait);
        }
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Creates the marker, if nobody else has.
async fn create(blob: &BlockBlobClient) -> Result<()> {
    let absent = Conditions::new().if_none_match(ETag::ANY);
    let created = blob.upload(Content::default().to_json()?).conditions(absent).await;
    match created {
        Err(error) if is_there(&error) => Ok(()),
        created => created.map(|_| ()),
    }
}

/// Whether the marker exists: another run has made it, or an attempt whose response was lost.
fn is_there(error: &Error) -> bool {
    use ErrorCode::{BlobAlreadyExists, ConditionNotMet, LeaseIdMissing, TargetConditionNotMet};
    matches!(
        error.code(),
        Some(BlobAlreadyExists | ConditionNotMet | LeaseIdMissing | TargetConditionNotMet)
    )
}

async fn break_lease(blob: &BlockBlobClient) -> Result<()> {
    match blob.break_lease().period(Duration::ZERO).await {
        Err(error) if error.code() == Some(&ErrorCode::LeaseNotPresentWithLeaseOperation) => Ok(()),
        broken => broken.map(|_| ()),
    }
}

/// The marker blob, for the run that holds its lease.
#[derive(Debug)]
struct Marker {
    blob: BlockBlobClient,
    lease: LeaseId,
    /// Its ETag and content, once they are known.
    seen: Mutex<Option<(ETag, Content)>>,
}

/// What the marker says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    version: u32,
    /// The ids of snapshots that a run has been granted and has not given back.
    granted: Vec<String>,
}

/// The version of [`Content`] that this crate reads and writes.
const VERSION: u32 = 1;

impl Default for Content {
    fn default() -> Self {
        Self { version: VERSION, granted: Vec::new() }
    }
}

impl Content {
    fn to_json(&self) -> Result<String> {
        let error = |_| Error::invalid("lock", "the marker", "cannot be written as JSON");
        serde_json::to_string(self).map_err(error)
    }

    fn read(name: &str, json: &[u8]) -> Result<Self> {
        let content: Option<Self> = serde_json::from_slice(json).ok();
        content.filter(|content| content.version == VERSION).ok_or_else(|| {
            let rule = "is not the marker of a mirror: move it elsewhere";
            Error::invalid("lock", name, rule)
        })
    }
}

impl Marker {
    async fn read(&self) -> Result<(ETag, Content)> {
        let download = self.blob.download().await?;
        let etag = download.properties.etag.clone();
        let json = download.bytes().await?;
        let content = Content::read(self.blob.name(), &json)?;
        let unknown = || Error::invalid("lock", self.blob.name(), "has no ETag");
        Ok((etag.ok_or_else(unknown)?, content))
    }
}

impl NotedGrants for Marker {
    fn noted(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async move {
            let mut seen = self.seen.lock().await;
            let read = self.read().await?;
            let granted = read.1.granted.clone();
            *seen = Some(read);
            Ok(granted)
        })
    }

    fn note(&self, snapshots: Vec<String>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let content = Content { granted: snapshots, ..Content::default() };
            let json = content.to_json()?;
            let mut seen = self.seen.lock().await;
            for attempt in 1.. {
                let etag = match seen.take() {
                    Some((etag, known)) if known == content => {
                        *seen = Some((etag, known));
                        break;
                    }
                    Some((etag, _)) => etag,
                    None => {
                        // It may be there already: the response to an attempt was lost.
                        *seen = Some(self.read().await?);
                        continue;
                    }
                };
                // A write that lands late must not undo a later note.
                let unchanged = Conditions::new().if_match(etag);
                let upload = self.blob.upload(json.clone()).conditions(unchanged);
                match upload.lease_id(self.lease.clone()).await {
                    Ok(written) => *seen = written.etag.map(|etag| (etag, content.clone())),
                    Err(error) if attempt < TRIES && is_changed(&error) => continue,
                    Err(error) => return Err(error),
                }
                break;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
