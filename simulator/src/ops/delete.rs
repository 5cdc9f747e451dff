//! Delete Blob: a base blob, its snapshots, or both.

use http::StatusCode;

use crate::{
    model::{conditions::Conditions, leases, revision::Revision, state::State},
    wire::{
        answer::Answer,
        call::Call,
        dates,
        error::{Code, Refusal},
        route::BlobAddress,
    },
};

const DELETE_SNAPSHOTS: &str = "x-ms-delete-snapshots";

/// [Delete Blob](https://learn.microsoft.com/rest/api/storageservices/delete-blob).
pub(super) fn delete(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let at = call.blob_address()?;
    if state.accounts.find(&at)?.is_none() && call.snapshot().is_none() {
        return delete_uncommitted(state, call, &at);
    }
    let blob = state.accounts.blob(&at)?;
    let revision = blob.revision(call.snapshot())?;
    Conditions::of(call)?.check_write(Some(revision.into()))?;
    check_tier_date(call, revision)?;
    let with_snapshots = call.header(DELETE_SNAPSHOTS);
    // The lease of a blob does not cover its snapshots.
    match call.snapshot().is_some() || with_snapshots == Some("only") {
        true => leases::check_read(blob.lease.as_ref(), call)?,
        false => leases::check_write(blob.lease.as_ref(), call)?,
    }
    match (call.snapshot(), with_snapshots) {
        (Some(_), Some(value)) => return Err(Refusal::bad_header(DELETE_SNAPSHOTS, value)),
        (Some(snapshot), None) => {
            state.accounts.blob_mut(&at)?.snapshots.remove(snapshot);
        }
        (None, Some("only")) => state.accounts.blob_mut(&at)?.snapshots.clear(),
        (None, _) if blob.job.is_some() => return Err(Code::PendingCopyOperation.into()),
        (None, None) if !blob.snapshots.is_empty() => return Err(Code::SnapshotsPresent.into()),
        (None, None | Some("include")) => {
            let container = state.accounts.container_mut(&at.account, &at.container)?;
            container.blobs.remove(&at.blob);
            container.staged.remove(&container.name(&at.blob));
        }
        (None, Some(value)) => return Err(Refusal::bad_header(DELETE_SNAPSHOTS, value)),
    }
    Ok(deleted())
}

/// A blob without committed blocks does not exist for reads, but its blocks can be deleted.
fn delete_uncommitted(state: &mut State, call: &Call, at: &BlobAddress) -> Result<Answer, Refusal> {
    let conditions = Conditions::of(call)?;
    let container = state.accounts.container_mut(&at.account, &at.container)?;
    let name = container.name(&at.blob);
    if !container.staged.get(&name).is_some_and(|staged| staged.is_alive(call.now)) {
        return Err(Code::BlobNotFound.into());
    }
    conditions.check_write(None)?;
    container.staged.remove(&name);
    Ok(deleted())
}

fn deleted() -> Answer {
    Answer::new(StatusCode::ACCEPTED).header("x-ms-delete-type-permanent", "true")
}

/// The conditions on when the tier was last changed; if never, on when the blob was created.
fn check_tier_date(call: &Call, revision: &Revision) -> Result<(), Refusal> {
    let date = |name: &str| {
        let Some(text) = call.header(name) else { return Ok(None) };
        let date = dates::parse_http_date(text).ok_or_else(|| Refusal::bad_header(name, text))?;
        Ok::<_, Refusal>(Some(date.unix_timestamp()))
    };
    let changed = revision.tier.as_ref().map_or(revision.created, |tier| tier.changed(call.now));
    let changed = changed.unix_timestamp();
    let met = date("x-ms-access-tier-if-modified-since")?.is_none_or(|date| changed > date)
        && date("x-ms-access-tier-if-unmodified-since")?.is_none_or(|date| changed <= date);
    if met { Ok(()) } else { Err(Code::ConditionNotMet.into()) }
}
