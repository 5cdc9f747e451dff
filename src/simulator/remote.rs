//! Sources of copies that another server holds, be it a simulator or not.
//!
//! The step itself reaches nothing outside. A door asks [`wanted`] first, fetches what it says, and
//! hands that in with the request.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use time::OffsetDateTime;

use super::{auth, blob::Revision, call::Call, error::Refusal, handle, op::Op, ops, state::State};

/// What a door must fetch before it can step.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) url: String,
    /// The bearer token for the source, if the request gives one.
    pub(crate) authorization: Option<String>,
    pub(crate) version: String,
}

/// What was fetched, attached to the request: the source, or why there is none.
#[derive(Debug, Clone)]
pub(crate) struct Fetched(pub(crate) Arc<Result<Revision, Refusal>>);

/// What must be fetched for this request, which is nothing for nearly all.
pub(crate) fn wanted(
    state: &State,
    request: &Request<Bytes>,
    now: OffsetDateTime,
) -> Option<Wanted> {
    if !request.headers().contains_key(ops::COPY_SOURCE) {
        return None;
    }
    // Whatever is wrong with it, the step will say.
    let call: Call = handle::read(state, request.clone(), state.faults.skewed(now)).ok()?;
    if matches!(call.op, Op::IncrementalCopy | Op::NotModelled) {
        return None;
    }
    auth::authorize(&call, &state.accounts, &state.settings).ok()?;
    let url = ops::source_elsewhere(&call)?;
    let authorization = call.header("x-ms-copy-source-authorization").map(str::to_owned);
    Some(Wanted { url, authorization, version: call.version().to_owned() })
}
