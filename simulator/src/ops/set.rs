//! Set Blob Metadata, Set Blob Properties, Get and Set Blob Tags, Set Blob Tier.

use http::StatusCode;

use super::checksums;
use super::{list::write_tags, put_blob::sequence_number, write};
use crate::{
    model::{
        conditions::Conditions,
        content::Content,
        encryption, leases, metadata,
        pages::PAGE,
        revision::Tags,
        state::State,
        tiers::{self, Tier},
    },
    wire::{
        answer::Answer,
        call::Call,
        document::Element,
        error::{Code, Refusal},
        xml::Xml,
    },
};

/// [Set Blob Metadata](https://learn.microsoft.com/rest/api/storageservices/set-blob-metadata).
pub(super) fn metadata(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let given = metadata::metadata(call)?;
    let blob = write::blob(&mut state.accounts, call, &call.blob_address()?)?;
    encryption::check(blob.current.encryption.as_ref(), encryption::asked(call)?.as_ref())?;
    blob.current.metadata = given;
    blob.rewrite(&mut state.stamps, call.now);
    let answer = Answer::about(StatusCode::OK, &blob.current);
    Ok(answer.written_with(blob.current.encryption.as_ref()))
}

/// [Set Blob Properties](https://learn.microsoft.com/rest/api/storageservices/set-blob-properties):
/// sets the standard properties and removes those that are not named, or sets the length and the
/// sequence number of a page blob.
pub(super) fn properties(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    const LENGTH: &str = "x-ms-blob-content-length";
    const ACTION: &str = "x-ms-sequence-number-action";
    const NUMBER: &str = "x-ms-blob-sequence-number";
    let new_length = call.number(LENGTH)?;
    if let Some(length) =
        new_length.filter(|length| !length.is_multiple_of(PAGE) || *length > 8 << 40)
    {
        return Err(Refusal::bad_header(LENGTH, &length.to_string()));
    }
    let number = sequence_number(call)?;
    let action = call.header(ACTION);
    match (action, number) {
        (None, Some(_)) => return Err(Refusal::missing_header(ACTION)),
        (Some("max" | "update"), None) => return Err(Refusal::missing_header(NUMBER)),
        (Some("increment"), Some(number)) => {
            return Err(Refusal::bad_header(NUMBER, &number.to_string()));
        }
        (None | Some("max" | "update" | "increment"), _) => {}
        (Some(other), _) => return Err(Refusal::bad_header(ACTION, other)),
    }

    let blob = write::blob(&mut state.accounts, call, &call.blob_address()?)?;
    let current = &mut blob.current;
    match &mut current.content {
        Content::Page { length, pages } => {
            if let Some(new) = new_length {
                if new < *length {
                    pages.clear(new..*length, state.stamps.next());
                }
                *length = new;
            }
        }
        _ if new_length.is_some() || action.is_some() => return Err(Code::InvalidBlobType.into()),
        _ => {}
    }
    current.sequence_number = match (action, number.unwrap_or(0)) {
        (Some("max"), number) => current.sequence_number.max(number),
        (Some("update"), number) => number,
        (Some(_), _) if current.sequence_number >= i64::MAX.unsigned_abs() => {
            return Err(Code::SequenceNumberIncrementTooLarge.into());
        }
        (Some(_), _) => current.sequence_number + 1,
        (None, _) => current.sequence_number,
    };
    let own = call.headers.keys().any(|name| {
        let name = name.as_str();
        name == "x-ms-blob-cache-control"
            || name.starts_with("x-ms-blob-content-") && name != LENGTH
    });
    // A request about the length or the number leaves the other properties unchanged.
    if own || (new_length.is_none() && action.is_none()) {
        current.headers = metadata::own_content_headers(call);
        if call.header("x-ms-blob-content-type").is_none() {
            current.headers.content_type = None;
        }
    }
    blob.rewrite(&mut state.stamps, call.now);
    let answer = Answer::about(StatusCode::OK, &blob.current);
    Ok(match blob.current.content {
        Content::Page { .. } => answer.header(NUMBER, &blob.current.sequence_number.to_string()),
        _ => answer,
    })
}

/// [Get Blob Tags](https://learn.microsoft.com/rest/api/storageservices/get-blob-tags).
pub(super) fn get_tags(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let at = call.blob_address()?;
    let revision = state.accounts.revision(&at, call.snapshot())?;
    Conditions::of(call)?.check_read(revision.into())?;
    leases::check_read(state.accounts.blob(&at)?.lease.as_ref(), call)?;
    let mut xml = Xml::new();
    write_tags(&mut xml, &revision.tags);
    Ok(Answer::new(StatusCode::OK).xml(xml))
}

/// [Set Blob Tags](https://learn.microsoft.com/rest/api/storageservices/set-blob-tags), which
/// changes neither the ETag nor the last-modified time.
pub(super) fn set_tags(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    call.not_a_snapshot()?;
    checksums::check_body(call)?;
    let document = Element::of(call, "Tags")?;
    let set = document.child("TagSet").ok_or(Code::InvalidXmlDocument)?;
    let mut tags = Tags::new();
    for tag in &set.children {
        let key = tag.child("Key").map_or("", |key| &key.text);
        let value = tag.child("Value").map_or("", |value| &value.text);
        if tag.name != "Tag"
            || !metadata::is_tag(key, value)
            || tags.insert(key.to_owned(), value.to_owned()).is_some()
        {
            return Err(Refusal::from(Code::InvalidTag).detail("Reason", key));
        }
    }
    if tags.len() > metadata::MOST_TAGS {
        return Err(Code::InvalidTag.into());
    }
    let blob = state.accounts.blob_mut(&call.blob_address()?)?;
    Conditions::of(call)?.check_write(Some((&*blob).into()))?;
    leases::check_write(blob.lease.as_ref(), call)?;
    // The destination of incremental copies accepts tags, as recorded from real accounts.
    if blob.job.is_some() {
        return Err(Code::PendingCopyOperation.into());
    }
    blob.current.tags = tags;
    Ok(Answer::new(StatusCode::NO_CONTENT))
}

/// [Set Blob Tier](https://learn.microsoft.com/rest/api/storageservices/set-blob-tier): at once, or
/// after rehydration if the blob is archived.
pub(super) fn tier(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let at = call.blob_address()?;
    let (high, now) = (tiers::high_priority(call)?, call.now);
    call.required("x-ms-access-tier")?;
    let blob = state.accounts.blob_mut(&at)?;
    blob.unencumbered()?;
    let revision = match call.snapshot() {
        Some(id) => blob.snapshots.get_mut(id).ok_or(Code::BlobNotFound)?,
        None => &mut blob.current,
    };
    Conditions::of_tags_only(call)?.check_write(Some((&*revision).into()))?;
    leases::check_read(blob.lease.as_ref(), call)?;
    if matches!(revision.content, Content::Append(_)) {
        return Err(Code::InvalidBlobType.into());
    }
    let asked = tiers::named(call, &revision.content)?.ok_or(Code::InvalidBlobTier)?;
    if revision.content.length() > tiers::room(asked) {
        return Err(Code::BlobTierInadequateForContentLength.into());
    }
    let tier = match &revision.tier {
        Some(tier) => tier.change(asked, high, now)?,
        None => Tier::new(asked, now),
    };
    let waits = tier.under_way(now).is_some();
    revision.tier = Some(tier);
    Ok(Answer::new(if waits { StatusCode::ACCEPTED } else { StatusCode::OK }))
}
