//! Copies and the life they lead: pending, moving with the clock, and over.
//!
//! Nothing runs in the background. Whenever a request comes in, every copy that should have ended
//! by now is first brought to its end, and those that the request asks for to where they would be.

mod desk;

use std::time::Duration;

use time::OffsetDateTime;

pub(crate) use self::desk::CopyDesk;
use super::{
    account::{Accounts, BlobAddress},
    blob::{Blob, Content, Revision},
    call::Call,
    op::Op,
    ops,
    remote::Access,
    state::{Stamps, State},
};
use crate::clock;

/// After two weeks a copy that is still under way fails.
const LONGEST: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What a blob tells about the last copy into it.
#[derive(Debug, Clone)]
pub(crate) struct CopyRecord {
    pub(crate) id: String,
    /// As it is shown, which is not as it was sent.
    pub(crate) source: String,
    pub(crate) status: Status,
    pub(crate) copied: u64,
    pub(crate) total: u64,
    pub(crate) completed_on: Option<OffsetDateTime>,
    pub(crate) description: Option<String>,
    pub(crate) destination_snapshot: Option<String>,
}

/// How a copy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Success,
    Aborted,
    Failed,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        }
    }
}

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

/// Counts the copy into the blob there, which has just been given its job, among those under way.
pub(crate) fn begin(state: &mut State, at: BlobAddress) {
    let State { accounts, settings, copies, .. } = state;
    let Ok(Blob { job: Some(job), current, .. }) = accounts.blob_mut(&at) else { return };
    job.waits = settings.queued && copies.is_queue(&at.account);
    let total = current.copy.as_ref().map_or(0, |record| record.total);
    let (due, elsewhere) = (job.due(total), job.source.access.is_some());
    copies.add(at, due, elsewhere, settings.queued);
}

/// Brings every copy that is due by `now` to its end. Those that are not are nobody's business but
/// that of those who ask for them.
pub(crate) fn settle(state: &mut State, now: OffsetDateTime) {
    let mut last = None;
    // One whose source must be looked at first stays due.
    while let Some((due, at)) = state.copies.next_due(last, now) {
        bring(state, &at, now);
        last = Some(due);
    }
}

/// Brings all copies to where they are at `now`.
pub(crate) fn settle_all(state: &mut State, now: OffsetDateTime) {
    for at in state.copies.all() {
        bring(state, &at, now);
    }
}

/// Brings those copies to where they are at `now` of which the answer to this request may tell.
pub(crate) fn settle_asked(state: &mut State, call: &Call) {
    if let (Op::ListBlobs, Some(container)) = (call.op, &call.route.container) {
        for at in state.copies.in_container(&call.route.account, container) {
            bring(state, &at, call.now);
        }
    }
    if state.copies.len() > 0 {
        for at in call.blob_address().ok().into_iter().chain(ops::source_here(call)) {
            bring(state, &at, call.now);
        }
    }
}

/// Forgets the copies into a container that is gone.
pub(crate) fn forget(state: &mut State, account: &str, container: &str, now: OffsetDateTime) {
    for at in state.copies.in_container(account, container) {
        leave(state, &at, now);
    }
}

/// Brings the copy into the blob there, if there is one, to where it is at `now`.
fn bring(state: &mut State, at: &BlobAddress, now: OffsetDateTime) {
    if !state.copies.has(at) {
        return;
    }
    #[cfg(test)]
    {
        state.copies.looks += 1;
    }
    let blob = advance(&mut state.accounts, &mut state.stamps, at, now);
    match blob {
        Some(Blob { job: Some(_), .. }) => reschedule(state, at),
        Some(Blob { current: Revision { copy: Some(record), .. }, .. }) => {
            let since = record.completed_on.unwrap_or(now);
            leave(state, at, since);
        }
        _ => leave(state, at, now),
    }
}

/// Notes by when the copy into the blob there ends, now that something about it has changed.
pub(crate) fn reschedule(state: &mut State, at: &BlobAddress) {
    if let Ok(Blob { job: Some(job), current, .. }) = state.accounts.blob_mut(at) {
        let total = current.copy.as_ref().map_or(0, |record| record.total);
        state.copies.set_due(at, job.due(total));
    }
}

/// Takes the copy into the blob there, which was over at `since`, off the desk. One that waited for
/// it goes on from then.
pub(crate) fn leave(state: &mut State, at: &BlobAddress, since: OffsetDateTime) {
    let Some(next) = state.copies.remove(at) else { return };
    if let Ok(Blob { job: Some(job), .. }) = state.accounts.blob_mut(&next) {
        job.waits = false;
        job.seen = job.seen.max(since);
        reschedule(state, &next);
    }
}

/// Brings the copy into the blob there to where it is at `now`.
fn advance<'a>(
    accounts: &'a mut Accounts,
    stamps: &mut Stamps,
    at: &BlobAddress,
    now: OffsetDateTime,
) -> Option<&'a mut Blob> {
    let source_is_intact = accounts.blob(at).ok()?.job.as_ref().is_some_and(|job| {
        let JobSource { at, snapshot, etag, access, lost, .. } = &job.source;
        let unchanged = |source: &Revision| source.etag == *etag;
        match access {
            None => accounts.revision(at, snapshot.as_deref()).is_ok_and(unchanged),
            Some(_) => !lost,
        }
    });
    let blob = accounts.blob_mut(at).ok()?;
    let (Some(job), Some(record)) = (blob.job.as_mut(), blob.current.copy.as_mut()) else {
        return Some(blob);
    };
    let end = job.end(record.total, now, source_is_intact);
    let before = record.copied;
    let until = end.as_ref().map_or(now, |(at, _)| *at);
    if !job.stands() {
        job.run += (until - job.seen).try_into().unwrap_or(Duration::ZERO);
    }
    job.seen = now;
    // An incremental copy tells nothing of its progress before its end.
    record.copied = if blob.incremental.is_some() { 0 } else { job.moved(record.total) };

    match end {
        Some((at, End::Success)) => finish(blob, stamps, at),
        Some((at, End::Planned(failure))) => {
            if blob.incremental.is_none() {
                record.copied = failure.at.min(record.total);
            }
            fail(blob, stamps, at, failure.description);
        }
        Some((at, End::SourceLost)) => {
            let description = "404 ResourceNotFound \"Copy failed when reading the source.\"";
            fail(blob, stamps, at, description.to_owned());
        }
        Some((at, End::Overtime)) => {
            const OVERTIME: &str =
                "500 OperationCancelled \"The copy exceeded the maximum allowed time.\"";
            fail(blob, stamps, at, OVERTIME.to_owned());
        }
        // A page blob is written as the copy goes on, and its ETag tells so.
        None if record.copied != before && matches!(blob.current.content, Content::Page { .. }) => {
            blob.current.etag = stamps.etag();
        }
        None => {}
    }
    Some(blob)
}

/// How a copy ends by itself.
#[derive(Debug)]
enum End {
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
    fn due(&self, total: u64) -> OffsetDateTime {
        let planned = self.planned(total, self.seen);
        let ends = [planned, self.reached(self.needed, self.seen)];
        ends.into_iter().flatten().fold(self.overtime(), OffsetDateTime::min)
    }

    /// How the copy has ended by `now`, and when: whatever came first, however late it is asked
    /// for.
    fn end(
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
    fn moved(&self, total: u64) -> u64 {
        if self.run >= self.needed {
            return if self.stands() { 0 } else { total };
        }
        let moved = u128::from(total) * self.run.as_nanos() / self.needed.as_nanos().max(1);
        u64::try_from(moved).unwrap_or(total)
    }
}

/// Ends the copy into `blob` with success.
pub(crate) fn finish(blob: &mut Blob, stamps: &mut Stamps, at: OffsetDateTime) {
    let Some(job) = blob.job.take() else { return };
    let mut record = blob.current.copy.take();
    let etag = if job.brings_nothing { blob.current.etag.clone() } else { stamps.etag() };
    blob.current = Revision { etag, last_modified: at, ..job.outcome };
    if let Some(record) = &mut record {
        record.status = Status::Success;
        record.copied = record.total;
        record.completed_on = Some(at);
        record.description = None;
    }
    blob.current.copy = record;
    let Some(origin) = &mut blob.incremental else { return };

    // Each incremental copy leaves a snapshot of the destination.
    let id = stamps.snapshot(at);
    if let Some(record) = &mut blob.current.copy {
        record.destination_snapshot = Some(id.clone());
    }
    if let (Content::Page { pages, .. }, Some(source)) =
        (&blob.current.content, job.source.snapshot)
    {
        origin.last = Some((source, pages.clone()));
    }
    let kept = Revision { etag: stamps.etag(), ..blob.current.clone() };
    blob.snapshots.insert(id, kept);
}

/// Ends the copy into `blob` with failure.
pub(crate) fn fail(blob: &mut Blob, stamps: &mut Stamps, at: OffsetDateTime, description: String) {
    give_up(blob, stamps, at, Status::Failed);
    if let Some(record) = &mut blob.current.copy {
        record.description = Some(description);
    }
}

/// Ends the copy into `blob` at the caller's request: the destination stays, without content.
pub(crate) fn abort(blob: &mut Blob, stamps: &mut Stamps, at: OffsetDateTime) {
    give_up(blob, stamps, at, Status::Aborted);
    if let Some(record) = &mut blob.current.copy {
        record.copied = 0;
        record.description = None;
    }
    // Recorded: a tier that was chosen counts as set anew.
    if let Some(tier) = &mut blob.current.tier {
        tier.touch(at);
    }
}

fn give_up(blob: &mut Blob, stamps: &mut Stamps, at: OffsetDateTime, status: Status) {
    blob.job = None;
    blob.current.content = blob.current.content.emptied();
    blob.current.etag = stamps.etag();
    blob.current.last_modified = at;
    if let Some(record) = &mut blob.current.copy {
        record.status = status;
        record.completed_on = Some(at);
    }
}
