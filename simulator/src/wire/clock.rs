//! The only file that sleeps; the time of day comes from the simulator's
//! [`Clock`](blobcopy::Clock).

use std::time::Duration;

use time::OffsetDateTime;

/// The date that is `by` later, or the latest that can be represented.
pub(crate) fn later(date: OffsetDateTime, by: Duration) -> OffsetDateTime {
    date.saturating_add(time::Duration::try_from(by).unwrap_or(time::Duration::MAX))
}

/// Waits for `duration`.
#[allow(clippy::disallowed_methods)]
pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}
