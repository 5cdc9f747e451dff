//! The pieces to write, from the ranges of the source that hold data.

use std::collections::VecDeque;

use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};

use super::{super::NotCarried, PIECE, reading::Reading};
use crate::{Conditions, ETag, Error, ErrorCode, PageBlobClient, PageRange};

/// The smallest part of a blob whose ranges are asked for in one request.
const SMALLEST_WINDOW: u64 = 64 << 20;

type Ranges = BoxStream<'static, Result<PageRange, Error>>;

/// The pieces of a blob, in order: adjacent ranges of the source joined, and cut at 4 MiB.
pub(super) struct Pieces {
    ranges: Ranges,
    held: Option<Held>,
    /// What is joined and not yet cut off.
    joined: PageRange,
    /// A range that does not join.
    next: Option<PageRange>,
    /// How many ranges the source has listed.
    pub(super) listed: u64,
}

/// How many requests list so many ranges, if the service fills each page.
pub(super) fn pages(ranges: u64) -> u64 {
    const MOST_IN_PAGE: u64 = 10_000;
    ranges.div_ceil(MOST_IN_PAGE).max(1)
}

impl Pieces {
    pub(super) fn of(reading: &Reading, length: u64, held: Option<Held>) -> Self {
        let ranges = ranges(reading.blob.clone(), reading.pinned.clone(), length);
        Self { ranges, held, joined: PageRange::from(0..0), next: None, listed: 0 }
    }

    pub(super) fn stream(self) -> impl Stream<Item = Result<(PageRange, bool), NotCarried>> + Send {
        stream::try_unfold(self, async |mut pieces| {
            let piece = pieces.next().await?;
            Ok(piece.map(|piece| (piece, pieces)))
        })
    }

    /// The next piece, and whether the destination holds it.
    pub(super) async fn next(&mut self) -> Result<Option<(PageRange, bool)>, NotCarried> {
        let piece = self.next_piece().await.map_err(NotCarried::at_source)?;
        let held = &mut self.held;
        Ok(piece.map(|piece| (piece, held.as_mut().is_some_and(|held| held.covers(piece)))))
    }

    async fn next_piece(&mut self) -> Result<Option<PageRange>, Error> {
        while self.joined.len() < PIECE && self.next.is_none() {
            let range = self.ranges.try_next().await?;
            self.listed += u64::from(range.is_some());
            match range {
                Some(range) if self.joined.is_empty() => self.joined = range,
                Some(range) if range.start == self.joined.end => self.joined.end = range.end,
                Some(range) => self.next = Some(range),
                None => break,
            }
        }
        let PageRange { start, end } = self.joined;
        let cut = end.min(start.saturating_add(PIECE));
        self.joined.start = cut;
        if cut == end {
            self.joined = self.next.take().unwrap_or(PageRange::from(end..end));
        }
        Ok((start < cut).then_some(PageRange::from(start..cut)))
    }
}

/// The ranges that the destination held before this run wrote to it, adjacent ones joined.
pub(super) struct Held {
    ranges: VecDeque<PageRange>,
    /// How many ranges were listed.
    pub(super) listed: u64,
}

impl Held {
    /// Reads them all first: the ETag makes sure that they are those of this blob, and it changes
    /// with the first write.
    pub(super) async fn read(
        destination: &PageBlobClient,
        etag: Option<&ETag>,
        length: u64,
    ) -> Result<Self, NotCarried> {
        let unchanged = Conditions::new().if_match(etag.unwrap_or(&ETag::ANY));
        let mut ranges = ranges(destination.clone(), unchanged, length);
        let mut held = Self { ranges: VecDeque::new(), listed: 0 };
        while let Some(range) = ranges.try_next().await? {
            held.listed += 1;
            match held.ranges.back_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => held.ranges.push_back(range),
            }
        }
        Ok(held)
    }

    /// Whether all pages of `piece` hold data. The pieces must come in order.
    fn covers(&mut self, piece: PageRange) -> bool {
        while self.ranges.front().is_some_and(|range| range.end < piece.end) {
            self.ranges.pop_front();
        }
        self.ranges.front().is_some_and(|range| range.start <= piece.start)
    }
}

/// The ranges of `blob` that hold data, in order.
///
/// They come in as few requests as the service allows. A blob with very many ranges can take it too
/// long: then it is asked for smaller and smaller parts of the blob.
fn ranges(blob: PageBlobClient, conditions: Conditions, length: u64) -> Ranges {
    struct Window {
        blob: PageBlobClient,
        conditions: Conditions,
        /// Where the next range is looked for.
        at: u64,
        /// The end of the part that is asked for.
        end: u64,
        size: u64,
        listed: Option<crate::Pager<PageRange>>,
    }
    let first = Window { blob, conditions, at: 0, end: 0, size: length, listed: None };
    let ranges = stream::try_unfold(first, move |mut window| async move {
        loop {
            let listed = match &mut window.listed {
                Some(listed) => listed,
                None if window.at >= length => return Ok::<_, Error>(None),
                none => {
                    window.end = length.min(window.at.saturating_add(window.size));
                    let pager = window.blob.get_page_ranges().range(window.at..window.end);
                    none.insert(pager.conditions(window.conditions.clone()))
                }
            };
            match listed.try_next().await {
                Ok(Some(range)) => {
                    window.at = range.end;
                    return Ok(Some((range, window)));
                }
                Ok(None) => (window.at, window.listed) = (window.end, None),
                Err(error)
                    if error.code() == Some(&ErrorCode::OperationTimedOut)
                        && window.size > SMALLEST_WINDOW =>
                {
                    window.size = (window.size / 4).next_multiple_of(SMALLEST_WINDOW);
                    window.listed = None;
                }
                Err(error) => return Err(error),
            }
        }
    });
    ranges.fuse().boxed()
}
