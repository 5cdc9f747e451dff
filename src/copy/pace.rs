//! How long to wait between two polls. Pure: time and chance are arguments.
//!
//! The regular gap between two polls is an eighth of the time watched, so the end is noticed late
//! by at most an eighth of the copy's duration; that takes 46 polls in 48 seconds. If the byte rate
//! predicts an earlier end, the next poll comes right after it. A missed forecast costs a poll, so
//! the number of misses is limited.

use std::{mem, time::Duration};

use crate::models::CopyProgress;

/// The shortest gap of the adaptive pace.
const SHORTEST: Duration = Duration::from_millis(100);

/// The longest gap of the adaptive pace.
const LONGEST: Duration = Duration::from_secs(30);

/// The longest `Retry-After` that is honoured.
const LONGEST_ASKED: Duration = Duration::from_secs(5 * 60);

/// The largest part of a gap that jitter removes: at first and before a predicted end, and later.
/// More at first would cost too many polls in the worst case.
const JITTER: f64 = 1.0 / 20.0;
const LATER_JITTER: f64 = 3.0 / 32.0;

/// How far after the predicted end a poll aims, plus a sixteenth of the time left: jitter must not
/// move it before the end.
const MARGIN: Duration = Duration::from_millis(10);

/// How many forecasts may be missed during `FIRST_TIME`. After that, one more may be missed each
/// time the time watched doubles.
const FIRST_MISSES: u32 = 2;
const FIRST_TIME: Duration = Duration::from_secs(48);

/// The pace of polls: a fixed interval, or one that adapts to the copy.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    interval: Option<Duration>,
    /// The last count before any byte was copied.
    still: Option<Count>,
    last: Option<Count>,
    /// Whether the last gap came from a forecast.
    foreseen: bool,
    missed: u32,
    failures: u32,
}

/// A successful poll. Times count from the start of the watch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Answered {
    pub(crate) sent: Duration,
    /// How long the response took.
    pub(crate) took: Duration,
    pub(crate) progress: Option<CopyProgress>,
    /// The response's `Retry-After`.
    pub(crate) asked: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    at: Duration,
    copied: u64,
}

impl Pace {
    pub(crate) fn new(interval: Option<Duration>) -> Self {
        Self { interval, still: None, last: None, foreseen: false, missed: 0, failures: 0 }
    }

    /// The wait after a successful poll; `chance` is a number from 0 to 1.
    ///
    /// The adaptive gap is measured between the sending of two polls, so it includes the response
    /// time.
    pub(crate) fn after_answer(&mut self, poll: Answered, chance: f64) -> Duration {
        self.failures = 0;
        let wait = match self.interval {
            Some(interval) => interval,
            None => {
                let gap = self.gap(poll);
                self.jittered(gap, poll.sent, chance).saturating_sub(poll.took)
            }
        };
        wait.max(obeyed(poll.asked))
    }

    /// The wait after a transient failure, when the copy has been watched for `watched`.
    pub(crate) fn after_failure(
        &mut self,
        watched: Duration,
        asked: Option<Duration>,
        chance: f64,
    ) -> Duration {
        self.foreseen = false;
        self.failures = self.failures.saturating_add(1);
        let doubled = Duration::from_secs(1).saturating_mul(1 << self.failures.min(6));
        let wait = match self.interval {
            Some(interval) => interval,
            None => self.jittered(regular(watched).max(doubled).min(LONGEST), watched, chance),
        };
        wait.max(obeyed(asked))
    }

    /// The wait before poll number `further` for something that a response should have carried.
    pub(crate) fn before_another_look(further: u32) -> Duration {
        SHORTEST.saturating_mul(1 << further.saturating_sub(1).min(6))
    }

    fn gap(&mut self, poll: Answered) -> Duration {
        // The copy was still pending after its predicted end.
        if mem::take(&mut self.foreseen) {
            self.missed += 1;
        }
        let regular = regular(poll.sent);
        let Some(left) = poll.progress.and_then(|progress| self.foresee(poll.sent, progress))
        else {
            return regular;
        };
        let gap = left.saturating_add(left / 16).saturating_add(MARGIN).max(SHORTEST);
        if gap >= regular || !self.believes_forecasts(poll.sent) {
            return regular;
        }
        self.foreseen = true;
        gap
    }

    fn believes_forecasts(&self, watched: Duration) -> bool {
        match self.missed.checked_sub(FIRST_MISSES) {
            None => true,
            Some(further) => watched >= FIRST_TIME.saturating_mul(1 << further.min(31)),
        }
    }

    /// The gap, shortened at random, so that waits that started together drift apart.
    fn jittered(&self, gap: Duration, watched: Duration, chance: f64) -> Duration {
        let most = if self.foreseen || watched < FIRST_TIME { JITTER } else { LATER_JITTER };
        gap.mul_f64(1.0 - most * chance.clamp(0.0, 1.0))
    }

    /// How long the rest will take, at the slower of two rates: since the first byte was copied,
    /// and since the last poll.
    fn foresee(&mut self, sent: Duration, progress: CopyProgress) -> Option<Duration> {
        let count = Count { at: sent, copied: progress.copied };
        let still = *self.still.get_or_insert(count);
        let last = self.last.replace(count).unwrap_or(count);
        if count.copied <= still.copied {
            self.still = Some(count);
        }
        match progress.total.saturating_sub(progress.copied) {
            0 => Some(Duration::ZERO),
            left => Some(still.time_for(left, count)?.max(last.time_for(left, count)?)),
        }
    }
}

impl Count {
    /// How long `left` bytes take at the rate between this count and the later one.
    #[allow(clippy::cast_precision_loss)]
    fn time_for(self, left: u64, later: Self) -> Option<Duration> {
        let moved = later.copied.checked_sub(self.copied).filter(|moved| *moved > 0)?;
        let time = later.at.checked_sub(self.at)?;
        Duration::try_from_secs_f64(time.as_secs_f64() * (left as f64 / moved as f64)).ok()
    }
}

/// The regular gap after a poll sent at `sent`.
fn regular(sent: Duration) -> Duration {
    (sent / 8).clamp(SHORTEST, LONGEST)
}

/// The part of `Retry-After` that is honoured.
fn obeyed(asked: Option<Duration>) -> Duration {
    asked.unwrap_or_default().min(LONGEST_ASKED)
}

#[cfg(test)]
mod table;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn poll(sent: Duration, progress: Option<(u64, u64)>) -> Answered {
        let progress = progress.map(|(copied, total)| CopyProgress { copied, total });
        Answered { sent, progress, ..Answered::default() }
    }

    #[test]
    fn the_gap_grows_with_the_time_watched_from_100_ms_to_30_s() {
        let mut pace = Pace::new(None);
        for (watched, wait) in [
            (Duration::ZERO, Duration::from_millis(100)),
            (SECOND, Duration::from_millis(125)),
            (40 * SECOND, 5 * SECOND),
            (3600 * SECOND, 30 * SECOND),
        ] {
            assert_eq!(pace.after_answer(poll(watched, None), 0.0), wait, "{watched:?}");
        }
    }

    #[test]
    fn the_time_that_an_answer_took_is_part_of_the_gap() {
        let mut pace = Pace::new(None);
        let slow = Answered { took: SECOND, ..poll(40 * SECOND, None) };
        assert_eq!(pace.after_answer(slow, 0.0), 4 * SECOND);
        let slower = Answered { took: 9 * SECOND, ..slow };
        assert_eq!(pace.after_answer(slower, 0.0), Duration::ZERO);
    }

    #[test]
    fn the_rate_lets_it_land_close_to_the_end() {
        let mut pace = Pace::new(None);
        let mut after =
            |at, copied| pace.after_answer(poll(at * SECOND, Some((copied, 1000))), 0.0);
        assert_eq!(after(100, 0), 100 * SECOND / 8);
        // 960 of 1000 in 96 seconds: four more seconds and a little, not an eighth of 196.
        let wait = after(196, 960);
        assert!((4 * SECOND..4 * SECOND + SECOND / 2).contains(&wait), "{wait:?}");
        // All moved, but not yet success: look again soon.
        assert_eq!(after(200, 1000), SHORTEST);
    }

    #[test]
    fn a_forecast_that_is_missed_is_not_believed_for_long() {
        let mut pace = Pace::new(None);
        let full = Some((1000, 1000));
        let waits: Vec<u128> =
            (0..4).map(|_| pace.after_answer(poll(24 * SECOND, full), 0.0).as_millis()).collect();
        assert_eq!(waits, [100, 100, 3000, 3000]);
        // Later it may be right again.
        assert_eq!(pace.after_answer(poll(48 * SECOND, full), 0.0), SHORTEST);
        assert_eq!(pace.after_answer(poll(80 * SECOND, full), 0.0), 10 * SECOND);
        assert_eq!(pace.after_answer(poll(96 * SECOND, full), 0.0), SHORTEST);
    }

    #[test]
    fn a_copy_that_stands_still_or_goes_back_is_not_foreseen() {
        let mut pace = Pace::new(None);
        for copied in [500, 500, 0] {
            let wait = pace.after_answer(poll(40 * SECOND, Some((copied, 1000))), 0.0);
            assert_eq!(wait, 5 * SECOND, "{copied}");
        }
    }

    #[test]
    fn jitter_only_shortens_and_by_no_more_than_a_tenth() {
        for (sent, gap) in [(0, 100), (8, 1000), (40, 5000), (3600, 30_000)] {
            let mut pace = Pace::new(None);
            let mut wait =
                |chance| pace.after_answer(poll(sent * SECOND, None), chance).as_millis();
            let (least, most) = (wait(1.0), wait(0.0));
            assert!(most == gap && least < most && least >= gap - gap / 10, "{least} {most}");
        }
        let mut pace = Pace::new(Some(7 * SECOND));
        assert_eq!(pace.after_answer(poll(SECOND, None), 1.0), 7 * SECOND);
    }

    #[test]
    fn a_fixed_interval_stays_fixed() {
        let mut pace = Pace::new(Some(7 * SECOND));
        assert_eq!(pace.after_answer(poll(SECOND, Some((1, 2))), 0.0), 7 * SECOND);
        assert_eq!(pace.after_failure(SECOND, None, 0.0), 7 * SECOND);
    }

    #[test]
    fn failures_slow_it_down_and_an_answer_forgets_them() {
        let mut pace = Pace::new(None);
        let waits: Vec<u64> =
            (0..6).map(|_| pace.after_failure(Duration::ZERO, None, 0.0).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 30, 30]);
        pace.after_answer(poll(SECOND, None), 0.0);
        assert_eq!(pace.after_failure(Duration::ZERO, None, 0.0), 2 * SECOND);
    }

    #[test]
    fn the_service_may_ask_for_up_to_five_minutes() {
        let mut pace = Pace::new(None);
        for (asked, obeyed) in [(90, 90), (300, 300), (301, 300), (864_000, 300), (u64::MAX, 300)] {
            let (asked, obeyed) = (Some(Duration::from_secs(asked)), obeyed * SECOND);
            let answered = Answered { asked, ..poll(SECOND, None) };
            assert_eq!(pace.after_answer(answered, 1.0), obeyed);
            assert_eq!(pace.after_failure(SECOND, asked, 1.0), obeyed);
        }
    }

    proptest! {
        /// Whatever the service says of its progress, and whatever chance does.
        #[test]
        fn it_never_takes_more_than_48_polls_in_48_seconds(
            counts in proptest::collection::vec((0..100_u64, 0..100_u64, 0.0..=1.0_f64), 60),
        ) {
            let mut pace = Pace::new(None);
            let (mut sent, mut polls) = (Duration::ZERO, 1);
            for (copied, total, chance) in counts {
                let wait = pace.after_answer(poll(sent, Some((copied, total))), chance);
                prop_assert!(wait <= regular(sent) && wait >= SHORTEST * 9 / 10);
                sent += wait;
                polls += 1;
                if sent >= FIRST_TIME {
                    break;
                }
            }
            prop_assert!(polls <= 48, "{} polls", polls);
        }

        #[test]
        fn hostile_numbers_do_it_no_harm(
            polls in proptest::collection::vec(
                (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), 0.0..=1.0_f64), 1..20,
            ),
        ) {
            let mut pace = Pace::new(None);
            for (sent, took, copied, total, chance) in polls {
                let (sent, took) = (Duration::from_secs(sent), Duration::from_secs(took));
                let answered = Answered { took, ..poll(sent, Some((copied, total))) };
                prop_assert!(pace.after_answer(answered, chance) <= LONGEST);
                prop_assert!(pace.after_failure(sent, None, chance) <= LONGEST);
            }
        }
    }
}
