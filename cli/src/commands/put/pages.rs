//! A disk into a page blob, in place.

use std::ops::Range;

use blobcopy::{
    BlobClient, BlobProperties, BlobType, Conditions, GuardedPages, LeaseId, PageBlobClient,
    bytes::Bytes,
};
use futures_util::{TryStreamExt, stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
    sync::{Semaphore, SemaphorePermit},
};

use super::{
    Put, Sent,
    runs::{Before, extent, requests},
    shown, unreadable,
};
use crate::{
    Session,
    args::metadata,
    exit::Exit,
    failure::{Failure, Result},
    limits::Limited,
    listing,
    wait::FileBar,
};

/// How much of the file is read at once, and the most that one request writes.
const PIECE: u64 = 4 << 20;
/// How many pieces are in memory at once, each up to three times while the blob is read. Whatever
/// the number of requests, more would only fill the memory.
const PIECES: usize = 32;
const PAGE: u64 = 512;

pub(super) async fn put(
    args: &Put,
    session: &Session,
    blob: &BlobClient,
    lease: Option<LeaseId>,
) -> Result<Option<Sent>> {
    let file = File::open(&args.file).await.map_err(|error| unreadable(&args.file, &error))?;
    let size = file.metadata().await.map_err(|error| unreadable(&args.file, &error))?.len();
    if size == 0 || !size.is_multiple_of(PAGE) {
        return Err(Failure::usage(
            format!("{} has {size} bytes, and a page blob is a multiple of 512", args.file),
            "extend the file: truncate --size %512 FILE",
        ));
    }
    let found = blob.get_properties().limited(&args.calls).await.map_err(Failure::from);
    let existing = match found {
        Ok(found) => Some(found),
        Err(failure) if failure.is_not_found() => None,
        Err(failure) => return Err(failure),
    };
    refuse_other_types(existing.as_ref())?;
    let target = Target { args, pages: blob.page_blob_client(), lease };
    let how = match (&existing, args.recreate) {
        (None, _) => "created",
        (Some(_), true) => "recreated",
        (Some(_), false) => "written in place",
    };
    let (place, held) = (shown(blob)?, existing.as_ref().map(|found| found.content_length));
    let what = match (how, held) {
        ("written in place", Some(held)) if held != size => {
            format!("Put Page to {place} in place, resized from {held} to {size} bytes")
        }
        ("written in place", _) => format!("Put Page to {place} in place"),
        (_, Some(held)) => {
            format!("Put Blob {place} as a page blob of {size} bytes, over one of {held} bytes")
        }
        (_, None) => format!("Put Blob {place} as a page blob of {size} bytes"),
    };
    // Said before the question, and where nothing is sent too.
    if how == "recreated" {
        session.printer.note(
            "warning: a blob that is created again breaks its incremental series: its copies need \
             a new destination",
        );
    } else if let Some(held) = held.filter(|held| *held > size) {
        session.printer.note(&format!(
            "warning: the blob shrinks from {held} to {size} bytes: what is behind is lost"
        ));
    }
    if !args.changes.allows(&session.printer, &what).await? {
        return Ok(None);
    }
    let in_place = existing.as_ref().filter(|_| !args.recreate);
    let (guard, held) = match in_place {
        None => (target.create(existing.as_ref(), size).await?, Vec::new()),
        Some(found) => target.open(found, size).await?,
    };
    let compares = in_place.is_some() && !args.all;
    let requests = Semaphore::new(usize::from(args.concurrency));
    let writing = &Writing { target, guard, held, compares, requests };
    let bar = &FileBar::new(&session.printer, &args.file, Some(size));
    let pieces = stream::try_unfold((file, 0), |(mut file, offset)| async move {
        let piece = piece(&mut file, offset, size).await;
        let piece = piece.map_err(|error| unreadable(&args.file, &error))?;
        let end = offset + piece.len() as u64;
        Ok::<_, Failure>((!piece.is_empty()).then_some(((offset, piece), (file, end))))
    });
    // Read one after another, and sent several at once.
    let sent = pieces.map_ok(|(offset, piece)| async move {
        let length = piece.len() as u64;
        let sent = writing.piece(offset, piece.into()).await?;
        bar.add(length);
        Ok(sent)
    });
    let sent = sent.try_buffer_unordered(usize::from(args.concurrency).min(PIECES));
    let (written_bytes, cleared_bytes) = sent.try_fold((0, 0), sum).await?;
    let left_alone_bytes = size - written_bytes - cleared_bytes;
    Ok(Some(Sent { how, size, written_bytes, cleared_bytes, left_alone_bytes, ..Sent::default() }))
}

/// Bytes that were written, and bytes that were cleared.
type Bytewise = (u64, u64);

async fn sum(first: Bytewise, second: Bytewise) -> Result<Bytewise> {
    Ok((first.0 + second.0, first.1 + second.1))
}

/// A disk that is being written.
struct Writing<'a> {
    target: Target<'a>,
    guard: GuardedPages,
    /// Where the blob holds data: offsets and lengths, in order.
    held: Vec<(u64, u64)>,
    /// Whether the blob is read first, and only what differs is written.
    compares: bool,
    /// So many requests at once.
    requests: Semaphore,
}

impl Writing<'_> {
    /// Makes the blob hold a piece of the disk.
    async fn piece(&self, offset: u64, piece: Bytes) -> Result<Bytewise> {
        let requests = match self.compares {
            true => {
                let bytes = self.bytes(offset, piece.len()).await?;
                requests(offset, &piece, Before::Bytes(&bytes))
            }
            false => requests(offset, &piece, Before::Ranges(&self.held)),
        };
        let sent = stream::iter(requests.into_iter().map(Ok)).map_ok(|request| {
            let piece = piece.clone();
            async move {
                let (start, end) = request.place();
                let within = |at: u64| usize::try_from(at - offset).expect("within the piece");
                let data = request.is_write().then(|| piece.slice(within(start)..within(end)));
                let _one = self.one().await;
                self.target.write(&self.guard, start..end, data).await?;
                Ok(if request.is_write() { (end - start, 0) } else { (0, end - start) })
            }
        });
        let at_once = usize::from(self.target.args.concurrency);
        sent.try_buffer_unordered(at_once).try_fold((0, 0), sum).await
    }

    /// What the blob holds in place of a piece.
    async fn bytes(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let Some((start, end)) = extent(&self.held, offset, length as u64) else {
            return Ok(bytes);
        };
        let _one = self.one().await;
        let download = self.target.pages.download().range(start..end);
        let read = download.limited(&self.target.args.calls).await?.bytes().await?;
        let place = usize::try_from(start - offset).expect("within the piece");
        match bytes.get_mut(place..place + read.len()) {
            Some(part) if start + read.len() as u64 == end => part.copy_from_slice(&read),
            _ => {
                return Err(Failure::new(
                    Exit::Refused,
                    "the blob has changed its size meanwhile",
                    "see what else writes there, and run the command again",
                ));
            }
        }
        Ok(bytes)
    }

    async fn one(&self) -> SemaphorePermit<'_> {
        self.requests.acquire().await.expect("nothing closes it")
    }
}

/// The next piece of the disk; at its end nothing.
async fn piece(file: &mut File, offset: u64, size: u64) -> std::io::Result<Vec<u8>> {
    let length = PIECE.min(size - offset);
    let mut piece = vec![0; usize::try_from(length).expect("a piece fits")];
    file.seek(std::io::SeekFrom::Start(offset)).await?;
    file.read_exact(&mut piece).await?;
    Ok(piece)
}

fn refuse_other_types(existing: Option<&BlobProperties>) -> Result {
    let Some(found) = existing else { return Ok(()) };
    if found.is_incremental_copy {
        return Err(Failure::new(
            Exit::Refused,
            "the blob is made by incremental copies, and nothing else may be written there",
            "write to the source of those copies, or to another blob",
        ));
    }
    match &found.blob_type {
        Some(BlobType::PageBlob) | None => Ok(()),
        Some(other) => Err(Failure::new(
            Exit::Refused,
            format!("the blob is a {other}, not a page blob"),
            "name another blob, or delete this one first",
        )),
    }
}

/// The page blob that is written.
struct Target<'a> {
    args: &'a Put,
    pages: PageBlobClient,
    lease: Option<LeaseId>,
}

impl Target<'_> {
    /// Makes it anew, with a number that no earlier run has written with.
    async fn create(&self, found: Option<&BlobProperties>, size: u64) -> Result<GuardedPages> {
        let number = number_above(found)?;
        let mut create = self.pages.create(size).sequence_number(number).limited(&self.args.calls);
        create = create.metadata(metadata(&self.args.metadata));
        if let Some(id) = &self.lease {
            create = create.lease_id(id.clone());
        }
        create.await?;
        let pages = self.pages.guarded_pages(number);
        Ok(match &self.lease {
            Some(id) => pages.lease_id(id.clone()),
            None => pages,
        })
    }

    /// Takes it over, with a new sequence number, so that the writes of whoever took it over before
    /// are refused from here on; gives it the size, and says where it holds data.
    async fn open(
        &self,
        found: &BlobProperties,
        size: u64,
    ) -> Result<(GuardedPages, Vec<(u64, u64)>)> {
        let mut claim = self.pages.guard_writes(number_above(Some(found))?);
        claim = claim.limited(&self.args.calls);
        if let Some(id) = &self.lease {
            claim = claim.lease_id(id.clone());
        }
        let guard = claim.await?;
        if found.content_length != size {
            let mut resize = self.pages.resize(size).limited(&self.args.calls);
            if let Some(id) = &self.lease {
                resize = resize.lease_id(id.clone());
            }
            resize.await?;
        }
        let held = listing::ranges(&self.pages, Conditions::new(), &self.args.calls).await?;
        Ok((guard, held))
    }

    /// Writes data at a place, or clears it.
    async fn write(
        &self,
        guard: &GuardedPages,
        place: Range<u64>,
        data: Option<Bytes>,
    ) -> Result<()> {
        match data {
            Some(data) => guard.upload_pages(place.start, data).limited(&self.args.calls).await?,
            None => guard.clear_pages(place).limited(&self.args.calls).await?,
        };
        Ok(())
    }
}

/// A sequence number for the writes of this run.
fn number_above(found: Option<&BlobProperties>) -> Result<u64> {
    let current = found.and_then(|found| found.sequence_number).unwrap_or_default();
    Ok(GuardedPages::number_above(current)?)
}
