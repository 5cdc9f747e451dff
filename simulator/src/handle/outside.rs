//! Sources of copies that another server holds, be it a simulator or not.
//!
//! The step itself reaches nothing outside. A door asks first: [`watched`] tells which copies that
//! are under way need another look at their source, and [`wanted`] which source this request brings
//! in. What the door finds goes into the state, or with the request into the step.

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

/// How a simulator calls itself where it reads a source.
pub(crate) const READER: &str = "blobcopy-simulator";

/// What a request may give for its source, and under which name it goes there.
const FOR_SOURCE: [(&str, &str); 4] = [
    ("x-ms-copy-source-authorization", "authorization"),
    ("x-ms-source-encryption-key", "x-ms-encryption-key"),
    ("x-ms-source-encryption-key-sha256", "x-ms-encryption-key-sha256"),
    ("x-ms-source-encryption-algorithm", "x-ms-encryption-algorithm"),
];

/// What a door must fetch before it can step.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// For which operation, and in which version: a refusal tells of the source as they do.
    pub(crate) op: Op,
    pub(crate) version: String,
    pub(crate) access: Access,
    pub(crate) part: Part,
    pub(crate) limit: Limit,
    /// Whether its tags are wanted too.
    pub(crate) tags: bool,
    /// When the pages that come in were written, among all writes here.
    pub(crate) stamp: u64,
}

/// How much of a source is wanted.
#[derive(Debug)]
pub(crate) enum Part {
    /// All, and of a block blob perhaps the list of its blocks.
    Whole { blocks: bool },
    /// As `x-ms-source-range` has it.
    Range(AskedRange),
    /// A snapshot for an incremental copy: what changed since the one that was copied last.
    Snapshot { last: Option<(String, Pages)> },
}

/// A copy under way, and the source to look at.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) into: BlobAddress,
    pub(crate) access: Access,
    /// The ETag that the source had when the copy began.
    pub(crate) etag: String,
    /// When the request came that is a reason to look.
    now: OffsetDateTime,
}

/// Whether a door must look outside before it steps, which it need not for nearly all requests.
pub(crate) fn leads_outside(service: &Service, request: &Request<Bytes>) -> bool {
    request.headers().contains_key(ops::COPY_SOURCE) || service.state.copies.leads_elsewhere()
}

/// The copies whose source must be looked at again: the one into the blob that is asked for, and
/// those that would be over by now.
pub(crate) fn watched(
    service: &Service,
    request: &Request<Bytes>,
    now: OffsetDateTime,
) -> Vec<Watched> {
    // Two simulators that copy from each other would look back and forth for ever.
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

/// The copy into the blob there, if another server holds its source, as far as is known.
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

/// Notes whether the source is still what it was when the copy began.
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

/// What must be fetched for this request.
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
    // Whatever is wrong with it, the step will say.
    let call: Call = read(state, request.clone(), now).ok()?;
    if call.unread.is_some() {
        return None;
    }
    auth::authorize(&call, &state.accounts, &state.settings).ok()?;
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
    // Where an operation takes nothing of the kind, it has been refused.
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

/// The snapshot that the destination last had from this very source.
fn copied_last(state: &State, call: &Call, source: &BlobAddress) -> Option<(String, Pages)> {
    let blob = state.accounts.blob(&call.blob_address().ok()?).ok()?;
    let origin = blob.incremental.as_ref().filter(|origin| origin.source == *source)?;
    origin.last.clone()
}
