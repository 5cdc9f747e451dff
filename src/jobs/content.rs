//! Comparing the content of a blob with that of its copy.

use super::{
    Outcome, Overwrite, Receipt, Verdict,
    attempt::{self, Done, ended},
    moved,
    task::{Carried, Task},
    verify,
};
use crate::{BlobItem, ETag, Error, Result, transport::BoxFuture};

/// What a comparison found.
pub(crate) enum Compared {
    Identical(Option<Box<Receipt>>),
    /// The source was deleted meanwhile.
    SourceGone,
    /// Not shown to be identical: in words, or by the error of a request.
    NotIdentical {
        message: Option<String>,
        error: Option<Error>,
    },
}

/// Compares a blob with its copy, which has this ETag, inside the service.
pub(crate) async fn compare(task: &Task, destination_etag: Option<&ETag>) -> Compared {
    match verdict(task, destination_etag).await {
        Ok(Verdict::Identical(found)) => {
            let receipt = Receipt::of_identical(&task.source(), &task.destination(), &found).ok();
            Compared::Identical(receipt.map(Box::new))
        }
        Ok(Verdict::SourceGone) => Compared::SourceGone,
        Ok(verdict) => Compared::NotIdentical { message: Some(verdict.to_string()), error: None },
        Err(error) => Compared::NotIdentical { message: None, error: Some(error) },
    }
}

/// The verdict on a blob and its copy.
pub(crate) async fn verdict(task: &Task, destination_etag: Option<&ETag>) -> Result<Verdict> {
    let mut verify = verify(&task.source(), &task.destination());
    if let Some(etag) = &task.item.properties.etag {
        verify = verify.source_etag(etag.clone());
    }
    if let Some(etag) = destination_etag {
        verify = verify.destination_etag(etag.clone());
    }
    if let Some(container) = &task.shared.settings.scratch {
        verify = verify.scratch(container);
    }
    Ok(verify.await?.verdict)
}

/// Whether a receipt of an earlier run still holds for the blob and its copy.
pub(crate) fn has_receipt(task: &Task) -> bool {
    let receipts = &task.shared.settings.receipts;
    let etags = (task.item.properties.etag.as_ref(), etag_of_copy(task));
    let (Some(from), Some(to)) = etags else { return false };
    !receipts.is_empty()
        && receipts.holding((&task.source(), from), (&task.destination(), to)).is_some()
}

fn etag_of_copy(task: &Task) -> Option<&ETag> {
    task.existing.as_ref()?.properties.etag.as_ref()
}

/// As [`compared`]; boxed, because a comparison can end in a copy and a copy in a comparison.
pub(crate) fn compared_boxed(task: Task) -> BoxFuture<'static, Done> {
    Box::pin(compared(task))
}

/// Compares a blob with the blob at the destination that seems to be the same; copies it if it is
/// not, and deletes the source of a move if it is.
pub(crate) async fn compared(task: Task) -> Done {
    let settings = &task.shared.settings;
    if !settings.moves && has_receipt(&task) {
        return ended(&task, Outcome::Same, None, None);
    }
    let destination_etag = etag_of_copy(&task).cloned();
    let found = match Box::pin(verdict(&task, destination_etag.as_ref())).await {
        Ok(Verdict::Identical(found)) => found,
        Ok(Verdict::Different(_)) if !may_overwrite(&task) => {
            return ended(&task, Outcome::Kept, None, None);
        }
        // The copy is pinned to the states that were listed, and finds out what has changed.
        Ok(
            Verdict::Different(_)
            | Verdict::Changed(_)
            | Verdict::SourceGone
            | Verdict::DestinationGone,
        ) => return attempt::copy(task).await,
        Ok(verdict) => {
            let mut done = ended(&task, Outcome::Failed, None, None);
            if let Some(failure) = &mut done.failure {
                failure.message = verdict.to_string();
            }
            return done;
        }
        Err(error) => return ended(&task, Outcome::Failed, Some(&error), None),
    };
    let receipt = Receipt::of_identical(&task.source(), &task.destination(), &found);
    let (mut outcome, mut error) = (Outcome::Same, None);
    if settings.moves {
        let carried = Carried {
            source_etag: Some(found.source_etag),
            destination_etag: Some(found.destination_etag),
            length: found.length,
            data: found.length,
            bytes: 0,
            copy_id: None,
            pieces: Vec::new(),
            is_adopted: true,
            is_found: false,
            changed_metadata: Vec::new(),
            left_behind: None,
        };
        (outcome, error) = match moved::delete_source(&task, &carried).await {
            Ok(outcome) => (outcome, None),
            Err(error) => (Outcome::Failed, Some(error)),
        };
    }
    let mut done = ended(&task, outcome, error.as_ref(), None);
    done.finished.receipt = receipt.ok().map(Box::new);
    done
}

/// Whether the job overwrites a blob that seemed to be the same and has other content.
fn may_overwrite(task: &Task) -> bool {
    let date = |item: &BlobItem| item.properties.last_modified;
    match task.shared.settings.overwrite {
        Overwrite::Never => false,
        Overwrite::IfNewer => {
            task.existing.as_deref().is_none_or(|existing| date(&task.item) > date(existing))
        }
        Overwrite::IfDifferent | Overwrite::Always => true,
    }
}
