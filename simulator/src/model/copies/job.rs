//! A pending copy: its progress, and how and when it ends.

use std::time::Duration;

use time::OffsetDateTime;

use crate::{
    model::{elsewhere::Access, revision::Revision},
    wire::{clock, route::BlobAddress},
};

/// A copy that is still pending after two weeks fails.
const LONGEST: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// A pending copy.
#[derive(Debug)]
pub(crate) struct CopyJob {
    pub(crate) source: JobSource,
    /// The content of the destination once all is copied.
    pub(crate) outcome: Revision,
    pub(crate) started: OffsetDateTime,
    /// How long it takes in total, and how long it has been running.
    pub(crate) needed: Duration,
    pub(crate) run: Duration,
    /// When it was last brought up to date.
    pub(crate) seen: OffsetDateTime,
    pub(crate) held: bool,
    /// Whether it must wait until the copy before it has ended.
    pub(crate) waits: bool,
    pub(crate) failure: Option<Failure>,
    /// Whether the destination has all of it already, so that not even its ETag changes.
    pub(crate) brings_nothing: bool,
}

/// The source of a pending copy, and its state when the copy started.
#[derive(Debug)]
pub(crate) struct JobSource {
    pub(crate) at: BlobAddress,
    pub(crate) snapshot: Option<String>,
    pub(crate) etag: String,
    /// How to check it, if it is on another server.
    pub(crate) access: Option<Access>,
    /// Whether that server no longer has it, or has it changed.
    pub(crate) lost: bool,
    /// When it was last seen there unchanged.
    pub(crate) verified: Option<OffsetDateTime>,
}

/// How a test makes a copy fail.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) at: u64,
    pub(crate) description: String,
}

/// How a copy ends on its own.
#[derive(Debug)]
pub(super) enum End {
    Planned(Failure),
    SourceLost,
    Success,
    Overtime,
}

impl JobSource {
    /// Whether the source is known to have been unchanged at `due`. A source in the simulator needs
    /// no check beforehand.
    fn was_there(&self, due: OffsetDateTime) -> bool {
        self.access.is_none() || self.verified.is_some_and(|at| at >= due)
    }
}

impl CopyJob {
    /// Whether it makes no progress at all.
    pub(crate) fn stands(&self) -> bool {
        self.held || self.waits
    }

    /// When the copy of `total` bytes ends, if nothing happens to it or to its source before.
    pub(super) fn due(&self, total: u64) -> OffsetDateTime {
        let planned = self.planned(total, self.seen);
        let ends = [planned, self.reached(self.needed, self.seen)];
        ends.into_iter().flatten().fold(self.overtime(), OffsetDateTime::min)
    }

    /// How the copy has ended by `now`, and when: whichever came first, however late this is
    /// called.
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
        // A loss is discovered only now, but came before the end.
        let lost =
            (!source_is_intact).then(|| (due.map_or(now, |due| due.min(now)), End::SourceLost));
        let overtime = Some((self.overtime(), End::Overtime));
        let ends = [planned, lost, finished, overtime].into_iter().flatten();
        let first = ends.min_by_key(|(at, _)| *at).filter(|(at, _)| *at <= now);
        // A source on another server must have been seen by then; if not, the copy waits for the
        // next check, however long that takes.
        first.filter(|(at, end)| !matches!(end, End::Success) || self.source.was_there(*at))
    }

    /// When it has run for this long, counting on from `seen`.
    fn reached(&self, run: Duration, seen: OffsetDateTime) -> Option<OffsetDateTime> {
        let at = match run.checked_sub(self.run) {
            Some(left) => seen.checked_add(left.try_into().ok()?),
            None => seen.checked_sub((self.run - run).try_into().ok()?),
        };
        at.filter(|_| !self.stands())
    }

    /// When the failure that a test has planned comes.
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

    /// How long copying this many of `total` bytes takes.
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
