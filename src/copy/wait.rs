//! Waiting for a copy's end.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use super::{operation::CopyFromUriOperation, pace::Pace, status};
use crate::{
    error::{Error, Result},
    models::{CompletedCopy, CopyProgress, CopyState},
    pipeline::clock,
    wire::transport::BoxFuture,
};

/// The longest interval between two polls.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// The longest time that a wait may be given.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long a wait without a timeout lasts: a day more than the service lets any copy run.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15 * 24 * 3600);

/// For how long a wait without a timeout bears that no poll gets through.
const LONGEST_OUTAGE: Duration = Duration::from_secs(3600);

/// A wait for a copy's end: made by [`CopyFromUriOperation::wait`].
///
/// Polls at once, and then at an adaptive pace: after 100 ms at first, later after a quarter of the
/// time for which it has waited, or sooner when the bytes that move let the end be foreseen; at most
/// 30 s. Polls that fail in passing are ridden out: up to the timeout if one is set, else for up to an
/// hour without an answer, after which the last fault is returned. Without a timeout a wait lasts 15
/// days at most, a day longer than the service lets a copy run.
#[must_use = "nothing is sent until it is awaited"]
pub struct Wait<'a> {
    copy: &'a mut CopyFromUriOperation,
    interval: Option<Duration>,
    timeout: Option<Duration>,
    on_progress: Option<OnProgress<'a>>,
}

type OnProgress<'a> = Box<dyn FnMut(CopyProgress) + Send + 'a>;

impl<'a> Wait<'a> {
    pub(crate) fn new(copy: &'a mut CopyFromUriOperation) -> Self {
        Self { copy, interval: None, timeout: None, on_progress: None }
    }

    /// A fixed time between polls instead of the adaptive pace: 1 ms to 24 hours.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
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

    /// How long to wait, from 1 ms to 365 days. When it has passed, the wait ends with
    /// [`Error::WaitTimedOut`]; the copy goes on.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Is called after every poll that tells of progress, the last one included.
    pub fn on_progress(mut self, on_progress: impl FnMut(CopyProgress) + Send + 'a) -> Self {
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
            if let (Some(progress), Some(tell)) = (state.progress, &mut self.on_progress) {
                tell(progress);
            }
            if let Some(end) = status::end(&state) {
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

/// One watch over a copy: its pace, its deadline, and the trouble that it has met.
pub(crate) struct Watch {
    pace: Pace,
    /// Set by the caller; without, the default timeout and the longest outage hold.
    timeout: Option<Duration>,
    begun: Option<Instant>,
    last_answer: Instant,
    /// The wait before the next poll.
    next_wait: Duration,
    cause: Option<Error>,
}

impl Watch {
    pub(crate) fn new(interval: Option<Duration>, timeout: Option<Duration>) -> Self {
        Self {
            pace: Pace::new(interval),
            timeout,
            begun: None,
            last_answer: clock::instant(),
            next_wait: Duration::ZERO,
            cause: None,
        }
    }

    /// What the next poll that gets through sees.
    pub(crate) async fn next(&mut self, copy: &mut CopyFromUriOperation) -> Result<CopyState> {
        let begun = *self.begun.get_or_insert_with(|| {
            self.last_answer = clock::instant();
            self.last_answer
        });
        let deadline = begun + self.timeout.unwrap_or(DEFAULT_TIMEOUT);
        loop {
            let left = deadline.saturating_duration_since(clock::instant());
            clock::sleep(self.next_wait.min(left)).await;
            // The first poll, and the one at the deadline, are given a moment in any case.
            let left = deadline.saturating_duration_since(clock::instant());
            let patience =
                if self.timeout.is_some() { left.max(LAST_LOOK) } else { LONGEST_OUTAGE };
            match clock::within(patience, copy.look()).await {
                Some(Ok((state, asked))) => {
                    (self.last_answer, self.cause) = (clock::instant(), None);
                    self.next_wait = self.pace.after_answer(begun.elapsed(), state.progress, asked);
                    if status::end(&state).is_none() && clock::instant() >= deadline {
                        return Err(timed_out(state, None));
                    }
                    return Ok(state);
                }
                Some(Err(error)) if error.is_retryable() => {
                    let asked = error.retry_after();
                    self.next_wait = self.pace.after_failure(begun.elapsed(), asked);
                    tracing::debug!(%error, wait = ?self.next_wait, "a poll failed in passing");
                    self.cause = Some(error);
                }
                Some(Err(error)) => return Err(error),
                None => {}
            }
            self.give_up(copy, deadline)?;
        }
    }

    /// Ends a watch that has met trouble for too long.
    fn give_up(&mut self, copy: &CopyFromUriOperation, deadline: Instant) -> Result<()> {
        let outage = self.timeout.is_none() && self.last_answer.elapsed() >= LONGEST_OUTAGE;
        if !outage && clock::instant() < deadline {
            return Ok(());
        }
        match (copy.last(), self.cause.take()) {
            (Some(last), cause) if !outage => Err(timed_out(last.clone(), cause)),
            (_, Some(cause)) => Err(cause),
            (_, None) => Err(Error::Timeout {
                operation: "Get Blob Properties",
                limit: self.timeout.unwrap_or(LONGEST_OUTAGE),
                attempts: 1,
                ambiguous: false,
            }),
        }
    }
}

/// What a poll is given even when no time is left.
const LAST_LOOK: Duration = Duration::from_millis(10);

fn timed_out(last: CopyState, cause: Option<Error>) -> Error {
    Error::WaitTimedOut { last: Box::new(last), cause: cause.map(Box::new) }
}
