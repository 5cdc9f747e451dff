//! Compares two page blobs by reading both.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::{TryStreamExt, future, stream};

use super::SnapshotOutcome;
use crate::{
    Conditions, ETag, Error, ErrorCode, PageBlobClient, PageRange, Pager,
    disks::{MirrorError, source::Opened},
    jobs::{Differences, IdenticalContent, Side, WholeCrc64, crc64_of},
};

/// The longest piece that is read at a time.
const PIECE: u64 = 4 << 20;

/// Ranges that are no more than this apart are read together.
const GAP: u64 = 64 << 10;

const PAGE: usize = 512;

/// How many differences are looked for.
const MOST: usize = 16;

/// One of both, pinned by its ETag.
#[derive(Debug, Clone)]
struct Pinned {
    way: Way,
    side: Side,
    etag: Option<ETag>,
    length: u64,
}

#[derive(Debug, Clone)]
enum Way {
    Source(Opened),
    Destination(PageBlobClient),
}

/// Why a comparison ends early.
enum Stop {
    Outcome(SnapshotOutcome),
    Error(MirrorError),
}

impl From<MirrorError> for Stop {
    fn from(error: MirrorError) -> Self {
        Self::Error(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error.into())
    }
}

/// Compares a source snapshot with its copy. At most `in_flight` pieces of 4 MiB are in memory.
pub(super) async fn compare(
    source: &Opened,
    destination: &PageBlobClient,
    in_flight: usize,
) -> Result<SnapshotOutcome, MirrorError> {
    ended(compare_both(Way::Source(source.clone()), destination, in_flight).await)
}

/// Reads a copy alone, for its CRC-64.
pub(super) async fn read(
    destination: &PageBlobClient,
    in_flight: usize,
) -> Result<SnapshotOutcome, MirrorError> {
    let itself = Way::Destination(destination.clone());
    ended(compare_both(itself, destination, in_flight).await)
}

fn ended(ended: Result<SnapshotOutcome, Stop>) -> Result<SnapshotOutcome, MirrorError> {
    match ended {
        Ok(outcome) | Err(Stop::Outcome(outcome)) => Ok(outcome),
        Err(Stop::Error(error)) => Err(error),
    }
}

async fn compare_both(
    source: Way,
    destination: &PageBlobClient,
    in_flight: usize,
) -> Result<SnapshotOutcome, Stop> {
    let source = Pinned::look(source, Side::Source).await?;
    let destination = Way::Destination(destination.clone());
    let destination = Pinned::look(destination, Side::Destination).await?;
    let (source_length, destination_length) = (source.length, destination.length);
    let different = |ranges: Vec<PageRange>, may_be_more| {
        let lengths = Differences { source_length, destination_length, ranges, may_be_more };
        SnapshotOutcome::Different(lengths)
    };
    if source_length != destination_length {
        let (shorter, longer) =
            (source_length.min(destination_length), source_length.max(destination_length));
        return Ok(different(vec![PageRange::from(shorter..longer)], true));
    }
    let union = Union::of(&source, &destination).await?;
    let (source, destination) = (Arc::new(source), Arc::new(destination));
    let both = (Arc::clone(&source), Arc::clone(&destination));
    let pieces = stream::try_unfold(union, |mut union: Union| async move {
        Ok::<_, Stop>(union.next().await?.map(|piece| (piece, union)))
    });
    let compared = pieces
        .map_ok(move |piece| compare_piece(Arc::clone(&both.0), Arc::clone(&both.1), piece))
        .try_buffered((in_flight / 2).max(1));
    let mut compared = std::pin::pin!(compared);
    let (mut whole, mut found) = (WholeCrc64::new(), Vec::<PageRange>::new());
    while let Some(compared) = compared.try_next().await? {
        whole.push_zeros(compared.piece.start.saturating_sub(whole.length()));
        whole.push(crc64_of(&compared.source), compared.source.len() as u64);
        for range in compared.different {
            match found.last_mut().filter(|last| last.end == range.start) {
                Some(last) => last.end = range.end,
                None => found.push(range),
            }
        }
        if found.len() > MOST {
            found.truncate(MOST);
            return Ok(different(found, true));
        }
    }
    if !found.is_empty() {
        return Ok(different(found, false));
    }
    whole.push_zeros(source_length.saturating_sub(whole.length()));
    Ok(match (source.etag.clone(), destination.etag.clone()) {
        (Some(source_etag), Some(destination_etag)) => {
            let (length, crc64) = (whole.length(), whole.value());
            SnapshotOutcome::Identical(IdenticalContent {
                length,
                crc64,
                source_etag,
                destination_etag,
            })
        }
        _ => SnapshotOutcome::Unverifiable("the service sends no ETag".to_owned()),
    })
}

struct Compared {
    piece: Range<u64>,
    source: Bytes,
    different: Vec<PageRange>,
}

async fn compare_piece(
    source: Arc<Pinned>,
    destination: Arc<Pinned>,
    piece: Range<u64>,
) -> Result<Compared, Stop> {
    let (one, other) =
        future::try_join(source.read(piece.clone()), destination.read(piece.clone())).await?;
    if one.len() != other.len() {
        let why = "a read was cut short".to_owned();
        return Err(Stop::Outcome(SnapshotOutcome::Unverifiable(why)));
    }
    let pages = one.chunks(PAGE).zip(other.chunks(PAGE)).zip(piece.clone().step_by(PAGE));
    let different = pages.filter(|((one, other), _)| one != other).map(|(_, start)| {
        let end = piece.end.min(start + PAGE as u64);
        PageRange::from(start..end)
    });
    let different = different.collect();
    Ok(Compared { piece, source: one, different })
}

impl Pinned {
    async fn look(way: Way, side: Side) -> Result<Self, Stop> {
        let mut pinned = Self { way, side, etag: None, length: 0 };
        let properties = loop {
            match pinned.blob().await?.get_properties().await {
                Ok(properties) => break properties,
                Err(error) => pinned.failed(error).await?,
            }
        };
        pinned.etag = properties.etag;
        pinned.length = properties.content_length;
        Ok(pinned)
    }

    fn conditions(&self) -> Conditions {
        Conditions::new().if_match(self.etag.clone().unwrap_or(ETag::ANY))
    }

    async fn blob(&self) -> Result<PageBlobClient, MirrorError> {
        match &self.way {
            Way::Source(opened) => opened.blob().await,
            Way::Destination(blob) => Ok(blob.clone()),
        }
    }

    async fn read(&self, piece: Range<u64>) -> Result<Bytes, Stop> {
        loop {
            let download = self.blob().await?.download().range(piece.clone());
            let read = match download.conditions(self.conditions()).await {
                Ok(download) => download.bytes().await,
                Err(error) => Err(error),
            };
            match read {
                Ok(bytes) => return Ok(bytes),
                Err(error) => self.failed(error).await?,
            }
        }
    }

    /// What a failure means; `Ok` if another try may succeed.
    async fn failed(&self, error: Error) -> Result<(), Stop> {
        if let Way::Source(opened) = &self.way
            && opened.mend(&error).await?
        {
            return Ok(());
        }
        let outcome = match (error.code(), self.side) {
            (Some(ErrorCode::BlobNotFound | ErrorCode::ContainerNotFound), Side::Source) => {
                SnapshotOutcome::SourceGone
            }
            (Some(ErrorCode::BlobNotFound | ErrorCode::ContainerNotFound), _) => {
                SnapshotOutcome::DestinationGone
            }
            (Some(ErrorCode::ConditionNotMet), side) => SnapshotOutcome::Changed(side),
            _ if matches!(error.status().map(|status| status.as_u16()), Some(401 | 403)) => {
                SnapshotOutcome::Unverifiable(error.to_string())
            }
            _ => return Err(error.into()),
        };
        Err(Stop::Outcome(outcome))
    }
}

/// The ranges that hold data in either, ascending, in pieces.
struct Union {
    lists: [List; 2],
    /// All before it is in a piece, or holds no data.
    done: u64,
    /// The rest of a range that was longer than a piece.
    rest: Option<Range<u64>>,
}

struct List {
    pager: Pager<PageRange>,
    next: Option<PageRange>,
    of: Pinned,
}

impl Union {
    async fn of(source: &Pinned, destination: &Pinned) -> Result<Self, Stop> {
        let lists = [List::of(source).await?, List::of(destination).await?];
        Ok(Self { lists, done: 0, rest: None })
    }

    async fn next(&mut self) -> Result<Option<Range<u64>>, Stop> {
        let first = match self.rest.take() {
            None => self.first(u64::MAX).await?,
            rest => rest,
        };
        let Some(mut run) = first else { return Ok(None) };
        while run.end - run.start < PIECE {
            match self.first(run.end + GAP).await? {
                Some(next) => run.end = run.end.max(next.end),
                None => break,
            }
        }
        let end = run.end.min(run.start + PIECE);
        self.rest = (end < run.end).then_some(end..run.end);
        self.done = run.end;
        Ok(Some(run.start..end))
    }

    /// Takes the next range that begins at `limit` or before, without what is done.
    async fn first(&mut self, limit: u64) -> Result<Option<Range<u64>>, Stop> {
        loop {
            let [one, other] = &mut self.lists;
            let (a, b) = (one.peek().await?, other.peek().await?);
            let list = match (a, b) {
                (None, None) => return Ok(None),
                (Some(a), Some(b)) if b < a => other,
                (None, Some(_)) => other,
                _ => one,
            };
            let Some(range) = list.next.take_if(|range| range.start <= limit) else {
                return Ok(None);
            };
            if range.end > self.done {
                return Ok(Some(range.start.max(self.done)..range.end));
            }
        }
    }
}

impl List {
    async fn of(of: &Pinned) -> Result<Self, Stop> {
        let pager = of.blob().await?.get_page_ranges().conditions(of.conditions());
        Ok(Self { pager, next: None, of: of.clone() })
    }

    async fn peek(&mut self) -> Result<Option<u64>, Stop> {
        if self.next.is_none() {
            self.next = match self.pager.try_next().await {
                Ok(next) => next,
                Err(error) => {
                    self.of.failed(error).await?;
                    // Again from the beginning: what is done is left out.
                    *self = Self::of(&self.of).await?;
                    self.pager.try_next().await?
                }
            };
        }
        Ok(self.next.map(|range| range.start))
    }
}
