//! Calls with hostile values, to a service that accepts everything.

use std::{
    fmt::Debug,
    future::IntoFuture,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use blobcopy::{
    BlobServiceClient, ClientOptions, Clock, Credential, Error, Pager, PagerItem,
    transport::{BoxFuture, Request, Response, Transport, TransportError},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use super::{
    bounds,
    values::{LEASE, NOW, SNAPSHOT, Values},
};

pub(super) const HOST: &str = "acct.blob.core.windows.net";

/// The most requests that any call here may send.
const MOST: usize = 200;

/// The values of a case, and the service that the calls use.
pub(super) struct Run<'a> {
    pub(super) values: &'a Values,
    pub(super) server: Server,
}

impl<'a> Run<'a> {
    pub(super) fn new(values: &'a Values) -> Self {
        Self { values, server: Server::default() }
    }

    pub(super) fn options(&self) -> ClientOptions {
        let transport = self.server.clone();
        ClientOptions::new().transport(transport).clock(Clock::starting_at(NOW))
    }

    pub(super) fn service(&self, credential: Credential) -> BlobServiceClient {
        BlobServiceClient::builder(format!("https://{HOST}").parse().expect("a URL"))
            .credential(credential)
            .options(self.options())
            .build()
            .expect("a client")
    }

    /// Awaits a call, which must end in time and with a short error if any; returns its result.
    pub(super) async fn wait_for<T: Debug>(
        &self,
        call: impl IntoFuture<Output = Result<T, Error>> + Debug,
    ) -> Option<T> {
        bounds::shown(&call, bounds::of_values(self.values));
        self.server.sent.store(0, Ordering::Relaxed);
        let ended = bounds::within(Duration::from_secs(3600), call.into_future()).await;
        self.made(ended.expect("the call did not end within an hour"))
    }

    /// Reads a list to its end.
    pub(super) async fn read_all<T: PagerItem>(&self, list: Pager<T>) -> Option<T::All>
    where
        T::All: Debug,
    {
        bounds::shown(&list, bounds::of_values(self.values));
        self.server.sent.store(0, Ordering::Relaxed);
        let ended = bounds::within(Duration::from_secs(3600), list.collect_all()).await;
        self.made(ended.expect("the list did not end within an hour"))
    }

    /// Checks the result of a synchronous function.
    pub(super) fn made<T: Debug>(&self, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(made) => {
                bounds::shown(&made, bounds::of_values(self.values));
                Some(made)
            }
            Err(error) => {
                bounds::error(&error, bounds::SHORT, bounds::SHORT_DEBUG);
                None
            }
        }
    }
}

/// Accepts every request, checks its form, and reports success.
#[derive(Debug, Clone, Default)]
pub(super) struct Server {
    sent: Arc<AtomicUsize>,
}

impl Transport for Server {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let headers =
            request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
        let length = request.url().as_str().len() + headers.sum::<usize>();
        bounds::shown(&request, bounds::SHORT + 12 * length);
        check(&request);
        let sent = self.sent.fetch_add(1, Ordering::Relaxed);
        assert!(sent < MOST, "a call sends request after request: {request:?}");
        Box::pin(async move { Ok(answer(&request)) })
    }
}

/// What must hold for every request, whatever values it was built from.
fn check(request: &Request) {
    let url = request.url().as_str();
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic()), "the URL is no plain text: {url}");
    assert_eq!(Url::parse(url).as_ref(), Ok(request.url()), "the URL is read as another");
    assert!(matches!(request.url().scheme(), "http" | "https"), "{url}");
    assert_eq!(request.url().fragment(), None, "{url}");
    assert_eq!((request.url().username(), request.url().password()), ("", None), "{url}");
    for (name, value) in request.headers() {
        let plain = value.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte));
        assert!(plain, "{name} holds more than plain text: {value:?}");
        assert_eq!(request.headers().get_all(name).iter().count(), 1, "{name} is there twice");
        assert!(!name.as_str().contains("injected"), "{name}");
    }
}

/// Fails unless a request goes to the account of [`Run::service`].
pub(super) fn check_host(url: &Url) {
    assert_eq!((url.host_str(), url.port()), (Some(HOST), None), "{url}");
}

fn answer(request: &Request) -> Response {
    let sent = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let mut headers = HeaderMap::new();
    let mut tell = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).expect("a value");
        headers.insert(HeaderName::from_static(name), value);
    };
    for (name, value) in HEADERS {
        tell(name, value);
    }
    let lease = sent("x-ms-proposed-lease-id").or(sent("x-ms-lease-id")).unwrap_or(LEASE);
    tell("x-ms-lease-id", lease);
    let body = body(request);
    let length = body.len() as u64;
    let range = sent("x-ms-range").and_then(|range| range.strip_prefix("bytes="));
    let (first, last) = range.and_then(|range| range.split_once('-')).unwrap_or_default();
    let (first, last) = (first.parse::<u64>(), last.parse().unwrap_or(u64::MAX));
    let status = match first.ok().filter(|_| request.method() == Method::GET && is_content(request))
    {
        None => StatusCode::OK,
        Some(first) => {
            let last = last.min(first.saturating_add(length - 1));
            tell("content-range", &format!("bytes {first}-{last}/{}", u64::MAX));
            tell("content-length", &last.saturating_sub(first).saturating_add(1).to_string());
            StatusCode::PARTIAL_CONTENT
        }
    };
    if request.method() != Method::HEAD && status == StatusCode::OK {
        tell("content-length", &length.to_string());
    }
    Response::new(status, headers, Bytes::from(body))
}

/// The headers of every answer: each operation reads those that it knows.
const HEADERS: [(&str, &str); 14] = [
    ("etag", "\"0x1\""),
    ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("content-length", "64"),
    ("x-ms-blob-content-length", "1024"),
    ("x-ms-blob-type", "PageBlob"),
    ("x-ms-request-id", "r-1"),
    ("x-ms-snapshot", SNAPSHOT),
    ("x-ms-lease-time", "7"),
    ("x-ms-copy-id", "c-1"),
    ("x-ms-copy-status", "success"),
    ("x-ms-copy-progress", "1024/1024"),
    ("x-ms-copy-completion-time", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("x-ms-copy-destination-snapshot", SNAPSHOT),
];

fn parameter(request: &Request, name: &str) -> Option<String> {
    let mut pairs = request.url().query_pairs();
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn is_content(request: &Request) -> bool {
    parameter(request, "comp").is_none()
}

fn body(request: &Request) -> Vec<u8> {
    if request.method() == Method::HEAD || request.method() == Method::PUT {
        return Vec::new();
    }
    let text = match parameter(request, "comp").as_deref() {
        Some("list") => {
            "<EnumerationResults><Blobs><Blob><Name>b</Name></Blob></Blobs><Containers><Container>\
             <Name>vhds</Name></Container></Containers><NextMarker/></EnumerationResults>"
        }
        Some("pagelist") => {
            "<PageList><PageRange><Start>0</Start><End>511</End></PageRange></PageList>"
        }
        Some("tags") => "<Tags><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tags>",
        Some("blocklist") => "<BlockList><CommittedBlocks/></BlockList>",
        Some("userdelegationkey") => {
            "<UserDelegationKey><SignedOid>00000000-0000-0000-0000-00000000000a</SignedOid>\
             <SignedTid>00000000-0000-0000-0000-00000000000b</SignedTid>\
             <SignedStart>2026-01-01T00:00:00Z</SignedStart>\
             <SignedExpiry>2026-01-08T00:00:00Z</SignedExpiry><SignedService>b</SignedService>\
             <SignedVersion>2026-04-06</SignedVersion><Value>c2VjcmV0</Value></UserDelegationKey>"
        }
        _ => "the content of this blob, which takes sixty-four bytes in all",
    };
    text.as_bytes().to_vec()
}
