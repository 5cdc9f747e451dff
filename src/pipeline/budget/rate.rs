//! The rate of requests that the service is believed to take. Pure: times are arguments.
//!
//! A throttled response lowers the rate; time raises it again, as CUBIC does for TCP: quickly up to
//! the rate that was too high last time, slowly around it, and then faster and faster.

use std::time::Duration;

use tokio::time::Instant;

/// What is left of the rate after a throttled response.
const LOWERED: f64 = 0.85;

/// The same if the rate was lowered less than `RECENT` ago: it was far too high.
const LOWERED_AGAIN: f64 = 0.7;
const RECENT: Duration = Duration::from_secs(1);

/// How long the rate takes to return to the one that was too high, at least; and at least so many
/// times the pause that each throttled response costs.
const RECOVERY: Duration = Duration::from_secs(2);
const RECOVERY_PAUSES: u32 = 30;

/// How long it takes from there to twice as much.
const DOUBLING: Duration = Duration::from_secs(6);

/// The rate is never lowered below this part of the limit, nor below one request a second.
const LEAST: f64 = 1.0 / 1000.0;

/// The period over which attempts are counted, and the least of it that tells a rate.
const WINDOW: Duration = Duration::from_millis(100);
const LEAST_WINDOW: Duration = Duration::from_millis(10);

/// The rate: a limit, below it what throttled responses have taught.
#[derive(Debug)]
pub(super) struct Rate {
    most: f64,
    lowered: Option<Lowered>,
    /// How often it was lowered.
    epoch: u64,
    sent: Sent,
}

/// The last time that the rate was lowered.
#[derive(Debug, Clone, Copy)]
struct Lowered {
    /// The rate that was too high.
    from: f64,
    to: f64,
    /// When requests went on.
    at: Instant,
    recovery: Duration,
}

/// Counts the attempts of this period and the one before it.
#[derive(Debug, Default)]
struct Sent {
    begun: Option<Instant>,
    count: f64,
    before: f64,
}

impl Rate {
    pub(super) fn new(most: f64) -> Self {
        Self { most, lowered: None, epoch: 0, sent: Sent::default() }
    }

    pub(super) fn set_most(&mut self, most: f64) {
        self.most = most;
    }

    /// Requests per second at a moment.
    pub(super) fn at(&self, now: Instant) -> f64 {
        let Some(Lowered { from, to, at, recovery }) = self.lowered else { return self.most };
        let time = now.saturating_duration_since(at);
        let rate = match time.checked_sub(recovery) {
            None => {
                let left = 1.0 - time.as_secs_f64() / recovery.as_secs_f64();
                from - (from - to) * left.powi(3)
            }
            Some(beyond) => from * (1.0 + (beyond.as_secs_f64() / DOUBLING.as_secs_f64()).powi(3)),
        };
        rate.min(self.most)
    }

    /// Counts an attempt, and returns the epoch in which it is sent.
    pub(super) fn sends(&mut self, now: Instant) -> u64 {
        self.sent.count(now);
        self.epoch
    }

    /// Lowers the rate after a throttled response to an attempt of `epoch`, once for all attempts
    /// of an epoch: those in flight say nothing about the new rate.
    pub(super) fn lower(&mut self, epoch: u64, pause: Duration, now: Instant) {
        if epoch != self.epoch {
            return;
        }
        self.epoch += 1;
        let rate = self.at(now);
        // If the program sends less than it may, the rate that was too high is the one it sends at.
        let from = self.sent.rate(now).clamp(rate / 4.0, rate);
        let again =
            self.lowered.is_some_and(|last| now.saturating_duration_since(last.at) < RECENT);
        let factor = if again { LOWERED_AGAIN } else { LOWERED };
        let to = (from * factor).max(self.most * LEAST).max(1.0);
        let recovery = RECOVERY.max(pause.saturating_mul(RECOVERY_PAUSES));
        self.lowered = Some(Lowered { from: from.max(to), to, at: now + pause, recovery });
    }
}

impl Sent {
    fn count(&mut self, now: Instant) {
        self.turn(now);
        self.count += 1.0;
    }

    /// Begins the period that `now` is in.
    fn turn(&mut self, now: Instant) {
        let passed = self.begun.map(|begun| now.saturating_duration_since(begun));
        match passed {
            Some(passed) if passed < WINDOW => {}
            Some(passed) if passed < 2 * WINDOW => {
                *self =
                    Self { begun: self.begun.map(|b| b + WINDOW), count: 0.0, before: self.count };
            }
            _ => *self = Self { begun: Some(now), ..Self::default() },
        }
    }

    /// Attempts per second.
    fn rate(&mut self, now: Instant) -> f64 {
        self.turn(now);
        let passed =
            self.begun.map_or(Duration::ZERO, |begun| now.saturating_duration_since(begun));
        let period = if self.before > 0.0 { WINDOW + passed } else { passed.max(LEAST_WINDOW) };
        (self.before + self.count) / period.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::clock;

    const SECOND: Duration = Duration::from_secs(1);

    /// Sends at `rate` for a second.
    fn send(of: &mut Rate, rate: u32, from: Instant) -> Instant {
        for number in 0..rate {
            of.sends(from + SECOND * number / rate);
        }
        from + SECOND
    }

    #[test]
    fn it_is_lowered_once_for_all_that_are_in_flight() {
        let now = clock::instant();
        let mut rate = Rate::new(1000.0);
        let now = send(&mut rate, 1000, now);
        let epoch = rate.sends(now);
        for _ in 0..64 {
            rate.lower(epoch, Duration::ZERO, now);
        }
        assert!((840.0..860.0).contains(&rate.at(now)), "{}", rate.at(now));
        let epoch = rate.sends(now);
        rate.lower(epoch, Duration::ZERO, now);
        assert!((590.0..610.0).contains(&rate.at(now)), "{}", rate.at(now));
    }

    #[test]
    fn it_returns_fast_stays_for_a_while_and_then_looks_for_more() {
        let now = clock::instant();
        let mut rate = Rate::new(20_000.0);
        let now = send(&mut rate, 20_000, now);
        let epoch = rate.sends(now);
        rate.lower(epoch, Duration::ZERO, now);
        let at = |seconds| (rate.at(now + SECOND * seconds) / 200.0).round();
        assert_eq!([at(0), at(1), at(2), at(3)], [85.0, 98.0, 100.0, 100.0]);
        let mut low = Rate::new(20_000.0);
        low.lowered = Some(Lowered { from: 100.0, to: 85.0, at: now, recovery: RECOVERY });
        let at = |seconds| low.at(now + SECOND * seconds);
        assert!(at(5) < 115.0 && at(8) == 200.0 && at(20) > 2_000.0 && at(60) == 20_000.0);
    }

    #[test]
    fn the_longer_a_pause_the_later_the_next_may_come() {
        let now = clock::instant();
        let mut rate = Rate::new(1000.0);
        let now = send(&mut rate, 1000, now);
        let epoch = rate.sends(now);
        rate.lower(epoch, SECOND, now);
        assert!(rate.at(now + SECOND * 16) < 999.0);
        assert!(rate.at(now + SECOND * 31) >= 990.0);
    }

    #[test]
    fn what_a_program_does_not_use_is_not_believed() {
        let now = clock::instant();
        let mut rate = Rate::new(20_000.0);
        let mut now = send(&mut rate, 3000, now);
        for _ in 0..8 {
            let epoch = rate.sends(now);
            rate.lower(epoch, Duration::ZERO, now);
            now += Duration::from_millis(10);
        }
        assert!(rate.at(now) < 2000.0, "{}", rate.at(now));
    }

    #[test]
    fn it_never_stops() {
        let now = clock::instant();
        for most in [1.0, 500.0, 20_000.0] {
            let mut rate = Rate::new(most);
            for _ in 0..1000 {
                let epoch = rate.sends(now);
                rate.lower(epoch, Duration::ZERO, now);
            }
            assert!(rate.at(now) >= 1.0 && rate.at(now) <= (most / 1000.0).max(1.0));
        }
    }
}
