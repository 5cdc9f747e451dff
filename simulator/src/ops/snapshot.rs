//! Snapshot Blob.

use http::StatusCode;

use crate::{
    model::{
        conditions::Conditions,
        encryption::{self, Encryption},
        leases, metadata,
        state::State,
    },
    wire::{answer::Answer, call::Call, error::Refusal},
};

/// [Snapshot Blob](https://learn.microsoft.com/rest/api/storageservices/snapshot-blob).
pub(super) fn take(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    call.not_a_snapshot()?;
    let at = call.blob_address()?;
    let own_metadata = metadata::metadata(call)?;
    let blob = state.accounts.blob_mut(&at)?;
    Conditions::of(call)?.check_write(Some((&*blob).into()))?;
    leases::check_read(blob.lease.as_ref(), call)?;
    blob.writable(call.now)?;
    encryption::check(blob.current.encryption.as_ref(), encryption::asked(call)?.as_ref())?;

    let mut snapshot = blob.current.clone();
    if !own_metadata.is_empty() {
        snapshot.metadata = own_metadata;
        snapshot.etag = state.stamps.etag();
    }
    let id = state.stamps.snapshot(call.now);
    // No content is written, so none is encrypted; real accounts say so too.
    let answer = Answer::about(StatusCode::CREATED, &snapshot)
        .header("x-ms-snapshot", &id)
        .header("x-ms-request-server-encrypted", "false");
    let answer = match &snapshot.encryption {
        // A customer-provided key is not reported here, as recorded.
        Some(Encryption::Key(_)) => answer,
        other => answer.encrypted_with(other.as_ref()),
    };
    blob.snapshots.insert(id, snapshot);
    Ok(answer)
}
