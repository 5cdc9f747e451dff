//! Incremental Copy Blob.

use super::{
    copy::{accepted, plan},
    copy_source::{Source, SourceUrl},
};
use crate::{
    model::{
        blob::{Blob, IncrementalOrigin},
        conditions::Conditions,
        content::Content,
        copies::{self, job::CopyJob, record::CopyRecord},
        elsewhere::Fetched,
        pages::Pages,
        revision::Revision,
        state::State,
    },
    wire::{
        answer::Answer,
        call::Call,
        error::{Code, Refusal},
    },
};

/// [Incremental Copy
/// Blob](https://learn.microsoft.com/rest/api/storageservices/incremental-copy-blob): copies the
/// difference between two snapshots of one page blob to the destination, and creates a snapshot
/// there.
pub(super) fn start(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    call.not_a_snapshot()?;
    let at = call.blob_address()?;
    state.accounts.container(&at.account, &at.container)?;
    let url = SourceUrl::of(call)?;
    if url.snapshot().is_none() {
        return Err(Code::IncrementalCopySourceMustBeSnapshot.into());
    }
    // Managed disks give this answer, whatever the URL grants.
    if url.is_managed_disk() {
        return Err(Code::InternalError.into());
    }
    if !url.is_here(call) && call.attached.get::<Fetched>().is_none() {
        return Err(Code::InvalidSourceBlobUrl.into());
    }
    let source = url.read(state, call, None)?;
    let Content::Page { length, pages } = source.revision.content.clone() else {
        return Err(Code::InvalidSourceBlobType.into());
    };

    let existing = state.accounts.find(&at)?;
    Conditions::of(call)?.check_creation(existing.map(Into::into), false)?;
    let origin = existing.map(|blob| check_destination(state, call, blob, &source)).transpose()?;
    let copied_before = origin.and_then(|origin| origin.last.as_ref());
    let nothing = Pages::default();
    // Only the changed bytes take time; the reported progress counts the whole length.
    let changes =
        pages.changes_since(copied_before.map_or(&nothing, |(_, pages)| pages), 0..length);
    let written = changes.iter().filter(|run| !run.cleared);
    let moved = written.map(|run| run.end - run.start).sum();
    let resized = existing.is_some_and(|blob| blob.current.content.length() != length);
    let brings_nothing = changes.is_empty() && !resized;

    let generation = existing.map(|blob| blob.current.generation);
    let outcome = Revision {
        etag: state.stamps.etag(),
        last_modified: call.now,
        created: existing.map_or(call.now, |blob| blob.current.created),
        generation: generation.unwrap_or_else(|| state.stamps.next()),
        tags: Default::default(),
        tier: None,
        copy: None,
        incremental: true,
        encryption: None,
        ..source.revision.clone()
    };
    let record =
        CopyRecord::new(state.stamps.guid(), url.echoed(call, state.settings.echo), length);
    let pending = Revision { copy: Some(Box::new(record)), ..outcome.clone() };

    let (source_at, generation) = (source.at.clone(), source.revision.generation);
    let needed = state.settings.pace.time_for(moved);
    let job = CopyJob { brings_nothing, ..plan(state, call, source, outcome, needed) };
    let blob = state.accounts.replace(&at, pending)?;
    let tie = || Box::new(IncrementalOrigin { source: source_at, generation, last: None });
    blob.incremental.get_or_insert_with(tie);
    blob.job = Some(Box::new(job));
    let answer = accepted(blob);
    copies::begin(state, at);
    Ok(answer)
}

/// Checks that incremental copies of this same source created the destination, and that the
/// snapshot is later than the last copied one, which must still exist.
fn check_destination<'a>(
    state: &State,
    call: &Call,
    blob: &'a Blob,
    source: &Source,
) -> Result<&'a IncrementalOrigin, Refusal> {
    if !matches!(blob.current.content, Content::Page { .. }) {
        return Err(Code::InvalidBlobType.into());
    }
    if blob.job.is_some() {
        return Err(Code::PendingCopyOperation.into());
    }
    let origin = blob.incremental.as_deref().ok_or(Code::IncrementalCopyBlobMismatch)?;
    if origin.source != source.at {
        return Err(Code::IncrementalCopyBlobMismatch.into());
    }
    if origin.generation != source.revision.generation {
        return Err(Code::BlobOverwritten.into());
    }
    let Some((last, _)) = &origin.last else { return Ok(origin) };
    if source.snapshot.as_ref() <= Some(last) {
        // The service's own documentation has three spellings; newer versions use the first.
        return Err(match call.since("2026-04-06") {
            true => Code::IncrementalCopyOfEarlierSnapshotNotAllowed.into(),
            false => Code::IncrementalCopyOfEarlierVersionSnapshotNotAllowed.into(),
        });
    }
    let astray = match &source.elsewhere {
        Some(elsewhere) => elsewhere.astray,
        None if state.accounts.revision(&source.at, Some(last)).is_ok() => None,
        None => Some(Code::IncrementalCopyBlobPreviousSnapshotDoesNotExist),
    };
    astray.map_or(Ok(origin), |code| Err(code.into()))
}
