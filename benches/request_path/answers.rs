//! Responses of the service, word for word.

use blobcopy::transport::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// The copy in both responses.
pub(crate) const COPY_ID: &str = "1f812371-a41d-49e6-b123-f4b542e851c5";

/// The response to Copy Blob.
pub(crate) const STARTED: &str = "HTTP/1.1 202 Accepted\r\n\
    Content-Length: 0\r\n\
    Last-Modified: Thu, 01 Jan 2026 12:00:01 GMT\r\n\
    ETag: \"0x8DE2900000000B2\"\r\n\
    Server: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0\r\n\
    x-ms-request-id: 5d3f4bba-601e-0041-2a7e-7b1b6d000000\r\n\
    x-ms-client-request-id: 21cfde34-6f5a-4b3f-9f0f-1f2d51b0a6c1\r\n\
    x-ms-version: 2026-04-06\r\n\
    x-ms-copy-id: 1f812371-a41d-49e6-b123-f4b542e851c5\r\n\
    x-ms-copy-status: pending\r\n\
    Date: Thu, 01 Jan 2026 12:00:01 GMT\r\n\
    \r\n";

/// The response to Get Blob Properties of the destination after the copy has ended.
pub(crate) const PROPERTIES: &str = "HTTP/1.1 200 OK\r\n\
    Content-Length: 34359738880\r\n\
    Content-Type: application/octet-stream\r\n\
    Content-MD5: sQqNsWTgdUEFt6mb5y4/5Q==\r\n\
    Last-Modified: Thu, 01 Jan 2026 12:00:01 GMT\r\n\
    Accept-Ranges: bytes\r\n\
    ETag: \"0x8DE2900000000B3\"\r\n\
    Server: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0\r\n\
    x-ms-request-id: 5d3f4bba-601e-0041-2a7e-7b1b6d000001\r\n\
    x-ms-client-request-id: 21cfde34-6f5a-4b3f-9f0f-1f2d51b0a6c2\r\n\
    x-ms-version: 2026-04-06\r\n\
    x-ms-creation-time: Thu, 01 Jan 2026 11:00:00 GMT\r\n\
    x-ms-meta-origin: disk0\r\n\
    x-ms-lease-status: unlocked\r\n\
    x-ms-lease-state: available\r\n\
    x-ms-blob-type: PageBlob\r\n\
    x-ms-blob-sequence-number: 0\r\n\
    x-ms-copy-id: 1f812371-a41d-49e6-b123-f4b542e851c5\r\n\
    x-ms-copy-source: https://account.blob.core.windows.net/vhds/disks/disk0.vhd\r\n\
    x-ms-copy-status: success\r\n\
    x-ms-copy-progress: 34359738880/34359738880\r\n\
    x-ms-copy-completion-time: Thu, 01 Jan 2026 12:10:00 GMT\r\n\
    x-ms-server-encrypted: true\r\n\
    x-ms-access-tier: P10\r\n\
    x-ms-access-tier-inferred: true\r\n\
    Date: Thu, 01 Jan 2026 12:10:01 GMT\r\n\
    \r\n";

/// A response as an HTTP client returns it.
#[derive(Debug, Clone)]
pub(crate) struct Canned {
    status: StatusCode,
    headers: HeaderMap,
}

impl Canned {
    pub(crate) fn new(text: &str) -> Self {
        let (first, rest) = text.split_once("\r\n").unwrap();
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        let pair = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            let name: HeaderName = name.parse().unwrap();
            Some((name, HeaderValue::from_str(value).unwrap()))
        };
        Self { status, headers: rest.lines().filter_map(pair).collect() }
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn response(&self) -> Response {
        Response::new(self.status, self.headers.clone(), bytes::Bytes::new())
    }
}
