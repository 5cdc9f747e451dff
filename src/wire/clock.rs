//! The only module that reads the time and sleeps.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use time::OffsetDateTime;
use tokio::{runtime::Handle, time::Instant};

/// The clock that dates requests.
///
/// [`Clock::system`] is the system clock and the default, unless the
/// [transport](crate::transport::Transport::clock) has its own. [`Clock::starting_at`] is for
/// tests: it starts at a given date and follows tokio's time, so under `#[tokio::test(start_paused
/// = true)]` a wait of two weeks returns at once. Clones share the same time.
///
/// ```
/// use std::time::Duration;
/// use blobcopy::Clock;
/// use time::macros::datetime;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
/// # runtime.block_on(async {
/// let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
/// tokio::time::sleep(Duration::from_secs(3600)).await; // paused: returns at once
/// assert_eq!(clock.now(), datetime!(2026-01-01 01:00 UTC));
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), datetime!(2026-01-01 01:01 UTC));
/// # });
/// ```
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    /// The start of a test's clock: a date, and tokio's instant at that moment.
    origin: Option<(OffsetDateTime, Instant)>,
    /// Whether it now follows the system clock instead of tokio's time.
    left: AtomicBool,
    /// The most elapsed time of tokio that it has shown.
    latest_micros: AtomicU64,
    /// How far [`Clock::advance`] has moved it.
    advanced_micros: AtomicU64,
}

impl Clock {
    /// The system clock.
    pub fn system() -> Self {
        Self::beginning(None)
    }

    /// A clock that shows `date` now and then follows tokio's time, which a test may pause.
    ///
    /// Outside a tokio runtime, where time is not paused, it never goes back behind a time that it
    /// showed inside one.
    pub fn starting_at(date: OffsetDateTime) -> Self {
        Self::beginning(Some((date, instant())))
    }

    fn beginning(origin: Option<(OffsetDateTime, Instant)>) -> Self {
        let (left, latest_micros, advanced_micros) = Default::default();
        Self(Arc::new(Inner { origin, left, latest_micros, advanced_micros }))
    }

    /// Makes every clone follow the system clock from now on, instead of tokio's time.
    ///
    /// ```
    /// use blobcopy::Clock;
    /// use time::macros::datetime;
    ///
    /// let clock = Clock::starting_at(datetime!(2001-01-01 00:00 UTC));
    /// clock.follow_system();
    /// assert!(clock.now() > datetime!(2026-01-01 00:00 UTC));
    /// ```
    pub fn follow_system(&self) {
        self.0.left.store(true, Ordering::Relaxed);
    }

    /// Its start, while it follows tokio's time.
    fn origin(&self) -> Option<(OffsetDateTime, Instant)> {
        self.0.origin.filter(|_| !self.0.left.load(Ordering::Relaxed))
    }

    /// The date and time in UTC.
    #[allow(clippy::disallowed_methods)]
    pub fn now(&self) -> OffsetDateTime {
        let now = match self.origin() {
            None => OffsetDateTime::now_utc(),
            Some((date, begun)) => later(date, self.elapsed(begun)),
        };
        match self.0.advanced_micros.load(Ordering::Relaxed) {
            0 => now,
            micros => later(now, Duration::from_micros(micros)),
        }
    }

    /// The elapsed time of tokio; outside a runtime, at least what has passed in one.
    fn elapsed(&self, begun: Instant) -> Duration {
        let elapsed = begun.elapsed();
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        let latest = self.0.latest_micros.fetch_max(micros, Ordering::Relaxed);
        match Handle::try_current() {
            Ok(_) => elapsed,
            Err(_) => elapsed.max(Duration::from_micros(latest)),
        }
    }

    /// Moves the clock forward; every clone shows the later time. Sleeping tasks keep sleeping. It
    /// stops at the end of the year 9999.
    pub fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        let advanced = &self.0.advanced_micros;
        let _ = advanced.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |already| {
            Some(already.saturating_add(micros))
        });
    }
}

/// `date` plus `by`; at most the last valid date, since dates come from outside.
pub(crate) fn later(date: OffsetDateTime, by: Duration) -> OffsetDateTime {
    date.saturating_add(time::Duration::try_from(by).unwrap_or(time::Duration::MAX))
}

/// The current instant of the monotonic clock.
#[allow(clippy::disallowed_methods)]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Waits for `duration`.
#[allow(clippy::disallowed_methods)]
pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Runs `future` for at most `limit`; `None` if the limit expires first.
#[allow(clippy::disallowed_methods)]
pub(crate) fn within<F: Future>(
    limit: Duration,
    future: F,
) -> impl Future<Output = Option<F::Output>> {
    // Not an async function, which would store the future twice.
    tokio::time::timeout(limit, future).map(Result::ok)
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.origin().is_some() { "starting_at" } else { "system" };
        write!(f, "Clock::{kind}")
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_clock_stops_at_the_last_date_of_all() {
        let last = datetime!(9999-12-31 23:59:59.999_999_999 UTC);
        let clock = Clock::starting_at(datetime!(9999-12-31 23:59:59 UTC));
        sleep(Duration::from_secs(10)).await;
        assert_eq!(clock.now(), last);
        for _ in 0..2 {
            clock.advance(Duration::MAX);
            assert_eq!(clock.now(), last);
        }
        assert_eq!(later(last, Duration::MAX), last);
    }
}
