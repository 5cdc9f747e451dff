//! The second half of a move: the source is deleted, if its copy is proved.

use super::{
    Outcome, Route,
    attempt::is_not_there,
    task::{Carried, Task},
};
use crate::{Conditions, CopyStatus, Error, ErrorCode, Result};

/// Deletes the source of a copy that is proved, if both blobs are still as they were then.
pub(crate) async fn delete_source(task: &Task, carried: &Carried) -> Result<Outcome> {
    let source_etag = task.item.properties.etag.as_ref();
    let copy = match task.destination().get_properties().await {
        Ok(copy) => copy,
        // Somebody deleted the copy: the source is all that is left.
        Err(error) if is_not_there(&error) => return Ok(Outcome::SourceKept),
        Err(error) => return Err(error),
    };
    let is_the_copy = carried.destination_etag.is_some() && copy.etag == carried.destination_etag;
    let has_succeeded = match &carried.copy_id {
        None => true,
        Some(id) => copy
            .copy
            .as_ref()
            .is_some_and(|copy| copy.copy_id == *id && copy.status == CopyStatus::Success),
    };
    // One ETag at both: one blob under two names.
    let is_one_blob = source_etag.is_none() || copy.etag.as_ref() == source_etag;
    let has_length = copy.content_length == carried.length;
    let Some(etag) = source_etag.filter(|_| !is_one_blob) else { return Ok(Outcome::SourceKept) };
    if !is_the_copy || !has_succeeded || !has_length {
        return Ok(Outcome::SourceKept);
    }
    match task.source().delete().conditions(Conditions::new().if_match(etag.clone())).await {
        Ok(()) => Ok(Outcome::Moved),
        Err(error) if is_not_there(&error) => Ok(Outcome::Moved),
        Err(error) if is_kept(&error) => Ok(Outcome::SourceKept),
        Err(error) => Err(error),
    }
}

/// Whether the source has snapshots, or was modified after its copy.
fn is_kept(error: &Error) -> bool {
    use ErrorCode::{ConditionNotMet, SnapshotsPresent, TargetConditionNotMet};
    matches!(error.code(), Some(SnapshotsPresent | ConditionNotMet | TargetConditionNotMet))
}

/// Whether a copy by itself proves that it has the source's content.
pub(crate) fn is_proved(route: Route, carried: &Carried) -> bool {
    // Of a copy that another run may have started, nobody knows which state of the source it read.
    let is_ours = !carried.is_adopted && !carried.is_found;
    let by_service = route == Route::ServiceCopy && is_ours;
    by_service || carried.adds_up() && (carried.length > 0 || !carried.is_adopted)
}
