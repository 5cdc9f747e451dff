//! Copy Blob: the service copies in the background.

use time::OffsetDateTime;

use super::{NotCarried, Why, kept};
use crate::{
    CompletedCopy, Conditions, CopyFromUriOperation, CopyStatus, ETag, Error, ErrorCode,
    jobs::task::{Carried, Cost, Task},
};

/// What it takes: one start. The polls of a copy that has not ended at once are counted apart.
pub(crate) fn cost(task: &Task) -> Cost {
    match pending_of_ours(task) {
        Some(_) => Cost::default(),
        None => Cost { requests: 1, bytes: task.item.properties.content_length },
    }
}

/// Starts the copy, or takes up one that an earlier run has started, and follows it to its end.
pub(crate) async fn carry(task: &Task) -> Result<Carried, NotCarried> {
    let (copy, is_adopted) = match pending_of_ours(task) {
        Some(id) => (task.destination().resume_copy(id), true),
        None => start(task).await?,
    };
    let is_found = copy.was_adopted();
    let done = end(task, copy).await?;
    if is_adopted && !has_read(task.item.properties.last_modified, done.completed_on) {
        return Err(NotCarried::because(Why::DestinationChanged));
    }
    let length = task.item.properties.content_length;
    Ok(Carried {
        source_etag: task.item.properties.etag.clone(),
        destination_etag: done.etag,
        length,
        data: length,
        bytes: if is_adopted { 0 } else { length },
        copy_id: Some(done.copy_id),
        pieces: Vec::new(),
        is_adopted,
        is_found,
        changed_metadata: Vec::new(),
        left_behind: None,
    })
}

/// The id of the pending copy of this source that the listing shows at the destination.
fn pending_of_ours(task: &Task) -> Option<crate::CopyId> {
    let copy = task.existing.as_ref()?.properties.copy.as_ref()?;
    let is_pending = copy.status == CopyStatus::Pending;
    (is_pending && task.source().is_source_of(copy)).then(|| copy.copy_id.clone())
}

/// Whether a copy that an earlier run has started has read the source as it is listed.
///
/// A source that is modified during a copy makes it fail. So one that was modified before the end
/// was so before the start; one that was modified later has other content than the copy.
fn has_read(modified: Option<OffsetDateTime>, end: Option<OffsetDateTime>) -> bool {
    modified.zip(end).is_some_and(|(modified, end)| modified < end)
}

async fn start(task: &Task) -> Result<(CopyFromUriOperation, bool), NotCarried> {
    let (settings, item) = (&task.shared.settings, &task.item);
    let mut start = task
        .destination()
        .start_copy_from_uri(&task.source())
        .source_conditions(task.source_conditions())
        .conditions(task.destination_conditions())
        .client_request_id(task.client_request_id());
    if settings.tags && !item.tags.is_empty() {
        start = start.tags(item.tags.clone());
    }
    if let Some(tier) = kept::tier(item).filter(|_| settings.tier) {
        start = start.tier(tier);
    }
    match start.await {
        Ok(copy) => Ok((copy, false)),
        // Another run may have started it meanwhile.
        Err(error) if error.code() == Some(&ErrorCode::PendingCopyOperation) => {
            Err(NotCarried { why: Why::DestinationChanged, ..NotCarried::from(error) })
        }
        Err(error) => Err(of_start(error)),
    }
}

/// Without a SAS the service answers for a missing source as for any blob: 404 `BlobNotFound`.
fn of_start(error: Error) -> NotCarried {
    match error.code() {
        Some(ErrorCode::BlobNotFound) => {
            NotCarried { why: Why::SourceGone, ..NotCarried::from(error) }
        }
        _ => NotCarried::from(error),
    }
}

async fn end(task: &Task, mut copy: CopyFromUriOperation) -> Result<CompletedCopy, NotCarried> {
    let error = match copy.wait().await {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    let why = match &error {
        // A copy fails when its source changes or goes away; the texts that say so change too.
        Error::CopyFailed { .. } => match task.source().get_properties().await {
            Ok(source) if source.etag == task.item.properties.etag => Why::Failed,
            Ok(_) => Why::SourceChanged,
            Err(error) => return Err(NotCarried::at_source(error)),
        },
        Error::CopySuperseded { .. }
        | Error::CopyDestinationGone { .. }
        | Error::NoCopyProperties { .. } => Why::DestinationChanged,
        _ => Why::Failed,
    };
    Err(NotCarried { why, error: Some(Box::new(error)), left_behind: None })
}

/// # Conditions
impl Task {
    /// The source is still the one of the listing.
    pub(crate) fn source_conditions(&self) -> Conditions {
        match &self.item.properties.etag {
            Some(etag) => Conditions::new().if_match(etag.clone()),
            None => Conditions::new(),
        }
    }

    /// The destination is still as the listing has it, so that nobody's newer write is lost.
    pub(crate) fn destination_conditions(&self) -> Conditions {
        match &self.existing {
            None => Conditions::new().if_none_match(ETag::ANY),
            Some(existing) => match &existing.properties.etag {
                Some(etag) => Conditions::new().if_match(etag.clone()),
                None => Conditions::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_copy_that_ended_before_the_source_was_modified_has_not_read_it() {
        let modified = Some(datetime!(2026-01-01 12:00 UTC));
        assert!(has_read(modified, Some(datetime!(2026-01-01 12:00:01 UTC))));
        for end in [modified, Some(datetime!(2026-01-01 11:59 UTC)), None] {
            assert!(!has_read(modified, end), "{end:?}");
        }
        assert!(!has_read(None, modified));
    }
}
