//! Reads from another server, and no more than necessary.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};

use super::certificates;
use crate::{
    handle::outside::READER,
    model::elsewhere::Access,
    wire::{
        document::Element,
        error::{Code, Refusal},
        op::Op,
    },
};

/// The largest document to read: a list of ranges or of blocks.
const LARGEST_DOCUMENT: u64 = 256 << 20;
/// How much of an error body to read.
const LARGEST_REFUSAL: u64 = 64 << 10;
/// The most memory to reserve for a body before it arrives.
const SET_ASIDE: u64 = 4 << 20;

/// Why the source cannot be read.
pub(super) enum Trouble {
    /// Neither its status nor its code is known.
    Unreachable,
    /// The server's answer to a read.
    Refused(Refusal),
    /// The server is not a blob service.
    Foreign,
    /// The source is larger than the operation allows.
    TooLarge,
}

impl Trouble {
    /// The error that the copy is refused with.
    pub(super) fn refusal(self, op: Op, version: &str, too_large: Refusal) -> Refusal {
        match self {
            Self::Unreachable => Code::CannotVerifyCopySource.into(),
            Self::Refused(cause) => Refusal::source_unreadable(op, version, &cause),
            Self::Foreign => Code::InvalidSourceBlobUrl.into(),
            Self::TooLarge => too_large,
        }
    }
}

impl From<reqwest::Error> for Trouble {
    fn from(_: reqwest::Error) -> Self {
        Self::Unreachable
    }
}

/// A blob on another server, and how to request it.
pub(super) struct Site<'a> {
    client: Client,
    access: &'a Access,
}

/// How much of a body to read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cut {
    /// Bytes before this are skipped.
    pub(super) start: u64,
    /// Bytes beyond this many are dropped.
    pub(super) length: Option<u64>,
}

impl<'a> Site<'a> {
    pub(super) fn new(access: &'a Access) -> Result<Self, Trouble> {
        // The token would be visible on the network.
        if access.has_token() && !access.is_https() {
            let why = "Authentication scheme Bearer is not allowed with HTTP";
            return Err(Trouble::Refused(Refusal::unauthenticated(why)));
        }
        let tls = certificates::believing(is_on_this_machine(&access.url));
        let builder = Client::builder().redirect(Policy::none()).no_proxy().user_agent(READER);
        let builder = builder.tls_backend_preconfigured(tls.map_err(|_| Trouble::Unreachable)?);
        Ok(Self { client: builder.build()?, access })
    }

    pub(super) fn ask(&self, method: Method, query: &str) -> RequestBuilder {
        let Access { url, headers } = self.access;
        let joint = if url.contains('?') { '&' } else { '?' };
        let url = if query.is_empty() { url.clone() } else { format!("{url}{joint}{query}") };
        let request = self.client.request(method, url);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    /// One of the service's XML documents, and the response headers.
    pub(super) async fn document(
        &self,
        request: RequestBuilder,
        name: &str,
    ) -> Result<(HeaderMap, Option<Element>), Trouble> {
        let response = answer(request).await?;
        let headers = response.headers().clone();
        let body = match read(response, Cut::default(), LARGEST_DOCUMENT).await {
            Err(Trouble::TooLarge) => return Err(Trouble::Unreachable),
            body => body?,
        };
        Ok((headers, Element::read(&body).filter(|element| element.name == name)))
    }
}

/// Whether to accept any certificate: there is no network to attack between two servers on one
/// machine, and a local simulator signs its own certificate.
fn is_on_this_machine(url: &str) -> bool {
    let uri = url.parse::<http::Uri>().ok();
    uri.as_ref().and_then(http::Uri::host).is_some_and(crate::wire::route::is_loopback)
}

/// The answer to a request if it succeeded; any other answer is the cause of a refusal.
pub(super) async fn answer(request: RequestBuilder) -> Result<Response, Trouble> {
    let response = request.send().await?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let headers = response.headers().clone();
    let beginning = Cut { start: 0, length: Some(LARGEST_REFUSAL) };
    let body = read(response, beginning, LARGEST_REFUSAL).await?;
    let error = Element::read(&body);
    let told = |name| error.as_ref().and_then(|error| error.child_text(name));
    let code = header(&headers, "x-ms-error-code").or(told("Code")).unwrap_or("");
    let message = told("Message").and_then(|message| message.lines().next());
    // Without an error code, report the status's reason phrase.
    let message = message.or(status.canonical_reason()).unwrap_or("");
    Err(Trouble::Refused(Refusal::of_source(status, code, message)))
}

/// The wanted part of a body, which must not exceed `most` bytes.
pub(super) async fn read(mut response: Response, cut: Cut, most: u64) -> Result<Bytes, Trouble> {
    let told = response.content_length().unwrap_or(0);
    if cut.length.is_none() && told.saturating_sub(cut.start) > most {
        return Err(Trouble::TooLarge);
    }
    let wanted = cut.length.unwrap_or(u64::MAX);
    let mut kept = BytesMut::with_capacity(size(told.min(most).min(wanted).min(SET_ASIDE)));
    let mut skip = cut.start;
    while let Some(mut piece) = response.chunk().await? {
        let skipped = piece.len().min(size(skip));
        piece.advance(skipped);
        skip -= skipped as u64;
        if let Some(length) = cut.length {
            piece.truncate(size(length - kept.len() as u64));
        }
        if (kept.len() + piece.len()) as u64 > most {
            return Err(Trouble::TooLarge);
        }
        kept.extend_from_slice(&piece);
        if cut.length == Some(kept.len() as u64) {
            break;
        }
    }
    Ok(kept.freeze())
}

pub(super) fn out_of_range() -> Trouble {
    let refusal = Refusal::from(Code::InvalidRange);
    Trouble::Refused(refusal.status(StatusCode::RANGE_NOT_SATISFIABLE))
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
