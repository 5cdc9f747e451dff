//! The destination, created or taken over for one run.

use super::{
    super::{NotCarried, Why, kept, mark::Mark},
    ATTEMPTS,
    reading::forget,
};
use crate::{
    BlobProperties, BlobType, Conditions, ETag, Error, GuardedPages, PageBlobClient, SnapshotId,
    jobs::{Skipped, task::Task},
};

/// A destination that carries the mark of this run and has its number.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) mark: Mark,
    /// Whether it already holds pages of an earlier run.
    pub(super) is_resumed: bool,
    /// The ETag before anything is written.
    pub(super) etag: Option<ETag>,
    /// A snapshot of an earlier run that could not be deleted.
    pub(super) left_behind: Option<SnapshotId>,
}

impl Claim {
    /// Creates the destination of `task`, or goes on with one that has the mark of this `etag`.
    pub(super) async fn of(task: &Task, etag: &ETag) -> Result<Self, NotCarried> {
        let to = task.destination().page_blob_client();
        let mut found = task.existing.as_ref().map(|existing| existing.properties.clone());
        let mut left_behind = None;
        let mut refused = NotCarried::because(Why::DestinationChanged);
        for _ in 0..ATTEMPTS {
            if let Some(reason) = found.as_ref().and_then(hindrance) {
                return Err(NotCarried::because(Why::Skipped(reason)));
            }
            let old = found.as_ref().and_then(|found| Mark::read(&found.metadata));
            let fits = partial(task, found.as_ref(), etag).is_some();
            let mark = next(task, etag, found.as_ref(), old.as_ref(), fits)?;
            if let Some(tag) = old.and_then(|old| old.snapshot)
                && mark.snapshot != Some(tag)
            {
                // Before the mark that names it is gone.
                left_behind = forget(task, tag).await?;
            }
            let claimed = match &found {
                Some(found) if fits => take_over(&to, found, &mark).await,
                _ => create(task, &to, found.as_ref(), &mark).await,
            };
            let error = match claimed {
                Ok(etag) => return Ok(Self { mark, is_resumed: fits, etag, left_behind }),
                Err(error) => error,
            };
            if error.why != Why::DestinationChanged {
                return Err(error);
            }
            let Ok(now) = to.get_properties().await else { return Err(error) };
            let seen = Mark::read(&now.metadata);
            if seen.as_ref() == Some(&mark) {
                // An attempt whose response was lost had been applied, or only its second step
                // was refused.
                let etag = raise(&to, &mark, &now).await?;
                return Ok(Self { mark, is_resumed: fits, etag, left_behind });
            }
            // Only a partial copy of the same source is gone on with. Anything else is new.
            if seen.is_none_or(|seen| seen.etag != *etag) {
                return Err(error);
            }
            (found, refused) = (Some(now), error);
        }
        Err(refused)
    }
}

/// The mark of the existing blob, if the copy goes on with it.
pub(super) fn partial(task: &Task, found: Option<&BlobProperties>, etag: &ETag) -> Option<Mark> {
    let mark = Mark::read(&found?.metadata)?;
    let fits = found?.content_length == task.item.properties.content_length;
    (fits && mark.etag == *etag).then_some(mark)
}

/// Why the existing blob cannot be the destination.
fn hindrance(found: &BlobProperties) -> Option<Skipped> {
    match &found.blob_type {
        _ if found.is_incremental_copy => Some(Skipped::IncrementalCopy),
        None | Some(BlobType::PageBlob) => None,
        Some(_) => Some(Skipped::OtherType),
    }
}

/// The mark of this run, after `old`. Its number is above all that may guard a write under way.
fn next(
    task: &Task,
    etag: &ETag,
    found: Option<&BlobProperties>,
    old: Option<&Mark>,
    fits: bool,
) -> Result<Mark, NotCarried> {
    let of_source = task.item.properties.sequence_number;
    let current = found.and_then(|found| found.sequence_number);
    let noted = old.map(|old| old.guard);
    let above = of_source.max(current).max(noted).unwrap_or_default();
    // A blob that is created anew may start at any number.
    let above = if !fits && above > MANY { of_source.unwrap_or_default() } else { above };
    let guard = GuardedPages::number_above(above)?;
    let snapshot = task
        .shared
        .settings
        .snapshot_sources
        .then(|| old.filter(|_| fits).and_then(|old| old.snapshot).unwrap_or(guard));
    Ok(Mark { etag: etag.clone(), guard, snapshot })
}

/// So great that few numbers are left above it.
const MANY: u64 = 1 << 62;

/// Creates the blob, if the destination still is as it was `found`.
async fn create(
    task: &Task,
    to: &PageBlobClient,
    found: Option<&BlobProperties>,
    mark: &Mark,
) -> Result<Option<ETag>, NotCarried> {
    let of = &task.item.properties;
    let create = to.create(of.content_length).sequence_number(mark.guard);
    let create = kept::with_content_headers!(create, of).metadata(mark.metadata());
    let mut create = create.conditions(unchanged(found));
    let settings = &task.shared.settings;
    if settings.tags && !task.item.tags.is_empty() {
        create = create.tags(task.item.tags.clone());
    }
    if let Some(tier) = kept::tier(&task.item).filter(|_| settings.tier) {
        create = create.tier(tier);
    }
    Ok(create.await?.etag)
}

/// Goes on with a blob: notes the number in its mark, then raises it.
async fn take_over(
    to: &PageBlobClient,
    found: &BlobProperties,
    mark: &Mark,
) -> Result<Option<ETag>, NotCarried> {
    let noted = to.set_metadata(mark.metadata()).conditions(unchanged(Some(found))).await?;
    raise(to, mark, &BlobProperties { etag: noted.etag, ..BlobProperties::default() }).await
}

/// Raises the number of the blob, which was `found` with this mark, unless it has it already. A
/// request of a dead run that comes late raises nothing: the condition refuses it.
async fn raise(
    to: &PageBlobClient,
    mark: &Mark,
    found: &BlobProperties,
) -> Result<Option<ETag>, NotCarried> {
    let mut found = found.clone();
    for _ in 0..ATTEMPTS {
        if found.sequence_number == Some(mark.guard) {
            return Ok(found.etag);
        }
        let refused = match to.guard_writes(mark.guard).conditions(unchanged(Some(&found))).await {
            Ok(pages) => return Ok(pages.etag().cloned()),
            // Another run has raised it since.
            Err(Error::InvalidInput { .. }) => break,
            Err(error) => NotCarried::at_destination(error),
        };
        if refused.why != Why::DestinationChanged {
            return Err(refused);
        }
        // Written late by a run that was torn earlier, or raised by a lost attempt.
        found = to.get_properties().await?;
        if Mark::read(&found.metadata).as_ref() != Some(mark) {
            return Err(refused);
        }
    }
    Err(NotCarried::because(Why::DestinationChanged))
}

fn unchanged(found: Option<&BlobProperties>) -> Conditions {
    match found {
        None => Conditions::new().if_none_match(ETag::ANY),
        Some(found) => Conditions::new().if_match(found.etag.clone().unwrap_or(ETag::ANY)),
    }
}
