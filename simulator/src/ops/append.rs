//! Append Block and Append Blob Seal.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;

use super::checksums::{self, Checked};
use super::write;
use crate::{
    model::{content::Content, encryption, state::State},
    wire::{
        answer::Answer,
        call::Call,
        error::{Code, Refusal},
    },
};

const MOST_BLOCKS: usize = 50_000;
const POSITION: &str = "x-ms-blob-condition-appendpos";
const MOST_BYTES: &str = "x-ms-blob-condition-maxsize";

/// [Append Block](https://learn.microsoft.com/rest/api/storageservices/append-block).
pub(super) fn put(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let checked = checksums::check_body(call)?;
    append(state, call, call.body.clone(), &checked)
}

/// The most bytes that one Append Block accepts.
pub(super) fn largest(call: &Call) -> u64 {
    if call.since("2022-11-02") { 100 << 20 } else { 4 << 20 }
}

/// Appends a block.
pub(super) fn append(
    state: &mut State,
    call: &Call,
    bytes: Bytes,
    checked: &Checked,
) -> Result<Answer, Refusal> {
    if bytes.len() as u64 > largest(call) {
        return Err(Code::RequestBodyTooLarge.into());
    }
    if bytes.is_empty() {
        return Err(Refusal::bad_header("content-length", "0"));
    }
    let (position, most) = (call.number(POSITION)?, call.number(MOST_BYTES)?);
    let blob = write::blob(&mut state.accounts, call, &call.blob_address()?)?;
    encryption::check(blob.current.encryption.as_ref(), encryption::asked(call)?.as_ref())?;
    let length = blob.current.content.length();
    let Content::Append(blocks) = &mut blob.current.content else {
        return Err(Code::InvalidBlobType.into());
    };
    if blob.current.sealed {
        return Err(Code::BlobIsSealed.into());
    }
    if position.is_some_and(|position| position != length) {
        return Err(Code::AppendPositionConditionNotMet.into());
    }
    if most.is_some_and(|most| length + bytes.len() as u64 > most) {
        return Err(Code::MaxBlobSizeConditionNotMet.into());
    }
    if blocks.len() >= MOST_BLOCKS {
        return Err(Code::BlockCountExceedsLimit.into());
    }
    let sent = bytes.clone();
    Arc::make_mut(blocks).push(bytes);
    let count = blocks.len().to_string();
    blob.rewrite(&mut state.stamps, call.now);
    let mut answer = Answer::about(StatusCode::CREATED, &blob.current)
        .header("x-ms-blob-append-offset", &length.to_string())
        .header("x-ms-blob-committed-block-count", &count)
        .written_with(blob.current.encryption.as_ref());
    checked.tell(call, &sent, &mut answer);
    Ok(answer)
}

/// [Append Blob Seal](https://learn.microsoft.com/rest/api/storageservices/append-blob-seal).
pub(super) fn seal(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let position = call.number(POSITION)?;
    let blob = write::blob(&mut state.accounts, call, &call.blob_address()?)?;
    if !matches!(blob.current.content, Content::Append(_)) {
        return Err(Code::InvalidBlobType.into());
    }
    if position.is_some_and(|position| position != blob.current.content.length()) {
        return Err(Code::AppendPositionConditionNotMet.into());
    }
    if !blob.current.sealed {
        blob.current.sealed = true;
        blob.rewrite(&mut state.stamps, call.now);
    }
    Ok(Answer::about(StatusCode::OK, &blob.current).header("x-ms-blob-sealed", "true"))
}
