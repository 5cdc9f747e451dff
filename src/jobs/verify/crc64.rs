//! The CRC-64 of content whose pieces have known CRC-64s.

use crate::ContentCrc64;

/// The polynomial of CRC-64/NVME, which the service uses. The lowest bit has the highest power.
const POLYNOMIAL: u64 = 0x9a6c_9329_ac4b_c9b5;

/// The CRC-64 of content that is given in pieces, in order: only their CRCs and lengths are needed.
///
/// Appending `n` bytes multiplies a CRC by `x^(8n)` modulo the polynomial, so a piece of any length
/// costs at most 64 multiplications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct WholeCrc64 {
    crc: u64,
    length: u64,
}

impl WholeCrc64 {
    /// Of no content yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Appends a piece.
    pub(crate) fn push(&mut self, crc64: ContentCrc64, length: u64) {
        // The start value and the final inversion cancel out, so CRCs can be added as they are.
        self.crc = shifted(self.crc, length) ^ u64::from_le_bytes(crc64.into());
        self.length += length;
    }

    /// Appends bytes that are zero.
    pub(crate) fn push_zeros(&mut self, length: u64) {
        self.crc = !shifted(!self.crc, length);
        self.length += length;
    }

    /// The length of all pieces.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The CRC-64 of all pieces together, in the service's byte order.
    pub(crate) fn value(&self) -> ContentCrc64 {
        self.crc.to_le_bytes().into()
    }
}

/// The CRC-64 of bytes.
pub(crate) fn crc64_of(bytes: &[u8]) -> ContentCrc64 {
    let next = |crc: u64, byte: &u8| TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ crc >> 8;
    let crc = bytes.iter().fold(!0, next);
    (!crc).to_le_bytes().into()
}

/// What each value of a byte adds.
const TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// `crc` times `x^(8 * length)`.
fn shifted(crc: u64, length: u64) -> u64 {
    let bits = POWERS.iter().enumerate().filter(|(bit, _)| length >> bit & 1 == 1);
    bits.fold(crc, |crc, (_, power)| product(crc, *power))
}

/// `x^(8 * 2^n)` for each bit `n` of a length.
const POWERS: [u64; 64] = {
    let mut powers = [1 << 55; 64];
    let mut n = 1;
    while n < 64 {
        powers[n] = product(powers[n - 1], powers[n - 1]);
        n += 1;
    }
    powers
};

/// The product of two polynomials, modulo [`POLYNOMIAL`].
const fn product(a: u64, mut b: u64) -> u64 {
    let mut sum = 0;
    let mut bit = 64;
    while bit > 0 {
        bit -= 1;
        if a >> bit & 1 == 1 {
            sum ^= b;
        }
        b = if b & 1 == 1 { b >> 1 ^ POLYNOMIAL } else { b >> 1 };
    }
    sum
}

#[cfg(test)]
mod tests {
    use crc::{CRC_64_NVME, Crc};
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// Another implementation, over the bytes.
    fn crc64(bytes: &[u8]) -> ContentCrc64 {
        Crc::<u64>::new(&CRC_64_NVME).checksum(bytes).to_le_bytes().into()
    }

    #[test]
    fn a_single_piece_keeps_its_crc() {
        assert_eq!(WholeCrc64::new().value().to_string(), "AAAAAAAAAAA=");
        let mut whole = WholeCrc64::new();
        // The check value of CRC-64/NVME is 0xae8b14860a799888, and the service writes the lowest
        // byte first.
        whole.push("iJh5CoYUi64=".parse().expect("a CRC-64"), 9);
        assert_eq!((whole.value(), whole.length()), (crc64(b"123456789"), 9));
        assert_eq!(whole.value().to_string(), "iJh5CoYUi64=");
    }

    #[test]
    fn eight_tebibytes_of_zeros_are_the_sum_of_their_halves() {
        let (mut whole, mut halves, mut half) =
            (WholeCrc64::new(), WholeCrc64::new(), WholeCrc64::new());
        whole.push_zeros(8 << 40);
        half.push_zeros(4 << 40);
        halves.push(half.value(), 4 << 40);
        halves.push(half.value(), 4 << 40);
        assert_eq!(whole, halves);
        assert_ne!(whole.value(), half.value());
    }

    proptest! {
        #[test]
        fn pieces_have_the_crc_of_the_whole(pieces in vec(vec(any::<u8>(), 0..300), 0..9)) {
            let mut whole = WholeCrc64::new();
            for piece in &pieces {
                whole.push(crc64(piece), piece.len() as u64);
            }
            prop_assert_eq!(whole.value(), crc64(&pieces.concat()));
            prop_assert_eq!(whole.value(), crc64_of(&pieces.concat()));
        }

        #[test]
        fn zeros_need_not_be_read(
            before in vec(any::<u8>(), 0..50),
            zeros in 0_usize..100_000,
            after in vec(any::<u8>(), 0..50),
        ) {
            let mut whole = WholeCrc64::new();
            whole.push(crc64(&before), before.len() as u64);
            whole.push_zeros(zeros as u64);
            whole.push(crc64(&after), after.len() as u64);
            let bytes = [&before[..], &vec![0; zeros], &after].concat();
            prop_assert_eq!(whole.value(), crc64(&bytes));
        }
    }
}
