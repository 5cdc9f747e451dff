//! Authorization: the credential of a request, and that of a copy source.

mod access;
mod bearer;
mod delegation;
mod disk;
mod identity;
mod management;
mod sas;
mod shared_key;

use std::time::Duration;

use self::{access::Access, sas::Sas};
pub(crate) use self::{
    access::Principal,
    delegation::DelegationKey,
    identity::Identity,
    management::authorize_management,
    sas::{LONGEST_KEY, dress},
};
use crate::{
    model::{
        account::{Account, Accounts},
        container::PublicAccess,
        settings::Settings,
        state::State,
    },
    wire::{
        call::Call,
        dates,
        error::{Code, Refusal},
        op::Op,
        route::{Query, Route},
    },
};

/// A bearer token for the source, accepted by the synchronous writes from a URL.
const SOURCE_AUTHORIZATION: &str = "x-ms-copy-source-authorization";

/// How far the date of a signed request may be from the service's clock.
const SKEW: Duration = Duration::from_secs(15 * 60);

/// Authenticates a request and checks that its credential permits it.
pub(crate) fn authorize(call: &Call, state: &State) -> Result<Principal, Refusal> {
    let State { accounts, settings, disks, .. } = state;
    let account = accounts.get(&call.route.account).ok_or(Code::ResourceNotFound)?;
    let access = Access {
        op: call.op,
        route: &call.route,
        query: &call.query,
        version: call.version(),
        headers: Some(&call.headers),
        address: Some(call.peer.address),
        https: call.peer.https,
        secure: call.peer.https || call.peer.in_process,
        user: None,
        now: call.now,
    };
    if let Some(family) = disks.in_account(&account.name) {
        disk::verify(family, call.header("authorization"), state, &access)?;
        return Ok(Principal::Sas { overwrite: false });
    }
    let signed = call.query.get("sig").is_some();
    match call.header("authorization") {
        Some(value) => match value.split_once(' ') {
            Some(("SharedKey", credential)) => {
                check_date(call)?;
                shared_key::verify(call, account, credential)
            }
            // A SAS for a single user accepts only that user's token next to it.
            Some(("Bearer", token)) if signed => {
                bearer::verify(token, settings, &access)?;
                let user = Identity::of(token);
                sas(&Access { user: Some(&user), ..access }, account)
            }
            Some(("Bearer", token)) => bearer::verify(token, settings, &access),
            _ => Err(Code::InvalidAuthenticationInfo.into()),
        },
        None if signed => sas(&access, account),
        None => anonymous(&access, accounts, settings),
    }
}

/// Checks that the service may read the source of a copy by its URL alone, which leads to `route`.
pub(crate) fn authorize_source(
    route: &Route,
    query: &Query,
    https: bool,
    call: &Call,
    state: &State,
) -> Result<Principal, Refusal> {
    let access = Access {
        op: Op::GetBlob,
        route,
        query,
        version: call.version(),
        headers: None,
        address: None,
        https,
        secure: https,
        user: None,
        now: call.now,
    };
    let State { accounts, settings, .. } = state;
    // The asynchronous copies accept no token for their source.
    let synchronous = !matches!(call.op, Op::CopyBlob | Op::IncrementalCopy);
    let bearer = call.header(SOURCE_AUTHORIZATION).filter(|_| synchronous);
    if let Some(family) = state.disks.in_account(&route.account) {
        disk::verify(family, bearer, state, &access)?;
        return Ok(Principal::Sas { overwrite: false });
    }
    if let Some(value) = bearer {
        let token = value.strip_prefix("Bearer ");
        let token = token.ok_or_else(|| Refusal::bad_header(SOURCE_AUTHORIZATION, ""))?;
        return bearer::verify(token, settings, &access);
    }
    let account = accounts.get(&access.route.account).ok_or(Code::ResourceNotFound)?;
    match access.query.get("sig") {
        Some(_) => sas(&access, account),
        None => anonymous(&access, accounts, settings),
    }
}

/// Checks the URL of the snapshot that a page-range difference begins with. The request's own token
/// counts for it too.
pub(crate) fn authorize_previous(
    route: &Route,
    query: &Query,
    call: &Call,
    state: &State,
) -> Result<(), Refusal> {
    let family = state.disks.in_account(&route.account).ok_or(Code::ResourceNotFound)?;
    let access = Access {
        op: Op::GetPageRanges,
        route,
        query,
        version: call.version(),
        headers: None,
        address: None,
        https: call.peer.https,
        secure: call.peer.https || call.peer.in_process,
        user: None,
        now: call.now,
    };
    disk::verify(family, call.header("authorization"), state, &access)
}

fn sas(access: &Access<'_>, account: &Account) -> Result<Principal, Refusal> {
    Sas::of(access.query, access.route)?.verify(account, access)
}

/// A signed request carries its date, which must be close to the service's clock.
fn check_date(call: &Call) -> Result<(), Refusal> {
    let text = call.header("x-ms-date").or(call.header("date")).unwrap_or("");
    let date = dates::parse_http_date(text).ok_or_else(|| {
        Refusal::unauthenticated("The request carries no date, or one that cannot be read")
    })?;
    if (call.now - date).unsigned_abs() > SKEW {
        let now = dates::http_date(call.now);
        let why = format!("Request date header too old or too new: '{text}'; it is '{now}' here");
        return Err(Refusal::unauthenticated(why));
    }
    Ok(())
}

/// Anonymous reads: blobs, and perhaps the container, depending on its public access level.
fn anonymous(
    access: &Access<'_>,
    accounts: &Accounts,
    settings: &Settings,
) -> Result<Principal, Refusal> {
    let container = access.route.container.as_deref();
    let level = container
        .and_then(|container| accounts.container(&access.route.account, container).ok())
        .map_or(PublicAccess::None, |container| container.public_access);
    let open = match level {
        PublicAccess::None => false,
        PublicAccess::Blob => access.route.blob.is_some(),
        PublicAccess::Container => true,
    };
    match (access.headers, access.op.reads()) {
        (_, true) if !settings.public_access => Err(Code::PublicAccessNotPermitted.into()),
        (_, true) if open => Ok(Principal::Anonymous),
        // A request without a version gets no challenge.
        (Some(headers), true) if !headers.contains_key("x-ms-version") => {
            Err(Code::ResourceNotFound.into())
        }
        _ => Err(bearer::challenge(Code::NoAuthenticationInformation)),
    }
}
