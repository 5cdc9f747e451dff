//! What to write, as one stream in the order of addresses.

use futures_util::{Stream, stream};

use super::{
    listing::{Listed, Listing},
    torn::Torn,
};
use crate::{PageRange, PageRangeItem};

/// The most bytes that one request writes.
pub(super) const PIECE: u64 = 4 << 20;

/// The most bytes between two notes: what a torn hop may write again. Fewer in the tests of this
/// module, whose disks are small.
pub(super) const WINDOW: u64 = if cfg!(test) { 32 << 10 } else { 1 << 30 };

/// The most requests between two notes.
const MOST_REQUESTS: u32 = if cfg!(test) { 8 } else { 4096 };

/// How much is looked up at a time where only the destination was written.
const LOOKED_UP: u64 = 1 << 30;

/// A request that changes pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Copy it from the source.
    Write(PageRange),
    Clear(PageRange),
}

/// The changes of a hop.
#[derive(Debug)]
pub(super) struct Changes {
    merged: Merged,
    /// What is joined and not yet cut off.
    joined: Option<Change>,
    /// A change that does not join.
    next: Option<Change>,
    /// All before this has been given out.
    pub(super) at: u64,
    pub(super) is_done: bool,
}

/// The lists that the changes come from.
#[derive(Debug)]
struct Merged {
    /// What the source says.
    wanted: Listing,
    /// What was written at the destination, or what it holds if everything is copied.
    touched: Option<Listing>,
    /// The data of the source, where only the destination was written. `None` if everything is
    /// copied: `wanted` has it all.
    data: Option<Listing>,
    at: u64,
    /// The bytes that only the destination was written at.
    besides: u64,
}

impl Changes {
    /// The difference that `changed` lists, and what was `touched` besides: `data` says whether the
    /// source has data there.
    pub(super) fn difference(
        changed: Listed,
        touched: Option<Listing>,
        data: Listed,
        range: PageRange,
    ) -> Self {
        let data = Some(Listing::of(data, range).part(LOOKED_UP));
        Self::of(Listing::of(changed, range), touched, data, range)
    }

    /// All `data`, and a clear of what is `held` besides.
    pub(super) fn whole(data: Listed, held: Option<Listing>, range: PageRange) -> Self {
        Self::of(Listing::of(data, range), held, None, range)
    }

    fn of(
        wanted: Listing,
        touched: Option<Listing>,
        data: Option<Listing>,
        range: PageRange,
    ) -> Self {
        let at = range.start;
        let merged = Merged { wanted, touched, data, at, besides: 0 };
        Self { merged, joined: None, next: None, at, is_done: false }
    }

    /// How many bytes were written at the destination alone, and are put right.
    pub(super) fn besides(&self) -> u64 {
        self.merged.besides
    }

    /// The changes until the next note.
    pub(super) fn window(&mut self) -> impl Stream<Item = Result<Change, Torn>> + Send + '_ {
        stream::try_unfold((self, 0_u64, 0_u32), async |(changes, bytes, requests)| {
            if bytes >= WINDOW || requests >= MOST_REQUESTS {
                return Ok(None);
            }
            let change = changes.next().await?;
            Ok(change.map(|change| {
                let bytes = bytes + change.written();
                (change, (changes, bytes, requests + 1))
            }))
        })
    }

    /// The next change: adjacent ones are joined, writes are cut at 4 MiB.
    pub(super) async fn next(&mut self) -> Result<Option<Change>, Torn> {
        while self.next.is_none() && self.joined.is_none_or(|joined| joined.written() < PIECE) {
            let Some(change) = self.merged.next().await? else { break };
            match self.joined.and_then(|joined| joined.and(change)) {
                Some(longer) => self.joined = Some(longer),
                None if self.joined.is_none() => self.joined = Some(change),
                None => self.next = Some(change),
            }
        }
        let Some(joined) = self.joined else {
            self.is_done = true;
            return Ok(None);
        };
        let (change, rest) = joined.cut();
        self.joined = rest.or_else(|| self.next.take());
        self.at = change.range().end;
        Ok(Some(change))
    }
}

impl Change {
    pub(super) fn range(self) -> PageRange {
        match self {
            Self::Write(range) | Self::Clear(range) => range,
        }
    }

    /// The bytes that it writes.
    pub(super) fn written(self) -> u64 {
        match self {
            Self::Write(range) => range.len(),
            Self::Clear(_) => 0,
        }
    }

    /// Both, if they are of one kind and adjacent.
    fn and(self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Write(a), Self::Write(b)) if a.end == b.start => {
                Some(Self::Write(PageRange::from(a.start..b.end)))
            }
            (Self::Clear(a), Self::Clear(b)) if a.end == b.start => {
                Some(Self::Clear(PageRange::from(a.start..b.end)))
            }
            _ => None,
        }
    }

    /// What one request can change, and the rest.
    fn cut(self) -> (Self, Option<Self>) {
        match self {
            Self::Write(PageRange { start, end }) if end - start > PIECE => {
                let cut = start + PIECE;
                let rest = Self::Write(PageRange::from(cut..end));
                (Self::Write(PageRange::from(start..cut)), Some(rest))
            }
            short => (short, None),
        }
    }
}

impl Merged {
    async fn next(&mut self) -> Result<Option<Change>, Torn> {
        let wanted = self.wanted.front(self.at).await?;
        let touched = match &mut self.touched {
            Some(touched) => touched.front(self.at).await?.map(|item| item.range()),
            None => None,
        };
        let change = match (wanted, touched) {
            (None, None) => return Ok(None),
            (Some(item), touched)
                if touched.is_none_or(|touched| touched.start >= item.range().start) =>
            {
                match item {
                    PageRangeItem::PageRange(range) => Change::Write(range),
                    PageRangeItem::ClearRange(range) => Change::Clear(range),
                }
            }
            (wanted, Some(touched)) => {
                let end = wanted.map_or(touched.end, |item| item.range().start.min(touched.end));
                let change = self.besides(PageRange::from(touched.start..end)).await?;
                self.besides += change.range().len();
                change
            }
            (Some(_), None) => return Ok(None),
        };
        self.at = change.range().end;
        Ok(Some(change))
    }

    /// What to do where only the destination was written: the beginning of `range`, or all of it.
    async fn besides(&mut self, range: PageRange) -> Result<Change, Torn> {
        let data = match &mut self.data {
            Some(data) => data.front(range.start).await?.map(|item| item.range()),
            None => None,
        };
        Ok(match data.filter(|data| data.start < range.end) {
            None => Change::Clear(range),
            Some(data) if data.start > range.start => {
                Change::Clear(PageRange::from(range.start..data.start))
            }
            Some(data) => Change::Write(PageRange::from(range.start..data.end.min(range.end))),
        })
    }
}
