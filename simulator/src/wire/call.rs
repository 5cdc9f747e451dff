//! A request as the operations see it: routed, decoded, with access to its headers.

use bytes::Bytes;
use http::{Extensions, HeaderMap, Method, Request, uri::Authority};
use time::OffsetDateTime;

use super::{
    error::{Code, Refusal},
    op::Op,
    route::{BlobAddress, Peer, Query, Route},
    versions,
};

/// One request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) op: Op,
    pub(crate) method: Method,
    pub(crate) authority: Option<Authority>,
    /// As sent, still percent-encoded.
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Why the body was discarded, if it was.
    pub(crate) unread: Option<Refusal>,
    pub(crate) route: Route,
    pub(crate) peer: Peer,
    /// Data attached for an operation, such as a source fetched from another server.
    pub(crate) attached: Extensions,
    /// For a request in a batch: the version of the batch, which replaces its own.
    pub(crate) batch: Option<String>,
    pub(crate) now: OffsetDateTime,
}

/// A requested range of bytes; without an end it extends to the end of the blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AskedRange {
    pub(crate) start: u64,
    pub(crate) last: Option<u64>,
}

impl Call {
    /// The addressed host, from the target or else from the `Host` header.
    pub(crate) fn authority_of(request: &Request<Bytes>) -> Option<Authority> {
        let host = || request.headers().get(http::header::HOST)?.to_str().ok()?.parse().ok();
        request.uri().authority().cloned().or_else(host)
    }

    /// A header as text. (The request was checked on arrival: all headers are text.)
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers.get(name)?.as_bytes()).ok()
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.header(name).ok_or_else(|| Refusal::missing_header(name))
    }

    /// A header with a number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.header(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Refusal::bad_header(name, text))
    }

    /// A header with a boolean; some SDKs send `True`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let Some(text) = self.header(name) else { return Ok(None) };
        let flag = text.to_ascii_lowercase().parse();
        flag.map(Some).map_err(|_| Refusal::bad_header(name, text))
    }

    /// The service version: `x-ms-version`, or `api-version` in the query, or else that of the SAS.
    pub(crate) fn version(&self) -> &str {
        self.header("x-ms-version")
            .or(self.batch.as_deref())
            .or_else(|| self.query.get("api-version"))
            .or_else(|| self.query.get("sig").and(self.query.get("sv")))
            .unwrap_or(versions::OLDEST)
    }

    /// Versions are dates, so they compare as text.
    pub(crate) fn since(&self, version: &str) -> bool {
        self.version() >= version
    }

    /// Refuses a copy whose source could not be read.
    pub(crate) fn source_unreadable(&self, cause: &Refusal) -> Refusal {
        Refusal::source_unreadable(self.op, self.version(), cause)
    }

    pub(crate) fn snapshot(&self) -> Option<&str> {
        self.query.get("snapshot")
    }

    /// Refuses a write to a snapshot.
    pub(crate) fn not_a_snapshot(&self) -> Result<(), Refusal> {
        match self.snapshot() {
            None => Ok(()),
            Some(_) => Err(Code::InvalidOperation.into()),
        }
    }

    pub(crate) fn container(&self) -> Result<&str, Refusal> {
        Ok(self.route.container.as_deref().ok_or(Code::InvalidUri)?)
    }

    pub(crate) fn blob_address(&self) -> Result<BlobAddress, Refusal> {
        let blob = self.route.blob.as_deref().ok_or(Code::InvalidUri)?;
        Ok(BlobAddress {
            account: self.route.account.clone(),
            container: self.container()?.to_owned(),
            blob: blob.to_owned(),
        })
    }

    /// The requested range: `x-ms-range` takes precedence over `Range`.
    pub(crate) fn range(&self) -> Result<Option<AskedRange>, Refusal> {
        self.range_in(&["x-ms-range", "range"])
    }

    /// The requested range of the source.
    pub(crate) fn source_range(&self) -> Result<Option<AskedRange>, Refusal> {
        self.range_in(&["x-ms-source-range"])
    }

    fn range_in(&self, names: &[&str]) -> Result<Option<AskedRange>, Refusal> {
        let named = names.iter().find_map(|name| Some((name, self.header(name)?)));
        let Some((name, text)) = named else { return Ok(None) };
        AskedRange::parse(text).map(Some).ok_or_else(|| Refusal::bad_header(name, text))
    }
}

impl AskedRange {
    fn parse(text: &str) -> Option<Self> {
        let (start, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
        // Not every text that parses as a number: `+5` is not accepted.
        let number = |text: &str| text.parse().ok().filter(|_| !text.starts_with('+'));
        let start = number(start)?;
        let last = if last.is_empty() { None } else { Some(number(last)?) };
        (last.is_none_or(|last| start <= last && last < u64::MAX)).then_some(Self { start, last })
    }
}
