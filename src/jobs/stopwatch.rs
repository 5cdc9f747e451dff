//! How long something takes.

use std::time::Duration;

use tokio::time::Instant;

use crate::wire::clock;

/// The time since it was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(clock::instant())
    }

    pub(crate) fn elapsed(self) -> Duration {
        clock::instant().duration_since(self.0)
    }
}
