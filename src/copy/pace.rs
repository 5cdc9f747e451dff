//! How long to wait between two polls. Pure.

use std::time::Duration;

use crate::models::CopyProgress;

/// The shortest wait of the adaptive pace.
const SHORTEST: Duration = Duration::from_millis(100);

/// The longest wait of the adaptive pace.
const LONGEST: Duration = Duration::from_secs(30);

/// The rhythm of polls: a fixed interval, or one that follows the copy.
///
/// The adaptive wait is a quarter of the time for which the copy has been watched, so that what is
/// seen is never much older than it has to be; or shorter, when the bytes that have moved since the
/// first poll let the end be foreseen; never under 100 ms nor over 30 s.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    interval: Option<Duration>,
    /// When bytes were first counted, and how many.
    first: Option<(Duration, u64)>,
    failures: u32,
}

impl Pace {
    pub(crate) fn new(interval: Option<Duration>) -> Self {
        Self { interval, first: None, failures: 0 }
    }

    /// The wait after a poll that was answered when the copy had been watched for `watched`.
    pub(crate) fn after_answer(
        &mut self,
        watched: Duration,
        progress: Option<CopyProgress>,
        asked: Option<Duration>,
    ) -> Duration {
        self.failures = 0;
        let wait = match self.interval {
            Some(interval) => interval,
            None => {
                let foreseen = progress.and_then(|progress| self.foresee(watched, progress));
                let wait = foreseen.unwrap_or(LONGEST).min(watched / 4);
                wait.clamp(SHORTEST, LONGEST)
            }
        };
        wait.max(asked.unwrap_or_default())
    }

    /// The wait after a poll that failed in passing.
    pub(crate) fn after_failure(&mut self, watched: Duration, asked: Option<Duration>) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let doubled = Duration::from_secs(1).saturating_mul(1 << self.failures.min(6));
        let wait = self.interval.unwrap_or((watched / 4).max(doubled).min(LONGEST));
        wait.max(asked.unwrap_or_default())
    }

    /// How long the rest will take at the rate since the first count of bytes.
    #[allow(clippy::cast_precision_loss)]
    fn foresee(&mut self, watched: Duration, progress: CopyProgress) -> Option<Duration> {
        let (since, from) = *self.first.get_or_insert((watched, progress.copied));
        let moved = progress.copied.checked_sub(from).filter(|moved| *moved > 0)?;
        let left = progress.total.saturating_sub(progress.copied);
        let rate = moved as f64 / (watched - since).as_secs_f64();
        Duration::try_from_secs_f64(left as f64 / rate).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(copied: u64, total: u64) -> Option<CopyProgress> {
        Some(CopyProgress { copied, total })
    }

    #[test]
    fn the_wait_grows_with_the_time_watched_from_100_ms_to_30_s() {
        let mut pace = Pace::new(None);
        for (watched, wait) in [
            (Duration::ZERO, Duration::from_millis(100)),
            (SECOND / 2, Duration::from_millis(125)),
            (20 * SECOND, 5 * SECOND),
            (3600 * SECOND, 30 * SECOND),
        ] {
            assert_eq!(pace.after_answer(watched, None, None), wait, "{watched:?}");
        }
    }

    #[test]
    fn the_rate_lets_it_land_close_to_the_end() {
        let mut pace = Pace::new(None);
        assert_eq!(pace.after_answer(100 * SECOND, at(0, 1000), None), 25 * SECOND);
        // 900 of 1000 in 90 seconds: ten more seconds, not a quarter of 190.
        assert_eq!(pace.after_answer(190 * SECOND, at(900, 1000), None), 10 * SECOND);
        // All moved, but not yet success: look again soon.
        let soon = pace.after_answer(200 * SECOND, at(1000, 1000), None);
        assert_eq!(soon, Duration::from_millis(100));
    }

    #[test]
    fn a_copy_that_stands_still_or_goes_back_is_not_foreseen() {
        let mut pace = Pace::new(None);
        for copied in [500, 500, 0] {
            let wait = pace.after_answer(40 * SECOND, at(copied, 1000), None);
            assert_eq!(wait, 10 * SECOND, "{copied}");
        }
    }

    #[test]
    fn a_fixed_interval_stays_fixed() {
        let mut pace = Pace::new(Some(7 * SECOND));
        assert_eq!(pace.after_answer(SECOND, at(1, 2), None), 7 * SECOND);
        assert_eq!(pace.after_failure(SECOND, None), 7 * SECOND);
    }

    #[test]
    fn failures_slow_it_down_and_an_answer_forgets_them() {
        let mut pace = Pace::new(None);
        let waits: Vec<u64> =
            (0..6).map(|_| pace.after_failure(Duration::ZERO, None).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 30, 30]);
        pace.after_answer(SECOND, None, None);
        assert_eq!(pace.after_failure(Duration::ZERO, None), 2 * SECOND);
    }

    #[test]
    fn the_service_may_ask_for_more_patience() {
        let mut pace = Pace::new(None);
        assert_eq!(pace.after_answer(SECOND, None, Some(90 * SECOND)), 90 * SECOND);
        assert_eq!(pace.after_failure(SECOND, Some(90 * SECOND)), 90 * SECOND);
    }
}
