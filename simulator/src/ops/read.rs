//! Get Blob and Get Blob Properties.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use http::StatusCode;

use super::checksums;
use crate::{
    model::{
        blob::Blob, conditions::Conditions, content::Content, encryption, leases, metadata,
        revision::Revision, state::State, tiers,
    },
    wire::{
        answer::Answer,
        call::Call,
        dates,
        error::{Code, Refusal},
        payload::Payload,
    },
};

type Checksum = fn(&[u8]) -> String;

/// The checksums of a range, if it is not too long, and the headers that request them.
const CHECKSUMS: [(&str, &str, Checksum); 2] = [
    ("x-ms-range-get-content-md5", "content-md5", checksums::md5),
    ("x-ms-range-get-content-crc64", "x-ms-content-crc64", checksums::crc64),
];
const MOST_CHECKED: u64 = 4 << 20;

/// [Get Blob Properties](https://learn.microsoft.com/rest/api/storageservices/get-blob-properties).
pub(super) fn properties(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let (blob, revision) = addressed(state, call)?;
    let mut answer = describe(blob, revision, call)
        .header("content-length", &revision.content.length().to_string());
    describe_tier(&mut answer, revision, call);
    if revision.incremental {
        answer.set("x-ms-incremental-copy", "true");
        let copy = revision.copy.as_ref();
        if let Some(snapshot) = copy.and_then(|copy| copy.destination_snapshot.as_deref()) {
            answer.set("x-ms-copy-destination-snapshot", snapshot);
        }
    }
    Ok(answer)
}

/// [Get Blob Metadata](https://learn.microsoft.com/rest/api/storageservices/get-blob-metadata).
pub(super) fn metadata(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let (_, revision) = addressed(state, call)?;
    let mut answer = Answer::about(StatusCode::OK, revision);
    metadata::show_metadata(&revision.metadata, &mut answer.headers);
    Ok(answer)
}

/// [Get Blob](https://learn.microsoft.com/rest/api/storageservices/get-blob), whole or a range.
pub(super) fn get(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let (blob, revision) = addressed(state, call)?;
    if blob.incremental.is_some() && call.snapshot().is_none() {
        return Err(Code::OperationNotAllowedOnIncrementalCopyBlob.into());
    }
    revision.online(call.now)?;
    let length = revision.content.length();
    let mut answer = describe(blob, revision, call);
    // A header that is not a valid range is ignored.
    let asked = call.range().ok().flatten();
    let (start, end) = match asked {
        None => (0, length),
        Some(range) if range.start >= length => {
            let nothing = format!("bytes */{length}");
            return Err(Refusal::from(Code::InvalidRange).header("content-range", nothing));
        }
        Some(range) => {
            let end = range.last.map_or(length, |last| length.min(last + 1));
            answer.status = StatusCode::PARTIAL_CONTENT;
            answer.set("content-range", &format!("bytes {}-{}/{length}", range.start, end - 1));
            // The stored checksum covers the whole blob.
            if let Some(md5) = answer.headers.remove("content-md5") {
                answer.headers.insert("x-ms-blob-content-md5", md5);
            }
            (range.start, end)
        }
    };
    let body = slice(&revision.content, start, end);
    for (ask, header, checksum) in CHECKSUMS {
        if call.flag(ask)? == Some(true) {
            if asked.is_none() || end - start > MOST_CHECKED {
                return Err(Refusal::bad_header(ask, "true"));
            }
            let bytes: Vec<u8> = body.clone().flatten().collect();
            answer.set(header, &checksum(&bytes));
        }
    }
    Ok(answer.body(body))
}

/// The addressed base blob or snapshot, once its conditions are met.
fn addressed<'a>(state: &'a State, call: &Call) -> Result<(&'a Blob, &'a Revision), Refusal> {
    let at = call.blob_address()?;
    let blob = state.accounts.blob(&at)?;
    let revision = blob.revision(call.snapshot())?;
    Conditions::of(call)?.check_read(revision.into())?;
    leases::check_read(blob.lease.as_ref(), call)?;
    encryption::check(revision.encryption.as_ref(), encryption::asked(call)?.as_ref())?;
    Ok((blob, revision))
}

/// The headers that both operations return.
fn describe(blob: &Blob, revision: &Revision, call: &Call) -> Answer {
    let headers = &revision.headers;
    let mut answer = Answer::about(StatusCode::OK, revision)
        .header("accept-ranges", "bytes")
        .header("x-ms-blob-type", revision.content.kind())
        .header("x-ms-creation-time", &dates::http_date(revision.created))
        .header("x-ms-server-encrypted", "true")
        .encrypted_with(revision.encryption.as_ref())
        .maybe("content-type", headers.content_type.as_deref())
        .maybe("content-encoding", headers.encoding.as_deref())
        .maybe("content-language", headers.language.as_deref())
        .maybe("content-disposition", headers.disposition.as_deref())
        .maybe("cache-control", headers.cache_control.as_deref())
        .maybe("content-md5", headers.md5.as_deref());
    metadata::show_metadata(&revision.metadata, &mut answer.headers);
    if call.snapshot().is_none() {
        leases::describe(&mut answer, blob.lease.as_ref(), call.now);
    }
    if !revision.tags.is_empty() {
        answer.set("x-ms-tag-count", &revision.tags.len().to_string());
    }
    match &revision.content {
        Content::Page { .. } => {
            answer.set("x-ms-blob-sequence-number", &revision.sequence_number.to_string());
        }
        Content::Append(blocks) => {
            answer.set("x-ms-blob-committed-block-count", &blocks.len().to_string());
            if revision.sealed {
                answer.set("x-ms-blob-sealed", "true");
            }
        }
        Content::Block(_) => {}
    }
    describe_copy(&mut answer, revision);
    answer
}

fn describe_tier(answer: &mut Answer, revision: &Revision, call: &Call) {
    let Some(tier) = tiers::shown(&revision.content, revision.tier.as_ref(), call) else { return };
    answer.set("x-ms-access-tier", tier.name);
    if tier.inferred {
        answer.set("x-ms-access-tier-inferred", "true");
    }
    if let Some(changed) = tier.changed {
        answer.set("x-ms-access-tier-change-time", &dates::http_date(changed));
    }
    if let Some(way) = tier.under_way {
        answer.set("x-ms-archive-status", &way.archive_status());
        if tier.tells_priority {
            answer.set("x-ms-rehydrate-priority", way.priority());
        }
    }
}

fn describe_copy(answer: &mut Answer, revision: &Revision) {
    let Some(copy) = &revision.copy else { return };
    answer.set("x-ms-copy-id", &copy.id);
    answer.set("x-ms-copy-source", &copy.source);
    answer.set("x-ms-copy-status", copy.status.as_str());
    answer.set("x-ms-copy-progress", &format!("{}/{}", copy.copied, copy.total));
    if let Some(at) = copy.completed_on {
        answer.set("x-ms-copy-completion-time", &dates::http_date(at));
    }
    if let Some(description) = &copy.description {
        answer.set("x-ms-copy-status-description", description);
    }
}

/// Bytes `start..end` of a content.
pub(super) fn slice(content: &Content, start: u64, end: u64) -> Payload {
    match content {
        Content::Page { pages, .. } => {
            Payload::Sparse { content: Arc::new(pages.clone()), range: start..end }
        }
        Content::Block(blocks) => cut(blocks.iter().map(|block| &block.bytes), start, end),
        Content::Append(blocks) => cut(blocks.iter(), start, end),
    }
}

fn cut<'a>(blocks: impl Iterator<Item = &'a Bytes>, start: u64, end: u64) -> Payload {
    let mut pieces = VecDeque::new();
    let mut first = 0;
    for block in blocks {
        let last = first + block.len() as u64;
        let within = |at: u64| usize::try_from(at.clamp(first, last) - first).unwrap_or(0);
        let (from, to) = (within(start), within(end));
        if from < to {
            pieces.push_back(block.slice(from..to));
        }
        first = last;
    }
    Payload::Bytes(pieces)
}
