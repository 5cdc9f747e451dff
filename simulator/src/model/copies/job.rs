//! A copy under way: where it stands, and how and when it ends.

use std::time::Duration;

use time::OffsetDateTime;

use crate::{
    model::{elsewhere::Access, revision::Revision},
    wire::{clock, route::BlobAddress},
};

/// After two weeks a copy that is still under way fails.
const LONGEST: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// A copy that is under way.
#[derive(Debug)]
pub(crate) struct CopyJob {
    pub(crate) source: JobSource,
    /// What the destination holds once all is copied.
    pub(crate) outcome: Revision,
    pub(crate) started: OffsetDateTime,
    /// How long it takes altogether, and how long it has been running.
    pub(crate) needed: Duration,
    pub(crate) run: Duration,
    /// When it was last brought up to date.
    pub(crate) seen: OffsetDateTime,
    pub(crate) held: bool,
    /// Whether it has to wait until the one before it is over.
    pub(crate) waits: bool,
    pub(crate) failure: Option<Failure>,
    /// Whether the destination holds all of it already, so that not even its ETag changes.
    pub(crate) brings_nothing: bool,
}

/// The source of a copy under way, and the state of it that the copy began with.
#[derive(Debug)]
pub(crate) struct JobSource {
    pub(crate) at: BlobAddress,
    pub(crate) snapshot: Option<String>,
    pub(crate) etag: String,
    /// How to look at it, where another server holds it.
    pub(crate) access: Option<Access>,
    /// Whether that server was found to have it no more, or not as it was.
    pub(crate) lost: bool,
    /// When it was last found there, and as it was.
    pub(crate) verified: Option<OffsetDateTime>,
}

/// How a test wants a copy to fail.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) at: u64,
    pub(crate) description: String,
}

/// How a copy ends by itself.
#[derive(Debug)]
pub(super) enum End {
    Planned(Failure),
    SourceLost,
    Success,
    Overtime,
}

impl JobSource {
    /// Whether it is known to have been there at `due`, as it was when the copy began. What is here
    /// needs no look beforehand.
    fn was_there(&self, due: OffsetDateTime) -> bool {
        self.access.is_none() || self.verified.is_some_and(|at| at >= due)
    }
}

impl CopyJob {
    /// Whether it makes no progress, however long it takes.
    pub(crate) fn stands(&self) -> bool {
        self.held || self.waits
    }

    /// By when the copy of `total` bytes ends, if nothing happens to it or to its source before.
    pub(super) fn due(&self, total: u64) -> OffsetDateTime {
        let planned = self.planned(total, self.seen);
        let ends = [planned, self.reached(self.needed, self.seen)];
        ends.into_iter().flatten().fold(self.overtime(), OffsetDateTime::min)
    }

    /// How the copy has ended by `now`, and when: whatever came first, however late it is asked
    /// for.
    pub(super) fn end(
        &self,
        total: u64,
        now: OffsetDateTime,
        source_is_intact: bool,
    ) -> Option<(OffsetDateTime, End)> {
        let seen = self.seen.min(now);
        let planned = self.planned(total, seen);
        let planned = planned.zip(self.failure.clone());
        let planned = planned.map(|(at, failure)| (at, End::Planned(failure)));
        let due = self.reached(self.needed, seen);
        let finished = due.map(|at| (at, End::Success));
        // A loss is only found out now, but before the end.
        let lost =
            (!source_is_intact).then(|| (due.map_or(now, |due| due.min(now)), End::SourceLost));
        let overtime = Some((self.overtime(), End::Overtime));
        let ends = [planned, lost, finished, overtime].into_iter().flatten();
        let first = ends.min_by_key(|(at, _)| *at).filter(|(at, _)| *at <= now);
        // A source elsewhere must have been seen by then; if not, the copy waits for the next look,
        // however long that takes.
        first.filter(|(at, end)| !matches!(end, End::Success) || self.source.was_there(*at))
    }

    /// When it has run for so long, going on from `seen`.
    fn reached(&self, run: Duration, seen: OffsetDateTime) -> Option<OffsetDateTime> {
        let at = match run.checked_sub(self.run) {
            Some(left) => seen.checked_add(left.try_into().ok()?),
            None => seen.checked_sub((self.run - run).try_into().ok()?),
        };
        at.filter(|_| !self.stands())
    }

    /// When the failure comes that a test has planned.
    fn planned(&self, total: u64, seen: OffsetDateTime) -> Option<OffsetDateTime> {
        let bytes = self.failure.as_ref()?.at.min(total);
        match bytes <= self.moved(total) {
            true => Some(seen),
            false => self.reached(self.time_to(bytes, total), seen),
        }
    }

    fn overtime(&self) -> OffsetDateTime {
        clock::later(self.started, LONGEST)
    }

    /// How long it takes until so many of `total` bytes are copied.
    fn time_to(&self, bytes: u64, total: u64) -> Duration {
        let nanos = self.needed.as_nanos() * u128::from(bytes);
        let nanos = nanos.div_ceil(u128::from(total.max(1)));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many of `total` bytes are copied by now.
    pub(super) fn moved(&self, total: u64) -> u64 {
        if self.run >= self.needed {
            return if self.stands() { 0 } else { total };
        }
        let moved = u128::from(total) * self.run.as_nanos() / self.needed.as_nanos().max(1);
        u64::try_from(moved).unwrap_or(total)
    }
}
