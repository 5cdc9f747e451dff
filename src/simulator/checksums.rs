//! Checksums of what is sent.

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};

use super::{
    answer::Answer,
    call::Call,
    error::{Code, Refusal},
};

/// The base64 of the MD5 of `bytes`.
pub(crate) fn md5(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

/// The base64 of the CRC-64 (that of NVMe) of `bytes`.
pub(crate) fn crc64(bytes: &[u8]) -> String {
    STANDARD.encode(crc(bytes).to_le_bytes())
}

fn crc(bytes: &[u8]) -> u64 {
    !bytes.iter().fold(u64::MAX, |crc, byte| {
        CRC_TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8)
    })
}

const CRC_TABLE: [u64; 256] = {
    const POLYNOMIAL: u64 = 0x9a6c_9329_ac4b_c9b5;
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

/// What a write was checked by, and what its answer tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    Md5(String),
    /// The sender gave it, or nothing.
    Crc64(String),
}

impl Checked {
    /// The MD5 that the sender gave.
    pub(crate) fn md5(&self) -> Option<&str> {
        match self {
            Self::Md5(md5) => Some(md5),
            Self::Crc64(_) => None,
        }
    }

    pub(crate) fn tell(&self, call: &Call, answer: &mut Answer) {
        match self {
            Self::Md5(md5) => answer.set("content-md5", md5),
            Self::Crc64(crc) if call.since("2019-02-02") => answer.set("x-ms-content-crc64", crc),
            Self::Crc64(_) => {}
        }
    }
}

/// Checks the body of a request against the checksum in its headers.
pub(crate) fn check_body(call: &Call) -> Result<Checked, Refusal> {
    check(call, &call.body, ["content-md5", "x-ms-content-crc64"])
}

/// Checks what was read from a source against the checksum in the headers.
pub(crate) fn check_source(call: &Call, bytes: &[u8]) -> Result<Checked, Refusal> {
    check(call, bytes, ["x-ms-source-content-md5", "x-ms-source-content-crc64"])
}

/// Checks what was read from a source against `Content-MD5`, if it came, as if it had been the body.
pub(crate) fn check_md5(call: &Call, bytes: &[u8]) -> Result<(), Refusal> {
    const NAME: &str = "content-md5";
    match call.header(NAME) {
        None => Ok(()),
        Some(_) => check(call, bytes, [NAME, "x-ms-content-crc64"]).map(|_| ()),
    }
}

/// At most one of the two `names` may be there.
fn check(call: &Call, bytes: &[u8], names: [&'static str; 2]) -> Result<Checked, Refusal> {
    match names.map(|name| call.header(name)) {
        [Some(_), Some(crc)] => Err(Refusal::bad_header(names[1], crc)),
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
}
