//! Copies: pending, progressing with the clock, and ended.
//!
//! Nothing runs in the background. When a request arrives, every copy that should have ended by now
//! is first ended, and the copies that the request asks about are brought up to date.

pub(crate) mod desk;
pub(crate) mod job;
pub(crate) mod record;

use std::time::Duration;

use time::OffsetDateTime;

use self::{
    job::{End, JobSource},
    record::Status,
};
use super::{
    account::Accounts, blob::Blob, content::Content, revision::Revision, stamps::Stamps,
    state::State,
};
use crate::wire::route::BlobAddress;

/// Adds the copy into this blob, which has just been given its job, to the pending ones.
pub(crate) fn begin(state: &mut State, at: BlobAddress) {
    let State { accounts, settings, copies, .. } = state;
    let Ok(Blob { job: Some(job), current, .. }) = accounts.blob_mut(&at) else { return };
    job.waits = settings.queued && copies.is_queue(&at.account);
    let total = current.copy.as_ref().map_or(0, |record| record.total);
    let (due, elsewhere) = (job.due(total), job.source.access.is_some());
    copies.add(at, due, elsewhere, settings.queued);
}

/// Ends every copy that is due by `now`. Other copies are updated only when a request needs them.
pub(crate) fn settle(state: &mut State, now: OffsetDateTime) {
    let mut last = None;
    // A copy whose source must be checked first stays due.
    while let Some((due, at)) = state.copies.next_due(last, now) {
        settle_into(state, &at, now);
        last = Some(due);
    }
}

/// Brings all copies up to `now`.
pub(crate) fn settle_all(state: &mut State, now: OffsetDateTime) {
    for at in state.copies.all() {
        settle_into(state, &at, now);
    }
}

/// Brings the copies into a container up to `now`.
pub(crate) fn settle_within(
    state: &mut State,
    account: &str,
    container: &str,
    now: OffsetDateTime,
) {
    for at in state.copies.in_container(account, container) {
        settle_into(state, &at, now);
    }
}

/// Forgets the copies into a deleted container.
pub(crate) fn forget(state: &mut State, account: &str, container: &str, now: OffsetDateTime) {
    for at in state.copies.in_container(account, container) {
        leave(state, &at, now);
    }
}

/// Brings the copy into this blob, if there is one, up to `now`.
pub(crate) fn settle_into(state: &mut State, at: &BlobAddress, now: OffsetDateTime) {
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

/// Updates when the copy into this blob ends, after something about it has changed.
pub(crate) fn reschedule(state: &mut State, at: &BlobAddress) {
    if let Ok(Blob { job: Some(job), current, .. }) = state.accounts.blob_mut(at) {
        let total = current.copy.as_ref().map_or(0, |record| record.total);
        state.copies.set_due(at, job.due(total));
    }
}

/// Removes the copy into this blob, which ended at `since`. A copy that waited for it starts to
/// progress at that moment.
pub(crate) fn leave(state: &mut State, at: &BlobAddress, since: OffsetDateTime) {
    let Some(next) = state.copies.remove(at) else { return };
    if let Ok(Blob { job: Some(job), .. }) = state.accounts.blob_mut(&next) {
        job.waits = false;
        job.seen = job.seen.max(since);
        reschedule(state, &next);
    }
}

/// Brings the copy into this blob up to `now`.
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
    // An incremental copy reports no progress before its end.
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
        // A page blob is written as the copy progresses, so its ETag changes.
        None if record.copied != before && matches!(blob.current.content, Content::Page { .. }) => {
            blob.current.etag = stamps.etag();
        }
        None => {}
    }
    Some(blob)
}

/// Completes the copy into `blob`.
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

/// Fails the copy into `blob`.
pub(crate) fn fail(blob: &mut Blob, stamps: &mut Stamps, at: OffsetDateTime, description: String) {
    give_up(blob, stamps, at, Status::Failed);
    if let Some(record) = &mut blob.current.copy {
        record.description = Some(description);
    }
}

/// Aborts the copy into `blob`: the destination stays, without content.
pub(crate) fn abort(blob: &mut Blob, stamps: &mut Stamps, at: OffsetDateTime) {
    give_up(blob, stamps, at, Status::Aborted);
    if let Some(record) = &mut blob.current.copy {
        record.copied = 0;
        record.description = None;
    }
    // Recorded: an explicit tier counts as set at this time.
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
