//! How long to try again.

use std::{pin::Pin, time::Duration};

use crate::{Error, wire::clock};

/// A wait before another attempt.
pub(crate) type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How often a call is repeated that failed for a reason that passes, after the retries of the
/// client.
const MOST: u32 = 6;

/// The wait after the `faults`-th error in a row; `None` if another attempt is pointless.
///
/// The waits grow from a second to half a minute, a little shortened at random, so that calls that
/// failed together do not come back together.
pub(crate) fn pause(error: &Error, faults: u32) -> Option<Pause> {
    (error.is_passing() && faults <= MOST)
        .then(|| -> Pause { Box::pin(clock::sleep(wait(faults))) })
}

fn wait(faults: u32) -> Duration {
    let whole =
        Duration::from_secs(1 << faults.saturating_sub(1).min(5)).min(Duration::from_secs(30));
    whole.mul_f64(1.0 - fastrand::f64() / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_half_a_minute() {
        for (faults, whole) in [(1, 1), (2, 2), (3, 4), (6, 30), (7, 30), (u32::MAX, 30)] {
            let (wait, whole) = (wait(faults), Duration::from_secs(whole));
            assert!(wait <= whole && wait >= whole * 4 / 5, "{faults}: {wait:?}");
        }
    }

    #[test]
    fn a_wrong_argument_is_not_tried_again() {
        let error = "".parse::<crate::CopyId>().expect_err("empty");
        assert!(pause(&error, 1).is_none());
    }
}
