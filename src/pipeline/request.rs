//! A request before it is dated and signed.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

use crate::{
    error::{Error, Result},
    wire::{headers, redaction},
};

/// What a repeat of an operation may do, which decides whether it is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// A second try leaves things as the first did: reads, aborts, unconditional writes.
    Safe,
    /// A start: after an ambiguous attempt, look at the destination before anything else.
    Reconcile,
    /// A second try would do something else: only sent again when the first was surely not applied.
    Never,
}

/// An operation's request: pure data, built without I/O.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Prepared {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        let mut headers = HeaderMap::new();
        // A PUT without a body must say so, or is refused with 411.
        if method == Method::PUT {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Self { method, url, headers, body: Bytes::new() }
    }

    /// Adds a query parameter; both sides are encoded.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
        let mut query = self.url.query().unwrap_or_default().to_owned();
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.extend(utf8_percent_encode(value, QUERY_KEEPS));
        self.url.set_query(Some(&query));
        return self;

        const QUERY_KEEPS: &percent_encoding::AsciiSet =
            &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds a header whose text comes from a user; `what` names it if it cannot travel.
    pub(crate) fn text(self, name: HeaderName, what: &'static str, text: &str) -> Result<Self> {
        let value = headers::value(text).map_err(|why| why.at(what, text))?;
        Ok(self.header(name, value))
    }

    pub(crate) fn body(mut self, body: Bytes) -> Self {
        self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        self.body = body;
        self
    }
}

/// What every operation's builder can set for its one call.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    pub(crate) server_timeout: Option<Duration>,
    pub(crate) client_request_id: Option<String>,
    /// Whether only the primary's answer will do.
    pub(crate) primary_only: bool,
}

redaction::debug_redacted!(CallOptions { server_timeout, client_request_id: text, primary_only });

impl CallOptions {
    /// Puts the options into a request.
    pub(crate) fn apply(&self, mut request: Prepared) -> Result<Prepared> {
        if let Some(limit) = self.server_timeout {
            if limit.as_secs() == 0 || limit > Duration::from_secs(24 * 3600) {
                let rule = "must be 1 second to 24 hours";
                return Err(Error::invalid("server timeout", format!("{limit:?}"), rule));
            }
            request = request.query("timeout", &limit.as_secs().to_string());
        }
        if let Some(id) = &self.client_request_id {
            let legal = (1..=1024).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
            if !legal {
                let rule = "must be 1 to 1024 visible ASCII characters";
                return Err(Error::invalid("client request id", id, rule));
            }
            request = request.text(headers::CLIENT_REQUEST_ID, "client request id", id)?;
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put() -> Prepared {
        Prepared::new(Method::PUT, "https://a.blob.core.windows.net/c/b".parse().expect("a URL"))
    }

    #[test]
    fn parameters_are_encoded_once() {
        let request =
            put().query("comp", "copy").query("snapshot", "2026-01-01T00:00:00.1Z a&b=c+d");
        let query = "comp=copy&snapshot=2026-01-01T00%3A00%3A00.1Z%20a%26b%3Dc%2Bd";
        assert_eq!(request.url.query(), Some(query));
    }

    #[test]
    fn a_put_always_tells_its_length() {
        assert_eq!(put().headers[header::CONTENT_LENGTH], "0");
        assert_eq!(put().body(Bytes::from_static(b"abc")).headers[header::CONTENT_LENGTH], "3");
        let get = Prepared::new(Method::GET, put().url);
        assert!(get.headers.is_empty());
    }

    #[test]
    fn call_options_are_checked() {
        let options = |seconds, id: &str| CallOptions {
            server_timeout: Some(Duration::from_secs(seconds)),
            client_request_id: Some(id.to_owned()),
            primary_only: false,
        };
        let request = options(30, "id-1").apply(put()).expect("legal");
        assert_eq!(request.url.query(), Some("timeout=30"));
        assert_eq!(request.headers["x-ms-client-request-id"], "id-1");
        for (seconds, id, what) in [
            (0, "x", "server timeout: \"0ns\""),
            (90_000, "x", "server timeout: "),
            (1, "", "client request id: \"\""),
            (1, "a b", "client request id: \"a b\""),
        ] {
            let error = options(seconds, id).apply(put()).expect_err(what).to_string();
            assert!(error.starts_with(what), "{error}");
        }
    }
}
