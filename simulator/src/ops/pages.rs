//! Pages: write, clear, and list the written or changed ones.

use std::ops::Range;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::StatusCode;

use super::checksums::{self, Checked};
use super::{disk_changes, write};
use crate::{
    model::{
        conditions::Conditions,
        content::Content,
        encryption, leases,
        pages::{PageRun, Pages},
        revision::Revision,
        state::State,
    },
    wire::{
        answer::Answer,
        call::Call,
        error::{Code, Refusal},
        route::BlobAddress,
        xml::Xml,
    },
};

/// The snapshot to compare with, of a managed disk.
pub(super) const PREVIOUS_URL: &str = "x-ms-previous-snapshot-url";

/// The most bytes that one Put Page may write.
pub(super) const MOST_BYTES: u64 = 4 << 20;
const MOST_RANGES: usize = 10_000;

/// [Put Page](https://learn.microsoft.com/rest/api/storageservices/put-page), to write or to clear.
pub(super) fn put(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    const WRITE: &str = "x-ms-page-write";
    call.not_a_snapshot()?;
    let at = call.blob_address()?;
    let update = match call.required(WRITE)? {
        "update" => true,
        "clear" => false,
        other => return Err(Refusal::bad_header(WRITE, other)),
    };
    let range = call.range()?.ok_or_else(|| Refusal::missing_header("x-ms-range"))?;
    let (start, end) = range.pages()?;
    let end = end.ok_or(Code::InvalidPageRange)?;
    let expected = if update { end - start } else { 0 };
    if expected > MOST_BYTES || call.body.len() as u64 > MOST_BYTES {
        return Err(Code::RequestBodyTooLarge.into());
    }
    if call.body.len() as u64 != expected {
        return Err(Refusal::bad_header("content-length", &call.body.len().to_string()));
    }
    let checked = checksums::check_body(call)?;
    write_pages(state, call, &at, start..end, update.then_some(&call.body), &checked)
}

/// Writes `bytes` to the pages of `range`, or clears them.
pub(super) fn write_pages(
    state: &mut State,
    call: &Call,
    at: &BlobAddress,
    range: Range<u64>,
    bytes: Option<&Bytes>,
    checked: &Checked,
) -> Result<Answer, Refusal> {
    let blob = write::blob(&mut state.accounts, call, at)?;
    check_sequence_number(call, &blob.current)?;
    encryption::check(blob.current.encryption.as_ref(), encryption::asked(call)?.as_ref())?;
    let Content::Page { length, pages } = &mut blob.current.content else {
        return Err(Code::InvalidBlobType.into());
    };
    if range.end > *length {
        return Err(Code::InvalidPageRange.into());
    }
    match bytes {
        Some(bytes) => pages.write(range.start, bytes, state.stamps.next()),
        None => pages.clear(range, state.stamps.next()),
    }
    blob.touch(&mut state.stamps, call.now);
    let sequence_number = blob.current.sequence_number.to_string();
    let answer = Answer::about(StatusCode::CREATED, &blob.current)
        .header("x-ms-blob-sequence-number", &sequence_number);
    let Some(bytes) = bytes else { return Ok(answer) };
    let mut answer = answer.written_with(blob.current.encryption.as_ref());
    checked.tell(call, bytes, &mut answer);
    Ok(answer)
}

fn check_sequence_number(call: &Call, revision: &Revision) -> Result<(), Refusal> {
    let now = revision.sequence_number;
    let limit = |name| call.number(name);
    let met = limit("x-ms-if-sequence-number-le")?.is_none_or(|limit| now <= limit)
        && limit("x-ms-if-sequence-number-lt")?.is_none_or(|limit| now < limit)
        && limit("x-ms-if-sequence-number-eq")?.is_none_or(|limit| now == limit);
    if met { Ok(()) } else { Err(Code::SequenceNumberConditionNotMet.into()) }
}

/// [Get Page Ranges](https://learn.microsoft.com/rest/api/storageservices/get-page-ranges): the
/// written ranges, or with `prevsnapshot` those that changed since.
pub(super) fn ranges(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let at = call.blob_address()?;
    let blob = state.accounts.blob(&at)?;
    let revision = blob.revision(call.snapshot())?;
    Conditions::of(call)?.check_read(revision.into())?;
    leases::check_read(blob.lease.as_ref(), call)?;
    if blob.incremental.is_some() && call.snapshot().is_none() {
        return Err(Code::OperationNotAllowedOnIncrementalCopyBlob.into());
    }
    let (length, pages) = page_content(revision)?;
    let within = match call.range()? {
        None => 0..length,
        Some(range) => {
            let (start, end) = range.pages()?;
            let end = end.unwrap_or(length).min(length);
            if start >= end {
                return Err(Code::InvalidRange.into());
            }
            start..end
        }
    };
    let runs = match (call.header(PREVIOUS_URL), call.query.get("prevsnapshot")) {
        (Some(url), _) => {
            let previous = disk_changes::previous(state, call, url)?;
            pages.changes_since(page_content(previous)?.1, within)
        }
        (None, None) => pages.ranges(within),
        (None, Some(earlier)) => {
            let previous = blob.snapshots.get(earlier).ok_or(Code::PreviousSnapshotNotFound)?;
            if call.snapshot().is_some_and(|snapshot| snapshot < earlier) {
                return Err(Code::PreviousSnapshotCannotBeNewer.into());
            }
            if previous.generation != revision.generation {
                return Err(Code::BlobOverwritten.into());
            }
            pages.changes_since(page_content(previous)?.1, within)
        }
    };
    let (shown, next) = page_of(call, runs)?;
    Ok(Answer::about(StatusCode::OK, revision)
        .header("x-ms-blob-content-length", &length.to_string())
        .xml(page_list(&shown, next)))
}

fn page_content(revision: &Revision) -> Result<(u64, &Pages), Refusal> {
    match &revision.content {
        Content::Page { length, pages } => Ok((*length, pages)),
        _ => Err(Code::InvalidBlobType.into()),
    }
}

/// The requested part of a long list, and where the next one begins.
fn page_of(call: &Call, runs: Vec<PageRun>) -> Result<(Vec<PageRun>, Option<u64>), Refusal> {
    let number = |name: &str| -> Result<Option<u64>, Refusal> {
        let Some(text) = call.query.get(name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let wrong = || Refusal::bad_query(name, text, "It must be a number");
        text.parse().map(Some).map_err(|_| wrong())
    };
    let most = match number("maxresults")? {
        Some(0) => return Err(Code::OutOfRangeQueryParameterValue.into()),
        Some(most) => usize::try_from(most).unwrap_or(MOST_RANGES).min(MOST_RANGES),
        None => MOST_RANGES,
    };
    let from = match call.query.get("marker").filter(|marker| !marker.is_empty()) {
        None => 0,
        Some(text) => read_marker(text)
            .ok_or_else(|| Refusal::bad_query("marker", text, "Not one of this list"))?,
    };
    let mut rest = runs.into_iter().skip_while(|run| run.start < from);
    let shown = rest.by_ref().take(most).collect();
    Ok((shown, rest.next().map(|run| run.start)))
}

/// Where the next part of a list begins, in a form that does not look like a number.
fn marker(start: u64) -> String {
    let text = STANDARD.encode(start.to_string());
    format!("2!{}!{text}", text.len())
}

fn read_marker(text: &str) -> Option<u64> {
    let encoded = text.strip_prefix("2!")?.split_once('!')?.1;
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?.parse().ok()
}

fn page_list(runs: &[PageRun], next: Option<u64>) -> Xml {
    let mut xml = Xml::new();
    xml.element("PageList", |xml| {
        for run in runs {
            xml.element(if run.cleared { "ClearRange" } else { "PageRange" }, |xml| {
                xml.text_element("Start", &run.start.to_string());
                xml.text_element("End", &(run.end - 1).to_string());
            });
        }
        if let Some(next) = next {
            xml.text_element("NextMarker", &marker(next));
        }
    });
    xml
}
