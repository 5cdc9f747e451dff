//! Lease Blob and Lease Container.

use std::time::Duration;

use http::StatusCode;
use time::OffsetDateTime;

use crate::{
    model::{
        conditions::Conditions,
        leases::{self, Lease, LeaseState},
        stamps::Stamps,
        state::State,
    },
    wire::{
        answer::Answer,
        call::Call,
        error::{Code, Refusal},
    },
};

const ACTION: &str = "x-ms-lease-action";
const ID: &str = "x-ms-lease-id";
const PROPOSED: &str = "x-ms-proposed-lease-id";
const DURATION: &str = "x-ms-lease-duration";
const PERIOD: &str = "x-ms-lease-break-period";

/// [Lease Blob](https://learn.microsoft.com/rest/api/storageservices/lease-blob).
pub(super) fn blob(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    call.not_a_snapshot()?;
    let at = call.blob_address()?;
    let blob = state.accounts.blob_mut(&at)?;
    Conditions::of(call)?.check_write(Some((&*blob).into()))?;
    blob.unencumbered()?;
    let answer = act(&mut blob.lease, call, &mut state.stamps)?;
    Ok(answer.dated(&blob.current.etag, blob.current.last_modified))
}

/// [Lease Container](https://learn.microsoft.com/rest/api/storageservices/lease-container).
pub(super) fn container(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let container = state.accounts.container_mut(&call.route.account, call.container()?)?;
    Conditions::of(call)?.check_write(Some((&*container).into()))?;
    let answer = act(&mut container.lease, call, &mut state.stamps)?;
    Ok(answer.dated(&container.etag, container.last_modified))
}

fn act(place: &mut Option<Lease>, call: &Call, stamps: &mut Stamps) -> Result<Answer, Refusal> {
    match call.required(ACTION)? {
        "acquire" => acquire(place, call, stamps),
        "renew" => renew(place, call),
        "change" => change(place, call),
        "release" => release(place, call),
        "break" => end(place, call),
        other => Err(Refusal::bad_header(ACTION, other)),
    }
}

fn acquire(place: &mut Option<Lease>, call: &Call, stamps: &mut Stamps) -> Result<Answer, Refusal> {
    let duration = match call.required(DURATION)? {
        "-1" => None,
        text => match text.parse() {
            Ok(seconds @ 15..=60) => Some(Duration::from_secs(seconds)),
            _ => return Err(Refusal::bad_header(DURATION, text)),
        },
    };
    let proposed = call.header(PROPOSED).map(|_| guid(call, PROPOSED)).transpose()?;
    if let Some(lease) = place {
        let state = LeaseState::of(Some(lease), call.now);
        let own = proposed.as_deref() == Some(lease.id.as_str());
        match state {
            LeaseState::Breaking if own => {
                return Err(Code::LeaseIsBreakingAndCannotBeAcquired.into());
            }
            _ if state.locked() && !own => return Err(Code::LeaseAlreadyPresent.into()),
            _ => {}
        }
    }
    let id = proposed.unwrap_or_else(|| stamps.guid());
    let answer = Answer::new(StatusCode::CREATED).header(ID, &id);
    let expires = duration.map(|duration| call.now + duration);
    *place = Some(Lease { id, duration, expires, breaks: None });
    Ok(answer)
}

fn renew(place: &mut Option<Lease>, call: &Call) -> Result<Answer, Refusal> {
    let lease = named(place, call)?;
    if lease.breaks.is_some() {
        return Err(Code::LeaseIsBrokenAndCannotBeRenewed.into());
    }
    lease.expires = lease.duration.map(|duration| call.now + duration);
    Ok(Answer::new(StatusCode::OK).header(ID, &lease.id))
}

fn change(place: &mut Option<Lease>, call: &Call) -> Result<Answer, Refusal> {
    call.required(ID)?;
    call.required(PROPOSED)?;
    let proposed = guid(call, PROPOSED)?;
    let current = place.as_ref().ok_or(Code::LeaseNotPresentWithLeaseOperation)?;
    match LeaseState::of(Some(current), call.now) {
        // Repeating a change whose answer was lost also succeeds.
        LeaseState::Leased if current.id == proposed => {}
        LeaseState::Leased => named(place, call)?.id.clone_from(&proposed),
        LeaseState::Breaking => {
            named(place, call)?;
            return Err(Code::LeaseIsBreakingAndCannotBeChanged.into());
        }
        _ => return Err(Code::LeaseNotPresentWithLeaseOperation.into()),
    }
    Ok(Answer::new(StatusCode::OK).header(ID, &proposed))
}

fn release(place: &mut Option<Lease>, call: &Call) -> Result<Answer, Refusal> {
    named(place, call)?;
    *place = None;
    Ok(Answer::new(StatusCode::OK))
}

/// Breaks a lease, without needing its id: after the requested period or the time remaining,
/// whichever is shorter.
fn end(place: &mut Option<Lease>, call: &Call) -> Result<Answer, Refusal> {
    let period = match call.number(PERIOD)? {
        Some(seconds) if seconds > 60 => {
            return Err(Refusal::bad_header(PERIOD, &seconds.to_string()));
        }
        seconds => seconds.map(|seconds| call.now + Duration::from_secs(seconds)),
    };
    let lease = place.as_mut().ok_or(Code::LeaseNotPresentWithLeaseOperation)?;
    let end: OffsetDateTime = match LeaseState::of(Some(lease), call.now) {
        LeaseState::Leased | LeaseState::Breaking => {
            let left = lease.breaks.or(lease.expires);
            match (period, left) {
                (Some(period), Some(left)) => period.min(left),
                (period, left) => period.or(left).unwrap_or(call.now),
            }
        }
        _ => call.now,
    };
    lease.breaks = Some(end);
    let seconds = (end - call.now).as_seconds_f64().ceil();
    Ok(Answer::new(StatusCode::ACCEPTED).header("x-ms-lease-time", &format!("{seconds:.0}")))
}

/// The lease, which the request must name.
fn named<'a>(place: &'a mut Option<Lease>, call: &Call) -> Result<&'a mut Lease, Refusal> {
    call.required(ID)?;
    let id = guid(call, ID)?;
    let lease = place.as_mut().ok_or(Code::LeaseNotPresentWithLeaseOperation)?;
    if lease.id == id { Ok(lease) } else { Err(Code::LeaseIdMismatchWithLeaseOperation.into()) }
}

fn guid(call: &Call, name: &'static str) -> Result<String, Refusal> {
    let text = call.header(name).unwrap_or("");
    leases::guid(text).ok_or_else(|| Refusal::bad_header(name, text))
}
