//! Access to snapshots: grant, revoke, and the operations that both are.

use std::time::Duration;

use http::StatusCode;

use super::{bad, endpoint, missing, no_such_snapshot};
use crate::{
    model::{
        disks::{self, MOST_GRANTED, NotGranted, Operation},
        state::State,
    },
    wire::{
        answer::Answer,
        call::Call,
        clock, dates,
        error::{Code, Refusal},
        json::Json,
        management,
        route::is_loopback,
    },
};

/// The longest access: 60 days.
const LONGEST: f64 = 5_184_000.0;

/// [Snapshots, grant access](https://learn.microsoft.com/rest/api/compute/snapshots/grant-access).
/// The access exists at once; the operation ends with its URL.
pub(super) fn grant(state: &mut State, call: &Call, version: &str) -> Result<Answer, Refusal> {
    let time = asked(call)?;
    let name = call.route.blob.as_deref().unwrap_or("");
    let found = state.disks.snapshot(call.container()?, name);
    let (number, _) = found.ok_or_else(|| no_such_snapshot(call))?;
    let State { disks, stamps, .. } = state;
    let path_style = disks.path_style;
    let family = disks.family_mut(number).ok_or_else(|| no_such_snapshot(call))?;
    let grant = family.grant(name, time, stamps, call.now).map_err(|why| match why {
        NotGranted::NoSnapshot => no_such_snapshot(call),
        NotGranted::Incomplete => conflict(&format!(
            "Snapshot '{name}' cannot be accessed before its completionPercent is 100."
        )),
        NotGranted::TooMany => conflict(&format!(
            "Snapshot '{name}' cannot be granted access: {MOST_GRANTED} snapshots of its family \
             have an active SAS."
        )),
    })?;
    let url = shown(call, &family.account, &grant.path(), path_style);
    Ok(accepted(state, call, version, Some(url)))
}

/// The URL of a snapshot: with the service's hosts for a request that used those, or that came in
/// process, and else with those of the listener.
fn shown(call: &Call, account: &str, path: &str, path_style: bool) -> String {
    let own = call.authority.as_ref().filter(|_| !call.peer.in_process);
    let Some(own) = own.filter(|own| !management::is_service_host(own.host())) else {
        return disks::url(account, path, None, path_style);
    };
    let scheme = if call.peer.https { "https" } else { "http" };
    let path_style = path_style || !is_loopback(own.host());
    // The host of Resource Manager itself has no blobs.
    let own = own.as_str().strip_prefix("management.").unwrap_or(own.as_str());
    disks::url(account, path, Some((scheme, own)), path_style)
}

/// [Snapshots, revoke
/// access](https://learn.microsoft.com/rest/api/compute/snapshots/revoke-access): of everybody, and
/// at once.
pub(super) fn revoke(state: &mut State, call: &Call, version: &str) -> Result<Answer, Refusal> {
    let name = call.route.blob.as_deref().unwrap_or("");
    let found = state.disks.snapshot(call.container()?, name);
    let (number, _) = found.ok_or_else(|| no_such_snapshot(call))?;
    if let Some(family) = state.disks.family_mut(number) {
        family.revoke(name);
    }
    Ok(accepted(state, call, version, None))
}

/// An operation, by the URL in `Location` (`monitor=true`) or that in `Azure-AsyncOperation`.
pub(super) fn operation(state: &State, call: &Call, version: &str) -> Result<Answer, Refusal> {
    let id = call.route.blob.as_deref().unwrap_or("");
    let found = state.disks.operations.get(id);
    let found = found
        .ok_or_else(|| missing("ResourceNotFound", &format!("The entity {id} was not found.")))?;
    let ended = call.now >= found.ready;
    let access = || found.access.as_ref().map(|url| Json::object([("accessSAS", (&**url).into())]));
    if call.query.get("monitor") == Some("true") {
        return Ok(match (ended, access()) {
            (false, _) => under_way(state, call, version, id),
            (true, Some(access)) => Answer::new(StatusCode::OK).json(&access),
            (true, None) => Answer::new(StatusCode::OK),
        });
    }
    let time = dates::snapshot_time(dates::ticks(found.begun)).replace('Z', "+00:00");
    let status = if ended { "Succeeded" } else { "InProgress" };
    let mut fields = vec![
        ("startTime".to_owned(), Json::Text(time)),
        ("status".to_owned(), status.into()),
        ("name".to_owned(), id.into()),
    ];
    if let Some(access) = access().filter(|_| ended) {
        fields.push(("properties".to_owned(), Json::object([("output", access)])));
    }
    Ok(Answer::new(StatusCode::OK).json(&Json::Object(fields)))
}

/// For how long access is asked for.
fn asked(call: &Call) -> Result<Duration, Refusal> {
    let body = std::str::from_utf8(&call.body).ok().and_then(Json::read);
    let body = body.filter(|body| matches!(body, Json::Object(_)));
    let body =
        body.ok_or_else(|| bad("InvalidRequestContent", "The body is not a JSON object."))?;
    let wrong = |name: &str| {
        let message = format!("Required parameter '{name}' is missing (null) or not valid.");
        bad("InvalidParameter", &message)
    };
    let text = |name: &str| body.field(name).map(|it| it.text().ok_or_else(|| wrong(name)));
    match text("access").transpose()? {
        Some(access) if access.eq_ignore_ascii_case("Read") => {}
        Some(access) if access.eq_ignore_ascii_case("Write") => {
            return Err(conflict("Write access cannot be granted to a snapshot."));
        }
        _ => return Err(wrong("access")),
    }
    match text("fileFormat").transpose()? {
        None => {}
        Some(format) if format.eq_ignore_ascii_case("VHD") => {}
        Some(format) if format.eq_ignore_ascii_case("VHDX") => {
            let (status, code) = (StatusCode::NOT_IMPLEMENTED, Code::NotImplemented.as_str());
            return Err(Refusal::management(status, code, "The simulator does not model VHDX."));
        }
        Some(_) => return Err(wrong("fileFormat")),
    }
    let seconds = body.field("durationInSeconds").and_then(Json::number);
    let seconds = seconds.filter(|it| (1.0..=LONGEST).contains(it) && it.fract() == 0.0);
    Ok(Duration::from_secs_f64(seconds.ok_or_else(|| wrong("durationInSeconds"))?))
}

fn conflict(message: &str) -> Refusal {
    Refusal::management(StatusCode::CONFLICT, "OperationNotAllowed", message)
}

/// Begins an operation.
fn accepted(state: &mut State, call: &Call, version: &str, access: Option<String>) -> Answer {
    let State { disks, stamps, .. } = state;
    let id = stamps.guid();
    let ready = clock::later(call.now, disks.pace);
    disks.operations.add(id.clone(), Operation { begun: call.now, ready, access });
    under_way(state, call, version, &id)
}

/// 202, with where to ask and after how many seconds.
fn under_way(state: &State, call: &Call, version: &str, id: &str) -> Answer {
    let url = format!("{}{}", endpoint(call), disks::operation_path(id));
    let answer = Answer::new(StatusCode::ACCEPTED)
        .header("location", &format!("{url}?monitor=true&api-version={version}"))
        .header("azure-asyncoperation", &format!("{url}?api-version={version}"));
    match state.disks.pace.as_secs() {
        0 => answer,
        _ => answer.header("retry-after", "1"),
    }
}
