//! Any number of copies, followed to their ends.

mod place;
mod rounds;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};

use self::{place::Place, rounds::Rounds};
use crate::{
    BlobContainerClient, CompletedCopy, CopyFromUriOperation, CopyId, CopyProgress, Error, Result,
    wire::redaction,
};

/// Follows any number of copies to their ends.
///
/// Name the copies: [`operation`](Self::operation)s that were started here or
/// [resumed](crate::BlobClient::resume_copy), or all copies that are pending in a
/// [`container`](Self::container). Then read the [`events`](Self::events), or [`run`](Self::run) to
/// the end.
///
/// In rounds, it lists the containers with their copies, or polls each blob where that takes fewer
/// requests: 100,000 copies into one container take at most 20 requests a round. It keeps the name
/// of each blob and the id of its copy, less than 1 KiB a copy. A copy ends as in the table of
/// [`CopyFromUriOperation`]. If a listing does not show the copy, the blob itself is polled before
/// the copy is said to be superseded or gone.
///
/// Each round begins an eighth of the time watched after the last one, 100 ms to 30 s, and no
/// sooner than 20 ms for each request of the last round. `Retry-After` is honoured up to 5 minutes.
///
/// [List Blobs](https://learn.microsoft.com/rest/api/storageservices/list-blobs) and [Get Blob
/// Properties](https://learn.microsoft.com/rest/api/storageservices/get-blob-properties)
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// use blobcopy::jobs::CopyWatch;
///
/// let vhds = service.container_client("vhds");
/// let backups = service.container_client("backups");
/// let mut watch = CopyWatch::new();
/// for name in ["notes.txt", "disk0.vhd"] {
///     let source = vhds.blob_client(name);
///     watch = watch.operation(backups.blob_client(name).start_copy_from_uri(&source).await?);
/// }
/// let summary = watch.run().await?;
/// assert_eq!((summary.succeeded, summary.failed.len()), (2, 0));
/// # Ok(()) });
/// ```
#[must_use = "nothing is sent until its events are read"]
#[derive(Debug)]
pub struct CopyWatch {
    places: Vec<Place>,
    interval: Option<Duration>,
    timeout: Duration,
}

/// How long a watch lasts by default: a day longer than the service lets a copy run.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15 * 24 * 3600);

const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// In how many places at the end of the list one for another copy is looked for.
const LOOKED_AT: usize = 64;

impl CopyWatch {
    /// A watch without copies.
    pub fn new() -> Self {
        Self { places: Vec::new(), interval: None, timeout: DEFAULT_TIMEOUT }
    }

    /// Adds a copy. It is watched once, even if it is added again.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let notes = service.container_client("vhds").blob_client("notes.txt");
    /// # let backup = service.container_client("backups").blob_client("notes.txt");
    /// let copy = backup.start_copy_from_uri(&notes).await?;
    /// blobcopy::jobs::CopyWatch::new().operation(copy).run().await?;
    /// # Ok(()) });
    /// ```
    pub fn operation(mut self, copy: CopyFromUriOperation) -> Self {
        let blob = copy.blob();
        let container = blob.container_client();
        let first = self.places.len().saturating_sub(LOOKED_AT);
        let fits = |place: &&mut Place| {
            place.container.shares_with(&container) && place.may_add(blob.name(), copy.id())
        };
        match self.places[first..].iter_mut().rev().find(fits) {
            Some(place) => place.add(blob.name(), copy.id()),
            None => {
                let mut place = Place::new(container);
                place.add(blob.name(), copy.id());
                self.places.push(place);
            }
        }
        self
    }

    /// Adds copies.
    pub fn operations(self, copies: impl IntoIterator<Item = CopyFromUriOperation>) -> Self {
        copies.into_iter().fold(self, Self::operation)
    }

    /// Adds the copies into all blobs of a container whose names begin with `prefix`, as far as
    /// they are pending when the container is listed for the first time.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::CopyWatch;
    ///
    /// let backups = service.container_client("backups");
    /// CopyWatch::new().container(&backups, "2026/").run().await?;
    /// # Ok(()) });
    /// ```
    pub fn container(mut self, container: &BlobContainerClient, prefix: &str) -> Self {
        self.places.push(Place::to_be_listed(container.clone(), prefix));
        self
    }

    /// A fixed time between two rounds, 1 ms to 24 hours, instead of the adaptive pace.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// How long to watch, 1 ms to 365 days, by default 15 days. The last round begins then; copies
    /// that it finds pending are [`Left`](WatchEvent::Left), and go on.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn check(&self) -> Result<()> {
        let least = Duration::from_millis(1);
        if let Some(interval) = self.interval
            && !(least..=LONGEST_INTERVAL).contains(&interval)
        {
            let rule = "must be 1 ms to 24 hours";
            return Err(Error::invalid("watch interval", format!("{interval:?}"), rule));
        }
        if !(least..=LONGEST_TIMEOUT).contains(&self.timeout) {
            let rule = "must be 1 ms to 365 days";
            return Err(Error::invalid("watch timeout", format!("{:?}", self.timeout), rule));
        }
        Ok(())
    }

    /// What happens to the copies, until all have ended.
    ///
    /// # Errors
    ///
    /// The stream ends with an error if a setting is not valid, if a container cannot be listed for
    /// the first time, or if nothing could be learnt of any copy for an hour.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::{CopyWatch, WatchEvent};
    /// use futures_util::TryStreamExt;
    ///
    /// let backups = service.container_client("backups");
    /// let mut events = CopyWatch::new().container(&backups, "").events();
    /// while let Some(event) = events.try_next().await? {
    ///     match event {
    ///         WatchEvent::Succeeded { copy, .. } => println!("{} is complete", copy.blob),
    ///         WatchEvent::Failed { copy, error, .. } => eprintln!("{}: {error}", copy.blob),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(()) });
    /// ```
    pub fn events(self) -> WatchEvents {
        let begin = |watch: Self| watch.check().map(|()| Rounds::new(watch));
        let events = stream::once(std::future::ready(begin(self))).map_ok(|rounds| {
            stream::try_unfold(rounds, async |mut rounds| {
                Ok(rounds.next().await?.map(|event| (event, rounds)))
            })
        });
        WatchEvents(events.try_flatten().boxed())
    }

    /// Watches until all copies have ended, and counts how.
    ///
    /// # Errors
    ///
    /// As for [`events`](Self::events). A copy that failed is no error here.
    pub async fn run(self) -> Result<WatchSummary> {
        let mut summary = WatchSummary::default();
        let mut events = self.events();
        while let Some(event) = events.try_next().await? {
            match event {
                WatchEvent::Succeeded { .. } => summary.succeeded += 1,
                WatchEvent::Failed { copy, error } => summary.failed.push((copy, error)),
                WatchEvent::Left { copy, .. } => summary.left.push(copy),
                WatchEvent::Round(round) => {
                    (summary.rounds, summary.requests) =
                        (round.number, summary.requests + round.requests);
                }
                WatchEvent::Progress { .. } | WatchEvent::Trouble { .. } => {}
            }
        }
        Ok(summary)
    }
}

impl Default for CopyWatch {
    fn default() -> Self {
        Self::new()
    }
}

/// What happens to the copies of a [`CopyWatch`].
#[derive(Debug)]
#[non_exhaustive]
pub enum WatchEvent {
    /// A pending copy has copied more than before, or is seen for the first time.
    #[non_exhaustive]
    Progress {
        /// The copy.
        copy: WatchedCopy,
        /// How much is copied.
        progress: CopyProgress,
    },
    /// A copy succeeded.
    #[non_exhaustive]
    Succeeded {
        /// The copy.
        copy: WatchedCopy,
        /// The copy's end.
        done: Box<CompletedCopy>,
    },
    /// A copy ended otherwise, or can no longer be watched: the error says how, as
    /// [`wait`](CopyFromUriOperation::wait) does.
    #[non_exhaustive]
    Failed {
        /// The copy.
        copy: WatchedCopy,
        /// Why.
        error: Error,
    },
    /// The time is over, and the copy was still pending.
    #[non_exhaustive]
    Left {
        /// The copy.
        copy: WatchedCopy,
        /// How much was copied, if that is known.
        progress: Option<CopyProgress>,
    },
    /// A request failed. The next round tries again.
    #[non_exhaustive]
    Trouble {
        /// Why.
        error: Error,
    },
    /// A round is over.
    Round(WatchRound),
}

/// A round of a [`CopyWatch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchRound {
    /// The number of the round, from 1.
    pub number: u64,
    /// The pages and polls that it requested, without retries.
    pub requests: u64,
    /// How many copies are still watched.
    pub pending: u64,
}

/// How the copies of a [`CopyWatch`] ended.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct WatchSummary {
    /// How many succeeded.
    pub succeeded: u64,
    /// Those that ended otherwise, and why.
    pub failed: Vec<(WatchedCopy, Error)>,
    /// Those that were pending when the time was over.
    pub left: Vec<WatchedCopy>,
    /// How many rounds it took.
    pub rounds: u64,
    /// The pages and polls that were requested, without retries.
    pub requests: u64,
}

/// A copy of a [`CopyWatch`]: its destination and its id.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchedCopy {
    /// The destination's container.
    pub container: String,
    /// The destination's name.
    pub blob: String,
    /// The copy's id.
    pub copy_id: CopyId,
}

redaction::debug_redacted!(WatchedCopy { container: text, blob: text, copy_id });

/// The events of a [`CopyWatch`]: returned by [`CopyWatch::events`].
#[must_use = "nothing is sent until it is read"]
pub struct WatchEvents(Pin<Box<dyn Stream<Item = Result<WatchEvent>> + Send>>);

impl Stream for WatchEvents {
    type Item = Result<WatchEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for WatchEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchEvents").finish_non_exhaustive()
    }
}
