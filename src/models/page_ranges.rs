//! The ranges of a page blob that hold data, and the changes since an earlier snapshot.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

use crate::wire::{malformed::Malformed, xml::Xml};

/// A range of a page blob, in bytes: half-open, like `start..end`.
///
/// You can pass it to every method that takes a range. It will not get other fields, so you can
/// make one from its two, or from a `Range`.
///
/// ```
/// use blobcopy::PageRange;
///
/// let range = PageRange::from(512..1024);
/// assert_eq!(range.len(), 512);
/// assert_eq!(range.to_string(), "512..1024");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PageRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last one.
    pub end: u64,
}

impl PageRange {
    /// The length in bytes.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the range is empty. The service never sends an empty range.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for PageRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

impl From<Range<u64>> for PageRange {
    fn from(range: Range<u64>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

impl From<PageRange> for Range<u64> {
    fn from(range: PageRange) -> Self {
        range.start..range.end
    }
}

/// One entry of a list of page ranges.
///
/// ```
/// use blobcopy::{PageRange, PageRangeItem};
///
/// let item = PageRangeItem::ClearRange(PageRange::from(0..512));
/// assert!(item.is_clear());
/// assert_eq!(item.range().len(), 512);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PageRangeItem {
    /// Pages that hold data; in a diff, pages that were written since the earlier snapshot.
    PageRange(PageRange),
    /// Pages that were cleared since the earlier snapshot and read as zeros. Only in a diff.
    ClearRange(PageRange),
}

impl PageRangeItem {
    /// The range, written or cleared.
    pub fn range(&self) -> PageRange {
        match self {
            Self::PageRange(range) | Self::ClearRange(range) => *range,
        }
    }

    /// Whether the range was cleared.
    pub fn is_clear(&self) -> bool {
        matches!(self, Self::ClearRange(_))
    }
}

/// The body of a response to [Get Page
/// Ranges](https://learn.microsoft.com/rest/api/storageservices/get-page-ranges): one page of the
/// list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageList {
    /// The ranges, ordered by address, as received.
    pub(crate) items: Vec<PageRangeItem>,
    /// The marker of the next page; `None` on the last page.
    pub(crate) next_marker: Option<String>,
}

pub(crate) fn parse(body: &[u8]) -> Result<PageList, Malformed> {
    let mut list = PageList { items: Vec::new(), next_marker: None };
    let mut xml = Xml::enter(body, "PageList")?;
    while let Some(element) = xml.child()? {
        match element {
            b"PageRange" => list.items.push(PageRangeItem::PageRange(range(&mut xml)?)),
            b"ClearRange" => list.items.push(PageRangeItem::ClearRange(range(&mut xml)?)),
            b"NextMarker" => {
                list.next_marker = Some(xml.text()?.into_owned()).filter(|text| !text.is_empty());
            }
            _ => xml.skip()?,
        }
    }
    Ok(list)
}

fn range(xml: &mut Xml<'_>) -> Result<PageRange, Malformed> {
    let (mut start, mut last): (Option<u64>, Option<u64>) = (None, None);
    while let Some(element) = xml.child()? {
        match element {
            b"Start" => start = xml.text()?.parse().ok(),
            b"End" => last = xml.text()?.parse().ok(),
            _ => xml.skip()?,
        }
    }
    match (start, last.and_then(|last| last.checked_add(1))) {
        (Some(start), Some(end)) if start < end => Ok(PageRange { start, end }),
        _ => Err(Malformed::new("a range has no Start and End in order")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_keep_their_kind_and_their_order() {
        let body = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>
            <PageList>
              <PageRange><Start>0</Start><End>511</End></PageRange>
              <ClearRange><Start>512</Start><End>1023</End></ClearRange>
              <Novelty><PageRange><Start>1</Start><End>2</End></PageRange></Novelty>
              <PageRange><Novelty/><End>8796093022207</End><Start>1024</Start></PageRange>
              <NextMarker>m&amp;1</NextMarker>
            </PageList>";
        let list = parse(body.as_bytes()).expect("well formed");
        assert_eq!(
            list.items,
            [
                PageRangeItem::PageRange(PageRange { start: 0, end: 512 }),
                PageRangeItem::ClearRange(PageRange { start: 512, end: 1024 }),
                PageRangeItem::PageRange(PageRange { start: 1024, end: 8_796_093_022_208 }),
            ]
        );
        assert_eq!(list.next_marker.as_deref(), Some("m&1"));
        let lengths: Vec<u64> = list.items.iter().map(|item| item.range().len()).collect();
        assert_eq!(lengths, [512, 512, 8_796_093_021_184]);
    }

    #[test]
    fn an_empty_blob_has_no_ranges() {
        for body in ["<PageList/>", "<PageList><NextMarker/></PageList>", "<PageList></PageList>"] {
            let list = parse(body.as_bytes()).expect(body);
            assert_eq!(list, PageList { items: vec![], next_marker: None }, "{body}");
        }
    }

    #[test]
    fn a_list_that_cannot_be_right_is_an_error() {
        for inner in [
            "<PageRange><Start>0</Start></PageRange>",
            "<PageRange><End>511</End></PageRange>",
            "<PageRange/>",
            "<PageRange><Start>-1</Start><End>511</End></PageRange>",
            "<PageRange><Start>512</Start><End>511</End></PageRange>",
            "<ClearRange><Start>0</Start><End>18446744073709551615</End></ClearRange>",
            "<ClearRange><Start>0</Start><End>99999999999999999999</End></ClearRange>",
            "<PageRange><Start>0</Start><End>511</End>",
        ] {
            let body = format!("<PageList>{inner}</PageList>");
            assert!(parse(body.as_bytes()).is_err(), "{inner}");
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&body);
        }

        #[test]
        fn what_is_written_is_read(ranges in proptest::collection::vec(
            (any::<bool>(), 0..u64::MAX, 0..u64::MAX), 0..20,
        )) {
            let items: Vec<PageRangeItem> = ranges
                .into_iter()
                .map(|(clear, a, b)| {
                    let range = PageRange { start: a.min(b), end: a.max(b) + 1 };
                    match clear {
                        true => PageRangeItem::ClearRange(range),
                        false => PageRangeItem::PageRange(range),
                    }
                })
                .collect();
            let inner: String = items
                .iter()
                .map(|item| {
                    let name = if item.is_clear() { "ClearRange" } else { "PageRange" };
                    let PageRange { start, end } = item.range();
                    format!("<{name}><Start>{start}</Start><End>{}</End></{name}>", end - 1)
                })
                .collect();
            let body = format!("<PageList>{inner}</PageList>");
            prop_assert_eq!(parse(body.as_bytes()).expect("well formed").items, items);
        }
    }
}
