//! A part of a blob.

use std::ops::{Bound, RangeBounds};

use super::PageRange;
use crate::error::{Error, Result};

/// Bytes of a blob: from `start` to before `end`, or to the end of the blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) start: u64,
    pub(crate) end: Option<u64>,
}

impl ByteRange {
    pub(crate) fn new(range: impl RangeBounds<u64>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(first) => *first,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => Some(last.saturating_add(1)),
            Bound::Excluded(end) => Some(*end),
            Bound::Unbounded => None,
        };
        Self { start, end }
    }

    /// The length in bytes. Rejects a range without an end, which only a download can have.
    pub(crate) fn len(self, what: &'static str) -> Result<u64> {
        let Self { start, end } = self;
        let Some(end) = end else {
            return Err(Error::invalid(what, format!("{start}.."), "must have an end"));
        };
        Ok(end.saturating_sub(start))
    }

    /// The first byte and, if there is an end, the last byte, as in `Content-Range`.
    pub(crate) fn first_and_last(self) -> (u64, Option<u64>) {
        (self.start, self.end.map(|end| end.saturating_sub(1)))
    }

    /// The value of a range header, which includes the last byte. Rejects an empty range.
    pub(crate) fn header(self, what: &'static str) -> Result<String> {
        let Self { start, end } = self;
        match end {
            None => Ok(format!("bytes={start}-")),
            Some(end) if start < end => Ok(format!("bytes={start}-{}", end - 1)),
            Some(end) => Err(Error::invalid(what, format!("{start}..{end}"), "must hold a byte")),
        }
    }
}

impl RangeBounds<u64> for PageRange {
    fn start_bound(&self) -> Bound<&u64> {
        Bound::Included(&self.start)
    }

    fn end_bound(&self) -> Bound<&u64> {
        Bound::Excluded(&self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_range_becomes_a_header_that_includes_its_last_byte() {
        let page = PageRange { start: 512, end: 1024 };
        for (range, header) in [
            (ByteRange::new(0..512), "bytes=0-511"),
            (ByteRange::new(1024..), "bytes=1024-"),
            (ByteRange::new(..=99), "bytes=0-99"),
            (ByteRange::new(..), "bytes=0-"),
            (ByteRange::new((Bound::Excluded(4), Bound::Included(9))), "bytes=5-9"),
            (ByteRange::new(page), "bytes=512-1023"),
        ] {
            assert_eq!(range.header("range").expect("holds a byte"), header);
        }
    }

    #[test]
    fn a_range_without_a_byte_is_refused() {
        #[expect(clippy::reversed_empty_ranges, reason = "the point of the test")]
        for (range, shown) in [
            (ByteRange::new(7..7), "7..7"),
            (ByteRange::new(9..5), "9..5"),
            (ByteRange::new(..0), "0..0"),
            (ByteRange::new((Bound::Excluded(u64::MAX), Bound::Excluded(0))), "..0"),
        ] {
            let error = range.header("range").expect_err(shown).to_string();
            assert!(error.starts_with("range: ") && error.contains(shown), "{error}");
        }
    }
}
