//! A file as a block blob: in one request if it is small, in blocks if it is not.

use blobcopy::{BlobClient, BlobType, BlockId, LeaseId};
use futures_util::{TryStreamExt, stream};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Put, Sent, shown, unreadable};
use crate::{
    Session,
    args::metadata,
    exit::Exit,
    failure::{Failure, Result},
    limits::Limited,
    wait::FileBar,
};

/// The size of a block, and of what is sent in one request.
const BLOCK: usize = 8 << 20;

pub(super) async fn put(
    args: &Put,
    session: &Session,
    blob: &BlobClient,
    lease: Option<LeaseId>,
) -> Result<Option<Sent>> {
    let mut length = None;
    let mut input: Box<dyn AsyncRead + Unpin> = match args.file.as_str() {
        "-" => Box::new(tokio::io::stdin()),
        file => {
            let opened = tokio::fs::File::open(file).await;
            let opened = opened.map_err(|error| unreadable(file, &error))?;
            length = opened.metadata().await.ok().map(|info| info.len());
            Box::new(opened)
        }
    };
    // What must not be replaced; whoever may not look may write all the same.
    if let Ok(found) = blob.get_properties().limited(&args.calls).await
        && found.blob_type == Some(BlobType::PageBlob)
    {
        return Err(Failure::new(
            Exit::Refused,
            "the blob is a page blob, and would be replaced",
            "write it in place with --page, or delete it first",
        ));
    }
    if !args.changes.allows(&session.printer, &format!("Put Blob {}", shown(blob)?)).await? {
        return Ok(None);
    }
    let bar = &FileBar::new(&session.printer, &args.file, length);
    let blocks = blob.block_blob_client();
    let first = block(&mut input).await.map_err(|error| unreadable(&args.file, &error))?;
    if first.len() < BLOCK {
        let size = first.len() as u64;
        let mut upload =
            blocks.upload(first).limited(&args.calls).metadata(metadata(&args.metadata));
        if let Some(media_type) = &args.content_type {
            upload = upload.content_type(media_type);
        }
        if let Some(id) = lease {
            upload = upload.lease_id(id);
        }
        upload.await?;
        bar.add(size);
        return Ok(Some(sent(size)));
    }
    // Read one after another, and sent so many at once.
    let pieces =
        stream::try_unfold((input, Some(first), 0u32), |(mut input, first, number)| async move {
            let piece = match first {
                Some(first) => first,
                None => block(&mut input).await.map_err(|error| unreadable(&args.file, &error))?,
            };
            Ok::<_, Failure>(
                (!piece.is_empty()).then_some(((number, piece), (input, None, number + 1))),
            )
        });
    let stage = |(number, piece): (u32, Vec<u8>)| {
        let (blocks, lease) = (blocks.clone(), lease.clone());
        async move {
            let (id, size) = (BlockId::numbered(number), piece.len() as u64);
            let mut stage = blocks.stage_block(id, piece).limited(&args.calls);
            if let Some(id) = lease {
                stage = stage.lease_id(id);
            }
            stage.await?;
            bar.add(size);
            Ok::<_, Failure>((number, size))
        }
    };
    let staged = pieces.map_ok(stage).try_buffer_unordered(usize::from(args.concurrency));
    let staged: Vec<(u32, u64)> = staged.try_collect().await?;
    let count = u32::try_from(staged.len()).unwrap_or(u32::MAX);
    let ids = (0..count).map(BlockId::numbered);
    let mut commit = blocks.commit_block_list(ids).limited(&args.calls);
    commit = commit.metadata(metadata(&args.metadata));
    if let Some(media_type) = &args.content_type {
        commit = commit.content_type(media_type);
    }
    if let Some(id) = lease {
        commit = commit.lease_id(id);
    }
    commit.await?;
    Ok(Some(sent(staged.iter().map(|(_, size)| size).sum())))
}

fn sent(size: u64) -> Sent {
    Sent { how: "created", size, written_bytes: size, ..Sent::default() }
}

/// The next block: less than a whole one only at the end.
async fn block(input: &mut (dyn AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut block = Vec::new();
    input.take(BLOCK as u64).read_to_end(&mut block).await?;
    Ok(block)
}
