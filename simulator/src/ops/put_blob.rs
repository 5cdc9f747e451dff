//! Put Blob: creates or replaces a blob of any type.

use std::sync::Arc;

use http::StatusCode;

use super::checksums;
use super::write;
use crate::{
    auth::Principal,
    model::{
        conditions::Conditions,
        content::{Block, Content},
        encryption, metadata,
        pages::{PAGE, Pages},
        revision::Revision,
        state::State,
        tiers,
    },
    wire::{
        answer::Answer,
        call::Call,
        error::{Code, Refusal},
    },
};

/// The largest page blob.
pub(super) const LARGEST_PAGE_BLOB: u64 = 8 << 40;

/// [Put Blob](https://learn.microsoft.com/rest/api/storageservices/put-blob).
pub(super) fn put(state: &mut State, call: &Call, principal: Principal) -> Result<Answer, Refusal> {
    call.not_a_snapshot()?;
    let at = call.blob_address()?;
    let content = content(call)?;
    let mut headers = metadata::content_headers(call);
    // Only a block blob is sent with its content.
    let checked = match content {
        Content::Block(_) => checksums::check_blob(call)?,
        _ => checksums::check_body(call)?,
    };
    if let Content::Block(_) = content {
        let md5 = checked.md5().map_or_else(|| checksums::md5(&call.body), str::to_owned);
        headers.md5 = Some(md5);
    }
    let (given, tags) = (metadata::metadata(call)?, metadata::tags(call)?);
    let tier = tiers::asked(call, &content)?;
    let sequence_number = sequence_number(call)?.unwrap_or(0);
    let encryption = encryption::asked(call)?;

    let existing = state.accounts.find(&at)?;
    write::check_replacement(existing, call, &Conditions::of(call)?, content.kind(), principal)?;
    let tier = tier.or_else(|| existing.and_then(|blob| blob.current.tier.clone()));

    let revision = Revision {
        content,
        headers,
        metadata: given,
        tags,
        etag: state.stamps.etag(),
        last_modified: call.now,
        created: call.now,
        generation: state.stamps.next(),
        sequence_number,
        tier,
        copy: None,
        incremental: false,
        sealed: false,
        encryption,
    };
    let mut answer =
        Answer::about(StatusCode::CREATED, &revision).written_with(revision.encryption.as_ref());
    if let (Content::Block(_), Some(md5)) = (&revision.content, &revision.headers.md5) {
        answer.set("content-md5", md5);
        checked.tell_crc64(call, &call.body, &mut answer);
    }
    state.accounts.replace(&at, revision)?;
    Ok(answer)
}

/// The content of the new blob, depending on its type.
fn content(call: &Call) -> Result<Content, Refusal> {
    const TYPE: &str = "x-ms-blob-type";
    const LENGTH: &str = "x-ms-blob-content-length";
    let without_body = |content| match call.body.is_empty() {
        true => Ok(content),
        false => Err(Refusal::bad_header("content-length", &call.body.len().to_string())),
    };
    match call.required(TYPE)? {
        "BlockBlob" if call.body.is_empty() => Ok(Content::Block(Arc::default())),
        "BlockBlob" if call.body.len() as u64 > largest(call) => {
            Err(Code::RequestBodyTooLarge.into())
        }
        "BlockBlob" => Ok(Content::Block(Arc::new([Block { id: None, bytes: call.body.clone() }]))),
        "AppendBlob" => without_body(Content::Append(Arc::default())),
        "PageBlob" => {
            let length = call.number(LENGTH)?.ok_or_else(|| Refusal::missing_header(LENGTH))?;
            if !length.is_multiple_of(PAGE) || length > LARGEST_PAGE_BLOB {
                return Err(Refusal::bad_header(LENGTH, &length.to_string()));
            }
            without_body(Content::Page { length, pages: Pages::default() })
        }
        other => Err(Refusal::bad_header(TYPE, other)),
    }
}

/// The most bytes that one Put Blob accepts.
fn largest(call: &Call) -> u64 {
    const MIB: u64 = 1 << 20;
    match call.version() {
        version if version >= "2020-04-08" => 5000 * MIB,
        version if version >= "2016-05-31" => 256 * MIB,
        _ => 64 * MIB,
    }
}

/// `x-ms-blob-sequence-number`, from 0 to 2^63 - 1.
pub(super) fn sequence_number(call: &Call) -> Result<Option<u64>, Refusal> {
    const NAME: &str = "x-ms-blob-sequence-number";
    match call.number(NAME)? {
        Some(number) if i64::try_from(number).is_err() => {
            Err(Refusal::bad_header(NAME, &number.to_string()))
        }
        number => Ok(number),
    }
}
