//! The step: one request in, one answer out, and the state as it is afterwards.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, request::Parts};
use time::OffsetDateTime;

use super::{
    answer::Answer,
    auth,
    call::Call,
    copies, dates,
    error::{Code, Refusal},
    faults::Delivery,
    op::Op,
    ops,
    payload::Payload,
    route::{Peer, Query, locate},
    state::State,
};

const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";

/// An answer, and how it is to be delivered.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) response: Response<Payload>,
    pub(crate) delivery: Delivery,
}

/// Answers `request`, which arrived at `now`.
///
/// Pure: it reads no clock, waits for nothing, and draws its ids from the state's own seed.
pub(crate) fn handle(state: &mut State, request: Request<Bytes>, now: OffsetDateTime) -> Outcome {
    copies::settle(state, now);

    let request_id = state.stamps.guid();
    let head = request.method() == Method::HEAD;
    let echoed_id = request.headers().get(CLIENT_REQUEST_ID).cloned();
    let version = request.headers().get("x-ms-version").cloned();

    let (result, delivery) = match read(state, request, now) {
        Err(refusal) => (Err(refusal), Delivery::Whole),
        Ok(call) => {
            let (result, delivery) = answer(state, &call);
            let (status, code) = match &result {
                Ok(answer) => (answer.status, None),
                Err(refusal) => {
                    let parts = refusal.parts();
                    (parts.status, Some(parts.code.clone().into_owned()))
                }
            };
            let delivered = matches!(delivery, Delivery::Whole | Delivery::Late(_));
            state.requests.add(call, status, code, delivered);
            (result, delivery)
        }
    };
    let mut answer = result.unwrap_or_else(|refusal| Answer::refusing(&refusal, &request_id, now));

    // What every answer carries.
    answer.set("date", &dates::http_date(now));
    answer.set("server", "Windows-Azure-Blob/1.0 blobcopy-simulator");
    answer.set("x-ms-request-id", &request_id);
    let headers = &mut answer.headers;
    headers.insert("x-ms-version", version.unwrap_or(HeaderValue::from_static("2009-09-19")));
    if let Some(id) =
        echoed_id.filter(|id| id.len() <= 1024 && id.as_bytes().iter().all(u8::is_ascii_graphic))
    {
        headers.insert(CLIENT_REQUEST_ID, id);
    }
    Outcome { response: finish(answer, head), delivery }
}

/// Reads a request: which operation it is, and on what.
fn read(state: &State, request: Request<Bytes>, now: OffsetDateTime) -> Result<Call, Refusal> {
    let authority = Call::authority_of(&request);
    let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
    let (Parts { method, uri, headers, .. }, body) = request.into_parts();

    check_headers(&headers)?;
    let query = Query::parse(uri.query())?;
    let (restype, comp) = (query.get("restype"), query.get("comp"));
    let route =
        locate(&state.accounts, authority.as_ref(), uri.path(), restype == Some("container"))?;
    let op = Op::of(&method, route.blob.is_some(), restype, comp, &headers);
    let path = uri.path().to_owned();
    Ok(Call { op, method, authority, path, query, headers, body, route, peer, now })
}

/// Every header must be text, and none may come twice, since a signature could not cover it.
fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    for name in headers.keys() {
        let mut values = headers.get_all(name).iter();
        let first = values.next().map_or(&b""[..], HeaderValue::as_bytes);
        let signed = name.as_str().starts_with("x-ms-");
        if std::str::from_utf8(first).is_err() || (signed && values.next().is_some()) {
            return Err(Refusal::bad_header(name.as_str(), &String::from_utf8_lossy(first)));
        }
    }
    Ok(())
}

/// Authorizes a request and applies it, unless a fault strikes it.
fn answer(state: &mut State, call: &Call) -> (Result<Answer, Refusal>, Delivery) {
    let fault = state.faults.strike(call);
    let delivery = fault.as_ref().map_or(Delivery::Whole, |fault| fault.delivery());
    if let Some(refusal) = fault.and_then(|fault| fault.instead()) {
        return (Err(refusal), delivery);
    }
    (apply(state, call), delivery)
}

fn apply(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    check_version(call)?;
    check_length(call)?;
    ops::check_modelled(call)?;
    let principal = auth::authorize(call, &state.accounts, &state.settings)?;
    if call.route.secondary && !matches!(call.method, Method::GET | Method::HEAD) {
        return Err(Code::InsufficientAccountPermissions.into());
    }
    ops::dispatch(state, call, principal)
}

/// Bodies have a length that is known beforehand.
fn check_length(call: &Call) -> Result<(), Refusal> {
    if !matches!(call.method, Method::PUT | Method::POST) {
        return Ok(());
    }
    match call.number("content-length")? {
        None => Err(Code::MissingContentLengthHeader.into()),
        Some(length) if length == call.body.len() as u64 => Ok(()),
        Some(length) => Err(Refusal::bad_header("content-length", &length.to_string())),
    }
}

/// A version that the service does not have is refused.
fn check_version(call: &Call) -> Result<(), Refusal> {
    match call.header("x-ms-version") {
        Some(version) if VERSIONS.binary_search(&version).is_err() => {
            Err(Refusal::bad_header("x-ms-version", version))
        }
        _ => Ok(()),
    }
}

fn finish(mut answer: Answer, head: bool) -> Response<Payload> {
    let bodyless = matches!(answer.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if head && (answer.status.is_client_error() || answer.status.is_server_error()) {
        answer.headers.remove("content-type");
    } else if !bodyless && !head {
        let length = answer.body.remaining();
        answer.headers.insert("content-length", length.into());
    }
    if head || bodyless {
        answer.body = Payload::empty();
    }
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// Every version of the protocol, ascending.
const VERSIONS: [&str; 48] = [
    "2009-09-19",
    "2011-08-18",
    "2012-02-12",
    "2013-08-15",
    "2014-02-14",
    "2015-02-21",
    "2015-04-05",
    "2015-07-08",
    "2015-12-11",
    "2016-05-31",
    "2017-04-17",
    "2017-07-29",
    "2017-11-09",
    "2018-03-28",
    "2018-11-09",
    "2019-02-02",
    "2019-07-07",
    "2019-10-10",
    "2019-12-12",
    "2020-02-10",
    "2020-04-08",
    "2020-06-12",
    "2020-08-04",
    "2020-10-02",
    "2020-12-06",
    "2021-02-12",
    "2021-04-10",
    "2021-06-08",
    "2021-08-06",
    "2021-10-04",
    "2021-12-02",
    "2022-11-02",
    "2023-01-03",
    "2023-05-03",
    "2023-08-03",
    "2023-11-03",
    "2024-02-04",
    "2024-05-04",
    "2024-08-04",
    "2024-11-04",
    "2025-01-05",
    "2025-05-05",
    "2025-07-05",
    "2025-11-05",
    "2026-02-06",
    "2026-04-06",
    "2026-06-06",
    "2026-10-06",
];
