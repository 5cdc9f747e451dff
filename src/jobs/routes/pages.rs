//! A page blob of another account, range by range.
//!
//! 1. The destination is created with its length, filled with zeros, with a [`Mark`] in place of
//!    the source's metadata, and with a sequence number that guards the writes: see
//!    [`GuardedPages`]. A destination that has the mark of this source is gone on with instead; its
//!    number is noted in the mark and raised first.
//! 2. A snapshot of the source is taken, unless the job says to pin its ETag instead.
//! 3. Put Page From URL writes the ranges that hold data.
//! 4. The snapshot is deleted. Its own metadata has a tag of the mark, so the run after a crash
//!    finds it.
//! 5. The number of the source is set, then its metadata, which takes the mark off. Both depend on
//!    the ETag at which the mark and the number were seen to be those of this run.
//!
//! What a torn run may be trusted with: a blob with the mark began as zeros, and whoever writes to
//! it has the mark's number. So each page of it that holds data has the source's content at the
//! ETag of the mark, in whatever order the pages came and wherever the run was torn. A piece is
//! skipped only if all its pages hold data; a piece that is there in part is written again. Writes
//! of runs that were torn earlier are refused once the number is raised, and the pages are listed
//! after that.

mod claim;
mod pieces;
mod reading;

use futures_util::TryStreamExt;

use self::{
    claim::Claim,
    pieces::{Held, Pieces},
    reading::Reading,
};
use super::{NotCarried, Why, kept, mark::Mark};
use crate::{
    Conditions, CopySource, ETag, GuardedPages, Metadata, PageRange, SequenceNumberAction,
    jobs::task::{Carried, Cost, Piece, Sum, Task},
};

/// The most bytes that one request writes.
const PIECE: u64 = 4 << 20;

/// How often a step is tried against other writers of the destination.
const ATTEMPTS: usize = 4;

/// What it takes: a request for each piece that is missing, and those around them.
pub(crate) async fn cost(task: &Task) -> Result<Cost, NotCarried> {
    let Some(etag) = &task.item.properties.etag else { return Ok(Cost::default()) };
    let length = task.item.properties.content_length;
    let snapshots = task.shared.settings.snapshot_sources;
    let existing = task.existing.as_ref().map(|existing| &existing.properties);
    let partial = claim::partial(task, existing, etag);
    let pages = |ranges| if length > 0 { pieces::pages(ranges) } else { 0 };
    // Create, or note a number and raise it; properties, number and metadata at the end.
    let mut requests = if partial.is_some() { 5 } else { 4 };
    let mut held = None;
    if let Some(mark) = partial {
        if !task.shared.settings.proved {
            let to = task.destination().page_blob_client();
            let etag = existing.and_then(|existing| existing.etag.as_ref());
            let found = Held::read(&to, etag, length).await?;
            requests += pages(found.listed);
            held = Some(found);
        }
        let tag = mark.snapshot.filter(|_| snapshots);
        let taken = match tag {
            Some(tag) => reading::snapshots(task, tag).await?.len() as u64,
            None => 0,
        };
        // List, then take one if there is none, and delete all.
        requests += u64::from(tag.is_some()) + taken;
        requests += if snapshots && taken == 0 { 2 } else { 0 };
    } else if snapshots {
        requests += 2;
    }
    let mut pieces = Pieces::of(&Reading::of_base(task, etag), length, held);
    let mut bytes = 0;
    while let Some((piece, is_held)) = pieces.next().await? {
        if !is_held {
            requests += 1;
            bytes += piece.len();
        }
    }
    requests += pages(pieces.listed);
    Ok(Cost { requests, bytes })
}

/// Copies the blob of `task`, or what is missing of it.
pub(crate) async fn carry(task: &Task) -> Result<Carried, NotCarried> {
    let Some(etag) = task.item.properties.etag.clone() else {
        return Err(NotCarried::because(Why::SourceChanged));
    };
    let claim = Claim::of(task, &etag).await?;
    let reading = Reading::begin(task, &claim, &etag).await;
    let reading = reading.map_err(|error| error.beside(claim.left_behind.clone()))?;
    let written = write(task, &claim, &reading).await;
    // While the mark is on, a later run finds the snapshot: it is deleted first.
    let left_behind = reading.end(task).await.or(claim.left_behind);
    let Written { data, bytes, pieces } =
        written.map_err(|error| error.beside(left_behind.clone()))?;
    let (metadata, changed_metadata) = kept::metadata(&task.item);
    let finished = finish(task, &claim.mark, &metadata).await;
    Ok(Carried {
        destination_etag: finished.map_err(|error| error.beside(left_behind.clone()))?,
        source_etag: Some(etag),
        length: task.item.properties.content_length,
        data,
        bytes,
        copy_id: None,
        pieces,
        is_adopted: claim.is_resumed,
        is_found: false,
        changed_metadata,
        left_behind,
    })
}

/// What a run has written.
struct Written {
    /// The bytes of all ranges that hold data.
    data: u64,
    bytes: u64,
    /// Every piece of the blob, or none.
    pieces: Vec<Piece>,
}

/// Writes what is missing.
async fn write(task: &Task, claim: &Claim, reading: &Reading) -> Result<Written, NotCarried> {
    let to = task.destination().page_blob_client();
    let settings = &task.shared.settings;
    let length = task.item.properties.content_length;
    // Pages that are there already have no checksum from this run: see the route of blocks.
    let held = match claim.is_resumed && !settings.proved {
        true => Some(Held::read(&to, claim.etag.as_ref(), length).await?),
        false => None,
    };
    let source = &reading.source();
    let pages = &to.guarded_pages(claim.mark.guard);
    let mut all_summed = true;
    let mut sent = Written { data: 0, bytes: 0, pieces: Vec::new() };
    let all = Pieces::of(reading, length, held).stream();
    let written = all.map_ok(|(range, is_held)| async move {
        match is_held {
            true => Ok((range, 0, None)),
            false => put(task, pages, source, &reading.pinned, range).await,
        }
    });
    let mut written = std::pin::pin!(written.try_buffered(settings.in_flight.max(1)));
    while let Some(piece) = written.try_next().await.map_err(|error| reading.seen(error))? {
        let (range, bytes, sum) = piece;
        sent.data += range.len();
        sent.bytes += bytes;
        match sum.filter(|_| all_summed) {
            Some(sum) => sent.pieces.push(Piece { offset: range.start, length: range.len(), sum }),
            None => all_summed = false,
        }
    }
    if !all_summed {
        sent.pieces.clear();
    }
    Ok(sent)
}

/// Writes one piece.
async fn put(
    task: &Task,
    pages: &GuardedPages,
    source: &CopySource,
    pinned: &Conditions,
    range: PageRange,
) -> Result<(PageRange, u64, Option<Sum>), NotCarried> {
    let write = pages.upload_pages_from_uri(source.clone(), range, range.start);
    let write = write.client_request_id(task.client_request_id());
    let written = write.source_conditions(pinned.clone()).await?;
    Ok((range, range.len(), Sum::of(written.content_crc64, written.content_md5)))
}

/// Sets the source's sequence number and metadata, if the blob is as this run has left it. Returns
/// its last ETag.
async fn finish(task: &Task, mark: &Mark, metadata: &Metadata) -> Result<Option<ETag>, NotCarried> {
    let to = task.destination().page_blob_client();
    let number = task.item.properties.sequence_number.unwrap_or_default();
    let mut refused = NotCarried::because(Why::DestinationChanged);
    for _ in 0..ATTEMPTS {
        let found = to.get_properties().await?;
        let lost = refused.error.as_ref().is_some_and(|error| error.may_have_been_applied());
        if lost && found.metadata == *metadata && found.sequence_number == Some(number) {
            return Ok(found.etag);
        }
        if Mark::read(&found.metadata).as_ref() != Some(mark) {
            return Err(refused);
        }
        let unchanged =
            |etag: &Option<ETag>| Conditions::new().if_match(etag.clone().unwrap_or(ETag::ANY));
        let numbered = match found.sequence_number {
            Some(found) if found != mark.guard && found != number => return Err(refused),
            Some(set) if set == number => Ok(found.etag),
            _ => {
                let set = to.set_sequence_number(SequenceNumberAction::Update(number));
                set.conditions(unchanged(&found.etag)).await.map(|set| set.etag)
            }
        };
        let finished = match numbered {
            Ok(etag) => {
                let set = to.set_metadata(metadata.clone()).conditions(unchanged(&etag));
                set.client_request_id(task.client_request_id()).await
            }
            Err(error) => Err(error),
        };
        // A write of this run that comes late changes the ETag, and nothing else.
        refused = match finished {
            Ok(finished) => return Ok(finished.etag),
            Err(error) => NotCarried::at_destination(error),
        };
        if refused.why != Why::DestinationChanged {
            break;
        }
    }
    Err(refused)
}
