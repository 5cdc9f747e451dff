//! The operations, by family.

mod append;
mod blocks;
pub(crate) mod checksums;
mod container;
mod container_acl;
mod copy;
mod copy_source;
mod delegation_key;
mod delete;
mod disk_changes;
mod from_url;
mod headers;
mod incremental;
mod lease;
mod list;
mod list_containers;
mod list_page;
mod management;
mod pages;
mod put_blob;
mod read;
mod service;
mod set;
mod snapshot;
mod write;

use http::Method;

use crate::{
    auth::Principal,
    model::state::State,
    wire::{
        answer::Answer,
        call::Call,
        dates,
        error::{Code, Refusal},
        op::{NOT_MODELLED, Op},
    },
};

pub(crate) use self::{
    copy_source::{COPY_SOURCE, source_elsewhere, source_here},
    from_url::source_limit,
};

/// Applies the operation of `call` with the right of `principal`.
pub(crate) fn dispatch(
    state: &mut State,
    call: &Call,
    principal: Principal,
) -> Result<Answer, Refusal> {
    if !call.op.is_management() {
        headers::check(call)?;
        check_snapshot(call)?;
    }
    match call.op {
        Op::GetServiceProperties => service::properties(state, call),
        Op::SetServiceProperties => service::set_properties(state, call),
        Op::GetAccountInformation => Ok(service::account_information(state, call)),
        Op::ListContainers => list_containers::list(state, call),
        Op::CreateContainer => container::create(state, call),
        Op::DeleteContainer => container::delete(state, call),
        Op::GetContainerProperties | Op::GetContainerMetadata => container::properties(state, call),
        Op::SetContainerMetadata => container::set_metadata(state, call),
        Op::GetContainerAcl => container_acl::get(state, call),
        Op::SetContainerAcl => container_acl::set(state, call),
        Op::LeaseContainer => lease::container(state, call),
        Op::ListBlobs => list::blobs(state, call),
        Op::PutBlob => put_blob::put(state, call, principal),
        Op::PutBlobFromUrl => from_url::put_blob(state, call, principal),
        Op::GetBlob => read::get(state, call),
        Op::GetBlobProperties => read::properties(state, call),
        Op::GetBlobMetadata => read::metadata(state, call),
        Op::SetBlobMetadata => set::metadata(state, call),
        Op::SetBlobProperties => set::properties(state, call),
        Op::GetBlobTags => set::get_tags(state, call),
        Op::SetBlobTags => set::set_tags(state, call),
        Op::SetBlobTier => set::tier(state, call),
        Op::LeaseBlob => lease::blob(state, call),
        Op::DeleteBlob => delete::delete(state, call),
        Op::SnapshotBlob => snapshot::take(state, call),
        Op::PutBlock => blocks::put(state, call, principal),
        Op::PutBlockFromUrl => from_url::put_block(state, call, principal),
        Op::PutBlockList => blocks::put_list(state, call, principal),
        Op::GetBlockList => blocks::list(state, call),
        Op::AppendBlock => append::put(state, call),
        Op::AppendBlockFromUrl => from_url::append_block(state, call, principal),
        Op::SealAppendBlob => append::seal(state, call),
        Op::PutPage => pages::put(state, call),
        Op::PutPageFromUrl => from_url::put_page(state, call, principal),
        Op::GetPageRanges => pages::ranges(state, call),
        Op::CopyBlob => copy::start(state, call, principal),
        Op::CopyBlobFromUrl => from_url::copy(state, call, principal),
        Op::IncrementalCopy => incremental::start(state, call),
        Op::AbortCopy => copy::abort(state, call),
        Op::GetUserDelegationKey => delegation_key::get(state, call, principal),
        // The step itself splits a batch.
        Op::BlobBatch | Op::NotModelled => Err(Code::NotImplemented.into()),
        Op::ListDiskSnapshots
        | Op::GetDiskSnapshot
        | Op::GrantSnapshotAccess
        | Op::RevokeSnapshotAccess
        | Op::GetDiskOperation
        | Op::ManagementNotModelled => management::answer(state, call),
    }
}

/// A snapshot id is a time. Real accounts answer a HEAD with an invalid one without a code.
fn check_snapshot(call: &Call) -> Result<(), Refusal> {
    let Some(text) = call.snapshot().filter(|text| dates::parse_sas_time(text).is_none()) else {
        return Ok(());
    };
    let refusal = Refusal::bad_query("snapshot", text, "Not a time");
    Err(if call.method == Method::HEAD { refusal.uncoded().by_front() } else { refusal })
}

/// Whether the step will refuse a request for a header that its operation does not accept.
pub(crate) fn refuses_a_header(call: &Call) -> bool {
    headers::check(call).is_err()
}

/// Refuses features that the simulator does not model, by name, and any that the service lacks.
pub(crate) fn check_modelled(call: &Call) -> Result<(), Refusal> {
    let not_modelled =
        |name: &str| Err(Refusal::from(Code::NotImplemented).detail("Reason", name.to_owned()));
    if call.query.get("versionid").is_some() {
        return not_modelled("Blob versions");
    }
    if call.query.get("deletetype").is_some() {
        return not_modelled("Permanent delete (soft delete)");
    }
    if let Some(name) = headers::not_modelled(call) {
        return not_modelled(name);
    }
    // Directories, renames and access control lists have their own requests.
    let of_paths = ["action", "resource"].iter().any(|name| call.query.get(name).is_some());
    let renames = call.header("x-ms-rename-source").is_some();
    if of_paths || renames || call.method == Method::PATCH {
        return not_modelled("Paths (hierarchical namespace)");
    }
    if call.op != Op::NotModelled {
        return Ok(());
    }
    let (restype, comp) = (call.query.get("restype"), call.query.get("comp"));
    let same = |known: &str, given: Option<&str>| given.is_some_and(|given| given == known);
    if let Some((.., name)) = NOT_MODELLED
        .iter()
        .find(|(of, what, _)| (of.is_empty() || same(of, restype)) && same(what, comp))
    {
        return not_modelled(name);
    }
    if call.method == Method::POST {
        return Err(Code::UnsupportedHttpVerb.into());
    }
    match (restype, comp) {
        (_, Some(comp)) => {
            Err(Refusal::bad_query("comp", comp, "Not known, or not with this verb"))
        }
        (Some(restype), None) => Err(Refusal::bad_query("restype", restype, "Not known here")),
        (None, None) => Err(Code::UnsupportedHttpVerb.into()),
    }
}
