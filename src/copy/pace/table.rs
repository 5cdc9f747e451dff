//! Polls and lateness for copies of every length and course, compared with a poll every second.
//!
//! `cargo test --lib pacing_table -- --nocapture` prints the table, computed by [`Pace`] in virtual
//! time.

use std::{fmt, time::Duration};

use super::{Answered, LONGEST, Pace, SHORTEST};
use crate::CopyProgress;

/// The lengths of the copies, in tenths of a second.
const LENGTHS: [u64; 14] =
    [1, 3, 10, 30, 100, 300, 479, 480, 1000, 3000, 6000, 36_000, 216_000, 864_000];

const ROUND_TRIPS: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(20), Duration::from_millis(100)];

/// Bytes of each copy: a number that does not divide well.
const TOTAL: u64 = 123_456_789_012;

/// How the progress of a copy develops.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Course {
    /// At one rate.
    Linear,
    /// In ten steps.
    Stepped,
    /// Not reported.
    Absent,
    /// `0/N` while pending, like an incremental copy.
    Incremental,
    /// `N/N` after a tenth of the time.
    StuckAtTheEnd,
    /// All but a byte after a tenth of the time.
    StuckNearTheEnd,
    /// Nine tenths of the bytes in a tenth of the time.
    FastThenSlow,
    /// A tenth of the bytes in nine tenths of the time.
    SlowThenFast,
    /// Ever slower: the rest halves in every twentieth of the time.
    EverSlower,
}

impl Course {
    const ALL: [Self; 9] = [
        Self::Linear,
        Self::Stepped,
        Self::Absent,
        Self::Incremental,
        Self::StuckAtTheEnd,
        Self::StuckNearTheEnd,
        Self::FastThenSlow,
        Self::SlowThenFast,
        Self::EverSlower,
    ];

    /// The progress after the fraction `time` of the copy's duration.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn progress(self, time: f64) -> Option<CopyProgress> {
        let part = match self {
            Self::Absent => return None,
            Self::Linear => time,
            Self::Stepped => (time * 10.0).floor() / 10.0,
            Self::Incremental => 0.0,
            Self::StuckAtTheEnd => (time * 10.0).min(1.0),
            Self::StuckNearTheEnd => (time * 10.0).min(1.0 - 1e-11),
            Self::FastThenSlow if time < 0.1 => time * 9.0,
            Self::FastThenSlow => 0.9 + (time - 0.1) / 9.0,
            Self::SlowThenFast if time < 0.9 => time / 9.0,
            Self::SlowThenFast => 0.1 + (time - 0.9) * 9.0,
            Self::EverSlower => 1.0 - (-time * 20.0).exp2(),
        };
        Some(CopyProgress { copied: (part * TOTAL as f64) as u64, total: TOTAL })
    }
}

/// What a wait cost.
#[derive(Debug, Clone, Copy)]
struct Run {
    polls: u32,
    /// From the end of the copy until the waiting program knows it.
    late: Duration,
}

/// Waits for a copy; the service evaluates every poll half-way through its round trip.
fn wait(
    length: Duration,
    round_trip: Duration,
    mut pause: impl FnMut(Duration, f64) -> Duration,
) -> Run {
    let (mut sent, mut polls) = (Duration::ZERO, 0);
    loop {
        polls += 1;
        let (looked, answered) = (sent + round_trip / 2, sent + round_trip);
        if looked >= length {
            return Run { polls, late: answered - length };
        }
        sent = answered + pause(sent, looked.as_secs_f64() / length.as_secs_f64());
    }
}

/// Waits at our pace.
fn ours(
    length: Duration,
    round_trip: Duration,
    course: Course,
    mut chance: impl FnMut() -> f64,
) -> Run {
    let mut pace = Pace::new(None);
    wait(length, round_trip, |sent, time| {
        let progress = course.progress(time);
        pace.after_answer(Answered { sent, took: round_trip, progress, asked: None }, chance())
    })
}

/// Waits like .NET's `WaitForCompletionAsync`: polls at once, then a second after each response.
fn dot_net(length: Duration, round_trip: Duration) -> Run {
    wait(length, round_trip, |_, _| Duration::from_secs(1))
}

fn lengths() -> impl Iterator<Item = Duration> {
    LENGTHS.iter().map(|tenths| Duration::from_millis(tenths * 100))
}

/// Checks the promises for one row.
fn check(what: impl fmt::Display, length: Duration, round_trip: Duration, run: Run) {
    let limit = (length / 8).max(SHORTEST).min(LONGEST) + round_trip;
    assert!(run.late <= limit, "{what}: {:?} late, over {limit:?}", run.late);
    if length < Duration::from_secs(48) {
        assert!(run.polls <= 48, "{what}: {} polls", run.polls);
    } else {
        // A poll takes a second and the round trip, except at the boundary.
        let theirs = dot_net(length, round_trip.min(Duration::from_millis(20))).polls;
        assert!(run.polls <= theirs, "{what}: {} polls, and .NET {theirs}", run.polls);
    }
}

#[test]
fn pacing_table() {
    let round_trip = Duration::from_millis(20);
    println!("Polls, and lateness after the end, with a round trip of {round_trip:?}:\n");
    print!("{:>8}  {:>17}", "length", ".NET");
    Course::ALL.iter().for_each(|course| print!("  {:>17}", format!("{course:?}")));
    println!();
    for length in lengths() {
        let show = |run: Run| print!("  {:>6} {:>10}", run.polls, seconds(run.late));
        print!("{:>8}", seconds(length));
        show(dot_net(length, round_trip));
        for course in Course::ALL {
            let mut random = fastrand::Rng::with_seed(7);
            let run = ours(length, round_trip, course, || random.f64());
            check(format_args!("{length:?} {course:?}"), length, round_trip, run);
            show(run);
        }
        println!();
    }
}

fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.3} s", time.as_secs_f64()),
        60..3600 => format!("{:.0} s", time.as_secs_f64()),
        _ => format!("{:.0} h", time.as_secs_f64() / 3600.0),
    }
}

/// Every length, course and round trip, with the best and the worst luck.
#[test]
fn the_promises_hold_over_the_whole_grid() {
    let mut random = fastrand::Rng::with_seed(1);
    for length in lengths() {
        for course in Course::ALL {
            for round_trip in ROUND_TRIPS {
                let what = format!("{length:?} {course:?} {round_trip:?}");
                for chance in [0.0, 0.5, 1.0] {
                    check(&what, length, round_trip, ours(length, round_trip, course, || chance));
                }
                for _ in 0..20 {
                    let run = ours(length, round_trip, course, || random.f64());
                    check(&what, length, round_trip, run);
                }
            }
        }
    }
}

/// Lengths close to each other, so that none falls between two rows of the table.
#[test]
fn the_promises_hold_between_the_rows_too() {
    let mut random = fastrand::Rng::with_seed(2);
    let round_trip = Duration::from_millis(20);
    let mut length = Duration::from_millis(40);
    while length < Duration::from_secs(3000) {
        for course in Course::ALL {
            let what = format!("{length:?} {course:?}");
            let luck = random.f64().round();
            check(&what, length, round_trip, ours(length, round_trip, course, || luck));
            check(&what, length, round_trip, ours(length, round_trip, course, || random.f64()));
        }
        length = length.mul_f64(1.007);
    }
}

#[test]
fn a_steady_rate_is_seen_to_end_almost_at_once() {
    for tenths in [100, 1000, 36_000] {
        let length = Duration::from_millis(tenths * 100);
        for chance in [0.0, 1.0] {
            let run = ours(length, Duration::ZERO, Course::Linear, || chance);
            let limit = (length / 100).min(LONGEST / 10) + SHORTEST;
            assert!(run.late <= limit, "{length:?}: {:?} late", run.late);
        }
    }
}

/// 500 waits that start at the same moment, for copies of an hour without progress.
#[test]
fn waits_that_begin_together_drift_apart() {
    const WAITS: usize = 500;
    let mut random = fastrand::Rng::with_seed(3);
    let mut polls = vec![0_usize; 36_000];
    for _ in 0..WAITS {
        let mut pace = Pace::new(None);
        let mut sent = Duration::ZERO;
        while let Some(bucket) =
            usize::try_from(sent.as_millis() / 100).ok().and_then(|tenth| polls.get_mut(tenth))
        {
            *bucket += 1;
            sent += pace.after_answer(Answered { sent, ..Answered::default() }, random.f64());
        }
    }
    let most = |minute: usize| *polls[600 * minute..].iter().max().expect("more minutes");
    println!("the most polls of {WAITS} waits in one tenth of a second:");
    println!("{} at the start, {} from minute 5, {} from minute 20", polls[0], most(5), most(20));
    assert_eq!(polls[0], 2 * WAITS);
    assert!(most(5) <= WAITS / 20, "{}", most(5));
    assert!(most(20) <= WAITS / 40, "{}", most(20));
}
