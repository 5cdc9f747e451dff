//! A list of the ranges of a disk, read a page at a time.
//!
//! Each page is asked for anew, from the end of the last range: so access can be renewed between
//! two pages, and it does no harm that the blob is written before that place meanwhile.

use std::{collections::VecDeque, sync::Arc};

use futures_util::TryStreamExt;

use super::{MirrorError, Opened, reading::Reading, torn::Torn};
use crate::{
    Error, ErrorCode, PageBlobClient, PageRange, PageRangeItem, PageRanges, Pager, PagerItem,
    SnapshotId,
};

/// The smallest part of a disk that is asked for, if the service takes too long for greater ones.
const SMALLEST_PART: u64 = 4 << 20;

/// How many ranges a page has at most; `None` leaves it to the service. Few in the tests of this
/// module, so that all lists have many pages.
const PAGE_SIZE: Option<u32> = if cfg!(test) { Some(9) } else { None };

/// If a part has fewer ranges, the next can be greater.
const FEW: usize = 1000;

/// What is listed.
#[derive(Debug, Clone)]
pub(super) enum Listed {
    /// The pages of the source snapshot that hold data.
    Data(Arc<Reading>),
    /// What changed between the source snapshots.
    Changes(Arc<Reading>, Opened),
    /// The pages of the earlier source snapshot that hold data.
    EarlierData(Arc<Reading>, Opened),
    /// The pages of the destination that hold data.
    Held(PageBlobClient),
    /// What changed at the destination since its own snapshot.
    HeldSince(PageBlobClient, SnapshotId),
}

/// A list of ranges in the order of addresses.
#[derive(Debug)]
pub(super) struct Listing {
    of: Listed,
    /// Where the next page begins.
    at: u64,
    end: u64,
    /// How much is asked for in one request.
    part: u64,
    items: VecDeque<PageRangeItem>,
}

impl Listing {
    /// Lists `range`, in as few requests as the service allows.
    pub(super) fn of(listed: Listed, range: PageRange) -> Self {
        let PageRange { start: at, end } = range;
        Self { of: listed, at, end, part: u64::MAX, items: VecDeque::new() }
    }

    /// Lists no more than `part` bytes of the disk at a time.
    pub(super) fn part(mut self, part: u64) -> Self {
        self.part = part;
        self
    }

    /// The first item that does not end before `from`, without what lies before that.
    pub(super) async fn front(&mut self, from: u64) -> Result<Option<PageRangeItem>, Torn> {
        loop {
            while let Some(front) = self.items.front() {
                if let Some(item) = within(front, PageRange::from(from..self.end)) {
                    return Ok(Some(item));
                }
                self.items.pop_front();
            }
            self.at = self.at.max(from);
            if self.at >= self.end {
                return Ok(None);
            }
            self.fetch().await?;
        }
    }

    async fn fetch(&mut self) -> Result<(), Torn> {
        let end = self.end.min(self.at.saturating_add(self.part));
        let range = PageRange::from(self.at..end);
        match self.of.page(range).await {
            Ok(page) => {
                if page.items.len() < FEW && !page.is_cut_off {
                    self.part = self.part.saturating_mul(2);
                }
                let last = page.items.last().map_or(self.at, |last| last.range().end);
                self.items.extend(page.items.iter().filter_map(|item| within(item, range)));
                self.at = if page.is_cut_off { last.max(self.at) } else { end };
                Ok(())
            }
            Err(Torn::Failed(error))
                if range.len() > SMALLEST_PART
                    && error.as_call().and_then(Error::code)
                        == Some(&ErrorCode::OperationTimedOut) =>
            {
                let part = range.len() / 4;
                self.part = part.next_multiple_of(512).max(SMALLEST_PART);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

fn within(item: &PageRangeItem, part: PageRange) -> Option<PageRangeItem> {
    let PageRange { start, end } = item.range();
    let cut = PageRange::from(start.max(part.start)..end.min(part.end));
    let cut = Some(cut).filter(|cut| !cut.is_empty())?;
    Some(match item.is_clear() {
        true => PageRangeItem::ClearRange(cut),
        false => PageRangeItem::PageRange(cut),
    })
}

macro_rules! sized {
    ($list:expr) => {
        match PAGE_SIZE {
            Some(size) => $list.page_size(size),
            None => $list,
        }
    };
}

/// A page of a list.
struct Page {
    items: Vec<PageRangeItem>,
    /// Whether there is more in the range that was asked for.
    is_cut_off: bool,
}

impl Listed {
    async fn page(&self, range: PageRange) -> Result<Page, Torn> {
        let mut access = match self {
            Self::Data(reading) | Self::Changes(reading, _) | Self::EarlierData(reading, _) => {
                Some((reading, reading.access()))
            }
            Self::Held(_) | Self::HeldSince(..) => None,
        };
        loop {
            let error = match self.once(range).await? {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            match (&mut access, error.code()) {
                (_, Some(code)) if self.is_refusal(&error) => {
                    return Err(Torn::DiffRefused(code.as_str().to_owned()));
                }
                (Some((reading, access)), _) => reading.mend(error, access).await?,
                (None, _) => return Err(error.into()),
            }
        }
    }

    /// Whether the service cannot tell this difference. Any other refusal is an error: it must not
    /// move the whole disk.
    fn is_refusal(&self, error: &Error) -> bool {
        matches!(self, Self::Changes(..) | Self::HeldSince(..))
            && matches!(
                error.code(),
                Some(
                    ErrorCode::BlobOverwritten
                        | ErrorCode::BlobGenerationMismatch
                        | ErrorCode::PreviousSnapshotNotFound
                        | ErrorCode::PreviousSnapshotCannotBeNewer
                        | ErrorCode::PreviousSnapshotOperationNotSupported
                )
            )
    }

    async fn once(&self, range: PageRange) -> Result<Result<Page, Error>, MirrorError> {
        let data = match self {
            Self::Data(reading) => reading.to.blob().await?,
            Self::EarlierData(_, from) => from.blob().await?,
            Self::Held(blob) => blob.clone(),
            Self::Changes(reading, from) => {
                let changes = reading.to.changes_since(from, range).await?;
                return Ok(first(sized!(changes), |item| item).await);
            }
            Self::HeldSince(blob, snapshot) => {
                let changes = blob.get_page_ranges_diff(snapshot).range(range);
                return Ok(first(sized!(changes), |item| item).await);
            }
        };
        let data = data.get_page_ranges().range(range);
        Ok(first(sized!(data), PageRangeItem::PageRange).await)
    }
}

/// The first page of a list that has ranges, or the last.
async fn first<T>(list: Pager<T>, item: impl Fn(T) -> PageRangeItem) -> Result<Page, Error>
where
    T: PagerItem<Page = PageRanges<T>>,
{
    let mut pages = list.pages();
    loop {
        let Some(page) = pages.try_next().await? else {
            return Ok(Page { items: Vec::new(), is_cut_off: false });
        };
        if !page.ranges.is_empty() || page.next_marker.is_none() {
            let items = page.ranges.into_iter().map(&item).collect();
            return Ok(Page { items, is_cut_off: page.next_marker.is_some() });
        }
    }
}
