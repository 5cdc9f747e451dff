//! Put Block, Put Block List and Get Block List.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::StatusCode;

use super::checksums::{self, Checked};
use super::write;
use crate::{
    auth::Principal,
    model::{
        conditions::Conditions,
        container::Staged,
        content::{Block, Content},
        encryption, leases, metadata,
        revision::Revision,
        state::State,
        tiers,
    },
    wire::{
        answer::Answer,
        call::Call,
        document::Element,
        error::{Code, Refusal},
        xml::Xml,
    },
};

const MOST_COMMITTED: usize = 50_000;
const MOST_UNCOMMITTED: usize = 100_000;
const LONGEST_ID: usize = 64;

/// [Put Block](https://learn.microsoft.com/rest/api/storageservices/put-block).
pub(super) fn put(state: &mut State, call: &Call, principal: Principal) -> Result<Answer, Refusal> {
    if call.body.is_empty() {
        return Err(Refusal::bad_header("content-length", "0"));
    }
    let checked = checksums::check_body(call)?;
    stage(state, call, principal, call.body.clone(), &checked)
}

/// The largest block.
pub(super) fn largest(call: &Call) -> u64 {
    const MIB: u64 = 1 << 20;
    match call.version() {
        version if version >= "2020-04-08" => 4000 * MIB,
        version if version >= "2016-05-31" => 100 * MIB,
        _ => 4 * MIB,
    }
}

/// Stages a block. It accepts no conditions.
pub(super) fn stage(
    state: &mut State,
    call: &Call,
    principal: Principal,
    bytes: Bytes,
    checked: &Checked,
) -> Result<Answer, Refusal> {
    call.not_a_snapshot()?;
    if bytes.len() as u64 > largest(call) {
        return Err(Code::RequestBodyTooLarge.into());
    }
    let encryption = encryption::asked(call)?;
    let id = call.query.get("blockid").ok_or_else(|| Refusal::missing_query("blockid"))?;
    let length = STANDARD.decode(id).map_err(|_| Code::InvalidBlockId)?.len();
    if length == 0 || length > LONGEST_ID {
        return Err(Code::InvalidBlockId.into());
    }
    let at = call.blob_address()?;
    let existing = state.accounts.find(&at)?;
    let none = Conditions::none();
    write::check_replacement(existing, call, &none, "BlockBlob", principal)?;

    let container = state.accounts.container_mut(&at.account, &at.container)?;
    let name = container.name(&at.blob);
    let staged = container.staged.entry(name).or_default();
    if !staged.is_alive(call.now) {
        staged.blocks.clear();
    }
    // All block ids of a blob have the same length.
    if staged.blocks.keys().next().is_some_and(|other| other.len() != id.len()) {
        return Err(Code::InvalidBlobOrBlock.into());
    }
    if staged.blocks.len() >= MOST_UNCOMMITTED && !staged.blocks.contains_key(id) {
        return Err(Code::BlockCountExceedsLimit.into());
    }
    if staged.blocks.is_empty() {
        staged.encryption.clone_from(&encryption);
    }
    encryption::check(staged.encryption.as_ref(), encryption.as_ref())?;
    staged.blocks.insert(id.to_owned(), bytes.clone());
    staged.at = Some(call.now);
    let mut answer = Answer::new(StatusCode::CREATED).written_with(staged.encryption.as_ref());
    checked.tell(call, &bytes, &mut answer);
    Ok(answer)
}

/// [Put Block List](https://learn.microsoft.com/rest/api/storageservices/put-block-list): commits
/// the listed blocks in order. All others are discarded.
pub(super) fn put_list(
    state: &mut State,
    call: &Call,
    principal: Principal,
) -> Result<Answer, Refusal> {
    call.not_a_snapshot()?;
    let at = call.blob_address()?;
    let checked = checksums::check_body(call)?;
    let list = Element::of(call, "BlockList")?;
    if list.children.len() > MOST_COMMITTED {
        return Err(Code::BlockListTooLong.into());
    }
    let headers = metadata::own_content_headers(call);
    let (given, tags) = (metadata::metadata(call)?, metadata::tags(call)?);
    let tier = tiers::asked(call, &Content::Block(Arc::default()))?;
    let mut encryption = encryption::asked(call)?;

    let existing = state.accounts.find(&at)?;
    write::check_replacement(existing, call, &Conditions::of(call)?, "BlockBlob", principal)?;
    let committed: &[Block] = match existing.map(|blob| &blob.current.content) {
        Some(Content::Block(blocks)) => blocks,
        _ => &[],
    };
    let container = state.accounts.container(&at.account, &at.container)?;
    let name = container.name(&at.blob);
    let staged = container.staged.get(&name).filter(|staged| staged.is_alive(call.now));
    let Chosen { blocks, kept } = chosen(&list, committed, staged)?;
    // The blob gets the encryption of its blocks.
    let staged = staged.filter(|staged| !staged.blocks.is_empty());
    let kept = existing.filter(|_| kept).map(|blob| &blob.current.encryption);
    for own in staged.map(|staged| &staged.encryption).into_iter().chain(kept) {
        encryption::check(own.as_ref(), encryption.as_ref())?;
        encryption = encryption.or_else(|| own.clone());
    }
    let revision = Revision {
        content: Content::Block(blocks.into()),
        headers,
        metadata: given,
        tags,
        etag: state.stamps.etag(),
        last_modified: call.now,
        created: existing.map_or(call.now, |blob| blob.current.created),
        generation: state.stamps.next(),
        sequence_number: 0,
        tier: tier.or_else(|| existing.and_then(|blob| blob.current.tier.clone())),
        copy: None,
        incremental: false,
        sealed: false,
        encryption,
    };
    let mut answer =
        Answer::about(StatusCode::CREATED, &revision).written_with(revision.encryption.as_ref());
    // The checksum of the list itself, even if the request carried its MD5.
    checked.tell_crc64(call, &call.body, &mut answer);
    state.accounts.replace(&at, revision)?;
    Ok(answer)
}

/// The blocks of a list.
struct Chosen {
    blocks: Vec<Block>,
    /// Whether some of them were committed before.
    kept: bool,
}

fn chosen(list: &Element, committed: &[Block], staged: Option<&Staged>) -> Result<Chosen, Refusal> {
    let mut kept = false;
    let by_id: std::collections::HashMap<&str, &Bytes> =
        committed.iter().filter_map(|block| Some((block.id.as_deref()?, &block.bytes))).collect();
    let blocks = list.children.iter().map(|entry| {
        let id = entry.text.trim();
        let old = || by_id.get(id).copied();
        let new = || staged.and_then(|staged| staged.blocks.get(id));
        let found = match entry.name.as_str() {
            "Committed" => None,
            "Uncommitted" | "Latest" => new(),
            _ => return Err(Code::InvalidXmlDocument),
        };
        let bytes = match found {
            None if entry.name != "Uncommitted" => {
                kept = true;
                old()
            }
            found => found,
        };
        let bytes = bytes.ok_or(Code::InvalidBlockList)?.clone();
        Ok(Block { id: Some(id.to_owned()), bytes })
    });
    let blocks = blocks.collect::<Result<_, Code>>()?;
    Ok(Chosen { blocks, kept })
}

/// [Get Block List](https://learn.microsoft.com/rest/api/storageservices/get-block-list).
pub(super) fn list(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    const TYPE: &str = "blocklisttype";
    let (with_committed, with_uncommitted) = match call.query.get(TYPE) {
        None | Some("committed") => (true, false),
        Some("uncommitted") => (false, true),
        Some("all") => (true, true),
        Some(other) => {
            return Err(Refusal::bad_query(TYPE, other, "committed, uncommitted or all"));
        }
    };
    let at = call.blob_address()?;
    let container = state.accounts.container(&at.account, &at.container)?;
    let base = call.snapshot().is_none();
    let name = container.name(&at.blob);
    let staged = container.staged.get(&name).filter(|staged| staged.is_alive(call.now) && base);
    let blob = container.blobs.get(&at.blob);
    if blob.is_none() && staged.is_none() {
        return Err(Code::BlobNotFound.into());
    }
    leases::check_read(blob.and_then(|blob| blob.lease.as_ref()), call)?;
    let mut answer = Answer::new(StatusCode::OK);
    let mut committed: &[Block] = &[];
    if blob.is_some() || !base {
        let revision = state.accounts.revision(&at, call.snapshot())?;
        Conditions::of(call)?.check_read(revision.into())?;
        let Content::Block(blocks) = &revision.content else {
            return Err(Code::InvalidBlobType.into());
        };
        committed = blocks;
        // A blob without committed blocks has no length either.
        answer = Answer::about(StatusCode::OK, revision)
            .header("x-ms-blob-content-length", &revision.content.length().to_string());
    }

    let mut xml = Xml::new();
    xml.element("BlockList", |xml| {
        let named = committed.iter().filter_map(|block| Some((block.id.as_ref()?, &block.bytes)));
        if with_committed {
            xml.element("CommittedBlocks", |xml| named.for_each(|block| write_block(xml, block)));
        }
        if with_uncommitted {
            xml.element("UncommittedBlocks", |xml| {
                let blocks = staged.iter().flat_map(|staged| &staged.blocks);
                blocks.for_each(|block| write_block(xml, block));
            });
        }
    });
    Ok(answer.xml(xml))
}

fn write_block(xml: &mut Xml, (id, bytes): (&String, &Bytes)) {
    xml.element("Block", |xml| {
        xml.text_element("Name", id);
        xml.text_element("Size", &bytes.len().to_string());
    });
}
