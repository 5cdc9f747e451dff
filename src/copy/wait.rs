//! Waiting for a copy's end.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use futures_util::{StreamExt, stream};

use super::{operation::CopyFromUriOperation, watch::Watch};
use crate::{
    error::{Error, Result},
    models::{CompletedCopy, CopyState},
    wire::transport::BoxFuture,
};

/// The longest interval between two polls.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// The longest time that a wait may be given.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// # Waiting
impl CopyFromUriOperation {
    /// Polls until the copy has ended.
    ///
    /// Awaiting it gives [`CompletedCopy`](crate::CompletedCopy).
    ///
    /// Can be awaited again after an error: the copy does not depend on being watched.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = blob.start_copy_from_uri(&source).await?;
    /// let done = copy
    ///     .wait()
    ///     .timeout(Duration::from_secs(3600))
    ///     .on_progress(|state| println!("{state}"))
    ///     .await?;
    /// assert_eq!(done.copy_id, *copy.id());
    /// # Ok(()) });
    /// ```
    #[doc(alias = "WaitForCompletion")]
    pub fn wait(&mut self) -> Wait<'_> {
        Wait::new(self)
    }

    /// What each poll sees, at the pace and with the patience of a [`Wait`] without settings, until
    /// the copy has ended.
    ///
    /// The last item is the state `success`, or an error that says how else the copy ended, so
    /// that a stream that was read to its end without an error is a copy that succeeded.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let copy = blob.start_copy_from_uri(&source).await?;
    /// let mut states = copy.progress_stream();
    /// while let Some(state) = states.try_next().await? {
    ///     println!("{state}");
    /// }
    /// # Ok(()) });
    /// ```
    pub fn progress_stream(self) -> ProgressStream {
        let states = stream::try_unfold(Some((self, Watch::new(None, None))), async |watched| {
            let Some((mut copy, mut watch)) = watched else { return Ok(None) };
            let state = watch.next(&mut copy).await?;
            match copy.end(&state) {
                None => Ok(Some((state, Some((copy, watch))))),
                Some(end) => end.map(|_| Some((state, None))),
            }
        });
        ProgressStream(states.boxed())
    }
}

/// The states of a copy until it has ended: made by
/// [`CopyFromUriOperation::progress_stream`].
#[must_use = "nothing is sent until it is read"]
pub struct ProgressStream(Pin<Box<dyn Stream<Item = Result<CopyState>> + Send>>);

impl Stream for ProgressStream {
    type Item = Result<CopyState>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for ProgressStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressStream").finish_non_exhaustive()
    }
}

/// A wait for a copy's end: made by [`CopyFromUriOperation::wait`].
///
/// # When it polls
///
/// At once, and then at an adaptive pace. Between two polls it lets an eighth of the time pass for
/// which it has waited, from 100 ms to 30 s, so that it learns of the end late by at most an eighth
/// of the copy's length. When the byte rate foresees the end sooner, it polls right then; forecasts
/// that are missed are soon no longer believed. Each gap is shortened at random, by a tenth at
/// most, so that many waits that begin together drift apart. `Retry-After` is obeyed up to 5
/// minutes.
///
/// # How long it lasts
///
/// Up to the [`timeout`](Self::timeout), else for 15 days, a day longer than the service lets a
/// copy run. The last poll is at the end of that time, and gets up to 5 seconds for its answer.
///
/// Transient poll failures are retried: up to the timeout if one is set, else for an hour from the
/// first failure on, after which the last fault is returned. So are answers that do not come from
/// the service, such as the 404 of a gateway.
#[must_use = "nothing is sent until it is awaited"]
pub struct Wait<'a> {
    copy: &'a mut CopyFromUriOperation,
    interval: Option<Duration>,
    timeout: Option<Duration>,
    on_progress: Option<OnProgress<'a>>,
}

type OnProgress<'a> = Box<dyn FnMut(&CopyState) + Send + 'a>;

impl<'a> Wait<'a> {
    pub(crate) fn new(copy: &'a mut CopyFromUriOperation) -> Self {
        Self { copy, interval: None, timeout: None, on_progress: None }
    }

    /// A fixed time between an answer and the next poll instead of the adaptive pace: 1 ms to 24
    /// hours.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use std::time::Duration;
    ///
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = backup.start_copy_from_uri(&notes).await?;
    /// copy.wait().interval(Duration::from_secs(1)).await?;
    /// # Ok(()) });
    /// ```
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// How long to wait, from 1 ms to 365 days. When it has passed, the wait polls a last time,
    /// with up to 5 seconds for the answer, and ends with [`Error::WaitTimedOut`] if the copy is
    /// still pending. The copy goes on.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use std::time::Duration;
    /// use blobcopy::Error;
    ///
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = backup.start_copy_from_uri(&notes).await?;
    /// match copy.wait().timeout(Duration::from_secs(3600)).await {
    ///     Err(Error::WaitTimedOut { last, .. }) => println!("not yet: {last:?}"),
    ///     ended => println!("{:?}", ended?.completed_on),
    /// }
    /// # Ok(()) });
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Called with the copy's state after every poll that gets through, the last one included.
    ///
    /// The state shows its status, its progress and its description. A copy that the service cannot
    /// go on with says why in [`held_up_by`](CopyState::held_up_by).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = backup.start_copy_from_uri(&notes).await?;
    /// let tell = |state: &blobcopy::CopyState| {
    ///     let part = state.progress.map_or(0.0, |progress| progress.fraction());
    ///     println!("{:3.0} % ({state})", 100.0 * part);
    /// };
    /// copy.wait().on_progress(tell).await?;
    /// # Ok(()) });
    /// ```
    pub fn on_progress(mut self, on_progress: impl FnMut(&CopyState) + Send + 'a) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    fn check(&self) -> Result<()> {
        let least = Duration::from_millis(1);
        if let Some(interval) = self.interval
            && !(least..=LONGEST_INTERVAL).contains(&interval)
        {
            let rule = "must be 1 ms to 24 hours";
            return Err(Error::invalid("wait interval", format!("{interval:?}"), rule));
        }
        if let Some(timeout) = self.timeout
            && !(least..=LONGEST_TIMEOUT).contains(&timeout)
        {
            let rule = "must be 1 ms to 365 days";
            return Err(Error::invalid("wait timeout", format!("{timeout:?}"), rule));
        }
        Ok(())
    }

    async fn run(mut self) -> Result<CompletedCopy> {
        self.check()?;
        if let Some(end) = self.copy.outcome() {
            return end;
        }
        let mut watch = Watch::new(self.interval, self.timeout);
        loop {
            let state = watch.next(self.copy).await?;
            if let Some(tell) = &mut self.on_progress {
                tell(&state);
            }
            if let Some(end) = self.copy.end(&state) {
                return end;
            }
        }
    }
}

impl<'a> IntoFuture for Wait<'a> {
    type Output = Result<CompletedCopy>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("copy", &self.copy)
            .field("interval", &self.interval)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
