//! Checksums of what is sent.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use md5::{Digest, Md5};

use super::{
    call::Call,
    error::{Code, Refusal},
};

/// The base64 of the MD5 of `bytes`.
pub(crate) fn md5(bytes: &Bytes) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

/// Checks the body of a request against its `Content-MD5`, and returns that, if it has one.
pub(crate) fn check_body(call: &Call) -> Result<Option<&str>, Refusal> {
    let Some(given) = call.header("content-md5") else { return Ok(None) };
    match STANDARD.decode(given) {
        Ok(bytes) if bytes.len() == 16 => {}
        _ => return Err(Code::InvalidMd5.into()),
    }
    let actual = md5(&call.body);
    if actual == given {
        return Ok(Some(given));
    }
    Err(Refusal::from(Code::Md5Mismatch)
        .detail("UserSpecifiedMd5", given)
        .detail("ServerCalculatedMd5", actual))
}
