//! Checks shared by all writes to a blob.

use crate::{
    auth::Principal,
    model::{account::Accounts, blob::Blob, conditions::Conditions, leases},
    wire::{
        call::Call,
        error::{Code, Refusal},
        route::BlobAddress,
    },
};

/// The base blob that a write changes in place, once its conditions and its lease are checked and
/// nothing else prevents the write.
pub(super) fn blob<'a>(
    accounts: &'a mut Accounts,
    call: &Call,
    at: &BlobAddress,
) -> Result<&'a mut Blob, Refusal> {
    call.not_a_snapshot()?;
    let blob = accounts.blob_mut(at)?;
    Conditions::of(call)?.check_write(Some((&*blob).into()))?;
    leases::check_write(blob.lease.as_ref(), call)?;
    blob.writable(call.now)?;
    Ok(blob)
}

/// Checks that a blob of the type `kind` may replace `existing`.
pub(super) fn check_replacement(
    existing: Option<&Blob>,
    call: &Call,
    conditions: &Conditions<'_>,
    kind: &str,
    principal: Principal,
) -> Result<(), Refusal> {
    let lease = existing.and_then(|blob| blob.lease.as_ref());
    conditions.check_creation(existing.map(Into::into), leases::is_held(lease, call))?;
    if existing.is_some() || call.since("2013-08-15") {
        leases::check_write(lease, call)?;
    }
    let Some(blob) = existing else { return Ok(()) };
    blob.writable(call.now)?;
    if blob.current.content.kind() != kind {
        return Err(Code::InvalidBlobType.into());
    }
    if principal == (Principal::Sas { overwrite: false }) {
        return Err(Code::UnauthorizedBlobOverwrite.into());
    }
    Ok(())
}
