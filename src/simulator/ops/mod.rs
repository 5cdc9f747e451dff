//! The operations, by family.

mod container;
mod copy;
mod copy_source;
mod delegation_key;
mod delete;
mod incremental;
mod pages;
mod put_blob;
mod read;
mod snapshot;

use super::{
    answer::Answer,
    auth::Principal,
    call::Call,
    error::{Code, Refusal},
    op::Op,
    state::State,
};

pub(crate) use self::copy_source::{COPY_SOURCE, source_elsewhere};

/// Applies the operation that `call` asks for, by the right of `principal`.
pub(crate) fn dispatch(
    state: &mut State,
    call: &Call,
    principal: Principal,
) -> Result<Answer, Refusal> {
    match call.op {
        Op::CreateContainer => container::create(state, call),
        Op::DeleteContainer => container::delete(state, call),
        Op::GetContainerProperties => container::properties(state, call),
        Op::PutBlob => put_blob::put(state, call, principal),
        Op::GetBlob => read::get(state, call),
        Op::GetBlobProperties => read::properties(state, call),
        Op::DeleteBlob => delete::delete(state, call),
        Op::SnapshotBlob => snapshot::take(state, call),
        Op::PutPage => pages::put(state, call),
        Op::GetPageRanges => pages::ranges(state, call),
        Op::CopyBlob => copy::start(state, call, principal),
        Op::IncrementalCopy => incremental::start(state, call),
        Op::AbortCopy => copy::abort(state, call),
        Op::GetUserDelegationKey => delegation_key::get(state, call, principal),
        Op::NotModelled => {
            let query: Vec<_> =
                call.query.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let asked = format!("{} {}?{}", call.method, call.path, query.join("&"));
            Err(Refusal::from(Code::NotImplemented).detail("Reason", asked))
        }
    }
}
