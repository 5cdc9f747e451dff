//! The pieces in which two blobs are compared.

use std::ops::Range;

use futures_util::TryStreamExt;

use super::compare::{Blob, Stop};
use crate::{Conditions, PageRange, Pager};

/// The pieces of a comparison, ascending.
#[derive(Debug)]
pub(super) enum Pieces {
    Whole(Grid),
    Ranges(Box<Union>),
}

impl Pieces {
    /// Of two blobs of one length: of two page blobs, only the ranges that hold data in either.
    pub(super) fn of(source: &Blob, destination: &Blob, piece: u64) -> Self {
        match source.is_page && destination.is_page {
            true => {
                let lists = [source, destination].map(List::new);
                let (done, rest) = (0, None);
                Self::Ranges(Box::new(Union { lists, piece, gap: piece / GAPS, done, rest }))
            }
            false => Self::Whole(Grid { at: 0, length: source.length, piece }),
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Range<u64>>, Stop> {
        match self {
            Self::Whole(grid) => Ok(grid.next()),
            Self::Ranges(union) => union.next().await,
        }
    }
}

/// Ranges that are no more than this part of a piece apart are read together: reading some zeros
/// costs less than another request.
const GAPS: u64 = 64;

/// All bytes.
#[derive(Debug)]
pub(super) struct Grid {
    at: u64,
    length: u64,
    piece: u64,
}

impl Grid {
    fn next(&mut self) -> Option<Range<u64>> {
        let start = self.at;
        self.at = self.length.min(start.saturating_add(self.piece));
        (start < self.at).then_some(start..self.at)
    }
}

/// The ranges of both page blobs, from lists that are read as they are needed.
#[derive(Debug)]
pub(super) struct Union {
    lists: [List; 2],
    piece: u64,
    gap: u64,
    /// All before it is in a piece, or holds no data.
    done: u64,
    /// The rest of a range that was longer than a piece.
    rest: Option<Range<u64>>,
}

impl Union {
    async fn next(&mut self) -> Result<Option<Range<u64>>, Stop> {
        let mut run = match self.rest.take() {
            Some(rest) => rest,
            None => match self.first(u64::MAX).await? {
                Some(run) => run,
                None => return Ok(None),
            },
        };
        while run.end - run.start < self.piece {
            match self.first(run.end + self.gap).await? {
                Some(next) => run.end = run.end.max(next.end),
                None => break,
            }
        }
        let end = run.end.min(run.start + self.piece);
        self.rest = (end < run.end).then_some(end..run.end);
        self.done = run.end;
        Ok(Some(run.start..end))
    }

    /// Takes the next range of both lists that begins at `limit` or before, without what is done.
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

/// The page ranges of one blob, while it has its ETag.
#[derive(Debug)]
struct List {
    pager: Pager<PageRange>,
    next: Option<PageRange>,
    of: Blob,
}

impl List {
    fn new(of: &Blob) -> Self {
        let pinned = Conditions::new().if_match(&of.etag);
        let pager = of.client.page_blob_client().get_page_ranges().conditions(pinned);
        Self { pager, next: None, of: of.clone() }
    }

    /// Where the next range begins.
    async fn peek(&mut self) -> Result<Option<u64>, Stop> {
        if self.next.is_none() {
            self.next = match self.pager.try_next().await {
                Ok(next) => next,
                Err(error) => return Err(self.of.refused(error).await),
            };
        }
        Ok(self.next.map(|range| range.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_covers_every_byte_once() {
        let pieces = |length, piece| {
            let mut grid = Grid { at: 0, length, piece };
            let pieces = std::iter::from_fn(move || grid.next());
            pieces.map(|piece| (piece.start, piece.end)).collect::<Vec<_>>()
        };
        assert_eq!(pieces(0, 512), []);
        assert_eq!(pieces(512, 512), [(0, 512)]);
        assert_eq!(pieces(1025, 512), [(0, 512), (512, 1024), (1024, 1025)]);
        assert_eq!(pieces(7, u64::MAX), [(0, 7)]);
    }
}
