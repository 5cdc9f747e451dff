//! The pieces in which two blobs are compared.

use std::ops::Range;

use futures_util::TryStreamExt;

use super::{
    compare::{Blob, Stop},
    union::{RangeList, Union},
};
use crate::{Conditions, PageRange, Pager};

/// The pieces of a comparison, ascending.
#[derive(Debug)]
pub(super) enum Pieces {
    Whole(Grid),
    Ranges(Box<Union<List>>),
}

impl Pieces {
    /// Of two blobs of one length: of two page blobs, only the ranges that hold data in either.
    pub(super) fn of(source: &Blob, destination: &Blob, piece: u64) -> Self {
        match source.is_page && destination.is_page {
            true => Self::Ranges(Box::new(Union::of([source, destination].map(List::new), piece))),
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

/// The page ranges of one blob, while it has its ETag.
#[derive(Debug)]
pub(super) struct List {
    pager: Pager<PageRange>,
    of: Blob,
}

impl List {
    fn new(of: &Blob) -> Self {
        let pinned = Conditions::new().if_match(&of.etag);
        let pager = of.client.page_blob_client().get_page_ranges().conditions(pinned);
        Self { pager, of: of.clone() }
    }
}

impl RangeList for List {
    type Error = Stop;

    async fn next(&mut self) -> Result<Option<PageRange>, Stop> {
        match self.pager.try_next().await {
            Ok(next) => Ok(next),
            Err(error) => Err(self.of.refused(error).await),
        }
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
