//! Pages: the 512-byte units of a page blob.

use crate::error::{Error, Result};

/// The size of a page in bytes.
pub(crate) const SIZE: u64 = 512;

/// The most bytes that a page blob can have: 8 TiB.
pub(crate) const LARGEST_BLOB: u64 = 8 << 40;

/// Refuses an offset and a length that are not whole pages, or no page at all.
pub(crate) fn check(offset: u64, length: u64) -> Result<()> {
    let rule = "must be a multiple of 512 bytes";
    if !offset.is_multiple_of(SIZE) {
        return Err(Error::invalid("page offset", offset, rule));
    }
    if length == 0 || !length.is_multiple_of(SIZE) {
        let rule = "must be a multiple of 512 bytes, and at least 512";
        return Err(Error::invalid("page range length", length, rule));
    }
    if offset.checked_add(length).is_none() {
        return Err(Error::invalid("page range length", length, "must end within a blob"));
    }
    Ok(())
}

/// The same for pages that are to be written.
pub(crate) fn check_write(offset: u64, length: u64) -> Result<()> {
    check(offset, length)?;
    if offset.saturating_add(length) > LARGEST_BLOB {
        let value = format!("{length} from byte {offset}");
        let rule = "must end within 8 TiB, the most that a page blob can have";
        return Err(Error::invalid("page range length", value, rule));
    }
    Ok(())
}

/// The value of `x-ms-range` for whole pages.
pub(crate) fn header(offset: u64, length: u64) -> String {
    format!("bytes={offset}-{}", offset + length - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_pages_pass() {
        assert!(check(0, 512).is_ok());
        assert!(check(1024, 8 << 40).is_ok());
        for (offset, length, what) in [
            (1, 512, "page offset: \"1\""),
            (0, 0, "page range length: \"0\""),
            (0, 511, "page range length: \"511\""),
            (u64::MAX - 511, 512, "page range length: "),
        ] {
            let error = check(offset, length).expect_err(what).to_string();
            assert!(error.starts_with(what), "{error}");
        }
    }

    #[test]
    fn only_pages_that_a_blob_can_have_are_written() {
        assert!(check_write(LARGEST_BLOB - 512, 512).is_ok());
        for (offset, length) in [(LARGEST_BLOB, 512), (512, LARGEST_BLOB), (1 << 63, 1 << 62)] {
            let error = check_write(offset, length).expect_err("too far").to_string();
            assert!(error.contains("must end within 8 TiB"), "{error}");
        }
        assert!(check_write(u64::MAX - 511, 512).is_err());
    }

    #[test]
    fn ranges_include_their_last_byte() {
        assert_eq!(header(512, 1024), "bytes=512-1535");
    }
}
