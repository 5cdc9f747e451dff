//! Which bytes of a blob a response carries, by its headers.
//!
//! From [Get Blob](https://learn.microsoft.com/rest/api/storageservices/get-blob).

use http::{HeaderMap, header};

use crate::wire::headers;

/// The value of `Content-Range`: `bytes 512-1023/2048`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentRange {
    /// The first byte.
    pub(crate) first: u64,
    /// The last byte.
    pub(crate) last: u64,
    /// The blob's length; `None` for `*`.
    pub(crate) total: Option<u64>,
}

impl ContentRange {
    /// Parses a range that is not empty and lies within the blob.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let total = match total {
            "*" => None,
            total => Some(number(total)?),
        };
        // `u64::MAX` cannot be the last byte: the length would overflow.
        let fits = first <= last && last < total.unwrap_or(u64::MAX);
        fits.then_some(Self { first, last, total })
    }

    /// The length in bytes: at least 1.
    pub(crate) fn len(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// A blob's length by the headers of a response, if they have it.
///
/// A proxy may drop `Content-Length`; some responses repeat the blob's length in another header.
pub(crate) fn length(headers: &HeaderMap) -> Option<u64> {
    content_length(headers)
        .or_else(|| number(headers.get(headers::BLOB_CONTENT_LENGTH)?.to_str().ok()?))
}

/// The value of `Content-Length`, if present.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    number(headers.get(header::CONTENT_LENGTH)?.to_str().ok()?)
}

/// Parses a number of digits only, without a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_range_is_read_with_the_blobs_length_or_without() {
        let range = |first, last, total| Some(ContentRange { first, last, total });
        for (text, expected) in [
            ("bytes 512-1023/2048", range(512, 1023, Some(2048))),
            ("bytes 0-0/1", range(0, 0, Some(1))),
            ("bytes 5-9/*", range(5, 9, None)),
            ("bytes 0-18446744073709551614/*", range(0, u64::MAX - 1, None)),
            ("bytes 0-18446744073709551615/*", None),
            ("bytes 0-18446744073709551615/18446744073709551615", None),
            ("bytes 0-18446744073709551616/*", None),
            ("bytes 9-5/10", None),
            ("bytes 0-10/10", None),
            ("bytes */0", None),
            ("bytes 0-/10", None),
            ("bytes -5/10", None),
            ("bytes +1-5/10", None),
            ("pages 0-5/10", None),
            ("0-5/10", None),
            ("bytes 0-5", None),
            ("", None),
        ] {
            assert_eq!(ContentRange::parse(text), expected, "{text}");
        }
        assert_eq!(range(512, 1023, None).map(|range| range.len()), Some(512));
    }

    #[test]
    fn a_length_is_in_either_header() {
        let of = |pairs: &[(&str, &str)]| {
            let pair = |(name, value): &(&str, &str)| {
                (name.parse().expect("a name"), value.parse().expect("a value"))
            };
            length(&pairs.iter().map(pair).collect())
        };
        let (own, blobs) = ("content-length", "x-ms-blob-content-length");
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(own, "7"), (blobs, "9")]), Some(7));
        assert_eq!(of(&[(blobs, "9")]), Some(9));
        assert_eq!(of(&[(own, "-7"), (blobs, "+9")]), None);
        assert_eq!(of(&[(own, "")]), None);
    }

    proptest! {
        #[test]
        fn whatever_is_read_has_a_length(text in "bytes [0-9]{0,21}-[0-9]{0,21}/([0-9]{0,21}|[*])") {
            if let Some(range) = ContentRange::parse(&text) {
                prop_assert!(range.len() > 0);
                prop_assert!(range.first.checked_add(range.len()).is_some());
            }
        }
    }
}
