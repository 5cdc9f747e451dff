//! Delete Blob: a base blob, its snapshots, or both.

use http::StatusCode;

use crate::simulator::{
    answer::Answer,
    call::Call,
    conditions::{Conditions, Seen},
    error::{Code, Refusal},
    leases,
    state::State,
};

const DELETE_SNAPSHOTS: &str = "x-ms-delete-snapshots";

/// [Delete Blob](https://learn.microsoft.com/rest/api/storageservices/delete-blob).
pub(super) fn delete(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let at = call.blob_address()?;
    let blob = state.accounts.blob(&at)?;
    let revision = state.accounts.revision(&at, call.snapshot())?;
    let (etag, last_modified) = (revision.etag.as_str(), revision.last_modified);
    Conditions::of(call)?.check_write(Some(Seen { etag, last_modified, tags: &blob.tags }))?;
    leases::check(call)?;

    let with_snapshots = call.header(DELETE_SNAPSHOTS);
    match (call.snapshot(), with_snapshots) {
        (Some(_), Some(value)) => return Err(Refusal::bad_header(DELETE_SNAPSHOTS, value)),
        (Some(snapshot), None) => {
            state.accounts.blob_mut(&at)?.snapshots.remove(snapshot);
        }
        (None, Some("only")) => state.accounts.blob_mut(&at)?.snapshots.clear(),
        (None, _) if blob.job.is_some() => return Err(Code::PendingCopyOperation.into()),
        (None, None) if !blob.snapshots.is_empty() => return Err(Code::SnapshotsPresent.into()),
        (None, None | Some("include")) => {
            state.accounts.container_mut(&at.account, &at.container)?.blobs.remove(&at.blob);
        }
        (None, Some(value)) => return Err(Refusal::bad_header(DELETE_SNAPSHOTS, value)),
    }
    Ok(Answer::new(StatusCode::ACCEPTED).header("x-ms-delete-type-permanent", "true"))
}
