//! Pages: the 512-byte units of a page blob.

use super::ByteRange;
use crate::error::{Error, Result};

/// The size of a page in bytes.
pub(crate) const SIZE: u64 = 512;

/// The largest size of a page blob: 8 TiB.
pub(crate) const LARGEST_BLOB: u64 = 8 << 40;

/// The value of `x-ms-range` for whole pages. Rejects other ranges.
pub(crate) fn header(range: ByteRange) -> Result<String> {
    let length = range.len("page range")?;
    if !range.start.is_multiple_of(SIZE) {
        return Err(Error::invalid("page offset", range.start, "must be a multiple of 512 bytes"));
    }
    if length == 0 || !length.is_multiple_of(SIZE) {
        let rule = "must be a multiple of 512 bytes, and at least 512";
        return Err(Error::invalid("page range length", length, rule));
    }
    range.header("page range")
}

/// Like [`header`], for pages to write.
pub(crate) fn written(range: ByteRange) -> Result<String> {
    if let Some(end) = range.end.filter(|end| *end > LARGEST_BLOB) {
        let value = format!("{}..{end}", range.start);
        let rule = "must end within 8 TiB, the largest size of a page blob";
        return Err(Error::invalid("page range", value, rule));
    }
    header(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_pages_pass() {
        assert_eq!(header(ByteRange::new(512..1536)).expect("whole"), "bytes=512-1535");
        assert!(header(ByteRange::new(1024..16 << 40)).is_ok());
        #[expect(clippy::reversed_empty_ranges, reason = "it is refused")]
        for (range, what) in [
            (1..513, "page offset: \"1\""),
            (0..0, "page range length: \"0\""),
            (0..511, "page range length: \"511\""),
            (u64::MAX - 511..u64::MAX, "page range length: "),
            (512..0, "page range length: \"0\""),
        ] {
            let error = header(ByteRange::new(range)).expect_err(what).to_string();
            assert!(error.starts_with(what), "{error}");
        }
    }

    #[test]
    fn only_pages_that_a_blob_can_have_are_written() {
        let last = ByteRange::new(LARGEST_BLOB - 512..LARGEST_BLOB);
        assert_eq!(written(last).expect("fits"), "bytes=8796093021696-8796093022207");
        for range in [LARGEST_BLOB..LARGEST_BLOB + 512, 512..LARGEST_BLOB + 512, 1 << 63..3 << 62] {
            let error = written(ByteRange::new(range)).expect_err("too far").to_string();
            assert!(error.contains("must end within 8 TiB"), "{error}");
        }
        let error = header(ByteRange::new(512..)).expect_err("no end").to_string();
        assert!(error.starts_with("page range: \"512..\" must have an end"), "{error}");
    }
}
