//! Access to the simulator: for the client under test with injected faults, for everything else
//! without.

use std::sync::{Arc, Mutex};

use blobcopy::{
    Clock,
    transport::{BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind},
};
use blobcopy_simulator::SimulatorTransport;
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::task::JoinHandle;
use url::Url;

use super::{
    faults::{Fault, Faults, Kind},
    tally::Group,
    truth::{Accepted, Seen, State, Truth},
    world::sleep,
};

type Answered = Result<Response, TransportError>;

/// A transport to the simulator that records the truth, and corrupts answers to the client under
/// test.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) sim: SimulatorTransport,
    pub(super) clock: Clock,
    pub(super) skew: time::Duration,
    /// The uncertainty of a call's start by date, if nothing delays the check.
    pub(super) blur: time::Duration,
    pub(super) truth: Arc<Truth>,
    /// `None` for access without faults.
    pub(super) faults: Option<Arc<Mutex<Faults>>>,
    /// Requests that arrive late.
    pub(super) late: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Transport for Door {
    fn send(&self, request: Request) -> BoxFuture<'_, Answered> {
        Box::pin(async move {
            match &self.faults {
                None => Ok(self.apply(request, 0).await),
                Some(faults) => self.spoilt(request, faults).await,
            }
        })
    }

    fn clock(&self) -> Option<Clock> {
        self.sim.clock()
    }
}

impl Door {
    /// Sends a request of the client under test, with faults.
    async fn spoilt(&self, request: Request, faults: &Mutex<Faults>) -> Answered {
        let kind = kind(&request);
        let attempt = self.note(&request, kind);
        let (fault, there, back, delay) = {
            let mut faults = faults.lock().expect("no thread panics while it holds it");
            (faults.pick(kind), faults.latency(), faults.latency(), faults.delay())
        };
        self.log(format_args!(
            "{} {} {}{}",
            request.method(),
            request.url().path(),
            request.url().query().and_then(|query| query.split('&').next()).unwrap_or_default(),
            fault.map_or(String::new(), |fault| format!(": {}", fault.name())),
        ));
        if let Some(fault) = fault {
            self.blame(fault, &request, kind);
        }
        sleep(there).await;
        let fail = |kind| Err(TransportError::with_message(kind, "spoilt"));
        let answer = match fault {
            Some(Fault::Refused) => return fail(TransportErrorKind::Connect),
            Some(Fault::Reset) => return fail(TransportErrorKind::Interrupted),
            Some(Fault::Late) => {
                self.apply_late(request, attempt, delay);
                return fail(TransportErrorKind::Interrupted);
            }
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::SilenceLate) => {
                self.apply_late(request, attempt, delay);
                std::future::pending().await
            }
            Some(Fault::Busy) => refusal(503, "ServerBusy", None),
            Some(Fault::BusyForSeconds) => refusal(503, "ServerBusy", Some("4")),
            Some(Fault::BusyForDays) => refusal(503, "ServerBusy", Some("864000")),
            Some(Fault::Throttled) => refusal(429, "TooManyRequests", Some("1")),
            Some(Fault::ServerError) => refusal(500, "InternalError", None),
            Some(Fault::BadGateway) => page(502),
            Some(Fault::GatewayNotFound) => page(404),
            None
            | Some(
                Fault::LostAnswer
                | Fault::SilenceApplied
                | Fault::Slow
                | Fault::ServerErrorApplied
                | Fault::GatewayTimeout
                | Fault::NoDate
                | Fault::NoCopyId
                | Fault::OddHeaders,
            ) => self.apply(request, attempt).await,
        };
        sleep(back).await;
        Ok(match fault {
            Some(Fault::LostAnswer) => return fail(TransportErrorKind::Interrupted),
            Some(Fault::SilenceApplied) => std::future::pending().await,
            Some(Fault::Slow) => {
                sleep(delay.min(std::time::Duration::from_secs(5))).await;
                answer
            }
            Some(Fault::ServerErrorApplied) => refusal(500, "OperationTimedOut", None),
            Some(Fault::GatewayTimeout) => page(504),
            Some(Fault::NoDate) => without(answer, header::DATE),
            Some(Fault::NoCopyId) => without(answer, HeaderName::from_static("x-ms-copy-id")),
            Some(Fault::OddHeaders) => odd(answer),
            _ => answer,
        })
    }

    /// Sends a request to the simulator, and records its answer.
    async fn apply(&self, request: Request, attempt: usize) -> Response {
        let (kind, url, headers) =
            (kind(&request), request.url().clone(), request.headers().clone());
        let start = matches!(kind, Kind::Start { .. });
        let before = if start { self.state(&url).await } else { State::Absent };
        let answer = self.sim.send(request).await.expect("the simulator itself has no faults");
        let call = text(&headers, "x-ms-client-request-id").unwrap_or_default();
        let copy = state_of(&answer);
        if start || kind == Kind::Abort {
            let code = text(answer.headers(), "x-ms-error-code").unwrap_or_default();
            self.log(format_args!("  {kind:?} of {call}: {} {code} {copy:?}", answer.status()));
        }
        let ours = self.faults.is_some();
        match (kind, &copy) {
            (Kind::Start { .. }, State::Copy { id, .. }) if answer.status().is_success() => {
                let accepted = Accepted {
                    id: id.clone(),
                    call,
                    ours,
                    attempt,
                    blob: url.path().to_owned(),
                    source: source_of(&headers),
                };
                self.truth.book().accept(accepted, &before, self.skew + self.blur);
            }
            (Kind::Look, _) if ours => {
                let call = Some(call).filter(|call| self.truth.book().calls.contains_key(call));
                let seen = Seen { call, blob: url.path().to_owned(), state: copy.clone() };
                self.truth.book().seen.push(seen);
            }
            (Kind::Abort, _) if ours && answer.status().is_success() => {
                let id = url.query_pairs().find(|(name, _)| name == "copyid");
                let id = id.map(|(_, id)| id.into_owned()).unwrap_or_default();
                self.truth.book().aborted.insert(id);
            }
            _ => {}
        }
        if let State::Copy { id, status, .. } = copy
            && ours
            && status == "success"
        {
            self.keep_content(&id, &url, answer.headers()).await;
        }
        answer
    }

    fn apply_late(&self, request: Request, attempt: usize, delay: std::time::Duration) {
        let door = self.clone();
        let arrival = tokio::spawn(async move {
            sleep(delay).await;
            door.apply(request, attempt).await;
        });
        self.late.lock().expect("no thread panics while it holds it").push(arrival);
    }

    /// Numbers the attempts of a call, and records the secrets of a request.
    fn note(&self, request: &Request, kind: Kind) -> usize {
        let mut book = self.truth.book();
        if let Some(signature) = text(request.headers(), "authorization") {
            let signature = signature.rsplit([' ', ':']).next().unwrap_or_default();
            book.secrets.insert(signature.to_owned());
        }
        if let Some(source) = text(request.headers(), "x-ms-copy-source") {
            for signature in source.split("sig=").skip(1) {
                let signature = signature.split('&').next().unwrap_or_default();
                book.secrets.insert(signature.to_owned());
            }
        }
        let call = text(request.headers(), "x-ms-client-request-id").unwrap_or_default();
        match book.calls.get_mut(&call) {
            Some(call) if matches!(kind, Kind::Start { .. }) => {
                call.source = Some(source_of(request.headers()));
                call.attempts += 1;
                call.attempts
            }
            _ => 0,
        }
    }

    /// Counts a fault, and records the checks that it makes inexact.
    fn blame(&self, fault: Fault, request: &Request, kind: Kind) {
        let mut book = self.truth.book();
        book.tally.count(Group::Fault, fault.name());
        let call = text(request.headers(), "x-ms-client-request-id").unwrap_or_default();
        if let Some(call) = book.calls.get_mut(&call).filter(|_| kind == Kind::Look) {
            call.blurred = true;
        }
    }

    fn log(&self, what: std::fmt::Arguments<'_>) {
        let line = format!("{} {what}", self.clock.now());
        self.truth.book().log.push(line);
    }

    /// The last copy into a blob as its properties report it, without faults.
    async fn state(&self, url: &Url) -> State {
        state_of(&self.read(Method::HEAD, url, None).await)
    }

    /// Records the result of a copy, when the client first learns that it succeeded.
    async fn keep_content(&self, id: &str, url: &Url, headers: &HeaderMap) {
        if self.truth.book().left.contains_key(id) {
            return;
        }
        let snapshot = text(headers, "x-ms-copy-destination-snapshot");
        let answer = self.read(Method::GET, url, snapshot.as_deref()).await;
        let status = answer.status();
        let pieces: Vec<Bytes> = answer.into_parts().2.try_collect().await.expect("no fault");
        if status.is_success() {
            self.truth.book().left.insert(id.to_owned(), pieces.concat().into());
        }
    }

    /// Reads a blob anonymously: its container is public.
    async fn read(&self, method: Method, url: &Url, snapshot: Option<&str>) -> Response {
        let mut url = url.clone();
        url.set_query(snapshot.map(|snapshot| format!("snapshot={snapshot}")).as_deref());
        let version =
            (HeaderName::from_static("x-ms-version"), HeaderValue::from_static("2021-12-02"));
        let headers = HeaderMap::from_iter([version]);
        let request = Request::new(method, url, headers, Bytes::new());
        self.sim.send(request).await.expect("the simulator itself has no faults")
    }
}

fn kind(request: &Request) -> Kind {
    let query = request.url().query().unwrap_or_default();
    let put = request.method() == Method::PUT;
    match () {
        () if request.method() == Method::HEAD => Kind::Look,
        () if put && query.starts_with("comp=incrementalcopy") => Kind::Start { incremental: true },
        () if put && query.starts_with("comp=copy") => Kind::Abort,
        () if put && request.headers().contains_key("x-ms-copy-source") => {
            Kind::Start { incremental: false }
        }
        () => Kind::Other,
    }
}

pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn state_of(answer: &Response) -> State {
    if !answer.status().is_success() {
        return State::Absent;
    }
    let header = |name| text(answer.headers(), name);
    match (header("x-ms-copy-id"), header("x-ms-copy-status")) {
        (Some(id), Some(status)) => {
            let completed = header("x-ms-copy-completion-time")
                .and_then(|date| OffsetDateTime::parse(&date, &Rfc2822).ok());
            State::Copy { id, status, completed }
        }
        _ => State::NoCopy,
    }
}

/// The path of a source, and its snapshot if it is one.
fn source_of(headers: &HeaderMap) -> String {
    let source = text(headers, "x-ms-copy-source").unwrap_or_default();
    let url: Url = source.parse().expect("a URL");
    let snapshot = url.query_pairs().find(|(name, _)| name == "snapshot");
    format!("{} {}", url.path(), snapshot.map(|(_, time)| time.into_owned()).unwrap_or_default())
}

/// An error in the service's format.
fn refusal(status: u16, code: &str, wait: Option<&str>) -> Response {
    let mut response = page(status);
    let mut set = |name: &'static str, value: &str| {
        response.headers_mut().insert(name, value.parse().expect("a value"));
    };
    set("x-ms-error-code", code);
    set("x-ms-request-id", "11111111-2222-3333-4444-555555555555");
    set("x-ms-version", "2021-12-02");
    if let Some(wait) = wait {
        set("retry-after", wait);
    }
    response
}

/// An answer of an intermediary between client and service.
fn page(status: u16) -> Response {
    let html = (header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    Response::new(
        StatusCode::from_u16(status).expect("a status"),
        HeaderMap::from_iter([html]),
        Bytes::from_static(b"<html><body>Not today.</body></html>"),
    )
}

fn without(mut answer: Response, name: HeaderName) -> Response {
    answer.headers_mut().remove(name);
    answer
}

/// The answer with malformed dates and ETags.
fn odd(mut answer: Response) -> Response {
    for (name, value) in [
        ("etag", ""),
        ("last-modified", "2026-01-01T00:00:00Z"),
        ("date", "yesterday"),
        ("x-ms-creation-time", "2026-01-01"),
    ] {
        if answer.headers().contains_key(name) {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    answer
}
