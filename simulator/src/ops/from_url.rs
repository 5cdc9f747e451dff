//! The synchronous writes whose content the service reads from a URL.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;

use super::checksums::{self, Checked};
use super::{
    append, blocks,
    copy::{self, accepted},
    copy_source::{Source, SourceUrl},
    pages, put_blob, read, write,
};
use crate::{
    auth::Principal,
    model::{
        conditions::Conditions,
        content::{Block, Content},
        copies::record::{CopyRecord, Status},
        elsewhere::Limit,
        encryption, metadata,
        revision::{ContentHeaders, Metadata, Revision, Tags},
        state::State,
        tiers,
    },
    wire::{
        answer::Answer,
        call::Call,
        error::{Code, Refusal},
        op::Op,
    },
};

const LARGEST_COPY: u64 = 256 << 20;
const LARGEST_BLOB: u64 = 5000 << 20;

/// The most that an operation reads from a source on another server.
///
/// Copy Blob has no limit; here the source must fit into memory, as for Put Blob.
pub(crate) fn source_limit(call: &Call) -> Limit {
    let (body, refusal) = match call.op {
        Op::PutBlockFromUrl => (blocks::largest(call), Code::RequestBodyTooLarge.into()),
        Op::AppendBlockFromUrl => (append::largest(call), Code::RequestBodyTooLarge.into()),
        Op::PutPageFromUrl => (pages::MOST_BYTES, Code::RequestBodyTooLarge.into()),
        Op::CopyBlobFromUrl => (LARGEST_COPY, source_too_large()),
        _ => (LARGEST_BLOB, source_too_large()),
    };
    let in_pages = matches!(call.op, Op::CopyBlob | Op::IncrementalCopy);
    Limit { body, pages: if in_pages { put_blob::LARGEST_PAGE_BLOB } else { body }, refusal }
}

/// The content read from a source.
struct Fetched {
    source: Source,
    bytes: Bytes,
    checked: Checked,
}

/// [Copy Blob From URL](https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url):
/// copies a block blob to a block blob, with its blocks, and completes before the answer.
pub(super) fn copy(
    state: &mut State,
    call: &Call,
    principal: Principal,
) -> Result<Answer, Refusal> {
    const SYNC: &str = "x-ms-requires-sync";
    call.not_a_snapshot()?;
    if !call.flag(SYNC)?.unwrap_or_default() {
        return Err(Refusal::bad_header(SYNC, call.required(SYNC)?));
    }
    let at = call.blob_address()?;
    state.accounts.container(&at.account, &at.container)?;
    let url = SourceUrl::of(call)?;
    let Fetched { source, bytes, checked } =
        fetch(state, call, Some(principal), LARGEST_COPY, source_too_large)?;
    if !matches!(source.revision.content, Content::Block(_)) {
        return Err(Code::InvalidSourceBlobType.into());
    }
    let tier = tiers::asked(call, &source.revision.content)?;
    let encryption = encryption::asked_scope(call);
    let (own, tags) = carried(call, &source)?;

    let existing = state.accounts.find(&at)?;
    let conditions = Conditions::of_target(call)?;
    write::check_replacement(existing, call, &conditions, "BlockBlob", principal)?;
    copy::check_lease(existing, call)?;
    let total = bytes.len() as u64;
    let id = state.stamps.guid();
    let record = CopyRecord {
        status: Status::Success,
        copied: total,
        completed_on: Some(call.now),
        ..CopyRecord::new(id, url.echoed(call, state.settings.echo), total)
    };
    let revision = Revision {
        metadata: own,
        tags,
        etag: state.stamps.etag(),
        last_modified: call.now,
        created: existing.map_or(call.now, |blob| blob.current.created),
        generation: state.stamps.next(),
        tier: tier.or_else(|| existing.and_then(|blob| blob.current.tier.clone())),
        copy: Some(Box::new(record)),
        encryption: encryption.clone(),
        ..source.revision
    };
    let mut answer =
        accepted(state.accounts.replace(&at, revision)?).encrypted_with(encryption.as_ref());
    checked.tell(call, &bytes, &mut answer);
    Ok(answer)
}

/// [Put Blob From URL](https://learn.microsoft.com/rest/api/storageservices/put-blob-from-url):
/// creates a block blob from a source of any type.
pub(super) fn put_blob(
    state: &mut State,
    call: &Call,
    principal: Principal,
) -> Result<Answer, Refusal> {
    const TYPE: &str = "x-ms-blob-type";
    const PROPERTIES: &str = "x-ms-copy-source-blob-properties";
    call.not_a_snapshot()?;
    match call.required(TYPE)? {
        "BlockBlob" => {}
        other => return Err(Refusal::bad_header(TYPE, other)),
    }
    let with_properties = call.flag(PROPERTIES)?.unwrap_or(true);
    let at = call.blob_address()?;
    state.accounts.container(&at.account, &at.container)?;
    let Fetched { source, bytes, checked } =
        fetch(state, call, None, LARGEST_BLOB, source_too_large)?;
    let content = match bytes.is_empty() {
        true => Content::Block(Arc::default()),
        false => Content::Block(Arc::new([Block { id: None, bytes: bytes.clone() }])),
    };
    let tier = tiers::asked(call, &content)?;
    let encryption = encryption::asked(call)?;
    let (own, tags) = carried(call, &source)?;
    let mut headers = metadata::content_headers(call);
    if with_properties {
        inherit(&mut headers, &source.revision.headers, call);
    }
    let computed = checked.md5().map_or_else(|| checksums::md5(&bytes), str::to_owned);
    checksums::check_md5(call, &bytes)?;
    headers.md5.get_or_insert_with(|| computed.clone());

    let existing = state.accounts.find(&at)?;
    write::check_replacement(existing, call, &Conditions::of(call)?, "BlockBlob", principal)?;
    let revision = Revision {
        content,
        headers,
        metadata: own,
        tags,
        etag: state.stamps.etag(),
        last_modified: call.now,
        created: call.now,
        generation: state.stamps.next(),
        sequence_number: 0,
        tier: tier.or_else(|| existing.and_then(|blob| blob.current.tier.clone())),
        copy: None,
        incremental: false,
        sealed: false,
        encryption,
    };
    let mut answer = Answer::about(StatusCode::CREATED, &revision)
        .header("content-md5", &computed)
        .written_with(revision.encryption.as_ref());
    if call.since("2026-10-06") {
        answer.set("x-ms-content-crc64", &checksums::crc64(&bytes));
    }
    state.accounts.replace(&at, revision)?;
    Ok(answer)
}

/// [Put Block From URL](https://learn.microsoft.com/rest/api/storageservices/put-block-from-url).
pub(super) fn put_block(
    state: &mut State,
    call: &Call,
    principal: Principal,
) -> Result<Answer, Refusal> {
    let most = blocks::largest(call);
    let fetched = fetch(state, call, None, most, || Code::RequestBodyTooLarge.into())?;
    blocks::stage(state, call, principal, fetched.bytes, &fetched.checked)
}

/// [Append Block From URL](https://learn.microsoft.com/rest/api/storageservices/append-block-from-url).
pub(super) fn append_block(
    state: &mut State,
    call: &Call,
    principal: Principal,
) -> Result<Answer, Refusal> {
    let most = append::largest(call);
    let fetched = fetch(state, call, Some(principal), most, || Code::RequestBodyTooLarge.into())?;
    append::append(state, call, fetched.bytes, &fetched.checked)
}

/// [Put Page From URL](https://learn.microsoft.com/rest/api/storageservices/put-page-from-url).
pub(super) fn put_page(
    state: &mut State,
    call: &Call,
    principal: Principal,
) -> Result<Answer, Refusal> {
    const WRITE: &str = "x-ms-page-write";
    const SOURCE_RANGE: &str = "x-ms-source-range";
    match call.required(WRITE)? {
        "update" => {}
        other => return Err(Refusal::bad_header(WRITE, other)),
    }
    let range = call.range()?.ok_or_else(|| Refusal::missing_header("x-ms-range"))?;
    let (start, end) = range.pages()?;
    let end = end.ok_or(Code::InvalidPageRange)?;
    let source = call.required(SOURCE_RANGE)?;
    let asked = call.source_range()?.and_then(|range| Some(range.last? + 1 - range.start));
    if asked != Some(end - start) {
        return Err(Refusal::bad_header(SOURCE_RANGE, source));
    }
    let too_large = || Code::RequestBodyTooLarge.into();
    if end - start > pages::MOST_BYTES {
        return Err(too_large());
    }
    let Fetched { bytes, checked, .. } =
        fetch(state, call, Some(principal), pages::MOST_BYTES, too_large)?;
    if bytes.len() as u64 != end - start {
        return Err(call.source_unreadable(&Code::InvalidRange.into()));
    }
    let at = call.blob_address()?;
    pages::write_pages(state, call, &at, start..end, Some(&bytes), &checked)
}

/// Reads the range in `x-ms-source-range` of the source, or all of it; with the right of
/// `principal` if that counts.
fn fetch(
    state: &State,
    call: &Call,
    principal: Option<Principal>,
    most: u64,
    too_large: impl FnOnce() -> Refusal,
) -> Result<Fetched, Refusal> {
    if !call.body.is_empty() {
        return Err(Refusal::bad_header("content-length", &call.body.len().to_string()));
    }
    let source = SourceUrl::of(call)?.read(state, call, principal)?;
    let unreadable = |cause: Refusal| call.source_unreadable(&cause);
    source.revision.online(call.now).map_err(unreadable)?;
    let length = source.revision.content.length();
    let cut = source.elsewhere.as_ref().is_some_and(|elsewhere| elsewhere.cut);
    let (start, end) = match call.source_range()?.filter(|_| !cut) {
        None => (0, length),
        Some(range) if range.start >= length => {
            return Err(unreadable(Code::InvalidRange.into()));
        }
        Some(range) => (range.start, range.last.map_or(length, |last| length.min(last + 1))),
    };
    if end - start > most {
        return Err(too_large());
    }
    let mut pieces = read::slice(&source.revision.content, start, end);
    let first = pieces.next().unwrap_or_default();
    let bytes = match pieces.remaining() {
        0 => first,
        _ => std::iter::once(first).chain(pieces).flatten().collect(),
    };
    let checked = checksums::check_source(call, &bytes)?;
    Ok(Fetched { source, bytes, checked })
}

fn source_too_large() -> Refusal {
    Refusal::from(Code::CannotVerifyCopySource).status(StatusCode::CONFLICT)
}

/// The metadata and the tags of the destination: those of the request, or the source's.
fn carried(call: &Call, source: &Source) -> Result<(Metadata, Tags), Refusal> {
    const OPTION: &str = "x-ms-copy-source-tag-option";
    let own = metadata::metadata(call)?;
    let tags = match call.header(OPTION) {
        None | Some("REPLACE") => metadata::tags(call)?,
        Some("COPY") if call.header("x-ms-tags").is_some() => {
            return Err(Code::BothUserTagsAndSourceTagsCopyPresentException.into());
        }
        Some("COPY") => source.revision.tags.clone(),
        Some(other) => return Err(Refusal::bad_header(OPTION, other)),
    };
    Ok((if own.is_empty() { source.revision.metadata.clone() } else { own }, tags))
}

/// Takes the properties of the source that the request does not set.
fn inherit(headers: &mut ContentHeaders, source: &ContentHeaders, call: &Call) {
    if call.header("x-ms-blob-content-type").is_none() {
        headers.content_type.clone_from(&source.content_type);
    }
    for (own, theirs) in [
        (&mut headers.encoding, &source.encoding),
        (&mut headers.language, &source.language),
        (&mut headers.disposition, &source.disposition),
        (&mut headers.cache_control, &source.cache_control),
    ] {
        if own.is_none() {
            own.clone_from(theirs);
        }
    }
}
