//! Waiting for the end of a copy.

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

/// The longest timeout of a wait.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// # Waiting
impl CopyFromUriOperation {
    /// Polls until the copy has ended.
    ///
    /// Awaiting it gives [`CompletedCopy`](crate::CompletedCopy).
    ///
    /// You can wait again after an error: the copy does not depend on being watched.
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

    /// A stream of the states that the polls return, until the copy has ended. It polls and retries
    /// like a [`Wait`] without settings.
    ///
    /// The last item is the state `success`, or an error that says how else the copy ended. If the
    /// stream ends without an error, the copy has succeeded.
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

/// The states of a copy until it has ended: returned by [`CopyFromUriOperation::progress_stream`].
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

/// Waits for the end of a copy: returned by [`CopyFromUriOperation::wait`].
///
/// # When it polls
///
/// At once, and then at an adaptive pace. The gap between two polls is an eighth of the time waited
/// so far, from 100 ms to 30 s, so the end is noticed late by at most an eighth of the copy's
/// duration. If the byte rate predicts an earlier end, the next poll comes right then; after a few
/// missed predictions they are ignored. Each gap is shortened at random, by a tenth at most, so
/// that waits that started together drift apart. `Retry-After` is honoured up to 5 minutes.
///
/// # How long it lasts
///
/// Until the [`timeout`](Self::timeout), by default 15 days: a day longer than the service lets a
/// copy run. The last poll is sent at the end of that time and gets up to 5 seconds for its
/// response.
///
/// Transient poll failures are retried: until the timeout if one is set, otherwise for an hour
/// after the first failure; then the last error is returned. Responses that do not come from the
/// service, such as a gateway's 404, count as transient.
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

    /// A fixed time between a response and the next poll, 1 ms to 24 hours, instead of the adaptive
    /// pace.
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
    #[doc(alias = "pollingInterval")]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// How long to wait, 1 ms to 365 days. Then the wait polls a last time, with up to 5 seconds
    /// for the response, and fails with [`Error::WaitTimedOut`] if the copy is still pending. The
    /// copy continues.
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

    /// Calls a function with the copy's state after every successful poll, including the last one.
    ///
    /// The state displays its status, progress and description. For a pending copy that cannot
    /// continue, [`held_up_by`](CopyState::held_up_by) says why.
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
