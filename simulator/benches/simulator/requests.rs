//! Raw HTTP requests, signed with the emulators' well-known key.

use std::time::SystemTime;

use base64::{Engine, engine::general_purpose::STANDARD};
use blobcopy_simulator::DEFAULT_KEY;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const ACCOUNT: &str = "devstoreaccount1";
const VERSION: &str = "2025-11-05";

/// `count` requests for the properties of `asked` blobs in turn, spread evenly over all `blobs`.
pub(crate) fn properties(address: &str, blobs: usize, asked: usize, count: usize) -> Vec<Vec<u8>> {
    let path = |at: usize| format!("/one/{:07}", at % asked * (blobs / asked).max(1));
    (0..count).map(|at| request(address, "HEAD", &path(at), "", &[])).collect()
}

/// Requests that create the container `one` and its first `blobs` blobs.
pub(crate) fn stocking(address: &str, blobs: usize) -> Vec<Vec<u8>> {
    let container = request(address, "PUT", "/one", "restype=container", &[]);
    let blob = |at| {
        let block_blob = [("x-ms-blob-type", "BlockBlob")];
        request(address, "PUT", &format!("/one/{at:07}"), "", &block_blob)
    };
    std::iter::once(container).chain((0..blobs).map(blob)).collect()
}

fn request(address: &str, method: &str, path: &str, query: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let date = httpdate::fmt_http_date(SystemTime::now());
    let mut headers = vec![("x-ms-date", date.as_str()), ("x-ms-version", VERSION)];
    headers.extend(more);
    headers.sort_unstable();
    let lines = |separator: &str, end: &str| -> String {
        headers.iter().map(|(name, value)| format!("{name}{separator}{value}{end}")).collect()
    };

    let parameters = query.replace('=', ":");
    let line = if query.is_empty() { "" } else { "\n" };
    let to_sign = format!(
        "{method}\n\n\n\n\n\n\n\n\n\n\n\n{}/{ACCOUNT}/{ACCOUNT}{path}{line}{parameters}",
        lines(":", "\n")
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(DEFAULT_KEY).unwrap()).unwrap();
    mac.update(to_sign.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());

    let mark = if query.is_empty() { "" } else { "?" };
    let length = if method == "PUT" { "content-length: 0\r\n" } else { "" };
    let text = format!(
        "{method} /{ACCOUNT}{path}{mark}{query} HTTP/1.1\r\nhost: {address}\r\n{}{length}\
         authorization: SharedKey {ACCOUNT}:{signature}\r\n\r\n",
        lines(": ", "\r\n")
    );
    text.into_bytes()
}
