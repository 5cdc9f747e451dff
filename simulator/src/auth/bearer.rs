//! [Bearer tokens](https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory),
//! accepted by a rule that the test sets.

use http::StatusCode;

use super::{
    access::{Access, Principal},
    identity::audience,
};
use crate::{
    model::settings::Settings,
    wire::error::{Code, Refusal},
};

pub(super) fn verify(
    token: &str,
    settings: &Settings,
    access: &Access<'_>,
) -> Result<Principal, Refusal> {
    let accepted = accepts(token, settings, access.secure)?;
    if access.version < "2017-11-09" {
        let why = "Authentication scheme Bearer is not supported in this version";
        return Err(Refusal::unauthenticated(why));
    }
    match accepted {
        true => Ok(Principal::Bearer),
        false => Err(challenge(Code::InvalidAuthenticationInfo)),
    }
}

/// Whether a token is accepted for one of these audiences. A token that is no JWT, as many tests
/// use, is for any.
pub(super) fn check(
    token: &str,
    settings: &Settings,
    secure: bool,
    audiences: &[&str],
) -> Result<bool, Refusal> {
    let audience = audience(token);
    let fits = audience.is_none_or(|audience| audiences.contains(&&*audience));
    Ok(accepts(token, settings, secure)? && fits)
}

/// Whether the test's rule accepts a token.
fn accepts(token: &str, settings: &Settings, secure: bool) -> Result<bool, Refusal> {
    let rule = settings.bearer.as_ref().ok_or_else(|| {
        Refusal::unauthenticated(
            "This simulator was given no rule by which it accepts a bearer token",
        )
    })?;
    if !secure {
        let why = "Authentication scheme Bearer is not allowed with HTTP";
        return Err(Refusal::unauthenticated(why));
    }
    Ok((rule.0)(token))
}

/// Refuses with the header that names the token issuer.
pub(super) fn challenge(code: Code) -> Refusal {
    const HEADER: &str = "Bearer authorization_uri=https://login.microsoftonline.com/\
        00000000-0000-0000-0000-000000000000/oauth2/authorize resource_id=https://storage.azure.com";
    Refusal::from(code).header("www-authenticate", HEADER).status(StatusCode::UNAUTHORIZED)
}
