//! The requests that arrived, for assertions.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use http::{HeaderMap, StatusCode};
use time::OffsetDateTime;

use crate::wire::{call::Call, op::Op, route::Route};

/// How many requests are kept in full, unless the builder says otherwise.
pub(crate) const KEPT: usize = 4096;

/// A request that arrived, and how it was answered: see
/// [`Simulator::requests`](crate::Simulator::requests).
///
/// ```
/// # use blobcopy_simulator::Simulator;
/// let sim = Simulator::builder().build();
/// // ... requests ...
/// for request in sim.requests() {
///     println!("{} answered {}", request.op(), request.status());
/// }
/// assert!(sim.requests().is_empty());
/// ```
#[derive(Clone)]
pub struct SeenRequest {
    op: Op,
    route: Route,
    headers: SentHeaders,
    timeout: Option<u64>,
    status: StatusCode,
    code: Option<String>,
    delivered: bool,
    at: OffsetDateTime,
}

impl SeenRequest {
    /// The operation.
    pub fn op(&self) -> Op {
        self.op
    }

    /// The account in the URL.
    pub fn account(&self) -> &str {
        &self.route.account
    }

    /// The container in the URL.
    pub fn container(&self) -> Option<&str> {
        self.route.container.as_deref()
    }

    /// The blob in the URL.
    pub fn blob(&self) -> Option<&str> {
        self.route.blob.as_deref()
    }

    /// A header of the request.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The parameter `timeout`: the seconds that the service may work on it.
    pub fn server_timeout(&self) -> Option<u64> {
        self.timeout
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The error code of the answer.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whether the whole answer was sent; a fault can lose it or cut it.
    pub fn delivered(&self) -> bool {
        self.delivered
    }

    /// When the request arrived, on the simulator's clock.
    pub fn at(&self) -> OffsetDateTime {
        self.at
    }
}

/// Without the headers, which hold signatures.
impl fmt::Debug for SeenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let container = self.container().unwrap_or("");
        write!(f, "{} {}/{container}", self.op, self.account())?;
        if let Some(blob) = self.blob() {
            write!(f, "/{blob}")?;
        }
        write!(f, " -> {}", self.status())?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if self.delivered { Ok(()) } else { f.write_str(" (not delivered)") }
    }
}

/// The headers of a request as one piece of text: slices of a connection's buffer would keep that
/// buffer alive.
#[derive(Clone)]
struct SentHeaders(Box<str>);

impl SentHeaders {
    fn of(headers: &HeaderMap) -> Self {
        let mut text = String::with_capacity(512);
        for (name, value) in headers {
            let Ok(value) = std::str::from_utf8(value.as_bytes()) else { continue };
            text.extend([name.as_str(), ":", value, "\n"]);
        }
        Self(text.into())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.lines().filter_map(|line| line.split_once(':'));
        pairs.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The latest requests in full, and how many of each kind there were.
#[derive(Debug)]
pub(crate) struct RequestLog {
    kept: usize,
    latest: VecDeque<SeenRequest>,
    counts: BTreeMap<Op, u64>,
}

impl RequestLog {
    /// A log that keeps this many requests and counts all.
    pub(crate) fn new(kept: usize) -> Self {
        Self { kept, latest: VecDeque::new(), counts: BTreeMap::new() }
    }

    pub(crate) fn add(
        &mut self,
        call: Call,
        status: StatusCode,
        code: Option<String>,
        delivered: bool,
    ) {
        let Call { op, route, headers, query, now: at, .. } = call;
        *self.counts.entry(op).or_default() += 1;
        if self.kept == 0 {
            return;
        }
        if self.latest.len() == self.kept {
            self.latest.pop_front();
        }
        let headers = SentHeaders::of(&headers);
        let timeout = query.get("timeout").and_then(|seconds| seconds.parse().ok());
        let seen = SeenRequest { op, route, headers, timeout, status, code, delivered, at };
        self.latest.push_back(seen);
    }

    pub(crate) fn latest(&self) -> Vec<SeenRequest> {
        self.latest.iter().cloned().collect()
    }

    pub(crate) fn count(&self, op: Op) -> u64 {
        self.counts.get(&op).copied().unwrap_or(0)
    }

    pub(crate) fn counts(&self) -> BTreeMap<Op, u64> {
        self.counts.clone()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.kept);
    }
}
