//! The step: one request in, one answer out, and the new state.

mod batch;
mod late;
pub(crate) mod outside;
pub(crate) mod requests;
pub(crate) mod service;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header,
    request::Parts,
};
use time::OffsetDateTime;

use crate::wire::clock;
use crate::{
    auth::{self, Principal},
    faults::{Chosen, Delivery, Spoil},
    model::{copies, state::State},
    ops,
    wire::{
        answer::Answer,
        call::Call,
        dates,
        error::{Code, Refusal},
        management,
        op::Op,
        payload::Payload,
        route::{Peer, Query, locate},
        versions,
    },
};

use self::{requests::RequestLog, service::Service};

const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";

/// An answer, and how to deliver it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) response: Response<Payload>,
    pub(crate) delivery: Delivery,
}

/// Attached to a request whose body was not read, with the reason.
#[derive(Debug, Clone)]
pub(crate) enum Unread {
    /// The request goes no further and is not counted.
    TurnedAway(Refusal),
    /// Its head is reason enough to refuse it.
    Refused(Refusal),
}

/// Why a request with this head is refused whatever its body; `None` if the body matters.
pub(crate) fn refusal(
    service: &Service,
    head: Request<Bytes>,
    now: OffsetDateTime,
) -> Option<Refusal> {
    let now = service.faults.skewed(now);
    let state = &service.state;
    read(state, head, now).and_then(|call| admit(state, &call)).err()
}

/// Answers `request`, which arrived at `now` by the simulator's clock.
///
/// Pure: it reads no clock, waits for nothing, and draws its ids from the state's own seed.
pub(crate) fn handle(
    service: &mut Service,
    request: Request<Bytes>,
    now: OffsetDateTime,
) -> Outcome {
    let now = service.faults.skewed(now);
    catch_up(service, now);

    let request_id = service.state.stamps.guid();
    let head = request.method() == Method::HEAD;
    let echoed_id = request.headers().get(CLIENT_REQUEST_ID).cloned();
    let mut version = request.headers().get("x-ms-version").cloned();

    let mut from_blobs = true;
    let (result, delivery, spoil) = match read(&service.state, request, now) {
        Err(refusal) => (Err(refusal), Delivery::Whole, None),
        Ok(call) => {
            from_blobs = !call.op.is_management();
            if version.is_none() {
                version = HeaderValue::from_str(call.version()).ok();
            }
            let fault = service.faults.strike(&call);
            let (result, delivery, spoil) = answer(service, &call, fault.as_ref());
            match fault.as_ref().and_then(Chosen::lands_late) {
                Some(delay) => service.late.add(clock::later(now, delay), call),
                None => {
                    let delivered = matches!(delivery, Delivery::Whole | Delivery::Late(_));
                    note(&mut service.requests, call, &result, delivered);
                }
            }
            (result, delivery, spoil)
        }
    };
    let from_front = result.as_ref().is_err_and(|refusal| refusal.parts().from_front);
    let mut answer = result.unwrap_or_else(|refusal| match from_blobs {
        true => Answer::refusing(&refusal, &request_id, now),
        false => Answer::refusing_in_json(&refusal),
    });

    // Headers that every answer carries.
    answer.set("date", &dates::http_date(now));
    if from_blobs {
        answer.set("server", "Windows-Azure-Blob/1.0 blobcopy-simulator");
    }
    answer.set("x-ms-request-id", &request_id);
    if from_blobs && !from_front {
        let headers = &mut answer.headers;
        let oldest = HeaderValue::from_static(versions::OLDEST);
        headers.insert("x-ms-version", version.unwrap_or(oldest));
        let visible = |id: &HeaderValue| id.as_bytes().iter().all(u8::is_ascii_graphic);
        if let Some(id) = echoed_id.filter(|id| id.len() <= 1024 && visible(id)) {
            headers.insert(CLIENT_REQUEST_ID, id);
        }
    }
    let mut response = finish(answer, head);
    if let Some(spoil) = spoil {
        spoil.apply(&mut response);
    }
    Outcome { response, delivery }
}

/// Brings the state up to `now`: late requests that are due are applied, and copies progress.
pub(crate) fn catch_up(service: &mut Service, now: OffsetDateTime) {
    while let Some(call) = service.late.landed(now) {
        copies::settle(&mut service.state, call.now);
        let result = apply(service, &call);
        note(&mut service.requests, call, &result, false);
    }
    copies::settle(&mut service.state, now);
}

/// Reads a request: its operation and the resource.
pub(super) fn read(
    state: &State,
    request: Request<Bytes>,
    now: OffsetDateTime,
) -> Result<Call, Refusal> {
    let authority = Call::authority_of(&request);
    let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
    let (Parts { method, uri, headers, mut extensions, .. }, body) = request.into_parts();

    // PATCH is known, but not modelled.
    let known = matches!(method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE)
        || matches!(method, Method::POST | Method::PATCH);
    if !known {
        return Err(Code::UnsupportedHttpVerb.into());
    }
    let unread = match extensions.remove() {
        Some(Unread::TurnedAway(refusal)) => return Err(refusal),
        Some(Unread::Refused(refusal)) => Some(refusal),
        None => None,
    };
    check_headers(&headers)?;
    let query = Query::parse(uri.query())?;
    let (restype, comp) = (query.get("restype"), query.get("comp"));
    // Get Account Information may also name a container.
    let about_container = matches!(restype, Some("container" | "account"));
    let knows = |name: &str| state.accounts.has(name);
    let (op, route) = match management::locate(knows, &method, authority.as_ref(), uri.path()) {
        Some(found) => found,
        None => {
            let route = locate(knows, authority.as_ref(), uri.path(), about_container)?;
            (Op::of(&method, route.blob.is_some(), restype, comp, &headers), route)
        }
    };
    let path = uri.path().to_owned();
    Ok(Call {
        op,
        method,
        authority,
        path,
        query,
        headers,
        body,
        unread,
        route,
        peer,
        attached: extensions,
        batch: None,
        now,
    })
}

/// The headers that a signature covers, in addition to `x-ms-*`.
const SIGNED: [HeaderName; 12] = [
    header::AUTHORIZATION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    HeaderName::from_static("content-md5"),
    header::CONTENT_TYPE,
    header::DATE,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::RANGE,
];

/// Every header must be text, and no signed header may occur twice, because a signature could not
/// cover it.
fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    for name in headers.keys() {
        let mut values = headers.get_all(name).iter();
        let first = values.next().map_or(&b""[..], HeaderValue::as_bytes);
        let signed = name.as_str().starts_with("x-ms-") || SIGNED.contains(name);
        if std::str::from_utf8(first).is_err() || (signed && values.next().is_some()) {
            return Err(Refusal::bad_header(name.as_str(), &String::from_utf8_lossy(first)));
        }
    }
    Ok(())
}

/// Authorizes a request and applies it, unless a fault strikes it.
fn answer(
    service: &mut Service,
    call: &Call,
    fault: Option<&Chosen>,
) -> (Result<Answer, Refusal>, Delivery, Option<Spoil>) {
    let Some(fault) = fault else { return (apply(service, call), Delivery::Whole, None) };
    let result = fault.instead().map_or_else(|| apply(service, call), Err);
    (result, fault.delivery(), fault.spoil())
}

/// Records a request and how it was answered.
fn note(requests: &mut RequestLog, call: Call, result: &Result<Answer, Refusal>, delivered: bool) {
    let (status, code) = match result {
        Ok(answer) => (answer.status, None),
        Err(refusal) => {
            let parts = refusal.parts();
            (parts.status, Some(parts.code.clone().into_owned()))
        }
    };
    requests.add(call, status, code, delivered);
}

fn apply(service: &mut Service, call: &Call) -> Result<Answer, Refusal> {
    if let Some(refusal) = &call.unread {
        return Err(refusal.clone());
    }
    let principal = admit(&service.state, call)?;
    check_length(call)?;
    settle_asked(&mut service.state, call);
    if call.op == Op::BlobBatch {
        return batch::run(service, call);
    }
    let mut answer = ops::dispatch(&mut service.state, call, principal)?;
    if matches!(principal, Principal::Sas { .. }) {
        auth::dress(&mut answer, &call.query, call.op.reads());
    }
    Ok(answer)
}

/// Brings the copies that the answer to this request may report up to date.
fn settle_asked(state: &mut State, call: &Call) {
    if let (Op::ListBlobs, Some(container)) = (call.op, &call.route.container) {
        copies::settle_within(state, &call.route.account, container, call.now);
    }
    if state.copies.len() > 0 {
        for at in call.blob_address().ok().into_iter().chain(ops::source_here(call)) {
            copies::settle_into(state, &at, call.now);
        }
    }
}

/// Checks the head of a request, including its authorization, without its body.
fn admit(state: &State, call: &Call) -> Result<Principal, Refusal> {
    if call.op.is_management() {
        auth::authorize_management(call, state)?;
        return Ok(Principal::Bearer);
    }
    check_version(call)?;
    check_length_is_told(call)?;
    let modelled = ops::check_modelled(call);
    let unknown = |refusal: &Refusal| refusal.parts().status != StatusCode::NOT_IMPLEMENTED;
    if let Err(refusal) = modelled.as_ref()
        && unknown(refusal)
    {
        return Err(refusal.clone());
    }
    let principal = auth::authorize(call, state)?;
    // Only authorized clients learn that an operation is not modelled.
    modelled?;
    if call.route.secondary && !matches!(call.method, Method::GET | Method::HEAD) {
        return Err(Code::InsufficientAccountPermissions.into());
    }
    Ok(principal)
}

/// A body has a known length, unless it is chunked. A request in a batch has none.
fn check_length_is_told(call: &Call) -> Result<(), Refusal> {
    let bodyless = call.batch.is_some() || !matches!(call.method, Method::PUT | Method::POST);
    let told = call.number("content-length");
    if bodyless || call.header("transfer-encoding") == Some("chunked") || told?.is_some() {
        return Ok(());
    }
    Err(Code::MissingContentLengthHeader.into())
}

fn check_length(call: &Call) -> Result<(), Refusal> {
    let takes_body = call.batch.is_none() && matches!(call.method, Method::PUT | Method::POST);
    match call.number("content-length") {
        Ok(Some(length)) if takes_body && length != call.body.len() as u64 => {
            Err(Refusal::bad_header("content-length", &length.to_string()))
        }
        _ => Ok(()),
    }
}

/// Refuses a version that the service does not have.
fn check_version(call: &Call) -> Result<(), Refusal> {
    match call.header("x-ms-version") {
        Some(version) if !versions::is_known(version) => {
            Err(Refusal::bad_header("x-ms-version", version))
        }
        None if !versions::is_known(call.version()) => {
            Err(Refusal::bad_query("api-version", call.version(), "This version is not supported"))
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
