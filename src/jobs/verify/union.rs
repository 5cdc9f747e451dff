//! The ranges of two page blobs, in pieces.

use std::ops::Range;

use crate::PageRange;

/// A list of ranges in the order of addresses, read as it is needed.
pub(crate) trait RangeList: Send {
    type Error;

    fn next(&mut self) -> impl Future<Output = Result<Option<PageRange>, Self::Error>> + Send;
}

/// Ranges that are no more than this part of a piece apart are read together: reading some zeros
/// costs less than another request.
const GAPS: u64 = 64;

/// What is in either of two lists, in the order of addresses, in pieces.
#[derive(Debug)]
pub(crate) struct Union<L> {
    lists: [Peeked<L>; 2],
    piece: u64,
    /// All before it is in a piece, or in no range.
    done: u64,
    /// The rest of a range that was longer than a piece.
    rest: Option<Range<u64>>,
}

#[derive(Debug)]
struct Peeked<L> {
    list: L,
    next: Option<PageRange>,
}

impl<L: RangeList> Union<L> {
    /// In pieces of at most `piece` bytes.
    pub(crate) fn of(lists: [L; 2], piece: u64) -> Self {
        let lists = lists.map(|list| Peeked { list, next: None });
        Self { lists, piece, done: 0, rest: None }
    }

    /// The next piece.
    pub(crate) async fn next(&mut self) -> Result<Option<Range<u64>>, L::Error> {
        let first = match self.rest.take() {
            None => self.first(u64::MAX).await?,
            rest => rest,
        };
        let Some(mut run) = first else { return Ok(None) };
        while run.end - run.start < self.piece {
            match self.first(run.end.saturating_add(self.piece / GAPS)).await? {
                Some(next) => run.end = run.end.max(next.end),
                None => break,
            }
        }
        let end = run.end.min(run.start + self.piece);
        self.rest = (end < run.end).then_some(end..run.end);
        self.done = run.end;
        Ok(Some(run.start..end))
    }

    /// Takes the next range that begins at `limit` or before, without what is done.
    async fn first(&mut self, limit: u64) -> Result<Option<Range<u64>>, L::Error> {
        loop {
            let [one, other] = &mut self.lists;
            let list = match (one.start().await?, other.start().await?) {
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

impl<L: RangeList> Peeked<L> {
    /// Where the next range begins.
    async fn start(&mut self) -> Result<Option<u64>, L::Error> {
        if self.next.is_none() {
            self.next = self.list.next().await?;
        }
        Ok(self.next.map(|range| range.start))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::FutureExt;

    use super::*;

    struct Given(std::vec::IntoIter<Range<u64>>);

    impl RangeList for Given {
        type Error = Infallible;

        async fn next(&mut self) -> Result<Option<PageRange>, Infallible> {
            Ok(self.0.next().map(PageRange::from))
        }
    }

    fn pieces<const N: usize, const M: usize>(
        one: [(u64, u64); N],
        other: [(u64, u64); M],
    ) -> Vec<(u64, u64)> {
        let list = |ranges: &[(u64, u64)]| {
            let ranges: Vec<_> = ranges.iter().map(|&(start, end)| start..end).collect();
            Given(ranges.into_iter())
        };
        let mut union = Union::of([list(&one), list(&other)], 6400);
        let mut pieces = Vec::new();
        while let Ok(Some(piece)) = union.next().now_or_never().expect("at hand") {
            pieces.push((piece.start, piece.end));
        }
        pieces
    }

    #[test]
    fn what_either_has_is_in_a_piece_once() {
        assert_eq!(pieces([], []), []);
        assert_eq!(pieces([(0, 100)], []), [(0, 100)]);
        assert_eq!(pieces([], [(500, 600), (800, 900)]), [(500, 600), (800, 900)]);
        assert_eq!(
            pieces([(500, 600)], [(0, 100), (800, 900)]),
            [(0, 100), (500, 600), (800, 900)]
        );
        // They overlap, or one is within the other.
        assert_eq!(pieces([(0, 300), (900, 1000)], [(200, 500)]), [(0, 500), (900, 1000)]);
        assert_eq!(pieces([(0, 900)], [(100, 200), (300, 400)]), [(0, 900)]);
    }

    #[test]
    fn near_ranges_are_one_piece_and_long_ones_several() {
        assert_eq!(pieces([(0, 100)], [(200, 300)]), [(0, 300)]);
        assert_eq!(pieces([(0, 100)], [(201, 300)]), [(0, 100), (201, 300)]);
        assert_eq!(
            pieces([(0, 13_000)], [(5000, 7000)]),
            [(0, 6400), (6400, 12_800), (12_800, 13_000)]
        );
        // The range that makes a piece too long is gone on with, and not begun again.
        assert_eq!(pieces([(0, 6000)], [(6000, 9000)]), [(0, 6400), (6400, 9000)]);
    }
}
