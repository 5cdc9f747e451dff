//! The footer of a fixed VHD, which follows the content of an exported disk.

use time::OffsetDateTime;

/// How long a footer is.
pub(crate) const LENGTH: u64 = 512;

/// Seconds from 1970 to 2000, when the time stamps of this format begin.
const EPOCH: i64 = 946_684_800;

/// The footer of a disk of `size` bytes.
pub(super) fn footer(size: u64, created: OffsetDateTime, id: u64) -> Vec<u8> {
    let seconds = u32::try_from(created.unix_timestamp() - EPOCH).unwrap_or(0);
    let mut bytes = Vec::with_capacity(512);
    bytes.extend(b"conectix");
    bytes.extend(2_u32.to_be_bytes());
    bytes.extend(0x0001_0000_u32.to_be_bytes());
    bytes.extend(u64::MAX.to_be_bytes());
    bytes.extend(seconds.to_be_bytes());
    bytes.extend(b"sim ");
    bytes.extend(0x0001_0000_u32.to_be_bytes());
    bytes.extend(b"Wi2k");
    bytes.extend(size.to_be_bytes());
    bytes.extend(size.to_be_bytes());
    // The largest geometry, as for every disk that is larger than it can say.
    bytes.extend([0xff, 0xff, 16, 255]);
    // A fixed disk.
    bytes.extend(2_u32.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(id.to_be_bytes());
    bytes.extend(id.to_be_bytes());
    bytes.resize(512, 0);
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    bytes[64..68].copy_from_slice(&(!sum).to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_footer_says_the_size_and_its_sum_is_right() {
        let footer = footer(3 << 30, OffsetDateTime::UNIX_EPOCH, 7);
        assert_eq!((footer.len(), &footer[..8]), (512, &b"conectix"[..]));
        assert_eq!(footer[48..56], (3_u64 << 30).to_be_bytes());
        let sum: u32 = footer.iter().map(|byte| u32::from(*byte)).sum();
        let own: u32 = footer[64..68].iter().map(|byte| u32::from(*byte)).sum();
        assert_eq!(footer[64..68], (!(sum - own)).to_be_bytes());
    }
}
