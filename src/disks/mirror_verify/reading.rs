//! Compares two page blobs by reading both.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::{TryStreamExt, future, stream};

use super::SnapshotOutcome;
use crate::{
    Conditions, ETag, Error, ErrorCode, PageBlobClient, PageRange, Pager,
    disks::{MirrorError, source::Opened},
    jobs::{Differences, IdenticalContent, RangeList, Side, Union, WholeCrc64, crc64_of},
};

/// The longest piece that is read at a time.
const PIECE: u64 = 4 << 20;

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
    let lists = [List::of(&source, 0).await?, List::of(&destination, 0).await?];
    let union = Union::of(lists, PIECE);
    let (source, destination) = (Arc::new(source), Arc::new(destination));
    let both = (Arc::clone(&source), Arc::clone(&destination));
    let pieces = stream::try_unfold(union, |mut union: Union<List>| async move {
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

/// The ranges of one that hold data.
struct List {
    pager: Pager<PageRange>,
    of: Pinned,
    /// The end of the last range.
    at: u64,
}

impl List {
    async fn of(of: &Pinned, at: u64) -> Result<Self, MirrorError> {
        let list = of.blob().await?.get_page_ranges().conditions(of.conditions());
        let pager = if at == 0 { list } else { list.range(at..of.length) };
        Ok(Self { pager, of: of.clone(), at })
    }
}

impl RangeList for List {
    type Error = Stop;

    async fn next(&mut self) -> Result<Option<PageRange>, Stop> {
        loop {
            match self.pager.try_next().await {
                Ok(next) => {
                    self.at = next.map_or(self.at, |range| range.end);
                    return Ok(next);
                }
                Err(error) => {
                    self.of.failed(error).await?;
                    if self.at >= self.of.length {
                        return Ok(None);
                    }
                    // With the new access, from where it was.
                    *self = Self::of(&self.of, self.at).await?;
                }
            }
        }
    }
}
