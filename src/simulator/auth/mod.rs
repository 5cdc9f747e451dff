//! Who may do what: the credential of a request, and of the source of a copy.

mod sas;
mod shared_key;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use http::StatusCode;
use time::OffsetDateTime;

use self::sas::Sas;
use super::{
    account::{Account, Accounts},
    call::Call,
    container::PublicAccess,
    dates,
    error::{Code, Refusal},
    op::Op,
    route::{Query, Route},
    state::Settings,
};

/// How far the date of a signed request may be off.
const SKEW: Duration = Duration::from_secs(15 * 60);

/// Decides whether a bearer token is accepted.
#[derive(Clone)]
pub(crate) struct BearerRule(pub(crate) Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl fmt::Debug for BearerRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerRule")
    }
}

/// By what right a request acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Principal {
    /// The account's key.
    Owner,
    /// A bearer token that the test's rule accepts.
    Bearer,
    /// A SAS. `overwrite` tells whether it may also write over a blob that exists.
    Sas {
        overwrite: bool,
    },
    Anonymous,
}

impl Principal {
    /// Whether it may read whatever else is in its account, as the source of a Copy Blob.
    pub(crate) fn reads_own_account(self) -> bool {
        matches!(self, Self::Owner | Self::Bearer)
    }
}

/// What is to be done, as far as a credential must allow it: a request, or the read of a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) op: Op,
    pub(crate) route: &'a Route,
    pub(crate) query: &'a Query,
    /// Where it comes from; a source is read by the service itself, so nowhere.
    pub(crate) address: Option<IpAddr>,
    pub(crate) https: bool,
    pub(crate) now: OffsetDateTime,
}

/// Authenticates a request and checks that it may do what it asks for.
pub(crate) fn authorize(
    call: &Call,
    accounts: &Accounts,
    settings: &Settings,
) -> Result<Principal, Refusal> {
    let account = accounts.get(&call.route.account).ok_or(Code::ResourceNotFound)?;
    let access = Access {
        op: call.op,
        route: &call.route,
        query: &call.query,
        address: Some(call.peer.address),
        https: call.peer.https,
        now: call.now,
    };
    match call.header("authorization") {
        Some(value) => match value.split_once(' ') {
            Some(("SharedKey", credential)) => {
                check_date(call)?;
                shared_key::verify(call, account, credential)
            }
            Some(("Bearer", token)) => bearer(token, settings, &access),
            _ => Err(Code::InvalidAuthenticationInfo.into()),
        },
        None if call.query.get("sig").is_some() => sas(&access, account),
        None => anonymous(&access, accounts, settings),
    }
}

/// Checks that the service may read the source of a copy with nothing but its URL.
pub(crate) fn authorize_source(
    access: &Access<'_>,
    accounts: &Accounts,
    settings: &Settings,
) -> Result<Principal, Refusal> {
    let account = accounts.get(&access.route.account).ok_or(Code::ResourceNotFound)?;
    match access.query.get("sig") {
        Some(_) => sas(access, account),
        None => anonymous(access, accounts, settings),
    }
}

fn sas(access: &Access<'_>, account: &Account) -> Result<Principal, Refusal> {
    Sas::of(access.query, access.route)?.verify(account, access)
}

/// A signed request carries its date, which must be close to the service's own.
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

pub(crate) fn bearer(
    token: &str,
    settings: &Settings,
    access: &Access<'_>,
) -> Result<Principal, Refusal> {
    let rule = settings.bearer.as_ref().ok_or_else(|| {
        Refusal::unauthenticated(
            "This simulator was given no rule by which it accepts a bearer token",
        )
    })?;
    if !access.https {
        return Err(Refusal::unauthenticated(
            "Authentication scheme Bearer is not allowed with HTTP",
        ));
    }
    if (rule.0)(token) {
        Ok(Principal::Bearer)
    } else {
        Err(challenge(Code::InvalidAuthenticationInfo))
    }
}

/// What anyone may read: blobs, and perhaps the container, as its public access level says.
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
    if open && access.op.reads() {
        let permitted = settings.public_access;
        return if permitted {
            Ok(Principal::Anonymous)
        } else {
            Err(Code::PublicAccessNotPermitted.into())
        };
    }
    Err(challenge(Code::NoAuthenticationInformation))
}

fn challenge(code: Code) -> Refusal {
    const HEADER: &str = "Bearer authorization_uri=https://login.microsoftonline.com/\
        00000000-0000-0000-0000-000000000000/oauth2/authorize resource_id=https://storage.azure.com";
    Refusal::from(code).header("www-authenticate", HEADER).status(StatusCode::UNAUTHORIZED)
}
