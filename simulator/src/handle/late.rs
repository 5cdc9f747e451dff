//! Requests that are still on the way after their connections broke.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::wire::call::Call;

/// These requests, by the moment at which they arrive and the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Late {
    calls: BTreeMap<(OffsetDateTime, u64), Call>,
    sent: u64,
}

impl Late {
    pub(crate) fn add(&mut self, at: OffsetDateTime, call: Call) {
        self.sent += 1;
        self.calls.insert((at, self.sent), Call { now: at, ..call });
    }

    pub(super) fn landed(&mut self, now: OffsetDateTime) -> Option<Call> {
        let first = self.calls.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}
