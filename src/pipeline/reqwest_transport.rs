//! The default transport: `reqwest`, which only sends.

use std::{error::Error as StdError, io, time::Duration};

use bytes::Bytes;
use futures_util::stream;

use super::tls;
use crate::wire::transport::{
    Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind,
};

/// Sends with `reqwest` over a connection pool. No redirects, retries, cookies or decompression;
/// proxies come from the environment.
#[derive(Debug, Clone)]
pub(crate) struct ReqwestTransport {
    client: reqwest::Client,
}

impl ReqwestTransport {
    /// `connect_timeout` covers the DNS lookup, the connection and the TLS handshake.
    pub(crate) fn new(connect_timeout: Duration) -> Result<Self, TransportError> {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            // Another crate in the program may enable these. A blob must arrive as it is stored.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .connect_timeout(connect_timeout);
        match tls::chosen(builder)?.build() {
            Ok(client) => Ok(Self { client }),
            Err(error) => Err(TransportError::new(TransportErrorKind::Unusable, &error)),
        }
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        let answer = self.client.execute(outgoing);
        Box::pin(async move {
            let mut answer = answer.await.map_err(fault)?;
            let status = answer.status();
            let headers = std::mem::take(answer.headers_mut());
            let body = match answer.content_length() {
                Some(0) => Body::from(Bytes::new()),
                _ => Body::stream(stream::try_unfold(answer, async |mut answer| {
                    let piece = answer.chunk().await.map_err(fault)?;
                    Ok(piece.map(|piece| (piece, answer)))
                })),
            };
            Ok(Response { status, headers, body })
        })
    }
}

/// Converts an error of `reqwest`. Drops its URL, which may hold a SAS.
fn fault(error: reqwest::Error) -> TransportError {
    let kind = if error.is_builder() || (error.is_connect() && tls_refused(&error)) {
        TransportErrorKind::Unusable
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        TransportErrorKind::Interrupted
    };
    TransportError::new(kind, &error.without_url())
}

/// Words of OpenSSL and macOS about a certificate, and of OpenSSL about a host without TLS.
const WORDS: [&str; 2] = ["certificate", "wrong version number"];

/// Whether TLS refused the host, because of its certificate or because the host speaks no TLS. A
/// retry would fail the same way.
///
/// The TLS library is not known here, so this checks what each one leaves in the chain of errors:
/// rustls an `io::Error` of kind `InvalidData`, OpenSSL and macOS certain words, Windows negative
/// codes. Network errors have none of these. An alert comes from the host and may be transient.
fn tls_refused(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string().to_ascii_lowercase();
        if WORDS.iter().any(|words| text.contains(words)) {
            return true;
        }
        let Some(fault) = cause.downcast_ref::<io::Error>() else {
            next = cause.source();
            continue;
        };
        let refused = fault.kind() == io::ErrorKind::InvalidData && !text.contains("alert");
        if refused || fault.raw_os_error().is_some_and(i32::is_negative) {
            return true;
        }
        // `source` skips the inner error of an `io::Error`.
        next = fault.get_ref().map(|inner| inner as &(dyn StdError + 'static));
    }
    false
}
