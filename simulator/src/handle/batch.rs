//! [Blob Batch](https://learn.microsoft.com/rest/api/storageservices/blob-batch): up to 256
//! requests in one body, all of which delete blobs or all of which set their tiers.
//!
//! Each is authorized and answered separately. The format of both bodies follows recorded exchanges
//! with the live service; the refusals follow the page above, and the code for a batch of both
//! kinds follows a test that Microsoft's SDK for C++ runs against it.

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Request, StatusCode, header};

use super::{apply, note, read, service::Service};
use crate::{
    model::state::State,
    wire::{
        answer::Answer,
        call::Call,
        error::{Code, Refusal},
        op::Op,
    },
};

/// The most requests in a batch, and the largest body.
const MOST: usize = 256;
const LARGEST: usize = 4 << 20;

/// A part of the body: its id, which the answer repeats, and the request.
struct Part {
    id: Option<String>,
    request: Request<Bytes>,
}

/// Answers every request of the batch, in order.
pub(super) fn run(service: &mut Service, call: &Call) -> Result<Answer, Refusal> {
    if call.body.len() > LARGEST {
        return Err(Code::RequestBodyTooLarge.into());
    }
    let parts = parts(call).ok_or(Code::InvalidInput)?;
    if parts.len() > MOST {
        return Err(Code::ExceedsMaxBatchRequestCount.into());
    }
    let calls = parts.into_iter().map(|part| inner(&service.state, call, part));
    let calls = calls.collect::<Result<Vec<_>, Refusal>>()?;
    let mut ops = calls.iter().filter_map(|(_, inner)| Some(inner.as_ref().ok()?.op));
    let first = ops.next();
    if ops.any(|op| Some(op) != first) {
        return Err(Code::AllBatchSubRequestsShouldBeSameApi.into());
    }
    let boundary = format!("batchresponse_{}", service.state.stamps.guid());
    let mut body = BytesMut::new();
    for (id, inner) in calls {
        let request_id = service.state.stamps.guid();
        let result = inner.and_then(|inner| {
            let instead = service.faults.strike(&inner).and_then(|fault| fault.instead());
            let result = instead.map_or_else(|| apply(service, &inner), Err);
            note(&mut service.requests, inner, &result, true);
            result
        });
        let refused = |refusal: Refusal| Answer::refusing(&refusal, &request_id, call.now);
        let mut answer = result.unwrap_or_else(refused);
        answer.set("x-ms-request-id", &request_id);
        answer.set("x-ms-version", call.version());
        write(&mut body, &boundary, id.as_deref(), answer);
    }
    body.extend_from_slice(format!("--{boundary}--").as_bytes());
    let kind = format!("multipart/mixed; boundary={boundary}");
    Ok(Answer::new(StatusCode::ACCEPTED).header("content-type", &kind).body(body.freeze().into()))
}

/// A request of the batch as if it had come alone. An unreadable one gets an error answer; one that
/// a batch does not allow fails the whole batch.
#[allow(clippy::type_complexity)]
fn inner(
    state: &State,
    outer: &Call,
    part: Part,
) -> Result<(Option<String>, Result<Call, Refusal>), Refusal> {
    let Part { id, mut request } = part;
    if let Some(authority) = &outer.authority
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(header::HOST, host);
    }
    request.extensions_mut().insert(outer.peer);
    let call = read(state, request, outer.now);
    let call = call.map(|call| Call { batch: Some(outer.version().to_owned()), ..call });
    if let Ok(call) = &call {
        let elsewhere = outer.route.container.is_some()
            && outer.route.container != call.route.container
            || outer.route.account != call.route.account;
        if elsewhere || !matches!(call.op, Op::DeleteBlob | Op::SetBlobTier) {
            return Err(Code::InvalidInput.into());
        }
    }
    Ok((id, call))
}

/// Splits the body; `None` if it is not a valid batch.
fn parts(call: &Call) -> Option<Vec<Part>> {
    let kind = call.header("content-type")?;
    let boundary = kind.strip_prefix("multipart/mixed;")?.trim().strip_prefix("boundary=")?;
    let mark = format!("--{}", boundary.trim_matches('"'));
    let text = std::str::from_utf8(&call.body).ok()?;
    let mut pieces = text.split(mark.as_str());
    // Text before the first boundary is ignored; the last boundary ends in two hyphens.
    pieces.next()?;
    let mut found = Vec::new();
    for piece in pieces {
        if piece.starts_with("--") {
            return Some(found).filter(|found| !found.is_empty());
        }
        found.push(part(piece)?);
    }
    None
}

fn part(piece: &str) -> Option<Part> {
    let mut lines = piece.trim_start_matches(['\r', '\n']).lines();
    let mut id = None;
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-id") {
            id = Some(value.trim().to_owned());
        }
    }
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let mut request = Request::builder().method(method).uri(target);
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::try_from(name.trim()).ok()?;
        request = request.header(name, value.trim());
    }
    Some(Part { id, request: request.body(Bytes::new()).ok()? })
}

fn write(body: &mut BytesMut, boundary: &str, id: Option<&str>, answer: Answer) {
    let mut head = format!("--{boundary}\r\nContent-Type: application/http\r\n");
    if let Some(id) = id {
        head.push_str(&format!("Content-ID: {id}\r\n"));
    }
    let (status, reason) = (answer.status, answer.status.canonical_reason().unwrap_or_default());
    head.push_str(&format!("\r\nHTTP/1.1 {} {reason}\r\n", status.as_u16()));
    body.extend_from_slice(head.as_bytes());
    let pieces: Vec<Bytes> = answer.body.collect();
    let length: usize = pieces.iter().map(Bytes::len).sum();
    for (name, value) in &answer.headers {
        body.extend_from_slice(format!("{name}: ").as_bytes());
        body.extend_from_slice(value.as_bytes());
        body.extend_from_slice(b"\r\n");
    }
    if length > 0 {
        body.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
    }
    body.extend_from_slice(b"\r\n");
    for piece in pieces {
        body.extend_from_slice(&piece);
    }
    if length > 0 {
        body.extend_from_slice(b"\r\n");
    }
}
