//! Watching a copy: when to poll, which failures to retry, and when to give up.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    operation::CopyFromUriOperation,
    pace::{Answered, Pace},
};
use crate::{
    error::{Error, Result},
    models::CopyState,
    operations::blob_ref::BlobRef,
    operations::{get_copy_properties::GetCopyProperties, operation::Operation},
    pipeline::tries::Tries,
    wire::clock,
};

/// How long a watch without a timeout lasts: a day longer than the service lets a copy run.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15 * 24 * 3600);

/// How long a watch without a timeout retries failed polls.
const LONGEST_OUTAGE: Duration = Duration::from_secs(3600);

/// How long the last poll may take, however little time is left.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// Polls one copy, for a wait or a stream.
#[derive(Debug)]
pub(crate) struct Watch {
    pace: Pace,
    /// Set by the caller; without it, the default timeout and the longest outage apply.
    timeout: Option<Duration>,
    begun: Option<Instant>,
    /// The wait before the next poll.
    next_wait: Duration,
    polls_answered: u64,
    trouble: Option<Trouble>,
    /// Whether the last response came after the deadline.
    is_over: bool,
}

/// Why polls are failing.
#[derive(Debug)]
struct Trouble {
    /// When the first failed poll was sent.
    since: Instant,
    /// The error of the last one.
    cause: Error,
}

impl Watch {
    pub(crate) fn new(interval: Option<Duration>, timeout: Option<Duration>) -> Self {
        Self {
            pace: Pace::new(interval),
            timeout,
            begun: None,
            next_wait: Duration::ZERO,
            polls_answered: 0,
            trouble: None,
            is_over: false,
        }
    }

    /// The state that the next successful poll returns, including the one at the deadline. After
    /// that, the error that the time is over.
    ///
    /// An incremental copy that has succeeded without naming its snapshot is polled a few more
    /// times first.
    pub(crate) async fn next(&mut self, copy: &mut CopyFromUriOperation) -> Result<CopyState> {
        let begun = *self.begun.get_or_insert_with(clock::instant);
        if self.is_over {
            return Err(self.timed_out(copy, None));
        }
        loop {
            clock::sleep(self.next_wait.min(self.left(begun))).await;
            let left = self.left(begun);
            let is_last = left <= LAST_LOOK;
            let sent = clock::instant();
            let mut tries = Tries::default();
            let limit = match self.timeout {
                Some(_) => left.max(LAST_LOOK),
                None => left.clamp(LAST_LOOK, LONGEST_OUTAGE),
            };
            let cause = match clock::within(limit, copy.look(&mut tries)).await {
                Some(Ok((state, asked))) => {
                    self.polls_answered += 1;
                    self.trouble = None;
                    self.is_over = self.left(begun).is_zero();
                    if state.status.is_final() {
                        if copy.has_completed() || self.is_over {
                            return Ok(state);
                        }
                        self.next_wait = Pace::before_another_look(copy.looks_without_snapshot());
                        continue;
                    }
                    let (sent, took) = (sent - begun, sent.elapsed());
                    let poll = Answered { sent, took, progress: state.progress, asked };
                    self.next_wait = self.pace.after_answer(poll, fastrand::f64());
                    return Ok(state);
                }
                Some(Err(error)) if error.is_passing() => error,
                Some(Err(error)) => return copy.success_without_snapshot().cloned().ok_or(error),
                None => {
                    let fault = tries.fault.take().map(|fault| *fault);
                    fault.unwrap_or_else(|| unanswered(copy.destination(), limit, &tries))
                }
            };
            let (watched, asked) = (begun.elapsed(), cause.retry_after());
            self.next_wait = self.pace.after_failure(watched, asked, fastrand::f64());
            tracing::debug!(error = %cause, wait = ?self.next_wait, "a poll failed in passing");
            let since = self.trouble.take().map_or(sent, |trouble| trouble.since);
            self.trouble = Some(Trouble { since, cause });
            if is_last && self.left(begun).is_zero() {
                let ended = copy.success_without_snapshot().cloned();
                return ended.ok_or_else(|| self.give_up(begun, copy));
            }
        }
    }

    /// How much time is left: until the timeout, or until an outage has lasted too long.
    fn left(&self, begun: Instant) -> Duration {
        let end = begun + self.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let end = match (&self.timeout, &self.trouble) {
            (None, Some(trouble)) => end.min(trouble.since + LONGEST_OUTAGE),
            _ => end,
        };
        end.saturating_duration_since(clock::instant())
    }

    /// The error of a watch whose polls have failed for too long.
    fn give_up(&mut self, begun: Instant, copy: &CopyFromUriOperation) -> Error {
        let is_outage = self.timeout.is_none() && begun.elapsed() < DEFAULT_TIMEOUT;
        match self.trouble.take() {
            Some(trouble) if is_outage => trouble.cause,
            trouble => self.timed_out(copy, trouble.map(|trouble| trouble.cause)),
        }
    }

    fn timed_out(&self, copy: &CopyFromUriOperation, cause: Option<Error>) -> Error {
        Error::WaitTimedOut {
            copy_id: copy.id().clone(),
            destination: copy.destination().place(),
            last: copy.last().cloned().map(Box::new),
            polls_answered: self.polls_answered,
            cause: cause.map(Box::new),
        }
    }
}

/// The error of a poll that got no response in time.
fn unanswered(blob: &BlobRef, limit: Duration, tries: &Tries) -> Error {
    Error::Timeout {
        operation: GetCopyProperties::NAME,
        url: blob.place(),
        limit,
        attempts: tries.made,
        ambiguous: false,
    }
}
