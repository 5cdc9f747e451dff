//! Copy sources on another server, whether a simulator or not.
//!
//! The step itself does no I/O. The transport or listener reads first: [`watched`] lists pending
//! copies whose source must be checked again, and [`wanted`] the source that this request needs.
//! The results go into the state, or into the step together with the request.

use bytes::Bytes;
use http::{Request, header::USER_AGENT};
use time::OffsetDateTime;

use super::{catch_up, read, service::Service};
use crate::{
    auth,
    model::{
        copies::job::CopyJob,
        elsewhere::{Access, Limit},
        pages::Pages,
        state::State,
    },
    ops,
    wire::{
        call::{AskedRange, Call},
        op::Op,
        route::BlobAddress,
    },
};

/// The user agent of the simulator when it reads a source.
pub(crate) const READER: &str = "blobcopy-simulator";

/// The headers for the source that a request may carry, and the names under which they are sent to
/// it.
const FOR_SOURCE: [(&str, &str); 4] = [
    ("x-ms-copy-source-authorization", "authorization"),
    ("x-ms-source-encryption-key", "x-ms-encryption-key"),
    ("x-ms-source-encryption-key-sha256", "x-ms-encryption-key-sha256"),
    ("x-ms-source-encryption-algorithm", "x-ms-encryption-algorithm"),
];

/// What to fetch before the step.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The operation and version, which determine how a refusal reports the source.
    pub(crate) op: Op,
    pub(crate) version: String,
    pub(crate) access: Access,
    pub(crate) part: Part,
    pub(crate) limit: Limit,
    /// Whether its tags are needed too.
    pub(crate) tags: bool,
    /// The position of this write of pages among all writes here.
    pub(crate) stamp: u64,
}

/// How much of a source to read.
#[derive(Debug)]
pub(crate) enum Part {
    /// All of it, and for a block blob perhaps its block list.
    Whole { blocks: bool },
    /// The range in `x-ms-source-range`.
    Range(AskedRange),
    /// A snapshot for an incremental copy: the changes since the snapshot that was copied last.
    Snapshot { last: Option<(String, Pages)> },
}

/// A pending copy, and its source to check.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) into: BlobAddress,
    pub(crate) access: Access,
    /// The ETag of the source when the copy started.
    pub(crate) etag: String,
    /// When the request arrived that causes the check.
    now: OffsetDateTime,
}

/// Whether other servers must be read before the step; for nearly all requests they need not.
pub(crate) fn leads_outside(service: &Service, request: &Request<Bytes>) -> bool {
    request.headers().contains_key(ops::COPY_SOURCE) || service.state.copies.leads_elsewhere()
}

/// The copies whose source must be checked again: the one into the requested blob, and those that
/// would have ended by now.
pub(crate) fn watched(
    service: &Service,
    request: &Request<Bytes>,
    now: OffsetDateTime,
) -> Vec<Watched> {
    // Otherwise two simulators that copy from each other would check back and forth endlessly.
    if request.headers().get(USER_AGENT).is_some_and(|reader| reader == READER) {
        return Vec::new();
    }
    let now = service.faults.skewed(now);
    let state = &service.state;
    let call = read(state, request.clone(), now).ok();
    let asked = call.and_then(|call| call.blob_address().ok());
    let ends_by_now = |job: &CopyJob| !job.stands() && job.run + (now - job.seen) >= job.needed;
    let due = state.copies.due_elsewhere(now).filter(|into| asked.as_ref() != Some(*into));
    let due = due.filter_map(|into| watch(state, into, now, ends_by_now));
    asked.iter().filter_map(|into| watch(state, into, now, |_| true)).chain(due).collect()
}

/// The pending copy into this blob, if its source is known to be on another server.
fn watch(
    state: &State,
    into: &BlobAddress,
    now: OffsetDateTime,
    which: impl Fn(&CopyJob) -> bool,
) -> Option<Watched> {
    let job = state.accounts.blob(into).ok()?.job.as_deref()?;
    let access = job.source.access.clone().filter(|_| !job.source.lost && which(job))?;
    Some(Watched { into: into.clone(), access, etag: job.source.etag.clone(), now })
}

/// Records whether the source is unchanged since the copy started.
pub(crate) fn note(state: &mut State, watched: &Watched, unchanged: bool) {
    if let Ok(blob) = state.accounts.blob_mut(&watched.into)
        && let Some(job) = blob.job.as_mut().filter(|job| job.source.etag == watched.etag)
    {
        match unchanged {
            true => job.source.verified = Some(watched.now),
            false => job.source.lost = true,
        }
    }
}

/// What to fetch for this request.
pub(crate) fn wanted(
    service: &mut Service,
    request: &Request<Bytes>,
    now: OffsetDateTime,
) -> Option<Wanted> {
    if !request.headers().contains_key(ops::COPY_SOURCE) {
        return None;
    }
    let now = service.faults.skewed(now);
    catch_up(service, now);
    let state = &mut service.state;
    // The step reports any error.
    let call: Call = read(state, request.clone(), now).ok()?;
    if call.unread.is_some() {
        return None;
    }
    auth::authorize(&call, state).ok()?;
    let (url, at) = ops::source_elsewhere(&call).filter(|_| !ops::refuses_a_header(&call))?;
    let part = match call.op {
        Op::NotModelled => return None,
        Op::IncrementalCopy => Part::Snapshot { last: copied_last(state, &call, &at) },
        Op::PutBlockFromUrl | Op::PutPageFromUrl | Op::AppendBlockFromUrl => {
            call.source_range().ok().flatten().map_or(Part::Whole { blocks: false }, Part::Range)
        }
        Op::CopyBlob | Op::CopyBlobFromUrl => Part::Whole { blocks: true },
        _ => Part::Whole { blocks: false },
    };
    // Operations that allow no such source have refused it already.
    let given = FOR_SOURCE.into_iter();
    let given = given.filter_map(|(ours, theirs)| Some((theirs, call.header(ours)?.to_owned())));
    let headers = given.chain([("x-ms-version", call.version().to_owned())]).collect();
    let access = Access { url, headers };
    let tags = copies_tags(&call) || call.header("x-ms-source-if-tags").is_some();
    let (limit, stamp) = (ops::source_limit(&call), state.stamps.next());
    let (op, version) = (call.op, call.version().to_owned());
    Some(Wanted { op, version, access, part, limit, tags, stamp })
}

/// Whether a synchronous copy takes over its source's tags.
fn copies_tags(call: &Call) -> bool {
    matches!(call.op, Op::CopyBlobFromUrl | Op::PutBlobFromUrl)
        && call.header("x-ms-copy-source-tag-option") == Some("COPY")
}

/// The snapshot that the destination last copied from this same source.
fn copied_last(state: &State, call: &Call, source: &BlobAddress) -> Option<(String, Pages)> {
    let blob = state.accounts.blob(&call.blob_address().ok()?).ok()?;
    let origin = blob.incremental.as_ref().filter(|origin| origin.source == *source)?;
    origin.last.clone()
}
