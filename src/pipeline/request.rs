//! A request before it is dated and signed.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

use super::options::check_server_timeout;
use crate::{
    error::{Error, Result},
    models::{
        ServiceVersion,
        since::{self, Since},
    },
    wire::{headers, redaction},
};

/// What a second attempt of an operation would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The operation changes nothing.
    Read,
    /// The operation is idempotent: a second attempt leaves the same state as the first.
    Repeatable,
    /// The operation is not idempotent. It is sent again only if the first attempt certainly was
    /// not applied. The start of a copy looks at the destination first.
    Once,
}

/// The URL and the service version of a request.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) url: Arc<Url>,
    pub(crate) version: ServiceVersion,
}

impl Target {
    pub(crate) fn get(&self) -> Prepared {
        self.request(Method::GET)
    }

    pub(crate) fn head(&self) -> Prepared {
        self.request(Method::HEAD)
    }

    pub(crate) fn post(&self) -> Prepared {
        self.request(Method::POST)
    }

    pub(crate) fn delete(&self) -> Prepared {
        self.request(Method::DELETE)
    }

    pub(crate) fn put(&self) -> Prepared {
        // The service answers 411 to a PUT without a length.
        self.request(Method::PUT).word(header::CONTENT_LENGTH, "0")
    }

    /// Whether it is a snapshot or version of a blob.
    pub(crate) fn is_fixed(&self) -> bool {
        self.url.query().is_some()
    }

    fn request(&self, method: Method) -> Prepared {
        let (url, headers, body) = (self.url.clone(), HeaderMap::new(), Bytes::new());
        let (source_length, refused) = (None, None);
        Prepared { method, url, headers, body, source_length, version: self.version, refused }
    }
}

/// An operation's request: pure data, built without I/O.
///
/// It is written as one chain that ends with [`done`](Self::done), which returns the first error of
/// any step.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) method: Method,
    pub(crate) url: Arc<Url>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The length of the source that the service reads, if it is known.
    pub(super) source_length: Option<u64>,
    pub(super) version: ServiceVersion,
    pub(super) refused: Option<Box<Error>>,
}

/// Settings that several operations share, and how they are written into a request.
pub(crate) trait Settings {
    fn write(&self, request: Prepared) -> Prepared;
}

impl<T: Settings> Settings for Option<T> {
    fn write(&self, request: Prepared) -> Prepared {
        match self {
            None => request,
            Some(settings) => settings.write(request),
        }
    }
}

impl Prepared {
    /// Adds a query parameter, if there is a value; both sides are encoded.
    pub(crate) fn query<'a>(mut self, name: &str, value: impl Into<Option<&'a str>>) -> Self {
        if let Some(value) = value.into() {
            self.url = Arc::new(with_parameter(Arc::unwrap_or_clone(self.url), name, value));
        }
        self
    }

    /// Adds a header, if there is a value.
    pub(crate) fn header(
        mut self,
        name: HeaderName,
        value: impl Into<Option<HeaderValue>>,
    ) -> Self {
        if let Some(value) = value.into() {
            self.headers.insert(name, value);
        }
        self
    }

    /// Adds a header with a fixed value.
    pub(crate) fn word(self, name: HeaderName, word: &'static str) -> Self {
        self.header(name, HeaderValue::from_static(word))
    }

    /// Adds a header with text from the user, if there is a text; `what` names it in errors.
    pub(crate) fn text<'a>(
        self,
        name: HeaderName,
        what: &'static str,
        text: impl Into<Option<&'a str>>,
    ) -> Self {
        let Some(text) = text.into() else { return self };
        match headers::value(text) {
            Ok(value) => self.header(name, value),
            Err(why) => self.check(Err(why.at(what, text))),
        }
    }

    /// The same for a text that may be an error.
    pub(crate) fn try_text(
        self,
        name: HeaderName,
        what: &'static str,
        text: Result<impl Into<Option<String>>>,
    ) -> Self {
        self.with(text, |request, text| request.text(name, what, text.into().as_deref()))
    }

    /// Adds headers that a model writes.
    pub(crate) fn headers(mut self, write: impl FnOnce(&mut HeaderMap) -> Result<()>) -> Self {
        let written = write(&mut self.headers);
        self.check(written)
    }

    pub(crate) fn body(mut self, body: Bytes) -> Self {
        self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        self.body = body;
        self
    }

    /// Notes the length of the source that the service reads whole.
    pub(crate) fn source_length(mut self, length: Option<u64>) -> Self {
        self.source_length = length;
        self
    }

    /// How many bytes the service reads from a source for this request, as far as it is known.
    pub(crate) fn source_bytes(&self) -> u64 {
        let range = self.headers.get(headers::SOURCE_RANGE).and_then(|range| range.to_str().ok());
        let ends = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let range = ends.and_then(|(first, last)| {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            last.checked_sub(first)?.checked_add(1)
        });
        range.or(self.source_length).unwrap_or_default()
    }

    /// Adds what `add` makes of a value, or keeps its error.
    pub(crate) fn with<T>(self, value: Result<T>, add: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Ok(value) => add(self, value),
            Err(refusal) => self.check(Err(refusal)),
        }
    }

    /// Adds settings.
    pub(crate) fn settings(self, settings: &impl Settings) -> Self {
        settings.write(self)
    }

    /// Keeps the first error.
    pub(crate) fn check(mut self, checked: Result<()>) -> Self {
        if let (Err(refusal), None) = (checked, &self.refused) {
            self.refused = Some(Box::new(refusal));
        }
        self
    }

    /// Refuses a service version that does not know `what`, if it is used.
    pub(crate) fn since(self, what: impl Into<Option<Since>>) -> Self {
        match what.into() {
            None => self,
            Some(since) => {
                let checked = since.check(self.version);
                self.check(checked)
            }
        }
    }

    /// Refuses to send a secret without TLS.
    pub(crate) fn only_https(self, what: &'static str) -> Self {
        let checked = match self.url.scheme() {
            "https" => Ok(()),
            scheme => Err(Error::invalid(what, format!("{scheme}://"), "requires https")),
        };
        self.check(checked)
    }

    /// Whether the method reads.
    pub(crate) fn reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }

    /// The bytes that it sends or lets the service read from a source, as far as it is known.
    pub(crate) fn bytes_moved(&self) -> u64 {
        let sent = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        sent.saturating_add(self.source_bytes())
    }

    /// The request; an error if a step refused, or if the service version does not know a part of
    /// it.
    pub(crate) fn done(mut self) -> Result<Self> {
        match self.refused.take() {
            Some(refusal) => Err(*refusal),
            None => since::check(self.version, &self.url, &self.headers).map(|()| self),
        }
    }
}

/// A URL with another query parameter; both sides are encoded.
pub(crate) fn with_parameter(mut url: Url, name: &str, value: &str) -> Url {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    const QUERY_KEEPS: &percent_encoding::AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

    let mut query = url.query().unwrap_or_default().to_owned();
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    query.extend(utf8_percent_encode(value, QUERY_KEEPS));
    url.set_query(Some(&query));
    url
}

/// The options that every builder has for its call.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    pub(crate) server_timeout: Option<Duration>,
    pub(crate) client_request_id: Option<String>,
    /// Whether to send the request to the primary only.
    pub(crate) primary_only: bool,
}

redaction::debug_redacted!(CallOptions { server_timeout, client_request_id: text, primary_only });

impl Settings for CallOptions {
    fn write(&self, request: Prepared) -> Prepared {
        let seconds = self.server_timeout.map(|limit| limit.as_secs().to_string());
        request.check(self.check()).query("timeout", seconds.as_deref()).text(
            headers::CLIENT_REQUEST_ID,
            "client request id",
            self.client_request_id.as_deref(),
        )
    }
}

impl CallOptions {
    fn check(&self) -> Result<()> {
        check_server_timeout(self.server_timeout)?;
        if let Some(id) = &self.client_request_id
            && !((1..=1024).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()))
        {
            let rule = "must be 1 to 1024 visible ASCII characters";
            return Err(Error::invalid("client request id", id, rule));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        let url = Arc::new("https://a.blob.core.windows.net/c/b".parse().expect("a URL"));
        Target { url, version: ServiceVersion::LATEST }
    }

    fn put() -> Prepared {
        target().put()
    }

    #[test]
    fn parameters_are_encoded_once() {
        let request =
            put().query("comp", "copy").query("snapshot", "2026-01-01T00:00:00.1Z a&b=c+d");
        let query = "comp=copy&snapshot=2026-01-01T00%3A00%3A00.1Z%20a%26b%3Dc%2Bd";
        assert_eq!(request.url.query(), Some(query));
    }

    #[test]
    fn the_bytes_it_moves_are_its_body_and_what_is_read_from_a_source() {
        let request = put().body(Bytes::from_static(b"abc"));
        assert_eq!(request.clone().bytes_moved(), 3);
        assert_eq!(request.source_length(Some(7)).bytes_moved(), 10);
    }

    #[test]
    fn what_is_read_from_a_source_is_its_range_or_its_length() {
        assert_eq!(put().source_bytes(), 0);
        assert_eq!(put().source_length(Some(7)).source_bytes(), 7);
        for (range, bytes) in [("bytes=512-1023", 512), ("bytes=0-", 7), ("bytes=9-2", 7)] {
            let request = put().word(headers::SOURCE_RANGE, range).source_length(Some(7));
            assert_eq!(request.source_bytes(), bytes, "{range}");
        }
    }

    #[test]
    fn a_put_always_tells_its_length() {
        assert_eq!(put().headers[header::CONTENT_LENGTH], "0");
        assert_eq!(put().body(Bytes::from_static(b"abc")).headers[header::CONTENT_LENGTH], "3");
        assert!(target().get().headers.is_empty());
    }

    #[test]
    fn the_first_refusal_of_a_chain_is_its_error() {
        let refused = |what| Err(Error::invalid(what, "x", "is refused"));
        let chain = put()
            .check(Ok(()))
            .text(headers::LEASE_ID, "lease id", "\n")
            .check(refused("second"))
            .since(since::VERSIONS);
        let error = chain.done().expect_err("refused").to_string();
        assert!(error.starts_with("lease id: "), "{error}");
        assert!(put().text(headers::LEASE_ID, "lease id", None).done().is_ok());
    }

    #[test]
    fn what_the_version_does_not_know_is_refused_at_the_end() {
        let old = Target { version: "2019-10-10".parse().expect("a version"), ..target() };
        let error = old.put().word(headers::TAGS, "a=b").done().expect_err("old").to_string();
        assert!(error.contains("2019-12-12 or later for tags"), "{error}");
        assert!(old.put().since(since::VERSIONS).done().is_err());
        assert!(target().put().since(since::VERSIONS).word(headers::TAGS, "a=b").done().is_ok());
    }

    #[test]
    fn call_options_are_checked() {
        let options = |seconds, id: &str| CallOptions {
            server_timeout: Some(Duration::from_secs(seconds)),
            client_request_id: Some(id.to_owned()),
            primary_only: false,
        };
        let request = put().settings(&options(30, "id-1")).done().expect("legal");
        assert_eq!(request.url.query(), Some("timeout=30"));
        assert_eq!(request.headers["x-ms-client-request-id"], "id-1");
        for (seconds, id, what) in [
            (0, "x", "server timeout: \"0ns\""),
            (90_000, "x", "server timeout: "),
            (1, "", "client request id: \"\""),
            (1, "a b", "client request id: \"a b\""),
        ] {
            let refused = put().settings(&options(seconds, id)).done();
            let error = refused.expect_err(what).to_string();
            assert!(error.starts_with(what), "{error}");
        }
    }
}
