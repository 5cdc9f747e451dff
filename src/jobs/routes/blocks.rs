//! A block blob of another account, block by block.
//!
//! Put Block From URL for each piece, then Put Block List. The id of a block says what is in it, so
//! blocks that an earlier run has staged are found again and count: the service keeps them for a
//! week. A block that is staged twice, or late, has the same content each time.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use super::{NotCarried, Why, kept};
use crate::{
    BlockBlobClient, BlockId, BlockList, Conditions, CopySource, ETag, Error, ErrorCode, PageRange,
    jobs::{
        Skipped,
        task::{Carried, Cost, Piece, Sum, Task},
    },
};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The most blocks of a blob.
const MOST_COMMITTED: u64 = 50_000;

/// The most uncommitted blocks of a blob.
const MOST_UNCOMMITTED: usize = 100_000;

/// The length of a block's id in bytes: a SHA-256.
const ID_LENGTH: usize = 32;

/// The length of the blocks of a blob: 8 MiB below 1 GiB, then 64 MiB, and more only where 50,000
/// such blocks would not do. `set` replaces the first two.
pub(crate) fn block_length(length: u64, set: Option<u64>) -> u64 {
    let usual = set.unwrap_or(if length < GIB { 8 * MIB } else { 64 * MIB }).max(1);
    match length.div_ceil(usual) {
        ..=MOST_COMMITTED => usual,
        _ => length.div_ceil(MOST_COMMITTED).next_multiple_of(MIB),
    }
}

/// What it takes: a request for each block that is missing, Get Block List before them, and Put
/// Block List.
pub(crate) async fn cost(task: &Task) -> Result<Cost, NotCarried> {
    let Some(etag) = &task.item.properties.etag else { return Ok(Cost::default()) };
    let blocks = planned(task, etag)?;
    let to = task.destination().block_blob_client();
    let staged = match to.get_block_list().await {
        Ok(list) => list.uncommitted.into_iter().map(|block| (block.id, block.size)).collect(),
        Err(error) if error.code() == Some(&ErrorCode::BlobNotFound) => HashMap::new(),
        Err(error) => return Err(error.into()),
    };
    let is_foreign = |id: &BlockId| id.as_bytes().len() != ID_LENGTH;
    // Their removal is one request.
    let removal = u64::from(staged.keys().any(is_foreign));
    let missing = missing(task, &blocks, &staged);
    let requests = missing.len() as u64 + 2 + removal;
    Ok(Cost { requests, bytes: missing.iter().map(Block::length).sum() })
}

/// Copies the blob of `task`, or what is missing of it.
pub(crate) async fn carry(task: &Task) -> Result<Carried, NotCarried> {
    let settings = &task.shared.settings;
    let properties = &task.item.properties;
    let length = properties.content_length;
    let Some(etag) = properties.etag.clone() else {
        return Err(NotCarried::because(Why::SourceChanged));
    };
    let to = task.destination().block_blob_client();
    let blocks = planned(task, &etag)?;
    let staged = staged(task, &to, blocks.len()).await?;

    let todo = missing(task, &blocks, &staged);
    let is_adopted = todo.len() < blocks.len();
    let bytes = todo.iter().map(Block::length).sum();
    let pieces = stage(task, &to, todo).await?;
    let pieces = if pieces.len() == blocks.len() { pieces } else { Vec::new() };

    let ids: Vec<BlockId> = blocks.iter().map(|block| block.id.clone()).collect();
    let (metadata, changed_metadata) = kept::metadata(&task.item);
    let commit =
        to.commit_block_list(&ids).metadata(metadata).conditions(task.destination_conditions());
    let mut commit =
        kept::with_content_headers!(commit, properties).client_request_id(task.client_request_id());
    if settings.tags && !task.item.tags.is_empty() {
        commit = commit.tags(task.item.tags.clone());
    }
    if let Some(tier) = kept::tier(&task.item).filter(|_| settings.tier) {
        commit = commit.tier(tier);
    }
    let destination_etag = match commit.await {
        Ok(written) => written.etag,
        Err(error) => committed_before(&to, &blocks, error).await?,
    };
    Ok(Carried {
        source_etag: Some(etag),
        destination_etag,
        length,
        data: length,
        bytes,
        copy_id: None,
        pieces,
        is_adopted,
        is_found: false,
        changed_metadata,
        left_behind: None,
    })
}

/// One block of a copy.
#[derive(Debug, Clone)]
struct Block {
    id: BlockId,
    range: PageRange,
}

impl Block {
    fn length(&self) -> u64 {
        self.range.len()
    }
}

/// The blocks to stage: those that are not staged yet, or all where a proof is needed.
///
/// What is staged already has no checksum from this run. To stage it again reads and writes it
/// once; to compare it afterwards would take twice as much.
fn missing(task: &Task, blocks: &[Block], staged: &HashMap<BlockId, u64>) -> Vec<Block> {
    let is_staged = |block: &Block| staged.get(&block.id) == Some(&block.length());
    let is_missing = |block: &&Block| task.shared.settings.proved || !is_staged(block);
    blocks.iter().filter(is_missing).cloned().collect()
}

/// The blocks of the copy, in order.
fn planned(task: &Task, etag: &ETag) -> Result<Vec<Block>, NotCarried> {
    let length = task.item.properties.content_length;
    let block = block_length(length, task.shared.settings.block);
    let mut url = task.source().url()?;
    url.set_query(None);
    let starts = (0..length.div_ceil(block)).map(|number| number * block);
    let planned = starts.map(|start| {
        let range = PageRange::from(start..length.min(start + block));
        let hash = Sha256::new()
            .chain_update(url.as_str())
            .chain_update(format!("\n{}\n{range}", etag.as_str()))
            .finalize();
        Ok(Block { id: BlockId::new(hash)?, range })
    });
    planned.collect()
}

/// The uncommitted blocks that this copy can go on from. Removes those that are in its way, if
/// nothing of the blob can be lost by it.
async fn staged(
    task: &Task,
    to: &BlockBlobClient,
    planned: usize,
) -> Result<HashMap<BlockId, u64>, NotCarried> {
    let BlockList { committed, uncommitted, .. } = match to.get_block_list().await {
        Ok(list) => list,
        Err(error) if error.code() == Some(&ErrorCode::BlobNotFound) => return Ok(HashMap::new()),
        Err(error) => return Err(error.into()),
    };
    let foreign = uncommitted.iter().any(|block| block.id.as_bytes().len() != ID_LENGTH);
    let too_many = uncommitted.len() + planned > MOST_UNCOMMITTED;
    if !foreign && !too_many {
        return Ok(uncommitted.into_iter().map(|block| (block.id, block.size)).collect());
    }
    let reported = Why::Skipped(Skipped::ForeignBlocks);
    if task.existing.is_some() || !committed.is_empty() {
        return Err(NotCarried::because(reported));
    }
    // A blob without committed blocks does not exist yet. The condition protects one that does.
    let nothing = Conditions::new().if_none_match(ETag::ANY);
    match to.delete().conditions(nothing).await {
        Ok(()) => Ok(HashMap::new()),
        Err(error) if error.code() == Some(&ErrorCode::BlobNotFound) => Ok(HashMap::new()),
        Err(error) if error.is_retryable() => Err(error.into()),
        Err(error) => Err(NotCarried { why: reported, ..NotCarried::from(error) }),
    }
}

/// Stages these blocks. Returns the pieces that have a checksum, in order.
async fn stage(
    task: &Task,
    to: &BlockBlobClient,
    blocks: Vec<Block>,
) -> Result<Vec<Piece>, NotCarried> {
    let source = &CopySource::from(&task.source());
    let pinned = &task.source_conditions();
    let staged = stream::iter(blocks).map(|Block { id, range }| async move {
        let stage = to.stage_block_from_uri(id, source.clone()).source_range(range);
        let stage = stage.client_request_id(task.client_request_id());
        let block = stage.source_conditions(pinned.clone()).await?;
        let sum = Sum::of(block.content_crc64, block.content_md5);
        Ok::<_, NotCarried>(sum.map(|sum| Piece { offset: range.start, length: range.len(), sum }))
    });
    let staged = staged.buffered(task.shared.settings.in_flight.max(1));
    staged.try_filter_map(|piece| async move { Ok(piece) }).try_collect().await
}

/// The blob's ETag, if Put Block List was refused only because an earlier attempt of it, whose
/// response was lost, had committed the blocks.
async fn committed_before(
    to: &BlockBlobClient,
    blocks: &[Block],
    error: Error,
) -> Result<Option<ETag>, NotCarried> {
    let refused = NotCarried::at_destination(error);
    let lost = refused.error.as_ref().is_some_and(|error| error.may_have_been_applied());
    if refused.why != Why::DestinationChanged || !lost {
        return Err(refused);
    }
    let list = to.get_block_list().await?;
    let found = to.get_properties().await?;
    let ours = list.committed.len() == blocks.len()
        && list.committed.iter().zip(blocks).all(|(block, own)| block.id == own.id);
    match ours && found.content_length == blocks.last().map_or(0, |block| block.range.end) {
        true => Ok(found.etag),
        false => Err(refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_as_long_as_their_blob_needs() {
        for (length, expected, count) in [
            (0, 8 * MIB, 0),
            (1, 8 * MIB, 1),
            (GIB - 1, 8 * MIB, 128),
            (GIB, 64 * MIB, 16),
            (50_000 * 64 * MIB, 64 * MIB, 50_000),
            (50_000 * 64 * MIB + 1, 65 * MIB, 49_231),
            (190 << 40, 3985 * MIB, 49_995),
        ] {
            let block = block_length(length, None);
            assert_eq!((block, length.div_ceil(block)), (expected, count));
        }
        assert_eq!(block_length(5 * MIB, Some(MIB)), MIB);
        assert_eq!(block_length(60_000, Some(1)), MIB);
    }
}
