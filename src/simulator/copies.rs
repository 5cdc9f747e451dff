//! Copies and the life they lead: pending, moving with the clock, and over.
//!
//! Nothing runs in the background. Whenever a request comes in, every copy that is under way is
//! first brought to where it would be by now.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    time::Duration,
};

use time::OffsetDateTime;

use super::{
    account::{Accounts, BlobAddress},
    blob::{Blob, Content, Revision},
    remote::Access,
    state::{Stamps, State},
};

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

/// All copies under way, and what a test has planned for those to come.
#[derive(Debug, Default)]
pub(crate) struct CopyDesk {
    /// The destinations, in the order in which the copies were started.
    pub(crate) pending: Vec<BlobAddress>,
    pub(crate) started: u64,
    pub(crate) hold_new: bool,
    pub(crate) failures: VecDeque<Failure>,
}

/// Brings every copy to where it is at `now`.
pub(crate) fn settle(state: &mut State, now: OffsetDateTime) {
    // Since when an account has no copy before the one in question.
    let mut free = BTreeMap::new();
    for at in mem::take(&mut state.copies.pending) {
        let State { accounts, stamps, settings, .. } = &mut *state;
        if let Some(since) = free.get(&at.account) {
            wait_until(accounts, &at, *since);
        }
        let Some(blob) = advance(accounts, stamps, &at, now) else { continue };
        let ended = blob.current.copy.as_ref().and_then(|copy| copy.completed_on);
        if settings.queued {
            free.insert(at.account.clone(), ended.unwrap_or(now));
        }
        if blob.job.is_some() {
            state.copies.pending.push(at);
        }
    }
}

/// Lets the copy into the blob there stand still until `since`.
fn wait_until(accounts: &mut Accounts, at: &BlobAddress, since: OffsetDateTime) {
    if let Ok(Blob { job: Some(job), .. }) = accounts.blob_mut(at) {
        job.seen = job.seen.max(since);
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
    if !job.held {
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
    /// Whether it is known to have been there at `due`, as it was when the copy began. What is here needs
    /// no look beforehand.
    fn was_there(&self, due: OffsetDateTime) -> bool {
        self.access.is_none() || self.verified.is_some_and(|at| at >= due)
    }
}

impl CopyJob {
    /// How the copy has ended by `now`, and when: whatever came first, however late it is asked for.
    fn end(
        &self,
        total: u64,
        now: OffsetDateTime,
        source_is_intact: bool,
    ) -> Option<(OffsetDateTime, End)> {
        let seen = self.seen.min(now);
        let reached = |run: Duration| {
            let at = match run.checked_sub(self.run) {
                Some(left) => seen.checked_add(left.try_into().ok()?),
                None => seen.checked_sub((self.run - run).try_into().ok()?),
            };
            at.filter(|_| !self.held)
        };
        let planned = self.failure.as_ref().and_then(|failure| {
            let bytes = failure.at.min(total);
            let at = if bytes <= self.moved(total) {
                seen
            } else {
                reached(self.time_to(bytes, total))?
            };
            Some((at, End::Planned(failure.clone())))
        });
        let due = reached(self.needed);
        let finished = due.map(|at| (at, End::Success));
        // A loss is only found out now, but before the end.
        let lost =
            (!source_is_intact).then(|| (due.map_or(now, |due| due.min(now)), End::SourceLost));
        let overtime = Some((self.started + LONGEST, End::Overtime));
        let ends = [planned, lost, finished, overtime].into_iter().flatten();
        let first = ends.min_by_key(|(at, _)| *at).filter(|(at, _)| *at <= now);
        // A source elsewhere must have been seen by then; if not, the copy waits for the next look,
        // however long that takes.
        first.filter(|(at, end)| !matches!(end, End::Success) || self.source.was_there(*at))
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
            return if self.held { 0 } else { total };
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
