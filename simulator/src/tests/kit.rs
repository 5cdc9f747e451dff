//! A minimal client, with its own signer.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request};
use percent_encoding::percent_decode_str;
use sha2::Sha256;
use time::macros::datetime;
use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};

use blobcopy::Clock;

use crate::{
    DEFAULT_ACCOUNT, DEFAULT_KEY, Simulator, SimulatorBuilder,
    faults::Delivery,
    wire::{dates, route::Peer},
};

/// A second account, with its own key.
pub(super) const OTHER: (&str, &str) = ("otheraccount", "b3RoZXIga2V5");
pub(super) const HOST: &str = "http://127.0.0.1:10000";

pub(super) struct Kit {
    pub(super) sim: Simulator,
    /// Keeps time paused, unless the test has its own runtime.
    runtime: Option<Runtime>,
}

pub(super) struct Ask<'a> {
    kit: &'a Kit,
    account: &'a str,
    method: &'a str,
    target: String,
    /// A whole URL instead of account and target.
    url: Option<String>,
    headers: Vec<(String, String)>,
    body: Bytes,
    signed: bool,
    https: bool,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) delivery: Delivery,
}

/// A simulator with two accounts, on a clock that only `advance` moves.
pub(super) fn kit(settings: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder) -> Kit {
    let paused = || Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let runtime = Handle::try_current().is_err().then(paused);
    let guard = runtime.as_ref().map(Runtime::enter);
    let builder = Simulator::builder()
        .account(DEFAULT_ACCOUNT, DEFAULT_KEY)
        .account(OTHER.0, OTHER.1)
        .clock(Clock::starting_at(datetime!(2026-01-01 00:00 UTC)));
    let sim = settings(builder).build();
    drop(guard);
    Kit { sim, runtime }
}

pub(super) fn plain() -> Kit {
    kit(|builder| builder)
}

/// The same with a block blob, `/src/b`.
pub(super) fn with_blob() -> Kit {
    let kit = plain();
    kit.container("src");
    kit.block_blob("/src/b", b"hello world");
    kit
}

impl Kit {
    pub(super) fn around(sim: Simulator) -> Self {
        Self { sim, runtime: None }
    }

    /// Enters the runtime with paused time.
    pub(super) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.runtime.as_ref().map(Runtime::enter)
    }

    pub(super) fn ask<'a>(&'a self, method: &'a str, target: &str) -> Ask<'a> {
        let (headers, body) = (Vec::new(), Bytes::new());
        let (account, target) = (DEFAULT_ACCOUNT, target.to_owned());
        let (url, signed, https) = (None, true, false);
        Ask { kit: self, account, method, target, url, headers, body, signed, https }
    }

    /// An unsigned request to a whole URL.
    pub(super) fn ask_at<'a>(&'a self, method: &'a str, url: &str) -> Ask<'a> {
        Ask { url: Some(url.to_owned()), https: url.starts_with("https:"), ..self.ask(method, "") }
            .unsigned()
    }

    /// Creates a container.
    pub(super) fn container(&self, name: &str) {
        self.ask("PUT", &format!("/{name}?restype=container")).send().expect(201);
    }

    /// A page blob of `pages` pages.
    pub(super) fn page_blob(&self, path: &str, pages: u64) {
        let length = (pages * 512).to_string();
        let ask = self.ask("PUT", path).header("x-ms-blob-type", "PageBlob");
        ask.header("x-ms-blob-content-length", &length).send().expect(201);
    }

    pub(super) fn write_pages(&self, path: &str, first: u64, count: u64, byte: u8) -> Reply {
        let range = format!("bytes={}-{}", first * 512, (first + count) * 512 - 1);
        let body = vec![byte; usize::try_from(count).unwrap() * 512];
        let ask = self.ask("PUT", &format!("{path}?comp=page")).header("x-ms-page-write", "update");
        ask.header("x-ms-range", &range).body(&body).send()
    }

    pub(super) fn block_blob(&self, path: &str, body: &[u8]) {
        self.ask("PUT", path).header("x-ms-blob-type", "BlockBlob").body(body).send().expect(201);
    }

    pub(super) fn snapshot(&self, path: &str) -> String {
        let reply = self.ask("PUT", &format!("{path}?comp=snapshot")).send().expect(201);
        reply.header("x-ms-snapshot").to_owned()
    }

    pub(super) fn head(&self, path: &str) -> Reply {
        self.ask("HEAD", path).send()
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.sim.clock().advance(Duration::from_secs(seconds));
    }

    /// Starts a Copy Blob within the first account.
    pub(super) fn copy<'a>(&'a self, source: &str, path: &str) -> Ask<'a> {
        let source = format!("{HOST}/{DEFAULT_ACCOUNT}{source}");
        self.ask("PUT", path).header("x-ms-copy-source", &source)
    }

    /// Starts an incremental copy of a snapshot, with a SAS for the source.
    pub(super) fn incremental<'a>(&'a self, path: &str, snapshot: &str, to: &str) -> Ask<'a> {
        let sas = source_sas(path);
        let source = format!("{HOST}/{DEFAULT_ACCOUNT}{path}?snapshot={snapshot}&{sas}");
        self.ask("PUT", &format!("{to}?comp=incrementalcopy")).header("x-ms-copy-source", &source)
    }
}

impl<'a> Ask<'a> {
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn body(mut self, body: &[u8]) -> Self {
        self.body = Bytes::copy_from_slice(body);
        self
    }

    pub(super) fn account(mut self, name: &'a str) -> Self {
        self.account = name;
        self
    }

    pub(super) fn unsigned(mut self) -> Self {
        self.signed = false;
        self
    }

    pub(super) fn over_https(mut self) -> Self {
        self.https = true;
        self
    }

    pub(super) fn request(mut self) -> Request<Bytes> {
        let _guard = self.kit.enter();
        let key = if self.account == OTHER.0 { OTHER.1 } else { DEFAULT_KEY };
        let now = dates::http_date(self.kit.sim.clock().now());
        let given = |headers: &[(String, String)], name: &str| {
            headers.iter().any(|(given, _)| given == name)
        };
        if self.method == "PUT" && !given(&self.headers, "content-length") {
            self = self.header_number("content-length");
        }
        for (name, value) in [("x-ms-date", now.as_str()), ("x-ms-version", "2026-04-06")] {
            if !given(&self.headers, name) {
                self.headers.push((name.to_owned(), value.to_owned()));
            }
        }
        let uri = format!("{HOST}/{}{}", self.account, self.target);
        let uri = self.url.clone().unwrap_or(uri);
        if self.signed {
            let path_and_query = format!("/{}{}", self.account, self.target);
            let text = string_to_sign(self.account, self.method, &path_and_query, &self.headers);
            let authorization = format!("SharedKey {}:{}", self.account, sign(key, &text));
            self.headers.push(("authorization".to_owned(), authorization));
        }
        let peer = Peer { https: self.https, ..Peer::default() };
        let mut request = Request::builder().method(self.method).uri(uri).extension(peer);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(self.body).unwrap()
    }

    fn header_number(self, name: &str) -> Self {
        let length = self.body.len().to_string();
        self.header(name, &length)
    }

    pub(super) fn send(self) -> Reply {
        let _guard = self.kit.enter();
        let shared = self.kit.sim.shared.clone();
        let outcome = shared.step(self.request());
        let (parts, payload) = outcome.response.into_parts();
        let body = payload.fold(BytesMut::new(), |mut all, piece| {
            all.extend_from_slice(&piece);
            all
        });
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        Reply { status, headers, body: body.to_vec(), delivery: outcome.delivery }
    }
}

impl Reply {
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    #[track_caller]
    pub(super) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.header("x-ms-error-code")), (status, code));
        self
    }

    /// A header's text; empty when it is absent.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A service SAS to read one blob of the first account.
pub(super) fn source_sas(path: &str) -> String {
    sas(path, "b", "r", "2026-12-31T00:00:00Z")
}

pub(super) fn sas(path: &str, resource: &str, permissions: &str, expiry: &str) -> String {
    let version = "2026-04-06";
    let mut fields = vec![permissions, "", expiry];
    let canonical = format!("/blob/{DEFAULT_ACCOUNT}{path}");
    fields.extend([canonical.as_str(), "", "", "", version, resource, "", "", "", "", "", "", ""]);
    let signature = sign(DEFAULT_KEY, &fields.join("\n"));
    let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let expiry = expiry.replace(':', "%3A");
    format!("sp={permissions}&se={expiry}&sv={version}&sr={resource}&sig={signature}")
}

fn sign(key: &str, text: &str) -> String {
    sign_with(&STANDARD.decode(key).unwrap(), text)
}

pub(super) fn sign_with(key: &[u8], text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn string_to_sign(
    account: &str,
    method: &str,
    path_and_query: &str,
    headers: &[(String, String)],
) -> String {
    let header = |name: &str| {
        let found = headers.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let length = match header("content-length") {
        "0" if header("x-ms-version") >= "2015-02-21" => "",
        length => length,
    };
    let mut lines = vec![method.to_owned(), String::new(), String::new(), length.to_owned()];
    for name in ["content-md5", "content-type", "", "if-modified-since", "if-match"] {
        lines.push(header(name).to_owned());
    }
    for name in ["if-none-match", "if-unmodified-since", "range"] {
        lines.push(header(name).to_owned());
    }
    let mut own: Vec<_> = headers.iter().filter(|(name, _)| name.starts_with("x-ms-")).collect();
    own.sort();
    lines.extend(own.iter().map(|(name, value)| format!("{name}:{value}")));
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    lines.push(format!("/{account}{path}"));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let mut parameters: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name).to_lowercase(), decoded(value)))
        .collect();
    parameters.sort();
    lines.extend(parameters.iter().map(|(name, value)| format!("{name}:{value}")));
    lines.join("\n")
}
