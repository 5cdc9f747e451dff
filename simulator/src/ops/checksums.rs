//! Checksums of request bodies.

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};

use crate::wire::{
    answer::Answer,
    call::Call,
    error::{Code, Refusal},
    op::Op,
};

/// The base64 of the MD5 of `bytes`.
pub(crate) fn md5(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

/// The base64 of the CRC-64 (CRC-64/NVME) of `bytes`.
pub(crate) fn crc64(bytes: &[u8]) -> String {
    STANDARD.encode(crc(bytes).to_le_bytes())
}

/// Eight bytes at a time, since copies by blocks of 64 MiB would wait for nothing else.
fn crc(bytes: &[u8]) -> u64 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let crc = eights.iter().fold(u64::MAX, |crc, eight| {
        let mixed = (crc ^ u64::from_le_bytes(*eight)).to_le_bytes();
        let steps = mixed.iter().zip(CRC_TABLES.iter().rev());
        steps.fold(0, |crc, (byte, table)| crc ^ table[usize::from(*byte)])
    });
    !rest
        .iter()
        .fold(crc, |crc, byte| CRC_TABLES[0][usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8))
}

/// The first table is that of a byte; each of the others has one more byte of zeros after it.
static CRC_TABLES: [[u64; 256]; 8] = {
    const POLYNOMIAL: u64 = 0x9a6c_9329_ac4b_c9b5;
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 64 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
            if bit % 8 == 0 {
                tables[bit / 8 - 1][byte] = crc;
            }
        }
        byte += 1;
    }
    tables
};

/// How a write was checked, and which checksum its answer returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    Md5(String),
    /// The client sent it, or sent no checksum.
    Crc64(String),
}

impl Checked {
    /// The MD5 that the client sent.
    pub(crate) fn md5(&self) -> Option<&str> {
        match self {
            Self::Md5(md5) => Some(md5),
            Self::Crc64(_) => None,
        }
    }

    /// Returns the checksum that `bytes` were checked with.
    pub(crate) fn tell(&self, call: &Call, bytes: &[u8], answer: &mut Answer) {
        match self {
            Self::Md5(md5) => {
                answer.set(CONTENT_MD5, md5);
                // Recorded from these four, and from no other write.
                let both = matches!(
                    call.op,
                    Op::PutBlock | Op::PutBlockFromUrl | Op::PutPage | Op::PutPageFromUrl
                );
                if both && call.since("2026-10-06") {
                    self.tell_crc64(call, bytes, answer);
                }
            }
            // Also recorded: with a customer's key these two return the MD5. Without one, real
            // accounts have returned either.
            Self::Crc64(_)
                if matches!(call.op, Op::PutPageFromUrl | Op::AppendBlockFromUrl)
                    && call.header("x-ms-encryption-key").is_some() =>
            {
                answer.set(CONTENT_MD5, &md5(bytes));
            }
            Self::Crc64(_) => self.tell_crc64(call, bytes, answer),
        }
    }

    /// Returns the CRC-64 of `bytes`, if the service version has it.
    pub(crate) fn tell_crc64(&self, call: &Call, bytes: &[u8], answer: &mut Answer) {
        match self {
            _ if !call.since(CRC64_SINCE) => {}
            Self::Crc64(crc) => answer.set(CONTENT_CRC64, crc),
            Self::Md5(_) => answer.set(CONTENT_CRC64, &crc64(bytes)),
        }
    }
}

const CONTENT_MD5: &str = "content-md5";
const BLOB_MD5: &str = "x-ms-blob-content-md5";
const CONTENT_CRC64: &str = "x-ms-content-crc64";
const CRC64_SINCE: &str = "2019-02-02";

/// Checks the body of a request against the checksum in its headers.
pub(crate) fn check_body(call: &Call) -> Result<Checked, Refusal> {
    check(call, &call.body, [CONTENT_MD5, CONTENT_CRC64])
}

/// Checks the body of a request that is a whole blob: the MD5 for the blob takes precedence over
/// that of the body.
pub(crate) fn check_blob(call: &Call) -> Result<Checked, Refusal> {
    let md5 = if call.header(BLOB_MD5).is_some() { BLOB_MD5 } else { CONTENT_MD5 };
    check(call, &call.body, [md5, CONTENT_CRC64])
}

/// Checks bytes read from a source against the checksum in the headers.
pub(crate) fn check_source(call: &Call, bytes: &[u8]) -> Result<Checked, Refusal> {
    check(call, bytes, ["x-ms-source-content-md5", "x-ms-source-content-crc64"])
}

/// Checks bytes read from a source against `Content-MD5`, if sent, as if they were the body.
pub(crate) fn check_md5(call: &Call, bytes: &[u8]) -> Result<(), Refusal> {
    match call.header(CONTENT_MD5) {
        None => Ok(()),
        Some(_) => check(call, bytes, [CONTENT_MD5, CONTENT_CRC64]).map(|_| ()),
    }
}

/// At most one of the two `names` may be present.
fn check(call: &Call, bytes: &[u8], names: [&'static str; 2]) -> Result<Checked, Refusal> {
    match names.map(|name| call.header(name)) {
        [Some(_), Some(_)] => Err(Code::BothCrc64AndMd5HeaderPresent.into()),
        [Some(given), None] => {
            let actual = md5(bytes);
            if actual == given {
                return Ok(Checked::Md5(actual));
            }
            if STANDARD.decode(given).map(|decoded| decoded.len()) != Ok(16) {
                return Err(Refusal::from(Code::InvalidMd5).detail("HeaderName", names[0]));
            }
            Err(Refusal::from(Code::Md5Mismatch)
                .detail("UserSpecifiedMd5", given)
                .detail("ServerCalculatedMd5", actual))
        }
        [None, given] => {
            let actual = crc64(bytes);
            match given {
                Some(given) if STANDARD.decode(given).map(|decoded| decoded.len()) != Ok(8) => {
                    Err(Refusal::bad_header(names[1], given))
                }
                Some(given) if given != actual => Err(Refusal::from(Code::Crc64Mismatch)
                    .detail("UserSpecifiedCrc", given)
                    .detail("ServerCalculatedCrc", actual)),
                _ => Ok(Checked::Crc64(actual)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_nvme() {
        // The check value of CRC-64/NVME in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc(b"123456789"), 0xae8b_1486_0a79_9888);
        assert_eq!(crc64(b""), "AAAAAAAAAAA=");
    }

    #[test]
    fn eight_bytes_at_a_time_give_the_checksum_of_one_at_a_time() {
        let bytes: Vec<u8> = (0..100).map(|at: u8| at.wrapping_mul(37)).collect();
        for length in 0..bytes.len() {
            let one_at_a_time = !bytes[..length].iter().fold(u64::MAX, |crc, byte| {
                CRC_TABLES[0][usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8)
            });
            assert_eq!(crc(&bytes[..length]), one_at_a_time, "{length}");
        }
    }
}
