//! Put Blob: a blob of any type, made anew.

use http::StatusCode;

use crate::simulator::{
    answer::Answer,
    auth::Principal,
    blob::{Content, Revision},
    call::Call,
    checksums,
    conditions::Conditions,
    error::{Code, Refusal},
    leases, metadata,
    pages::{PAGE, Pages},
    state::State,
    tiers,
};

/// The largest page blob.
const LARGEST_PAGE_BLOB: u64 = 8 << 40;

/// [Put Blob](https://learn.microsoft.com/rest/api/storageservices/put-blob).
pub(super) fn put(state: &mut State, call: &Call, principal: Principal) -> Result<Answer, Refusal> {
    call.not_a_snapshot()?;
    let at = call.blob_address()?;
    let transactional = checksums::check_body(call)?.map(str::to_owned);
    let content = content(call)?;
    let mut headers = metadata::content_headers(call);
    if let Content::Block(_) = content {
        let computed = || transactional.unwrap_or_else(|| checksums::md5(&call.body));
        headers.md5.get_or_insert_with(computed);
    }
    let (given, tags) = (metadata::metadata(call)?, metadata::tags(call)?);
    let tier = tiers::asked(call, &content)?;
    let sequence_number = call.number("x-ms-blob-sequence-number")?.unwrap_or(0);

    let existing = state.accounts.find(&at)?;
    Conditions::of(call)?.check_write(existing.map(Into::into))?;
    leases::check(call)?;
    if let Some(blob) = existing {
        blob.writable()?;
        if blob.current.content.kind() != content.kind() {
            return Err(Code::InvalidBlobType.into());
        }
        if principal == (Principal::Sas { overwrite: false }) {
            return Err(Code::UnauthorizedBlobOverwrite.into());
        }
    }

    let revision = Revision {
        content,
        headers,
        metadata: given,
        etag: state.stamps.etag(),
        last_modified: call.now,
        created: call.now,
        generation: state.stamps.next(),
        sequence_number,
        tier,
        copy: None,
        incremental: false,
    };
    let md5 =
        matches!(revision.content, Content::Block(_)).then_some(revision.headers.md5.as_deref());
    let answer = Answer::about(StatusCode::CREATED, &revision)
        .maybe("content-md5", md5.flatten())
        .header("x-ms-request-server-encrypted", "true");
    state.accounts.replace(&at, revision)?.tags = tags;
    Ok(answer)
}

/// What the new blob holds, as its type says.
fn content(call: &Call) -> Result<Content, Refusal> {
    const TYPE: &str = "x-ms-blob-type";
    const LENGTH: &str = "x-ms-blob-content-length";
    let without_body = |content| match call.body.is_empty() {
        true => Ok(content),
        false => Err(Refusal::bad_header("content-length", &call.body.len().to_string())),
    };
    match call.required(TYPE)? {
        "BlockBlob" if call.body.is_empty() => Ok(Content::Block(Vec::new())),
        "BlockBlob" => Ok(Content::Block(vec![call.body.clone()])),
        "AppendBlob" => without_body(Content::Append(Vec::new())),
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
