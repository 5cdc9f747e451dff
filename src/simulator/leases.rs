//! Leases, as far as other operations look at them.

use super::{
    call::Call,
    error::{Code, Refusal},
};

/// Checks the lease id of a request. No blob has a lease, so any id is one too many.
pub(crate) fn check(call: &Call) -> Result<(), Refusal> {
    match call.header("x-ms-lease-id") {
        None => Ok(()),
        Some(_) => Err(Code::LeaseNotPresentWithBlobOperation.into()),
    }
}
