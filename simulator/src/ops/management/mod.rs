//! A small stand-in for Azure Resource Manager: the snapshots of managed disks, and the access to
//! them. From its public reference only; nothing of it was tried on the service.

mod access;
mod list;

use http::StatusCode;

use crate::{
    model::{disks, state::State},
    wire::{
        answer::Answer,
        call::Call,
        error::{Code, Refusal},
        op::Op,
    },
};

/// Answers a request to Resource Manager.
pub(super) fn answer(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let version = call.query.get("api-version").unwrap_or("");
    if version.is_empty() {
        let message =
            "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(bad("MissingApiVersionParameter", message));
    }
    let subscription = &call.route.account;
    if call.op != Op::ManagementNotModelled && subscription != disks::SUBSCRIPTION {
        let message = format!("The subscription '{subscription}' could not be found.");
        return Err(missing("SubscriptionNotFound", &message));
    }
    match call.op {
        Op::ListDiskSnapshots => list::snapshots(state, call, version),
        Op::GetDiskSnapshot => list::snapshot(state, call),
        Op::GrantSnapshotAccess => access::grant(state, call, version),
        Op::RevokeSnapshotAccess => access::revoke(state, call, version),
        Op::GetDiskOperation => access::operation(state, call, version),
        _ => Err(Refusal::management(
            StatusCode::NOT_IMPLEMENTED,
            Code::NotImplemented.as_str(),
            "The simulator does not model this operation of Azure Resource Manager.",
        )),
    }
}

fn bad(code: &str, message: &str) -> Refusal {
    Refusal::management(StatusCode::BAD_REQUEST, code, message)
}

fn missing(code: &str, message: &str) -> Refusal {
    Refusal::management(StatusCode::NOT_FOUND, code, message)
}

fn no_such_snapshot(call: &Call) -> Refusal {
    let name = call.route.blob.as_deref().unwrap_or("");
    let group = call.route.container.as_deref().unwrap_or("");
    let message = format!(
        "The Resource 'Microsoft.Compute/snapshots/{name}' under resource group '{group}' was not \
         found."
    );
    missing("ResourceNotFound", &message)
}

/// The address that the request used, as its answers use it too.
fn endpoint(call: &Call) -> String {
    let scheme = if call.peer.https { "https" } else { "http" };
    let host = call.authority.as_ref().map_or("management.azure.com", |it| it.as_str());
    format!("{scheme}://{host}")
}
